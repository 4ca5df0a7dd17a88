//! The connections of a manager, shared by all clusters that are reached in the same way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use kube::client::{Body, ConfigExt as _};
use kube::{Client, Config};
use tower::Layer as _;
use tower::util::BoxCloneSyncService;

use super::BoxError;
use super::exchange::Endpoint;
use super::identity::Identity;
use super::line::Line;
use super::received::Received;

/// kube's authentication and headers, and the connections.
type Service = BoxCloneSyncService<Request<Body>, Response<Received>, BoxError>;

/// What clusters share at one endpoint, as one identity.
pub(super) struct Shared {
    /// For requests with whole addresses.
    pub(super) service: Service,
    /// For requests with the path that they have at the endpoint.
    pub(super) client: Client,
}

/// Clusters that share their connections by endpoint and identity.
#[derive(Default)]
pub(crate) struct Pool {
    shared: Mutex<BTreeMap<Identity, Weak<Shared>>>,
}

impl Pool {
    /// The way to the API server that `config` names.
    ///
    /// Nothing there is tried again after an answer: who waits for a server that said "later" must not hold a
    /// worker, so that waiting is the queue's and the watches' business.
    pub(crate) fn line(&self, config: &Config) -> Result<Line, kube::Error> {
        let identity = Identity::of(config).map_err(kube::Error::SerdeError)?;
        let mut all = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = all.get(&identity).and_then(Weak::upgrade) {
            return Ok(Line::new(shared, config));
        }
        let shared = Arc::new(Shared::new(config)?);
        all.retain(|_, shared| shared.strong_count() > 0);
        all.insert(identity, Arc::downgrade(&shared));
        Ok(Line::new(shared, config))
    }
}

impl Shared {
    fn new(config: &Config) -> Result<Self, kube::Error> {
        let endpoint = Endpoint::new(config)?;
        let service = config.extra_headers_layer()?.layer(endpoint);
        let service = match config.auth_layer()? {
            Some(auth) => Service::new(auth.layer(service)),
            None => Service::new(service),
        };
        let mut root = config.cluster_url.clone().into_parts();
        root.path_and_query = Some(PathAndQuery::from_static("/"));
        let root = Uri::from_parts(root).map_err(http::Error::from);
        let root = Config::new(root.map_err(kube::Error::HttpError)?);
        let client = root.base_uri_layer().layer(service.clone());
        Ok(Self {
            service,
            client: Client::new(client, "default"),
        })
    }
}
