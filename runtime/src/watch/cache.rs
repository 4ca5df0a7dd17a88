//! The objects of one kind in one cluster.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use kube::Resource;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::feed::Reader;
use super::index::{Index, Indexed};
use super::latch::Latch;
use super::significance::{Fingerprint, is_newer};
use super::{Change, Kept, Lookup, Observer, On, Source, Watched};
use crate::controller::ObjectKey;

/// What the watch has delivered, overlaid with what our own writes returned until the watch has
/// passed it.
pub(crate) struct Cache<K> {
    state: Mutex<State<K>>,
    /// Whether it has been filled once.
    filled: Latch,
    /// Whether the watch works now.
    current: AtomicBool,
    kept: Kept,
}

struct State<K> {
    objects: BTreeMap<ObjectKey, Entry<K>>,
    /// What is there and does not fit its type.
    misfits: BTreeSet<ObjectKey>,
    observers: Vec<Arc<dyn Observer>>,
    /// With how many observers it is looked for those that are over.
    enough: usize,
    /// Those that somebody has asked.
    indexes: Vec<Indexed<K>>,
    /// The list that is coming in, or came in last.
    list: u32,
}

struct Entry<K> {
    object: Arc<K>,
    /// What the watch delivered last. Changes are told against this and not against `object`: a write
    /// of ours may have returned a user's change that the watch has yet to deliver.
    seen_version: Option<String>,
    seen_fingerprint: Fingerprint,
    /// The last list that had it, or after which it came.
    list: u32,
}

/// So many observers are never looked through.
const FEW: usize = 8;

/// How an object came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Delivery {
    FirstList,
    /// A list in place of the events that nobody can deliver any more.
    NewList,
    Event,
}

impl<K> Cache<K> {
    pub(super) fn new(kept: Kept) -> Self {
        Self {
            kept,
            state: Mutex::new(State {
                objects: BTreeMap::new(),
                misfits: BTreeSet::new(),
                // There is one, almost always.
                observers: Vec::with_capacity(1),
                enough: FEW,
                indexes: Vec::new(),
                list: 0,
            }),
            filled: Latch::default(),
            current: AtomicBool::new(false),
        }
    }
}

impl<K: Resource + Send + Sync + 'static> Cache<K> {
    /// The object as it is kept here.
    pub(crate) fn keep(&self, object: K) -> Arc<K> {
        Arc::new(self.kept.of(object))
    }

    pub(crate) fn get(&self, key: &ObjectKey) -> Option<Arc<K>> {
        self.lock()
            .objects
            .get(key)
            .map(|entry| Arc::clone(&entry.object))
    }

    pub(crate) fn list(&self) -> Vec<Arc<K>> {
        self.lock()
            .objects
            .values()
            .map(|entry| Arc::clone(&entry.object))
            .collect()
    }

    /// The objects that a lookup finds, by name.
    pub(crate) fn find(&self, lookup: &Lookup<K>) -> Vec<Arc<K>> {
        let Some((index, value)) = lookup.index() else {
            let mut objects = self.list();
            objects.retain(|object| lookup.has(object));
            return objects;
        };
        let mut state = self.lock();
        state.index(index);
        let State {
            objects, indexes, ..
        } = &*state;
        let indexed = indexes.iter().find(|indexed| indexed.is(index));
        let keys = indexed.into_iter().flat_map(|indexed| indexed.keys(value));
        keys.filter_map(|key| Some(Arc::clone(&objects.get(key)?.object)))
            .collect()
    }

    /// Takes in what one of our own writes returned, until the watch delivers this version or a newer one.
    pub(crate) fn overlay(&self, written: Arc<K>) {
        let key = ObjectKey::of(&*written);
        let State {
            objects, indexes, ..
        } = &mut *self.lock();
        if let Some(entry) = objects.get_mut(&key)
            && entry.object.meta().uid == written.meta().uid
            && is_newer(version(&*written), version(&*entry.object))
        {
            for indexed in indexes {
                indexed.remove(&key, &entry.object);
                indexed.add(&key, &written);
            }
            entry.object = written;
        }
    }

    /// Takes in that a finalizer of `released` was removed by us, before the watch delivers that: what
    /// wakes the key meanwhile is not to clean up again.
    pub(crate) fn release(&self, released: &K, finalizer: &str)
    where
        K: Clone,
    {
        let key = ObjectKey::of(released);
        let State {
            objects, indexes, ..
        } = &mut *self.lock();
        if let Some(entry) = objects.get_mut(&key)
            && entry.object.meta().uid == released.meta().uid
        {
            for indexed in &mut *indexes {
                indexed.remove(&key, &entry.object);
            }
            let object = Arc::make_mut(&mut entry.object);
            if let Some(finalizers) = &mut object.meta_mut().finalizers {
                finalizers.retain(|other| other != finalizer);
            }
            for indexed in indexes {
                indexed.add(&key, object);
            }
        }
    }

    /// No observer can leave the state broken by panicking: each change is complete before it is told.
    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Reader for Cache<K>
where
    K: Resource + DeserializeOwned + Send + Sync + 'static,
{
    fn is_filled(&self) -> bool {
        self.filled.has_happened()
    }

    fn set_current(&self, current: bool) {
        self.current.store(current, Ordering::Relaxed);
    }

    fn begin_list(&self) {
        let mut state = self.lock();
        state.list = state.list.wrapping_add(1);
        state.misfits.clear();
    }

    fn list_item(&self, text: &str) -> serde_json::Result<()> {
        let delivery = match self.is_filled() {
            false => Delivery::FirstList,
            true => Delivery::NewList,
        };
        let object = self.kept.of(serde_json::from_str(text)?);
        self.lock().put(object, delivery);
        Ok(())
    }

    fn end_list(&self) {
        let mut state = self.lock();
        let list = state.list;
        let absent = state.objects.iter().filter(|(_, entry)| entry.list != list);
        let gone: Vec<ObjectKey> = absent.map(|(key, _)| key.clone()).collect();
        for key in gone {
            state.remove(&key);
        }
        if self.is_filled() {
            for observer in &state.observers {
                observer.relisted();
            }
        }
        drop(state);
        self.set_current(true);
        self.filled.happens();
    }

    fn put(&self, text: &str) -> serde_json::Result<()> {
        let object = self.kept.of(serde_json::from_str(text)?);
        self.lock().put(object, Delivery::Event);
        Ok(())
    }

    fn remove(&self, key: &ObjectKey) {
        let mut state = self.lock();
        state.misfits.remove(key);
        state.remove(key);
    }

    fn overlay(&self, written: &Value) {
        // What does not fit its type is as if it were not there.
        if let Ok(written) = K::deserialize(written) {
            Self::overlay(self, Arc::new(self.kept.of(written)));
        }
    }

    fn leave_out(&self, key: &ObjectKey) {
        let mut state = self.lock();
        state.remove(key);
        state.misfits.insert(key.clone());
    }
}

impl<K: Resource + Send + Sync + 'static> State<K> {
    fn put(&mut self, object: K, delivery: Delivery) {
        let key = ObjectKey::of(&object);
        self.misfits.remove(&key);
        let seen_version = object.meta().resource_version.clone();
        let seen_fingerprint = Fingerprint::of(object.meta());
        let list = self.list;
        let mut before = self.objects.get_mut(&key);
        if let Some(before) = &mut before {
            before.list = list;
        }
        let changed = match &before {
            // A relist, or the watch repeating itself.
            Some(before) if before.seen_version == seen_version => return,
            Some(before) => before.seen_fingerprint.changed(&seen_fingerprint),
            None => On::ANY_CHANGE,
        };
        let newest = match before {
            Some(before)
                if before.object.meta().uid == object.meta().uid
                    && is_newer(version(&*before.object), seen_version.as_deref()) =>
            {
                Arc::clone(&before.object)
            }
            _ => Arc::new(object),
        };
        let entry = Entry {
            object: Arc::clone(&newest),
            seen_version: seen_version.clone(),
            seen_fingerprint,
            list,
        };
        let before = self.objects.insert(key.clone(), entry);
        for indexed in &mut self.indexes {
            if let Some(before) = &before {
                indexed.remove(&key, &before.object);
            }
            indexed.add(&key, &newest);
        }
        let before = before.map(|before| before.object as Arc<dyn Watched>);
        let after = newest as Arc<dyn Watched>;
        self.tell(&Change {
            before: before.as_ref(),
            after: Some(&after),
            version: match delivery {
                Delivery::NewList => None,
                Delivery::FirstList | Delivery::Event => seen_version.as_deref(),
            },
            changed,
            initial: delivery == Delivery::FirstList,
        });
    }

    fn remove(&mut self, key: &ObjectKey) {
        if let Some(entry) = self.objects.remove(key) {
            for indexed in &mut self.indexes {
                indexed.remove(key, &entry.object);
            }
            let before = entry.object as Arc<dyn Watched>;
            self.tell(&Change {
                before: Some(&before),
                after: None,
                version: None,
                changed: On::ANY_CHANGE,
                initial: false,
            });
        }
    }

    /// Keeps this index from now on.
    fn index(&mut self, index: &Index<K>) {
        if self.indexes.iter().any(|indexed| indexed.is(index)) {
            return;
        }
        let mut indexed = Indexed::new(*index);
        for (key, entry) in &self.objects {
            indexed.add(key, &entry.object);
        }
        self.indexes.push(indexed);
    }

    fn tell(&self, change: &Change<'_>) {
        for observer in &self.observers {
            observer.changed(change);
        }
    }
}

fn version<K: Resource>(object: &K) -> Option<&str> {
    object.meta().resource_version.as_deref()
}

impl<K: Resource + Send + Sync + 'static> Source for Cache<K> {
    fn observe(&self, observer: Arc<dyn Observer>) {
        let mut state = self.lock();
        for entry in state.objects.values() {
            let after = Arc::clone(&entry.object) as Arc<dyn Watched>;
            observer.changed(&Change {
                before: None,
                after: Some(&after),
                version: entry.seen_version.as_deref(),
                changed: On::ANY_CHANGE,
                initial: true,
            });
        }
        // Those that are over go when there are as many again, so that adding one costs the same on average.
        if state.observers.len() >= state.enough {
            state.observers.retain(|observer| !observer.is_over());
            state.enough = 2 * state.observers.len().max(FEW);
        }
        state.observers.push(observer);
    }

    fn synced(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.filled.wait())
    }

    fn look(&self, key: &ObjectKey) -> Option<Arc<dyn Watched>> {
        self.get(key).map(|object| object as Arc<dyn Watched>)
    }

    fn owned_by(&self, uid: &str) -> Vec<Arc<dyn Watched>> {
        let owned = self.find(&Lookup::owned_by_uid(uid));
        let any = |object| object as Arc<dyn Watched>;
        owned.into_iter().map(any).collect()
    }

    fn is_current(&self) -> bool {
        self.current.load(Ordering::Relaxed)
    }

    fn leaves_out(&self, key: &ObjectKey) -> bool {
        self.lock().misfits.contains(key)
    }
}
