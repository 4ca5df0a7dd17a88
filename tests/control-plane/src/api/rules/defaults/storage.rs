//! Volumes, and the limits of a namespace.

use serde_json::{Map, Value};

use super::{default, default_text, each, inner};
use crate::object;

pub(super) fn claim(object: &mut Value) {
    claim_fields(object::as_map(object));
}

pub(super) fn claim_fields(claim: &mut Map<String, Value>) {
    let spec = object::as_map(claim.entry("spec").or_insert(Value::Null));
    default(spec, "volumeMode", "Filesystem");
    let status = object::as_map(claim.entry("status").or_insert(Value::Null));
    default_text(status, "phase", "Pending");
}

pub(super) fn volume(object: &mut Value) {
    let spec = object::field_mut(object, "spec");
    default_text(spec, "persistentVolumeReclaimPolicy", "Retain");
    default(spec, "volumeMode", "Filesystem");
    source(spec);
    default_text(object::field_mut(object, "status"), "phase", "Pending");
}

/// The volume that an attachment says itself.
pub(super) fn attachment(object: &mut Value) {
    let source_of = object.pointer_mut("/spec/source/inlineVolumeSpec");
    if let Some(spec) = source_of.and_then(Value::as_object_mut) {
        source(spec);
    }
}

/// What a volume is made of, wherever it is said.
pub(super) fn source(volume: &mut Map<String, Value>) {
    if let Some(path) = inner(volume, "hostPath") {
        default(path, "type", "");
    }
    for (kind, field, value) in [
        ("rbd", "pool", "rbd"),
        ("rbd", "user", "admin"),
        ("rbd", "keyring", "/etc/ceph/keyring"),
        ("iscsi", "iscsiInterface", "default"),
        ("scaleIO", "storageMode", "ThinProvisioned"),
        ("scaleIO", "fsType", "xfs"),
    ] {
        if let Some(source) = inner(volume, kind) {
            default_text(source, field, value);
        }
    }
    if let Some(disk) = inner(volume, "azureDisk") {
        default(disk, "cachingMode", "ReadWrite");
        default(disk, "fsType", "ext4");
        default(disk, "readOnly", false);
        default(disk, "kind", "Shared");
    }
}

pub(super) fn class(object: &mut Value) {
    let fields = object::as_map(object);
    default(fields, "reclaimPolicy", "Delete");
    default(fields, "volumeBindingMode", "Immediate");
}

/// The default limit is the maximum, and what is asked for by default is the default limit, or else the minimum.
pub(super) fn limit_range(object: &mut Value) {
    for limit in each(object::field_mut(object, "spec"), "limits") {
        if limit.get("type").and_then(Value::as_str) != Some("Container") {
            continue;
        }
        for (from, to) in [
            ("max", "default"),
            ("default", "defaultRequest"),
            ("min", "defaultRequest"),
        ] {
            let Some(values) = limit.get(from).and_then(Value::as_object).cloned() else {
                continue;
            };
            let target = object::as_map(limit.entry(to).or_insert(Value::Null));
            for (name, value) in values {
                target.entry(name).or_insert(value);
            }
        }
    }
}
