//! Lets the faults happen: to a request, and to the body of its answer.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{BodyExt, Empty};

use super::events::Framing;
use super::fault::What;
use super::faults::{Asked, Distortion, Faults};
use super::record::Verb;
use super::{Body, BoxError};
use crate::api;
use crate::failure::Failure;
use crate::ids::Ids;
use crate::signal::Ear;

/// Marks an answer that is none: the connection ends instead, or does not come to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    Reset,
    Refused,
}

impl Broken {
    pub(crate) fn error(self) -> std::io::Error {
        use std::io::{Error, ErrorKind};
        match self {
            Self::Reset => Error::new(ErrorKind::ConnectionReset, "the connection was reset"),
            Self::Refused => Error::new(ErrorKind::ConnectionRefused, "connection refused"),
        }
    }
}

impl Faults {
    /// Answers a request, unless something goes wrong.
    pub(super) async fn pass<F>(
        &self,
        asked: Asked,
        ids: &Ids,
        answer: impl FnOnce(Distortion) -> F,
    ) -> Response<Body>
    where
        F: Future<Output = Response<Body>>,
    {
        let mut exchange = Exchange::new(self, asked);
        if !exchange.gets_through().await {
            return broken(Broken::Refused);
        }
        let mut lost = false;
        let mut distortion = Distortion {
            initializing: self.initializing(&exchange.asked),
            ..Distortion::default()
        };
        for what in self.of_request(&exchange.asked) {
            match what {
                What::Late(latency) => tokio::time::sleep(latency.draw(ids)).await,
                What::Refused {
                    code,
                    message,
                    retry_after,
                } => return refused(code, message, retry_after),
                What::Reset => return broken(Broken::Reset),
                What::PortClosed => return broken(Broken::Refused),
                What::Silent => {
                    exchange.until_shut().await;
                    return broken(Broken::Reset);
                }
                What::AnswerLost => lost = true,
                What::Stale(staleness) => distortion.stale = Some(staleness),
                What::Initializing
                | What::Partitioned
                | What::WatchDropped
                | What::WatchHung
                | What::WatchExpired
                | What::WithoutBookmarks
                | What::BookmarksLate
                | What::CertificateExpired => {}
            }
        }
        let response = answer(distortion).await;
        if !exchange.gets_through().await || lost {
            return broken(Broken::Reset);
        }
        // A cut of before was one of other watches: this one is open from now on.
        exchange.began = self.now();
        exchange.watches &= response.status().is_success();
        let mut changes = self.changes();
        changes.mark_changed();
        let framing = Framing::of(response.headers());
        response.map(|body| {
            Faulty {
                body,
                framing,
                exchange,
                late: Bytes::new(),
                change: next(changes),
            }
            .boxed()
        })
    }
}

fn refused(
    code: http::StatusCode,
    message: Option<String>,
    retry_after: Option<u32>,
) -> Response<Body> {
    let reason = match code.as_u16() {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        406 => "NotAcceptable",
        409 => "Conflict",
        410 => "Expired",
        413 => "RequestEntityTooLarge",
        415 => "UnsupportedMediaType",
        422 => "Invalid",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "InternalError",
    };
    let message = message.unwrap_or_else(|| format!("{code}, as a fault that was injected"));
    let failure = Failure::new(code, reason, message);
    api::response_of(&match retry_after {
        Some(seconds) => failure.retry_after(seconds),
        None => failure,
    })
}

fn broken(how: Broken) -> Response<Body> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed());
    response.extensions_mut().insert(how);
    response
}

type Change = Pin<Box<dyn Future<Output = Ear> + Send + Sync>>;

fn next(mut changes: Ear) -> Change {
    Box::pin(async move {
        changes.changed().await;
        changes
    })
}

/// A request and its answer, to which faults happen while they are under way.
struct Exchange {
    faults: Faults,
    asked: Asked,
    /// Before which cuts of watches it began.
    began: u64,
    /// How often the server had been shut before.
    shuts: u64,
    watches: bool,
    /// The faults that have happened to it.
    known: BTreeSet<u64>,
    partitioned: bool,
    hung: bool,
    without_bookmarks: bool,
    late_bookmarks: bool,
    /// How it ends, once it does.
    ending: Option<Ending>,
}

enum Ending {
    Dropped,
    Expired,
    Over,
}

impl Exchange {
    fn new(faults: &Faults, asked: Asked) -> Self {
        Self {
            began: faults.now(),
            shuts: faults.shuts(),
            faults: faults.clone(),
            watches: asked.verb == Verb::Watch,
            asked,
            known: BTreeSet::new(),
            partitioned: false,
            hung: false,
            without_bookmarks: false,
            late_bookmarks: false,
            ending: None,
        }
    }

    /// Waits for as long as nothing comes through. If the server ends before, nothing ever does.
    async fn gets_through(&mut self) -> bool {
        let mut changes = self.faults.changes();
        loop {
            changes.mark_unchanged();
            if self.faults.was_shut(self.shuts) {
                return false;
            }
            let happening = self.faults.lasting(&self.asked, &mut self.known, |what| {
                matches!(what, What::Partitioned)
            });
            if happening.is_empty() {
                return true;
            }
            changes.changed().await;
        }
    }

    /// Waits until the server ends.
    async fn until_shut(&self) {
        let mut changes = self.faults.changes();
        while !self.faults.was_shut(self.shuts) {
            changes.changed().await;
        }
    }

    /// What happens now to the body.
    fn look_again(&mut self) {
        (self.partitioned, self.hung) = (false, false);
        (self.without_bookmarks, self.late_bookmarks) = (false, false);
        if self.watches && self.faults.is_cut(&self.asked.project, self.began) {
            self.ending = Some(Ending::Dropped);
        }
        let watches = self.watches;
        let relevant =
            |what: &What| matches!(what, What::Partitioned) || (watches && what.is_of_watches());
        for what in self.faults.lasting(&self.asked, &mut self.known, relevant) {
            match what {
                What::Partitioned => self.partitioned = true,
                What::WatchDropped => self.ending = Some(Ending::Dropped),
                What::WatchExpired => self.ending = Some(Ending::Expired),
                What::WatchHung => self.hung = true,
                What::WithoutBookmarks => self.without_bookmarks = true,
                What::BookmarksLate => self.late_bookmarks = true,
                What::Late(_)
                | What::Refused { .. }
                | What::Reset
                | What::Silent
                | What::AnswerLost
                | What::Stale(_)
                | What::Initializing
                | What::PortClosed
                | What::CertificateExpired => {}
            }
        }
    }
}

/// The body of an answer, to which faults happen while it is told.
struct Faulty {
    body: Body,
    framing: Framing,
    exchange: Exchange,
    /// The bookmarks that come after the next event.
    late: Bytes,
    change: Change,
}

impl HttpBody for Faulty {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        loop {
            while let Poll::Ready(changes) = this.change.as_mut().poll(cx) {
                this.exchange.look_again();
                this.change = next(changes);
            }
            match this.exchange.ending {
                Some(Ending::Dropped) => {
                    return Poll::Ready(Some(Err("the watch was dropped".into())));
                }
                Some(Ending::Expired) => {
                    this.exchange.ending = Some(Ending::Over);
                    return Poll::Ready(Some(Ok(Frame::data(this.framing.gone()))));
                }
                Some(Ending::Over) => return Poll::Ready(None),
                None if this.exchange.hung || this.exchange.partitioned => return Poll::Pending,
                None => {}
            }
            let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
            let Some(Ok(data)) = frame
                .as_ref()
                .map(|frame| frame.as_ref().map(Frame::data_ref))
            else {
                return Poll::Ready(frame);
            };
            match data {
                Some(data) if this.exchange.without_bookmarks => {
                    let rest = this.framing.without_bookmarks(data);
                    if !rest.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(rest))));
                    }
                }
                Some(data) if this.exchange.late_bookmarks => {
                    let (rest, bookmarks) = this.framing.bookmarks_apart(data);
                    if rest.is_empty() {
                        this.late = [&this.late[..], &bookmarks].concat().into();
                    } else {
                        let late = std::mem::replace(&mut this.late, bookmarks);
                        let told = [&rest[..], &late].concat();
                        return Poll::Ready(Some(Ok(Frame::data(told.into()))));
                    }
                }
                _ => return Poll::Ready(frame),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        // A watch ends when it says so.
        !self.exchange.watches && !self.exchange.partitioned && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
