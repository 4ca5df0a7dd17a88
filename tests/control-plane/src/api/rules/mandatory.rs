//! The objects of flow control without which a server does not work: they stay as they are.

use serde_json::Value;

use super::fixed::{invalid_struct, same};
use crate::failure::Cause;
use crate::first;
use crate::object;

const NAMES: [&str; 2] = ["exempt", "catch-all"];

/// What is wrong with the spec of an object that is called as such a one.
pub(super) fn check(kind: &str, object: &Value) -> Option<Cause> {
    let name = object::name(object);
    if !NAMES.contains(&name) {
        return None;
    }
    let mut fixed = first::spec(kind, name)?;
    let spec = &object["spec"];
    let but = match (kind, name) {
        ("PriorityLevelConfiguration", "exempt") => {
            fixed["exempt"] = spec["exempt"].clone();
            " except the 'spec.exempt' field"
        }
        _ => "",
    };
    let why = format!("spec of '{name}'{but} must equal the fixed value");
    let of = match kind {
        "FlowSchema" => "flowcontrol.FlowSchemaSpec",
        _ => "flowcontrol.PriorityLevelConfigurationSpec",
    };
    (!same(&fixed, spec)).then(|| invalid_struct("spec", of, spec, &why))
}
