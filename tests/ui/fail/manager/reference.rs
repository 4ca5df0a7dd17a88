use k8s_openapi::api::apps::v1::Deployment;
use kommodore::{Action, Context, Manager, Reconcile, Result, controller};

#[controller(for = Deployment)]
struct Rollout;

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn build(config: kube::Config) {
    let _ = Manager::builder(config).controller(&Rollout);
}

fn main() {}
