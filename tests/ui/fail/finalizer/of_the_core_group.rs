use k8s_openapi::api::core::v1::Namespace;
use kommodore::{Action, Cleanup, Context, Reconcile, Result, controller};

#[controller(for = Namespace, finalizer)]
struct Rollout;

impl Cleanup for Rollout {
    async fn cleanup(&self, _: &Namespace, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Namespace, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {}
