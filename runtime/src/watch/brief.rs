//! What is kept of the objects of a kind of which a few words are enough, however many they are.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{ObjectMeta, PartialObjectMeta};
use kube::core::DynamicObject;
use serde::Deserialize;
use serde_json::Value;

use super::feed::Reader;
use super::latch::Latch;
use super::significance::{hash, number};
use super::{Change, Observer, On, Source, Watched};
use crate::controller::ObjectKey;

/// How an object is read: what matters of its text.
pub(crate) type Read<B> = Box<dyn Fn(&str) -> serde_json::Result<B> + Send + Sync>;

/// In place of a [`Cache`](super::Cache) for who wants to know of each object only a `B`, and is told that it has changed.
/// Its observers see of the metadata the name alone, whether the object is being deleted, and whether it is another one (by a
/// uid that stands for its own); others do not see it at all.
pub(crate) struct Briefs<B> {
    read: Read<B>,
    state: Mutex<State<B>>,
    /// Whether it has been filled once.
    filled: Latch,
}

struct State<B> {
    objects: BTreeMap<ObjectKey, Entry<B>>,
    observers: Vec<Arc<dyn Observer>>,
    /// The list that is coming in, or came in last.
    list: u32,
}

struct Entry<B> {
    brief: B,
    /// Of its uid: another object may have the same name.
    identity: u64,
    version: Option<u64>,
    deleted: Option<Box<Time>>,
    /// The last list that had it, or after which it came.
    list: u32,
}

impl<B> Briefs<B> {
    pub(super) fn new(read: Read<B>) -> Self {
        Self {
            read,
            state: Mutex::new(State {
                objects: BTreeMap::new(),
                observers: Vec::new(),
                list: 0,
            }),
            filled: Latch::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: Clone> Briefs<B> {
    /// What is known of an object, and whether it is being deleted.
    pub(crate) fn get(&self, key: &ObjectKey) -> Option<(B, bool)> {
        let state = self.lock();
        let entry = state.objects.get(key)?;
        Some((entry.brief.clone(), entry.deleted.is_some()))
    }

    fn take_in(&self, text: &str, initial: bool) -> serde_json::Result<()> {
        #[derive(Deserialize)]
        struct Object {
            metadata: Head,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Head {
            name: Option<String>,
            namespace: Option<String>,
            uid: Option<String>,
            resource_version: Option<String>,
            deletion_timestamp: Option<Box<Time>>,
        }
        let Object { metadata: head } = serde_json::from_str(text)?;
        let key = ObjectKey {
            namespace: head.namespace,
            name: head.name.unwrap_or_default(),
        };
        let version = number(head.resource_version.as_deref());
        let mut state = self.lock();
        let list = state.list;
        if let Some(before) = state.objects.get_mut(&key)
            // A relist, or the watch repeating itself.
            && before.version.is_some()
            && before.version == version
        {
            before.list = list;
            return Ok(());
        }
        let entry = Entry {
            brief: (self.read)(text)?,
            identity: hash(&head.uid),
            version,
            deleted: head.deletion_timestamp,
            list,
        };
        let after = entry.seen(&key);
        let before = state.objects.insert(key.clone(), entry);
        let before = before.map(|before| before.seen(&key));
        state.tell(before.as_ref(), Some(&after), initial);
        Ok(())
    }
}

impl<B> Entry<B> {
    /// The object as observers see it.
    fn seen(&self, key: &ObjectKey) -> Arc<dyn Watched> {
        let metadata = ObjectMeta {
            name: Some(key.name.clone()),
            namespace: key.namespace.clone(),
            uid: Some(self.identity.to_string()),
            deletion_timestamp: self.deleted.as_deref().cloned(),
            ..ObjectMeta::default()
        };
        Arc::new(PartialObjectMeta::<DynamicObject> {
            types: None,
            metadata,
            _phantom: PhantomData,
        })
    }
}

impl<B> State<B> {
    fn remove(&mut self, key: &ObjectKey) {
        if let Some(entry) = self.objects.remove(key) {
            self.tell(Some(&entry.seen(key)), None, false);
        }
    }

    fn tell(
        &self,
        before: Option<&Arc<dyn Watched>>,
        after: Option<&Arc<dyn Watched>>,
        initial: bool,
    ) {
        for observer in &self.observers {
            observer.changed(&Change {
                before,
                after,
                version: None,
                changed: On::ANY_CHANGE,
                initial,
            });
        }
    }
}

impl<B: Clone + Send + Sync + 'static> Reader for Briefs<B> {
    fn is_filled(&self) -> bool {
        self.filled.has_happened()
    }

    fn has_metadata(&self) -> bool {
        false
    }

    fn set_current(&self, _: bool) {}

    fn begin_list(&self) {
        let mut state = self.lock();
        state.list = state.list.wrapping_add(1);
    }

    fn list_item(&self, text: &str) -> serde_json::Result<()> {
        self.take_in(text, !self.is_filled())
    }

    fn end_list(&self, _: &str) {
        let mut state = self.lock();
        let list = state.list;
        let absent = state.objects.iter().filter(|(_, entry)| entry.list != list);
        let gone: Vec<ObjectKey> = absent.map(|(key, _)| key.clone()).collect();
        for key in gone {
            state.remove(&key);
        }
        // A map that was filled one by one and in order keeps half of its places empty.
        state.objects = std::mem::take(&mut state.objects).into_iter().collect();
        if self.is_filled() {
            for observer in &state.observers {
                observer.relisted();
            }
        }
        drop(state);
        self.filled.happens();
    }

    fn put(&self, text: &str) -> serde_json::Result<()> {
        self.take_in(text, false)
    }

    fn remove(&self, key: &ObjectKey) {
        self.lock().remove(key);
    }

    fn passed(&self, _: &str) {}

    // What we write ourselves comes back with the watch.
    fn overlay(&self, _: &Value, _: bool) {}

    fn end(&self, _: &ObjectKey, _: &str) {}

    // It is there, and as it was: whoever took it for gone would take what it stands for along.
    fn leave_out(&self, key: &ObjectKey) {
        let mut state = self.lock();
        let list = state.list;
        if let Some(entry) = state.objects.get_mut(key) {
            entry.list = list;
        }
    }
}

impl<B: Send + Sync + 'static> Source for Briefs<B> {
    fn observe(&self, observer: Arc<dyn Observer>) {
        let mut state = self.lock();
        for (key, entry) in &state.objects {
            observer.changed(&Change {
                before: None,
                after: Some(&entry.seen(key)),
                version: None,
                changed: On::ANY_CHANGE,
                initial: true,
            });
        }
        state.observers.push(observer);
    }

    fn synced(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.filled.wait())
    }

    fn look(&self, _: &ObjectKey) -> Option<Arc<dyn Watched>> {
        None
    }

    fn owned_by(&self, _: &str) -> Vec<Arc<dyn Watched>> {
        Vec::new()
    }

    fn is_current(&self) -> bool {
        false
    }

    fn is_in_doubt(&self, _: &ObjectKey) -> bool {
        false
    }

    fn leaves_out(&self, _: &ObjectKey) -> bool {
        false
    }
}
