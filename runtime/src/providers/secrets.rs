//! Clusters whose kubeconfigs lie in Secrets of the host cluster.

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ApiResource, ObjectMeta};
use kube::{Config, Resource};

use super::follow::{Follower, Part, Reading, Records, Role};
use super::selection::{Selection, selects};
use super::{Provider, foreign};
use crate::controller::ObjectKey;
use crate::fleet::{Cluster, Connection, Fleet, Recent};
use crate::manager::Permissions;
use crate::watch::{Briefs, Kept, Read};
use crate::{Error, Result};

/// The label of a Secret that stands for a cluster, as multicluster-runtime has it.
const LABELS: &str = "sigs.k8s.io/multicluster-runtime-kubeconfig=true";
/// Where a Secret has its kubeconfig.
const KEY: &str = "kubeconfig";

/// Clusters whose kubeconfigs lie in Secrets of the host cluster, each called like its Secret.
///
/// By default those with the label `sigs.k8s.io/multicluster-runtime-kubeconfig: "true"`, under the key `kubeconfig`. A
/// kubeconfig that is written anew changes the connection, and costs no key and no event; one that cannot be read
/// leaves its cluster as it is. A cluster whose Secret is gone is disengaged, and may be there all the same.
///
/// A kubeconfig is not [`trusted`](KubeconfigSecrets::trusted) to name commands and files.
///
/// ```
/// # use kommodore::KubeconfigSecrets;
/// let clusters = KubeconfigSecrets::new().namespace("clusters").labels("tier=gold").key("config");
/// ```
#[derive(Debug, Clone)]
pub struct KubeconfigSecrets {
    selection: Selection,
    key: String,
    trusted: bool,
}

impl Default for KubeconfigSecrets {
    fn default() -> Self {
        Self {
            selection: Selection {
                labels: Some(LABELS.to_owned()),
                ..Selection::default()
            },
            key: KEY.to_owned(),
            trusted: false,
        }
    }
}

impl KubeconfigSecrets {
    /// Those with multicluster-runtime's label, in all namespaces.
    pub fn new() -> Self {
        Self::default()
    }

    selects!(namespaced);

    /// Under which key a Secret has its kubeconfig.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// Who writes these Secrets may name commands, which the operator then runs, and files, which it then reads.
    #[must_use]
    pub fn trusted(mut self) -> Self {
        self.trusted = true;
        self
    }
}

impl Provider for KubeconfigSecrets {
    fn name(&self) -> &str {
        "kubeconfig-secrets"
    }

    fn permissions(&self) -> Permissions {
        Permissions::default().and("", "secrets", &["list", "watch"])
    }

    fn run(
        self: Box<Self>,
        host: Cluster,
        _: Config,
        fleet: Fleet,
    ) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            let patience = self.selection.patience;
            let selector = self.selection.selector();
            let lead = leads(self.key, self.trusted);
            let read: Read<Brief> = Box::new(move |text| {
                let secret = serde_json::from_str(text)?;
                let lead = lead(&secret);
                let metadata = Kept::default().of_meta(secret.meta()).into_owned();
                Ok(Arc::new((metadata, lead)))
            });
            let records = Secrets {
                briefs: host.briefly(&kind(), selector, read),
                selection: self.selection,
            };
            Follower::new(records, patience, fleet).follow().await
        })
    }
}

/// What is kept of a Secret, which may hold much else.
type Brief = Arc<(ObjectMeta, Lead)>;

struct Secrets {
    briefs: Arc<Briefs<Brief>>,
    selection: Selection,
}

impl Records for Secrets {
    fn parts(&self) -> Vec<Part> {
        vec![Part {
            source: Arc::clone(&self.briefs) as _,
            role: Role::Mention,
        }]
    }

    fn read(&self, key: &ObjectKey) -> Option<Reading> {
        let (brief, _) = self.briefs.get(key)?;
        let (metadata, lead) = &*brief;
        Some(Reading {
            name: self.selection.name_of(metadata),
            deleting: false,
            connection: lead.get().map(Some),
        })
    }
}

pub(super) fn kind() -> ApiResource {
    ApiResource::erase::<Secret>(&())
}

/// Where a Secret leads, or why it does not lead anywhere.
#[derive(Clone)]
pub(super) struct Lead(std::result::Result<Connection, Arc<str>>);

impl Lead {
    pub(super) fn get(&self) -> Result<Connection> {
        let Self(lead) = self;
        lead.clone()
            .map_err(|error| Error::terminal(error.to_string()))
    }
}

/// Finds where Secrets lead.
pub(super) fn leads(key: String, trusted: bool) -> impl Fn(&Secret) -> Lead + Send + Sync {
    let recent = Mutex::new(Recent::default());
    move |secret| {
        let connection = connection(secret, &key, trusted);
        // The fleet has it in common with us.
        let mut recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
        let lead = connection.map(|connection| connection.shared(&mut recent));
        Lead(lead.map_err(|error| format!("{error:#}").into()))
    }
}

/// The connection by the kubeconfig in a Secret.
pub(super) fn connection(secret: &Secret, key: &str, trusted: bool) -> Result<Connection> {
    let data = secret.data.as_ref().and_then(|data| data.get(key));
    match data {
        Some(text) => Ok(foreign::config(&text.0, trusted)?.into()),
        None => Err(Error::terminal(format!("the Secret has no key {key:?}"))),
    }
}
