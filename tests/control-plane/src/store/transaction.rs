//! Writes, and what they read.

use std::sync::Arc;

use serde_json::Value;

use super::{Bucket, Change, Changes, Inner, Kept, Key, Slot, Store, What};
use crate::object;

/// Reads and writes while nobody else writes. Check first, then write: nothing is rolled back.
pub(crate) struct Transaction<'a> {
    pub(super) store: &'a Store,
    pub(super) changes: Changes,
}

impl Transaction<'_> {
    pub(crate) fn get(&self, bucket: &Bucket, key: &Key) -> Option<Value> {
        self.store.get(bucket, key)
    }

    /// An object as it is kept.
    pub(crate) fn kept(&self, bucket: &Bucket, key: &Key) -> Option<Arc<Kept>> {
        self.store.kept(bucket, key)
    }

    /// All objects of a resource.
    pub(crate) fn all(&self, bucket: &Bucket) -> Vec<Value> {
        let all = self.kept_all(bucket);
        all.iter().map(|object| object.value()).collect()
    }

    /// All objects of a resource as they are kept.
    pub(crate) fn kept_all(&self, bucket: &Bucket) -> Vec<Arc<Kept>> {
        self.store.list(bucket, None).objects
    }

    /// Stores an object under a new revision, unless it is what is there already.
    pub(crate) fn put(&mut self, bucket: &Bucket, key: Key, mut object: Value) -> Value {
        let previous = self.kept(bucket, &key);
        if let Some(previous) = &previous {
            object::set_meta(
                &mut object,
                "resourceVersion",
                previous.revision.to_string(),
            );
            if previous.holds(&object) {
                return object;
            }
        }
        self.renew(bucket, key, object)
    }

    /// Stores an object under a new revision.
    pub(crate) fn renew(&mut self, bucket: &Bucket, key: Key, mut object: Value) -> Value {
        let previous = self.kept(bucket, &key);
        let kept = Arc::new(self.next(key, &mut object));
        let what = match previous {
            Some(_) => What::Modified,
            None => What::Added,
        };
        let owned_before = previous.as_deref().map(owners_of).unwrap_or_default();
        let mut inner = self.store.lock();
        inner.unlink(bucket, &kept.key, &owned_before);
        for owner in uids(&object) {
            let ids = inner.dependents.entry(owner.to_owned()).or_default();
            ids.insert((bucket.clone(), kept.key.clone()));
        }
        let table = inner.table(bucket);
        table.weight += kept.text().len();
        table.weight -= previous.as_ref().map_or(0, |before| before.text().len());
        table.objects.replace(Slot(Arc::clone(&kept)));
        let change = inner.tell(bucket, what, kept, previous);
        drop(inner);
        self.changes.push((bucket.clone(), change));
        object
    }

    /// Removes an object; its last state gets the revision of its removal.
    pub(crate) fn remove(&mut self, bucket: &Bucket, key: &Key) -> Option<Value> {
        let previous = self.kept(bucket, key)?;
        let mut object = previous.value();
        let last = Arc::new(self.next(key.clone(), &mut object));
        let owned_before = owners_of(&previous);
        let mut inner = self.store.lock();
        inner.unlink(bucket, key, &owned_before);
        let table = inner.table(bucket);
        table.weight -= previous.text().len();
        table.objects.remove(key);
        let change = inner.tell(bucket, What::Deleted, last, Some(previous));
        drop(inner);
        self.changes.push((bucket.clone(), change));
        Some(object)
    }

    /// The object under the next revision, which nobody else takes.
    fn next(&self, key: Key, object: &mut Value) -> Kept {
        let revision = self.store.revision() + 1;
        object::set_meta(object, "resourceVersion", revision.to_string());
        Kept::new(key, revision, object)
    }
}

impl Inner {
    fn tell(
        &mut self,
        bucket: &Bucket,
        what: What,
        object: Arc<Kept>,
        previous: Option<Arc<Kept>>,
    ) -> Arc<Change> {
        // It was looked at when the transaction began.
        let expired = self.age.known();
        self.revision = object.revision;
        let change = Arc::new(Change {
            what,
            object,
            previous,
        });
        self.table(bucket)
            .history
            .push(Arc::clone(&change), expired);
        change
    }

    fn unlink(&mut self, bucket: &Bucket, key: &Key, owners: &[String]) {
        for owner in owners {
            if let Some(ids) = self.dependents.get_mut(owner) {
                ids.remove(&(bucket.clone(), key.clone()));
                if ids.is_empty() {
                    self.dependents.remove(owner);
                }
            }
        }
    }
}

/// The uids of its owners.
fn owners_of(kept: &Kept) -> Vec<String> {
    match kept.has_owners {
        true => uids(&kept.value()).map(str::to_owned).collect(),
        false => Vec::new(),
    }
}

fn uids(object: &Value) -> impl Iterator<Item = &str> {
    object::owners(object).filter_map(|owner| owner.get("uid")?.as_str())
}
