//! The namespaces of one cluster as clusters.

use std::sync::Arc;

use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::Namespace;
use kube::Config;
use kube::api::ApiResource;

use super::Provider;
use super::follow::{Follower, Part, Reading, Records, Role};
use super::selection::{Selection, selects};
use crate::Result;
use crate::controller::ObjectKey;
use crate::fleet::{Cluster, Connection, Fleet};
use crate::manager::Permissions;
use crate::watch::Source;

/// Each namespace of the host cluster as a cluster of its own, called like it: for tenants that have a namespace each, and
/// to try without a fleet what is for one.
///
/// What is listed, watched and found in such a cluster is what its namespace has; kinds that are in no namespace are not
/// there. A namespace that terminates stays until it is gone, so that `cleanup` can run.
///
/// ```
/// # use kommodore::{Namespaces, Provider};
/// let tenants = Namespaces::new().labels("tenant=true");
/// let most = Namespaces::new().only(|name| !name.starts_with("kube-"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Namespaces {
    selection: Selection,
}

impl Namespaces {
    /// All of them.
    pub fn new() -> Self {
        Self::default()
    }

    selects!(deadline);
}

impl Provider for Namespaces {
    fn name(&self) -> &str {
        "namespaces"
    }

    fn permissions(&self) -> Permissions {
        Permissions::default().and("", "namespaces", &["list", "watch"])
    }

    fn run(
        self: Box<Self>,
        host: Cluster,
        config: Config,
        fleet: Fleet,
    ) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            let kind = ApiResource::erase::<Namespace>(&());
            let records = Found {
                source: host.metadata(&kind, self.selection.selector()),
                selected: self.selection.labels.is_some(),
                config,
            };
            let patience = self.selection.patience;
            Follower::new(records, patience, fleet).follow().await
        })
    }
}

struct Found {
    source: Arc<dyn Source>,
    selected: bool,
    config: Config,
}

impl Records for Found {
    fn parts(&self) -> Vec<Part> {
        vec![Part {
            source: Arc::clone(&self.source),
            role: Role::Cluster {
                selected: self.selected,
            },
        }]
    }

    fn read(&self, key: &ObjectKey) -> Option<Reading> {
        let namespace = self.source.look(key)?;
        let mut config = self.config.clone();
        config.default_namespace = key.name.clone();
        Some(Reading {
            name: key.name.clone(),
            deleting: namespace.metadata().deletion_timestamp.is_some(),
            connection: Ok(Some(Connection::from(config).in_namespace(&key.name))),
        })
    }
}
