//! Only the kind: no finalizer, no conditions, nothing owned. A unit struct.

use k8s_openapi::api::apps::v1::Deployment;
use kommodore::{Action, Context, Reconcile, Result, controller};

#[controller(for = Deployment)]
struct Audit;

impl Reconcile for Audit {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {
    let _ = Audit;
}
