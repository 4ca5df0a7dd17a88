//! Kinds without a Rust type, owned and watched.

use k8s_openapi::api::apps::v1::Deployment;
use kommodore::kube::core::DynamicObject;
use kommodore::{Action, Cluster, Context, ObjectKey, Reconcile, Result, controller};

#[controller(
    for = Deployment,
    owns(Dynamic(group = "example.org", version = "v1", kind = "Page", labels = "app=rollout")),
    watches(Dynamic(group = "", version = "v1", kind = "Gizmo", plural = "gizmoes", namespace = "shop") => Self::using),
    rbac(Dynamic(group = "example.org", version = "v1", kind = "Page", verbs = "delete")),
)]
struct Rollout;

impl Rollout {
    fn using(&self, gizmo: &DynamicObject, _: &Cluster) -> Vec<ObjectKey> {
        vec![ObjectKey::of(gizmo)]
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
