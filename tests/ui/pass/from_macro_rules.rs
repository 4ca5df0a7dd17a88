//! Written by a macro of the user, from every sort of fragment.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kommodore::{Action, Cleanup, Context, Reconcile, Result, controller};

macro_rules! sweeper {
    ($name:ident, $kind:ty, $owned:path, $finalizer:literal, $label:expr) => {
        #[controller(for = $kind, owns($owned), finalizer = $finalizer, name = $label, conditions)]
        struct $name;

        impl Reconcile for $name {
            async fn reconcile(&self, _: &$kind, _: &Context<Self>) -> Result<Action> {
                Ok(Action::done())
            }
        }

        impl Cleanup for $name {
            async fn cleanup(&self, _: &$kind, _: &Context<Self>) -> Result<Action> {
                Ok(Action::done())
            }
        }
    };
}

sweeper!(
    Deployments,
    Deployment,
    ConfigMap,
    "demo.kommodore.dev/deployments",
    "deployments"
);
sweeper!(
    DaemonSets,
    DaemonSet,
    Secret,
    "demo.kommodore.dev/daemonsets",
    "daemonsets"
);

#[controller(for = Deployment)]
struct Written;

impl Reconcile for Written {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {
    let _ = (Deployments, DaemonSets, Written);
}
