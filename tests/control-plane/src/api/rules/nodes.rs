//! The rules of nodes.

use serde_json::Value;

use super::checks::{list, text};
use crate::failure::Cause;

/// What a node was once told of itself.
pub(super) fn check_update(old: &Value, new: &Value) -> Vec<Cause> {
    let (was, is) = (&old["spec"], &new["spec"]);
    let mut wrong = Vec::new();
    let ranges = list(was, "podCIDRs");
    if !ranges.is_empty() && ranges != list(is, "podCIDRs") {
        let why = r#"node updates may not change podCIDR except from "" to valid"#;
        wrong.push(Cause::forbidden("spec.podCIDRs", why));
    }
    let provider = text(was, "providerID");
    if !provider.is_empty() && provider != text(is, "providerID") {
        let why = r#"node updates may not change providerID except from "" to valid"#;
        wrong.push(Cause::forbidden("spec.providerID", why));
    }
    wrong
}
