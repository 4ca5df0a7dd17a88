//! The objects of one kind in one cluster.

mod state;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use kube::Resource;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use self::state::{Delivery, Entry, FEW, State, version_of};
use super::feed::Reader;
use super::latch::Latch;
use super::significance::{is_newer, number};
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

/// For how long it is believed that what we wrote is what is there, while no watch says so.
pub(super) const BELIEVED: Duration = Duration::from_secs(5);

impl<K> Cache<K> {
    pub(super) fn new(kept: Kept) -> Self {
        Self {
            kept,
            state: Mutex::new(State::new()),
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
        let state = self.lock();
        let delivered = || state.objects.get(key).and_then(Entry::there);
        state.created.get(key).or_else(delivered).map(Arc::clone)
    }

    pub(crate) fn list(&self) -> Vec<Arc<K>> {
        let state = self.lock();
        let delivered = state.objects.iter();
        let delivered = delivered.filter_map(|(key, entry)| Some((key, entry.there()?)));
        state.created.among(delivered, |_| true)
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
            objects,
            indexes,
            created,
            ..
        } = &*state;
        let indexed = indexes.iter().find(|indexed| indexed.is(index));
        let keys = indexed.into_iter().flat_map(|indexed| indexed.keys(value));
        let found = keys.filter_map(|key| Some((key, objects.get(key)?.there()?)));
        created.among(found, |object| lookup.has(object))
    }

    /// Takes in what one of our own writes returned, until the watch delivers this version or a newer one. What it
    /// has yet to deliver at all counts as one of the objects if it `is_selected` for sure.
    pub(crate) fn overlay(&self, written: Arc<K>, is_selected: bool) {
        let key = ObjectKey::of(&*written);
        let now = Instant::now();
        let State {
            objects,
            indexes,
            created,
            passed,
            ..
        } = &mut *self.lock();
        match objects.get_mut(&key) {
            Some(entry) if entry.object.meta().uid == written.meta().uid => {
                let is_news = is_newer(version_of(&*written), version_of(&*entry.object));
                // What is in doubt may be of a time that a server which was set back has never seen.
                if is_news || entry.is_in_doubt(now) {
                    for indexed in indexes {
                        indexed.remove(&key, &entry.object);
                        indexed.add(&key, &written);
                    }
                    let ours = entry.ours();
                    (ours.written, ours.ended) = (Some(now), false);
                    entry.object = written;
                }
            }
            // Else it has been delivered, and is gone again or not selected. Before the first list nobody reads.
            _ if passed.is_some_and(|passed| number(version_of(&*written)) > Some(passed)) => {
                created.add(key, written, is_selected);
            }
            _ => {}
        }
    }

    /// Whether what we wrote has not come back for so long that only the server can tell what is there.
    pub(crate) fn is_in_doubt(&self, key: &ObjectKey) -> bool {
        let state = self.lock();
        let now = Instant::now();
        let entry = state.objects.get(key);
        state.created.is_in_doubt(key, now) || entry.is_some_and(|entry| entry.is_in_doubt(now))
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

    fn has_metadata(&self) -> bool {
        true
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
        let object = self.kept.of(serde_json::from_str(&self.kept.text(text))?);
        self.lock().put(object, delivery);
        Ok(())
    }

    fn end_list(&self, version: &str) {
        let mut state = self.lock();
        let list = state.list;
        state.list_ended(number(Some(version)));
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
        let object = self.kept.of(serde_json::from_str(&self.kept.text(text))?);
        self.lock().put(object, Delivery::Event);
        Ok(())
    }

    fn remove(&self, key: &ObjectKey) {
        let mut state = self.lock();
        state.misfits.remove(key);
        state.remove(key);
    }

    fn passed(&self, version: &str) {
        if let Some(version) = number(Some(version)) {
            let mut state = self.lock();
            state.passed = Some(version);
            state.created.passed(version);
        }
    }

    fn end(&self, key: &ObjectKey, uid: &str) {
        let mut state = self.lock();
        state.created.end(key, uid);
        if let Some(entry) = state.objects.get_mut(key)
            && entry.object.meta().uid.as_deref() == Some(uid)
        {
            let ours = entry.ours();
            (ours.ended, ours.written) = (true, Some(Instant::now()));
        }
    }

    fn overlay(&self, written: &Value, is_selected: bool) {
        // What does not fit its type is as if it were not there.
        if let Ok(written) = K::deserialize(written) {
            Self::overlay(self, Arc::new(self.kept.of(written)), is_selected);
        }
    }

    fn leave_out(&self, key: &ObjectKey) {
        let mut state = self.lock();
        state.remove(key);
        state.misfits.insert(key.clone());
    }
}

impl<K: Resource + Send + Sync + 'static> Source for Cache<K> {
    fn observe(&self, observer: Arc<dyn Observer>) {
        let mut state = self.lock();
        for entry in state.objects.values() {
            let after = Arc::clone(&entry.object) as Arc<dyn Watched>;
            observer.changed(&Change {
                before: None,
                after: Some(&after),
                version: entry.seen_version(),
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
        let lookup = Lookup::owned_by_uid(uid);
        let mut owned = self.find(&lookup);
        owned.extend(self.lock().created.unselected(|object| lookup.has(object)));
        let any = |object| object as Arc<dyn Watched>;
        owned.into_iter().map(any).collect()
    }

    fn is_in_doubt(&self, key: &ObjectKey) -> bool {
        Self::is_in_doubt(self, key)
    }

    fn is_current(&self) -> bool {
        self.current.load(Ordering::Relaxed)
    }

    fn leaves_out(&self, key: &ObjectKey) -> bool {
        self.lock().misfits.contains(key)
    }
}
