//! Credentials that a file or a program gives, which are asked for anew when they are over, or when the server does not take
//! them any more.
//!
//! kube does so by itself for a file, once in a minute.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use kube::Config;
use kube::client::middleware::AuthLayer;
use kube::client::{Body, ConfigExt as _};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, ServiceExt as _};

use super::BoxError;
use super::aside::aside;
use super::chance::now;
use super::client::CALL_DEADLINE;
use super::credentials::Credentials;
use super::received::Received;

/// How often they are asked for at most: a server may refuse the best of credentials, and each of a thousand watches.
const EVERY: Duration = Duration::from_secs(5);
/// How long before their end they are asked for.
const AHEAD: Duration = Duration::from_secs(60);

type Service = BoxCloneSyncService<Request<Body>, Response<Received>, BoxError>;

/// Whether such credentials may be others when they are asked for again.
pub(super) fn may_renew(config: &Config) -> bool {
    let info = &config.auth_info;
    info.token_file.is_some() || info.exec.is_some() || info.auth_provider.is_some()
}

/// Shows the credentials of a configuration with each request.
#[derive(Clone)]
pub(super) struct Renewing(Arc<Inner>);

struct Inner {
    config: Config,
    /// What has no credentials.
    bare: Service,
    made: Mutex<Made>,
}

struct Made {
    service: Service,
    /// How often it has been made.
    count: u64,
    /// When it was made, or tried to.
    at: Instant,
    /// Until when the credentials are good, if that is known.
    until: Option<Timestamp>,
    /// The next are being asked for. All who need them wait for the same, and it goes on when they go.
    next: Option<Next>,
    /// There were no next ones, which has been said: a program may have other words for it each time.
    failed: bool,
}

type Next = Shared<BoxFuture<'static, ()>>;

impl Made {
    fn ends_within(&self, time: Duration) -> bool {
        self.until.is_some_and(|until| until <= now() + time)
    }
}

impl Renewing {
    pub(super) fn new(
        config: &Config,
        auth: &AuthLayer,
        until: Option<Timestamp>,
        bare: Service,
    ) -> Self {
        let made = Made {
            service: Service::new(auth.layer(bare.clone())),
            count: 1,
            at: Instant::now(),
            until,
            next: None,
            failed: false,
        };
        Self(Arc::new(Inner {
            config: config.clone(),
            bare,
            made: Mutex::new(made),
        }))
    }
}

impl Inner {
    async fn call(
        self: &Arc<Self>,
        request: Request<Body>,
    ) -> Result<Response<Received>, BoxError> {
        let (count, ends, is_over) = {
            let made = self.lock();
            (
                made.count,
                made.ends_within(AHEAD),
                made.ends_within(Duration::ZERO),
            )
        };
        if ends
            && let Some(next) = self.next(count)
            && is_over
        {
            wait(next).await;
        }
        let (service, count) = {
            let made = self.lock();
            (made.service.clone(), made.count)
        };
        let answer = service.oneshot(request).await?;
        if answer.status() == StatusCode::UNAUTHORIZED
            && let Some(next) = self.next(count)
        {
            wait(next).await;
        }
        Ok(answer)
    }

    /// Asks for credentials in place of those, unless somebody has done so just now.
    fn next(self: &Arc<Self>, count: u64) -> Option<Next> {
        let mut made = self.lock();
        if made.count != count {
            return None;
        }
        if made.next.is_none() && made.at.elapsed() >= EVERY {
            made.at = Instant::now();
            let asks = tokio::spawn(renew(Arc::downgrade(self), self.config.clone()));
            let asks = AbortOnDropHandle::new(asks);
            let asked = async move { drop(asks.await) };
            made.next = Some(asked.boxed().shared());
        }
        made.next.clone()
    }

    fn put(&self, asked: Result<Asked, BoxError>) {
        let mut made = self.lock();
        made.next = None;
        match asked {
            Ok((Some(auth), until)) => {
                made.service = Service::new(auth.layer(self.bare.clone()));
                made.count += 1;
                made.until = until;
                made.failed = false;
            }
            Ok((None, _)) => {}
            Err(error) => {
                if !std::mem::replace(&mut made.failed, true) {
                    let server = &self.config.cluster_url;
                    tracing::warn!(%server, %error, "the credentials are over or not taken any more, and there are no others");
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call has a deadline, whatever the program does.
async fn wait(next: Next) {
    // Then the credentials of before are shown.
    let _ = tokio::time::timeout(CALL_DEADLINE, next).await;
}

/// What shows the credentials, and until when they are good.
type Asked = (Option<AuthLayer>, Option<Timestamp>);

async fn renew(whose: Weak<Inner>, config: Config) {
    let asked = ask(&config).await;
    if let Some(inner) = whose.upgrade() {
        inner.put(asked);
    }
}

async fn ask(config: &Config) -> Result<Asked, BoxError> {
    let Credentials { config, until, .. } = Credentials::of(config).await?;
    // Files are read, and kube waits for the programs of providers.
    let auth = aside(move || config.auth_layer()).await??;
    Ok((auth, until))
}

impl tower::Service<Request<Body>> for Renewing {
    type Response = Response<Received>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move { inner.call(request).await })
    }
}
