//! Keys of a pod's own labels, by which it is placed near those, or away from those, that say the same.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::checks::{list, text};
use super::names;
use crate::failure::Cause;
use crate::object;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const MATCH: &str = "matchLabelKeys";
const MISMATCH: &str = "mismatchLabelKeys";

/// Selects by the labels that a new pod has, as its keys ask for.
pub(super) fn select(pod: &mut Value) {
    let labels = pod["metadata"]["labels"].clone();
    let spec = object::field_mut(pod, "spec");
    for term in objects(spec.get_mut("topologySpreadConstraints")) {
        select_by(term, &labels);
    }
    let Some(affinity) = spec.get_mut("affinity") else {
        return;
    };
    for kind in ["podAffinity", "podAntiAffinity"] {
        for term in objects(affinity.pointer_mut(&format!("/{kind}/{PREFERRED}"))) {
            if let Some(term) = term.get_mut("podAffinityTerm") {
                select_by(term, &labels);
            }
        }
        for term in objects(affinity.pointer_mut(&format!("/{kind}/{REQUIRED}"))) {
            select_by(term, &labels);
        }
    }
}

fn objects(list: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    list.and_then(Value::as_array_mut).into_iter().flatten()
}

fn select_by(term: &mut Value, labels: &Value) {
    let mut expressions = Vec::new();
    for (field, operator) in [(MATCH, "In"), (MISMATCH, "NotIn")] {
        let keys = list(term, field).iter().filter_map(Value::as_str);
        let known = keys.filter_map(|key| Some((key, labels.get(key)?)));
        expressions.extend(
            known.map(|(key, value)| json!({"key": key, "operator": operator, "values": [value]})),
        );
    }
    let Some(selector) = term.get_mut("labelSelector").and_then(Value::as_object_mut) else {
        return;
    };
    if expressions.is_empty() {
        return;
    }
    let all = selector.entry("matchExpressions").or_insert(json!([]));
    if let Some(all) = all.as_array_mut() {
        all.extend(expressions);
    }
}

/// What is wrong with the keys of a term.
pub(super) fn check(term: &Value, path: &str) -> Vec<Cause> {
    let selector = &term["labelSelector"];
    let keys = |field: &str| {
        let keys = list(term, field).iter();
        keys.map(|key| key.as_str().unwrap_or_default())
    };
    let mut wrong = Vec::new();
    for field in [MATCH, MISMATCH] {
        let path = format!("{path}.{field}");
        if selector.is_null() && keys(field).next().is_some() {
            let why = "must not be specified when labelSelector is not set";
            wrong.push(Cause::forbidden(&path, why));
            continue;
        }
        for (index, key) in keys(field).enumerate() {
            let path = format!("{path}[{index}]");
            let reasons = names::qualified(key);
            let reasons = reasons.iter();
            wrong.extend(reasons.map(|why| Cause::invalid(&path, &key.into(), why)));
        }
    }
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let mut selected: HashSet<&str> = labels.map(|(key, _)| key.as_str()).collect();
    // One expression for a key is what the server has added itself.
    let places = keys(MATCH).enumerate().map(|(index, key)| (key, index));
    let places: HashMap<&str, usize> = places.collect();
    for expression in list(selector, "matchExpressions") {
        let key = text(expression, "key");
        if let Some(index) = places.get(key).filter(|_| selected.contains(key)) {
            let why = "exists in both matchLabelKeys and labelSelector";
            wrong.push(Cause::invalid(
                &format!("{path}[{index}]"),
                &key.into(),
                why,
            ));
        }
        selected.insert(key);
    }
    let mismatched: HashSet<&str> = keys(MISMATCH).collect();
    for (index, key) in keys(MATCH).enumerate() {
        if mismatched.contains(key) {
            let path = format!("{path}.{MATCH}[{index}]");
            let why = "exists in both matchLabelKeys and mismatchLabelKeys";
            wrong.push(Cause::invalid(&path, &key.into(), why));
        }
    }
    wrong
}
