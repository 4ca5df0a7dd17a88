//! One cluster while it is engaged: its client, and what is known of its objects.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kube::Client;
use kube::api::ApiResource;
use kube::core::DynamicObject;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{ClusterName, Health};
use crate::controller::Object;
use crate::transport::Line;
use crate::watch::{Cache, Feed, Kept, Lists, Reflector, Selector, Source, Subject};

/// An engaged cluster: its name, a client for it, and the caches of the kinds that are watched there.
/// Cheap to clone.
#[derive(Clone)]
pub struct Cluster(Arc<Inner>);

struct Inner {
    name: ClusterName,
    /// The namespace that is the cluster, if it is only that.
    namespace: Option<Arc<str>>,
    /// The newest one. Watches begin anew with the next.
    line: Arc<Mutex<Line>>,
    feeds: Mutex<Feeds>,
    engaging: Arc<Semaphore>,
    lists: Arc<Lists>,
    health: Arc<Health>,
    /// Ends the watches.
    stop: CancellationToken,
    /// Ends the reconciles that are still running.
    kill: CancellationToken,
    /// Watches and reconciles.
    tasks: TaskTracker,
    retiring: AtomicBool,
    kept: Kept,
}

/// What is watched.
#[derive(Default)]
struct Feeds {
    /// Whether the watches run; until then it is only said what is wanted, so that each begins with what
    /// all of its readers need.
    begun: bool,
    waiting: Vec<(Arc<Feed>, Subject)>,
    by_subject: BTreeMap<Box<FeedKey>, Arc<Feed>>,
}

/// The version and the plural of a kind, and which of its objects.
type FeedKey = (String, String, Selector);

impl Cluster {
    /// Ends with `abandoned`, at once, if nothing ends it before.
    pub(crate) fn new(
        name: ClusterName,
        namespace: Option<Arc<str>>,
        line: Line,
        engaging: Arc<Semaphore>,
        health: Arc<Health>,
        abandoned: &CancellationToken,
        kept: Kept,
    ) -> Self {
        Self(Arc::new(Inner {
            name,
            namespace,
            line: Arc::new(Mutex::new(line)),
            feeds: Mutex::default(),
            engaging,
            lists: Arc::default(),
            health,
            stop: abandoned.child_token(),
            kill: abandoned.child_token(),
            tasks: TaskTracker::new(),
            retiring: AtomicBool::new(false),
            kept,
        }))
    }

    /// The name of the cluster.
    pub fn name(&self) -> &ClusterName {
        &self.0.name
    }

    /// kube's client for this cluster, for whatever Kommodore has no words for. What is read through
    /// it comes from the server, and what is written through it wakes the controller like anybody
    /// else's write.
    ///
    /// It is the newest one: after the cluster has got another endpoint or other credentials, it is another client.
    pub fn client(&self) -> Client {
        self.line().client()
    }

    /// How its calls reach it now.
    pub(crate) fn line(&self) -> Line {
        let line = self.0.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.clone()
    }

    /// The namespace that is all of the cluster, where it is only a namespace.
    pub fn namespace(&self) -> Option<&str> {
        self.0.namespace.as_deref()
    }

    /// Goes on through another connection: what is watched is listed anew, and nothing else begins again.
    pub(super) fn reconnect(&self, line: Line) {
        self.0.lists.forget();
        *self.0.line.lock().unwrap_or_else(PoisonError::into_inner) = line;
        for feed in self.lock().by_subject.values() {
            feed.begin_again();
        }
    }

    /// How the cluster fares.
    pub(super) fn health(&self) -> &Health {
        &self.0.health
    }

    /// How many watches there are, and whether one of them has been filled.
    pub(super) fn watches(&self) -> (usize, bool) {
        let feeds = self.lock();
        let feeds = feeds.by_subject.values();
        let filled = |feed: &Arc<Feed>| feed.is_filled();
        (feeds.len(), feeds.clone().any(filled))
    }

    /// How much of an object is kept in its caches.
    pub(crate) fn kept(&self) -> Kept {
        self.0.kept
    }

    /// Shows what one of our own writes returned in the caches of its kind, until the watch has passed it.
    pub(crate) fn overlay(&self, kind: &ApiResource, written: &Value) {
        for (_, feed) in self.feeds_of(kind) {
            feed.overlay(written);
        }
    }

    /// The caches of a kind that is read as `K`, that of everything first.
    pub(super) fn caches<K: Send + Sync + 'static>(
        &self,
        kind: &ApiResource,
    ) -> Vec<(Selector, Arc<Cache<K>>)> {
        let feeds = self.feeds_of(kind).into_iter();
        feeds
            .filter_map(|(selector, feed)| Some((selector, feed.find()?)))
            .collect()
    }

    /// The feeds of a kind, that of everything first.
    pub(super) fn feeds_of(&self, kind: &ApiResource) -> Vec<(Selector, Arc<Feed>)> {
        let first = feed_key(kind, &Selector::default());
        let feeds = self.lock();
        feeds
            .by_subject
            .range::<FeedKey, _>(&first..)
            .take_while(|(key, _)| (&key.0, &key.1) == (&first.0, &first.1))
            .map(|(key, feed)| (key.2.clone(), Arc::clone(feed)))
            .collect()
    }

    /// Watches a kind, or shares the watch that there is.
    pub(crate) fn cache<K: Object>(&self, selector: Selector) -> Arc<Cache<K>> {
        let kind = ApiResource::erase::<K>(&());
        self.open(kind, selector, Feed::join::<K>)
    }

    /// Watches the metadata of a kind, or shares the watch that there is, also one of everything in the
    /// objects.
    pub(crate) fn metadata(&self, kind: &ApiResource, selector: Selector) -> Arc<dyn Source> {
        self.open(kind.clone(), selector, Feed::join_for_metadata)
    }

    /// Watches a kind without a Rust type, or shares the watch that there is.
    pub(crate) fn dynamic(
        &self,
        kind: &ApiResource,
        selector: Selector,
    ) -> Arc<Cache<DynamicObject>> {
        self.cache_as(kind, selector)
    }

    /// Watches a kind that is read as `K`, or shares the watch that there is.
    pub(crate) fn cache_as<K>(&self, kind: &ApiResource, selector: Selector) -> Arc<Cache<K>>
    where
        K: kube::Resource + DeserializeOwned + Send + Sync + 'static,
    {
        self.open(kind.clone(), selector, Feed::join::<K>)
    }

    fn open<C>(
        &self,
        kind: ApiResource,
        mut selector: Selector,
        join: impl FnOnce(&Feed) -> C,
    ) -> C {
        if let Some(namespace) = self.namespace() {
            selector.confine(namespace);
        }
        let key = feed_key(&kind, &selector);
        let mut feeds = self.lock();
        if let Some(feed) = feeds.by_subject.get(&key) {
            return join(feed);
        }
        let feed = Arc::new(Feed::new(self.0.kept));
        let cache = join(&feed);
        feeds.by_subject.insert(Box::new(key), Arc::clone(&feed));
        if feeds.begun {
            self.watch(feed, Subject { kind, selector });
        } else {
            feeds.waiting.push((feed, Subject { kind, selector }));
        }
        cache
    }

    /// Begins to watch all that has been asked for, and from now on whatever is.
    pub(crate) fn begin(&self) {
        let waiting = {
            let mut feeds = self.lock();
            feeds.begun = true;
            std::mem::take(&mut feeds.waiting)
        };
        for (feed, subject) in waiting {
            self.watch(feed, subject);
        }
    }

    fn watch(&self, feed: Arc<Feed>, subject: Subject) {
        let reflector = Reflector {
            feed,
            line: Arc::clone(&self.0.line),
            subject,
            engaging: Arc::clone(&self.0.engaging),
            lists: Arc::clone(&self.0.lists),
            report: Arc::clone(&self.0.health) as _,
        };
        let stop = self.0.stop.clone();
        // In one piece: what waits for a future that it owns keeps room for it twice.
        self.0.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = reflector.run() => {}
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, Feeds> {
        self.0.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves once every kind that is watched now has been listed.
    pub(crate) async fn synced(&self) {
        let sources: Vec<Arc<dyn Source>> = {
            let feeds = self.lock();
            feeds
                .by_subject
                .values()
                .flat_map(|feed| feed.sources())
                .collect()
        };
        for source in sources {
            source.synced().await;
        }
    }

    /// Runs `work` until it ends or the cluster is dropped, whichever is first.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let kill = self.0.kill.clone();
        // Boxed, as what is handed on by value has two places in the task, and idle ones are many.
        let work = Box::pin(work);
        self.0.tasks.spawn(async move {
            kill.run_until_cancelled(work).await;
        });
    }

    /// Runs a call that a reconcile in another cluster makes in this one: it ends with this one too. `None` where
    /// this one is left.
    pub(crate) async fn visit<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        // The place is taken first: who waits for the end of everything here either sees it or refuses the call.
        let _place = self.0.tasks.token();
        if self.0.stop.is_cancelled() {
            return None;
        }
        self.0.kill.run_until_cancelled(call).await
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
        self.lock().by_subject.clear();
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

fn feed_key(kind: &ApiResource, selector: &Selector) -> FeedKey {
    (
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
