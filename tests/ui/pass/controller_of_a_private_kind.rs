//! A controller and its kind that are both private to the crate, and one that is private to its module.

use kommodore::{Action, ConditionType, Context, Reconcile, Result, controller};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[kube(group = "demo.kommodore.dev", version = "v1", kind = "Team", status = "TeamStatus")]
pub(crate) struct TeamSpec {}

#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
pub(crate) struct TeamStatus {
    conditions: Vec<Condition>,
}

#[derive(ConditionType)]
pub(crate) enum Steps {
    Formed,
}

#[controller(for = Team, owns(Team), conditions = Steps)]
pub(crate) struct Teams;

impl Reconcile for Teams {
    async fn reconcile(&self, _: &Team, cx: &Context<Self>) -> Result<Action> {
        cx.set(Steps::Formed.is_true("Complete", "everybody is there"));
        Ok(Action::done())
    }
}

fn main() {
    let _ = Teams;
}
