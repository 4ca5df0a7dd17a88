use k8s_openapi::api::apps::v1::Deployment;
use kommodore::{Action, Cleanup, Context, Reconcile, Result, controller};

#[controller(for = Deployment(on_leave = release), finalizer)]
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
