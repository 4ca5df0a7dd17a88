//! Milo: every project has a control plane of its own.

use std::borrow::Cow;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use http::Uri;
use http::uri::PathAndQuery;
use kube::Config;
use kube::api::{ApiResource, DynamicObject};
use serde::Deserialize;
use serde_json::Value;

use super::Provider;
use super::follow::{Follower, Part, Patience, Reading, Records, Role, valid};
use super::followed::Followed;
use crate::Result;
use crate::controller::ObjectKey;
use crate::fleet::{Cluster, ClusterName, Fleet};
use crate::manager::Permissions;
use crate::watch::{Briefs, Selector};

/// How long a project may be not ready before it is disengaged.
const GRACE: Duration = Duration::from_secs(10);
/// How long a project that is being deleted stays engaged at most.
const CLEANUP_DEADLINE: Duration = Duration::from_secs(10 * 60);

/// The validated name of a project.
pub type ProjectName = ClusterName;

/// Where a project's API server answers, as Milo's own services would be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// A host name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

type Resolver = Arc<dyn Fn(&ProjectName) -> Endpoint + Send + Sync>;

/// The projects of a Milo control plane, each of them a cluster named like the project.
///
/// A project is engaged once it is ready, and disengaged when it has not been ready for longer than
/// the [`grace`](Milo::grace), is not selected any more, or is gone. One that is being deleted stays
/// engaged, ready or not, so that `cleanup` can run: no new finalizers are set in it, until it is gone
/// or the [`cleanup_deadline`](Milo::cleanup_deadline) has passed.
///
/// ```
/// # use std::time::Duration;
/// # use kommodore::{Endpoint, Milo};
/// // Those of paying customers, as somebody else than the manager.
/// let projects = Milo::external().labels("tier in (gold, silver)").kubeconfig("/etc/milo/kubeconfig");
/// // From inside, where each API server is in another place than usual, and may be away for a while.
/// let projects = Milo::internal()
///     .resolver(|name| Endpoint { host: format!("{name}.projects.internal"), port: 443 })
///     .grace(Duration::from_secs(60));
/// ```
#[derive(Clone)]
pub struct Milo {
    mode: Mode,
    labels: Option<String>,
    config: Option<Box<Config>>,
    kubeconfig: Option<PathBuf>,
    grace: Duration,
    cleanup_deadline: Duration,
}

#[derive(Clone)]
enum Mode {
    External,
    Internal(Resolver),
}

impl Milo {
    /// From outside: watches `Project` (`resourcemanager.miloapis.com/v1alpha1`), and reaches the
    /// control plane of each through the endpoint of the manager's own configuration, at
    /// `/apis/resourcemanager.miloapis.com/v1alpha1/projects/{name}/control-plane`.
    pub fn external() -> Self {
        Self::with(Mode::External)
    }

    /// From inside Milo's infrastructure cluster: watches `ProjectControlPlane`
    /// (`infrastructure.miloapis.com/v1alpha1`), and reaches each project's own API server at
    /// `milo-apiserver.project-{name}.svc.cluster.local:6443`.
    pub fn internal() -> Self {
        Self::with(Mode::Internal(Arc::new(|name| Endpoint {
            host: format!("milo-apiserver.project-{name}.svc.cluster.local"),
            port: 6443,
        })))
    }

    fn with(mode: Mode) -> Self {
        Self {
            mode,
            labels: None,
            config: None,
            kubeconfig: None,
            grace: GRACE,
            cleanup_deadline: CLEANUP_DEADLINE,
        }
    }

    /// Only projects that match this label selector (`"tier=gold,region in (eu, us)"`). It is applied by
    /// the server; a project that loses the label is disengaged.
    #[must_use]
    pub fn labels(mut self, selector: impl Into<String>) -> Self {
        self.labels = Some(selector.into());
        self
    }

    /// Credentials, CA and (for [`external`](Milo::external)) endpoint of the projects, where they are not
    /// those of the manager's own configuration.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = Some(Box::new(config));
        self
    }

    /// The same by the current context of a kubeconfig, whose file is looked at every five seconds: what changes there
    /// changes the connections, and costs no key and no event. One that is not there yet is waited for, and one that cannot
    /// be read leaves the projects as they are.
    #[must_use]
    pub fn kubeconfig(mut self, path: impl Into<PathBuf>) -> Self {
        self.kubeconfig = Some(path.into());
        self
    }

    /// How long a project may be not ready before it is disengaged; 10 s by default.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long a project that is being deleted stays engaged at most; 10 min by default.
    #[must_use]
    pub fn cleanup_deadline(mut self, deadline: Duration) -> Self {
        self.cleanup_deadline = deadline;
        self
    }

    /// Where the API server of a project is, for [`internal`](Milo::internal) with another address scheme.
    #[must_use]
    pub fn resolver(
        mut self,
        resolve: impl Fn(&ProjectName) -> Endpoint + Send + Sync + 'static,
    ) -> Self {
        if let Mode::Internal(resolver) = &mut self.mode {
            *resolver = Arc::new(resolve);
        }
        self
    }

    /// The kind that stands for a project, and its ready condition.
    fn kind(&self) -> (ApiResource, &'static str) {
        let (group, kind, plural, condition) = match self.mode {
            Mode::External => (
                "resourcemanager.miloapis.com",
                "Project",
                "projects",
                "Ready",
            ),
            Mode::Internal(_) => (
                "infrastructure.miloapis.com",
                "ProjectControlPlane",
                "projectcontrolplanes",
                "ControlPlaneReady",
            ),
        };
        let resource = ApiResource {
            group: group.into(),
            version: "v1alpha1".into(),
            api_version: format!("{group}/v1alpha1"),
            kind: kind.into(),
            plural: plural.into(),
        };
        (resource, condition)
    }

    /// The configuration for the control plane of a project.
    fn connection(&self, mut config: Config, name: &ProjectName) -> Result<Config, http::Error> {
        let mut parts = config.cluster_url.clone().into_parts();
        match &self.mode {
            Mode::External => {
                let path = format!(
                    "/apis/resourcemanager.miloapis.com/v1alpha1/projects/{name}/control-plane"
                );
                // What is made of the string itself keeps all the room that it has.
                parts.path_and_query = Some(PathAndQuery::try_from(path.as_str())?);
            }
            Mode::Internal(resolver) => {
                let Endpoint { host, port } = resolver(name);
                // An IPv6 address stands in brackets in a URL (RFC 3986, section 3.2.2).
                let host = match host.parse::<Ipv6Addr>() {
                    Ok(address) => format!("[{address}]"),
                    Err(_) => host,
                };
                parts.authority = Some(format!("{host}:{port}").parse()?);
                parts.path_and_query = Some(PathAndQuery::from_static("/"));
            }
        }
        config.cluster_url = Uri::from_parts(parts)?;
        Ok(config)
    }
}

impl Provider for Milo {
    fn name(&self) -> &str {
        match self.mode {
            Mode::External => "milo-external",
            Mode::Internal(_) => "milo-internal",
        }
    }

    fn permissions(&self) -> Permissions {
        let (kind, _) = self.kind();
        Permissions::default().and(kind.group, kind.plural, &["list", "watch"])
    }

    fn run(
        self: Box<Self>,
        host: Cluster,
        config: Config,
        fleet: Fleet,
    ) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            let (kind, condition) = self.kind();
            let selector = Selector {
                labels: self.labels.clone().map(Cow::Owned),
                ..Selector::default()
            };
            let is_ready = move |project: &str| has_condition(project, condition);
            let ready = host.briefly(&kind, selector, Box::new(is_ready));
            let base = match (self.kubeconfig.clone(), self.config.as_deref()) {
                (Some(path), _) => Base::File(Followed::new(path).await),
                (None, Some(config)) => Base::Given(config.clone().into()),
                (None, None) => Base::Given(config.into()),
            };
            let projects = Projects {
                ready,
                base,
                milo: *self,
            };
            let patience = Patience {
                grace: projects.milo.grace,
                cleanup: projects.milo.cleanup_deadline,
            };
            Follower::new(projects, patience, fleet).follow().await
        })
    }
}

/// Whether a condition of a project is true: as much of it as matters here.
fn has_condition(project: &str, condition: &str) -> serde_json::Result<bool> {
    #[derive(Deserialize)]
    struct Project<'a> {
        #[serde(borrow)]
        status: Option<Status<'a>>,
    }
    #[derive(Deserialize)]
    struct Status<'a> {
        #[serde(borrow)]
        conditions: Option<Vec<Condition<'a>>>,
    }
    #[derive(Deserialize)]
    struct Condition<'a> {
        #[serde(borrow)]
        r#type: Option<Cow<'a, str>>,
        #[serde(borrow)]
        status: Option<Cow<'a, str>>,
    }
    let Project { status } = serde_json::from_str(project)?;
    let conditions = status.and_then(|status| status.conditions);
    let mut of_type = conditions
        .iter()
        .flatten()
        .filter(|found| found.r#type.as_deref() == Some(condition));
    Ok(of_type.any(|found| found.status.as_deref() == Some("True")))
}

/// The projects as they are now.
struct Projects {
    /// Whether each is.
    ready: Arc<Briefs<bool>>,
    base: Base,
    milo: Milo,
}

/// What the configurations of all projects have in common.
enum Base {
    Given(Box<Config>),
    File(Followed),
}

impl Base {
    fn config(&self) -> Config {
        match self {
            Self::Given(config) => Config::clone(config),
            Self::File(followed) => followed.config(),
        }
    }
}

impl Records for Projects {
    fn parts(&self) -> Vec<Part> {
        vec![Part {
            source: Arc::clone(&self.ready) as _,
            role: Role::Cluster {
                selected: self.milo.labels.is_some(),
            },
        }]
    }

    fn read(&self, key: &ObjectKey) -> Option<Reading> {
        let (is_ready, deleting) = self.ready.get(key)?;
        let connection = || {
            let name = valid(&key.name)?;
            // What is being deleted is worked on to the end, ready or not.
            match deleting || is_ready {
                true => {
                    let config = self.milo.connection(self.base.config(), &name)?;
                    Ok(Some(config.into()))
                }
                false => Ok(None),
            }
        };
        Some(Reading {
            name: key.name.clone(),
            deleting,
            connection: connection(),
        })
    }

    fn changed(&self) -> BoxFuture<'static, ()> {
        match &self.base {
            Base::Given(_) => Box::pin(std::future::pending()),
            Base::File(followed) => followed.changed(),
        }
    }
}

/// Whether a condition of an object is true.
pub(super) fn is_true(object: &DynamicObject, condition: &str) -> bool {
    let conditions = object.data.pointer("/status/conditions");
    let conditions = conditions.and_then(Value::as_array).into_iter().flatten();
    let mut of_type = conditions.filter(|found| found["type"] == condition);
    of_type.any(|found| found["status"] == "True")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(milo: &Milo, base: &str) -> String {
        let config = Config::new(base.parse().unwrap());
        milo.connection(config, &ProjectName::new("alpha").unwrap())
            .unwrap()
            .cluster_url
            .to_string()
    }

    #[test]
    fn external_replaces_the_path_and_internal_the_host() {
        let path = "apis/resourcemanager.miloapis.com/v1alpha1/projects/alpha/control-plane";
        assert_eq!(
            url(&Milo::external(), "https://milo:8443/some/path"),
            format!("https://milo:8443/{path}")
        );
        let internal = url(&Milo::internal(), "https://infra:443/some/path");
        assert_eq!(
            internal,
            "https://milo-apiserver.project-alpha.svc.cluster.local:6443/"
        );
        let resolved = Milo::internal().resolver(|_| Endpoint {
            host: "127.0.0.1".into(),
            port: 7,
        });
        assert_eq!(url(&resolved, "https://infra"), "https://127.0.0.1:7/");
        let resolved = Milo::internal().resolver(|_| Endpoint {
            host: "::1".into(),
            port: 7,
        });
        assert_eq!(url(&resolved, "https://infra"), "https://[::1]:7/");
    }
}
