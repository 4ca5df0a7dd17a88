//! `watch`: what happens to the objects of a resource, as it happens.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::Response;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::Asked;
use super::read::{Since, initialize, number, said, too_new};
use super::selector::Selector;
use super::target::Target;
use super::view::{Form, PIECE};
use super::{LONG_TOGETHER, response, stale, unreadable};
use crate::clock;
use crate::failure::Failure;
use crate::json;
use crate::long;
use crate::serve::{Body, BoxError};
use crate::signal::Ear;
use crate::store::{Change, Compacted, Kept, Snapshot, What};
use crate::structs::Typed;

/// How long a watch lives at most.
const LONGEST: Duration = Duration::from_secs(45 * 60);
/// How often a watch that wants bookmarks gets one.
const BOOKMARKS: Duration = Duration::from_secs(60);
/// How long before its end it gets the last.
const LAST_BOOKMARK: Duration = Duration::from_secs(2);

/// Answers a watch: the body goes on until somebody has had enough.
pub(crate) fn watch(target: &Target, asked: &Asked) -> Result<Response<Body>, Failure> {
    let form = Form::of(target, asked)?;
    initialize(target, asked)?;
    let lifetime = match number(asked, "timeoutSeconds")? {
        None | Some(0) => LONGEST,
        // A negative one is over.
        Some(seconds) => Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).min(LONGEST),
    };
    number(asked, "limit")?;
    let said = said(asked)?;
    Since::check(asked)?;
    unreadable::check_cache(target)?;
    let selector = said.of(&target.resource, target.version())?;
    let since = Since::read(asked)?;
    let bookmarks = asked.query.flag("allowWatchBookmarks");
    let initial = asked.query.tri("sendInitialEvents");

    // Subscribed before anything is read, so that nothing falls between.
    let signal = target.plane.store.signal(target.bucket());
    let now = Instant::now();
    let mut watching = Watching {
        target: target.clone(),
        form,
        selector,
        seen: 0,
        live: false,
        signal,
        ends: now + lifetime,
        next_bookmark: bookmarks.then(|| next_bookmark(now, now + lifetime)),
        ready: VecDeque::new(),
        state: VecDeque::new(),
        state_ends: None,
        awaits: None,
        columns: true,
        over: false,
        is_on_own_task: asked.is_on_own_task,
    };
    let sends_state = initial.unwrap_or(matches!(since.revision, None | Some(0)));
    let newest = stale::newest(target, asked);
    if let Some(revision) = since.revision.filter(|it| sends_state && *it > newest) {
        watching.awaits = Some(Awaited {
            revision,
            bookmarks,
        });
    } else if sends_state {
        watching.send_state(stale::snapshot(target, asked), bookmarks);
    } else {
        watching.seen = since
            .revision
            .filter(|revision| *revision > 0)
            .unwrap_or(newest);
        let begins = target.plane.store.begins(target.bucket());
        // A replica that lags behind began to serve the kind before.
        if watching.seen < begins && asked.distortion.stale.is_none() {
            watching.fail_too_old(begins);
        }
    }
    let frames = stream::unfold(watching, async |mut watching| {
        let bytes = watching.next().await?;
        Some((Ok::<_, BoxError>(Frame::data(bytes)), watching))
    });
    let body = StreamBody::new(frames).boxed();
    Ok(response::in_parts("application/json", body))
}

/// The state of no older revision than this, and whether a bookmark is behind it.
struct Awaited {
    revision: u64,
    bookmarks: bool,
}

struct Watching {
    target: Target,
    form: Form,
    selector: Selector,
    /// The newest revision that this watch knows all about.
    seen: u64,
    /// It has read the history once: from then on it has missed nothing, however long nothing happened.
    live: bool,
    signal: Ear,
    ends: Instant,
    next_bookmark: Option<Instant>,
    ready: VecDeque<Bytes>,
    /// What there was at the beginning and is not written yet.
    state: VecDeque<Arc<Kept>>,
    /// The revision of the bookmark behind it.
    state_ends: Option<u64>,
    /// What is to be there before any of it is told.
    awaits: Option<Awaited>,
    /// The next Table carries the columns.
    columns: bool,
    over: bool,
    /// Nothing but the server runs there.
    is_on_own_task: bool,
}

impl Watching {
    /// The state, as if everything had just been added.
    fn send_state(&mut self, snapshot: Snapshot, bookmark: bool) {
        let objects = snapshot.objects.iter();
        let selected = objects.filter(|object| self.selector.selects(object));
        self.state = selected.cloned().collect();
        self.state_ends = bookmark.then_some(snapshot.revision);
        self.seen = snapshot.revision;
        self.live = true;
    }

    /// The state once it is as new as was asked for.
    async fn await_state(&mut self, awaited: Awaited) {
        let plane = self.target.plane.clone();
        let is_there = tokio::select! {
            biased;
            () = plane.closed.cancelled() => return self.over = true,
            is_there = plane.store.reaches(awaited.revision) => is_there,
        };
        if is_there {
            let bucket = self.target.bucket();
            let is_long = self.is_on_own_task && plane.store.weight(bucket) > LONG_TOGETHER;
            let snapshot = plane.store.list(bucket, self.target.namespace.as_deref());
            long::beside_others(is_long, || self.send_state(snapshot, awaited.bookmarks));
        } else {
            self.fail(&too_new(awaited.revision, plane.store.revision()));
        }
    }

    /// Ends with an event that says why.
    fn fail(&mut self, failure: &Failure) {
        let mut events = Vec::new();
        line("ERROR", &Typed(&failure.status()), &mut events);
        self.push(events);
        self.over = true;
    }

    fn fail_too_old(&mut self, oldest: u64) {
        let why = format!("too old resource version: {} ({oldest})", self.seen);
        self.fail(&Failure::expired(why));
    }

    /// Writes the next piece of the state: as much as its reader takes at a time, however slow that is.
    fn write_state(&mut self) {
        let mut events = Vec::new();
        while events.len() < PIECE
            && let Some(object) = self.state.pop_front()
        {
            self.write("ADDED", &object, &mut events);
        }
        if self.state.is_empty()
            && let Some(revision) = self.state_ends.take()
        {
            self.write_bookmark(revision, true, &mut events);
        }
        self.push(events);
    }

    fn push(&mut self, events: Vec<u8>) {
        if !events.is_empty() {
            self.ready.push_back(events.into());
        }
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some(bytes);
            }
            if self.over {
                return None;
            }
            if let Some(awaited) = self.awaits.take() {
                self.await_state(awaited).await;
                continue;
            }
            if !self.state.is_empty() || self.state_ends.is_some() {
                clock::within(self.target.world.clock, || self.write_state());
                continue;
            }
            self.signal.mark_unchanged();
            clock::within(self.target.world.clock, || self.read_history());
            if !self.ready.is_empty() || self.over {
                continue;
            }
            let wake = self.next_bookmark.map_or(self.ends, |at| at.min(self.ends));
            tokio::select! {
                biased;
                () = self.target.plane.closed.cancelled() => self.over = true,
                () = self.target.resource.replaced() => {
                    self.read_history();
                    self.over = true;
                }
                () = self.signal.changed() => {}
                () = tokio::time::sleep_until(wake) => self.tick(),
            }
        }
    }

    /// A bookmark is due, or the end.
    fn tick(&mut self) {
        let now = Instant::now();
        self.over = now >= self.ends;
        if self.over || self.next_bookmark.is_none_or(|due| due > now) {
            return;
        }
        self.next_bookmark = Some(next_bookmark(now, self.ends));
        let store = &self.target.plane.store;
        let revision = store.revision().max(self.seen);
        // Only if nothing came in between, which the next look at the history tells.
        let new = store.since(self.target.bucket(), self.seen, true);
        if new.is_ok_and(|(_, new)| new.is_empty()) {
            let mut events = Vec::new();
            self.write_bookmark(revision, false, &mut events);
            self.push(events);
        }
    }

    fn read_history(&mut self) {
        let found = self
            .target
            .plane
            .store
            .since(self.target.bucket(), self.seen, self.live);
        self.live = true;
        match found {
            Ok((newest, changes)) => {
                let mut events = Vec::new();
                let weight = changes.iter().map(|change| change.object.text().len());
                let is_long = self.is_on_own_task && weight.sum::<usize>() > LONG_TOGETHER;
                long::beside_others(is_long, || {
                    for change in &changes {
                        self.write_change(change, &mut events);
                    }
                });
                self.seen = self.seen.max(newest);
                self.push(events);
            }
            Err(Compacted { oldest }) => self.fail_too_old(oldest),
        }
    }

    /// What a change means for this watch: an object that comes to match is new, one that ceases to is gone.
    fn write_change(&mut self, change: &Change, events: &mut Vec<u8>) {
        if self
            .target
            .namespace
            .as_ref()
            .is_some_and(|namespace| *namespace != change.key().namespace)
        {
            return;
        }
        let matched = change
            .previous
            .as_ref()
            .filter(|previous| self.selector.selects(previous));
        let matches = change.what != What::Deleted && self.selector.selects(&change.object);
        match (matched, matches) {
            (None, true) => self.write("ADDED", &change.object, events),
            (Some(_), true) => self.write("MODIFIED", &change.object, events),
            (Some(_), false) if change.what == What::Deleted => {
                self.write("DELETED", &change.object, events)
            }
            (Some(previous), false) => {
                // It is as it was when it still matched, under the revision of the change.
                let last = previous.at(change.revision());
                self.write("DELETED", &last, events);
            }
            (None, false) => {}
        }
    }

    fn write(&mut self, what: &str, object: &Kept, events: &mut Vec<u8>) {
        if self.ends_unwritten() {
            return;
        }
        if let Form::Table(..) = self.form {
            let value = object.value();
            let mut shown = self.form.object(&self.target, &value).into_owned();
            self.leave_out_columns(&mut shown);
            return line(what, &Typed(&shown), events);
        }
        begin(what, events);
        self.form.write(&self.target, object, events);
        end(events);
    }

    /// An event is no list: a watch of lists of metadata ends where it had to tell one.
    fn ends_unwritten(&mut self) -> bool {
        let is_of_lists = matches!(self.form, Form::Metadata { of_list: true, .. });
        self.over |= is_of_lists;
        is_of_lists
    }

    fn write_bookmark(&mut self, revision: u64, initial_end: bool, events: &mut Vec<u8>) {
        if self.ends_unwritten() {
            return;
        }
        let mut shown = self.form.bookmark(&self.target, revision, initial_end);
        if let Form::Table(..) = self.form {
            self.leave_out_columns(&mut shown);
        }
        begin("BOOKMARK", events);
        events.extend(self.form.written(&self.target, &shown));
        end(events);
    }

    /// Of a Table, unless it is the first.
    fn leave_out_columns(&mut self, table: &mut Value) {
        if !std::mem::take(&mut self.columns) {
            table["columnDefinitions"] = Value::Null;
        }
    }
}

/// When a watch that ends then gets a bookmark after this moment.
fn next_bookmark(now: Instant, ends: Instant) -> Instant {
    let regular = now + BOOKMARKS;
    match ends.checked_sub(LAST_BOOKMARK) {
        Some(last) if last > now => regular.min(last),
        _ => regular,
    }
}

/// An event, a line.
fn line(what: &str, object: &impl Serialize, events: &mut Vec<u8>) {
    begin(what, events);
    json::write(object, events);
    end(events);
}

fn begin(what: &str, events: &mut Vec<u8>) {
    events.extend_from_slice(b"{\"type\":\"");
    events.extend_from_slice(what.as_bytes());
    events.extend_from_slice(b"\",\"object\":");
}

fn end(events: &mut Vec<u8>) {
    events.extend_from_slice(b"}\n");
}
