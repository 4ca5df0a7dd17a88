//! When a container is started again.

use serde_json::Value;

use super::checks::{list, one_of, one_of_if_there, text, too_many};
use crate::failure::Cause;

const POLICIES: [&str; 3] = ["Always", "Never", "OnFailure"];
const ACTIONS: [&str; 2] = ["Restart", "RestartAllContainers"];
const OPERATORS: [&str; 2] = ["In", "NotIn"];
const MOST_RULES: usize = 20;
const MOST_CODES: usize = 255;

/// What is wrong with how an init container says so: where it does not, nobody looks at its rules.
pub(super) fn check_first(container: &Value, path: &str) -> Vec<Cause> {
    match &container["restartPolicy"] {
        Value::Null => missing_policy(container, path).into_iter().collect(),
        _ => check(container, path),
    }
}

fn missing_policy(container: &Value, path: &str) -> Option<Cause> {
    let is_missing = container["restartPolicy"].is_null();
    let why = "must specify restartPolicy when restart rules are used";
    (is_missing && !list(container, "restartPolicyRules").is_empty())
        .then(|| Cause::required(&format!("{path}.restartPolicy"), why))
}

/// What is wrong with how a container says so itself.
pub(super) fn check(container: &Value, path: &str) -> Vec<Cause> {
    let rules = list(container, "restartPolicyRules");
    let mut wrong: Vec<Cause> = missing_policy(container, path).into_iter().collect();
    wrong.extend(one_of_if_there(container, "restartPolicy", path, &POLICIES));
    let all = format!("{path}.restartPolicyRules");
    wrong.extend(too_many(rules, MOST_RULES, &all));
    for (index, rule) in rules.iter().enumerate() {
        let at = |field: &str| format!("{all}[{index}].{field}");
        wrong.extend(one_of(text(rule, "action"), &at("action"), &ACTIONS));
        let codes = &rule["exitCodes"];
        if codes.is_null() {
            wrong.push(Cause::required(&at("exitCodes"), "must be specified"));
            continue;
        }
        let operator = text(codes, "operator");
        wrong.extend(one_of(operator, &at("exitCodes.operator"), &OPERATORS));
        wrong.extend(too_many(
            list(codes, "values"),
            MOST_CODES,
            &at("exitCodes.values"),
        ));
    }
    wrong
}
