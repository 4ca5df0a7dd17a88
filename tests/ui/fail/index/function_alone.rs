use k8s_openapi::api::apps::v1::Deployment;
use kommodore::{Action, Context, Reconcile, Result, controller};

#[controller(for = Deployment, index(Self::image))]
struct Rollout;

impl Rollout {
    fn image(_: &Deployment) -> Option<String> {
        None
    }
}

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {}
