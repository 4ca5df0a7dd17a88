//! Every namespace has the service account `default`, where that is wanted.

use std::sync::Arc;

use serde_json::json;

use super::is_namespace;
use crate::api;
use crate::kinds::namespace_bucket;
use crate::plane::{Plane, World};
use crate::store::{Bucket, Change, Key, What};

const DEFAULT: &str = "default";

/// Makes it for a namespace that is new, and anew when it was deleted.
pub(super) fn after(world: &Arc<World>, plane: &Plane, bucket: &Bucket, change: &Change) {
    if !world.options.service_accounts || plane.project.is_some() {
        return;
    }
    let key = change.key();
    let is_gone = change.what == What::Deleted;
    let namespace = if is_namespace(bucket) && !is_gone {
        &key.name
    } else if &*bucket.plural == "serviceaccounts" && is_gone && key.name == DEFAULT {
        &key.namespace
    } else {
        return;
    };
    let accounts = Bucket {
        group: "".into(),
        plural: "serviceaccounts".into(),
    };
    let owner = plane
        .store
        .kept(&namespace_bucket(), &Key::new("", namespace));
    let is_there = plane
        .store
        .contains(&accounts, &Key::new(namespace, DEFAULT));
    if is_there || owner.is_none_or(|namespace| namespace.is_deleting) {
        return;
    }
    let account = json!({
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": DEFAULT, "namespace": namespace},
    });
    let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
    if let Err(why) = api::install(world, &path, &account) {
        tracing::debug!(
            "no service account for the namespace {namespace}: {}",
            why.message()
        );
    }
}
