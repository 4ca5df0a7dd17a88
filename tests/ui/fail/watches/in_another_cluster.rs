use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{Action, Cluster, Context, ObjectKey, Reconcile, Result, controller};

#[controller(for = Deployment, watches(ConfigMap(in = "red") => Self::using))]
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

fn main() {}
