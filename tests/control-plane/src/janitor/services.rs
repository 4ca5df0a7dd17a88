//! The API services of CRDs: one for each version of a group that is served.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::garbage::delete;
use super::is_definition;
use crate::api::{self, DeleteOptions, Policy};
use crate::elsewhere::{GROUP, PLURAL};
use crate::kinds::Resource;
use crate::plane::{Plane, World};
use crate::store::{Bucket, Change, Key};

const MANAGED: &str = "kube-aggregator.kubernetes.io/automanaged";

pub(super) fn after(world: &Arc<World>, plane: &Arc<Plane>, bucket: &Bucket, change: &Change) {
    if plane.project.is_some() || !is_definition(bucket) {
        return;
    }
    let services = world.registry.get(GROUP, PLURAL);
    if let (Some((_, group)), Some(services)) = (change.key().name.split_once('.'), services) {
        settle(world, &services, group);
    }
}

/// Sees to it that there are those that a group needs, and no others.
fn settle(world: &Arc<World>, services: &Resource, group: &str) {
    let root = &world.root;
    let served = versions(world, group);
    for version in &served {
        let key = Key::new("", &format!("{version}.{group}"));
        if root.store.contains(&services.bucket, &key) {
            continue;
        }
        let path = format!("/apis/{GROUP}/v1/{PLURAL}");
        if let Err(failure) = api::install(world, &path, &service(group, version)) {
            let error = failure.message();
            tracing::debug!(error, "the janitor could not make an API service");
        }
    }
    for kept in root.store.list(&services.bucket, None).objects {
        let is_managed = kept.labels().get(MANAGED).map(String::as_str) == Some("true");
        let version = kept.key.name.split_once('.');
        let version = version.filter(|(_, of)| is_managed && *of == group);
        if version.is_some_and(|(version, _)| !served.contains(version)) {
            let options = DeleteOptions::of(&kept.value(), Some(Policy::Background));
            delete(world, root, services, &kept.key, &options);
        }
    }
}

fn versions(world: &World, group: &str) -> BTreeSet<String> {
    let all = world.registry.all();
    let defined = all
        .iter()
        .filter(|resource| resource.is_crd() && *resource.group == *group);
    let versions = defined.flat_map(|resource| &resource.versions);
    versions.map(|version| version.name.clone()).collect()
}

fn service(group: &str, version: &str) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/v1"), "kind": "APIService",
        "metadata": {"name": format!("{version}.{group}"), "labels": {MANAGED: "true"}},
        "spec": {"group": group, "version": version, "groupPriorityMinimum": 1000, "versionPriority": 100},
    })
}
