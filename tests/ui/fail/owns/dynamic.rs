use k8s_openapi::api::apps::v1::Deployment;
use kommodore::{Action, Context, Reconcile, Result, controller};

#[controller(for = Deployment, owns(Dynamic(group = "example.org", version = "v1", kind = "Page", full)))]
struct Rollout;

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {}
