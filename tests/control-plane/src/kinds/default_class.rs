//! Classes that are marked as the one for what names none.

use serde_json::Value;

pub(crate) const OF_STORAGE: [&str; 2] = [
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
];
pub(crate) const OF_INGRESSES: [&str; 1] = ["ingressclass.kubernetes.io/is-default-class"];

/// Whether one of the annotations marks it.
pub(crate) fn is_default(class: &Value, marks: &[&str]) -> bool {
    let annotations = &class["metadata"]["annotations"];
    marks.iter().any(|mark| annotations[*mark] == "true")
}
