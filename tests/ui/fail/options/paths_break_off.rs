use k8s_openapi::api::apps::v1::Deployment;
use kommodore::{Action, ConditionType, Context, Reconcile, Result, controller};

mod conditions {}

#[controller(
    for = Deployment,
    owns(k8s_openapi::api::core::v1::),
    watches(k8s_openapi::api::core::),
    rbac(k8s_openapi::api::),
    conditions = conditions::,
)]
struct Rollout;

#[derive(ConditionType)]
enum Step {
    Pushed,
}

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, cx: &Context<Self>) -> Result<Action> {
        cx.set(Step::Pushed.is_true("Pushed", "it is"));
        Ok(Action::done())
    }
}

#[controller(for = Deployment, crate = kommodore::)]
struct Elsewhere;

fn main() {}
