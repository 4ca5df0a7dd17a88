//! The project that websites are made in, the others beside it, and the operator of all of them.

use std::ops::Range;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};
use k8s_openapi::api::core::v1::Namespace;
use kommodore_control_plane::ControlPlane;
use kommodore_tests::{KubeconfigFile, NAMESPACE, Website, crds, status_of, website};
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams,
};
use kube::{Client, ResourceExt as _};
use serde_json::json;

use super::operate::Telling;
use super::process::Other;

/// Nothing was asked for so long: then all is done.
const QUIET: Duration = Duration::from_secs(3);
/// How often the operator is asked how far it is.
const LOOK: Duration = Duration::from_millis(20);
/// Something is wrong if it takes so long.
const LIMIT: Duration = Duration::from_secs(300);
const PROJECT: &str = "red";
/// So many requests of ours are under way at once.
const AT_ONCE: usize = 16;

/// A project, and how other processes reach it and its root.
pub(crate) struct Project {
    pub(crate) plane: ControlPlane,
    client: Client,
    root: KubeconfigFile,
    own: KubeconfigFile,
}

/// The name of one of the projects beside it.
pub(crate) fn beside(number: usize) -> String {
    format!("p{number}")
}

impl Project {
    pub(crate) async fn start() -> Self {
        let builder = ControlPlane::builder().milo();
        let builder = crds().iter().fold(builder, |builder, crd| builder.crd(crd));
        let plane = builder.start().await.unwrap();
        create_project(&plane.client().unwrap(), PROJECT).await;
        let client = plane.project(PROJECT).client().unwrap();
        create_namespace(&client).await;
        let root = KubeconfigFile::write(&plane.kubeconfig(), "bench-root");
        let mut own = plane.kubeconfig();
        let url = plane.project(PROJECT).config().cluster_url.to_string();
        for cluster in own
            .clusters
            .iter_mut()
            .filter_map(|named| named.cluster.as_mut())
        {
            cluster.server = Some(url.clone());
        }
        let own = KubeconfigFile::write(&own, "bench-project");
        Self {
            plane,
            client,
            root,
            own,
        }
    }

    /// Adds some that nobody has anything to do in.
    pub(crate) async fn add_projects(&self, count: usize) {
        let client = self.plane.client().unwrap();
        let create = async |number: usize| create_project(&client, &beside(number)).await;
        let creates = stream::iter(0..count).map(create);
        creates.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    }

    /// Says of those beside it whether they are to be served by an operator that asks for that.
    pub(crate) async fn serve(&self, numbers: Range<usize>, served: bool) {
        let projects = projects(self.plane.client().unwrap());
        let patch = json!({"metadata": {"labels": {"served": served.then_some("yes")}}});
        let patch = async |number: usize| {
            let (name, params) = (beside(number), PatchParams::default());
            let merge = Patch::Merge(&patch);
            let patched = projects.patch_metadata(&name, &params, &merge);
            patched.await.unwrap();
        };
        let patches = stream::iter(numbers).map(patch);
        patches.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    }

    pub(crate) fn websites(&self) -> Api<Website> {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    /// Those of one beside it, which gets the namespace for them.
    pub(crate) async fn websites_beside(&self, number: usize) -> Api<Website> {
        let client = self.plane.project(beside(number)).client().unwrap();
        create_namespace(&client).await;
        Api::namespaced(client, NAMESPACE)
    }

    pub(crate) async fn create(&self, count: usize) {
        create(&self.websites(), count).await;
    }

    pub(crate) async fn delete(&self, count: usize) {
        let websites = self.websites();
        let delete = async |number: usize| {
            let name = format!("site-{number}");
            websites
                .delete(&name, &DeleteParams::default())
                .await
                .unwrap();
        };
        let deletes = stream::iter(0..count).map(delete);
        deletes.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    }

    /// Waits until nobody has asked for anything for a while.
    pub(crate) async fn quiet(&self) {
        loop {
            let mark = self.plane.requests().mark();
            tokio::time::sleep(QUIET).await;
            if self.plane.requests().since(mark).is_empty() {
                return;
            }
        }
    }

    /// All are served, or all are gone.
    pub(crate) async fn has(&self, count: usize) {
        let sites = self.websites().list(&ListParams::default()).await.unwrap();
        assert_eq!(sites.items.len(), count);
        for site in sites {
            let ready = status_of(&site, "Ready");
            assert_eq!(
                ready,
                Some(("True", "ReconcileSucceeded")),
                "{}",
                site.name_any()
            );
        }
    }

    fn other(&self, what: &str, kubeconfig: &KubeconfigFile, more: &[&str]) -> Other {
        let file = kubeconfig.0.to_string_lossy();
        let mut other = Other::of_this(&[&[what, &file], more].concat());
        assert_eq!(other.line(), "ready");
        other
    }

    /// An operator that has just been started, for the projects that a selector of labels chooses.
    pub(crate) fn operator_of(&self, labels: &str) -> Other {
        self.other("operate", &self.root, &[labels])
    }

    /// One for all projects, and for the contexts of a kubeconfig.
    pub(crate) fn operator_beside(&self, kubeconfig: &KubeconfigFile) -> Other {
        let others = kubeconfig.0.to_string_lossy();
        self.other("operate", &self.root, &["", &others])
    }

    /// The operator of all, when it has come to rest.
    pub(crate) async fn operator(&self) -> Other {
        let operator = self.operator_of("");
        self.quiet().await;
        operator
    }

    /// The memory of an operator that has nothing to do.
    pub(crate) async fn idle_memory(&self) -> f64 {
        let operator = self.operator().await;
        let memory = operator.memory();
        operator.stop().unwrap();
        memory
    }

    /// The memory of the objects alone, with what reads them.
    pub(crate) fn held_memory(&self) -> f64 {
        let other = self.other("hold", &self.own, &[]);
        let memory = other.memory();
        other.stop().unwrap();
        memory
    }
}

/// Creates websites that differ in their numbers.
pub(crate) async fn create(websites: &Api<Website>, count: usize) {
    let create = async |number: usize| {
        let site = website(&format!("site-{number}"));
        websites
            .create(&PostParams::default(), &site)
            .await
            .unwrap();
    };
    let creates = stream::iter(0..count).map(create);
    creates.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

/// Waits until the operator says of itself what it is to say.
pub(crate) async fn until(operator: &mut Other, what: impl Fn(&Telling) -> bool) -> Telling {
    let began = Instant::now();
    loop {
        let telling = operator.ask();
        if what(&telling) {
            return telling;
        }
        assert!(began.elapsed() < LIMIT, "{telling:?} is all that came");
        tokio::time::sleep(LOOK).await;
    }
}

async fn create_namespace(client: &Client) {
    let mut shop = Namespace::default();
    shop.metadata.name = Some(NAMESPACE.into());
    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces
        .create(&PostParams::default(), &shop)
        .await
        .unwrap();
}

fn projects(client: Client) -> Api<DynamicObject> {
    Api::all_with(client, &project_kind())
}

fn project_kind() -> ApiResource {
    ApiResource {
        group: "resourcemanager.miloapis.com".into(),
        version: "v1alpha1".into(),
        api_version: "resourcemanager.miloapis.com/v1alpha1".into(),
        kind: "Project".into(),
        plural: "projects".into(),
    }
}

async fn create_project(client: &Client, name: &str) {
    let spec = json!({"spec": {"ownerRef": {"kind": "Organization", "name": "o"}}});
    let project = DynamicObject::new(name, &project_kind()).data(spec);
    projects(client.clone())
        .create(&PostParams::default(), &project)
        .await
        .unwrap();
}
