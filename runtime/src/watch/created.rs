//! What we have created in a cluster before its watch delivers it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::Instant;

use super::cache::BELIEVED;
use super::significance::number;
use crate::controller::ObjectKey;

/// Objects that a write of ours returned and that no watch has delivered, each until the watch has passed its version:
/// then it has been delivered, is gone again, or is not selected.
pub(super) struct Created<K> {
    objects: BTreeMap<ObjectKey, New<K>>,
}

struct New<K> {
    object: Arc<K>,
    version: u64,
    /// Whether it is known that the watch is to deliver it.
    is_selected: bool,
    since: Instant,
}

impl<K> Default for Created<K> {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
        }
    }
}

impl<K> New<K> {
    fn is_in_doubt(&self, now: Instant) -> bool {
        now.duration_since(self.since) >= BELIEVED
    }
}

impl<K: kube::Resource> Created<K> {
    /// Adds what a write returned.
    pub(super) fn add(&mut self, key: ObjectKey, object: Arc<K>, is_selected: bool) {
        if let Some(version) = number(object.meta().resource_version.as_deref()) {
            let new = New {
                object,
                version,
                is_selected,
                since: Instant::now(),
            };
            self.objects.insert(key, new);
        }
    }

    /// Takes out an object of which the watch has delivered some version: as we wrote it, and since when that has been
    /// waited for.
    pub(super) fn take(&mut self, key: &ObjectKey, delivered: &K) -> Option<(Arc<K>, Instant)> {
        // Of another one that had its name before, the watch may have more to tell.
        let is_it = |new: &New<K>| new.object.meta().uid == delivered.meta().uid;
        if !self.objects.get(key).is_some_and(is_it) {
            return None;
        }
        let new = self.objects.remove(key)?;
        Some((new.object, new.since))
    }

    /// It was deleted by us.
    pub(super) fn end(&mut self, key: &ObjectKey, uid: &str) {
        let is_it = |new: &New<K>| new.object.meta().uid.as_deref() == Some(uid);
        if self.objects.get(key).is_some_and(is_it) {
            self.objects.remove(key);
        }
    }
}

impl<K> Created<K> {
    pub(super) fn get(&self, key: &ObjectKey) -> Option<&Arc<K>> {
        let new = self.objects.get(key).filter(|new| new.is_selected)?;
        Some(&new.object)
    }

    /// These objects, and in their places and besides them what is `meant` of those that are new.
    pub(super) fn among<'a>(
        &'a self,
        delivered: impl Iterator<Item = (&'a ObjectKey, &'a Arc<K>)>,
        meant: impl Fn(&K) -> bool,
    ) -> Vec<Arc<K>> {
        if self.objects.is_empty() {
            return delivered.map(|(_, object)| Arc::clone(object)).collect();
        }
        let mut all: BTreeMap<&ObjectKey, &Arc<K>> = delivered.collect();
        for (key, new) in self.objects.iter().filter(|(_, new)| new.is_selected) {
            match meant(&new.object) {
                true => all.insert(key, &new.object),
                false => all.remove(key),
            };
        }
        all.into_values().map(Arc::clone).collect()
    }

    /// What is `meant` of those of which it is not known whether the watch is to deliver them.
    pub(super) fn unselected(&self, meant: impl Fn(&K) -> bool) -> Vec<Arc<K>> {
        let new = self.objects.values();
        let new = new.filter(|new| !new.is_selected && meant(&new.object));
        new.map(|new| Arc::clone(&new.object)).collect()
    }

    pub(super) fn is_in_doubt(&self, key: &ObjectKey, now: Instant) -> bool {
        let new = self.objects.get(key);
        new.is_some_and(|new| new.is_in_doubt(now))
    }

    /// The watch has come to this version.
    pub(super) fn passed(&mut self, version: u64) {
        if !self.objects.is_empty() {
            self.objects.retain(|_, new| new.version > version);
        }
    }

    /// A list has come to its end that may be of a server which was set back to an earlier state: what nobody has
    /// delivered for long is believed no more.
    pub(super) fn drop_doubtful(&mut self) {
        let now = Instant::now();
        self.objects.retain(|_, new| !new.is_in_doubt(now));
    }
}
