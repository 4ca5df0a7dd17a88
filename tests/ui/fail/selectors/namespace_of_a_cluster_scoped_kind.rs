use k8s_openapi::api::core::v1::Namespace;
use kommodore::{Action, Context, Reconcile, Result, controller};

#[controller(for = Namespace(namespace = "shop"))]
struct Rollout;

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Namespace, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {}
