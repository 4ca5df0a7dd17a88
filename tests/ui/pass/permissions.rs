//! Permissions beyond those that follow from the declaration.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kommodore::{Action, Context, Permissions, Reconcile, Result, controller};

#[controller(
    for = Deployment,
    owns(ConfigMap),
    rbac(ConfigMap(verbs = "delete"), Pod(verbs = "get", subresource = "log"), Deployment(verbs = "patch", subresource = "status")),
)]
struct Rollout;

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {
    let rules = Permissions::of::<Rollout>().rules();
    let of = |resource: &str| rules.iter().find(|rule| rule.resource == resource).unwrap();
    assert!(of("configmaps").verbs.contains(&"delete"));
    assert_eq!(of("pods/log").verbs, ["get"]);
    assert_eq!(of("deployments/status").verbs, ["patch"]);
}
