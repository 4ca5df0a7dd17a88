//! The clusters of an inventory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::Secret;
use kube::Config;
use kube::api::{ApiResource, DynamicObject, ObjectMeta};
use kube::config::{AuthInfo, Context, ExecConfig, Kubeconfig};
use kube::config::{NamedAuthInfo, NamedCluster, NamedContext};
use serde::Deserialize as _;
use serde_json::Value;

use super::follow::{Follower, Part, Reading, Records, Role};
use super::milo::is_true;
use super::secrets::connection;
use super::selection::{Selection, selects};
use super::{Provider, foreign};
use crate::controller::ObjectKey;
use crate::fleet::{Cluster, Connection, Fleet};
use crate::manager::Permissions;
use crate::watch::{Cache, Lookup, Selector};
use crate::{Error, Result, ResultExt as _};

const GROUP: &str = "multicluster.x-k8s.io";
/// The Secret of a cluster for one who works with it has both.
const OF_CONSUMER: &str = "x-k8s.io/cluster-inventory-consumer";
const OF_PROFILE: &str = "x-k8s.io/cluster-profile";
const KEY: &str = "Config";
const HEALTHY: &str = "ControlPlaneHealthy";
/// Where a profile says how its cluster is reached: the word of now, and that of before.
const ACCESS: [&str; 2] = ["/status/accessProviders", "/status/credentialProviders"];

/// The clusters of an [inventory](https://multicluster.sigs.k8s.io/concepts/cluster-profile-api/): each `ClusterProfile`
/// (`multicluster.x-k8s.io/v1alpha1`) of the host cluster whose control plane is healthy, called like it.
///
/// How one is reached says its profile, for the access providers that [`access`](ClusterInventory::access) has a command
/// for, or else a Secret for this [`consumer`](ClusterInventory::consumer). What changes there changes the connection, and
/// costs no key and no event. A cluster whose profile is gone is disengaged, and may be there all the same.
///
/// ```
/// # use kommodore::ClusterInventory;
/// use kommodore::kube::config::{ExecConfig, ExecInteractiveMode};
///
/// let command = ExecConfig {
///     api_version: Some("client.authentication.k8s.io/v1".into()),
///     command: Some("/plugins/cp-creds".into()),
///     args: Some(vec!["--managed-serviceaccount=my-operator".into()]),
///     interactive_mode: Some(ExecInteractiveMode::Never),
///     provide_cluster_info: true,
///     ..ExecConfig::default()
/// };
/// let clusters = ClusterInventory::new().namespace("my-operator").access("open-cluster-management", command);
/// ```
#[derive(Debug, Clone, Default)]
pub struct ClusterInventory {
    selection: Selection,
    commands: BTreeMap<String, ExecConfig>,
    consumer: Option<String>,
}

impl ClusterInventory {
    /// Those of all namespaces.
    pub fn new() -> Self {
        Self::default()
    }

    selects!(namespaced, grace);

    /// The command that gives the credentials for clusters with an access provider of this name, as in a kubeconfig. With
    /// `provide_cluster_info` it is told what the profile says of the cluster.
    #[must_use]
    pub fn access(mut self, provider: impl Into<String>, command: ExecConfig) -> Self {
        self.commands.insert(provider.into(), command);
        self
    }

    /// Reads the Secrets that are for this consumer: they have the labels `x-k8s.io/cluster-inventory-consumer` and
    /// `x-k8s.io/cluster-profile`, and under the key `Config` a kubeconfig, which may name no commands and no files.
    #[must_use]
    pub fn consumer(mut self, name: impl Into<String>) -> Self {
        self.consumer = Some(name.into());
        self
    }
}

impl Provider for ClusterInventory {
    fn name(&self) -> &str {
        "cluster-inventory"
    }

    fn permissions(&self) -> Permissions {
        let profiles = Permissions::default().and(GROUP, "clusterprofiles", &["list", "watch"]);
        match self.consumer {
            Some(_) => profiles.and("", "secrets", &["list", "watch"]),
            None => profiles,
        }
    }

    fn run(
        self: Box<Self>,
        host: Cluster,
        _: Config,
        fleet: Fleet,
    ) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            let kind = ApiResource {
                group: GROUP.into(),
                version: "v1alpha1".into(),
                api_version: format!("{GROUP}/v1alpha1"),
                kind: "ClusterProfile".into(),
                plural: "clusterprofiles".into(),
            };
            let of_consumer = |consumer: &String| Selector {
                labels: Some(Cow::Owned(format!("{OF_CONSUMER}={consumer},{OF_PROFILE}"))),
                fields: None,
                namespace: self.selection.namespace.clone().map(Cow::Owned),
            };
            let secrets = self.consumer.as_ref().map(of_consumer);
            let patience = self.selection.patience;
            let records = Profiles {
                profiles: host.dynamic(&kind, self.selection.selector()),
                secrets: secrets.map(|selector| host.cache::<Secret>(selector)),
                provider: *self,
            };
            Follower::new(records, patience, fleet).follow().await
        })
    }
}

struct Profiles {
    profiles: Arc<Cache<DynamicObject>>,
    secrets: Option<Arc<Cache<Secret>>>,
    provider: ClusterInventory,
}

impl Records for Profiles {
    fn parts(&self) -> Vec<Part> {
        let profiles = Part {
            source: Arc::clone(&self.profiles) as _,
            role: Role::Mention,
        };
        let secrets = self.secrets.iter().map(|secrets| Part {
            source: Arc::clone(secrets) as _,
            role: Role::Detail(of_secret),
        });
        std::iter::once(profiles).chain(secrets).collect()
    }

    fn read(&self, key: &ObjectKey) -> Option<Reading> {
        let profile = self.profiles.get(key)?;
        let connection = match is_true(&profile, HEALTHY) {
            true => self.connection(key, &profile.data),
            false => Ok(None),
        };
        Some(Reading {
            name: self.provider.selection.name_of(&profile.metadata),
            deleting: false,
            connection,
        })
    }
}

impl Profiles {
    fn connection(&self, key: &ObjectKey, profile: &Value) -> Result<Option<Connection>> {
        if let Some(connection) = self.by_command(profile)? {
            return Ok(Some(connection));
        }
        let Some(secrets) = &self.secrets else {
            return Err(Error::terminal(
                "the ClusterProfile has no access provider that a command is known for: give one with `access`, or a \
                 `consumer`",
            ));
        };
        let of_profile = |secret: &Secret| {
            let profile = of_secret(&secret.metadata);
            profile.iter().map(ObjectKey::to_string).collect()
        };
        let name = key.to_string();
        let lookup = Lookup::indexed::<ClusterInventory>("profile", of_profile, name);
        match secrets.find(&lookup).as_slice() {
            [] => Ok(None),
            [secret] => connection(secret, KEY, false).map(Some),
            several => Err(Error::terminal(format!(
                "{} Secrets are for this consumer and this ClusterProfile, where one is expected",
                several.len()
            ))),
        }
    }

    /// The connection by the first access provider that a command is known for.
    fn by_command(&self, profile: &Value) -> Result<Option<Connection>> {
        let lists = ACCESS
            .iter()
            .filter_map(|path| profile.pointer(path)?.as_array());
        let known = lists.flatten().find_map(|access| {
            let command = self.provider.commands.get(access.get("name")?.as_str()?)?;
            Some((access.get("cluster")?, command))
        });
        let Some((cluster, command)) = known else {
            return Ok(None);
        };
        let cluster = kube::config::Cluster::deserialize(cluster)
            .context("reading the access provider of the ClusterProfile")?;
        if cluster.certificate_authority.is_some() {
            return Err(Error::terminal(
                "the ClusterProfile names a file, which would be one of the operator",
            ));
        }
        let name = String::from("profile");
        let kubeconfig = Kubeconfig {
            clusters: vec![NamedCluster {
                name: name.clone(),
                cluster: Some(cluster),
                ..NamedCluster::default()
            }],
            auth_infos: vec![NamedAuthInfo {
                name: name.clone(),
                auth_info: Some(AuthInfo {
                    exec: Some(command.clone()),
                    ..AuthInfo::default()
                }),
                ..NamedAuthInfo::default()
            }],
            contexts: vec![NamedContext {
                name: name.clone(),
                context: Some(Context {
                    cluster: name.clone(),
                    user: Some(name),
                    ..Context::default()
                }),
                ..NamedContext::default()
            }],
            ..Kubeconfig::default()
        };
        // The command is ours, and there is nothing else in it.
        Ok(Some(foreign::config_of(kubeconfig, true)?.into()))
    }
}

/// The profile whose kubeconfig a Secret has.
fn of_secret(meta: &ObjectMeta) -> Option<ObjectKey> {
    let profile = meta.labels.as_ref()?.get(OF_PROFILE)?;
    Some(ObjectKey {
        namespace: meta.namespace.clone(),
        name: profile.clone(),
    })
}
