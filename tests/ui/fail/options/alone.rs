use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{Action, Context, Reconcile, Result, controller};

#[controller(for = Deployment, owns(ConfigMap), prune = true)]
struct Rollout;

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

#[controller(for = Deployment, prune)]
struct Childless;

impl Reconcile for Childless {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {}
