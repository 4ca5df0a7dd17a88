use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kommodore::{Action, Cluster, Context, ObjectKey, Reconcile, Result, controller};

#[controller(for = Deployment, watches(Secret => Self::using, ConfigMap => ))]
struct Rollout;

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

impl Rollout {
    fn using(&self, _: &Secret, _: &Cluster) -> Vec<ObjectKey> {
        Vec::new()
    }
}

fn main() {}
