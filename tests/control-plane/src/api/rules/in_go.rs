//! Parts of metadata as Go writes them: in the order of its structs.

use serde_json::{Map, Value};

use crate::patch::go;

const METADATA: [&str; 15] = [
    "name",
    "generateName",
    "namespace",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
];
const OWNER: [&str; 6] = [
    "apiVersion",
    "kind",
    "name",
    "uid",
    "controller",
    "blockOwnerDeletion",
];
const MANAGER: [&str; 7] = [
    "manager",
    "operation",
    "apiVersion",
    "time",
    "fieldsType",
    "fieldsV1",
    "subresource",
];

/// Metadata as a whole.
pub(crate) fn metadata(metadata: &Map<String, Value>) -> String {
    ordered(metadata, &METADATA, |name, value| match name {
        "ownerReferences" => list(value, &OWNER),
        "managedFields" => list(value, &MANAGER),
        _ => go::json(value),
    })
}

/// An owner reference.
pub(super) fn owner(owner: &Value) -> String {
    one(owner, &OWNER)
}

fn list(elements: &Value, order: &[&str]) -> String {
    let elements = elements.as_array().into_iter().flatten();
    let elements: Vec<String> = elements.map(|element| one(element, order)).collect();
    format!("[{}]", elements.join(","))
}

fn one(value: &Value, order: &[&str]) -> String {
    match value {
        Value::Object(fields) => ordered(fields, order, |_, value| go::json(value)),
        other => go::json(other),
    }
}

fn ordered(
    fields: &Map<String, Value>,
    order: &[&str],
    write: impl Fn(&str, &Value) -> String,
) -> String {
    let said = order.iter().filter_map(|name| {
        let value = fields.get(*name)?;
        Some(format!("{name:?}:{}", write(name, value)))
    });
    format!("{{{}}}", said.collect::<Vec<_>>().join(","))
}
