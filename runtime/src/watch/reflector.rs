//! Keeps one cache up to date: list, watch from there, and begin again whenever that is needed.

use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use kube::api::{Api, ApiResource, ListParams, WatchEvent, WatchParams};
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use super::guarded::Guarded;
use super::{Cache, Selector};
use crate::controller::ObjectKey;
use crate::transport::{Backoff, Failure, within};

/// How many objects one page of a list holds.
const PAGE: u32 = 500;
/// After how long the server ends a watch by itself, in seconds (kube refuses 295 and more).
const WATCH_SECONDS: u32 = 290;
/// A watch that says nothing for longer than it may live, not even a bookmark, is hung.
const WATCH_SILENCE: Duration = Duration::from_secs(WATCH_SECONDS as u64 + 15);
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(15);
/// A server that says "later" is believed for so many tries before it is called trouble: Milo does so
/// while it sets up the storage of a kind.
const PATIENT_TRIES: u32 = 5;
const HTTP_TOO_MANY_REQUESTS: u16 = 429;
const HTTP_GONE: u16 = 410;
/// How long a server may take for its first list before its place goes to the next.
const PLACE: Duration = Duration::from_secs(2);
/// A watch that has been open for so long works, even if it has nothing to say.
const SETTLED: Duration = Duration::from_secs(5);

/// What a reflector asks of the server, each of which may be allowed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    List,
    Watch,
}

/// How a reflector fares, told at each change for better or worse.
pub(crate) trait Report: Send + Sync {
    fn failed(&self, kind: &ApiResource, verb: Verb, failure: &Failure);
    fn works(&self, kind: &ApiResource);
    /// An object does not fit its type and is left out.
    fn misfit(&self, kind: &ApiResource, object: &ObjectKey, error: &str);
}

/// What a reflector needs besides its cache.
pub(crate) struct Reflector<K> {
    pub(crate) cache: Arc<Cache<K>>,
    pub(crate) client: Client,
    pub(crate) kind: ApiResource,
    pub(crate) selector: Selector,
    /// How many clusters may fill their caches at once; waiting for a retry holds no place.
    pub(crate) engaging: Arc<Semaphore>,
    pub(crate) report: Arc<dyn Report>,
}

impl<K> Reflector<K>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    /// Lists and watches until it is dropped.
    pub(crate) async fn run(self, dynamic: K::DynamicType) {
        let client = self.client.clone();
        let api = match &self.selector.namespace {
            Some(namespace) => Api::<Guarded<K>>::namespaced_with(client, namespace, &dynamic),
            None => Api::all_with(client, &dynamic),
        };
        let mut tries = Tries::default();
        loop {
            let outcome = match self.list(&api).await {
                Ok(version) => self
                    .watch(&api, version, &mut tries)
                    .await
                    .map_err(|failure| (Verb::Watch, failure)),
                Err(failure) => Err((Verb::List, failure)),
            };
            // `Ok` means that the history which the watch needs is gone: list again, but not in a
            // tight loop, should the server say so each time.
            let asked = match &outcome {
                Ok(()) => None,
                Err((verb, failure)) => {
                    self.cache.set_current(false);
                    tries.failed += 1;
                    if failure.code() != Some(HTTP_TOO_MANY_REQUESTS)
                        || tries.failed > PATIENT_TRIES
                    {
                        self.report.failed(&self.kind, *verb, failure);
                    }
                    failure.retry_after()
                }
            };
            tokio::time::sleep(asked.unwrap_or_else(|| tries.backoff.next())).await;
        }
    }

    /// Fills the cache with everything there is, and returns the version from which to watch.
    async fn list(&self, api: &Api<Guarded<K>>) -> Result<String, Failure> {
        let mut list = pin!(self.pages(api));
        if !self.cache.is_filled() {
            let place = self.engaging.acquire().await;
            // A server that does not answer gives its place to the next, and may still answer.
            let quick = tokio::time::timeout(PLACE, &mut list).await;
            drop(place);
            if let Ok(listed) = quick {
                return listed;
            }
        }
        list.await
    }

    async fn pages(&self, api: &Api<Guarded<K>>) -> Result<String, Failure> {
        let mut params = ListParams {
            label_selector: self.selector.labels.as_deref().map(Into::into),
            field_selector: self.selector.fields.as_deref().map(Into::into),
            ..ListParams::default()
        }
        .limit(PAGE);
        let mut objects = Vec::new();
        loop {
            let page = within(api.list(&params)).await?;
            objects.extend(
                page.items
                    .into_iter()
                    .filter_map(|object| self.fitting(object)),
            );
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params.continue_token = Some(token),
                None => {
                    self.cache.replace(objects);
                    return Ok(page.metadata.resource_version.unwrap_or_default());
                }
            }
        }
    }

    /// Watches from `version` on for as long as the server remembers where we are. Returns `Ok` when a
    /// new list is needed, and an error when only a list can tell what is left.
    async fn watch(
        &self,
        api: &Api<Guarded<K>>,
        mut version: String,
        tries: &mut Tries,
    ) -> Result<(), Failure> {
        let params = WatchParams {
            label_selector: self.selector.labels.as_deref().map(Into::into),
            field_selector: self.selector.fields.as_deref().map(Into::into),
            ..WatchParams::default()
        };
        let params = params.timeout(WATCH_SECONDS);
        loop {
            match within(api.watch(&params, &version)).await {
                Ok(events) => match self.follow(events, &mut version, tries).await {
                    Ok(()) => {}
                    Err(failure) if failure.code() == Some(HTTP_GONE) => return Ok(()),
                    // What the server says in the middle of a watch, it would say again.
                    Err(failure) if failure.code().is_some() => return Err(failure),
                    Err(failure) => self.trouble(&failure, tries).await,
                },
                Err(failure) => match failure.code() {
                    Some(HTTP_GONE) => return Ok(()),
                    // Gone as a kind, forbidden, or unknown as we are.
                    Some(400..HTTP_TOO_MANY_REQUESTS) => return Err(failure),
                    _ => self.trouble(&failure, tries).await,
                },
            }
        }
    }

    /// The way to the server is broken: the watch goes on from where it was, after a while.
    async fn trouble(&self, failure: &Failure, tries: &mut Tries) {
        self.cache.set_current(false);
        self.report.failed(&self.kind, Verb::Watch, failure);
        tokio::time::sleep(
            failure
                .retry_after()
                .unwrap_or_else(|| tries.backoff.next()),
        )
        .await;
    }

    /// Takes in events until the watch ends, and moves `version` along.
    async fn follow(
        &self,
        events: impl futures::Stream<Item = kube::Result<WatchEvent<Guarded<K>>>> + Send,
        version: &mut String,
        tries: &mut Tries,
    ) -> Result<(), Failure> {
        let mut events = pin!(events);
        let mut settled = false;
        loop {
            let patience = if settled { WATCH_SILENCE } else { SETTLED };
            let event = match tokio::time::timeout(patience, events.next()).await {
                Ok(Some(event)) => Some(event.map_err(Failure::from)?),
                Ok(None) => {
                    if !settled {
                        // An end without a word: nothing is wrong, unless it goes on like this.
                        tokio::time::sleep(tries.backoff.next()).await;
                    }
                    return Ok(());
                }
                Err(_silent) if settled => return Err(Failure::Deadline(WATCH_SILENCE)),
                Err(_quiet) => None,
            };
            if let Some(WatchEvent::Error(status)) = event {
                return Err(Failure::Refused(status));
            }
            // Only now is it known that the watch works, and not just that it was opened.
            if !settled {
                settled = true;
                *tries = Tries::default();
                self.cache.set_current(true);
                self.report.works(&self.kind);
            }
            match event {
                Some(WatchEvent::Added(object) | WatchEvent::Modified(object)) => {
                    advance(version, &object);
                    let key = ObjectKey::of(&object);
                    match self.fitting(object) {
                        Some(object) => self.cache.put(object),
                        None => self.cache.remove(&key),
                    }
                }
                Some(WatchEvent::Deleted(object)) => {
                    advance(version, &object);
                    self.cache.remove(&ObjectKey::of(&object));
                }
                Some(WatchEvent::Bookmark(bookmark)) => {
                    *version = bookmark.metadata.resource_version;
                }
                Some(WatchEvent::Error(_)) | None => {}
            }
        }
    }

    /// The object as it is kept, unless it does not fit its type.
    fn fitting(&self, object: Guarded<K>) -> Option<K> {
        let key = ObjectKey::of(&object);
        match object.0 {
            Ok(object) => Some(slim(object)),
            Err(invalid) => {
                self.report.misfit(&self.kind, &key, &invalid.error);
                None
            }
        }
    }
}

/// How it has gone since the watch last worked.
struct Tries {
    failed: u32,
    backoff: Backoff,
}

impl Default for Tries {
    fn default() -> Self {
        Self {
            failed: 0,
            backoff: Backoff::new(FIRST_BACKOFF, LONGEST_BACKOFF),
        }
    }
}

fn advance<K: Resource>(version: &mut String, object: &K) {
    if let Some(newer) = &object.meta().resource_version {
        version.clone_from(newer);
    }
}

/// Drops what no controller reads and what makes up half of many objects.
fn slim<K: Resource>(mut object: K) -> K {
    object.meta_mut().managed_fields = None;
    object
}
