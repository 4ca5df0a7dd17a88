//! Controllers that come to a manager which runs.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::admission::{Admission, Register, register};
use super::run::Begun;
use crate::controller::Start;
use crate::engine::Engine;
use crate::fleet::{Cluster, Fleet};
use crate::{Error, Result};

/// Adds controllers to a manager, also while it runs: see [`Builder::controllers`](super::Builder::controllers). Cheap to
/// clone.
#[derive(Clone, Default)]
pub struct Controllers(Arc<Mutex<Stage>>);

/// How far the manager is.
enum Stage {
    /// It does not run yet.
    Before(Vec<Register>),
    Running {
        admission: Admission,
        engine: Arc<Engine>,
        /// Who is told when the host cluster is worked on, where that is none of the fleet.
        host: Option<(Fleet, Cluster)>,
    },
    Ended,
}

impl Default for Stage {
    fn default() -> Self {
        Self::Before(Vec::new())
    }
}

impl Controllers {
    /// Adds a controller: a struct with `#[controller]`. While the manager runs it begins at once in every cluster that is
    /// engaged, where it sees to what is there already, and in others as they come.
    ///
    /// What it has to be allowed to do is not a part of [`Builder::permissions`](super::Builder::permissions).
    ///
    /// # Errors
    /// When it clashes with one that is there (its name, a finalizer, a condition of one kind), when it works in the clusters
    /// of providers alone and there are none, and when the manager has ended. The others go on. A manager that does not
    /// run yet says so when it begins.
    pub fn add<C: Start>(&self, controller: C) -> Result<()> {
        match &mut *self.lock() {
            Stage::Before(added) => added.push(register(controller)),
            Stage::Running {
                admission,
                engine,
                host,
            } => {
                let (handler, _) = admission.admit(register(controller))?;
                let begins_in_host = engine.add(handler);
                if let (true, Some((fleet, host))) = (begins_in_host, host) {
                    fleet.show_host(host);
                }
            }
            Stage::Ended => {
                return Err(Error::terminal(
                    "the manager has ended: a controller can be added to one that runs, or will run",
                ));
            }
        }
        Ok(())
    }

    /// What has been added so far, to a manager that begins now.
    pub(super) fn take(&self) -> Vec<Register> {
        match &mut *self.lock() {
            Stage::Before(added) => std::mem::take(added),
            Stage::Running { .. } | Stage::Ended => Vec::new(),
        }
    }

    /// From now on controllers are added to `engine`, until what is returned is dropped.
    pub(super) fn run(&self, admission: Admission, engine: &Arc<Engine>) -> Running {
        *self.lock() = Stage::Running {
            admission,
            engine: Arc::clone(engine),
            host: None,
        };
        Running(self.clone())
    }

    /// The work begins.
    pub(super) fn begin(&self, begun: &Begun<'_>) {
        if let Stage::Running { engine, host, .. } = &mut *self.lock()
            && let Some(cluster) = begun.host
        {
            if engine.set_host(cluster) {
                begun.fleet.show_host(cluster);
            }
            *host = Some((begun.fleet.clone(), cluster.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A manager that runs, for those who add controllers to it.
pub(super) struct Running(Controllers);

impl Drop for Running {
    fn drop(&mut self) {
        *self.0.lock() = Stage::Ended;
    }
}

impl fmt::Debug for Controllers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controllers").finish_non_exhaustive()
    }
}
