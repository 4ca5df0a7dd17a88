//! Keeps the caches of one feed up to date: list, watch from there, and begin again whenever that is needed.

#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::AsyncBufRead;
use kube::api::WatchParams;
use kube::core::{DynamicObject, Request};
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::feed::{Feed, Reader, reads_metadata_only};
use super::listing::Listed;
use super::seen::Seen;
use super::significance::is_newer;
use super::wire::{Event, Events, Item};
use super::{Ground, Subject, Verb};
use crate::transport::{Answers, Backoff, Failure, Line, random_bits, within};

/// After how long the server ends a watch by itself, in seconds, at most (kube refuses 295 and more).
const WATCH_SECONDS: u32 = 290;
/// How much sooner it may do so: watches that began together would otherwise begin anew together, again and again.
const SOONER_SECONDS: u32 = 60;
/// A watch that says nothing for longer than it may live, not even a bookmark, is hung.
pub(super) const WATCH_SILENCE: Duration = Duration::from_secs(WATCH_SECONDS as u64 + 15);
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(15);
/// A server that says "later" is believed for so many tries before it is called trouble: Milo does so
/// while it sets up the storage of a kind.
const PATIENT_TRIES: u32 = 5;
const HTTP_TOO_MANY_REQUESTS: u16 = 429;
pub(super) const HTTP_GONE: u16 = 410;
/// A watch that has been open for so long works, even if it has nothing to say.
const SETTLED: Duration = Duration::from_secs(5);

/// Keeps one feed up to date in one cluster.
///
/// There are as many of these as watches, and nearly all of them wait for an event nearly all the time: whatever is
/// not needed meanwhile is in a box of its own, or is not kept.
pub(crate) struct Reflector {
    pub(crate) feed: Arc<Feed>,
    pub(crate) ground: Arc<dyn Ground>,
}

impl Reflector {
    /// Lists and watches until the feed is ended.
    pub(crate) async fn run(&self) {
        let mut tries = None;
        while !self.feed.turns().are_over() {
            let turn = self.feed.turns().now();
            let round = Round::new(self);
            tokio::select! {
                biased;
                // Whoever comes later has everything told to it by a new list, which has what its kind of
                // reader needs.
                () = self.feed.turns().after(turn) => {}
                () = round.run(&mut tries) => {}
            }
            let has_moved = !self.ground.line().is(&round.line);
            self.feed.set_moved(has_moved);
            if has_moved {
                // It may lead to another server, which knows nothing of where we were.
                tries = None;
            }
        }
    }
}

/// How it has gone since the watch last worked, if it has not.
struct Tries {
    failed: u32,
    /// The last one had no answer.
    unanswered: bool,
    backoff: Backoff,
}

impl Tries {
    fn new() -> Box<Self> {
        Box::new(Self {
            failed: 0,
            unanswered: false,
            backoff: Backoff::new(FIRST_BACKOFF, LONGEST_BACKOFF),
        })
    }
}

/// An open watch.
pub(super) type Opened = Events<Pin<Box<dyn AsyncBufRead + Send>>>;

/// A list and the watch from there on, for those who read it now.
pub(super) struct Round<'a> {
    pub(super) reflector: &'a Reflector,
    pub(super) readers: Box<[Arc<dyn Reader>]>,
    pub(super) line: Line,
}

/// Why a watch is not open any more.
enum Ended {
    /// It may be opened again from where it was.
    Quietly,
    /// It has ended before it could be known that it works.
    AtOnce,
    /// It has said nothing all its life, not even that nothing happened: so is one from a version that is yet to come,
    /// at a server that was set back to an earlier state.
    Mute,
    Failed(Failure),
}

impl<'a> Round<'a> {
    fn new(reflector: &'a Reflector) -> Self {
        Self {
            reflector,
            readers: reflector.feed.readers(),
            line: reflector.ground.line(),
        }
    }

    pub(super) fn subject(&self) -> &'a Arc<Subject> {
        self.reflector.feed.subject()
    }

    /// Whether metadata is enough for all who read it.
    pub(super) fn metadata_only(&self) -> bool {
        let mut readers = self.readers.iter();
        readers.all(|reader| reads_metadata_only(&**reader))
    }

    /// A request about the selected objects, or one page of them.
    pub(super) fn request(&self) -> Request {
        let Subject { kind, selector } = &**self.subject();
        let path = <DynamicObject as kube::Resource>::url_path(kind, selector.namespace.as_deref());
        Request::new(path)
    }

    async fn run(&self, tries: &mut Option<Box<Tries>>) {
        // Thousands may wait for a place, and nothing else is kept meanwhile.
        let place = self.place(tries.as_deref()).await;
        let Some(mut at) = Box::pin(self.begin(place, tries)).await else {
            return;
        };
        loop {
            let ended = self.follow(&mut at, tries).await;
            if !Box::pin(self.go_on(ended, &mut at, tries)).await {
                return;
            }
        }
    }

    /// Lists everything, and opens the watch from there on; `None` after a while where that fails.
    async fn begin(
        &self,
        place: Option<SemaphorePermit<'_>>,
        tries: &mut Option<Box<Tries>>,
    ) -> Option<Listed> {
        match self.list(place).await {
            Ok(mut listed) => {
                let is_open = listed.watch.is_some() || self.open_from(&mut listed, tries).await;
                is_open.then_some(listed)
            }
            Err((verb, failure)) => {
                self.wait_after(verb, &failure, tries).await;
                None
            }
        }
    }

    /// Opens the watch again from where it was, after what it takes. False where only a list can tell what is left.
    async fn go_on(&self, ended: Ended, at: &mut Listed, tries: &mut Option<Box<Tries>>) -> bool {
        at.watch = None;
        match ended {
            Ended::Quietly => {}
            // Nothing is wrong, unless it goes on like this.
            Ended::AtOnce => pause(tries).await,
            Ended::Mute => {
                pause(tries).await;
                return false;
            }
            Ended::Failed(failure) if failure.code() == Some(HTTP_GONE) => {
                pause(tries).await;
                return false;
            }
            // What the server says in the middle of a watch, it would say again.
            Ended::Failed(failure) if failure.code().is_some() => {
                self.wait_after(Verb::Watch, &failure, tries).await;
                return false;
            }
            Ended::Failed(failure) => self.trouble(&failure, tries).await,
        }
        self.open_from(at, tries).await
    }

    /// Opens the watch from where it was. False where only a list can tell what is left.
    async fn open_from(&self, at: &mut Listed, tries: &mut Option<Box<Tries>>) -> bool {
        loop {
            match self.open(&self.watch_params(), &at.version).await {
                Ok(open) => {
                    at.watch = Some(open);
                    return true;
                }
                Err(failure) => match failure.code() {
                    // The history is gone: but not in a tight loop, should the server say so each time.
                    Some(HTTP_GONE) => {
                        pause(tries).await;
                        return false;
                    }
                    // Gone as a kind, forbidden, or unknown as we are.
                    Some(400..HTTP_TOO_MANY_REQUESTS) => {
                        self.wait_after(Verb::Watch, &failure, tries).await;
                        return false;
                    }
                    _ => self.trouble(&failure, tries).await,
                },
            }
        }
    }

    /// Waits for the time of the next round.
    async fn wait_after(&self, verb: Verb, failure: &Failure, tries: &mut Option<Box<Tries>>) {
        self.set_current(false);
        let counted = tries.get_or_insert_with(Tries::new);
        counted.failed += 1;
        counted.unanswered = failure.code().is_none();
        let is_long = failure.retry_after() > Some(LONGEST_BACKOFF);
        let is_later = failure.code() == Some(HTTP_TOO_MANY_REQUESTS) && !is_long;
        if !is_later || counted.failed > PATIENT_TRIES {
            self.failed(verb, failure);
        }
        wait(failure, tries).await;
    }

    /// The way to the server is broken: the watch goes on from where it was, after a while.
    async fn trouble(&self, failure: &Failure, tries: &mut Option<Box<Tries>>) {
        self.set_current(false);
        self.failed(Verb::Watch, failure);
        wait(failure, tries).await;
    }

    /// A place among those that fill their caches at once, for who has to. A whole fleet may move together.
    async fn place(&self, tries: Option<&Tries>) -> Option<SemaphorePermit<'a>> {
        let mut readers = self.readers.iter();
        if !self.reflector.feed.has_moved() && readers.all(|reader| reader.is_filled()) {
            return None;
        }
        let common = self.reflector.ground.common();
        if !tries.is_some_and(|tries| tries.unanswered) {
            let place = common.engaging.acquire().await.ok();
            // Others at the same endpoint may have found out meanwhile.
            if !self.line.answers().is_some_and(Answers::are_missed) {
                return place;
            }
        }
        common.unanswered.acquire().await.ok()
    }

    /// Fills the caches with everything there is.
    async fn list(&self, place: Option<SemaphorePermit<'_>>) -> Result<Listed, (Verb, Failure)> {
        let mut list = Box::pin(self.everything());
        if place.is_none() {
            return list.await;
        }
        // A server that does not answer gives its place to the next, and may still answer.
        let usual = &self.reflector.ground.common().usual;
        let answers = self.line.answers().map(|answers| (answers, answers.now()));
        let began = Instant::now();
        let quick = tokio::time::timeout(usual.patience(), &mut list).await;
        drop(place);
        let listed = match quick {
            Ok(listed) => listed,
            Err(_slow) => {
                if let Some((answers, since)) = answers {
                    answers.missed(since);
                }
                list.await
            }
        };
        if listed.is_ok() {
            usual.took(began.elapsed());
        }
        listed
    }

    /// How the selected objects are watched.
    pub(super) fn watch_params(&self) -> WatchParams {
        let sooner = (random_bits() >> 32) as u32 % SOONER_SECONDS;
        let selector = &self.subject().selector;
        WatchParams {
            label_selector: selector.labels.as_deref().map(Into::into),
            field_selector: selector.fields.as_deref().map(Into::into),
            ..WatchParams::default()
        }
        .timeout(WATCH_SECONDS - sooner)
    }

    /// Opens a watch.
    pub(super) async fn open(
        &self,
        params: &WatchParams,
        version: &str,
    ) -> Result<Opened, Failure> {
        let request = match self.metadata_only() {
            true => self.request().watch_metadata(params, version),
            false => self.request().watch(params, version),
        };
        let request = request.map_err(kube::Error::BuildRequest)?;
        // In a box of its own, as what is handed on by value has two places.
        let body = within(Box::pin(self.line.request_stream(request))).await?;
        Ok(Events::new(Box::pin(body)))
    }

    /// Takes in events until the watch ends, and moves the version along.
    async fn follow(&self, at: &mut Listed, tries: &mut Option<Box<Tries>>) -> Ended {
        let mut seen = Seen::Nothing;
        loop {
            let Some(events) = &mut at.watch else {
                return Ended::Quietly;
            };
            let patience = match seen.is_settled() {
                true => WATCH_SILENCE,
                false => SETTLED,
            };
            let told = match tokio::time::timeout(patience, events.line()).await {
                Ok(Ok(true)) => true,
                Ok(Err(failure)) => return Ended::Failed(failure),
                Ok(Ok(false)) => {
                    return match seen {
                        Seen::Nothing | Seen::Speaking => Ended::AtOnce,
                        Seen::Open => Ended::Mute,
                        Seen::Working => Ended::Quietly,
                    };
                }
                Err(_silent) if seen.is_settled() => {
                    return Ended::Failed(Failure::Deadline(WATCH_SILENCE));
                }
                Err(_quiet) => false,
            };
            // Borrowed anew, as nothing is kept over the wait that need not be.
            let event = at.watch.as_ref().filter(|_| told).map(Events::event);
            let event = match event.transpose() {
                Ok(event) => event,
                Err(failure) => return Ended::Failed(failure),
            };
            if let Some(Event::Refused(status)) = event {
                return Ended::Failed(Failure::Refused(status));
            }
            if seen == Seen::Nothing {
                self.set_current(true);
                self.reflector.ground.works(self.subject());
            }
            let is_new = |item: &Item<'_>| is_newer(item.version.as_deref(), Some(&at.version));
            seen = seen.with(event.as_ref().map(|event| match event {
                Event::Put(item) | Event::Deleted(item) => is_new(item),
                Event::Bookmark(_) | Event::Refused(_) => false,
            }));
            if seen.is_settled() {
                *tries = None;
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
            // A bookmark may be late: where we were already, we stay.
            if let Some(passed) = passed.filter(|passed| !is_newer(Some(&at.version), Some(passed)))
            {
                for reader in &self.readers {
                    reader.passed(&passed);
                }
                at.version = passed.into();
            }
        }
    }

    /// Leaves out of a cache what does not fit its type.
    pub(super) fn fit(&self, reader: &dyn Reader, item: &Item<'_>, read: serde_json::Result<()>) {
        if let Err(error) = read {
            reader.leave_out(&item.key);
            let ground = &self.reflector.ground;
            ground.misfit(self.subject(), &item.key, &error.to_string());
        }
    }

    fn set_current(&self, current: bool) {
        for reader in &self.readers {
            reader.set_current(current);
        }
    }

    fn failed(&self, verb: Verb, failure: &Failure) {
        self.reflector.ground.failed(self.subject(), verb, failure);
    }
}

/// Waits for as long as the server asks for, or for longer each time.
async fn wait(failure: &Failure, tries: &mut Option<Box<Tries>>) {
    match failure.retry_after() {
        Some(asked) => tokio::time::sleep(asked).await,
        None => pause(tries).await,
    }
}

/// Waits for longer each time.
async fn pause(tries: &mut Option<Box<Tries>>) {
    let tries = tries.get_or_insert_with(Tries::new);
    tokio::time::sleep(tries.backoff.next()).await;
}
