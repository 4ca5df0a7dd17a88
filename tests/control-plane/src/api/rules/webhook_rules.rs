//! What a webhook is asked about.

use std::collections::HashSet;

use serde_json::Value;

use super::checks::{list, one_of, one_of_if_said};
use crate::failure::Cause;

const OPERATIONS: [&str; 5] = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const SCOPES: [&str; 3] = ["*", "Cluster", "Namespaced"];

pub(super) fn check(rule: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let mut wrong = Vec::new();
    for (field, what) in [
        ("operations", "operations"),
        ("apiGroups", "API groups"),
        ("apiVersions", "API versions"),
    ] {
        let all = list(rule, field);
        if all.is_empty() {
            wrong.push(Cause::required(&at(field), ""));
        }
        if all.len() > 1 && all.iter().any(|one| one == "*") {
            let why = format!("if '*' is present, must not specify other {what}");
            wrong.push(Cause::invalid(&at(field), &rule[field], &why));
        }
        for (index, one) in all.iter().enumerate() {
            let one = one.as_str().unwrap_or_default();
            let path = at(&format!("{field}[{index}]"));
            match field {
                "operations" => wrong.extend(self::one_of(one, &path, &OPERATIONS)),
                "apiVersions" if one.is_empty() => wrong.push(Cause::required(&path, "")),
                _ => {}
            }
        }
    }
    wrong.extend(check_resources(&rule["resources"], &at("resources")));
    wrong.extend(one_of_if_said(&rule["scope"], &at("scope"), &SCOPES));
    wrong
}

/// Whoever is asked about all is not asked about some besides.
fn check_resources(resources: &Value, path: &str) -> Vec<Cause> {
    let all = resources.as_array().map(Vec::as_slice).unwrap_or_default();
    if all.is_empty() {
        return vec![Cause::required(path, "")];
    }
    let mut wrong = Vec::new();
    let (mut with_all_below, mut of_all) = (HashSet::new(), HashSet::new());
    // A real server counts what it has seen last.
    let mut is_plain = false;
    for (index, resource) in all.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let whole = resource.as_str().unwrap_or_default();
        if whole.is_empty() {
            wrong.push(Cause::required(&path, ""));
            continue;
        }
        let Some((name, below)) = whole.split_once('/') else {
            is_plain = whole != "*";
            continue;
        };
        if with_all_below.contains(name) {
            let why = format!("if '{name}/*' is present, must not specify {whole}");
            wrong.push(Cause::invalid(&path, resource, &why));
        }
        if of_all.contains(below) {
            let why = format!("if '*/{below}' is present, must not specify {whole}");
            wrong.push(Cause::invalid(&path, resource, &why));
        }
        if below == "*" {
            with_all_below.insert(name);
        }
        if name == "*" {
            of_all.insert(below);
        }
    }
    let has = |wanted: &str| all.iter().any(|one| one == wanted);
    if all.len() > 1 && has("*/*") {
        let why = "if '*/*' is present, must not specify other resources";
        wrong.push(Cause::invalid(path, resources, why));
    }
    if has("*") && is_plain {
        let why = "if '*' is present, must not specify other resources without subresources";
        wrong.push(Cause::invalid(path, resources, why));
    }
    wrong
}
