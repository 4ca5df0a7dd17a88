use k8s_openapi::api::apps::v1::Deployment;
use kommodore::{Action, Result, controller};

#[controller(for = Deployment)]
async fn reconcile(_: &Deployment) -> Result<Action> {
    Ok(Action::done())
}

fn main() {}
