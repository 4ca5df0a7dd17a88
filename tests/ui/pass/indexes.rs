//! Indexes by functions of every form, in a controller that is generic.

use std::marker::PhantomData;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kommodore::{Action, Cluster, Context, Lookup, ObjectKey, Reconcile, Result, controller};
use kube::ResourceExt;

#[controller(
    for = Deployment,
    owns(ConfigMap(full)),
    watches(
        Secret => Self::using,
        Secret(in = local) => Self::using,
        Dynamic(group = "", version = "v1", kind = "ConfigMap", in = local) => anybody,
    ),
    index(
        by_secret => Self::secrets,
        by_image => images::of::<Deployment>,
        r#type => kinds,
    ),
)]
pub struct Rollout<T: Send + Sync + 'static>(PhantomData<T>);

impl<T: Send + Sync + 'static> Rollout<T> {
    fn secrets(deployment: &Deployment) -> impl Iterator<Item = &str> {
        let all = deployment.annotations().get("secrets");
        all.into_iter().flat_map(|all| all.split(','))
    }

    fn using(&self, secret: &Secret, cluster: &Cluster) -> impl Iterator<Item = ObjectKey> + use<T> {
        cluster
            .find(Self::by_secret(secret.name_any()))
            .map(ObjectKey::of)
    }
}

fn anybody<T>(_: &T, _: &kube::core::DynamicObject, _: &Cluster) -> [ObjectKey; 0] {
    []
}

fn kinds(_: &Deployment) -> [&'static str; 1] {
    ["rollout"]
}

mod images {
    pub(crate) fn of<K: kube::ResourceExt>(object: &K) -> Option<&String> {
        object.annotations().get("image")
    }
}

impl<T: Send + Sync + 'static> Reconcile for Rollout<T> {
    async fn reconcile(&self, deployment: &Deployment, cx: &Context<Self>) -> Result<Action> {
        let image = cx.list(Self::by_image("nginx")).await?;
        let typed = cx.list(Self::r#type("rollout")).await?;
        let owned = cx.list::<ConfigMap>(Lookup::owned_by(deployment)).await?;
        assert!(image.len() + typed.len() + owned.len() > 0);
        Ok(Action::done())
    }
}

fn main() {
    let _ = Rollout::<u8>(PhantomData);
}
