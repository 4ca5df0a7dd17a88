//! One cluster while it is engaged: its client, and what is known of its objects.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kube::Client;
use kube::api::ApiResource;
use kube::core::DynamicObject;
use serde_json::Value;
use tokio_util::task::TaskTracker;

use super::health::{Condition, Health};
use super::{ClusterName, Connection};
use crate::controller::{Object, ObjectKey};
use crate::transport::{Failure, Line};
use crate::watch::{
    Briefs, Cache, Common, Feed, Ground, Kept, Latch, Lists, Read, Reflector, Selector, Source,
    Subject, Verb,
};

/// An engaged cluster: its name, a client for it, and the caches of the kinds that are watched there.
/// Cheap to clone.
#[derive(Clone)]
pub struct Cluster(Arc<Inner>);

struct Inner {
    name: ClusterName,
    /// The namespace that is the cluster, if it is only that.
    namespace: Option<Arc<str>>,
    /// The newest one. Watches begin anew with the next.
    way: Mutex<Way>,
    feeds: Mutex<Feeds>,
    common: Arc<Common>,
    lists: Lists,
    health: Health,
    /// The watches are to end.
    stop: Latch,
    /// The reconciles that are still running are to end.
    kill: Latch,
    /// Watches and reconciles.
    tasks: TaskTracker,
    retiring: AtomicBool,
}

/// How a cluster is reached.
struct Way {
    connection: Connection,
    line: Line,
}

/// What is watched.
#[derive(Default)]
struct Feeds {
    /// Whether the watches run; until then it is only said what is wanted, so that each begins with what
    /// all of its readers need.
    begun: bool,
    /// In the order of their subjects.
    all: Vec<Arc<Feed>>,
}

impl Cluster {
    pub(crate) fn new(
        name: ClusterName,
        connection: Connection,
        line: Line,
        common: &Arc<Common>,
    ) -> Self {
        Self(Arc::new(Inner {
            name,
            namespace: connection.namespace().cloned(),
            way: Mutex::new(Way { connection, line }),
            feeds: Mutex::default(),
            common: Arc::clone(common),
            lists: Lists::default(),
            health: Health::new(),
            stop: Latch::default(),
            kill: Latch::default(),
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
    ///
    /// It is the newest one: after the cluster has got another endpoint or other credentials, it is another client.
    pub fn client(&self) -> Client {
        self.line().client()
    }

    /// How its calls reach it now.
    pub(crate) fn line(&self) -> Line {
        self.0.way().line.clone()
    }

    /// Whether this is how it is reached now.
    pub(super) fn is_reached_by(&self, connection: &Connection) -> bool {
        self.0.way().connection.is(connection)
    }

    /// The namespace that is all of the cluster, where it is only a namespace.
    pub fn namespace(&self) -> Option<&str> {
        self.0.namespace.as_deref()
    }

    /// Goes on through another connection: what is watched is listed anew, and nothing else begins again.
    pub(super) fn reconnect(&self, connection: Connection, line: Line) {
        self.0.health.moved();
        self.0.lists.forget();
        *self.0.way() = Way { connection, line };
        for feed in &self.lock().all {
            feed.begin_again();
        }
    }

    /// How the cluster fares.
    pub(super) fn condition(&self) -> Condition {
        self.0.health.condition()
    }

    /// Takes in what went wrong elsewhere.
    pub(super) fn note(&self, error: String) {
        self.0.health.note(error);
    }

    /// How many watches there are, and whether one of them has been filled.
    pub(super) fn watches(&self) -> (usize, bool) {
        let feeds = self.lock();
        let mut all = feeds.all.iter();
        (feeds.all.len(), all.any(|feed| feed.is_filled()))
    }

    /// How much of an object is kept in its caches.
    pub(crate) fn kept(&self) -> Kept {
        self.0.common.kept
    }

    /// Shows what one of our own writes returned in the caches of its kind, until the watch has passed it.
    pub(crate) fn overlay(&self, kind: &ApiResource, written: &Value) {
        let text = |field: &str| Some(written.get("metadata")?.get(field)?.as_str()?.to_owned());
        let key = ObjectKey {
            namespace: text("namespace"),
            name: text("name").unwrap_or_default(),
        };
        for (selector, feed) in self.feeds_of(kind) {
            feed.overlay(written, selector.covers(&key));
        }
    }

    /// Shows what the server said to one of our own deletes in the caches of its kind: the object is gone, or on its way.
    pub(crate) fn deleted(&self, kind: &ApiResource, key: &ObjectKey, answer: &Value) {
        if answer.get("kind").and_then(Value::as_str) != Some("Status") {
            return self.overlay(kind, answer);
        }
        if let Some(uid) = answer.pointer("/details/uid").and_then(Value::as_str) {
            for (_, feed) in self.feeds_of(kind) {
                feed.end(key, uid);
            }
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
        let feeds = self.lock();
        let of_kind = feeds.all.iter().filter(|feed| feed.subject().is_of(kind));
        let with_selector = |feed: &Arc<Feed>| (feed.subject().selector.clone(), Arc::clone(feed));
        of_kind.map(with_selector).collect()
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
        self.open(kind.clone(), selector, Feed::join)
    }

    /// Watches a kind of which only what `read` makes of an object is kept, or shares the watch that there is.
    pub(crate) fn briefly<B>(
        &self,
        kind: &ApiResource,
        selector: Selector,
        read: Read<B>,
    ) -> Arc<Briefs<B>>
    where
        B: Clone + Send + Sync + 'static,
    {
        let join = |feed: &Feed| feed.join_briefly(read);
        self.open(kind.clone(), selector, join)
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
        let subject = Subject { kind, selector };
        let mut feeds = self.lock();
        let place = match feeds
            .all
            .binary_search_by(|feed| (**feed.subject()).cmp(&subject))
        {
            Ok(place) => return join(&feeds.all[place]),
            Err(place) => place,
        };
        let subject = self.0.common.subjects.keep(subject);
        let feed = Arc::new(Feed::new(subject, self.kept()));
        let cache = join(&feed);
        feeds.all.insert(place, Arc::clone(&feed));
        if feeds.begun {
            self.watch(feed);
        }
        cache
    }

    /// Begins to watch all that has been asked for, and from now on whatever is.
    pub(crate) fn begin(&self) {
        let mut feeds = self.lock();
        feeds.begun = true;
        for feed in &feeds.all {
            self.watch(Arc::clone(feed));
        }
    }

    fn watch(&self, feed: Arc<Feed>) {
        if self.0.stop.has_happened() {
            return;
        }
        let ground = Arc::clone(&self.0) as _;
        let reflector = Reflector { feed, ground };
        self.0.tasks.spawn(async move { reflector.run().await });
    }

    fn lock(&self) -> MutexGuard<'_, Feeds> {
        self.0.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves once every kind that is watched now has been listed.
    pub(crate) async fn synced(&self) {
        let sources: Vec<Arc<dyn Source>> = {
            let feeds = self.lock();
            let sources = feeds.all.iter().flat_map(|feed| feed.sources());
            sources.collect()
        };
        for source in sources {
            source.synced().await;
        }
    }

    /// Runs `work` until it ends or the cluster is dropped, whichever is first.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let this = Arc::clone(&self.0);
        // Boxed, as what is handed on by value has two places in the task, and idle ones are many.
        let mut work = Box::pin(work);
        self.0.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = this.kill.wait() => {}
                () = &mut work => {}
            }
        });
    }

    /// Runs a call that a reconcile in another cluster makes in this one: it ends with this one too. `None` where
    /// this one is left.
    pub(crate) async fn visit<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        // The place is taken first: who waits for the end of everything here either sees it or refuses the call.
        let _place = self.0.tasks.token();
        if self.0.stop.has_happened() {
            return None;
        }
        self.0.unless_killed(call).await
    }

    /// Ends the watches at once, and the reconciles that still run after `grace`. When it returns,
    /// nothing of ours talks to this cluster any more.
    pub(crate) async fn end(&self, grace: std::time::Duration) {
        self.stop();
        self.0.tasks.close();
        let in_time = tokio::select! {
            biased;
            () = self.0.common.abandoned.wait() => false,
            ended = tokio::time::timeout(grace, self.0.tasks.wait()) => ended.is_ok(),
        };
        if !in_time {
            self.kill();
            self.0.tasks.wait().await;
        }
        self.lock().all.clear();
    }

    /// Ends the watches.
    pub(crate) fn stop(&self) {
        self.0.stop.happens();
        for feed in &self.lock().all {
            feed.close();
        }
    }

    /// Ends the reconciles, without a grace.
    pub(crate) fn kill(&self) {
        self.0.kill.happens();
    }

    /// Resolves when the watches are to end.
    pub(crate) async fn stopped(&self) {
        self.0.stop.wait().await;
    }

    /// True while the cluster itself is being deleted: `cleanup` runs, and no new finalizer is set.
    pub fn is_retiring(&self) -> bool {
        self.0.retiring.load(Ordering::Relaxed)
    }

    pub(crate) fn set_retiring(&self, retiring: bool) {
        self.0.retiring.store(retiring, Ordering::Relaxed);
    }
}

impl Inner {
    /// What comes of `work`, or `None` when it is to end before it has.
    async fn unless_killed<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.kill.wait() => None,
            done = work => Some(done),
        }
    }

    fn way(&self) -> MutexGuard<'_, Way> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ground for Inner {
    fn line(&self) -> Line {
        self.way().line.clone()
    }

    fn lists(&self) -> &Lists {
        &self.lists
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn failed(&self, subject: &Arc<Subject>, verb: Verb, failure: &Failure) {
        let server = || self.way().connection.server();
        self.health
            .failed(&self.name, server, subject, verb, failure);
    }

    fn works(&self, subject: &Arc<Subject>) {
        let server = || self.way().connection.server();
        self.health.works(&self.name, server, subject);
    }

    fn misfit(&self, subject: &Subject, object: &ObjectKey, error: &str) {
        tracing::error!(
            cluster = %self.name, kind = %subject.kind.kind, %object, error,
            "an object does not fit its type and is left out, until it does"
        );
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cluster").field(self.name()).finish()
    }
}
