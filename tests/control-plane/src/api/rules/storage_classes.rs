//! The rules of classes of storage.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::checks::{list, one_of, one_of_if_said, text};
use super::fixed::same;
use super::names;
use crate::failure::Cause;
use crate::schema::MOST_CAUSES;

const MOST_PARAMETERS: usize = 512;
const LONGEST_PARAMETERS: usize = 256 * 1024;

/// What is wrong with a class that is changed: volumes are there that were made by it.
pub(super) fn check_update(old: &Value, new: &Value) -> Vec<Cause> {
    let fields = [
        "parameters",
        "provisioner",
        "reclaimPolicy",
        "volumeBindingMode",
    ];
    let mut wrong = check(new);
    for field in fields {
        let value = new.get(field).unwrap_or(&Value::Null);
        if !same(&old[field], value) {
            wrong.push(Cause::invalid(field, value, "field is immutable"));
        }
    }
    wrong
}

/// What is wrong with the name of who provides volumes.
pub(super) fn check_provisioner(class: &Value, field: &str) -> Vec<Cause> {
    match text(class, field) {
        "" => vec![Cause::required(field, "")],
        provisioner => {
            let lower = provisioner.to_lowercase();
            let reasons = names::qualified(&lower).into_iter();
            let lower = Value::from(lower);
            reasons
                .map(|why| Cause::invalid(field, &lower, &why))
                .collect()
        }
    }
}

pub(super) fn check(class: &Value) -> Vec<Cause> {
    let mut wrong = check_provisioner(class, "provisioner");
    wrong.extend(check_parameters(&class["parameters"]));
    match &class["reclaimPolicy"] {
        Value::String(none) if none.is_empty() => {}
        policy => wrong.extend(one_of_if_said(
            policy,
            "reclaimPolicy",
            &["Delete", "Retain"],
        )),
    }
    wrong.extend(one_of(
        text(class, "volumeBindingMode"),
        "volumeBindingMode",
        &["Immediate", "WaitForFirstConsumer"],
    ));
    wrong.extend(check_topologies(list(class, "allowedTopologies")));
    wrong
}

pub(super) fn check_parameters(parameters: &Value) -> Vec<Cause> {
    const PATH: &str = "parameters";
    let Some(parameters) = parameters.as_object() else {
        return Vec::new();
    };
    if parameters.len() > MOST_PARAMETERS {
        return vec![Cause::too_long(PATH, MOST_PARAMETERS)];
    }
    let mut wrong = Vec::new();
    if parameters.contains_key("") {
        let why = "field can not be empty.";
        wrong.push(Cause::invalid(PATH, &"".into(), why));
    }
    let sizes = parameters.iter();
    let sizes = sizes.map(|(key, value)| key.len() + value.as_str().map_or(0, str::len));
    if sizes.sum::<usize>() > LONGEST_PARAMETERS {
        wrong.push(Cause::too_long(PATH, LONGEST_PARAMETERS));
    }
    wrong
}

/// The values that are allowed of each key.
type Topology<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn check_topologies(terms: &[Value]) -> Vec<Cause> {
    let mut wrong = Vec::new();
    // A real server compares with as many empty ones, too.
    let mut known = HashMap::from([(Topology::new(), terms.len())]);
    for (index, term) in terms.iter().enumerate() {
        let path = format!("allowedTopologies[{index}].matchLabelExpressions");
        let mut topology = Topology::new();
        for (index, expression) in list(term, "matchLabelExpressions").iter().enumerate() {
            let path = format!("{path}[{index}]");
            wrong.extend(check_expression(expression, &path));
            let key = text(expression, "key");
            let values = list(expression, "values").iter();
            let values = values.filter_map(Value::as_str).collect();
            if topology.insert(key, values).is_some() {
                wrong.push(Cause::duplicate(&format!("{path}.key"), &key.into()));
            }
        }
        let same = known.entry(topology).or_default();
        // It is told as often, and nobody reads more than are told.
        let told = (*same).min(MOST_CAUSES.saturating_sub(wrong.len()));
        wrong.extend((0..told).map(|_| Cause::duplicate(&path, &"".into())));
        *same += 1;
    }
    wrong
}

fn check_expression(expression: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let values = list(expression, "values");
    if values.is_empty() {
        wrong.push(Cause::required(&format!("{path}.values"), ""));
    }
    let mut seen = HashSet::new();
    for (index, value) in values.iter().enumerate() {
        if !seen.insert(value) {
            wrong.push(Cause::duplicate(&format!("{path}.values[{index}]"), value));
        }
    }
    let (key, path) = (text(expression, "key"), format!("{path}.key"));
    let reasons = names::qualified(key);
    let reasons = reasons.iter();
    wrong.extend(reasons.map(|why| Cause::invalid(&path, &key.into(), why)));
    wrong
}
