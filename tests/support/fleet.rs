//! A fleet of Milo projects, on either server.

use std::net::SocketAddr;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kommodore_control_plane::{
    Assets, Builder, ControlPlane, Fault, Injected, RealFleet, RealLease, RequestLog,
};
use kube::api::{Api, PostParams};
use kube::config::Kubeconfig;
use kube::{Client, Config};
use serde_json::Value;

use super::eventually::eventually;
use super::kinds::crds;

/// The user of [`Fleet::operator_kubeconfig`].
pub(crate) const OPERATOR: &str = "operator";

/// Milo's root and its projects. It is empty but for the CRDs when a case begins, and the case has it for itself.
pub struct Fleet {
    server: Server,
}

enum Server {
    Embedded(Box<ControlPlane>),
    Real(RealLease),
}

impl Fleet {
    /// One of its own, inside this process.
    pub async fn embedded() -> Self {
        Self::built_as(ControlPlane::builder()).await
    }

    /// The same, where roles count, as they do on the real one.
    pub async fn embedded_with_roles() -> Self {
        let builder = ControlPlane::builder()
            .rbac()
            .owner_references_permission_enforcement();
        Self::built_as(builder.user(OPERATOR, [""; 0])).await
    }

    async fn built_as(builder: Builder) -> Self {
        let builder = crds()
            .iter()
            .fold(builder.milo(), |builder, crd| builder.crd(crd));
        let server = builder
            .start()
            .await
            .unwrap_or_else(|error| panic!("the embedded fleet: {error}"));
        Self {
            server: Server::Embedded(Box::new(server)),
        }
    }

    /// Waits for the real one; none where the binaries are missing.
    pub async fn real() -> Option<Self> {
        let assets = Assets::from_env().unwrap_or_else(|error| panic!("{error}"))?;
        let lease = RealFleet::lease(&assets, crds())
            .await
            .unwrap_or_else(|error| panic!("the real fleet: {error}"));
        Some(Self {
            server: Server::Real(lease),
        })
    }

    /// How to reach the root.
    pub fn config(&self) -> Config {
        match &self.server {
            Server::Embedded(fleet) => fleet.config(),
            Server::Real(fleet) => fleet.config().unwrap(),
        }
    }

    /// How the user `operator` reaches the root, who may do in each control plane what its roles allow and nothing
    /// else; none where there are no roles.
    pub fn operator_kubeconfig(&self) -> Option<Kubeconfig> {
        match &self.server {
            Server::Embedded(fleet) => fleet.kubeconfig_as(OPERATOR).ok(),
            Server::Real(fleet) => Some(fleet.operator_kubeconfig()),
        }
    }

    /// How another process reaches the root; none where the fleet is the real one.
    pub fn kubeconfig(&self) -> Option<Kubeconfig> {
        match &self.server {
            Server::Embedded(fleet) => Some(fleet.kubeconfig()),
            Server::Real(_) => None,
        }
    }

    /// A client of the root.
    pub fn client(&self) -> Client {
        client(self.config())
    }

    /// How to reach a project's control plane, at Milo's path.
    pub fn project_config(&self, name: &str) -> Config {
        match &self.server {
            Server::Embedded(fleet) => fleet.project(name).config(),
            Server::Real(fleet) => fleet.project_config(name).unwrap(),
        }
    }

    /// A client of a project's control plane.
    pub fn project_client(&self, name: &str) -> Client {
        client(self.project_config(name))
    }

    /// An address that serves this project's control plane alone, at the root path, as inside of Milo's cluster.
    pub async fn direct(&self, name: &str) -> SocketAddr {
        match &self.server {
            Server::Embedded(fleet) => fleet.project(name).direct().await.unwrap(),
            Server::Real(fleet) => fleet.direct(name).await.unwrap(),
        }
    }

    /// Every request so far.
    pub fn requests(&self) -> &RequestLog {
        match &self.server {
            Server::Embedded(fleet) => fleet.requests(),
            Server::Real(fleet) => fleet.requests(),
        }
    }

    /// From now on the project answers nothing.
    pub fn silence(&self, project: &str) {
        match &self.server {
            Server::Embedded(fleet) => fleet.silence(project),
            Server::Real(fleet) => fleet.silence(project),
        }
    }

    /// The project answers again.
    pub fn unsilence(&self, project: &str) {
        match &self.server {
            Server::Embedded(fleet) => fleet.unsilence(project),
            Server::Real(fleet) => fleet.unsilence(project),
        }
    }

    /// A project answers all that it is asked with 403 and this message, until what is returned is dropped.
    pub fn forbid(&self, project: &str, message: &str) -> Injected {
        let fault = Fault::status(403).message(message).in_project(project);
        match &self.server {
            Server::Embedded(fleet) => fleet.inject(fault),
            Server::Real(fleet) => fleet.inject(fault),
        }
    }

    /// Cuts all watches of a project, or (`None`) of the root.
    pub fn drop_watches<'a>(&self, project: impl Into<Option<&'a str>>) {
        match &self.server {
            Server::Embedded(fleet) => fleet.drop_watches(project.into()),
            Server::Real(fleet) => fleet.drop_watches(project.into()),
        }
    }

    /// Forgets what happened in a project, or (`None`) in the root, so far, so that a watch that was cut needs a new list; says whether it
    /// did, which a real server cannot be asked for.
    pub fn forget_history<'a>(&self, project: impl Into<Option<&'a str>>) -> bool {
        match &self.server {
            Server::Embedded(fleet) => {
                fleet.compact(project.into());
                true
            }
            Server::Real(_) => false,
        }
    }

    /// Whether what is owned by something that is gone goes too; a case that needs it begins with
    /// [`needs_garbage_collection!`](crate::needs_garbage_collection).
    pub fn supports_gc(&self) -> bool {
        match &self.server {
            Server::Embedded(_) => true,
            Server::Real(fleet) => fleet.has_controllers(),
        }
    }

    /// Installs a further CRD at the root and waits until all projects serve it.
    pub async fn install(&self, crd: Value) {
        match &self.server {
            Server::Embedded(_) => {
                // What the root serves, the projects serve from then on.
                let crd: CustomResourceDefinition = serde_json::from_value(crd).expect("a CRD");
                Api::all(self.client())
                    .create(&PostParams::default(), &crd)
                    .await
                    .expect("the CRD is created");
            }
            Server::Real(fleet) => fleet.install(crd).await.unwrap(),
        }
    }

    /// A project's control plane stops to serve a CRD of the root, such as `websites.demo.kommodore.dev`.
    pub async fn hide(&self, project: &str, crd: &str) {
        match &self.server {
            Server::Embedded(fleet) => fleet.project(project).hide(crd),
            Server::Real(fleet) => fleet.hide(project, crd).await.unwrap(),
        }
    }

    /// A project's control plane serves a CRD of the root again.
    pub async fn show(&self, project: &str, crd: &str) {
        match &self.server {
            Server::Embedded(fleet) => fleet.project(project).show(crd),
            Server::Real(fleet) => fleet.show(project, crd).await.unwrap(),
        }
    }

    /// Waits until the namespace is there and can be used.
    pub async fn ensure_namespace(&self, project: &str, name: &str) {
        let api: Api<Namespace> = Api::all(self.project_client(project));
        let metadata = ObjectMeta {
            name: Some(name.into()),
            ..Default::default()
        };
        let namespace = Namespace {
            metadata,
            ..Default::default()
        };
        eventually(&format!("the namespace {name} in {project}"), async || {
            match api.create(&PostParams::default(), &namespace).await {
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                created => return created.map(|_| ()).map_err(|error| error.to_string()),
            }
            match api.get(name).await {
                Ok(namespace) if namespace.metadata.deletion_timestamp.is_some() => {
                    Err("it terminates".into())
                }
                other => other.map(|_| ()).map_err(|error| error.to_string()),
            }
        })
        .await;
    }
}

fn client(config: Config) -> Client {
    Client::try_from(config).expect("a client")
}
