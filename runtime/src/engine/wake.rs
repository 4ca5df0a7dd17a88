//! From a change to the keys that it wakes.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kube::api::{ApiResource, ObjectMeta};
use tokio::sync::mpsc;

use super::Version;
use super::queue::{Lane, Queue};
use crate::controller::ObjectKey;
use crate::fleet::{Cluster, ClusterName};
use crate::object::{Child, DELETED, Marked, Marker, Notes, controller_of, holds};
use crate::watch::{Change, Observer, On, Watched};

/// Which keys go first inside a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Priority {
    /// Deletions and changes: somebody may be waiting.
    Change,
    /// What was already there when the watch began.
    Initial,
}

/// How long a mapper may think about one object.
const MAPPER_DEADLINE: Duration = Duration::from_secs(60);

/// The lanes of one controller, by cluster.
#[derive(Default)]
pub(super) struct Lanes(Mutex<BTreeMap<ClusterName, LaneOf>>);

/// What a controller has in a cluster.
#[derive(Clone, Copy)]
pub(super) struct LaneOf {
    pub(super) lane: Lane,
    /// Whether it works there, and does not only look for its children.
    pub(super) works: bool,
}

impl Lanes {
    /// The lane of a cluster in which the controller works.
    pub(super) fn working(&self, cluster: &ClusterName) -> Option<Lane> {
        let lane = self.lock().get(cluster).copied();
        lane.filter(|lane| lane.works).map(|lane| lane.lane)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<ClusterName, LaneOf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the keys of one controller in one cluster.
#[derive(Clone)]
pub(crate) struct Waker {
    queue: Arc<Queue>,
    lane: Lane,
    lanes: Arc<Lanes>,
}

impl Waker {
    pub(super) fn new(queue: Arc<Queue>, lane: Lane, lanes: Arc<Lanes>) -> Self {
        Self { queue, lane, lanes }
    }

    /// Wakes an owner wherever it lives; if that is not engaged, it is woken once it is.
    fn wake_owner(&self, owner: Marker, priority: Priority, cause: Option<Version>) {
        if let Some(lane) = self.lanes.working(&owner.cluster) {
            self.queue.wake(lane, owner.key, priority, cause);
        }
    }

    /// Wakes the same controller's keys in another cluster, if it works there.
    pub(super) fn wake_in(&self, cluster: &ClusterName, keys: impl IntoIterator<Item = ObjectKey>) {
        if let Some(lane) = self.lanes.working(cluster) {
            for key in keys {
                self.queue.wake(lane, key, Priority::Initial, None);
            }
        }
    }

    /// Wakes keys as what is there when the watch begins.
    pub(super) fn wake_first(&self, keys: impl IntoIterator<Item = ObjectKey>) {
        for key in keys {
            self.wake(key, Priority::Initial, None);
        }
    }

    fn wake(&self, key: ObjectKey, priority: Priority, cause: Option<Version>) {
        self.queue.wake(self.lane, key, priority, cause);
    }

    /// Says that one version of an object may come through several watches.
    pub(super) fn expect_repetitions(&self) {
        self.queue.expect_repetitions(self.lane);
    }

    fn wake_expectant(&self) {
        self.queue.wake_expectant(self.lane);
    }
}

/// Wakes the key of the object that changed, if one of these parts of it did.
pub(crate) struct WakeItself {
    pub(crate) waker: Waker,
    pub(crate) notes: Arc<Notes>,
    pub(crate) marked: Arc<Marked>,
    pub(crate) home: ClusterName,
    pub(crate) on: On,
    /// The finalizer of which what leaves the selection is released.
    pub(crate) releases: Option<String>,
}

impl Observer for WakeItself {
    fn changed(&self, change: &Change<'_>) {
        match change.after {
            Some(after) if self.on.counts(change.changed) => {
                let key = ObjectKey::of_meta(after.metadata());
                self.waker.wake(key, priority(change), cause(change));
            }
            Some(_) => {}
            // An object that is gone needs nothing, as its finalizer saw to that; if it still was there, and if it is
            // gone.
            None => {
                let Some(before) = change.before else {
                    return;
                };
                let owner = Marker {
                    cluster: self.home.clone(),
                    key: ObjectKey::of_meta(before.metadata()),
                };
                let finalizer = self.releases.as_deref();
                let left = finalizer.is_some_and(|finalizer| holds(before.metadata(), finalizer));
                if left {
                    self.notes.left.add(owner.key.clone());
                }
                if left || self.marked.has(&owner) {
                    self.waker
                        .wake(owner.key.clone(), Priority::Change, cause(change));
                }
                self.waker.queue.forget(self.waker.lane, &owner.key);
                self.notes.applied.forget(&owner.key);
            }
        }
    }

    fn relisted(&self) {
        self.waker.wake_expectant();
    }
}

/// Wakes the controlling owners of the object that changed, of the kind `owner`.
pub(crate) struct WakeOwner {
    pub(crate) waker: Waker,
    pub(crate) owner: Arc<ApiResource>,
    pub(crate) owner_namespaced: bool,
    /// Whether owners are reconciled where their children lie.
    pub(crate) works: bool,
    /// Where marks are looked for, in a controller that may set them.
    pub(crate) marks: Option<Marks>,
}

/// What has to be known to see marks.
pub(crate) struct Marks {
    pub(crate) marked: Arc<Marked>,
    pub(crate) controller: &'static str,
    pub(crate) home: ClusterName,
    pub(crate) kind: Arc<ApiResource>,
}

impl Marks {
    /// Takes in whose mark an object bears, and wakes those who have one on it, or had.
    fn changed(&self, change: &Change<'_>, waker: &Waker) {
        let owner =
            |object: Option<&Arc<dyn Watched>>| Marker::of(object?.metadata(), self.controller);
        let (before, now) = (owner(change.before), owner(change.after));
        if before.is_none() && now.is_none() {
            return;
        }
        if let Some(object) = change.after.or(change.before) {
            let key = ObjectKey::of_meta(object.metadata());
            let child = Child::new(&self.home, &self.kind, key);
            // What is on its way out needs nobody to delete it.
            let stays = change
                .after
                .is_some_and(|after| after.metadata().deletion_timestamp.is_none());
            self.marked.note(child, now.clone().filter(|_| stays));
        }
        let cause = cause(change);
        if let Some(before) = before.filter(|before| now.as_ref() != Some(before)) {
            waker.wake_owner(before, priority(change), cause.clone());
        }
        // Those of the same cluster are woken by its beginning.
        if let Some(now) = now.filter(|now| !change.initial || now.cluster != self.home) {
            waker.wake_owner(now, priority(change), cause);
        }
    }

    /// The owners in other clusters cannot know what became of their children here.
    fn relisted(&self, waker: &Waker) {
        let owners = self.marked.owners_of(&self.home);
        for owner in owners
            .into_iter()
            .filter(|owner| owner.cluster != self.home)
        {
            waker.wake_owner(owner, Priority::Initial, None);
        }
    }
}

impl WakeOwner {
    fn owner_of(&self, meta: &ObjectMeta) -> Option<ObjectKey> {
        let group = |api_version: &str| {
            api_version
                .rsplit_once('/')
                .map_or(String::new(), |(group, _)| group.into())
        };
        let owner = controller_of(meta).filter(|owner| {
            owner.kind == self.owner.kind && group(&owner.api_version) == self.owner.group
        })?;
        let namespace = if self.owner_namespaced {
            meta.namespace.clone()
        } else {
            None
        };
        Some(ObjectKey {
            namespace,
            name: owner.name.clone(),
        })
    }
}

impl Observer for WakeOwner {
    fn changed(&self, change: &Change<'_>) {
        if let Some(marks) = &self.marks {
            marks.changed(change, &self.waker);
        }
        // What is there when the watch begins belongs to owners that the same beginning wakes.
        if change.initial || !self.works {
            return;
        }
        let newest = change.after.or(change.before);
        let cause = cause(change);
        let before = change
            .before
            .and_then(|before| self.owner_of(before.metadata()));
        let now = newest.and_then(|newest| self.owner_of(newest.metadata()));
        if let Some(before) = before.filter(|before| now.as_ref() != Some(before)) {
            self.waker.wake(before, Priority::Change, cause.clone());
        }
        if let Some(now) = now {
            self.waker.wake(now, Priority::Change, cause);
        }
    }

    fn relisted(&self) {
        self.waker.wake_expectant();
        if let Some(marks) = &self.marks {
            marks.relisted(&self.waker);
        }
    }
}

/// A mapper of a controller, which the cluster and the object are all that it lacks.
pub(crate) type AskedMapper = Arc<
    dyn for<'a> Fn(&'a dyn Watched, &'a Cluster) -> BoxFuture<'a, Vec<ObjectKey>> + Send + Sync,
>;

/// What the task of a mapper has to do.
enum Task {
    Map(Mapped),
    WakeExpectant,
}

/// A change that a mapper is to be asked about: what the object was and what it is, as a change may move
/// it from one key to another.
struct Mapped {
    objects: Vec<Arc<dyn Watched>>,
    priority: Priority,
    cause: Option<Version>,
}

/// Hands changed objects to the task that asks the mapper, which may be async.
pub(crate) struct AskMapper(mpsc::UnboundedSender<Task>);

impl AskMapper {
    /// The observer, and the task that runs `map` in `cluster` until the watches end.
    pub(crate) fn start(cluster: &Cluster, waker: Waker, map: AskedMapper) -> Arc<dyn Observer> {
        let (sender, mut receiver) = mpsc::unbounded_channel::<Task>();
        let home = cluster.clone();
        cluster.spawn(async move {
            loop {
                let task = tokio::select! {
                    biased;
                    () = home.stopped() => return,
                    Some(task) = receiver.recv() => task,
                };
                let Task::Map(mapped) = task else {
                    waker.wake_expectant();
                    continue;
                };
                let mut keys = BTreeSet::new();
                for object in &mapped.objects {
                    // A mapper that panics or hangs costs this one change, and not all that come after it.
                    let asked = AssertUnwindSafe(async { map(&**object, &home).await });
                    match tokio::time::timeout(MAPPER_DEADLINE, asked.catch_unwind()).await {
                        Ok(Ok(found)) => keys.extend(found),
                        Ok(Err(_panic)) => lost(&home, &**object, "panicked"),
                        Err(_elapsed) => lost(&home, &**object, "did not answer in time"),
                    }
                }
                for key in keys {
                    waker.wake(key, mapped.priority, mapped.cause.clone());
                }
            }
        });
        Arc::new(Self(sender))
    }
}

impl Observer for AskMapper {
    fn changed(&self, change: &Change<'_>) {
        let mapped = Mapped {
            objects: change
                .before
                .into_iter()
                .chain(change.after)
                .cloned()
                .collect(),
            priority: priority(change),
            cause: cause(change),
        };
        // It fails only when the watches have ended.
        let _ = self.0.send(Task::Map(mapped));
    }

    fn relisted(&self) {
        let _ = self.0.send(Task::WakeExpectant);
    }

    fn is_over(&self) -> bool {
        self.0.is_closed()
    }
}

fn lost(cluster: &Cluster, object: &dyn Watched, what: &str) {
    tracing::error!(
        cluster = %cluster.name(),
        object = %ObjectKey::of_meta(object.metadata()),
        "the mapper of a watched kind {what}: nothing is woken by this change"
    );
}

fn priority(change: &Change<'_>) -> Priority {
    if change.initial {
        Priority::Initial
    } else {
        Priority::Change
    }
}

/// What came: a version, which may be older than the object, as what we wrote is known before it comes back; or
/// the end of the object, as [`Scope::delete`](crate::Scope::delete) writes it down.
fn cause(change: &Change<'_>) -> Option<Version> {
    let uid = |object: &Arc<dyn Watched>| object.metadata().uid.clone();
    match (change.before, change.after) {
        (Some(before), None) => Some((uid(before)?, DELETED.to_owned())),
        (_, after) => Some((uid(after?)?, change.version?.to_owned())),
    }
}
