//! How many at once, how long, and how soon again.

use k8s_openapi::api::apps::v1::Deployment;
use kommodore::{Action, Context, Reconcile, Result, controller};

#[controller(
    for = Deployment,
    concurrency = 16,
    cluster_concurrency = 2,
    timeout = "1m30s",
    resync = "10m",
    backoff("100ms", "1h"),
)]
struct Rollout;

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {
    let _ = Rollout;
}
