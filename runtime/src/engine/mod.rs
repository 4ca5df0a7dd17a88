//! From a change to one reconcile: the queue, the workers, and a reconcile from start to finish.

mod absent;
mod conclude;
mod dispatch;
mod pace;
mod queue;
mod reconcile;
mod sight;
mod verdict;
mod wake;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::controller::{Declaration, ObjectKey};
use crate::fleet::{Cluster, ClusterName};
use crate::object::Desk;
use crate::watch::Source;

pub(crate) use dispatch::Engine;
pub(crate) use pace::Pace;
pub(crate) use reconcile::{Handled, Settings};
pub(crate) use wake::{Priority, Waker};

/// A controller as the engine sees it, without its types.
pub(crate) trait Handler: Send + Sync {
    /// Its name: field manager, and the name in the log.
    fn name(&self) -> &str;
    /// What it declares.
    fn declaration(&self) -> &'static Declaration;
    /// How much of it may run at once, and how soon again.
    fn pace(&self) -> Pace;
    /// Asks for the caches in `cluster` of which it needs more than the metadata. The manager is `alone`, without a
    /// provider, or not.
    fn open(&self, cluster: &Cluster, alone: bool);
    /// The objects that it is for in `cluster`.
    fn keys(&self, cluster: &Cluster) -> Vec<ObjectKey>;
    /// Watches in `cluster` what it is for, owns and watches, and in `host` what it watches there, and wakes
    /// keys through `waker`. Where it does not work it only looks for its children.
    fn watch(
        self: Arc<Self>,
        cluster: &Cluster,
        host: &Cluster,
        waker: Waker,
        desk: &Desk,
    ) -> Vec<Arc<dyn Source>>;
    /// Deletes what the objects of a cluster that is gone have marked in this one.
    fn clear(
        self: Arc<Self>,
        cluster: Cluster,
        desk: Desk,
        gone: ClusterName,
    ) -> BoxFuture<'static, ()>;
    /// Wakes in `cluster` the objects that have left the selection while nobody looked.
    fn find_left(
        self: Arc<Self>,
        cluster: Cluster,
        desk: Desk,
        waker: Waker,
    ) -> BoxFuture<'static, ()>;
    /// One reconcile of one object, from start to finish. `trouble` counts the API hiccups of this key
    /// in a row.
    fn reconcile(
        self: Arc<Self>,
        cluster: Cluster,
        desk: Desk,
        key: ObjectKey,
        trouble: u32,
    ) -> BoxFuture<'static, Outcome>;
}

/// How a reconcile ended, as far as the queue needs to know.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// When the key runs again by itself.
    pub(crate) again: Again,
    /// True when an API hiccup ended it.
    pub(crate) hiccup: bool,
    /// What it wrote: the changes that these writes cause wake nothing.
    pub(crate) written: Vec<Version>,
}

/// When a key runs again, if nothing wakes it before.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    #[default]
    Never,
    After(Duration),
    /// About then, behind what is news.
    Resync(Duration),
    /// After its backoff, which grows with each failure and is reset by a success.
    Backoff,
    /// After the delay that the error named; a failure like the others.
    FailedAfter(Duration),
    /// Not by itself; the failure still counts.
    FailedForGood,
}

/// One version of one object: its uid and its resourceVersion.
pub(crate) type Version = (String, String);
