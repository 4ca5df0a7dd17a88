use k8s_openapi::api::apps::v1::Deployment;
use kommodore::{Action, Context, Reconcile, Result, controller};

#[controller(for = Deployment(labels = "tier=gold", on_leave = release))]
struct Rollout;

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {}
