//! Priorities that only the system may give.

use serde_json::Value;

use super::checks::{number, one_of_if_said};
use crate::failure::Cause;
use crate::object;

const SYSTEM: [(&str, i64); 2] = [
    ("system-cluster-critical", 2_000_000_000),
    ("system-node-critical", 2_000_001_000),
];
const HIGHEST_OF_USERS: i64 = 1_000_000_000;
const POLICIES: [&str; 2] = ["PreemptLowerPriority", "Never"];

/// What is wrong with a new class of priority.
pub(super) fn check(class: &Value) -> Vec<Cause> {
    let name = object::name(class);
    let value = number(class, "value").unwrap_or(0);
    let mut wrong = Vec::new();
    if name.starts_with("system-") {
        let why = not_of_system(name, value, class["globalDefault"] == true);
        wrong.extend(why.map(|why| {
            let why = format!(
                "priority class names with 'system-' prefix are reserved for system use only. error: {why}"
            );
            Cause::forbidden("metadata.name", &why)
        }));
    } else if value > HIGHEST_OF_USERS {
        let why = format!("maximum allowed value of a user defined priority is {HIGHEST_OF_USERS}");
        wrong.push(Cause::forbidden("value", &why));
    }
    match &class["preemptionPolicy"] {
        Value::String(policy) if policy.is_empty() => {
            wrong.push(Cause::required("preemptionPolicy", ""));
        }
        policy => wrong.extend(one_of_if_said(policy, "preemptionPolicy", &POLICIES)),
    }
    wrong
}

/// Why a class is none of those that come with a server.
fn not_of_system(name: &str, value: i64, is_default: bool) -> Option<String> {
    let Some((_, own)) = SYSTEM.iter().find(|(known, _)| *known == name) else {
        return Some(format!("{name} is not a known system priority class"));
    };
    match value == *own {
        false => Some(format!("value of {name} PriorityClass must be {own}")),
        true => is_default.then(|| format!("globalDefault of {name} PriorityClass must be false")),
    }
}
