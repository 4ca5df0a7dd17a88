//! The clusters of Cluster API.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use kube::Config;
use kube::api::{ApiResource, DynamicObject, ObjectMeta};
use serde_json::Value;

use super::Provider;
use super::follow::{Follower, Part, Reading, Records, Role};
use super::secrets::{Lead, kind, leads};
use super::selection::{Selection, selects};
use crate::Result;
use crate::controller::ObjectKey;
use crate::fleet::{Cluster, Fleet};
use crate::manager::Permissions;
use crate::transport::{Backoff, within};
use crate::watch::{Briefs, Kept, Read, Selector};

const GROUP: &str = "cluster.x-k8s.io";
/// The newest first.
const VERSIONS: [&str; 2] = ["v1beta2", "v1beta1"];
/// The Secrets of a cluster have it.
const LABEL: &str = "cluster.x-k8s.io/cluster-name";
/// Behind the name of the cluster, that of the Secret with its kubeconfig.
const SUFFIX: &str = "-kubeconfig";
const KEY: &str = "value";
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// The clusters that [Cluster API](https://cluster-api.sigs.k8s.io) has made: each `Cluster` (`cluster.x-k8s.io/v1beta2`, or
/// `v1beta1` where that is all) of the host cluster whose control plane is ready, called like it.
///
/// It is reached by the Secret `<name>-kubeconfig`, which has the label `cluster.x-k8s.io/cluster-name`; a new one changes the
/// connection, and costs no key and no event. One that is being deleted stays engaged, so that `cleanup` can run: no
/// new finalizers are set in it, until it is gone or the [`cleanup_deadline`](ClusterApi::cleanup_deadline) has passed.
///
/// ```
/// # use kommodore::ClusterApi;
/// // Clusters of several namespaces that may have one name.
/// let clusters = ClusterApi::new().labels("env=prod").named(|meta| {
///     let part = |part: &Option<String>| part.clone().unwrap_or_default();
///     format!("{}-{}", part(&meta.namespace), part(&meta.name))
/// });
/// ```
#[derive(Debug, Clone, Default)]
pub struct ClusterApi {
    selection: Selection,
}

impl ClusterApi {
    /// Those of all namespaces.
    pub fn new() -> Self {
        Self::default()
    }

    selects!(namespaced, grace, deadline);
}

impl Provider for ClusterApi {
    fn name(&self) -> &str {
        "cluster-api"
    }

    fn permissions(&self) -> Permissions {
        Permissions::default()
            .and(GROUP, "clusters", &["list", "watch"])
            .and("", "secrets", &["list", "watch"])
    }

    fn run(
        self: Box<Self>,
        host: Cluster,
        _: Config,
        fleet: Fleet,
    ) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            let version = version(&host).await;
            let clusters = ApiResource {
                group: GROUP.into(),
                version: version.into(),
                api_version: format!("{GROUP}/{version}"),
                kind: "Cluster".into(),
                plural: "clusters".into(),
            };
            let of_secrets = Selector {
                labels: Some(Cow::Borrowed(LABEL)),
                fields: None,
                namespace: self.selection.namespace.clone().map(Cow::Owned),
            };
            let read_cluster: Read<Brief> = Box::new(|text| {
                let cluster: DynamicObject = serde_json::from_str(text)?;
                let metadata = Kept::default().of_meta(&cluster.metadata).into_owned();
                Ok(Arc::new((metadata, is_ready(&cluster.data))))
            });
            let lead = leads(KEY.to_owned(), false);
            let read: Read<Lead> = Box::new(move |text| Ok(lead(&serde_json::from_str(text)?)));
            let patience = self.selection.patience;
            let records = Clusters {
                clusters: host.briefly(&clusters, self.selection.selector(), read_cluster),
                secrets: host.briefly(&kind(), of_secrets, read),
                selection: self.selection,
            };
            Follower::new(records, patience, fleet).follow().await
        })
    }
}

/// The newest version that the host cluster has, as soon as it has one.
async fn version(host: &Cluster) -> &'static str {
    let mut backoff = Backoff::new(FIRST_BACKOFF, LONGEST_BACKOFF);
    let mut said = None;
    loop {
        let mut failed = None;
        for version in VERSIONS {
            let client = host.client();
            let asked = format!("{GROUP}/{version}");
            match within(client.list_api_group_resources(&asked)).await {
                Ok(_) => return version,
                Err(failure) => failed = Some(failure.to_string()),
            }
        }
        if said != failed {
            let error = failed.clone().unwrap_or_default();
            tracing::warn!(
                error,
                "cannot find Cluster API in the host cluster; trying again"
            );
            said = failed;
        }
        tokio::time::sleep(backoff.next()).await;
    }
}

/// What is kept of a cluster: besides its metadata, whether its control plane is ready.
type Brief = Arc<(ObjectMeta, bool)>;

struct Clusters {
    clusters: Arc<Briefs<Brief>>,
    /// Where they lead; all the rest is not kept.
    secrets: Arc<Briefs<Lead>>,
    selection: Selection,
}

impl Records for Clusters {
    fn parts(&self) -> Vec<Part> {
        let clusters = Part {
            source: Arc::clone(&self.clusters) as _,
            role: Role::Cluster {
                selected: self.selection.labels.is_some(),
            },
        };
        let secrets = Part {
            source: Arc::clone(&self.secrets) as _,
            role: Role::Detail(of_secret),
        };
        vec![clusters, secrets]
    }

    fn read(&self, key: &ObjectKey) -> Option<Reading> {
        let (cluster, deleting) = self.clusters.get(key)?;
        let (metadata, is_ready) = &*cluster;
        let secret = ObjectKey {
            namespace: key.namespace.clone(),
            name: format!("{}{SUFFIX}", key.name),
        };
        let secret = self.secrets.get(&secret).filter(|_| *is_ready);
        let connection = secret.map(|(lead, _)| lead.get());
        Some(Reading {
            name: self.selection.name_of(metadata),
            deleting,
            connection: connection.transpose(),
        })
    }
}

/// The cluster whose kubeconfig a Secret has.
fn of_secret(meta: &ObjectMeta) -> Option<ObjectKey> {
    let name = meta.name.as_deref()?.strip_suffix(SUFFIX)?;
    Some(ObjectKey {
        namespace: meta.namespace.clone(),
        name: name.to_owned(),
    })
}

/// Whether the control plane answers: the newer version and the older one each have a word for it.
fn is_ready(cluster: &Value) -> bool {
    let newer = cluster.pointer("/status/initialization/controlPlaneInitialized");
    let older = cluster.pointer("/status/controlPlaneReady");
    let is_true = |value: Option<&Value>| value.and_then(Value::as_bool).unwrap_or(false);
    is_true(newer) || is_true(older)
}
