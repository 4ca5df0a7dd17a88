//! Reading and writing the common parts of objects that are plain JSON.

use serde_json::{Map, Value};

/// A field of `metadata` that is a string; empty counts as absent.
pub(crate) fn meta<'a>(object: &'a Value, field: &str) -> Option<&'a str> {
    object
        .get("metadata")?
        .get(field)?
        .as_str()
        .filter(|text| !text.is_empty())
}

/// Whether it says labels.
pub(crate) fn has_labels(object: &Value) -> bool {
    let labels = object["metadata"]["labels"].as_object();
    labels.is_some_and(|labels| !labels.is_empty())
}

/// The name, or nothing at all.
pub(crate) fn name(object: &Value) -> &str {
    meta(object, "name").unwrap_or_default()
}

/// The namespace; empty for a cluster-scoped object.
pub(crate) fn namespace(object: &Value) -> &str {
    meta(object, "namespace").unwrap_or_default()
}

/// The uid.
pub(crate) fn uid(object: &Value) -> &str {
    meta(object, "uid").unwrap_or_default()
}

/// Whether deletion has begun.
pub(crate) fn is_deleting(object: &Value) -> bool {
    meta(object, "deletionTimestamp").is_some()
}

/// `metadata.finalizers`.
pub(crate) fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    meta_list(object, "finalizers").filter_map(Value::as_str)
}

/// `metadata.ownerReferences`.
pub(crate) fn owners(object: &Value) -> impl Iterator<Item = &Value> {
    meta_list(object, "ownerReferences")
}

fn meta_list<'a>(object: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    object
        .get("metadata")
        .and_then(|metadata| metadata.get(field))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// Whether two objects have the same fields, but for those that do not count.
pub(crate) fn same_fields(
    one: &Value,
    other: &Value,
    counts: impl Fn(&str, &Value) -> bool,
) -> bool {
    let fields = |object: &Value| {
        let fields = object.as_object().into_iter().flatten();
        fields.filter(|(name, value)| counts(name, value)).count()
    };
    let mut all = one.as_object().into_iter().flatten();
    fields(one) == fields(other)
        && all.all(|(name, value)| !counts(name, value) || other.get(name) == Some(value))
}

/// `metadata.resourceVersion` as the number that it is.
pub(crate) fn revision(object: &Value) -> u64 {
    meta(object, "resourceVersion")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

/// `metadata`, put there if it is missing (or is no object).
pub(crate) fn metadata_mut(object: &mut Value) -> &mut Map<String, Value> {
    field_mut(object, "metadata")
}

/// An object-valued field, put there if it is missing (or is no object).
pub(crate) fn field_mut<'a>(object: &'a mut Value, field: &str) -> &'a mut Map<String, Value> {
    as_map(as_map(object).entry(field).or_insert(Value::Null))
}

/// The value as an object; whatever else it was is gone.
pub(crate) fn as_map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it was made an object above"),
    }
}

/// Sets a field of `metadata`.
pub(crate) fn set_meta(object: &mut Value, field: &str, value: impl Into<Value>) {
    metadata_mut(object).insert(field.to_owned(), value.into());
}

/// Replaces the finalizers; none at all leaves no field behind.
pub(crate) fn set_finalizers(object: &mut Value, finalizers: Vec<String>) {
    if finalizers.is_empty() {
        metadata_mut(object).remove("finalizers");
    } else {
        set_meta(object, "finalizers", finalizers);
    }
}

/// Whether a value nests more than so many levels.
pub(crate) fn is_deeper_than(levels: usize, value: &Value) -> bool {
    let Some(below) = levels.checked_sub(1) else {
        return value.is_object() || value.is_array();
    };
    match value {
        Value::Object(fields) => fields.values().any(|value| is_deeper_than(below, value)),
        Value::Array(elements) => elements.iter().any(|value| is_deeper_than(below, value)),
        _ => false,
    }
}

/// How many lists and objects are within one another in a value.
pub(crate) fn depth(value: &Value) -> usize {
    let deepest = match value {
        Value::Object(fields) => fields.values().map(depth).max(),
        Value::Array(elements) => elements.iter().map(depth).max(),
        _ => return 0,
    };
    1 + deepest.unwrap_or(0)
}

/// How long a value is as JSON, but for what is escaped.
pub(crate) fn length(value: &Value) -> usize {
    match value {
        Value::Object(fields) => {
            let lengths = fields.iter();
            let lengths = lengths.map(|(name, value)| name.len() + 4 + length(value));
            lengths.sum::<usize>() + 2
        }
        Value::Array(elements) => {
            let lengths = elements.iter().map(|element| 1 + length(element));
            lengths.sum::<usize>() + 2
        }
        Value::String(text) => text.len() + 2,
        Value::Number(_) | Value::Bool(_) | Value::Null => 4,
    }
}

/// Now, as the API writes it: whole seconds.
pub(crate) fn now() -> String {
    crate::clock::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}
