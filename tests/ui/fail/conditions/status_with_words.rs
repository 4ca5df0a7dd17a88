use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use kommodore::{Action, Context, Reconcile, Result, controller};

#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[kube(group = "demo.kommodore.dev", version = "v1", kind = "Page", status = "PageStatus")]
struct PageSpec {}

#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
struct PageStatus {
    conditions: Vec<String>,
}

#[controller(for = Page, conditions)]
struct Rollout;

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Page, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {}
