//! Lints that others turn on say nothing of an expansion.

#![deny(
    warnings,
    missing_docs,
    unused_qualifications,
    elided_lifetimes_in_paths,
    single_use_lifetimes,
    missing_debug_implementations,
    unreachable_pub,
    unused_results,
    trivial_casts,
    let_underscore_drop,
    rust_2018_idioms
)]

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kommodore::{
    Action, Cleanup, Cluster, ConditionType, Context, ObjectKey, Reconcile, Result, controller,
};

/// Rolls out.
#[controller(
    for = Deployment(labels = "app=shop", on = spec | labels),
    owns(ConfigMap(namespace = "shop")),
    watches(Secret => Self::using),
    finalizer,
    conditions = Steps,
    ready = "Available2",
    timeout = "30s",
    backoff("1s", "1m"),
    rbac(Secret(verbs = "delete")),
)]
#[derive(Debug)]
struct Rollout {
    name: String,
}

/// How far it is.
#[derive(Debug, ConditionType)]
enum Steps {
    /// Built.
    #[condition(negative, rename = "Unbuilt", summary = false)]
    Built,
}

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, cx: &Context<Self>) -> Result<Action> {
        cx.set(Steps::Built.is_true("Built", self.name.as_str()));
        Ok(Action::done())
    }
}

impl Cleanup for Rollout {
    async fn cleanup(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

impl Rollout {
    fn using(&self, secret: &Secret, _: &Cluster) -> Vec<ObjectKey> {
        vec![ObjectKey::of(secret)]
    }
}

fn main() {
    println!("{:?}", Rollout { name: "it".into() });
}
