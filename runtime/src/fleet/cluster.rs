//! One cluster while it is engaged: its client, and what is known of its objects.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kube::api::{ApiResource, PartialObjectMeta};
use kube::core::DynamicObject;
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ClusterName;
use crate::controller::{Object, ObjectKey};
use crate::watch::{Cache, Reflector, Report, Selector, Source};

/// An engaged cluster: its name, a client for it, and the caches of the kinds that are watched there.
/// Cheap to clone.
#[derive(Clone)]
pub struct Cluster(Arc<Inner>);

struct Inner {
    name: ClusterName,
    client: Client,
    caches: Mutex<BTreeMap<CacheKey, CacheHandle>>,
    engaging: Arc<Semaphore>,
    report: Arc<dyn Report>,
    /// Ends the watches.
    stop: CancellationToken,
    /// Ends the reconciles that are still running.
    kill: CancellationToken,
    /// Watches and reconciles.
    tasks: TaskTracker,
    retiring: AtomicBool,
}

/// Kinds are told apart by how they are read, too: typed, or as metadata only.
type CacheKey = (TypeId, String, String, Selector);

struct CacheHandle {
    any: Arc<dyn Any + Send + Sync>,
    source: Arc<dyn Source>,
}

impl Cluster {
    /// Ends with `abandoned`, at once, if nothing ends it before.
    pub(crate) fn new(
        name: ClusterName,
        client: Client,
        engaging: Arc<Semaphore>,
        report: Arc<dyn Report>,
        abandoned: &CancellationToken,
    ) -> Self {
        Self(Arc::new(Inner {
            name,
            client,
            caches: Mutex::default(),
            engaging,
            report,
            stop: abandoned.child_token(),
            kill: abandoned.child_token(),
            tasks: TaskTracker::new(),
            retiring: AtomicBool::new(false),
        }))
    }

    /// The name of the cluster.
    pub fn name(&self) -> &ClusterName {
        &self.0.name
    }

    /// kube's client for this cluster, for whatever Kommodore has no words for. What is read through
    /// it comes from the server, and what is written through it wakes the controller like anybody
    /// else's write.
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// All objects of a kind, from the cache of a kind that a controller is `for` or `watches`. Where they
    /// only select some of its objects, it is those.
    ///
    /// Of a kind that nobody here is `for` or watches there is no cache, and the list is empty (which
    /// is logged as an error): read it through [`client`](Cluster::client).
    pub fn list<K: Object>(&self) -> impl Iterator<Item = Arc<K>> + Send + use<K> {
        let kind = ApiResource::erase::<K>(&());
        let caches = self.caches::<K>(&kind);
        if caches.is_empty() {
            tracing::error!(
                cluster = %self.name(),
                kind = %kind.kind,
                "listed a kind that no controller is `for` or `watches`: there is no cache of it"
            );
        }
        // That of everything comes first, and the others have nothing to add to it.
        let all = caches
            .first()
            .is_some_and(|(selector, _)| *selector == Selector::default());
        let mut lists = caches
            .into_iter()
            .take(if all { 1 } else { usize::MAX })
            .map(|(_, cache)| cache.list());
        let first = lists.next().unwrap_or_default();
        let mut seen: BTreeSet<ObjectKey> = BTreeSet::new();
        let others: Vec<Vec<Arc<K>>> = lists.collect();
        if !others.is_empty() {
            seen.extend(first.iter().map(|object| ObjectKey::of(&**object)));
        }
        let others = others.into_iter().flatten();
        first
            .into_iter()
            .chain(others.filter(move |object| seen.insert(ObjectKey::of(&**object))))
    }

    /// What the caches know of an object of a kind that is read as `K`.
    pub(crate) fn known<K>(&self, kind: &ApiResource, key: &ObjectKey) -> Known<K>
    where
        K: Resource + Send + Sync + 'static,
    {
        let mut known = Known::Unknown;
        for (selector, cache) in self.caches::<K>(kind) {
            match cache.get(key) {
                _ if !cache.is_current() => {}
                Some(object) => return Known::There(object),
                None if selector.covers(key) => known = Known::Missing,
                None => {}
            }
        }
        known
    }

    /// The caches of a kind that is read as `K`, that of everything first.
    fn caches<K: Send + Sync + 'static>(
        &self,
        kind: &ApiResource,
    ) -> Vec<(Selector, Arc<Cache<K>>)> {
        let caches = self.0.caches.lock().unwrap_or_else(PoisonError::into_inner);
        let first = cache_key::<K>(kind, &Selector::default());
        caches
            .range(&first..)
            .take_while(|((read, version, plural, _), _)| {
                (read, version, plural) == (&first.0, &first.1, &first.2)
            })
            .filter_map(|((.., selector), handle)| {
                Some((selector.clone(), Arc::clone(&handle.any).downcast().ok()?))
            })
            .collect()
    }

    /// Watches a kind, or shares the watch that there is.
    pub(crate) fn cache<K: Object>(&self, selector: Selector) -> Arc<Cache<K>> {
        self.open(ApiResource::erase::<K>(&()), (), selector)
    }

    /// Watches the metadata of a kind, or shares the watch that there is.
    pub(crate) fn metadata(
        &self,
        kind: &ApiResource,
        selector: Selector,
    ) -> Arc<Cache<PartialObjectMeta<DynamicObject>>> {
        self.open(kind.clone(), kind.clone(), selector)
    }

    /// Watches a kind without a Rust type, or shares the watch that there is.
    pub(crate) fn dynamic(
        &self,
        kind: &ApiResource,
        selector: Selector,
    ) -> Arc<Cache<DynamicObject>> {
        self.open(kind.clone(), kind.clone(), selector)
    }

    fn find<K: Send + Sync + 'static>(&self, key: &CacheKey) -> Option<Arc<Cache<K>>> {
        let caches = self.0.caches.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&caches.get(key)?.any).downcast().ok()
    }

    fn open<K>(
        &self,
        kind: ApiResource,
        dynamic: K::DynamicType,
        selector: Selector,
    ) -> Arc<Cache<K>>
    where
        K: Resource + Clone + DeserializeOwned + fmt::Debug + Send + Sync + 'static,
    {
        let key = cache_key::<K>(&kind, &selector);
        if let Some(cache) = self.find(&key) {
            return cache;
        }
        let cache = Arc::new(Cache::<K>::default());
        let handle = CacheHandle {
            any: Arc::clone(&cache) as _,
            source: Arc::clone(&cache) as _,
        };
        self.0
            .caches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, handle);
        let reflector = Reflector {
            cache: Arc::clone(&cache),
            client: self.0.client.clone(),
            kind,
            selector,
            engaging: Arc::clone(&self.0.engaging),
            report: Arc::clone(&self.0.report),
        };
        let stop = self.0.stop.clone();
        self.0
            .tasks
            .spawn(async move { stop.run_until_cancelled(reflector.run(dynamic)).await });
        cache
    }

    /// Resolves once every kind that is watched now has been listed.
    pub(crate) async fn synced(&self) {
        let sources: Vec<Arc<dyn Source>> = {
            let caches = self.0.caches.lock().unwrap_or_else(PoisonError::into_inner);
            caches
                .values()
                .map(|handle| Arc::clone(&handle.source))
                .collect()
        };
        for source in sources {
            source.synced().await;
        }
    }

    /// Runs `work` until it ends or the cluster is dropped, whichever is first.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let kill = self.0.kill.clone();
        self.0.tasks.spawn(async move {
            kill.run_until_cancelled(work).await;
        });
    }

    /// Ends the watches at once, and the reconciles that still run after `grace`. When it returns,
    /// nothing of ours talks to this cluster any more.
    pub(crate) async fn end(&self, grace: std::time::Duration) {
        self.0.stop.cancel();
        self.0.tasks.close();
        if tokio::time::timeout(grace, self.0.tasks.wait())
            .await
            .is_err()
        {
            self.0.kill.cancel();
            self.0.tasks.wait().await;
        }
        self.0
            .caches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Resolves when the watches are to end.
    pub(crate) async fn stopped(&self) {
        self.0.stop.cancelled().await;
    }

    /// True while the cluster itself is being deleted: `cleanup` runs, and no new finalizer is set.
    pub fn is_retiring(&self) -> bool {
        self.0.retiring.load(Ordering::Relaxed)
    }

    pub(crate) fn set_retiring(&self, retiring: bool) {
        self.0.retiring.store(retiring, Ordering::Relaxed);
    }
}

/// What the caches know of an object.
pub(crate) enum Known<K> {
    There(Arc<K>),
    /// It does not exist.
    Missing,
    /// Only the server can tell.
    Unknown,
}

fn cache_key<K: 'static>(kind: &ApiResource, selector: &Selector) -> CacheKey {
    (
        TypeId::of::<K>(),
        kind.api_version.clone(),
        kind.plural.clone(),
        selector.clone(),
    )
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cluster").field(self.name()).finish()
    }
}
