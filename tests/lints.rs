//! Clippy at its strictest says nothing of what the macros write: `cargo clippy --all-targets -- -D warnings` reads
//! this. The test `editions` reads it in other editions, too.

#![deny(
    clippy::pedantic,
    clippy::nursery,
    clippy::absolute_paths,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::default_numeric_fallback,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::shadow_reuse,
    clippy::str_to_string,
    clippy::unreachable,
    clippy::unwrap_used,
    clippy::used_underscore_binding,
    clippy::wildcard_imports
)]
#![allow(unreachable_pub, reason = "the same file is a library elsewhere")]

use std::future::pending;
use std::sync::Mutex;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kommodore::kube::core::DynamicObject;
use kommodore::{
    Action, Cleanup, Cluster, ConditionType, Context, ObjectKey, Reconcile, Result, controller,
};

/// Rolls out.
#[controller(
    for = Deployment(labels = "app=shop", namespace = "shop", on = spec | labels),
    owns(ConfigMap(labels = "app=shop"), Dynamic(group = "example.org", version = "v1", kind = "Page")),
    watches(
        Secret => Self::using,
        Dynamic(group = "", version = "v1", kind = "Gizmo") => Self::made_of,
    ),
    finalizer,
    conditions = Steps,
    ready = "RolledOut",
    concurrency = 16,
    cluster_concurrency = 4,
    timeout = "30s",
    resync = "10m",
    backoff("1s", "1h"),
    rbac(Secret(verbs = "get, delete", subresource = "any")),
)]
#[derive(Debug, Default)]
pub struct Rollout {
    seen: Mutex<u64>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ConditionType)]
pub enum Steps {
    /// It is built.
    Built,
    /// It is slow.
    #[condition(negative, rename = "example.org/Slow", summary = false)]
    Slow,
}

impl Reconcile for Rollout {
    async fn reconcile(&self, _: &Deployment, cx: &Context<Self>) -> Result<Action> {
        cx.set(Steps::Built.is_true("Built", "it is there"));
        Ok(Action::done())
    }
}

impl Cleanup for Rollout {
    async fn cleanup(&self, _: &Deployment, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

impl Rollout {
    fn using(&self, secret: &Secret, _: &Cluster) -> Option<ObjectKey> {
        let seen = self.seen.lock().is_ok_and(|seen| *seen > 0);
        seen.then(|| ObjectKey::of(secret))
    }

    async fn made_of(&self, gizmo: &DynamicObject, _: &Cluster) -> Vec<ObjectKey> {
        self.using(&Secret::default(), &cluster_of(gizmo).await)
            .into_iter()
            .collect()
    }
}

async fn cluster_of(_: &DynamicObject) -> Cluster {
    pending().await
}

#[test]
fn the_conditions_have_their_names() {
    assert_eq!(Steps::from_name("example.org/Slow"), Some(Steps::Slow));
    assert_eq!(Steps::Built.meaning(), "It is built.");
    assert!(Rollout::default().seen.lock().is_ok());
}
