//! The rules of volumes and what is used of them.

use serde_json::Value;

use crate::failure::Cause;
use crate::object;

pub(super) fn check_claim(claim: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let modes = claim.pointer("/spec/accessModes").and_then(Value::as_array);
    if modes.is_none_or(Vec::is_empty) {
        wrong.push(Cause::required(
            "spec.accessModes",
            "at least 1 access mode is required",
        ));
    }
    if claim.pointer("/spec/resources/requests/storage").is_none() {
        wrong.push(Cause::required("spec.resources[storage]", ""));
    }
    wrong
}

/// What is wrong with a class that is changed: volumes are there that were made by it.
pub(super) fn check_class_update(old: &Value, new: &Value) -> Vec<Cause> {
    let fields = [
        "parameters",
        "provisioner",
        "reclaimPolicy",
        "volumeBindingMode",
    ];
    let mut wrong = check_class(new);
    for field in fields {
        let value = new.get(field).unwrap_or(&Value::Null);
        if old.get(field).unwrap_or(&Value::Null) != value {
            wrong.push(Cause::invalid(field, value, "field is immutable"));
        }
    }
    wrong
}

pub(super) fn check_class(class: &Value) -> Vec<Cause> {
    let provisioner = class.get("provisioner").and_then(Value::as_str);
    let missing = provisioner.unwrap_or_default().is_empty();
    let missing = missing.then(|| Cause::required("provisioner", ""));
    missing.into_iter().collect()
}

/// Keeps what may be in use, until its controller says that it is not.
pub(super) fn protect(object: &mut Value, finalizer: &str) {
    let mut finalizers: Vec<String> = object::finalizers(object).map(str::to_owned).collect();
    if !finalizers.iter().any(|known| known == finalizer) {
        finalizers.push(finalizer.to_owned());
    }
    object::set_finalizers(object, finalizers);
}
