//! Credentials that a file or a program gives, which are asked for anew when the server does not take them any more.
//!
//! kube does so by itself where it is known when they are over: of a program that says so, and for a file once in a minute.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use kube::Config;
use kube::client::middleware::AuthLayer;
use kube::client::{Body, ConfigExt as _};
use tokio::time::Instant;
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, ServiceExt as _};

use super::BoxError;
use super::aside::aside;
use super::received::Received;

/// How often they are asked for at most: a server may refuse the best of credentials, and each of a thousand watches.
const EVERY: Duration = Duration::from_secs(5);

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
    /// Why it could not be made, as it has been said.
    failed: Option<String>,
}

impl Renewing {
    pub(super) fn new(config: &Config, auth: &AuthLayer, bare: Service) -> Self {
        let made = Made {
            service: Service::new(auth.layer(bare.clone())),
            count: 1,
            at: Instant::now(),
            failed: None,
        };
        Self(Arc::new(Inner {
            config: config.clone(),
            bare,
            made: Mutex::new(made),
        }))
    }
}

impl Inner {
    async fn call(&self, request: Request<Body>) -> Result<Response<Received>, BoxError> {
        let (service, count) = {
            let made = self.lock();
            (made.service.clone(), made.count)
        };
        let answer = service.oneshot(request).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            self.renew(count).await;
        }
        Ok(answer)
    }

    /// Asks for credentials in place of those, unless somebody else has.
    async fn renew(&self, count: u64) {
        {
            let mut made = self.lock();
            if made.count != count || made.at.elapsed() < EVERY {
                return;
            }
            made.at = Instant::now();
        }
        let config = self.config.clone();
        // Programs are waited for.
        let auth = aside(move || config.auth_layer()).await;
        let auth = auth
            .map_err(|error| error.to_string())
            .and_then(|made| made.map_err(|error| error.to_string()));
        let mut made = self.lock();
        match auth {
            Ok(Some(auth)) => {
                made.service = Service::new(auth.layer(self.bare.clone()));
                made.count += 1;
                made.failed = None;
            }
            Ok(None) => {}
            Err(error) => {
                if made.failed.as_ref() != Some(&error) {
                    let server = &self.config.cluster_url;
                    tracing::warn!(%server, error, "the server takes the credentials not any more, and there are no others");
                }
                made.failed = Some(error);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
