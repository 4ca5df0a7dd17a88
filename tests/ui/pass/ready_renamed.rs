//! A summary of another name than `Ready`.

use k8s_openapi::api::apps::v1::Deployment;
use kommodore::{Action, ConditionType, Context, Reconcile, Result, controller};

#[controller(for = Deployment, conditions = Steps, ready = "RolledOut")]
struct Rollout;

#[derive(ConditionType)]
enum Steps {
    Built,
}

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, cx: &Context<Self>) -> Result<Action> {
        cx.set(Steps::Built.is_true("Pushed", "the image is there"));
        Ok(Action::done())
    }
}

#[controller(for = Deployment, conditions, ready = "example.org/Watched", name = "watcher")]
struct Watcher;

impl Reconcile for Watcher {
    async fn reconcile(&self, _: &Deployment, cx: &Context<Self>) -> Result<Action> {
        cx.ready("Seen", "");
        Ok(Action::done())
    }
}

fn main() {
    let _ = (Rollout, Watcher);
}
