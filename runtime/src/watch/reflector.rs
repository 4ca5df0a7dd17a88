//! Keeps the caches of one feed up to date: list, watch from there, and begin again whenever that is needed.

#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::AsyncBufRead;
use futures::future::BoxFuture;
use kube::api::WatchParams;
use kube::core::{DynamicObject, Request};
use tokio::sync::Semaphore;

use super::Subject;
use super::feed::{Feed, Reader};
use super::listing::{Listed, Lists};
use super::wire::{Event, Events, Item};
use crate::controller::ObjectKey;
use crate::transport::{Backoff, Failure, Line, within};

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
pub(super) const HTTP_GONE: u16 = 410;
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
    fn failed(&self, subject: &Subject, verb: Verb, failure: &Failure);
    fn works(&self, subject: &Subject);
    /// An object does not fit its type and is left out.
    fn misfit(&self, subject: &Subject, object: &ObjectKey, error: &str);
}

/// What a reflector needs.
pub(crate) struct Reflector {
    pub(crate) feed: Arc<Feed>,
    /// The newest one.
    pub(crate) line: Arc<Mutex<Line>>,
    pub(crate) subject: Subject,
    /// How many clusters may fill their caches at once; waiting for a retry holds no place.
    pub(crate) engaging: Arc<Semaphore>,
    /// How the cluster is asked for lists.
    pub(crate) lists: Arc<Lists>,
    pub(crate) report: Arc<dyn Report>,
}

impl Reflector {
    /// Lists and watches until it is dropped.
    pub(crate) async fn run(&self) {
        let mut tries = Tries::default();
        loop {
            let turn = self.feed.turns().now();
            let round = Round::new(self, self.line());
            tokio::select! {
                biased;
                // Whoever comes later has everything told to it by a new list, which has what its kind of
                // reader needs.
                () = self.feed.turns().after(turn) => {}
                () = round.run(&mut tries) => {}
            }
            if !self.line().is(&round.line) {
                // It may lead to another server, which knows nothing of where we were.
                tries = Tries::default();
            }
        }
    }

    fn line(&self) -> Line {
        let line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.clone()
    }
}

/// An open watch.
pub(super) type Opened = Events<Pin<Box<dyn AsyncBufRead + Send>>>;

/// A list and the watch from there on, for those who read it now.
pub(super) struct Round<'a> {
    pub(super) reflector: &'a Reflector,
    pub(super) readers: Vec<Arc<dyn Reader>>,
    pub(super) metadata_only: bool,
    pub(super) request: Request,
    pub(super) line: Line,
}

impl<'a> Round<'a> {
    fn new(reflector: &'a Reflector, line: Line) -> Self {
        let (readers, metadata_only) = reflector.feed.readers();
        let Subject { kind, selector } = &reflector.subject;
        let path = <DynamicObject as kube::Resource>::url_path(kind, selector.namespace.as_deref());
        Self {
            reflector,
            readers,
            metadata_only,
            request: Request::new(path),
            line,
        }
    }

    async fn run(&self, tries: &mut Tries) {
        let outcome = match self.list().await {
            Ok(listed) => self
                .watch(listed, tries)
                .await
                .map_err(|failure| (Verb::Watch, failure)),
            Err(failed) => Err(failed),
        };
        // `Ok` means that the history which the watch needs is gone: list again, but not in a
        // tight loop, should the server say so each time.
        let asked = match &outcome {
            Ok(()) => None,
            Err((verb, failure)) => {
                self.set_current(false);
                tries.failed += 1;
                if failure.code() != Some(HTTP_TOO_MANY_REQUESTS) || tries.failed > PATIENT_TRIES {
                    self.failed(*verb, failure);
                }
                failure.retry_after()
            }
        };
        tokio::time::sleep(asked.unwrap_or_else(|| tries.backoff.next())).await;
    }

    /// Fills the caches with everything there is.
    async fn list(&self) -> Result<Listed, (Verb, Failure)> {
        // What is over soon is in a box of its own: else a watch would keep its room for as long as it is open.
        if self.readers.iter().all(|reader| reader.is_filled()) {
            return Box::pin(self.everything()).await;
        }
        let place = self.reflector.engaging.acquire().await;
        let mut list = Box::pin(self.everything());
        // A server that does not answer gives its place to the next, and may still answer.
        let quick = tokio::time::timeout(PLACE, &mut list).await;
        drop(place);
        match quick {
            Ok(listed) => listed,
            Err(_slow) => list.await,
        }
    }

    /// How the selected objects are watched.
    pub(super) fn watch_params(&self) -> WatchParams {
        let selector = &self.reflector.subject.selector;
        WatchParams {
            label_selector: selector.labels.as_deref().map(Into::into),
            field_selector: selector.fields.as_deref().map(Into::into),
            ..WatchParams::default()
        }
        .timeout(WATCH_SECONDS)
    }

    /// Opens a watch.
    pub(super) async fn open(
        &self,
        params: &WatchParams,
        version: &str,
    ) -> Result<Opened, Failure> {
        let request = match self.metadata_only {
            true => self.request.watch_metadata(params, version),
            false => self.request.watch(params, version),
        };
        let request = request.map_err(kube::Error::BuildRequest)?;
        let body = within(self.line.request_stream(request)).await?;
        Ok(Events::new(Box::pin(body)))
    }

    /// Watches from a list on for as long as the server remembers where we are. Returns `Ok` when a
    /// new list is needed, and an error when only a list can tell what is left.
    ///
    /// There are as many of these as watches: what is not needed while one is open is not kept beside it.
    async fn watch(&self, mut listed: Listed, tries: &mut Tries) -> Result<(), Failure> {
        loop {
            if listed.watch.is_none() {
                match self.open_from(&listed.version).await {
                    Ok(open) => listed.watch = Some(open),
                    Err(failure) => match failure.code() {
                        Some(HTTP_GONE) => return Ok(()),
                        // Gone as a kind, forbidden, or unknown as we are.
                        Some(400..HTTP_TOO_MANY_REQUESTS) => return Err(failure),
                        _ => self.trouble(&failure, tries).await,
                    },
                }
            }
            let Listed { version, watch } = &mut listed;
            let Some(events) = watch else {
                continue;
            };
            let ended = self.follow(events, version, tries).await;
            *watch = None;
            match ended {
                Ok(()) => {}
                Err(failure) if failure.code() == Some(HTTP_GONE) => return Ok(()),
                // What the server says in the middle of a watch, it would say again.
                Err(failure) if failure.code().is_some() => return Err(failure),
                Err(failure) => self.trouble(&failure, tries).await,
            }
        }
    }

    fn open_from<'b>(&'b self, version: &'b str) -> BoxFuture<'b, Result<Opened, Failure>> {
        Box::pin(async move { self.open(&self.watch_params(), version).await })
    }

    /// The way to the server is broken: the watch goes on from where it was, after a while.
    async fn trouble(&self, failure: &Failure, tries: &mut Tries) {
        self.set_current(false);
        self.failed(Verb::Watch, failure);
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
        events: &mut Opened,
        version: &mut String,
        tries: &mut Tries,
    ) -> Result<(), Failure> {
        let mut settled = false;
        loop {
            let patience = if settled { WATCH_SILENCE } else { SETTLED };
            let event = match tokio::time::timeout(patience, events.next()).await {
                Ok(Ok(Some(event))) => Some(event),
                Ok(Err(failure)) => return Err(failure),
                Ok(Ok(None)) => {
                    if !settled {
                        // An end without a word: nothing is wrong, unless it goes on like this.
                        tokio::time::sleep(tries.backoff.next()).await;
                    }
                    return Ok(());
                }
                Err(_silent) if settled => return Err(Failure::Deadline(WATCH_SILENCE)),
                Err(_quiet) => None,
            };
            if let Some(Event::Refused(status)) = event {
                return Err(Failure::Refused(status));
            }
            // Only now is it known that the watch works, and not just that it was opened.
            if !settled {
                settled = true;
                *tries = Tries::default();
                self.set_current(true);
                self.reflector.report.works(&self.reflector.subject);
            }
            let passed = match event {
                Some(Event::Put(item)) => {
                    for reader in &self.readers {
                        self.fit(&**reader, &item, reader.put(item.text));
                    }
                    item.version
                }
                Some(Event::Deleted(item)) => {
                    for reader in &self.readers {
                        reader.remove(&item.key);
                    }
                    item.version
                }
                Some(Event::Bookmark(bookmark)) => bookmark.version,
                Some(Event::Refused(_)) | None => None,
            };
            if let Some(passed) = passed {
                *version = passed;
            }
        }
    }

    /// Leaves out of a cache what does not fit its type.
    pub(super) fn fit(&self, reader: &dyn Reader, item: &Item<'_>, read: serde_json::Result<()>) {
        if let Err(error) = read {
            reader.leave_out(&item.key);
            let Reflector {
                report, subject, ..
            } = self.reflector;
            report.misfit(subject, &item.key, &error.to_string());
        }
    }

    fn set_current(&self, current: bool) {
        for reader in &self.readers {
            reader.set_current(current);
        }
    }

    fn failed(&self, verb: Verb, failure: &Failure) {
        let Reflector {
            report, subject, ..
        } = self.reflector;
        report.failed(subject, verb, failure);
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
