//! What one watch feeds: a cache for each Rust type that somebody reads its kind into.

use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::turns::Turns;
use super::{AnyObject, Briefs, Cache, Kept, Read, Source, Subject};
use crate::controller::ObjectKey;
use kube::Resource;
use kube::api::PartialObjectMeta;
use kube::core::DynamicObject;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// How an object is read of which only the metadata is wanted.
type Metadata = PartialObjectMeta<DynamicObject>;

/// A cache as its reflector sees it. Objects come as their texts, so that several can read one watch.
pub(super) trait Reader: Source {
    fn is_filled(&self) -> bool;
    /// Whether it knows all of the metadata.
    fn has_metadata(&self) -> bool;
    /// Says whether the watch works now.
    fn set_current(&self, current: bool);
    /// A complete list begins to come in; an earlier one that has not come to its end counts for nothing.
    fn begin_list(&self);
    /// Takes in an object of the list; an error where it does not fit its type.
    fn list_item(&self, text: &str) -> serde_json::Result<()>;
    /// Takes in that the list of this version is complete. What it lacked is gone, also where the watch was down when it
    /// went.
    fn end_list(&self, version: &str);
    /// Takes in an object that the watch delivered; an error where it does not fit its type.
    fn put(&self, text: &str) -> serde_json::Result<()>;
    /// Takes in that the watch saw an object go.
    fn remove(&self, key: &ObjectKey);
    /// Takes in that everything up to this version has been delivered.
    fn passed(&self, version: &str);
    /// Takes in what one of our own writes returned, until the watch delivers this version or a newer one. If it
    /// `is_selected` the watch will deliver it, else that is not known.
    fn overlay(&self, written: &Value, is_selected: bool);
    /// Takes in that one of our own writes has deleted the object with this uid, until the watch says so.
    fn end(&self, key: &ObjectKey, uid: &str);
    /// Takes in that an object does not fit its type: it is as if it were not there, or as it was when it did.
    fn leave_out(&self, key: &ObjectKey);
}

/// The caches that one watch fills.
pub(crate) struct Feed {
    subject: Arc<Subject>,
    caches: Mutex<Vec<Arc<dyn Reader>>>,
    /// A reflector begins again, with a list for all, when there is one more.
    turns: Turns,
    /// The caches are of another line than the one that is listed next. It is here as a watch's task has no room for it.
    has_moved: AtomicBool,
    kept: Kept,
}

impl Feed {
    pub(crate) fn new(subject: Arc<Subject>, kept: Kept) -> Self {
        Self {
            subject,
            kept,
            // There is one, almost always.
            caches: Mutex::new(Vec::with_capacity(1)),
            turns: Turns::default(),
            has_moved: AtomicBool::new(false),
        }
    }

    pub(super) fn has_moved(&self) -> bool {
        self.has_moved.load(Ordering::Relaxed)
    }

    pub(super) fn set_moved(&self, has_moved: bool) {
        self.has_moved.store(has_moved, Ordering::Relaxed);
    }

    pub(crate) fn subject(&self) -> &Arc<Subject> {
        &self.subject
    }

    /// The cache that reads the kind as `K`, where there is one.
    pub(crate) fn find<K: Send + Sync + 'static>(&self) -> Option<Arc<Cache<K>>> {
        let caches = self.lock();
        let found = caches.iter().find(|cache| reads_as::<K>(&***cache))?;
        (Arc::clone(found) as Arc<AnyObject>).downcast().ok()
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
        self.lock().push(Arc::clone(&cache) as _);
        self.turns.next();
        cache
    }

    /// What keeps of each object what `read` makes of it, from now on.
    pub(crate) fn join_briefly<B>(&self, read: Read<B>) -> Arc<Briefs<B>>
    where
        B: Clone + Send + Sync + 'static,
    {
        let briefs = Arc::new(Briefs::new(read));
        self.lock().push(Arc::clone(&briefs) as _);
        self.turns.next();
        briefs
    }

    /// A cache for somebody who needs metadata only: one that has more will do.
    pub(crate) fn join_for_metadata(&self) -> Arc<dyn Source> {
        match self.any() {
            Some(source) => source,
            None => self.join::<Metadata>(),
        }
    }

    /// One of the caches that know of the metadata, if there are any. All of them know the same.
    pub(crate) fn any(&self) -> Option<Arc<dyn Source>> {
        let caches = self.lock();
        let found = caches.iter().find(|cache| cache.has_metadata())?;
        Some(Arc::clone(found) as _)
    }

    /// Shows what one of our own writes returned in all caches, until the watch has passed it. It may be that it is not
    /// selected here, unless it `is_selected` for sure.
    pub(crate) fn overlay(&self, written: &Value, is_selected: bool) {
        for reader in self.readers() {
            reader.overlay(written, is_selected);
        }
    }

    /// Shows in all caches that one of our own writes has deleted an object, until the watch says so.
    pub(crate) fn end(&self, key: &ObjectKey, uid: &str) {
        for reader in self.readers() {
            reader.end(key, uid);
        }
    }

    /// Whether one of the caches has been filled.
    pub(crate) fn is_filled(&self) -> bool {
        self.lock().iter().any(|cache| cache.is_filled())
    }

    /// All of the caches.
    pub(crate) fn sources(&self) -> Vec<Arc<dyn Source>> {
        let caches = self.lock();
        let sources = caches.iter().map(|cache| Arc::clone(cache) as _);
        sources.collect()
    }

    /// Who is to be told now.
    pub(super) fn readers(&self) -> Box<[Arc<dyn Reader>]> {
        self.lock().as_slice().into()
    }

    /// Lets the reflector begin again: it is another server that it watches from now on.
    pub(crate) fn begin_again(&self) {
        self.turns.next();
    }

    /// Ends the reflector.
    pub(crate) fn close(&self) {
        self.turns.end();
    }

    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<dyn Reader>>> {
        self.caches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether metadata is enough for a cache.
pub(super) fn reads_metadata_only(cache: &dyn Reader) -> bool {
    reads_as::<Metadata>(cache)
}

fn reads_as<K: 'static>(cache: &dyn Reader) -> bool {
    (cache as &dyn Any).is::<Cache<K>>()
}
