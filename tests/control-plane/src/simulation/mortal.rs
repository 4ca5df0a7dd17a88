//! A process that may be killed: from then on nothing of it reaches a server, and it hears nothing.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame};
use http_body_util::BodyExt as _;
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use super::dice::Dice;
use crate::in_process::InProcess;
use crate::serve::{Body, BoxError};

/// When a process is killed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Death {
    /// At its request of this number.
    request: u64,
    /// Whether the server has answered that one.
    is_answered: bool,
}

impl Death {
    pub(super) fn at(request: u64) -> Self {
        Self {
            request,
            is_answered: true,
        }
    }

    /// Early, when there is much to do, or late.
    pub(super) fn drawn(dice: &mut Dice) -> Self {
        let most = [10, 40, 200][dice.below(3) as usize];
        Self {
            request: dice.below(most) + 1,
            is_answered: dice.below(2) == 0,
        }
    }
}

/// The life of one process. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Life(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    death: Option<Death>,
    requests: AtomicU64,
    ended: CancellationToken,
    /// Nobody dies any more.
    quiet: CancellationToken,
}

impl Life {
    pub(super) fn new(death: Option<Death>, quiet: CancellationToken) -> Self {
        Self(Arc::new(Inner {
            death,
            requests: AtomicU64::new(0),
            ended: CancellationToken::new(),
            quiet,
        }))
    }

    /// Resolves when it is killed.
    pub(super) async fn ended(&self) {
        self.0.ended.cancelled().await;
    }

    fn is_over(&self) -> bool {
        self.0.ended.is_cancelled()
    }

    /// Ends it if this is its last request, which has been answered or not.
    fn may_end(&self, request: u64, is_answered: bool) {
        let is_last = self
            .0
            .death
            .is_some_and(|death| death.request == request && death.is_answered == is_answered);
        if is_last && !self.0.quiet.is_cancelled() {
            self.0.ended.cancel();
        }
    }
}

/// The way of a process to the servers.
#[derive(Clone)]
pub(super) struct Mortal {
    pub(super) inner: InProcess,
    pub(super) life: Life,
}

impl Service<Request<kube::client::Body>> for Mortal {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<kube::client::Body>) -> Self::Future {
        let life = self.life.clone();
        let mut inner = self.inner.clone();
        Box::pin(async move {
            let number = life.0.requests.fetch_add(1, Ordering::Relaxed) + 1;
            life.may_end(number, false);
            if life.is_over() {
                return pending().await;
            }
            let answer = tokio::select! {
                biased;
                () = life.ended() => return pending().await,
                answer = inner.call(request) => answer,
            };
            life.may_end(number, true);
            if life.is_over() {
                return pending().await;
            }
            answer.map(|answer| {
                answer.map(|body| {
                    Heard {
                        body: Some(body),
                        life,
                    }
                    .boxed()
                })
            })
        })
    }
}

/// A body of which nothing is heard once the process is killed.
struct Heard {
    body: Option<Body>,
    life: Life,
}

impl HttpBody for Heard {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.life.is_over() {
            self.body = None;
        }
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_some_and(HttpBody::is_end_stream)
    }
}
