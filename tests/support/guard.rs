//! Counts the clients that somebody still holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{Request, Response};
use kube::client::Body;
use kube::{Client, Config};

/// Makes the clients of a manager, and knows how many there are. Clones share everything.
#[derive(Clone, Default)]
pub struct Guards {
    held: Arc<()>,
    fails: Arc<AtomicBool>,
}

impl Guards {
    /// Makes a client that counts for as long as it, or a call through it, is there.
    pub fn connect(&self, mut config: Config) -> kube::Result<Client> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(kube::Error::LinesCodecMaxLineLengthExceeded);
        }
        config.default_retry = false;
        let namespace = config.default_namespace.clone();
        let guarded = Guarded {
            client: Client::try_from(config)?,
            guard: Arc::clone(&self.held),
        };
        Ok(Client::new(guarded, namespace))
    }

    /// From now on no client can be made, or each can.
    pub fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::Relaxed);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        // Without those that are clones of this.
        Arc::strong_count(&self.held) - Arc::strong_count(&self.fails)
    }
}

#[derive(Clone)]
struct Guarded {
    client: Client,
    guard: Arc<()>,
}

impl tower_service::Service<Request<Body>> for Guarded {
    type Response = Response<Body>;
    type Error = kube::Error;
    type Future = BoxFuture<'static, kube::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<kube::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Self { client, guard } = self.clone();
        Box::pin(async move {
            let answer = client.send(request).await;
            drop(guard);
            answer
        })
    }
}
