//! Some objects of a kind, in each of the ways to say which.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kommodore::{Action, Cluster, Context, ObjectKey, Reconcile, Result, controller};

#[controller(
    for = Deployment(labels = "tier in (gold, silver),!legacy", fields = "metadata.name!=main", namespace = "shop"),
    owns(ConfigMap(labels = "app=rollout")),
    watches(
        Secret(fields = "type=kubernetes.io/tls") => Self::using,
        Secret(labels = "rollout=all") => Self::all,
    ),
)]
struct Rollout;

impl Rollout {
    fn using(&self, secret: &Secret, _: &Cluster) -> Option<ObjectKey> {
        Some(ObjectKey::of(secret))
    }

    fn all(&self, _: &Secret, cluster: &Cluster) -> impl Iterator<Item = ObjectKey> + use<> {
        cluster.list::<Deployment>().map(ObjectKey::of)
    }
}

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {
    let _ = Rollout;
}
