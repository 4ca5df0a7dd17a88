//! What a cache has, and how it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kube::Resource;
use tokio::time::Instant;

use super::BELIEVED;
use crate::controller::ObjectKey;
use crate::watch::created::Created;
use crate::watch::index::{Index, Indexed};
use crate::watch::significance::{Fingerprint, is_newer, number};
use crate::watch::{Change, Observer, On, Watched};

/// So many observers are never looked through.
pub(super) const FEW: usize = 8;

pub(super) struct State<K> {
    pub(super) objects: BTreeMap<ObjectKey, Entry<K>>,
    /// What is there and does not fit its type.
    pub(super) misfits: BTreeSet<ObjectKey>,
    /// What we have created and the watch has yet to deliver.
    pub(super) created: Created<K>,
    pub(super) observers: Vec<Arc<dyn Observer>>,
    /// With how many observers it is looked for those that are over.
    pub(super) enough: usize,
    /// Those that somebody has asked.
    pub(super) indexes: Vec<Indexed<K>>,
    /// The list that is coming in, or came in last.
    pub(super) list: u32,
    /// The version up to which everything has been delivered.
    pub(super) passed: Option<u64>,
}

pub(super) struct Entry<K> {
    pub(super) object: Arc<K>,
    /// What the watch delivered last. Changes are told against this and not against `object`: a write
    /// of ours may have returned a user's change that the watch has yet to deliver.
    seen_fingerprint: Fingerprint,
    ours: Option<Box<Ours>>,
    /// The last list that had it, or after which it came.
    pub(super) list: u32,
}

/// What we have made of an object, and the watch has yet to deliver.
#[derive(Default)]
pub(super) struct Ours {
    /// What the watch delivered last.
    seen_version: Option<String>,
    /// When we wrote the object.
    pub(super) written: Option<Instant>,
    /// It was deleted by us.
    pub(super) ended: bool,
}

/// How an object came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    FirstList,
    /// A list in place of the events that nobody can deliver any more.
    NewList,
    Event,
}

impl<K> State<K> {
    pub(super) fn new() -> Self {
        Self {
            objects: BTreeMap::new(),
            misfits: BTreeSet::new(),
            created: Created::default(),
            // There is one, almost always.
            observers: Vec::with_capacity(1),
            enough: FEW,
            indexes: Vec::new(),
            list: 0,
            passed: None,
        }
    }
}

impl<K> Entry<K> {
    /// The object, unless we have deleted it.
    pub(super) fn there(&self) -> Option<&Arc<K>> {
        (!self.has_ended()).then_some(&self.object)
    }

    fn has_ended(&self) -> bool {
        self.ours.as_ref().is_some_and(|ours| ours.ended)
    }

    /// When we wrote it, if the watch has yet to deliver that.
    fn written(&self) -> Option<Instant> {
        self.ours.as_ref()?.written
    }

    pub(super) fn is_in_doubt(&self, now: Instant) -> bool {
        let written = self.written();
        written.is_some_and(|written| now.duration_since(written) >= BELIEVED)
    }
}

impl<K: Resource> Entry<K> {
    /// The version that the watch delivered last.
    pub(super) fn seen_version(&self) -> Option<&str> {
        match &self.ours {
            Some(ours) => ours.seen_version.as_deref(),
            None => version_of(&*self.object),
        }
    }

    /// What we make of it, before anything of the object is changed.
    pub(super) fn ours(&mut self) -> &mut Ours {
        let seen = || version_of(&*self.object).map(str::to_owned);
        self.ours.get_or_insert_with(|| {
            Box::new(Ours {
                seen_version: seen(),
                ..Ours::default()
            })
        })
    }
}

impl<K: Resource + Send + Sync + 'static> State<K> {
    pub(super) fn put(&mut self, object: K, delivery: Delivery) {
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
            Some(before) if before.seen_version() == seen_version.as_deref() => return,
            Some(before) => before.seen_fingerprint.changed(&seen_fingerprint),
            None => On::ANY_CHANGE,
        };
        // What was before its end may come later than our delete.
        let ended = before
            .as_ref()
            .filter(|before| before.has_ended() && before.object.meta().uid == object.meta().uid);
        let ended = ended.and_then(|before| before.written());
        let (newest, written) = match before {
            Some(before) if is_earlier(&object, &before.object) => {
                (Arc::clone(&before.object), before.written())
            }
            _ => match self.created.take(&key, &object) {
                Some((created, since)) if is_earlier(&object, &created) => (created, Some(since)),
                _ => (Arc::new(object), None),
            },
        };
        let is_ours = ended.is_some() || version_of(&*newest) != seen_version.as_deref();
        let ours = is_ours.then(|| {
            Box::new(Ours {
                seen_version: seen_version.clone(),
                written: ended.or(written),
                ended: ended.is_some(),
            })
        });
        let entry = Entry {
            object: Arc::clone(&newest),
            seen_fingerprint,
            ours,
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

    pub(super) fn remove(&mut self, key: &ObjectKey) {
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

    /// A list of this version is complete.
    pub(super) fn list_ended(&mut self, version: Option<u64>) {
        let before = std::mem::replace(&mut self.passed, version);
        if let Some(version) = version {
            self.created.passed(version);
        }
        // It is of a replica that lags behind, or the server was set back to an earlier state.
        if version < before {
            self.created.drop_doubtful();
            let long_ago = Instant::now().checked_sub(BELIEVED);
            for entry in self.objects.values_mut() {
                if number(version_of(&*entry.object)) > version {
                    let ours = entry.ours();
                    (ours.written, ours.ended) = (long_ago, false);
                }
            }
        }
    }

    /// Keeps this index from now on.
    pub(super) fn index(&mut self, index: &Index<K>) {
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

/// Whether `object` is the same one as `other` was later on.
fn is_earlier<K: Resource>(object: &K, other: &K) -> bool {
    object.meta().uid == other.meta().uid && is_newer(version_of(other), version_of(object))
}

pub(super) fn version_of<K: Resource>(object: &K) -> Option<&str> {
    object.meta().resource_version.as_deref()
}
