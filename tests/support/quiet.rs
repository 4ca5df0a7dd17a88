//! An embedded fleet without a socket, for tests on tokio's paused clock.

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kommodore::{Builder, Manager, Milo, Provider};
use kommodore_control_plane::ControlPlane;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::eventually::eventually;
use super::kinds::{Website, crds};
use super::run::logs;
use super::sites::{NAMESPACE, website};

/// Projects that have the namespace of the websites. Nothing of it takes any time but what is waited for.
pub struct Quiet {
    plane: ControlPlane,
}

impl Quiet {
    /// Projects with these names.
    pub async fn new(projects: impl IntoIterator<Item = &str>) -> Self {
        logs();
        let builder = ControlPlane::builder().milo();
        let builder = crds().iter().fold(builder, |builder, crd| builder.crd(crd));
        let plane = builder.without_socket().start().await.expect("a plane");
        let kind = ApiResource {
            group: "resourcemanager.miloapis.com".into(),
            version: "v1alpha1".into(),
            api_version: "resourcemanager.miloapis.com/v1alpha1".into(),
            kind: "Project".into(),
            plural: "projects".into(),
        };
        let root = plane.client().expect("a client");
        let all: Api<DynamicObject> = Api::all_with(root, &kind);
        let mut shop = Namespace::default();
        shop.metadata.name = Some(NAMESPACE.into());
        for name in projects {
            let spec = json!({"spec": {"ownerRef": {"kind": "Organization", "name": "o"}}});
            let project = DynamicObject::new(name, &kind).data(spec);
            let created = all.create(&PostParams::default(), &project).await;
            created.expect("a project");
            let client = plane.project(name).client().expect("a client");
            let namespaces: Api<Namespace> = Api::all(client);
            let created = namespaces.create(&PostParams::default(), &shop).await;
            created.expect("a namespace");
        }
        Self { plane }
    }

    /// The server, with its faults and its log.
    pub fn plane(&self) -> &ControlPlane {
        &self.plane
    }

    /// Starts the server again, with the data that it has and nothing that it knew besides.
    pub async fn restart(&mut self) {
        self.plane.restart().await.expect("it starts again");
    }

    /// A manager for all projects, without a controller yet.
    pub fn manager(&self) -> Builder {
        self.manager_of(Milo::external())
    }

    /// A manager for the clusters of a provider, without a controller yet.
    pub fn manager_of(&self, provider: impl Provider) -> Builder {
        let manager = Manager::builder(self.plane.config()).connect(self.plane.connector());
        manager.seed(1).provider(provider)
    }

    /// The websites of a project.
    pub fn websites(&self, project: &str) -> Api<Website> {
        let client = self.plane.project(project).client().expect("a client");
        Api::namespaced(client, NAMESPACE)
    }

    /// Their pages.
    pub fn pages(&self, project: &str) -> Api<ConfigMap> {
        let client = self.plane.project(project).client().expect("a client");
        Api::namespaced(client, NAMESPACE)
    }

    /// Creates the website `one`.
    pub async fn create(&self, project: &str) {
        let (params, one) = (PostParams::default(), website("one"));
        let created = self.websites(project).create(&params, &one).await;
        created.expect("it is created");
    }

    /// Changes the website `one` by merge patch.
    pub async fn change(&self, project: &str, patch: Value) {
        let (params, patch) = (PatchParams::default(), Patch::Merge(patch));
        let changed = self.websites(project).patch("one", &params, &patch).await;
        changed.expect("it is changed");
    }

    /// Waits until the website `one` has this URL.
    pub async fn shows(&self, project: &str, url: &str) {
        let websites = self.websites(project);
        eventually(url, async || {
            let status = websites.get("one").await.expect("it is there").status;
            status.is_some_and(|status| status.url.as_deref() == Some(url))
        })
        .await;
    }
}
