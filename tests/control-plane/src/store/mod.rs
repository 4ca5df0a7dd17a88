//! What one control plane keeps: objects, and the history that watches resume from.
//!
//! Everything happens under one lock and without waiting, so that a write is never in conflict with
//! itself. Watchers hold nothing but a revision: they read the history when they are woken.

mod history;
mod kept;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::iter::once;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

use history::History;
pub(crate) use history::{Change, Compacted, What};
pub(crate) use kept::Kept;

use crate::object;

/// The resource that an object is stored under: group and plural.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Bucket {
    /// The API group; empty for the core one.
    pub(crate) group: Arc<str>,
    /// The plural, in lower case.
    pub(crate) plural: Arc<str>,
}

/// Which object in a bucket; the namespace is empty for cluster-scoped ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// In the order of paths, `namespace/name`, as lists have it.
impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.namespace == other.namespace {
            true => self.name.cmp(&other.name),
            false => {
                let ours = self.namespace.bytes().chain(once(b'/'));
                ours.cmp(other.namespace.bytes().chain(once(b'/')))
            }
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Key {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    pub(crate) fn of(object: &Value) -> Self {
        Self::new(object::namespace(object), object::name(object))
    }
}

/// The objects of one resource.
struct Table {
    objects: BTreeMap<Key, Arc<Kept>>,
    history: History,
    /// Tells watchers that there is something new.
    signal: watch::Sender<u64>,
}

impl Table {
    fn new(oldest: u64) -> Self {
        Self {
            objects: BTreeMap::new(),
            history: History::new(oldest),
            signal: watch::Sender::new(0),
        }
    }
}

/// Everything that one control plane keeps.
pub(crate) struct Store {
    inner: Mutex<Inner>,
}

struct Inner {
    revision: u64,
    /// All history before this revision was forgotten.
    compacted: u64,
    tables: BTreeMap<Bucket, Table>,
    /// From an owner's uid to the objects that name it.
    dependents: HashMap<String, BTreeSet<(Bucket, Key)>>,
}

impl Inner {
    fn get(&self, bucket: &Bucket, key: &Key) -> Option<&Arc<Kept>> {
        self.tables.get(bucket)?.objects.get(key)
    }
}

/// What a transaction changed, in order.
pub(crate) type Changes = Vec<(Bucket, Arc<Change>)>;

/// A list at one moment.
pub(crate) struct Snapshot {
    pub(crate) revision: u64,
    pub(crate) objects: Vec<Arc<Kept>>,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                revision: 1,
                compacted: 0,
                tables: BTreeMap::new(),
                dependents: HashMap::new(),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing is left half done under the lock, so what a panicking thread left is sound.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest revision.
    pub(crate) fn revision(&self) -> u64 {
        self.lock().revision
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

    /// The objects of a bucket as they were at an older revision.
    pub(crate) fn list_at(
        &self,
        bucket: &Bucket,
        namespace: Option<&str>,
        revision: u64,
    ) -> Result<Snapshot, Compacted> {
        let inner = self.lock();
        let Some(table) = inner.tables.get(bucket) else {
            return Ok(Snapshot {
                revision,
                objects: Vec::new(),
            });
        };
        let mut objects = table.objects.clone();
        table.history.undo(&mut objects, revision)?;
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
            None if revision < inner.compacted && !live => {
                return Err(Compacted {
                    oldest: inner.compacted,
                });
            }
            None => Vec::new(),
        };
        Ok((inner.revision, changes))
    }

    /// Wakes whenever the bucket changes.
    pub(crate) fn signal(&self, bucket: &Bucket) -> watch::Receiver<u64> {
        let mut inner = self.lock();
        let compacted = inner.compacted;
        inner
            .tables
            .entry(bucket.clone())
            .or_insert_with(|| Table::new(compacted))
            .signal
            .subscribe()
    }

    /// Forgets all history up to now: watches and lists from an older revision are answered 410.
    pub(crate) fn compact(&self) {
        let mut inner = self.lock();
        // The revision moves on, so that even the newest version that anybody has seen is too old.
        inner.revision += 1;
        let revision = inner.revision;
        inner.compacted = revision;
        for table in inner.tables.values_mut() {
            table.history.forget(revision);
        }
    }

    /// Runs a transaction: what it reads and writes happens at once. What it changed comes back beside
    /// its own result.
    pub(crate) fn transact<T, E>(
        &self,
        run: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<(T, Changes), E> {
        let mut inner = self.lock();
        let mut transaction = Transaction {
            inner: &mut inner,
            changes: Vec::new(),
        };
        let done = run(&mut transaction);
        let changes = transaction.changes;
        for (bucket, change) in &changes {
            if let Some(table) = inner.tables.get(bucket) {
                table.signal.send_replace(change.revision());
            }
        }
        done.map(|value| (value, changes))
    }
}

/// Reads and writes under the store's lock. Check first, then write: nothing is rolled back.
pub(crate) struct Transaction<'a> {
    inner: &'a mut Inner,
    changes: Changes,
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
            .flat_map(|table| table.objects.values().map(|object| object.value()))
            .collect()
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
        objects.insert(kept.key.clone(), kept.clone());
        self.tell(bucket, what, kept, previous);
        object
    }

    /// Removes an object; its last state gets the revision of its removal.
    pub(crate) fn remove(&mut self, bucket: &Bucket, key: &Key) -> Option<Value> {
        let previous = self.table(bucket).objects.remove(key)?;
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

fn in_namespace(objects: &BTreeMap<Key, Arc<Kept>>, namespace: Option<&str>) -> Vec<Arc<Kept>> {
    match namespace {
        None => objects.values().cloned().collect(),
        Some(namespace) => objects
            .range(Key::new(namespace, "")..)
            .take_while(|(key, _)| key.namespace == namespace)
            .map(|(_, object)| object.clone())
            .collect(),
    }
}
