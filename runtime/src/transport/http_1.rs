//! HTTP/1.1, for servers that have nothing else and for requests that become something else.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use kube::client::Body;
use tower::Service;

use super::BoxError;
use super::dial::{Dial, Unreachable, Wire};

/// How long a connection stays open that nothing uses.
const UNUSED: Duration = Duration::from_secs(30);

/// A client that opens a connection for each request that is under way, and uses it again after that.
pub(super) type Client = hyper_util::client::legacy::Client<Connector, Body>;

/// `deadline` is for opening a connection.
pub(super) fn client(dial: Arc<Dial>, deadline: Duration) -> Client {
    hyper_util::client::legacy::Builder::new(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(UNUSED)
        .build(Connector { dial, deadline })
}

/// Opens the connections of a [`Client`].
#[derive(Clone)]
pub(super) struct Connector {
    dial: Arc<Dial>,
    deadline: Duration,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Box<dyn Wire>>;
    type Error = Unreachable;
    type Future = BoxFuture<'static, Result<Self::Response, Unreachable>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Unreachable>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Self { dial, deadline } = self.clone();
        Box::pin(async move {
            match tokio::time::timeout(deadline, dial.open_http_1()).await {
                Ok(opened) => Ok(TokioIo::new(opened?)),
                Err(elapsed) => Err(BoxError::from(elapsed).into()),
            }
        })
    }
}

impl Connection for Box<dyn Wire> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}
