//! One cluster while it is engaged: its client, and what is known of its objects.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
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
use crate::controller::Object;
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

    /// All objects of a kind, from the cache of a kind that a controller is `for` or `watches`.
    ///
    /// Of a kind that nobody here is `for` or watches there is no cache, and the list is empty (which
    /// is logged as an error): read it through [`client`](Cluster::client).
    pub fn list<K: Object>(&self) -> impl Iterator<Item = Arc<K>> + Send + use<K> {
        let cache = self.watched::<K>();
        if cache.is_none() {
            tracing::error!(
                cluster = %self.name(),
                kind = %K::kind(&()),
                "listed a kind that no controller is `for` or `watches`: there is no cache of it"
            );
        }
        cache
            .map(|cache| cache.list())
            .unwrap_or_default()
            .into_iter()
    }

    /// The cache of a kind, if there is one with every object in it.
    pub(crate) fn watched<K: Object>(&self) -> Option<Arc<Cache<K>>> {
        self.find(&cache_key::<K>(
            &ApiResource::erase::<K>(&()),
            &Selector::default(),
        ))
    }

    /// The cache of the metadata of a kind, if it is watched.
    pub(crate) fn watched_metadata(
        &self,
        kind: &ApiResource,
    ) -> Option<Arc<Cache<PartialObjectMeta<DynamicObject>>>> {
        self.find(&cache_key::<PartialObjectMeta<DynamicObject>>(
            kind,
            &Selector::default(),
        ))
    }

    /// Watches a kind, or shares the watch that there is.
    pub(crate) fn cache<K: Object>(&self, selector: Selector) -> Arc<Cache<K>> {
        self.open(ApiResource::erase::<K>(&()), (), selector)
    }

    /// Watches the metadata of a kind, or shares the watch that there is.
    pub(crate) fn metadata(
        &self,
        kind: &ApiResource,
    ) -> Arc<Cache<PartialObjectMeta<DynamicObject>>> {
        self.open(kind.clone(), kind.clone(), Selector::default())
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
