//! What one watch feeds: a cache for each Rust type that somebody reads its kind into.

use std::any::{Any, TypeId};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::turns::Turns;
use super::{Cache, Kept, Source};
use crate::controller::ObjectKey;
use kube::Resource;
use kube::api::PartialObjectMeta;
use kube::core::DynamicObject;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// How an object is read of which only the metadata is wanted.
type Metadata = PartialObjectMeta<DynamicObject>;

/// A cache as its reflector sees it. Objects come as their texts, so that several can read one watch.
pub(super) trait Reader: Send + Sync {
    fn is_filled(&self) -> bool;
    /// Says whether the watch works now.
    fn set_current(&self, current: bool);
    /// A complete list begins to come in; an earlier one that has not come to its end counts for nothing.
    fn begin_list(&self);
    /// Takes in an object of the list; an error where it does not fit its type.
    fn list_item(&self, text: &str) -> serde_json::Result<()>;
    /// Takes in that the list is complete. What it lacked is gone, also where the watch was down when it
    /// went.
    fn end_list(&self);
    /// Takes in an object that the watch delivered; an error where it does not fit its type.
    fn put(&self, text: &str) -> serde_json::Result<()>;
    /// Takes in that the watch saw an object go.
    fn remove(&self, key: &ObjectKey);
    /// Takes in what one of our own writes returned, until the watch delivers this version or a newer one.
    fn overlay(&self, written: &Value);
    /// Takes in that an object does not fit its type: it is as if it were not there.
    fn leave_out(&self, key: &ObjectKey);
}

/// The caches that one watch fills.
pub(crate) struct Feed {
    caches: Mutex<Vec<Filled>>,
    /// A reflector begins again, with a list for all, when there is one more.
    turns: Turns,
    kept: Kept,
}

#[derive(Clone)]
struct Filled {
    read_as: TypeId,
    any: Arc<dyn Any + Send + Sync>,
    source: Arc<dyn Source>,
    reader: Arc<dyn Reader>,
}

impl Feed {
    pub(crate) fn new(kept: Kept) -> Self {
        Self {
            kept,
            caches: Mutex::default(),
            turns: Turns::default(),
        }
    }

    /// The cache that reads the kind as `K`, where there is one.
    pub(crate) fn find<K: Send + Sync + 'static>(&self) -> Option<Arc<Cache<K>>> {
        let caches = self.lock();
        let found = caches
            .iter()
            .find(|cache| cache.read_as == TypeId::of::<K>())?;
        Arc::clone(&found.any).downcast().ok()
    }

    /// The cache that reads the kind as `K`, which is filled from now on if there was none.
    pub(crate) fn join<K>(&self) -> Arc<Cache<K>>
    where
        K: Resource + DeserializeOwned + Send + Sync + 'static,
    {
        if let Some(found) = self.find() {
            return found;
        }
        let cache = Arc::new(Cache::<K>::new(self.kept));
        let mut caches = self.lock();
        caches.push(Filled {
            read_as: TypeId::of::<K>(),
            any: Arc::clone(&cache) as _,
            source: Arc::clone(&cache) as _,
            reader: Arc::clone(&cache) as _,
        });
        self.turns.next();
        cache
    }

    /// A cache for somebody who needs metadata only: one that has more will do.
    pub(crate) fn join_for_metadata(&self) -> Arc<dyn Source> {
        match self.any() {
            Some(source) => source,
            None => self.join::<Metadata>(),
        }
    }

    /// One of the caches, if there are any. All know the same of an object's metadata.
    pub(crate) fn any(&self) -> Option<Arc<dyn Source>> {
        Some(Arc::clone(&self.lock().first()?.source))
    }

    /// Shows what one of our own writes returned in all caches, until the watch has passed it.
    pub(crate) fn overlay(&self, written: &Value) {
        let (readers, _) = self.readers();
        for reader in readers {
            reader.overlay(written);
        }
    }

    /// Whether one of the caches has been filled.
    pub(crate) fn is_filled(&self) -> bool {
        self.lock().iter().any(|cache| cache.reader.is_filled())
    }

    /// All of the caches.
    pub(crate) fn sources(&self) -> Vec<Arc<dyn Source>> {
        let caches = self.lock();
        caches
            .iter()
            .map(|cache| Arc::clone(&cache.source))
            .collect()
    }

    /// Who is to be told now, and whether metadata is enough for all of them.
    pub(super) fn readers(&self) -> (Vec<Arc<dyn Reader>>, bool) {
        let caches = self.lock();
        let readers = caches.iter().map(|cache| Arc::clone(&cache.reader));
        let metadata_only = caches
            .iter()
            .all(|cache| cache.read_as == TypeId::of::<Metadata>());
        (readers.collect(), metadata_only)
    }

    /// Lets the reflector begin again: it is another server that it watches from now on.
    pub(crate) fn begin_again(&self) {
        self.turns.next();
    }

    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Filled>> {
        self.caches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
