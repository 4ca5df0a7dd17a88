//! JSON merge patch (RFC 7386).

use serde_json::{Map, Value};

/// The document with the patch merged in: `null` removes, objects are merged, anything else replaces.
pub(crate) fn merge_patch(doc: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        // As the library does that a kube-apiserver uses.
        return match doc.is_object() {
            true => patch.clone(),
            false => without_nulls(patch),
        };
    };
    let mut merged = doc.as_object().cloned().unwrap_or_else(Map::new);
    for (name, value) in patch {
        if value.is_null() {
            merged.remove(name);
        } else {
            let old = merged.get(name).unwrap_or(&Value::Null);
            let new = merge_patch(old, value);
            merged.insert(name.clone(), new);
        }
    }
    Value::Object(merged)
}

/// Without the fields of elements that are null.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Array(elements) => elements.iter().map(without_nulls).collect(),
        Value::Object(_) => merge_patch(&Value::Null, value),
        other => other.clone(),
    }
}
