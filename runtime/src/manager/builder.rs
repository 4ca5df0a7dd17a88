//! What a manager consists of.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kube::api::ApiResource;
use kube::{Client, Config};
use tokio::sync::Semaphore;

use super::admission::{Admission, Register, register};
use super::controllers::Controllers;
use super::leader::{Election, LeaderElection};
use super::permissions::Role;
use super::release::{self, Held};
use super::{ManagerPermissions, Permissions, run, signals};
use crate::controller::{Declaration, Start};
use crate::engine::{Handler, Settings};
use crate::fleet::Status;
use crate::providers::Provider;
use crate::transport::{self, Connect, Pool};
use crate::watch::{Common, Kept};
use crate::{Error, Result};

/// How long one `reconcile` or `cleanup` may take.
const RECONCILE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long running reconciles may go on when their cluster is disengaged or the manager ends.
const GRACE: Duration = Duration::from_secs(10);
/// How many lists may come in at once.
const LISTS_AT_ONCE: usize = 64;

/// A manager before it runs.
#[must_use = "nothing happens until it runs"]
pub struct Builder {
    config: Config,
    providers: Vec<Box<dyn Provider>>,
    controllers: Vec<Register>,
    /// Those that come later.
    late: Controllers,
    /// What the controllers are for, and what they declare.
    declared: Vec<(ApiResource, &'static Declaration)>,
    election: Option<LeaderElection>,
    timeout: Duration,
    grace: Duration,
    connect: Connect,
    seed: Option<u64>,
    kept: Kept,
    lists_at_once: usize,
    status: Status,
}

/// What a manager needs to run.
pub(super) struct Parts {
    pub(super) config: Config,
    pub(super) providers: Vec<Box<dyn Provider>>,
    pub(super) handlers: Vec<Arc<dyn Handler>>,
    /// The finalizers of the controllers.
    pub(super) held: Vec<Held>,
    pub(super) election: Option<Election>,
    pub(super) grace: Duration,
    pub(super) connect: Connect,
    pub(super) common: Common,
    pub(super) status: Status,
}

impl Builder {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            providers: Vec::new(),
            controllers: Vec::new(),
            late: Controllers::default(),
            declared: Vec::new(),
            election: None,
            timeout: RECONCILE_TIMEOUT,
            grace: GRACE,
            connect: pooled(),
            seed: None,
            kept: Kept::default(),
            lists_at_once: LISTS_AT_ONCE,
            status: Status::default(),
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
        self.declared
            .push((ApiResource::erase::<C::Object>(&()), &C::DECLARATION));
        self.controllers.push(register(controller));
        self
    }

    /// Adds controllers later, while the manager runs: for one that knows only then what there is to do, such as which
    /// kinds its clusters have.
    ///
    /// ```no_run
    /// # use kommodore::{Action, Builder, Context, Reconcile, Result, controller};
    /// # use kommodore::k8s_openapi::api::core::v1::Namespace;
    /// # #[controller(for = Namespace)]
    /// # struct Namespaces;
    /// # impl Reconcile for Namespaces {
    /// #     async fn reconcile(&self, _: &Namespace, _: &Context<Self>) -> Result<Action> {
    /// #         Ok(Action::done())
    /// #     }
    /// # }
    /// # async fn is_wanted() {}
    /// # async fn example(manager: Builder) -> Result<()> {
    /// let controllers = manager.controllers();
    /// tokio::spawn(async move {
    ///     is_wanted().await;
    ///     controllers.add(Namespaces)
    /// });
    /// manager.run().await
    /// # }
    /// ```
    pub fn controllers(&self) -> Controllers {
        self.late.clone()
    }

    /// How the clusters are, while the manager runs: for a page of one's own, a metric, or a test.
    ///
    /// ```no_run
    /// # use kommodore::{Builder, Result};
    /// # async fn example(manager: Builder) -> Result<()> {
    /// let fleet = manager.fleet();
    /// tokio::spawn(async move {
    ///     loop {
    ///         for cluster in fleet.clusters() {
    ///             println!("{} {:?} {:?}", cluster.name, cluster.state, cluster.last_error);
    ///         }
    ///         tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    ///     }
    /// });
    /// manager.run().await
    /// # }
    /// ```
    pub fn fleet(&self) -> Status {
        self.status.clone()
    }

    /// What this manager has to be allowed to do: in the clusters that its controllers work in, and in the host
    /// cluster. Nothing has to run for it.
    ///
    /// ```
    /// # use kommodore::{Action, Context, Manager, Milo, Reconcile, Result, controller};
    /// # use kommodore::k8s_openapi::api::core::v1::Namespace;
    /// # #[controller(for = Namespace)]
    /// # struct Namespaces;
    /// # impl Reconcile for Namespaces {
    /// #     async fn reconcile(&self, _: &Namespace, _: &Context<Self>) -> Result<Action> {
    /// #         Ok(Action::done())
    /// #     }
    /// # }
    /// # fn print_roles(config: kommodore::kube::Config) {
    /// let manager = Manager::builder(config).provider(Milo::external()).controller(Namespaces);
    /// if std::env::args().any(|argument| argument == "--roles") {
    ///     print!("{}", manager.permissions().yaml("namespaces-operator"));
    /// }
    /// # }
    /// ```
    pub fn permissions(&self) -> ManagerPermissions {
        let mut host = Permissions::default();
        for provider in &self.providers {
            host.merge(provider.permissions());
        }
        let alone = self.providers.is_empty();
        let mut member = Permissions::default();
        for (kind, declared) in &self.declared {
            let engages = declared.engages();
            let role = Role {
                works: alone || engages.provider,
                local: alone,
                provider: !alone,
            };
            member.add(kind, declared, role);
            let role = Role {
                works: engages.local,
                local: true,
                provider: false,
            };
            if !alone {
                host.add(kind, declared, role);
            }
        }
        ManagerPermissions {
            member,
            host,
            lease: self
                .election
                .as_ref()
                .map(|election| election.permissions(&self.config)),
        }
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

    /// How many lists may come in at once while clusters are engaged, one for each kind that is watched in a cluster; 64 by
    /// default, and at least one. One that waits, for a backoff or since its server has said "later", is not counted, and
    /// one that takes far longer than others do gives its place to the next, after a quarter of a second at most. Those that had no answer the last time have as many
    /// places of their own.
    pub fn lists_at_once(mut self, lists: usize) -> Self {
        self.lists_at_once = lists.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// How the client of each cluster is made from its configuration, and that of the host too: for layers of one's
    /// own, and for API servers that are reached without a socket, as `kommodore-control-plane` is with its
    /// `ControlPlane::connector`. It should not try again by itself
    /// ([`default_retry`](kube::Config::default_retry)): the manager does, and lets nobody else wait for it.
    ///
    /// ```
    /// # use kommodore::Manager;
    /// # fn example(config: kommodore::kube::Config) {
    /// let manager = Manager::builder(config).connect(|mut config| {
    ///     config.default_retry = false;
    ///     kommodore::kube::Client::try_from(config)
    /// });
    /// # }
    /// ```
    pub fn connect(
        mut self,
        connect: impl Fn(Config) -> kube::Result<Client> + Send + Sync + 'static,
    ) -> Self {
        self.connect = Arc::new(move |config| {
            let made = connect(config).map(Into::into);
            Box::pin(std::future::ready(made))
        });
        self
    }

    /// Lets a seed decide all jitter and all names that are made up, and the time of day, which then goes with tokio's
    /// clock: for simulations, in which the same seed does the same again. It holds for the thread that runs the
    /// manager, whose runtime is to have no other. Replicas there have seeds of their own.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Keeps `metadata.managedFields` and what `kubectl apply` writes down in an annotation in the objects that
    /// controllers see. By default both are dropped as the objects come in: nearly nobody reads them, and they
    /// make up half of many objects.
    ///
    /// An object that is to be sent back as a whole, with `replace`, is to be read through
    /// [`Cluster::client`](crate::Cluster::client) or kept like this: else the annotation would be lost.
    pub fn keep_all_metadata(mut self) -> Self {
        self.kept = Kept::Everything;
        self
    }

    /// Runs until Ctrl-C or SIGTERM, and then ends in good order: no new reconcile begins, running ones
    /// may finish for the [`grace`](Builder::grace), and what there is to say of events is said. A second signal ends
    /// the process at once, whatever blocks its threads.
    ///
    /// # Errors
    /// When the manager cannot start (no controller, two controllers that clash, a configuration that
    /// makes no client, an election that cannot work), a provider gives up, or the leadership is lost. Clusters in trouble are retried, and never end it.
    pub async fn run(self) -> Result<()> {
        self.run_until(signals::interrupted()).await
    }

    /// Runs until `shutdown` resolves, and then ends in good order like [`run`](Builder::run).
    ///
    /// # Errors
    /// As [`run`](Builder::run).
    pub async fn run_until(self, shutdown: impl Future<Output = ()> + Send) -> Result<()> {
        if let Some(seed) = self.seed {
            transport::seed(seed);
        }
        let late = self.late.clone();
        let (parts, admission) = self.into_parts()?;
        run::run(parts, admission, &late, shutdown).await
    }

    /// Takes the finalizers of the controllers off all objects, in every cluster of the fleet, and returns how many
    /// there were: for who uninstalls an operator and leaves its objects where they are. Nothing is reconciled and
    /// nothing cleaned up; children stay, and go with their owners where these have owner references to them.
    ///
    /// It ends when it has been everywhere, or with Ctrl-C or SIGTERM, and tries again for as long as a cluster is in
    /// trouble. Clusters that the providers do not engage, such as Milo's projects that are not ready, are left out.
    /// The operator itself has to be stopped before, or it puts the finalizers on again: with
    /// [`leader_election`](Builder::leader_election) this waits until no replica works any more.
    ///
    /// ```no_run
    /// # use kommodore::{Builder, Result};
    /// # async fn example(manager: Builder) -> Result<()> {
    /// if std::env::args().any(|argument| argument == "--uninstall") {
    ///     let released = manager.release_finalizers().await?;
    ///     println!("{released} objects are released");
    /// } else {
    ///     manager.run().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`run`](Builder::run), and when it is ended before it has been everywhere.
    pub async fn release_finalizers(self) -> Result<usize> {
        self.release_finalizers_until(signals::interrupted()).await
    }

    /// The same, until `shutdown` resolves.
    ///
    /// # Errors
    /// As [`release_finalizers`](Builder::release_finalizers).
    pub async fn release_finalizers_until(
        self,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<usize> {
        if let Some(seed) = self.seed {
            transport::seed(seed);
        }
        let (parts, _) = self.into_parts()?;
        release::release(parts, shutdown).await
    }

    /// Builds the controllers, and refuses those that would fight each other; what else there is then, and who decides of
    /// further controllers.
    fn into_parts(self) -> Result<(Parts, Admission)> {
        let mut controllers = self.controllers;
        controllers.extend(self.late.take());
        if controllers.is_empty() {
            return Err(Error::terminal(
                "the manager has no controller: add one with `.controller(..)`",
            ));
        }
        let settings = Settings {
            timeout: self.timeout,
        };
        let mut admission = Admission::new(settings, self.providers.is_empty());
        let (mut handlers, mut held) = (Vec::new(), Vec::new());
        for register in controllers {
            let (handler, its) = admission.admit(register)?;
            handlers.push(handler);
            held.extend(its);
        }
        let election = match self.election {
            Some(election) => Some(election.checked(&self.config)?),
            None => None,
        };
        let parts = Parts {
            config: self.config,
            election,
            providers: self.providers,
            handlers,
            held,
            grace: self.grace,
            connect: self.connect,
            common: Common::new(self.lists_at_once, self.kept),
            status: self.status,
        };
        Ok((parts, admission))
    }
}

/// Clusters that share their connections.
fn pooled() -> Connect {
    let pool = Arc::new(Pool::default());
    Arc::new(move |config| {
        let pool = Arc::clone(&pool);
        Box::pin(async move { pool.line(&config).await })
    })
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("cluster_url", &self.config.cluster_url)
            .field("controllers", &self.controllers.len())
            .finish_non_exhaustive()
    }
}
