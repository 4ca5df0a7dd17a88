//! Lets the faults happen: to a request, and to the body of a watch.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::{HeaderValue, RETRY_AFTER};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{BodyExt, Empty};
use tokio::sync::watch;

use super::faults::{Asked, Faults, What};
use super::log::Verb;
use super::{Body, BoxError, failure};
use crate::ids::Ids;

const GONE: &[u8] = br#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version","reason":"Expired","code":410}}
"#;

/// Marks an answer that is none: the connection ends instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reset;

impl Faults {
    /// Answers a request, unless something goes wrong.
    pub(super) async fn pass<F>(&self, asked: Asked, ids: &Ids, answer: F) -> Response<Body>
    where
        F: Future<Output = Response<Body>>,
    {
        let mut lost = false;
        for what in self.of_request(&asked) {
            match what {
                What::Late(least, most) => tokio::time::sleep(between(ids, least, most)).await,
                What::Refused {
                    code,
                    message,
                    retry_after,
                } => {
                    return refused(code, message, retry_after);
                }
                What::Reset => return reset(),
                What::Silent => std::future::pending().await,
                What::AnswerLost => lost = true,
                What::WatchDropped
                | What::WatchHung
                | What::WatchExpired
                | What::WithoutBookmarks => {}
            }
        }
        let response = answer.await;
        if lost {
            return reset();
        }
        if asked.verb != Verb::Watch || !response.status().is_success() {
            return response;
        }
        let mut changes = self.changes();
        changes.mark_changed();
        response.map(|body| {
            Watched {
                body,
                asked,
                faults: self.clone(),
                change: next(changes),
                known: BTreeSet::new(),
                hung: false,
                without_bookmarks: false,
                ending: None,
            }
            .boxed()
        })
    }
}

fn between(ids: &Ids, least: Duration, most: Duration) -> Duration {
    let room = u64::try_from((most - least).as_nanos()).unwrap_or(u64::MAX);
    least + Duration::from_nanos(ids.number() % room.saturating_add(1).max(1))
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
        409 => "Conflict",
        410 => "Expired",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "InternalError",
    };
    let message = message.unwrap_or_else(|| format!("{code}, as a fault that was injected"));
    let mut response = failure(code, reason, &message);
    if let Some(seconds) = retry_after {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn reset() -> Response<Body> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed());
    response.extensions_mut().insert(Reset);
    response
}

type Change = Pin<Box<dyn Future<Output = watch::Receiver<u64>> + Send + Sync>>;

fn next(mut changes: watch::Receiver<u64>) -> Change {
    Box::pin(async move {
        if changes.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        changes
    })
}

/// The body of a watch, to which faults happen while it is open.
struct Watched {
    body: Body,
    asked: Asked,
    faults: Faults,
    change: Change,
    /// The faults that have happened to it.
    known: BTreeSet<u64>,
    hung: bool,
    without_bookmarks: bool,
    /// How it ends, once it does.
    ending: Option<Ending>,
}

enum Ending {
    Dropped,
    Expired,
    Over,
}

impl Watched {
    fn look_again(&mut self) {
        (self.hung, self.without_bookmarks) = (false, false);
        for what in self.faults.of_watch(&self.asked, &mut self.known) {
            match what {
                What::WatchDropped => self.ending = Some(Ending::Dropped),
                What::WatchExpired => self.ending = Some(Ending::Expired),
                What::WatchHung => self.hung = true,
                What::WithoutBookmarks => self.without_bookmarks = true,
                What::Late(..)
                | What::Refused { .. }
                | What::Reset
                | What::Silent
                | What::AnswerLost => {}
            }
        }
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        loop {
            while let Poll::Ready(changes) = this.change.as_mut().poll(cx) {
                this.look_again();
                this.change = next(changes);
            }
            match this.ending {
                Some(Ending::Dropped) => {
                    return Poll::Ready(Some(Err("the watch was dropped".into())));
                }
                Some(Ending::Expired) => {
                    this.ending = Some(Ending::Over);
                    return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(GONE)))));
                }
                Some(Ending::Over) => return Poll::Ready(None),
                None if this.hung => return Poll::Pending,
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
                Some(data) if this.without_bookmarks => {
                    let rest = without_bookmarks(data);
                    if !rest.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(rest))));
                    }
                }
                _ => return Poll::Ready(frame),
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn without_bookmarks(events: &Bytes) -> Bytes {
    let lines = events.split_inclusive(|byte| *byte == b'\n');
    let kept = lines.filter(|line| !line.starts_with(br#"{"type":"BOOKMARK""#));
    kept.flatten().copied().collect()
}
