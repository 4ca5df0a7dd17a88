//! A cluster-scoped kind of one's own, without conditions, that owns a kind of its own.

use kommodore::{Action, Context, Reconcile, Result, controller};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[kube(group = "demo.kommodore.dev", version = "v1", kind = "Team")]
pub struct TeamSpec {
    pub members: Vec<String>,
}

#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[kube(
    group = "demo.kommodore.dev",
    version = "v1",
    kind = "Member",
    namespaced
)]
pub struct MemberSpec {}

#[controller(for = Team, owns(Member))]
pub struct TeamController;

impl Reconcile for TeamController {
    async fn reconcile(&self, team: &Team, _: &Context<Self>) -> Result<Action> {
        let count = u32::try_from(team.spec.members.len())?;
        Ok(if count == 0 {
            Action::requeue(std::time::Duration::from_secs(60))
        } else {
            Action::done()
        })
    }
}

fn main() {
    let _ = TeamController;
}
