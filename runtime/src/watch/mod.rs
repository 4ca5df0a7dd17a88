//! List and watch: one feed for each (cluster, kind, selector), which fills the caches of all who read it,
//! and what is told of every change.

mod brief;
mod cache;
mod created;
mod feed;
mod ground;
mod index;
mod kept;
mod latch;
mod listing;
mod lookup;
mod reflector;
mod seen;
mod significance;
mod skim;
mod subject;
mod turns;
mod usual;
mod wire;

use std::any::Any;
use std::sync::Arc;

use futures::future::BoxFuture;
use kube::api::ObjectMeta;

pub(crate) use brief::{Briefs, Read};
pub(crate) use cache::Cache;
pub(crate) use feed::Feed;
pub(crate) use ground::{Common, Ground, Verb};
pub(crate) use kept::Kept;
pub(crate) use latch::Latch;
pub(crate) use listing::Lists;
pub use lookup::{IntoValues, Lookup, values};
pub(crate) use reflector::Reflector;
pub(crate) use significance::Fingerprint;
pub use significance::On;
pub(crate) use subject::{Selector, Subject};

use crate::controller::ObjectKey;

/// An object of any kind.
#[allow(
    unreachable_pub,
    missing_docs,
    reason = "public for the expansion alone, through `__private`"
)]
pub type AnyObject = dyn Any + Send + Sync;

/// An object that lies in a cache.
pub(crate) trait Watched: Any + Send + Sync {
    fn metadata(&self) -> &ObjectMeta;
    fn as_any(&self) -> &AnyObject;
}

impl<K: kube::Resource + Any + Send + Sync> Watched for K {
    fn metadata(&self) -> &ObjectMeta {
        self.meta()
    }

    fn as_any(&self) -> &AnyObject {
        self
    }
}

/// One change of one object, as the watch delivers it.
pub(crate) struct Change<'a> {
    /// The object before, `None` when it is new to us.
    pub(crate) before: Option<&'a Arc<dyn Watched>>,
    /// The object now, `None` when it is gone.
    pub(crate) after: Option<&'a Arc<dyn Watched>>,
    /// The resourceVersion that came, unless it came with a new list and so stands for more than one
    /// write. It is older than that of `after` where a newer write of ours is known already.
    pub(crate) version: Option<&'a str>,
    /// What of the object is not as it was.
    pub(crate) changed: On,
    /// True for what was already there when the watch began.
    pub(crate) initial: bool,
}

impl Change<'_> {
    /// Whether the object before was another one, of the same name.
    pub(crate) fn is_another(&self) -> bool {
        match (self.before, self.after) {
            (Some(before), Some(after)) => before.metadata().uid != after.metadata().uid,
            _ => false,
        }
    }
}

/// Who is told of changes. Called in order and with the cache locked: it must not look into the
/// cache, and must not wait.
pub(crate) trait Observer: Send + Sync {
    fn changed(&self, change: &Change<'_>);
    /// A new list has been taken in and told: what happened between it and what was known before was
    /// never delivered, and it cannot be told which of it was ours.
    fn relisted(&self) {}
    /// Whether it has no more use for what it is told: what is watched in one cluster may be observed for another,
    /// which ends sooner.
    fn is_over(&self) -> bool {
        false
    }
}

/// A cache whose kind does not matter.
pub(crate) trait Source: Any + Send + Sync {
    /// Tells `observer` of everything that is there now, as initial, and of every change from then on.
    fn observe(&self, observer: Arc<dyn Observer>);
    /// Resolves once the cache has been filled for the first time.
    fn synced(&self) -> BoxFuture<'_, ()>;
    /// The object with this key.
    fn look(&self, key: &ObjectKey) -> Option<Arc<dyn Watched>>;
    /// The objects that name this uid among their owners.
    fn owned_by(&self, uid: &str) -> Vec<Arc<dyn Watched>>;
    /// Whether the cache can be believed: it has been filled, and its watch is not in trouble.
    fn is_current(&self) -> bool;
    /// Whether what we wrote of an object has not come back for so long that only the server can tell what is there.
    fn is_in_doubt(&self, key: &ObjectKey) -> bool;
    /// Whether an object is left out for not fitting its type.
    fn leaves_out(&self, key: &ObjectKey) -> bool;
}
