//! Where pods may go, and what they bear with.

use std::collections::HashMap;

use serde_json::Value;

use super::checks::{
    self, list, number, one_of, one_of_if_said, one_of_if_there, requirement_values, text,
};
use super::{label_keys, names};
use crate::failure::Cause;
use crate::schema::MOST_CAUSES;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const WEIGHT: &str = "must be in the range 1-100";
const NO_OPERATOR: &str = "not a valid selector operator";
pub(super) const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

pub(super) fn check_affinity(affinity: &Value, path: &str) -> Vec<Cause> {
    let of_nodes = &affinity["nodeAffinity"];
    let at = format!("{path}.nodeAffinity");
    let mut wrong = Vec::new();
    if of_nodes[REQUIRED].is_object() {
        wrong.extend(check_nodes(
            &of_nodes[REQUIRED],
            &format!("{at}.{REQUIRED}"),
        ));
    }
    for (index, term) in list(of_nodes, PREFERRED).iter().enumerate() {
        let path = format!("{at}.{PREFERRED}[{index}]");
        wrong.extend(check_weight(term, &path));
        wrong.extend(check_term(
            &term["preference"],
            false,
            &format!("{path}.preference"),
        ));
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let (of_pods, at) = (&affinity[kind], format!("{path}.{kind}"));
        for (index, term) in list(of_pods, REQUIRED).iter().enumerate() {
            wrong.extend(check_pods(term, &format!("{at}.{REQUIRED}[{index}]")));
        }
        for (index, term) in list(of_pods, PREFERRED).iter().enumerate() {
            let path = format!("{at}.{PREFERRED}[{index}]");
            wrong.extend(check_weight(term, &path));
            wrong.extend(check_pods(
                &term["podAffinityTerm"],
                &format!("{path}.podAffinityTerm"),
            ));
        }
    }
    wrong
}

fn check_weight(term: &Value, path: &str) -> Option<Cause> {
    let weight = number(term, "weight").unwrap_or(0);
    let path = format!("{path}.weight");
    (!(1..=100).contains(&weight)).then(|| Cause::invalid(&path, &weight.into(), WEIGHT))
}

/// What is wrong with a selector of nodes.
pub(super) fn check_nodes(selector: &Value, path: &str) -> Vec<Cause> {
    let path = format!("{path}.nodeSelectorTerms");
    let terms = list(selector, "nodeSelectorTerms");
    if terms.is_empty() {
        let why = "must have at least one node selector term";
        return vec![Cause::required(&path, why)];
    }
    let terms = terms.iter().enumerate();
    terms
        .flat_map(|(index, term)| check_term(term, true, &format!("{path}[{index}]")))
        .collect()
}

fn check_term(term: &Value, with_values: bool, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for (index, expression) in list(term, "matchExpressions").iter().enumerate() {
        let path = format!("{path}.matchExpressions[{index}]");
        wrong.extend(check_expression(expression, with_values, &path));
    }
    for (index, field) in list(term, "matchFields").iter().enumerate() {
        let at = |name: &str| format!("{path}.matchFields[{index}].{name}");
        match text(field, "operator") {
            "In" | "NotIn" if list(field, "values").len() != 1 => {
                let why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
                wrong.push(Cause::required(&at("values"), why));
            }
            "In" | "NotIn" => {}
            other => wrong.push(Cause::invalid(&at("operator"), &other.into(), NO_OPERATOR)),
        }
        let key = text(field, "key");
        if key != "metadata.name" {
            let why = "not a valid field selector key";
            wrong.push(Cause::invalid(&at("key"), &key.into(), why));
        }
    }
    wrong
}

fn check_expression(expression: &Value, with_values: bool, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let values = list(expression, "values");
    let operator = text(expression, "operator");
    let mut wrong = Vec::from_iter(requirement_values(operator, values.len(), &at("values")));
    match operator {
        "Gt" | "Lt" if values.len() != 1 => {
            let why = "must be specified single value when `operator` is 'Lt' or 'Gt'";
            wrong.push(Cause::required(&at("values"), why));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
        other => wrong.push(Cause::invalid(&at("operator"), &other.into(), NO_OPERATOR)),
    }
    wrong.extend(check_key(text(expression, "key"), &at("key")));
    for (index, value) in values.iter().enumerate().filter(|_| with_values) {
        let why = names::label_value(value.as_str().unwrap_or_default());
        let at = at(&format!("values[{index}]"));
        wrong.extend(why.map(|why| Cause::invalid(&at, value, why)));
    }
    wrong
}

fn check_key(key: &str, path: &str) -> Vec<Cause> {
    let reasons = names::qualified(key);
    let reasons = reasons.iter();
    reasons
        .map(|why| Cause::invalid(path, &key.into(), why))
        .collect()
}

fn check_pods(term: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let mut wrong = checks::selector(&term["labelSelector"], &at("labelSelector"));
    wrong.extend(checks::selector(
        &term["namespaceSelector"],
        &at("namespaceSelector"),
    ));
    for namespace in list(term, "namespaces") {
        let why = names::label(namespace.as_str().unwrap_or_default());
        wrong.extend(why.map(|why| Cause::invalid(&at("namespace"), namespace, why)));
    }
    wrong.extend(label_keys::check(term, path));
    let key = text(term, "topologyKey");
    if key.is_empty() {
        wrong.push(Cause::required(&at("topologyKey"), "can not be empty"));
    }
    wrong.extend(check_key(key, &at("topologyKey")));
    wrong
}

pub(super) fn check_spread<'a>(constraints: &'a [Value], path: &str) -> Vec<Cause> {
    const POSITIVE: &str = "must be greater than zero";
    let pair = |of: &'a Value| (text(of, "topologyKey"), text(of, "whenUnsatisfiable"));
    let last: HashMap<_, usize> = constraints.iter().map(pair).zip(0..).collect();
    let mut wrong = Vec::new();
    for (index, constraint) in constraints.iter().enumerate() {
        let at = |field: &str| format!("{path}[{index}].{field}");
        let skew = number(constraint, "maxSkew").unwrap_or(0);
        if skew <= 0 {
            wrong.push(Cause::invalid(&at("maxSkew"), &skew.into(), POSITIVE));
        }
        let key = text(constraint, "topologyKey");
        if key.is_empty() {
            wrong.push(Cause::required(&at("topologyKey"), "can not be empty"));
        }
        let otherwise = text(constraint, "whenUnsatisfiable");
        let known = ["DoNotSchedule", "ScheduleAnyway"];
        wrong.extend(one_of(otherwise, &at("whenUnsatisfiable"), &known));
        if last
            .get(&pair(constraint))
            .is_some_and(|last| *last > index)
        {
            let value = format!("{{{key}, {otherwise}}}").into();
            wrong.push(Cause::duplicate(
                &at("{topologyKey, whenUnsatisfiable}"),
                &value,
            ));
        }
        if let Some(least) = number(constraint, "minDomains") {
            let path = at("minDomains");
            if least <= 0 {
                wrong.push(Cause::invalid(&path, &least.into(), POSITIVE));
            }
            if otherwise != "DoNotSchedule" {
                let why = format!(
                    "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {otherwise}"
                );
                wrong.push(Cause::invalid(&path, &least.into(), &why));
            }
        }
        for field in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            let path = format!("{path}[{index}]");
            wrong.extend(one_of_if_there(
                constraint,
                field,
                &path,
                &["Honor", "Ignore"],
            ));
        }
        wrong.extend(label_keys::check(constraint, &format!("{path}[{index}]")));
        wrong.extend(checks::selector(
            &constraint["labelSelector"],
            &at("labelSelector"),
        ));
    }
    wrong
}

pub(super) fn check_tolerations(tolerations: &[Value], path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for (index, toleration) in tolerations.iter().enumerate() {
        if wrong.len() >= MOST_CAUSES {
            break;
        }
        let at = |field: &str| format!("{path}[{index}].{field}");
        let of = |field: &str| text(toleration, field);
        let (key, operator, value, effect) = (of("key"), of("operator"), of("value"), of("effect"));
        if !key.is_empty() {
            wrong.extend(check_key(key, &at("key")));
        } else if operator != "Exists" {
            let why = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            wrong.push(Cause::invalid(&at("operator"), &operator.into(), why));
        }
        if !toleration["tolerationSeconds"].is_null() && effect != "NoExecute" {
            let why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            wrong.push(Cause::invalid(&at("effect"), &effect.into(), why));
        }
        match operator {
            "Equal" | "" => {
                let why = names::label_value(value);
                wrong.extend(why.map(|why| Cause::invalid(&at("operator"), &value.into(), why)));
            }
            "Exists" if !value.is_empty() => {
                let why = "value must be empty when `operator` is 'Exists'";
                wrong.push(Cause::invalid(&at("operator"), &value.into(), why));
            }
            "Exists" => {}
            // Those of a feature that is off by default.
            "Lt" | "Gt" => wrong.push(Cause::unsupported(
                &at("operator"),
                &operator.into(),
                r#""Equal", "Exists", "Lt", "Gt""#,
            )),
            other => wrong.extend(one_of(other, &at("operator"), &["Equal", "Exists"])),
        }
        wrong.extend(one_of_if_said(
            &toleration["effect"],
            &at("effect"),
            &EFFECTS,
        ));
    }
    wrong
}
