//! HTTP/1.1, for servers that have nothing else and for requests that become something else.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::Uri;
use hyper_util::client::legacy::Error;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use kube::client::Body;
use tower::Service;

use super::BoxError;
use super::dial::{Dial, Protocol, Wire};

/// How long a connection stays open that nothing uses.
const UNUSED: Duration = Duration::from_secs(30);

/// A client that opens a connection for each request that is under way, and uses it again after that.
pub(super) type Client = hyper_util::client::legacy::Client<Connector, Body>;

/// `deadline` is for opening a connection. While there is nothing `only` but HTTP/1.1, each new connection asks again.
pub(super) fn client(dial: Arc<Dial>, deadline: Duration, only: Arc<AtomicBool>) -> Client {
    hyper_util::client::legacy::Builder::new(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(UNUSED)
        .build(Connector {
            dial,
            deadline,
            only,
        })
}

/// A server that had nothing else has HTTP/2 by now.
#[derive(Debug, thiserror::Error)]
#[error("the server speaks HTTP/2")]
struct Learned;

/// Whether a request has not been sent, as the server has learned HTTP/2.
pub(super) fn has_learned(error: &Error) -> bool {
    error.source().is_some_and(|cause| cause.is::<Learned>())
}

/// Opens the connections of a [`Client`].
#[derive(Clone)]
pub(super) struct Connector {
    dial: Arc<Dial>,
    deadline: Duration,
    only: Arc<AtomicBool>,
}

impl Connector {
    async fn open(&self) -> Result<Box<dyn Wire>, BoxError> {
        if !self.only.load(Ordering::Relaxed) {
            return self.dial.open_http_1().await;
        }
        match self.dial.open().await? {
            (wire, Protocol::Http1) => Ok(wire),
            (_, Protocol::Http2) => {
                self.only.store(false, Ordering::Relaxed);
                Err(Learned.into())
            }
        }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Box<dyn Wire>>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let opened = tokio::time::timeout(this.deadline, this.open()).await??;
            Ok(TokioIo::new(opened))
        })
    }
}

impl Connection for Box<dyn Wire> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}
