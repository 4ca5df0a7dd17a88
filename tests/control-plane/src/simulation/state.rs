//! What is there, without what is another each time.

use serde_json::Value;

use crate::control_plane::ControlPlane;
use crate::object;

/// What tells of the past, or of who works now, and is no result.
const IN_PASSING: [(&str, &str); 3] = [
    ("", "events"),
    ("events.k8s.io", "events"),
    ("coordination.k8s.io", "leases"),
];

/// Every object of every control plane, a line each.
pub(super) fn all(plane: &ControlPlane) -> Vec<String> {
    lines(plane, settle)
}

/// The same with everything that is said of them.
pub(super) fn in_full(plane: &ControlPlane) -> Vec<String> {
    lines(plane, |_| {})
}

fn lines(plane: &ControlPlane, mut settle: impl FnMut(&mut Value)) -> Vec<String> {
    let mut lines = Vec::new();
    for plane in plane.shared.world.planes() {
        let project = plane.project.as_deref().unwrap_or_default();
        for (bucket, mut object) in plane.store.everything() {
            if !IN_PASSING.contains(&(&*bucket.group, &*bucket.plural)) {
                settle(&mut object);
                lines.push(format!("{project} {} {object}", bucket.plural));
            }
        }
    }
    lines
}

/// Takes away what the server makes up, and when things happened.
fn settle(object: &mut Value) {
    let metadata = object::metadata_mut(object);
    for made_up in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "managedFields",
    ] {
        metadata.remove(made_up);
    }
    if let Some(Value::Array(owners)) = metadata.get_mut("ownerReferences") {
        for owner in owners {
            object::as_map(owner).remove("uid");
        }
    }
    if let Some(Value::Array(conditions)) = object.pointer_mut("/status/conditions") {
        for condition in conditions {
            object::as_map(condition).remove("lastTransitionTime");
        }
    }
}

/// The first objects in which two states differ.
pub(super) fn difference(wished: &[String], state: &[String]) -> String {
    let only = |these: &[String], those: &[String], what: &str| {
        let mut lines = these.iter().filter(|line| !those.contains(line));
        lines.next().map(|line| format!("\n  {what}: {line}"))
    };
    let missing = only(wished, state, "without trouble");
    let strange = only(state, wished, "now");
    missing.into_iter().chain(strange).collect()
}
