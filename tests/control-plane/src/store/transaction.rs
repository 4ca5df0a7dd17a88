//! Writes, and what they read.

use std::sync::Arc;

use serde_json::Value;

use super::{Bucket, Change, Changes, Inner, Kept, Key, Slot, Table, What};
use crate::object;

/// Reads and writes under the store's lock. Check first, then write: nothing is rolled back.
pub(crate) struct Transaction<'a> {
    pub(super) inner: &'a mut Inner,
    pub(super) changes: Changes,
}

impl Transaction<'_> {
    pub(crate) fn get(&self, bucket: &Bucket, key: &Key) -> Option<Value> {
        Some(self.kept(bucket, key)?.value())
    }

    /// An object as it is kept.
    pub(crate) fn kept(&self, bucket: &Bucket, key: &Key) -> Option<&Kept> {
        self.inner.get(bucket, key).map(Arc::as_ref)
    }

    /// All objects of a resource.
    pub(crate) fn all(&self, bucket: &Bucket) -> Vec<Value> {
        let table = self.inner.tables.get(bucket);
        table
            .into_iter()
            .flat_map(|table| table.objects.iter().map(|slot| slot.0.value()))
            .collect()
    }

    /// Who asked last for what can be had once; whether it still has it is for the caller to see.
    pub(crate) fn claimant(&self, claimed: &str) -> Option<&Key> {
        self.inner.claims.get(claimed)
    }

    pub(crate) fn claim(&mut self, claimed: &str, key: Key) {
        self.inner.claims.insert(claimed.to_owned(), key);
    }

    /// Stores an object under a new revision, unless it is what is there already.
    pub(crate) fn put(&mut self, bucket: &Bucket, key: Key, mut object: Value) -> Value {
        let previous = self.inner.get(bucket, &key).cloned();
        if let Some(previous) = &previous {
            let same = state(key.clone(), previous.revision, &mut object);
            if same.equals(previous) {
                return object;
            }
            self.unlink(bucket, previous);
        }
        self.inner.revision += 1;
        let kept = Arc::new(state(key, self.inner.revision, &mut object));
        for owner in object::owners(&object).filter_map(|owner| owner.get("uid")?.as_str()) {
            let ids = self.inner.dependents.entry(owner.to_owned()).or_default();
            ids.insert((bucket.clone(), kept.key.clone()));
        }
        let what = match previous {
            Some(_) => What::Modified,
            None => What::Added,
        };
        let objects = &mut self.table(bucket).objects;
        objects.replace(Slot(kept.clone()));
        self.tell(bucket, what, kept, previous);
        object
    }

    /// Removes an object; its last state gets the revision of its removal.
    pub(crate) fn remove(&mut self, bucket: &Bucket, key: &Key) -> Option<Value> {
        let Slot(previous) = self.table(bucket).objects.take(key)?;
        self.unlink(bucket, &previous);
        self.inner.revision += 1;
        let mut object = previous.value();
        let last = state(key.clone(), self.inner.revision, &mut object);
        self.tell(bucket, What::Deleted, Arc::new(last), Some(previous));
        Some(object)
    }

    fn tell(
        &mut self,
        bucket: &Bucket,
        what: What,
        object: Arc<Kept>,
        previous: Option<Arc<Kept>>,
    ) {
        let change = Arc::new(Change {
            what,
            object,
            previous,
        });
        self.table(bucket).history.push(change.clone());
        self.changes.push((bucket.clone(), change));
    }

    fn table(&mut self, bucket: &Bucket) -> &mut Table {
        let compacted = self.inner.compacted;
        self.inner
            .tables
            .entry(bucket.clone())
            .or_insert_with(|| Table::new(compacted))
    }

    fn unlink(&mut self, bucket: &Bucket, kept: &Kept) {
        if !kept.has_owners {
            return;
        }
        let object = kept.value();
        for owner in object::owners(&object).filter_map(|owner| owner.get("uid")?.as_str()) {
            if let Some(ids) = self.inner.dependents.get_mut(owner) {
                ids.remove(&(bucket.clone(), kept.key.clone()));
                if ids.is_empty() {
                    self.inner.dependents.remove(owner);
                }
            }
        }
    }
}

/// The object under a revision.
fn state(key: Key, revision: u64, object: &mut Value) -> Kept {
    object::set_meta(object, "resourceVersion", revision.to_string());
    Kept::new(key, revision, object)
}
