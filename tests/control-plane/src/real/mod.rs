//! A real Kubernetes behind the same face, from the binaries in `KUBEBUILDER_ASSETS`.
//!
//! For a fleet, one API server is Milo's root, two more are the control planes of the two projects that may exist at a time. A
//! router in front serves all three at Milo's paths.

mod assets;
mod fleet;
mod mirror;
mod plane;
mod process;
mod router;
mod shared;
mod single;

pub use assets::Assets;
pub use fleet::RealFleet;
pub use shared::RealLease;
pub use single::RealControlPlane;

/// Why the real servers could not be started or used.
#[derive(Debug, thiserror::Error)]
pub enum RealError {
    /// `KUBEBUILDER_ASSETS` points to something else.
    #[error("KUBEBUILDER_ASSETS: {0}")]
    Assets(String),
    /// A file or a process failed.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What came of it.
        source: std::io::Error,
    },
    /// A server ended, or did not get ready in time.
    #[error("{0}")]
    Server(String),
    /// The authority failed.
    #[error(transparent)]
    Tls(#[from] crate::serve::TlsError),
    /// An API server refused something.
    #[error("{what}: {source}")]
    Api {
        /// What was tried.
        what: String,
        /// What came of it.
        source: Box<kube::Error>,
    },
}

impl RealError {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        |source| Self::Io { what, source }
    }

    fn api(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let what = what.into();
        |source| Self::Api {
            what,
            source: Box::new(source),
        }
    }
}
