use k8s_openapi::api::apps::v1::Deployment;
use kommodore::{Action, ConditionType, Context, Reconcile, Result, controller};

#[controller(for = Deployment, conditions = Steps)]
struct Rollout;

#[derive(ConditionType)]
enum Steps {
    Built,
    #[condition(negatve)]
    Degraded,
    #[condition(negative, negative)]
    Late,
}

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {}
