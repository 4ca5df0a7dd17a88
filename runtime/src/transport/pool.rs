//! The connections of a manager, shared by all clusters that are reached in the same way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use http::{Request, Response};
use kube::client::{Body, ConfigExt as _};
use kube::{Client, Config};
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt as _};

use super::BoxError;
use super::exchange::Endpoint;
use super::identity::Identity;
use super::received::Received;

/// Everything below the path of a request: kube's authentication and headers, and the connections.
type Stack = BoxCloneSyncService<Request<Body>, Response<Received>, BoxError>;

/// Clients that share their connections by endpoint and identity.
#[derive(Default)]
pub(crate) struct Pool {
    stacks: Mutex<BTreeMap<Identity, Weak<Stack>>>,
}

impl Pool {
    /// A client for the API server that `config` names.
    ///
    /// It never tries again by itself: who waits for a server that said "later" must not hold a worker, so that
    /// waiting is the queue's and the watches' business.
    pub(crate) fn client(&self, config: &Config) -> Result<Client, kube::Error> {
        let stack = self.stack(config)?;
        let service = config.base_uri_layer().layer(Stack::clone(&stack));
        // The stack is found again for as long as there is a client.
        let service = service.map_result(move |answer| {
            let _stack = &stack;
            answer
        });
        Ok(Client::new(service, config.default_namespace.clone()))
    }

    fn stack(&self, config: &Config) -> Result<Arc<Stack>, kube::Error> {
        let identity = Identity::of(config).map_err(kube::Error::SerdeError)?;
        let mut stacks = self.stacks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stack) = stacks.get(&identity).and_then(Weak::upgrade) {
            return Ok(stack);
        }
        let stack = Arc::new(stack(config)?);
        stacks.retain(|_, stack| stack.strong_count() > 0);
        stacks.insert(identity, Arc::downgrade(&stack));
        Ok(stack)
    }
}

fn stack(config: &Config) -> Result<Stack, kube::Error> {
    let endpoint = Endpoint::new(config)?;
    let service = config.extra_headers_layer()?.layer(endpoint);
    Ok(match config.auth_layer()? {
        Some(auth) => Stack::new(auth.layer(service)),
        None => Stack::new(service),
    })
}
