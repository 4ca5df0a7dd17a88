use k8s_openapi::api::core::v1::ConfigMap;
use kommodore::{Action, Context, Reconcile, Result, controller};

#[controller(for = ConfigMap, conditions)]
struct Rollout;

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &ConfigMap, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {}
