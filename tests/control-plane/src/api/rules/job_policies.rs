//! What the pods of a Job make of it: when one that fails is a failure, and when it is done before all of them are.

use std::collections::HashSet;

use serde_json::Value;

use super::checks::{list, not_negative, number, one_of, text, too_many};
use super::{job_indexes, names};
use crate::failure::Cause;
use crate::patch::go;

const MOST_RULES: usize = 20;
const MOST_CODES: usize = 255;
const LONGEST_INDEXES: usize = 64 * 1024;

/// What is wrong with what is made of the failure of a pod.
pub(super) fn check_failure(spec: &Value, path: &str) -> Vec<Cause> {
    let rules = list(&spec["podFailurePolicy"], "rules");
    let path = format!("{path}.podFailurePolicy.rules");
    let mut wrong: Vec<Cause> = too_many(rules, MOST_RULES, &path).into_iter().collect();
    for (index, rule) in rules.iter().enumerate() {
        wrong.extend(check_failure_rule(spec, rule, &format!("{path}[{index}]")));
    }
    wrong
}

fn check_failure_rule(spec: &Value, rule: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let mut wrong = Vec::new();
    match text(rule, "action") {
        "FailIndex" if spec["backoffLimitPerIndex"].is_null() => {
            let why = "requires the backoffLimitPerIndex to be set";
            wrong.push(Cause::invalid(&at("action"), &rule["action"], why));
        }
        action => {
            let known = ["Count", "FailIndex", "FailJob", "Ignore"];
            wrong.extend(required_of(action, &at("action"), &known));
        }
    }
    let (codes, conditions) = (&rule["onExitCodes"], list(rule, "onPodConditions"));
    if !codes.is_null() {
        wrong.extend(check_codes(spec, codes, &at("onExitCodes")));
    }
    wrong.extend(check_conditions(conditions, &at("onPodConditions")));
    let why = match (codes.is_null(), conditions.is_empty()) {
        (false, false) => "specifying both OnExitCodes and OnPodConditions is not supported",
        (true, true) => "specifying one of OnExitCodes and OnPodConditions is required",
        _ => return wrong,
    };
    let message = format!("Invalid value: {why}");
    wrong.push(Cause::new("FieldValueInvalid", path, message));
    wrong
}

fn check_conditions(conditions: &[Value], path: &str) -> Vec<Cause> {
    let mut wrong: Vec<Cause> = too_many(conditions, MOST_RULES, path).into_iter().collect();
    for (index, condition) in conditions.iter().enumerate() {
        let at = |field: &str| format!("{path}[{index}].{field}");
        let kind = text(condition, "type");
        let reasons = names::qualified(kind);
        let reasons = reasons.iter();
        wrong.extend(reasons.map(|why| Cause::invalid(&at("type"), &kind.into(), why)));
        let known = ["False", "True", "Unknown"];
        let status = text(condition, "status");
        wrong.extend(required_of(status, &at("status"), &known));
    }
    wrong
}

fn check_codes(spec: &Value, codes: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let operator = text(codes, "operator");
    let mut wrong: Vec<Cause> = required_of(operator, &at("operator"), &["In", "NotIn"])
        .into_iter()
        .collect();
    let container = &codes["containerName"];
    let pod = &spec["template"]["spec"];
    let mut known = list(pod, "containers")
        .iter()
        .chain(list(pod, "initContainers"));
    if !container.is_null() && !known.any(|known| known["name"] == *container) {
        let why = "must be one of the container or initContainer names in the pod template";
        wrong.push(Cause::invalid(&at("containerName"), container, why));
    }
    let (values, path) = (list(codes, "values"), at("values"));
    if values.is_empty() {
        let why = "at least one value is required";
        wrong.push(Cause::invalid(&path, &codes["values"], why));
    }
    wrong.extend(too_many(values, MOST_CODES, &path));
    let mut seen = HashSet::new();
    for (index, value) in values.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if operator == "In" && *value == 0 {
            let why = "must not be 0 for the In operator";
            wrong.push(Cause::invalid(&path, value, why));
        }
        if !seen.insert(value) {
            wrong.push(Cause::duplicate(&path, value));
        }
    }
    if !values.is_sorted_by_key(Value::as_i64) {
        wrong.push(Cause::invalid(&path, &codes["values"], "must be ordered"));
    }
    wrong
}

/// What is wrong with what is enough for an indexed Job.
pub(super) fn check_success(spec: &Value, path: &str) -> Vec<Cause> {
    let rules = list(&spec["successPolicy"], "rules");
    let path = format!("{path}.successPolicy.rules");
    let mut wrong = Vec::new();
    if rules.is_empty() {
        let why = "at least one rules must be specified when the successPolicy is specified";
        wrong.push(Cause::required(&path, why));
    }
    wrong.extend(too_many(rules, MOST_RULES, &path));
    let completions = number(spec, "completions").unwrap_or(0);
    for (index, rule) in rules.iter().enumerate() {
        wrong.extend(check_success_rule(
            rule,
            completions,
            &format!("{path}[{index}]"),
        ));
    }
    wrong
}

fn check_success_rule(rule: &Value, completions: i64, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let count = number(rule, "succeededCount");
    let indexes = rule["succeededIndexes"].as_str();
    if count.is_none() && indexes.is_none() {
        let why = "at least one of succeededCount or succeededIndexes must be specified";
        wrong.push(Cause::required(path, why));
    }
    let mut named = 0;
    if let Some(indexes) = indexes {
        let path = format!("{path}.succeededIndexes");
        if indexes.len() > LONGEST_INDEXES {
            wrong.push(Cause::too_long(&path, LONGEST_INDEXES));
        }
        match job_indexes::count(indexes, completions) {
            Ok(count) => named = count,
            Err(why) => {
                let why = format!("error parsing succeededIndexes: {why}");
                wrong.push(Cause::invalid(&path, &indexes.into(), &why));
            }
        }
    }
    let Some(count) = count else {
        return wrong;
    };
    wrong.extend(not_negative(rule, path, &["succeededCount"]));
    let mut above = |most: i64, what: &str| {
        if count > most {
            let path = format!("{path}.succeededCount");
            let why = format!("must be less than or equal to {most} (the number of {what})");
            wrong.push(Cause::invalid(&path, &count.into(), &why));
        }
    };
    above(completions, "specified completions");
    if indexes.is_some() {
        above(named, "indexes in the specified succeededIndexes field");
    }
    wrong
}

/// A value that has to be there and has to be known.
fn required_of(value: &str, path: &str, known: &[&str]) -> Option<Cause> {
    if value.is_empty() {
        let known: Vec<String> = known.iter().map(|known| go::quoted(known)).collect();
        let why = format!("valid values: [{}]", known.join(" "));
        return Some(Cause::required(path, &why));
    }
    one_of(value, path, known)
}
