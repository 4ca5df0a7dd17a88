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

use super::{Cache, Selector};
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
const HTTP_NOT_FOUND: u16 = 404;

/// How a reflector fares, told at each change for better or worse.
pub(crate) trait Report: Send + Sync {
    fn failed(&self, kind: &ApiResource, failure: &Failure);
    fn works(&self, kind: &ApiResource);
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
        let api = Api::<K>::all_with(self.client.clone(), &dynamic);
        let mut backoff = Backoff::new(FIRST_BACKOFF, LONGEST_BACKOFF);
        let mut failures = 0;
        loop {
            let outcome = match self.list(&api).await {
                Ok(version) => {
                    failures = 0;
                    backoff = Backoff::new(FIRST_BACKOFF, LONGEST_BACKOFF);
                    self.report.works(&self.kind);
                    self.watch(&api, version).await
                }
                Err(failure) => Err(failure),
            };
            // `Ok` means that the history which the watch needs is gone: list again, but not in a
            // tight loop, should the server say so each time.
            let asked = match &outcome {
                Ok(()) => None,
                Err(failure) => {
                    if failure.code() == Some(HTTP_NOT_FOUND) {
                        self.cache.clear();
                    }
                    failures += 1;
                    if failure.code() != Some(HTTP_TOO_MANY_REQUESTS) || failures > PATIENT_TRIES {
                        self.report.failed(&self.kind, failure);
                    }
                    failure.retry_after()
                }
            };
            tokio::time::sleep(asked.unwrap_or_else(|| backoff.next())).await;
        }
    }

    /// Fills the cache with everything there is, and returns the version from which to watch.
    async fn list(&self, api: &Api<K>) -> Result<String, Failure> {
        let _place = match self.cache.is_synced() {
            false => self.engaging.acquire().await.ok(),
            true => None,
        };
        let mut params = ListParams {
            label_selector: self.selector.labels.clone(),
            ..ListParams::default()
        }
        .limit(PAGE);
        let mut objects = Vec::new();
        loop {
            let page = within(api.list(&params)).await?;
            objects.extend(page.items.into_iter().map(slim));
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
    /// new list is needed, and an error when the way to the server is broken.
    async fn watch(&self, api: &Api<K>, mut version: String) -> Result<(), Failure> {
        let params = WatchParams {
            label_selector: self.selector.labels.clone(),
            ..WatchParams::default()
        };
        let params = params.timeout(WATCH_SECONDS);
        let mut backoff = Backoff::new(FIRST_BACKOFF, LONGEST_BACKOFF);
        loop {
            let failure = match within(api.watch(&params, &version)).await {
                Ok(events) => {
                    self.report.works(&self.kind);
                    match self.follow(events, &mut version).await {
                        Ok(true) => {
                            backoff = Backoff::new(FIRST_BACKOFF, LONGEST_BACKOFF);
                            continue;
                        }
                        // An end without a word: nothing is wrong, unless it goes on like this.
                        Ok(false) => {
                            tokio::time::sleep(backoff.next()).await;
                            continue;
                        }
                        Err(failure) => failure,
                    }
                }
                Err(failure) => failure,
            };
            match failure.code() {
                Some(HTTP_GONE) => return Ok(()),
                // Gone as a kind, forbidden, or unknown as we are: only a list tells what is left.
                Some(code) if (400..429).contains(&code) => return Err(failure),
                _ => {
                    self.report.failed(&self.kind, &failure);
                    tokio::time::sleep(failure.retry_after().unwrap_or_else(|| backoff.next()))
                        .await;
                }
            }
        }
    }

    /// Takes in events until the watch ends, and moves `version` along. Returns whether anything came.
    async fn follow(
        &self,
        events: impl futures::Stream<Item = kube::Result<WatchEvent<K>>> + Send,
        version: &mut String,
    ) -> Result<bool, Failure> {
        let mut events = pin!(events);
        let mut heard = false;
        loop {
            let event = match tokio::time::timeout(WATCH_SILENCE, events.next()).await {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(heard),
                Err(_silent) => return Err(Failure::Deadline(WATCH_SILENCE)),
            };
            heard = true;
            let newer = match event {
                Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)) => {
                    let newer = object.meta().resource_version.clone();
                    self.cache.put(slim(object));
                    newer
                }
                Ok(WatchEvent::Deleted(object)) => {
                    self.cache.remove(&object);
                    object.meta().resource_version.clone()
                }
                Ok(WatchEvent::Bookmark(bookmark)) => {
                    *version = bookmark.metadata.resource_version;
                    continue;
                }
                Ok(WatchEvent::Error(status)) => return Err(Failure::Refused(status)),
                Err(kube::Error::SerdeError(error)) => {
                    // One object that does not fit its type: the others are not to suffer for it.
                    let failure = Failure::Broken(Box::new(kube::Error::SerdeError(error)));
                    self.report.failed(&self.kind, &failure);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if let Some(newer) = newer {
                *version = newer;
            }
        }
    }
}

/// Drops what no controller reads and what makes up half of many objects.
fn slim<K: Resource>(mut object: K) -> K {
    object.meta_mut().managed_fields = None;
    object
}
