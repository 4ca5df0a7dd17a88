//! Whether the priority level of a flow schema is there, which is a condition of the schema.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::api::{self, levels, schemas};
use crate::object;
use crate::plane::{Plane, World};
use crate::store::{Bucket, Change, Key, Store, What};

const MANAGER: &str = "api-priority-and-fairness-config-consumer-v1";

/// Whether schemas or levels are in this bucket.
pub(super) fn looks_at(bucket: &Bucket) -> bool {
    *bucket == schemas() || *bucket == levels()
}

pub(super) fn after(world: &Arc<World>, plane: &Plane, bucket: &Bucket, change: &Change) {
    if plane.project.is_some() || !looks_at(bucket) {
        return;
    }
    world.flows.forget();
    let store = &plane.store;
    let object = change.object.value();
    if change.what == What::Added && is_set_up(&object) {
        // Those that a server begins with say it already.
        return;
    }
    if *bucket == schemas() {
        if let Some(schema) = store.get(bucket, change.key()) {
            tell(world, store, &schema);
        }
    } else if change.what != What::Modified {
        for kept in store.list(&schemas(), None).objects {
            let schema = kept.value();
            if level(&schema) == object::name(&object) {
                tell(world, store, &schema);
            }
        }
    }
}

fn is_set_up(object: &Value) -> bool {
    object["metadata"]["annotations"]["apf.kubernetes.io/autoupdate-spec"] == "true"
}

/// The name of the level of a schema.
fn level(schema: &Value) -> &str {
    let name = schema.pointer("/spec/priorityLevelConfiguration/name");
    name.and_then(Value::as_str).unwrap_or_default()
}

/// Writes the condition of a schema, if it is another one than before.
fn tell(world: &Arc<World>, store: &Store, schema: &Value) {
    let level = level(schema);
    let found = store.contains(&levels(), &Key::new("", level));
    let (status, reason, how) = match found {
        true => ("False", "Found", "and it exists"),
        false => ("True", "NotFound", "but there is no such object"),
    };
    let message = format!(
        "This FlowSchema references the PriorityLevelConfiguration object named {level:?} {how}"
    );
    let conditions = schema
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    let mut conditions = conditions.into_iter().flatten();
    let is_told = conditions.any(|condition| {
        condition["type"] == "Dangling"
            && condition["status"] == status
            && condition["reason"] == reason
            && condition["message"] == message
    });
    if is_told {
        return;
    }
    let name = object::name(schema);
    let told = json!({
        "apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "FlowSchema", "metadata": {"name": name},
        "status": {"conditions": [{
            "type": "Dangling", "status": status, "lastTransitionTime": object::now(), "reason": reason, "message": message,
        }]},
    });
    let path = format!("/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/{name}/status");
    if let Err(failure) = api::apply(world, None, &path, MANAGER, &told) {
        // A newer one will be looked at as well.
        let error = failure.message();
        tracing::debug!(error, "the janitor could not tell of a flow schema");
    }
}
