use k8s_openapi::api::apps::v1::Deployment;
use kommodore::{Action, ConditionType, Context, Reconcile, Result, controller};

#[controller(for = Deployment)]
struct Rollout;

#[derive(ConditionType)]
enum Steps {
    Built,
}

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, cx: &Context<Self>) -> Result<Action> {
        cx.set(Steps::Built.is_true("Pushed", "the image is there"));
        Ok(Action::done())
    }
}

fn main() {}
