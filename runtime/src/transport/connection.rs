//! One HTTP/2 connection: how it begins, what it learns from the server, and how it ends.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Weak;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use h2::{Ping, PingPong};
use tokio::time::Instant;

use super::BoxError;
use super::dial::Wire;
use super::share::Share;
use super::sip::{Heard, Sips};

/// How much of one answer a server may send ahead of its reader.
const STREAM_WINDOW: u32 = 256 * 1024;
/// How many streams of a connection are used, even if the server allows more: all of them together may fill their
/// windows without filling that of the connection, which is below 2 GiB.
const MOST_STREAMS: usize = 8000;
/// How often a server is asked whether it is still there, and how long nothing at all may come before it says so.
const PING_EVERY: Duration = Duration::from_secs(5);
/// How many such times a connection stays open that nothing uses.
const UNUSED_PINGS: u32 = 6;

/// A connection whose server has said how many streams it allows.
pub(super) struct Open {
    pub(super) requests: SendRequest<Bytes>,
    connection: Connection<Sips<Box<dyn Wire>>, Bytes>,
    heard: Heard,
    pub(super) limit: usize,
}

impl Open {
    pub(super) async fn new(wire: Box<dyn Wire>) -> Result<Self, BoxError> {
        let wire = Sips::of(wire);
        let heard = wire.heard();
        let (requests, connection) = Builder::new()
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            // Until the server has said what it allows.
            .initial_max_send_streams(0)
            .handshake(wire)
            .await?;
        let mut open = Self {
            requests,
            connection,
            heard,
            limit: 0,
        };
        poll_fn(|cx| {
            let polled = Pin::new(&mut open.connection).poll(cx);
            if open.look() {
                return Poll::Ready(Ok(()));
            }
            polled.map(|ended| {
                ended?;
                Err(BoxError::from("the server has closed the connection"))
            })
        })
        .await?;
        Ok(open)
    }

    /// Whether the server allows another number of streams than before.
    fn look(&mut self) -> bool {
        let limit = self.connection.max_concurrent_send_streams();
        let limit = limit.min(MOST_STREAMS);
        if limit == self.limit {
            return false;
        }
        self.limit = limit;
        let most = u32::try_from(limit).unwrap_or(u32::MAX).max(1);
        self.connection
            .set_target_window_size(STREAM_WINDOW.saturating_mul(most));
        true
    }

    /// Carries its streams until it ends, or until nothing uses it any more.
    pub(super) async fn drive(mut self: Box<Self>, number: u64, share: Weak<Share>) {
        let mut pings = self.connection.ping_pong();
        let mut asked = false;
        let mut unused = 0;
        let mut next = Box::pin(tokio::time::sleep(PING_EVERY));
        let why = loop {
            tokio::select! {
                biased;
                ended = self.turn(number, &share) => break match ended {
                    Ok(()) => "closed by the server".to_owned(),
                    Err(error) => error.to_string(),
                },
                answered = pong(&mut pings), if asked => match answered {
                    Ok(()) => asked = false,
                    Err(error) => break error.to_string(),
                },
                () = &mut next => {
                    // On a slow way the answer comes behind everything else that does.
                    let is_heard = self.heard.take();
                    if asked && !is_heard {
                        break "the server does not answer any more".to_owned();
                    }
                    let Some(share) = share.upgrade() else {
                        break "not needed any more".to_owned();
                    };
                    unused = if share.is_unused(number) { unused + 1 } else { 0 };
                    if unused >= UNUSED_PINGS && share.retire(number) {
                        break "not needed any more".to_owned();
                    }
                    if !asked && let Some(pings) = &mut pings {
                        asked = pings.send_ping(Ping::opaque()).is_ok();
                    }
                    next.as_mut().reset(Instant::now() + PING_EVERY);
                }
            }
        };
        tracing::debug!(why, "an HTTP/2 connection has ended");
        if let Some(share) = share.upgrade() {
            share.forget(number);
        }
    }

    /// Resolves when the connection has ended. Whatever comes meanwhile of limits and of an end that the server
    /// announces is told to the share.
    async fn turn(&mut self, number: u64, share: &Weak<Share>) -> Result<(), h2::Error> {
        poll_fn(|cx| {
            let polled = Pin::new(&mut self.connection).poll(cx);
            // Nothing is pending on this handle: an error means that the connection takes no request any more.
            let leaving = matches!(self.requests.poll_ready(cx), Poll::Ready(Err(_)));
            let changed = self.look();
            if let Some(share) = share.upgrade() {
                if leaving {
                    share.leave(number);
                } else {
                    if changed {
                        share.learn(number, self.limit);
                    }
                    if share.let_on(number) {
                        // Behind them.
                        cx.waker().wake_by_ref();
                    }
                }
            }
            polled
        })
        .await
    }
}

async fn pong(pings: &mut Option<PingPong>) -> Result<(), h2::Error> {
    let Some(pings) = pings else {
        return std::future::pending().await;
    };
    poll_fn(|cx| pings.poll_pong(cx)).await.map(drop)
}
