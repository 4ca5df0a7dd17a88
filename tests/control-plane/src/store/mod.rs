//! What one control plane keeps: objects, and the history that watches resume from.
//!
//! One writes at a time, from its first read to its last change and without waiting, so that a write is never in conflict
//! with itself; who reads waits for no more than one object's change. Watchers hold nothing but a revision: they read the
//! history when they are woken.

#![allow(
    clippy::mutable_key_type,
    reason = "what changes in an object is what was read of it, never its key"
)]

mod age;
mod history;
mod kept;
mod key;
mod transaction;
mod uid;

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use age::Age;
use history::History;
pub(crate) use history::{Change, Compacted, What};
pub(crate) use kept::Kept;
pub(crate) use key::{Bucket, Key};
pub(crate) use transaction::Transaction;
pub(crate) use uid::Uid;

use crate::signal::{Ear, Signal};

/// An object under its key, which it has itself.
#[derive(Clone)]
struct Slot(Arc<Kept>);

type Objects = BTreeSet<Slot>;

impl Borrow<Key> for Slot {
    fn borrow(&self) -> &Key {
        &self.0.key
    }
}

impl Ord for Slot {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.key.cmp(&other.0.key)
    }
}

impl PartialOrd for Slot {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Slot {
    fn eq(&self, other: &Self) -> bool {
        self.0.key == other.0.key
    }
}

impl Eq for Slot {}

/// The objects of one resource.
struct Table {
    objects: Objects,
    /// How long all of them are together, in bytes of JSON.
    weight: usize,
    history: History,
    /// Tells watchers that there is something new.
    signal: Signal,
    /// For which definition of its kind it is served, if there is one. Apart, as there are very many tables.
    served: Option<Box<Served>>,
}

/// A definition that a resource is served for.
struct Served {
    edition: u64,
    /// The revision at which that began.
    begins: u64,
    /// Why some of the objects cannot be read as it says.
    unreadable: Option<String>,
}

impl Table {
    fn new(oldest: u64) -> Self {
        Self {
            objects: Objects::new(),
            weight: 0,
            history: History::new(oldest),
            signal: Signal::default(),
            served: None,
        }
    }
}

/// Everything that one control plane keeps.
pub(crate) struct Store {
    /// Who writes, for as long as that takes.
    writing: Mutex<()>,
    /// Held for moments.
    inner: Mutex<Inner>,
}

struct Inner {
    revision: u64,
    /// All history before this revision was forgotten.
    compacted: u64,
    /// The revision at which the server that keeps it began.
    began: u64,
    age: Age,
    tables: BTreeMap<Bucket, Table>,
    /// From an owner's uid to the objects that name it.
    dependents: HashMap<String, BTreeSet<(Bucket, Key)>>,
}

impl Inner {
    fn get(&self, bucket: &Bucket, key: &Key) -> Option<&Arc<Kept>> {
        self.tables
            .get(bucket)?
            .objects
            .get(key)
            .map(|slot| &slot.0)
    }

    /// Whether a resource that nothing was ever kept of can be read as of a revision.
    fn check(&self, revision: u64) -> Result<(), Compacted> {
        let oldest = self.compacted;
        if revision < oldest {
            Err(Compacted { oldest })
        } else {
            Ok(())
        }
    }

    fn table(&mut self, bucket: &Bucket) -> &mut Table {
        let compacted = self.compacted;
        self.tables
            .entry(bucket.clone())
            .or_insert_with(|| Table::new(compacted))
    }
}

/// What a transaction changed, in order.
pub(crate) type Changes = Vec<(Bucket, Arc<Change>)>;

/// A list at one moment.
pub(crate) struct Snapshot {
    pub(crate) revision: u64,
    pub(crate) objects: Vec<Arc<Kept>>,
}

/// How long a read waits for a revision (`blockTimeout` of a kube-apiserver's cache), and how often it looks.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOKS: Duration = Duration::from_millis(20);

impl Store {
    /// Nothing is known of any revision before the one at which it begins.
    pub(crate) fn new(begins: u64) -> Self {
        Self {
            writing: Mutex::default(),
            inner: Mutex::new(Inner {
                revision: begins,
                compacted: begins.saturating_sub(1),
                began: 0,
                age: Age::new(),
                tables: BTreeMap::new(),
                dependents: HashMap::new(),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing is left half done under the lock, so what a panicking thread left is sound.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest revision.
    pub(crate) fn revision(&self) -> u64 {
        self.lock().revision
    }

    /// Waits for a revision that is still to come, for as long as a kube-apiserver does; whether it came.
    pub(crate) async fn reaches(&self, revision: u64) -> bool {
        let late = Instant::now() + PATIENCE;
        while self.revision() < revision {
            if Instant::now() >= late {
                return false;
            }
            tokio::time::sleep(LOOKS).await;
        }
        true
    }

    pub(crate) fn get(&self, bucket: &Bucket, key: &Key) -> Option<Value> {
        Some(self.kept(bucket, key)?.value())
    }

    /// An object as it is kept.
    pub(crate) fn kept(&self, bucket: &Bucket, key: &Key) -> Option<Arc<Kept>> {
        self.lock().get(bucket, key).cloned()
    }

    pub(crate) fn contains(&self, bucket: &Bucket, key: &Key) -> bool {
        self.lock().get(bucket, key).is_some()
    }

    /// The objects of a bucket, of one namespace or of all, as of now.
    pub(crate) fn list(&self, bucket: &Bucket, namespace: Option<&str>) -> Snapshot {
        let inner = self.lock();
        let objects = inner
            .tables
            .get(bucket)
            .map(|table| in_namespace(&table.objects, namespace))
            .unwrap_or_default();
        Snapshot {
            revision: inner.revision,
            objects,
        }
    }

    /// How long the objects of a bucket are together, in bytes of JSON.
    pub(crate) fn weight(&self, bucket: &Bucket) -> usize {
        let inner = self.lock();
        inner.tables.get(bucket).map_or(0, |table| table.weight)
    }

    /// The objects of a bucket once nobody writes.
    pub(crate) fn settled(&self, bucket: &Bucket) -> Vec<Arc<Kept>> {
        let _writing = self.begin();
        self.list(bucket, None).objects
    }

    /// Every object, in order.
    #[cfg(feature = "simulation")]
    pub(crate) fn everything(&self) -> Vec<(Bucket, Value)> {
        let inner = self.lock();
        let tables = inner.tables.iter();
        let objects = tables.flat_map(|(bucket, table)| {
            let objects = table.objects.iter();
            objects.map(move |Slot(object)| (bucket.clone(), object.value()))
        });
        objects.collect()
    }

    /// No list can be read as it was before this revision, however much is still known of what happened since.
    pub(crate) fn oldest_of_lists(&self) -> u64 {
        let mut inner = self.lock();
        let revision = inner.revision;
        inner.age.expired(revision)
    }

    /// The objects of a bucket as they were at an older revision.
    pub(crate) fn list_at(
        &self,
        bucket: &Bucket,
        namespace: Option<&str>,
        revision: u64,
    ) -> Result<Snapshot, Compacted> {
        let inner = self.lock();
        let mut objects = Objects::new();
        match inner.tables.get(bucket) {
            Some(table) => {
                objects.clone_from(&table.objects);
                table.history.undo(&mut objects, revision)?;
            }
            None => inner.check(revision)?,
        }
        Ok(Snapshot {
            revision,
            objects: in_namespace(&objects, namespace),
        })
    }

    /// The buckets that hold anything, and how many objects of a namespace each has.
    pub(crate) fn buckets_with(&self, namespace: &str) -> Vec<(Bucket, Vec<Arc<Kept>>)> {
        let inner = self.lock();
        inner
            .tables
            .iter()
            .map(|(bucket, table)| {
                (
                    bucket.clone(),
                    in_namespace(&table.objects, Some(namespace)),
                )
            })
            .filter(|(_, objects)| !objects.is_empty())
            .collect()
    }

    /// Whether something is so of anybody who names this uid as an owner.
    pub(crate) fn any_dependent(&self, uid: &str, is: impl Fn(&Bucket, &Kept) -> bool) -> bool {
        let inner = self.lock();
        let mut named = inner.dependents.get(uid).into_iter().flatten();
        named.any(|(bucket, key)| inner.get(bucket, key).is_some_and(|kept| is(bucket, kept)))
    }

    /// Who names this uid as an owner.
    pub(crate) fn dependents(&self, uid: &str) -> Vec<(Bucket, Key)> {
        self.lock()
            .dependents
            .get(uid)
            .map(|ids| ids.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// What happened in a bucket after a revision, and the newest revision of the whole store.
    /// `live` is for a watch that has seen everything up to there.
    pub(crate) fn since(
        &self,
        bucket: &Bucket,
        revision: u64,
        live: bool,
    ) -> Result<(u64, Vec<Arc<Change>>), Compacted> {
        let inner = self.lock();
        let changes = match inner.tables.get(bucket) {
            Some(table) => table.history.since(revision, live)?,
            None if live => Vec::new(),
            None => {
                inner.check(revision)?;
                Vec::new()
            }
        };
        Ok((inner.revision, changes))
    }

    /// Serves a bucket as a definition says: the first time that this is asked for, its cache begins anew. `unreadable` says
    /// why there can be none, if so.
    pub(crate) fn serve(
        &self,
        bucket: &Bucket,
        edition: u64,
        unreadable: impl FnOnce(&mut dyn Iterator<Item = &Arc<Kept>>) -> Option<String>,
    ) {
        let mut inner = self.lock();
        let begins = inner.revision;
        let table = inner.table(bucket);
        // Who is late may still ask for one that is over.
        let is_new = |served: &Served| served.edition < edition;
        if table.served.as_deref().is_none_or(is_new) {
            let mut objects = table.objects.iter().map(|Slot(object)| object);
            table.served = Some(Box::new(Served {
                edition,
                begins,
                unreadable: unreadable(&mut objects),
            }));
        }
    }

    /// The revision at which the cache of a bucket begins: no watch goes back to before that.
    pub(crate) fn begins(&self, bucket: &Bucket) -> u64 {
        let inner = self.lock();
        let served = inner
            .tables
            .get(bucket)
            .and_then(|table| table.served.as_deref());
        served.map_or(0, |served| served.begins).max(inner.began)
    }

    /// Begins all caches anew, as a server does that is started again. What lists go back to is not in them.
    pub(crate) fn begin_caches(&self) {
        let _writing = self.begin();
        let mut inner = self.lock();
        // A server that starts writes something of its own, so that nobody has seen so new a version.
        inner.revision += 1;
        inner.began = inner.revision;
    }

    /// Why there is no cache of a bucket, if there is none.
    pub(crate) fn unreadable(&self, bucket: &Bucket) -> Option<String> {
        let inner = self.lock();
        inner
            .tables
            .get(bucket)?
            .served
            .as_deref()?
            .unreadable
            .clone()
    }

    /// Wakes whenever the bucket changes.
    pub(crate) fn signal(&self, bucket: &Bucket) -> Ear {
        self.lock().table(bucket).signal.subscribe()
    }

    /// Forgets all history up to now: watches and lists from an older revision are answered 410.
    pub(crate) fn compact(&self) {
        let _writing = self.begin();
        let mut inner = self.lock();
        // The revision moves on, so that even the newest version that anybody has seen is too old.
        inner.revision += 1;
        let revision = inner.revision;
        inner.compacted = revision;
        for table in inner.tables.values_mut() {
            table.history.forget(revision);
        }
    }

    /// Runs a transaction: nobody else writes between what it reads and writes. What it changed comes back beside its own
    /// result.
    pub(crate) fn transact<T, E>(
        &self,
        run: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<(T, Changes), E> {
        let _writing = self.begin();
        // What is there until now belongs to the time before.
        self.oldest_of_lists();
        let mut transaction = Transaction {
            store: self,
            changes: Vec::new(),
        };
        let done = run(&mut transaction);
        let changes = transaction.changes;
        let inner = self.lock();
        for (bucket, _) in &changes {
            if let Some(table) = inner.tables.get(bucket) {
                table.signal.send();
            }
        }
        drop(inner);
        done.map(|value| (value, changes))
    }
}

fn in_namespace(objects: &Objects, namespace: Option<&str>) -> Vec<Arc<Kept>> {
    let all = |slot: &Slot| slot.0.clone();
    match namespace {
        None => objects.iter().map(all).collect(),
        Some(namespace) => objects
            .range(Key::new(namespace, "")..)
            .take_while(|slot| slot.0.key.namespace == namespace)
            .map(all)
            .collect(),
    }
}
