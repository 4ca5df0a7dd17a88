use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kommodore::{Action, Cleanup, Context, Reconcile, Result, controller};

#[controller(
    for = Deployment,
    name = "roll out",
    owns = ConfigMap,
    watches(Secret),
    finalizer = "rollout",
    finaliser = "demo.kommodore.dev/rollout",
    concurrency = 4,
)]
struct Rollout;

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

fn main() {}
