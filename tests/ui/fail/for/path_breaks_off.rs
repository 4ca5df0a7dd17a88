use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kommodore::{Action, Cleanup, Cluster, ConditionType, Context, ObjectKey, Reconcile, Result, controller};

#[controller(
    for = k8s_openapi::api::apps::v1::,
    owns(ConfigMap),
    watches(Secret => Self::using),
    finalizer = "demo.kommodore.dev/rollout",
    conditions = Step,
)]
struct Rollout;

#[derive(ConditionType)]
enum Step {
    Pushed,
}

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, cx: &Context<Self>) -> Result<Action> {
        cx.set(Step::Pushed.is_true("Pushed", "it is"));
        Ok(Action::done())
    }
}

impl Cleanup for Rollout {
    async fn cleanup(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

impl Rollout {
    fn using(&self, _: &Secret, _: &Cluster) -> Vec<ObjectKey> {
        Vec::new()
    }
}

fn main() {}
