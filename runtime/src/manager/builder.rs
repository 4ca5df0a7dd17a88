//! What a manager consists of.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kube::Config;

use super::leader::{Election, LeaderElection};
use super::run;
use crate::controller::Start;
use crate::engine::{Handled, Handler, Settings};
use crate::providers::Provider;
use crate::{Error, Result};

/// How long one `reconcile` or `cleanup` may take.
const RECONCILE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long running reconciles may go on when their cluster is disengaged or the manager ends.
const GRACE: Duration = Duration::from_secs(10);

/// A manager before it runs.
#[must_use = "nothing happens until it runs"]
pub struct Builder {
    config: Config,
    providers: Vec<Box<dyn Provider>>,
    controllers: Vec<Box<dyn FnOnce(Settings) -> Registered + Send>>,
    election: Option<LeaderElection>,
    timeout: Duration,
    grace: Duration,
}

/// A controller, and the kind whose conditions it writes.
struct Registered {
    handler: Arc<dyn Handler>,
    conditions_of: Option<String>,
}

/// What a manager needs to run.
pub(super) struct Parts {
    pub(super) config: Config,
    pub(super) providers: Vec<Box<dyn Provider>>,
    pub(super) handlers: Vec<Arc<dyn Handler>>,
    pub(super) election: Option<Election>,
    pub(super) grace: Duration,
}

impl Builder {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            providers: Vec::new(),
            controllers: Vec::new(),
            election: None,
            timeout: RECONCILE_TIMEOUT,
            grace: GRACE,
        }
    }

    /// Adds a source of clusters. The controllers then work in its clusters, and not in the host
    /// cluster.
    pub fn provider(mut self, provider: impl Provider) -> Self {
        self.providers.push(Box::new(provider));
        self
    }

    /// Adds a controller: a struct with `#[controller]`.
    pub fn controller<C: Start>(mut self, controller: C) -> Self {
        self.controllers.push(Box::new(|settings| {
            let handled = Handled::new(controller, settings);
            let conditions_of = handled
                .writes_conditions()
                .map(|kind| format!("{} ({})", kind.kind, kind.api_version));
            Registered {
                handler: Arc::new(handled),
                conditions_of,
            }
        }));
        self
    }

    /// Works only while it is the leader: of several replicas of an operator one works, and the others wait.
    ///
    /// Nothing is watched and no provider runs before that. When the leadership is lost, all work is
    /// cancelled without a [`grace`](Builder::grace) and [`run`](Builder::run) returns a
    /// [`LeadershipLost`](crate::LeadershipLost): the process is expected to end and to be started anew.
    /// In an orderly end the Lease is released once nothing of the manager runs any more, so that the next
    /// replica takes over at once.
    pub fn leader_election(mut self, election: LeaderElection) -> Self {
        self.election = Some(election);
        self
    }

    /// How long one `reconcile` or `cleanup` may take before it is cancelled and counts as failed; 60 s by
    /// default.
    pub fn reconcile_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long running reconciles may go on when their cluster is disengaged or the manager ends, before
    /// they are cancelled; 10 s by default.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Runs until Ctrl-C or SIGTERM, and then ends in good order: no new reconcile begins, running ones
    /// may finish for the [`grace`](Builder::grace). A second Ctrl-C ends the process at once.
    ///
    /// # Errors
    /// When the manager cannot start (no controller, two controllers that clash, a configuration that
    /// makes no client, an election that cannot work), a provider gives up, or the leadership is lost. Clusters in trouble are retried, and never end it.
    pub async fn run(self) -> Result<()> {
        self.run_until(run::interrupted()).await
    }

    /// Runs until `shutdown` resolves, and then ends in good order like [`run`](Builder::run).
    ///
    /// # Errors
    /// As [`run`](Builder::run).
    pub async fn run_until(self, shutdown: impl Future<Output = ()> + Send) -> Result<()> {
        run::run(self.into_parts()?, shutdown).await
    }

    /// Builds the controllers, and refuses those that would fight each other.
    fn into_parts(self) -> Result<Parts> {
        if self.controllers.is_empty() {
            return Err(Error::terminal(
                "the manager has no controller: add one with `.controller(..)`",
            ));
        }
        let settings = Settings {
            timeout: self.timeout,
        };
        let mut handlers: Vec<Arc<dyn Handler>> = Vec::new();
        let mut ready_writers: BTreeMap<String, String> = BTreeMap::new();
        for register in self.controllers {
            let Registered {
                handler,
                conditions_of,
            } = register(settings);
            let name = handler.name().to_owned();
            if handlers.iter().any(|other| other.name() == name) {
                return Err(Error::terminal(format!(
                    "two controllers are named `{name}`, and would take each other's writes for their own: give one \
                     another name with `#[controller(name = \"..\")]`"
                )));
            }
            if let Some(kind) = conditions_of
                && let Some(other) = ready_writers.insert(kind.clone(), name.clone())
            {
                return Err(Error::terminal(format!(
                    "the controllers `{other}` and `{name}` would both write the condition Ready of {kind}: only one of \
                     them may declare `conditions`"
                )));
            }
            handlers.push(handler);
        }
        let election = match self.election {
            Some(election) => Some(election.checked(&self.config)?),
            None => None,
        };
        Ok(Parts {
            config: self.config,
            election,
            providers: self.providers,
            handlers,
            grace: self.grace,
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("cluster_url", &self.config.cluster_url)
            .field("controllers", &self.controllers.len())
            .finish_non_exhaustive()
    }
}
