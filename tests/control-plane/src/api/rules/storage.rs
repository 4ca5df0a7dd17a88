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

/// Keeps what may be in use, until its controller says that it is not.
pub(super) fn protect(object: &mut Value, finalizer: &str) {
    let mut finalizers: Vec<String> = object::finalizers(object).map(str::to_owned).collect();
    if !finalizers.iter().any(|known| known == finalizer) {
        finalizers.push(finalizer.to_owned());
    }
    object::set_finalizers(object, finalizers);
}
