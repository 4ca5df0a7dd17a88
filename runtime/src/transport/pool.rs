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
}

/// How many are known before it is looked whether some of them are not used any more.
const FEW: usize = 16;

/// Clusters that share their connections by endpoint and identity.
#[derive(Default)]
pub(crate) struct Pool {
    known: Mutex<Known>,
}

/// What is shared, by who and where.
#[derive(Default)]
struct Known {
    entries: BTreeMap<Identity, Arc<Entry>>,
    /// How many are still used at most, as it was looked last.
    used: usize,
}

/// What is shared, while somebody uses it. Its lock is held while it is made, which others need not wait for.
type Entry = sync::Mutex<Weak<Shared>>;

impl Pool {
    /// The way to the API server that `config` names.
    ///
    /// Nothing there is tried again after an answer: who waits for a server that said "later" must not hold a
    /// worker, so that waiting is the queue's and the watches' business.
    pub(crate) async fn line(&self, config: &Config) -> Result<Line, kube::Error> {
        let identity = Identity::of(config).map_err(kube::Error::SerdeError)?;
        let entry = lock(&self.known).entry(identity);
        let mut shared = entry.lock().await;
        let found = match shared.upgrade() {
            Some(found) => found,
            None => Arc::new(made(config).await?),
        };
        *shared = Arc::downgrade(&found);
        Ok(Line::new(found, config))
    }
}

impl Known {
    fn entry(&mut self, identity: Identity) -> Arc<Entry> {
        // Not each time: where every cluster has an endpoint of its own, all would be looked at for each.
        if self.entries.len() >= FEW.max(2 * self.used) && !self.entries.contains_key(&identity) {
            // Nobody else has the entry, and nobody what is shared.
            self.entries.retain(|_, entry| {
                let is_used =
                    |entry: &Entry| entry.try_lock().is_ok_and(|it| it.strong_count() > 0);
                Arc::strong_count(entry) > 1 || is_used(entry)
            });
            self.used = self.entries.len();
        }
        Arc::clone(self.entries.entry(identity).or_default())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn made(config: &Config) -> Result<Shared, kube::Error> {
    let shown = Credentials::of(config).await?;
    if config.auth_info.auth_provider.is_none() {
        return Shared::new(config, &shown);
    }
    let config = config.clone();
    // kube runs a program, and waits for it.
    aside(move || Shared::new(&config, &shown))
        .await
        .map_err(kube::Error::Service)?
}

impl Shared {
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
    use super::*;

    async fn line(pool: &Pool, number: usize) -> Line {
        let config = Config::new(format!("http://{number}.example.com").parse().unwrap());
        pool.line(&config).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_not_used_any_more_is_forgotten_and_that_is_seldom_looked_for() {
        let pool = Pool::default();
        let (mut lines, mut looks) = (Vec::new(), Vec::new());
        for number in 0..1_000 {
            lines.push(line(&pool, number).await);
            looks.push(lock(&pool.known).used);
        }
        assert_eq!(lock(&pool.known).entries.len(), 1_000);
        looks.dedup();
        assert_eq!(looks, [0, 16, 32, 64, 128, 256, 512]);
        lines.clear();
        for number in 1_000..3_000 {
            drop(line(&pool, number).await);
        }
        let known = lock(&pool.known).entries.len();
        assert!(known <= FEW, "{known}");
    }
}
