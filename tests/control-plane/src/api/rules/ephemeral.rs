//! Ephemeral containers, which are added to a pod that runs, and stay.

use std::collections::HashMap;

use serde_json::Value;

use super::fixed::forbidden_change;
use crate::failure::Cause;
use crate::object;

/// Takes the ephemeral containers alone over from what was written, and its metadata.
pub(super) fn keep_the_rest(old: &Value, new: &mut Value) {
    let mut kept = old.clone();
    let spec = object::field_mut(&mut kept, "spec");
    match new.pointer("/spec/ephemeralContainers") {
        Some(containers) => spec.insert("ephemeralContainers".to_owned(), containers.clone()),
        None => spec.remove("ephemeralContainers"),
    };
    kept["metadata"] = new["metadata"].take();
    *new = kept;
}

/// What was there stays as it was.
pub(super) fn check(old: &Value, new: &Value) -> Vec<Cause> {
    let of = |pod: &Value| {
        let containers = pod.pointer("/spec/ephemeralContainers");
        let containers = containers.and_then(Value::as_array);
        containers.cloned().unwrap_or_default()
    };
    let new = of(new);
    let known: HashMap<Option<&Value>, &Value> =
        new.iter().rev().map(|is| (is.get("name"), is)).collect();
    let wrong = of(old).into_iter().filter_map(|was| {
        let name = was.get("name").and_then(Value::as_str).unwrap_or_default();
        const PATH: &str = "spec.ephemeralContainers";
        let why = |what: &str| format!("existing ephemeral containers {name:?} may not be {what}");
        match known.get(&was.get("name")) {
            None => Some(Cause::forbidden(PATH, &format!("{}\n", why("removed")))),
            Some(is) => {
                forbidden_change(PATH, &why("changed"), "core.EphemeralContainer", &was, is)
            }
        }
    });
    wrong.collect()
}
