//! The connections of a manager, shared by all clusters that are reached in the same way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use kube::Config;
use kube::client::{Body, ConfigExt as _};
use tokio::sync;
use tower::Layer as _;
use tower::util::BoxCloneSyncService;

use super::BoxError;
use super::answers::Answers;
use super::aside::aside;
use super::credentials::Credentials;
use super::exchange::Endpoint;
use super::identity::Identity;
use super::line::Line;
use super::received::Received;
use super::renewal::{Renewing, may_renew};

/// kube's authentication and headers, and the connections.
type Service = BoxCloneSyncService<Request<Body>, Response<Received>, BoxError>;

/// What clusters share at one endpoint, as one identity.
pub(super) struct Shared {
    /// For requests with whole addresses.
    pub(super) service: Service,
    /// For requests with the path that they have at the endpoint.
    pub(super) rooted: Service,
    root: Uri,
    pub(super) answers: Answers,
    _place: Place,
}

/// Clusters that share their connections by endpoint and identity.
#[derive(Default)]
pub(crate) struct Pool {
    known: Arc<Mutex<Known>>,
}

/// What is shared, by who and where.
type Known = BTreeMap<Arc<Identity>, Arc<Entry>>;

/// What is shared, while somebody uses it. Its lock is held while it is made, which others need not wait for.
type Entry = sync::Mutex<Weak<Shared>>;

/// A place among what is known. It goes with what is shared, or with the last try to make that, as who has a key is not to
/// be remembered for longer than it is used.
struct Place {
    known: Weak<Mutex<Known>>,
    identity: Arc<Identity>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(known) = self.known.upgrade() else {
            return;
        };
        let mut known = lock(&known);
        // Nobody else has the entry, and nobody what is shared.
        let is_over = |entry: &Arc<Entry>| {
            let is_unused = |entry: &Entry| entry.try_lock().is_ok_and(|it| it.strong_count() == 0);
            Arc::strong_count(entry) == 1 && is_unused(entry)
        };
        if known.get(&self.identity).is_some_and(is_over) {
            known.remove(&self.identity);
        }
    }
}

impl Pool {
    /// The way to the API server that `config` names.
    ///
    /// Nothing there is tried again after an answer: who waits for a server that said "later" must not hold a
    /// worker, so that waiting is the queue's and the watches' business.
    pub(crate) async fn line(&self, config: &Config) -> Result<Line, kube::Error> {
        let identity = Identity::of(config).map_err(kube::Error::SerdeError)?;
        let identity = Arc::new(identity);
        // Before the entry and its lock, so that it goes after them wherever this ends.
        let place = Place {
            known: Arc::downgrade(&self.known),
            identity: Arc::clone(&identity),
        };
        let entry = Arc::clone(lock(&self.known).entry(identity).or_default());
        let mut shared = entry.lock().await;
        if let Some(found) = shared.upgrade() {
            return Ok(Line::new(found, config));
        }
        let Services {
            service,
            rooted,
            root,
        } = made(config).await?;
        let made = Arc::new(Shared {
            service,
            rooted,
            root,
            answers: Answers::default(),
            _place: place,
        });
        *shared = Arc::downgrade(&made);
        Ok(Line::new(made, config))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is to be [`Shared`].
struct Services {
    service: Service,
    rooted: Service,
    root: Uri,
}

async fn made(config: &Config) -> Result<Services, kube::Error> {
    let shown = Credentials::of(config).await?;
    if config.auth_info.auth_provider.is_none() {
        return Services::new(config, &shown);
    }
    let config = config.clone();
    // kube runs a program, and waits for it.
    aside(move || Services::new(&config, &shown))
        .await
        .map_err(kube::Error::Service)?
}

impl Services {
    fn new(config: &Config, shown: &Credentials) -> Result<Self, kube::Error> {
        let endpoint = Endpoint::new(config, shown)?;
        let service = config.extra_headers_layer()?.layer(endpoint);
        let service = match shown.config.auth_layer()? {
            Some(auth) if may_renew(config) => {
                let bare = Service::new(service);
                Service::new(Renewing::new(config, &auth, shown.until, bare))
            }
            Some(auth) => Service::new(auth.layer(service)),
            None => Service::new(service),
        };
        let mut root = config.cluster_url.clone().into_parts();
        root.path_and_query = Some(PathAndQuery::from_static("/"));
        let root = Uri::from_parts(root).map_err(http::Error::from);
        let root = root.map_err(kube::Error::HttpError)?;
        let base = Config::new(root.clone()).base_uri_layer();
        let rooted = Service::new(base.layer(service.clone()));
        Ok(Self {
            service,
            rooted,
            root,
        })
    }
}

impl Shared {
    /// The address of what is there at the endpoint.
    pub(super) fn at(&self, path: &PathAndQuery) -> Uri {
        let mut parts = self.root.clone().into_parts();
        parts.path_and_query = Some(path.clone());
        // An address with another path is one.
        Uri::from_parts(parts).unwrap_or_else(|_| self.root.clone())
    }
}

#[cfg(test)]
mod tests {
    use kube::config::ExecConfig;

    use super::*;

    async fn line(pool: &Pool, number: usize) -> Line {
        let config = Config::new(format!("http://{number}.example.com").parse().unwrap());
        pool.line(&config).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_not_used_any_more_is_forgotten_at_once() {
        let pool = Pool::default();
        let mut lines = Vec::new();
        for number in 0..20 {
            lines.push(line(&pool, number).await);
            lines.push(line(&pool, number).await);
        }
        let known = || lock(&pool.known).len();
        assert_eq!(known(), 20);
        // Who has a client alone uses it as well.
        let client = lines[0].client();
        lines.clear();
        assert_eq!(known(), 1);
        drop(client);
        // kube's client ends in a task of its own.
        while known() > 0 {
            tokio::task::yield_now().await;
        }
        // So is what could not be made, and what nobody waits for any more.
        let mut config = Config::new("https://example.com".parse().unwrap());
        config.proxy_url = Some("gopher://example.com".parse().unwrap());
        assert!(pool.line(&config).await.is_err());
        assert_eq!(known(), 0);
        config.auth_info.exec = Some(ExecConfig {
            command: Some("sleep".to_owned()),
            args: Some(vec!["60".to_owned()]),
            ..ExecConfig::default()
        });
        assert!(futures::poll!(Box::pin(pool.line(&config))).is_pending());
        assert_eq!(known(), 0);
    }
}
