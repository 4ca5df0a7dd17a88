//! What may not change once it is there, and when two values are the same.

use serde_json::{Map, Value};

use super::checks::at;
use crate::failure::Cause;
use crate::structs::internal;

pub(super) const IMMUTABLE: &str = "field is immutable";

/// Whether two values say the same: what is left out is nothing, or empty.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => same_fields(one, other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        _ => one == other || (is_nothing(one) && is_nothing(other)),
    }
}

fn same_fields(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let within = |one: &Map<String, Value>, other: &Map<String, Value>| {
        one.iter()
            .all(|(field, value)| same(value, other.get(field).unwrap_or(&Value::Null)))
    };
    within(one, other) && within(other, one)
}

/// Whether nothing is said, or what is empty.
pub(super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        // One that is kept though it is empty or zero is behind a pointer, or in a map.
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.values().all(is_nothing),
    }
}

/// What is wrong with a whole struct, which is shown as the server has it: `of` is what it is called there.
pub(super) fn invalid_struct(field: &str, of: &'static str, value: &Value, why: &str) -> Cause {
    let shown = internal::text(of, value);
    let message = format!("Invalid value: {shown}: {why}");
    Cause::new("FieldValueInvalid", field, message)
}

/// A whole struct of which a part is none of those that are known.
pub(super) fn unsupported_struct(
    field: &str,
    of: &'static str,
    value: &Value,
    known: &str,
) -> Cause {
    let shown = internal::text(of, value);
    let message = format!("Unsupported value: {shown}: supported values: {known}");
    Cause::new("FieldValueNotSupported", field, message)
}

/// A whole struct that is there already.
pub(super) fn duplicate_struct(field: &str, of: &'static str, value: &Value) -> Cause {
    let message = format!("Duplicate value: {}", internal::text(of, value));
    Cause::new("FieldValueDuplicate", field, message)
}

/// What may not change, and how it has, if it has.
pub(super) fn forbidden_change(
    field: &str,
    why: &str,
    of: &'static str,
    old: &Value,
    new: &Value,
) -> Option<Cause> {
    if old == new || internal::same(of, old, new) {
        return None;
    }
    let changed = internal::difference(of, old, new);
    Some(Cause::forbidden(field, &format!("{why}\n{changed}")))
}

/// How a value that may not change is shown.
#[derive(Clone, Copy)]
enum Shown {
    Value,
    /// One that is not said is an empty one.
    Text,
    /// One that is not said is zero.
    Number,
    /// Called so in the server.
    Struct(&'static str),
    /// A struct that is nothing where it is not said.
    Pointer(&'static str),
}
use Shown::{Number, Pointer, Struct, Text, Value as Plain};

/// By kind: where it is, what the server calls it, and how it shows it.
const FIXED: [(&str, &str, &str, Shown); 31] = [
    ("EndpointSlice", "/addressType", "addressType", Plain),
    ("IngressClass", "/spec/controller", "spec.controller", Text),
    (
        "PriorityClass",
        "/preemptionPolicy",
        "preemptionPolicy",
        Plain,
    ),
    ("PersistentVolume", "/spec/volumeMode", "volumeMode", Plain),
    (
        "PersistentVolumeClaim",
        "/spec/volumeMode",
        "volumeMode",
        Plain,
    ),
    (
        "CSIDriver",
        "/spec/attachRequired",
        "spec.attachedRequired",
        Plain,
    ),
    (
        "CSIDriver",
        "/spec/volumeLifecycleModes",
        "spec.volumeLifecycleModes",
        Plain,
    ),
    ("CSIStorageCapacity", "/nodeTopology", "nodeTopology", Plain),
    (
        "CSIStorageCapacity",
        "/storageClassName",
        "storageClassName",
        Plain,
    ),
    ("ControllerRevision", "/data", "data", Plain),
    (
        "IPAddress",
        "/spec/parentRef",
        "spec.parentRef",
        Struct("networking.ParentReference"),
    ),
    (
        "VolumeAttachment",
        "/spec",
        "spec",
        Struct("storage.VolumeAttachmentSpec"),
    ),
    (
        "ResourceClaim",
        "/spec",
        "spec",
        Struct("resource.ResourceClaimSpec"),
    ),
    (
        "ResourceClaimTemplate",
        "/spec",
        "spec",
        Struct("resource.ResourceClaimTemplateSpec"),
    ),
    ("ResourceSlice", "/spec/pool/name", "spec.pool.name", Plain),
    ("ResourceSlice", "/spec/driver", "spec.driver", Plain),
    ("ResourceSlice", "/spec/nodeName", "spec.nodeName", Plain),
    // Of those of the newer group alone.
    (
        "Event",
        "/regarding",
        "involvedObject",
        Struct("core.ObjectReference"),
    ),
    ("Event", "/reason", "reason", Text),
    ("Event", "/note", "message", Text),
    (
        "Event",
        "/deprecatedSource",
        "source",
        Struct("core.EventSource"),
    ),
    (
        "Event",
        "/deprecatedFirstTimestamp",
        "firstTimestamp",
        Plain,
    ),
    ("Event", "/deprecatedLastTimestamp", "lastTimestamp", Plain),
    ("Event", "/deprecatedCount", "count", Number),
    // A real server looks at it twice.
    ("Event", "/reason", "reason", Text),
    ("Event", "/type", "type", Text),
    ("Event", "/eventTime", "eventTime", Plain),
    ("Event", "/action", "action", Text),
    (
        "Event",
        "/related",
        "related",
        Pointer("core.ObjectReference"),
    ),
    ("Event", "/reportingController", "reportingController", Text),
    ("Event", "/reportingInstance", "reportingInstance", Text),
];

/// What has changed that may not.
pub(super) fn check(kind: &str, old: &Value, new: &Value) -> Vec<Cause> {
    let fixed = FIXED.iter().filter(|(of, ..)| *of == kind);
    fixed
        .filter_map(|(_, pointer, field, shown)| {
            let (was, is) = (at(old, pointer), at(new, pointer));
            let value = match (shown, is) {
                (Text, Value::Null) => &"".into(),
                (Number, Value::Null) => &0.into(),
                _ => is,
            };
            let cause = match shown {
                Struct(of) => invalid_struct(field, of, is, IMMUTABLE),
                Pointer(of) if is.is_object() => invalid_struct(field, of, is, IMMUTABLE),
                _ => Cause::invalid(field, value, IMMUTABLE),
            };
            let is_same = match shown {
                Struct(of) => internal::same(of, was, is),
                Pointer(of) => was.is_null() == is.is_null() && internal::same(of, was, is),
                _ => same(was, is),
            };
            (!is_same).then_some(cause)
        })
        .collect()
}
