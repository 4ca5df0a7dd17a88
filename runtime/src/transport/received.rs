//! The body of an answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::RecvStream;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use super::BoxError;
use super::chance::random_bits;
use super::client::CALL_DEADLINE;
use super::failure::NoAnswer;
use super::share::Place;

/// When a connection is lost, its watches hear of it one after the other, so that they do not all come back at once:
/// within so much for each, and all within the other.
const LOST_EACH: Duration = Duration::from_millis(10);
const LOST_ALL: Duration = Duration::from_secs(2);

/// The body of an answer, as it comes over either protocol.
pub(super) struct Received {
    body: Protocol,
    /// When a call has to be over, however little of it comes at a time; or when a watch hears of its end.
    timer: Option<Pin<Box<Sleep>>>,
}

enum Protocol {
    Http1(Incoming),
    Http2 {
        stream: RecvStream,
        place: Place,
        endless: bool,
    },
    /// As a client that somebody gave us has it.
    Given(kube::client::Body),
    Ended,
}

impl Received {
    pub(super) fn of_client(body: kube::client::Body) -> Self {
        Self {
            body: Protocol::Given(body),
            timer: None,
        }
    }

    pub(super) fn http_1(body: Incoming) -> Self {
        Self {
            body: Protocol::Http1(body),
            timer: None,
        }
    }

    /// `endless` is what ends when it wants: an end without a word is one as well.
    pub(super) fn http_2(stream: RecvStream, place: Place, endless: bool) -> Self {
        Self {
            body: Protocol::Http2 {
                stream,
                place,
                endless,
            },
            timer: None,
        }
    }

    /// It has to be over by then.
    pub(super) fn until(mut self, deadline: Instant) -> Self {
        if !self.is_end_stream() {
            self.timer = Some(Box::pin(tokio::time::sleep_until(deadline)));
        }
        self
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self { body, timer } = &mut *self;
        let frame = match body {
            Protocol::Ended => return Poll::Ready(None),
            Protocol::Http1(body) => Pin::new(body)
                .poll_frame(cx)
                .map_err(BoxError::from)
                .map(Some),
            Protocol::Given(body) => Pin::new(body).poll_frame(cx).map_err(inner).map(Some),
            Protocol::Http2 {
                stream,
                place,
                endless,
            } => match stream.poll_data(cx) {
                Poll::Ready(Some(Err(error))) if *endless => {
                    if !error.is_reset() {
                        let timer = timer.get_or_insert_with(|| late(place.crowd()));
                        ready!(timer.as_mut().poll(cx));
                    }
                    let lost = io::Error::new(io::ErrorKind::UnexpectedEof, error);
                    Poll::Ready(Some(Some(Err(lost.into()))))
                }
                Poll::Ready(Some(Ok(data))) => {
                    // Fails only where the stream has ended, which then says so itself.
                    let _ = stream.flow_control().release_capacity(data.len());
                    Poll::Ready(Some(Some(Ok(Frame::data(data)))))
                }
                other => other.map(|ended| {
                    Some(ended.map(|data| data.map(Frame::data).map_err(BoxError::from)))
                }),
            },
        };
        let frame = match frame {
            Poll::Ready(frame) => frame.flatten(),
            Poll::Pending => match timer {
                Some(timer) => {
                    ready!(timer.as_mut().poll(cx));
                    Some(Err(NoAnswer(CALL_DEADLINE).into()))
                }
                None => return Poll::Pending,
            },
        };
        if !matches!(frame, Some(Ok(_))) {
            *body = Protocol::Ended;
            *timer = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Protocol::Http1(body) => body.is_end_stream(),
            Protocol::Given(body) => body.is_end_stream(),
            Protocol::Http2 { stream, .. } => stream.is_end_stream(),
            Protocol::Ended => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Protocol::Http1(body) => body.size_hint(),
            Protocol::Given(body) => body.size_hint(),
            Protocol::Http2 { .. } => SizeHint::default(),
            Protocol::Ended => SizeHint::with_exact(0),
        }
    }
}

/// What kube has wrapped.
fn inner(error: kube::Error) -> BoxError {
    match error {
        kube::Error::Service(error) => error,
        other => other.into(),
    }
}

/// Some time, the longer the more have lost their connection together.
fn late(crowd: usize) -> Pin<Box<Sleep>> {
    let crowd = u32::try_from(crowd).unwrap_or(u32::MAX);
    let most = LOST_EACH.saturating_mul(crowd).min(LOST_ALL);
    let share = f64::from((random_bits() >> 40) as u32) / f64::from(1 << 24);
    Box::pin(tokio::time::sleep(most.mul_f64(share)))
}
