use k8s_openapi::api::apps::v1::Deployment;
use kommodore::{Action, ConditionType, Context, Reconcile, Result, controller};

#[derive(ConditionType)]
enum Steps {
    Built,
    Shipped,
}

#[controller(for = Deployment, conditions = Steps(labels = "a=b"))]
struct Rollout;

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {}
