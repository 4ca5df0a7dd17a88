use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kommodore::{Action, Cleanup, Cluster, Context, ObjectKey, Reconcile, Result, controller};

#[controller(
    for = Deployment(in = local),
    owns(ConfigMap(in = everywhere), Secret(in = providers)),
    watches(ConfigMap(in = provider) => Self::using),
    engage(locl, host, local, "provider", local),
    finalizer = "example.org/rollout",
)]
struct Rollout;

impl Rollout {
    fn using(&self, _: &ConfigMap, _: &Cluster) -> Option<ObjectKey> {
        None
    }
}

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

impl Cleanup for Rollout {
    async fn cleanup(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

#[controller(for = Deployment, owns(ConfigMap(in = local)), engage)]
struct Unheld;

impl Reconcile for Unheld {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {}
