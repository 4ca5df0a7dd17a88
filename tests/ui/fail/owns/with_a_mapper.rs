use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{Action, Cluster, Context, ObjectKey, Reconcile, Result, controller};

#[controller(for = Deployment, owns(ConfigMap => Self::using))]
struct Rollout;

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

impl Rollout {
    fn using(&self, _: &ConfigMap, _: &Cluster) -> Vec<ObjectKey> {
        Vec::new()
    }
}

fn main() {}
