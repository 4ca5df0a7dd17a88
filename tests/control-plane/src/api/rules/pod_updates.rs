//! What may change of a pod.

use std::collections::HashSet;

use serde_json::Value;

use super::checks::{at, list, number, text, texts};
use super::fixed::{forbidden_change, invalid_struct, same};
use super::placement;
use crate::failure::Cause;
use crate::object;

const UPDATE: &str = "pod updates may not change fields other than \
    `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only \
    additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was \
    previously negative)";
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";

pub(super) fn check(old: &Value, new: &Value) -> Vec<Cause> {
    let (was, is) = (&old["spec"], &new["spec"]);
    let mut wrong = Vec::new();
    for containers in ["containers", "initContainers"] {
        let path = format!("spec.{containers}");
        if list(was, containers).len() != list(is, containers).len() {
            let why = "pod updates may not add or remove containers";
            wrong.push(Cause::forbidden(&path, why));
            return wrong;
        }
        wrong.extend(check_images(list(is, containers), &path));
    }
    if let Some(cause) = check_deadline(was, is) {
        wrong.push(cause);
        if !is["activeDeadlineSeconds"].is_null() {
            return wrong;
        }
    }
    if !keeps_tolerations(was, is) {
        let why = "existing toleration can not be modified except its tolerationSeconds";
        wrong.push(Cause::forbidden("spec.tolerations", why));
    } else {
        // A server looks twice.
        let tolerations = list(is, "tolerations");
        wrong.extend(placement::check_tolerations(
            tolerations,
            "spec.tolerations",
        ));
    }
    wrong.extend(new_gates(was, is));
    let mut kept = is.clone();
    take_over(was, &mut kept);
    if !list(was, "schedulingGates").is_empty() {
        wrong.extend(check_gated(was, &mut kept));
    }
    wrong.extend(forbidden_change("spec", UPDATE, "core.PodSpec", was, &kept));
    wrong
}

fn check_images(containers: &[Value], path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for (index, container) in containers.iter().enumerate() {
        let path = format!("{path}[{index}].image");
        let image = text(container, "image");
        if image.is_empty() {
            wrong.push(Cause::required(&path, ""));
        } else if image.trim() != image {
            let why = "must not have leading or trailing whitespace";
            wrong.push(Cause::invalid(&path, &image.into(), why));
        }
    }
    wrong
}

/// A pod may be given less time, not more.
fn check_deadline(was: &Value, is: &Value) -> Option<Cause> {
    const FIELD: &str = "activeDeadlineSeconds";
    let (before, after) = (number(was, FIELD), number(is, FIELD));
    let why = match (before, after) {
        (_, Some(after)) if !(0..=i64::from(i32::MAX)).contains(&after) => {
            "must be between 0 and 2147483647, inclusive"
        }
        (Some(before), Some(after)) if before < after => {
            "must be less than or equal to previous value"
        }
        (Some(_), None) => "must not update from a positive integer to nil value",
        _ => return None,
    };
    Some(Cause::invalid(
        "spec.activeDeadlineSeconds",
        &is[FIELD],
        why,
    ))
}

/// Whether all that a pod tolerated it tolerates still, for however long.
fn keeps_tolerations(was: &Value, is: &Value) -> bool {
    let all = |spec: &Value| {
        let mut tolerations = list(spec, "tolerations").to_vec();
        for toleration in &mut tolerations {
            object::as_map(toleration).remove("tolerationSeconds");
        }
        tolerations
    };
    let kept: HashSet<Value> = all(is).into_iter().collect();
    all(was).iter().all(|toleration| kept.contains(toleration))
}

/// Gates are taken away, and none is added.
fn new_gates(was: &Value, is: &Value) -> Vec<Cause> {
    let known = texts(list(was, "schedulingGates"), "name");
    let gates = list(is, "schedulingGates").iter().enumerate();
    gates
        .filter(|(_, gate)| !known.contains(text(gate, "name")))
        .map(|(index, gate)| {
            let name = text(gate, "name");
            let why = format!("only deletion is allowed, but found new scheduling gate '{name}'");
            Cause::forbidden(&format!("spec.schedulingGates[{index}].name"), &why)
        })
        .collect()
}

/// Takes over from the old spec what has been looked at, or may change.
fn take_over(was: &Value, is: &mut Value) {
    for containers in ["containers", "initContainers"] {
        let new = is[containers].as_array_mut().into_iter().flatten();
        for (old, new) in list(was, containers).iter().zip(new) {
            object::as_map(new).insert("image".to_owned(), old["image"].clone());
        }
        // A list is made anew of its containers: of none there is none.
        if is[containers].as_array().is_some_and(Vec::is_empty) {
            is[containers] = Value::Null;
        }
    }
    let fields = object::as_map(is);
    for field in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] {
        fields.insert(field.to_owned(), was[field].clone());
    }
    const GRACE: &str = "terminationGracePeriodSeconds";
    if number(was, GRACE) < Some(0) && fields.get(GRACE) == Some(&1.into()) {
        fields.insert(GRACE.to_owned(), was[GRACE].clone());
    }
}

/// A pod that waits at a gate may still be said where it goes, as long as that leaves it fewer places.
fn check_gated(was: &Value, is: &mut Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let (before, after) = (&was["nodeSelector"], &is["nodeSelector"]);
    let before_fields = before.as_object().into_iter().flatten();
    if before_fields
        .clone()
        .any(|(key, value)| after.get(key) != Some(value))
    {
        let why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
        wrong.push(Cause::invalid("spec.nodeSelector", after, why));
    }
    wrong.extend(check_affinity(was, is));
    object::as_map(is).insert("nodeSelector".to_owned(), was["nodeSelector"].clone());
    keep_node_affinity(was, is);
    wrong
}

/// Takes over from the old spec what was looked at of the affinity.
fn keep_node_affinity(was: &Value, is: &mut Value) {
    const NODES: &str = "nodeAffinity";
    let before = at(was, "/affinity/nodeAffinity");
    if before == at(is, "/affinity/nodeAffinity") {
        return;
    }
    let affinity = object::field_mut(is, "affinity");
    affinity.insert(NODES.to_owned(), before.clone());
    let says_more = affinity.values().any(|value| !value.is_null());
    if was["affinity"].is_null() && !says_more {
        is["affinity"] = Value::Null;
    }
}

fn check_affinity(was: &Value, is: &Value) -> Vec<Cause> {
    let terms = |spec: &Value| {
        let path = format!("/affinity/nodeAffinity/{REQUIRED}");
        list(at(spec, &path), "nodeSelectorTerms").to_vec()
    };
    let (old, new) = (terms(was), terms(is));
    let path = format!("spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms");
    if !old.is_empty() && old.len() != new.len() {
        let why = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        return vec![match new.is_empty() {
            true => Cause::invalid(&path, &Value::Null, why),
            false => invalid_struct(&path, "[core.NodeSelectorTerm]", &new.into(), why),
        }];
    }
    let narrows = |old: &Value, new: &Value| {
        ["matchExpressions", "matchFields"].iter().all(|field| {
            let (old, new) = (list(old, field), list(new, field));
            old.len() <= new.len() && old.iter().zip(new).all(|(old, new)| same(old, new))
        })
    };
    let moved = old.iter().zip(&new).enumerate();
    moved
        .filter(|(_, (old, new))| !narrows(old, new))
        .map(|(index, (_, term))| {
            let why = "only additions are allowed (no mutations or deletions)";
            let path = format!("{path}[{index}]");
            invalid_struct(&path, "core.NodeSelectorTerm", term, why)
        })
        .collect()
}
