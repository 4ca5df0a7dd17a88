//! The clusters of the fleet: their names, their connections, and the engagement of each.

mod cluster;
mod connection;
mod damping;
mod engagement;
mod health;
mod members;
mod name;
mod reads;
mod roster;
mod seat;
mod status;
#[cfg(test)]
mod tests;
mod view;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use cluster::Cluster;
pub use connection::Connection;
pub(crate) use connection::Recent;
pub use name::{ClusterName, InvalidName};
pub(crate) use reads::Known;
use status::Standing;
pub use status::{ClusterStatus, State, Status};
pub(crate) use view::Step;

use crate::watch::Common;
use damping::Damping;
use engagement::Engagement;
use members::{Members, Wished};
pub(crate) use roster::{Moment, Roster};
use view::{Seen, View};

use crate::transport::Connect;

/// Who works on the clusters: told of each one that is engaged and of its end.
pub(crate) trait Crew: Send + Sync {
    /// Says what is to be watched in `cluster`, which begins when it returns, and begins to reconcile there.
    fn board(&self, cluster: &Cluster);
    /// Takes no more work from `cluster`, and drops what was waiting.
    fn leave(&self, cluster: &Cluster);
    /// A cluster does not exist any more. It has been left, if it ever was engaged.
    fn gone(&self, name: &ClusterName);
    /// How many keys of each cluster wait or run.
    fn keys(&self) -> BTreeMap<ClusterName, usize> {
        BTreeMap::new()
    }
}

/// Why a cluster is disengaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is there, and not ready for longer than the grace.
    NotReady,
    /// The provider's selection does not contain it any more.
    Deselected,
    /// It does not exist any more.
    Gone,
    /// It has become another cluster, which is engaged next.
    Changed,
    /// The manager is shutting down.
    Shutdown,
}

/// The fleet as a provider sees it: which clusters are to be worked on. Cheap to clone.
///
/// Each call only says how things should be; it returns at once, and the engagement of one cluster
/// never waits for that of another. A cluster belongs to the provider that has named it first, until that one
/// disengages it; another that names it too is told of in the log, and waits.
#[derive(Clone)]
pub struct Fleet {
    shared: Arc<Shared>,
    view: View,
}

pub(crate) struct Shared {
    crew: Arc<dyn Crew>,
    grace: Duration,
    common: Arc<Common>,
    members: Mutex<Members>,
    /// How the host cluster is, where it is worked on besides the fleet.
    host: Mutex<Option<Standing>>,
    tasks: TaskTracker,
    closing: CancellationToken,
    connect: Connect,
    /// How many providers have yet to name all their clusters.
    incomplete: AtomicUsize,
}

impl Shared {
    /// How every cluster is.
    fn status(&self) -> Vec<ClusterStatus> {
        let mut clusters = self.lock().status();
        if let Some(host) = &*self.host() {
            let status = host.status(ClusterName::LOCAL, "the manager", std::iter::empty());
            let place = clusters.partition_point(|cluster| cluster.name < status.name);
            clusters.insert(place, status);
        }
        let keys = self.crew.keys();
        for cluster in &mut clusters {
            cluster.keys = keys.get(&cluster.name).copied().unwrap_or_default();
        }
        clusters
    }

    /// Takes a cluster that has come to its end out of the fleet, unless somebody wishes for it. Returns whether it is out.
    fn forget(&self, name: &ClusterName, damping: &Damping) -> bool {
        let mut members = self.lock();
        let (reason, is_out) = members.forget(name, damping);
        if reason == Some(Reason::Gone) {
            // Under the lock, so that another one of its name comes after that: what belongs to it would be cleared away.
            self.crew.gone(name);
        }
        is_out
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn host(&self) -> MutexGuard<'_, Option<Standing>> {
        self.host.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a cluster should be.
#[derive(Clone)]
enum Wish {
    Engaged {
        connection: Connection,
        retiring: bool,
    },
    Disengaged(Reason),
}

impl Fleet {
    pub(crate) fn new(
        crew: Arc<dyn Crew>,
        providers: usize,
        grace: Duration,
        connect: Connect,
        common: Common,
    ) -> Self {
        let shared = Shared {
            crew,
            grace,
            common: Arc::new(common),
            members: Mutex::default(),
            host: Mutex::default(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            connect,
            incomplete: AtomicUsize::new(providers),
        };
        Self {
            shared: Arc::new(shared),
            view: View::new("the manager"),
        }
    }

    /// The fleet as the provider of this name sees it.
    pub(crate) fn of_provider(&self, name: &str) -> Self {
        self.seen_as(View::new(name))
    }

    /// The same, where something is done to each cluster before.
    pub(crate) fn through(&self, step: Step) -> Self {
        self.seen_as(self.view.through(step))
    }

    /// The same for what a provider finds in one place, which is named where two places have one name for a cluster.
    /// Each is to be disengaged as it was engaged.
    #[must_use]
    pub fn found_in(&self, place: &dyn fmt::Display) -> Self {
        self.seen_as(self.view.found_in(place))
    }

    fn seen_as(&self, view: View) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            view,
        }
    }

    /// The cluster is there, and not ready to be worked on. Nothing comes of it, but that who looks at the
    /// [fleet](crate::Builder::fleet) sees it.
    pub fn discover(&self, name: impl AsRef<str>) {
        let Some(Seen { name, source, .. }) = self.view.of(name.as_ref(), None) else {
            return;
        };
        match ClusterName::new(&name) {
            Ok(name) => self.lock().discover(name, &source),
            Err(error) => self.refuse(&name, &source, &error),
        }
    }

    /// The cluster is to be worked on, and reached like this: through kube's `Config` or `Client`. The same again
    /// changes nothing. Another connection takes the place of the one that there is: what is watched is listed anew,
    /// and nothing that waits or runs is lost.
    ///
    /// A name that is no DNS label is refused, which is said once in the log.
    pub fn engage(&self, name: impl AsRef<str>, connection: impl Into<Connection>) {
        self.wish(name.as_ref(), false, connection.into());
    }

    /// Like [`engage`](Fleet::engage), for a cluster that is being deleted: `cleanup` runs there, and
    /// no new finalizer is set.
    pub fn retire(&self, name: impl AsRef<str>, connection: impl Into<Connection>) {
        self.wish(name.as_ref(), true, connection.into());
    }

    /// The same for one that is reached as it is reached already.
    pub(crate) fn retire_as_it_is(&self, name: &str) {
        let Some(Seen { name, source, .. }) = self.view.of(name, None) else {
            return;
        };
        if let Ok(name) = ClusterName::new(&name) {
            self.lock().retire(&name, &source);
        }
    }

    /// A provider says that it has named all the clusters that there are now, which
    /// [`release_finalizers`](crate::Builder::release_finalizers) waits for. To say it again changes nothing.
    pub fn named_all(&self) {
        if !self.view.completes() {
            return;
        }
        let fewer = |left: usize| Some(left.saturating_sub(1));
        // It fails never.
        let _ = self
            .shared
            .incomplete
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
    }

    /// The same as a provider sees it that is a part of this one, and says for itself when it has named all.
    pub(crate) fn of_part(&self, part: &dyn fmt::Display) -> Self {
        self.seen_as(self.view.of_part(part))
    }

    /// There are so many more who name clusters.
    pub(crate) fn expect(&self, more: usize) {
        self.shared.incomplete.fetch_add(more, Ordering::Relaxed);
    }

    /// Whether all clusters have been named.
    pub(crate) fn is_complete(&self) -> bool {
        self.shared.incomplete.load(Ordering::Relaxed) == 0
    }

    /// What all clusters have in common.
    pub(crate) fn common(&self) -> &Arc<Common> {
        &self.shared.common
    }

    /// The cluster is not to be worked on any more. Watches end at once, what was waiting is dropped,
    /// and running reconciles may finish for the manager's grace.
    pub fn disengage(&self, name: impl AsRef<str>, reason: Reason) {
        let Some(Seen { name, source, .. }) = self.view.of(name.as_ref(), None) else {
            return;
        };
        let Ok(name) = ClusterName::new(&name) else {
            self.lock().forget_refused(&name, &source);
            return;
        };
        let mut members = self.lock();
        if !members.disengage(&name, &source, reason) && reason == Reason::Gone {
            // Under the lock, so that another one of its name comes after that.
            self.shared.crew.gone(&name);
        }
    }

    /// Every cluster that is engaged, or on its way there or back, by name.
    pub fn clusters(&self) -> Vec<(ClusterName, State)> {
        self.lock().states()
    }

    /// The host cluster is worked on besides the fleet, which whoever looks at the fleet sees.
    pub(crate) fn show_host(&self, host: &Cluster) {
        *self.shared.host() = Some(Standing::at(State::Connecting, Some(host.clone())));
        let (shared, host) = (Arc::clone(&self.shared), host.clone());
        host.clone().spawn(async move {
            host.synced().await;
            *shared.host() = Some(Standing::at(State::Engaged, Some(host)));
        });
    }

    /// The host cluster is to be worked on.
    pub(crate) fn engage_host(&self, connection: Connection) {
        self.wish_for(ClusterName::LOCAL, &self.view.source, false, connection);
    }

    fn wish(&self, name: &str, retiring: bool, connection: Connection) {
        let seen = self.view.of(name, Some(connection));
        let Some(Seen {
            name,
            source,
            connection: Some(connection),
        }) = seen
        else {
            return;
        };
        match ClusterName::new(&name) {
            Ok(name) => self.wish_for(name, &source, retiring, connection),
            Err(error) => self.refuse(&name, &source, &error),
        }
    }

    /// Leaves a cluster out, and says so once.
    fn refuse(&self, name: &str, source: &Arc<str>, error: &InvalidName) {
        if self.lock().refuse(name, source) {
            tracing::error!(provider = %source, %error, "a cluster is left out");
        }
    }

    fn wish_for(
        &self,
        name: ClusterName,
        source: &Arc<str>,
        retiring: bool,
        connection: Connection,
    ) {
        let mut members = self.lock();
        // Under the lock, so that a cluster is either seen by `close` or never begun.
        if self.shared.closing.is_cancelled() {
            return;
        }
        let wish = Wish::Engaged {
            connection: connection.shared(&mut members.configs),
            retiring,
        };
        match members.wish(&name, source, wish) {
            Wished::Known => {}
            Wished::Taken(first) => tracing::error!(
                cluster = %name, %first, second = %source,
                "two providers have one name for a cluster: the first keeps it, until it lets it go; give it another \
                 name in one of them"
            ),
            Wished::New(seat, damping) => {
                let mut engagement = Engagement {
                    name,
                    fleet: Arc::clone(&self.shared),
                    seat,
                    damping,
                    moves: Damping::default(),
                    moves_later: false,
                    began: Instant::now(),
                };
                let work = async move { engagement.run().await };
                self.shared.tasks.spawn(work);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.shared.lock()
    }

    /// Ends the watches and the reconciles of every cluster at once: there is no grace any more.
    pub(crate) fn abandon(&self) {
        self.shared.common.abandoned.happens();
        self.lock().kill();
        drop(self.close());
    }

    /// Disengages every cluster, and resolves when nothing of ours talks to any of them.
    pub(crate) fn close(&self) -> BoxFuture<'_, ()> {
        let mut members = self.lock();
        self.shared.closing.cancel();
        members.close();
        drop(members);
        self.shared.tasks.close();
        Box::pin(self.shared.tasks.wait())
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet")
            .field("provider", &self.view.source)
            .finish_non_exhaustive()
    }
}
