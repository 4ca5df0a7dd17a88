//! How large the fleet is.

/// A size.
#[derive(Clone, Debug)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    /// Whether there are all phases, or only those of a fleet that is mostly idle.
    pub(crate) is_whole: bool,
    pub(crate) projects: usize,
    /// So many have objects, and are looked at.
    pub(crate) observed: usize,
    pub(crate) objects: usize,
    /// Changes a second, where they are not made as fast as the server can.
    pub(crate) rate: f64,
    /// Seconds.
    pub(crate) idle: f64,
    /// After so many seconds every object is looked at again.
    pub(crate) resync: u64,
    /// So many seconds a project is hot.
    pub(crate) hot: f64,
    /// After so many seconds a phase is given up, and the contender.
    pub(crate) limit: f64,
    /// In bytes: so much an operator may take.
    pub(crate) memory_limit: f64,
}

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

impl Size {
    pub(crate) fn quick() -> Self {
        Self {
            name: "quick",
            is_whole: true,
            projects: 100,
            observed: 100,
            objects: 1_000,
            rate: 200.0,
            idle: 2.0,
            resync: 6,
            hot: 4.0,
            limit: 60.0,
            memory_limit: 4.0 * GIB,
        }
    }

    pub(crate) fn standard() -> Self {
        Self {
            name: "standard",
            is_whole: true,
            projects: 1_000,
            observed: 1_000,
            objects: 10_000,
            rate: 200.0,
            idle: 15.0,
            resync: 40,
            hot: 15.0,
            limit: 300.0,
            memory_limit: 4.0 * GIB,
        }
    }

    /// Idle, with a trickle of changes in a few of them.
    pub(crate) fn large(projects: usize) -> Self {
        Self {
            name: "large",
            is_whole: false,
            projects,
            observed: 100,
            objects: 300,
            rate: 10.0,
            idle: 30.0,
            resync: 0,
            hot: 0.0,
            limit: 900.0,
            memory_limit: 8.0 * GIB,
        }
    }
}
