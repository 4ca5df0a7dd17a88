//! The clusters of the fleet: their names, their connections, and the engagement of each.

mod cluster;
mod engagement;
mod health;
mod name;
mod reads;
mod roster;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use kube::Config;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use cluster::Cluster;
pub use name::{ClusterName, InvalidName};
pub(crate) use reads::Known;

use crate::watch::Kept;
use engagement::Engagement;
pub(crate) use health::Health;
pub(crate) use roster::{Moment, Roster};

use crate::transport::Connect;

/// How many clusters may fill their caches at once.
const ENGAGING_AT_ONCE: usize = 64;

/// Who works on the clusters: told of each one that is engaged and of its end.
pub(crate) trait Crew: Send + Sync {
    /// Says what is to be watched in `cluster`, which begins when it returns, and begins to reconcile there.
    fn board(&self, cluster: &Cluster);
    /// Takes no more work from `cluster`, and drops what was waiting.
    fn leave(&self, cluster: &Cluster);
    /// A cluster does not exist any more. It has been left, if it ever was engaged.
    fn gone(&self, name: &ClusterName);
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
    /// The manager is shutting down.
    Shutdown,
}

/// Where a cluster stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The watches are being filled, or one of them cannot be.
    Connecting,
    /// Every watched kind has been listed.
    Engaged,
    /// The watches have been stopped, and running reconciles may finish.
    Disengaging,
}

/// The fleet as a provider sees it: which clusters are to be worked on. Cheap to clone.
///
/// Each call only says how things should be; it returns at once, and the engagement of one cluster
/// never waits for that of another.
#[derive(Clone)]
pub struct Fleet(Arc<Shared>);

pub(crate) struct Shared {
    crew: Arc<dyn Crew>,
    grace: Duration,
    kept: Kept,
    engaging: Arc<Semaphore>,
    clusters: Mutex<BTreeMap<ClusterName, Member>>,
    tasks: TaskTracker,
    closing: CancellationToken,
    connect: Connect,
    /// Ends everything in every cluster, without a grace.
    abandoned: CancellationToken,
    /// How many providers have yet to name all their clusters.
    incomplete: AtomicUsize,
}

struct Member {
    wish: watch::Sender<Wish>,
    state: watch::Receiver<State>,
}

/// How a cluster should be.
#[derive(Clone)]
enum Wish {
    Engaged { config: Box<Config>, retiring: bool },
    Disengaged(Reason),
}

impl Fleet {
    pub(crate) fn new(
        crew: Arc<dyn Crew>,
        providers: usize,
        grace: Duration,
        connect: Connect,
        kept: Kept,
    ) -> Self {
        Self(Arc::new(Shared {
            crew,
            grace,
            kept,
            engaging: Arc::new(Semaphore::new(ENGAGING_AT_ONCE)),
            clusters: Mutex::default(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            connect,
            abandoned: CancellationToken::new(),
            incomplete: AtomicUsize::new(providers),
        }))
    }

    /// The cluster is to be worked on, through `config`. A cluster that is engaged already stays as it
    /// is, with the connection that it has.
    pub fn engage(&self, name: &ClusterName, config: Config) {
        self.wish(name, false, config);
    }

    /// Like [`engage`](Fleet::engage), for a cluster that is being deleted: `cleanup` runs there, and
    /// no new finalizer is set.
    pub fn retire(&self, name: &ClusterName, config: Config) {
        self.wish(name, true, config);
    }

    /// A provider says once that it has named all the clusters that there are now, which
    /// [`release_finalizers`](crate::Builder::release_finalizers) waits for.
    pub fn named_all(&self) {
        let fewer = |left: usize| Some(left.saturating_sub(1));
        // It fails never.
        let _ = self
            .0
            .incomplete
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
    }

    /// Whether all clusters have been named.
    pub(crate) fn is_complete(&self) -> bool {
        self.0.incomplete.load(Ordering::Relaxed) == 0
    }

    /// The places of those that may fill their caches at once.
    pub(crate) fn places(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.engaging)
    }

    /// The cluster is not to be worked on any more. Watches end at once, what was waiting is dropped,
    /// and running reconciles may finish for the manager's grace.
    pub fn disengage(&self, name: &ClusterName, reason: Reason) {
        let mut clusters = self
            .0
            .clusters
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(member) = clusters.get_mut(name) else {
            drop(clusters);
            if reason == Reason::Gone {
                self.0.crew.gone(name);
            }
            return;
        };
        member.wish.send_if_modified(|wish| match wish {
            Wish::Engaged { .. } => {
                *wish = Wish::Disengaged(reason);
                true
            }
            // While it is being left for another reason, it may come to its end as well.
            Wish::Disengaged(was) if reason == Reason::Gone => {
                *was = reason;
                false
            }
            Wish::Disengaged(_) => false,
        });
    }

    /// Every cluster that is engaged, or on its way there or back, by name.
    pub fn clusters(&self) -> Vec<(ClusterName, State)> {
        let clusters = self
            .0
            .clusters
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        clusters
            .iter()
            .map(|(name, member)| (name.clone(), *member.state.borrow()))
            .collect()
    }

    fn wish(&self, name: &ClusterName, retiring: bool, config: Config) {
        let config = Box::new(config);
        let mut clusters = self
            .0
            .clusters
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that a cluster is either seen by `close` or never begun.
        if self.0.closing.is_cancelled() {
            return;
        }
        if let Some(member) = clusters.get(name) {
            member.wish.send_if_modified(|wish| match wish {
                Wish::Engaged { retiring: was, .. } if *was == retiring => false,
                Wish::Engaged { retiring: was, .. } => {
                    *was = retiring;
                    true
                }
                Wish::Disengaged(_) => {
                    *wish = Wish::Engaged { config, retiring };
                    true
                }
            });
            return;
        }
        let wish = watch::Sender::new(Wish::Engaged { config, retiring });
        let (state, watched) = watch::channel(State::Connecting);
        let engagement = Engagement {
            name: name.clone(),
            fleet: self.clone(),
            wish: wish.subscribe(),
            state,
        };
        clusters.insert(
            name.clone(),
            Member {
                wish,
                state: watched,
            },
        );
        self.0.tasks.spawn(engagement.run());
    }

    /// Takes a cluster that has come to its end out of the fleet, unless somebody wished for it again.
    fn forget(&self, name: &ClusterName) -> bool {
        let mut clusters = self
            .0
            .clusters
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let reason = match clusters.get(name) {
            Some(member) => match &*member.wish.borrow() {
                Wish::Engaged { .. } => return false,
                Wish::Disengaged(reason) => Some(*reason),
            },
            None => None,
        };
        clusters.remove(name);
        drop(clusters);
        if reason == Some(Reason::Gone) {
            self.0.crew.gone(name);
        }
        true
    }

    /// Ends the watches and the reconciles of every cluster at once: there is no grace any more.
    pub(crate) fn abandon(&self) {
        self.0.abandoned.cancel();
        drop(self.close());
    }

    /// Cancelled by [`abandon`](Fleet::abandon).
    pub(crate) fn abandoned(&self) -> &CancellationToken {
        &self.0.abandoned
    }

    /// Disengages every cluster, and resolves when nothing of ours talks to any of them.
    pub(crate) fn close(&self) -> BoxFuture<'_, ()> {
        self.0.closing.cancel();
        let names: Vec<ClusterName> = self.clusters().into_iter().map(|(name, _)| name).collect();
        for name in names {
            self.disengage(&name, Reason::Shutdown);
        }
        self.0.tasks.close();
        Box::pin(self.0.tasks.wait())
    }
}
