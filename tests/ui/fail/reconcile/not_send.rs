use k8s_openapi::api::apps::v1::Deployment;
use kommodore::{Action, Context, Reconcile, Result, controller};

#[controller(for = Deployment)]
struct Rollout;

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        let name = std::rc::Rc::new("rollout");
        std::future::ready(()).await;
        drop(name);
        Ok(Action::done())
    }
}

fn main() {}
