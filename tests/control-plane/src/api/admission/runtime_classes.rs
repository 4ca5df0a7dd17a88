//! `RuntimeClass`: a pod costs what its class of runtime costs besides, and goes where that is.

use std::collections::{BTreeMap, HashSet};

use http::StatusCode;
use serde_json::{Map, Value};

use super::super::rules;
use super::Request;
use crate::failure::Failure;
use crate::object;
use crate::schema::in_billionths;

const OTHER_OVERHEAD: &str =
    "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
const NO_OVERHEAD: &str =
    "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";

pub(super) fn change(request: &Request<'_>, pod: &mut Value) -> Result<(), Failure> {
    let Some(class) = class_of(request, pod)? else {
        return Ok(());
    };
    let spec = object::field_mut(pod, "spec");
    let fixed = &class["overhead"]["podFixed"];
    if !class["overhead"].is_null() {
        let own = amounts(spec.get("overhead").unwrap_or(&Value::Null));
        if !own.is_empty() && own != amounts(fixed) {
            return Err(request.refuse(OTHER_OVERHEAD));
        }
        if fixed.is_object() {
            spec.insert("overhead".to_owned(), fixed.clone());
        }
    }
    select_nodes(request, spec, &class["scheduling"]["nodeSelector"])?;
    if let Some(tolerations) = class["scheduling"]["tolerations"].as_array() {
        let own = spec.get("tolerations").and_then(Value::as_array);
        let all: Vec<Value> = own
            .into_iter()
            .flatten()
            .chain(tolerations)
            .cloned()
            .collect();
        spec.insert("tolerations".to_owned(), merged(&all).into());
    }
    Ok(())
}

pub(super) fn check(request: &Request<'_>, pod: &Value) -> Result<(), Failure> {
    let overhead = &pod["spec"]["overhead"];
    let class = class_of(request, pod)?;
    let defined = class.as_ref().map(|class| &class["overhead"]);
    match defined.filter(|defined| !defined.is_null()) {
        Some(defined) if amounts(overhead) != amounts(&defined["podFixed"]) => {
            Err(request.refuse(OTHER_OVERHEAD))
        }
        None if !overhead.is_null() => Err(request.refuse(NO_OVERHEAD)),
        _ => Ok(()),
    }
}

/// The class that a pod names.
fn class_of(request: &Request<'_>, pod: &Value) -> Result<Option<Value>, Failure> {
    let Some(name) = pod["spec"]["runtimeClassName"].as_str() else {
        return Ok(None);
    };
    // It is asked for as by any client.
    let unfit = rules::unfit_for_paths(name);
    let why = match name.is_empty() {
        true => Some("resource name may not be empty".to_owned()),
        false if unfit.is_empty() => None,
        false => Some(format!(
            "invalid resource name {name:?}: [{}]",
            unfit.join(" ")
        )),
    };
    if let Some(why) = why {
        return Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", why));
    }
    let class = request.one("node.k8s.io", "runtimeclasses", name);
    class.map_or_else(
        || Err(request.refuse(&format!("pod rejected: RuntimeClass {name:?} not found"))),
        |class| Ok(Some(class.read().clone())),
    )
}

fn amounts(resources: &Value) -> BTreeMap<&str, Option<i128>> {
    let resources = resources.as_object().into_iter().flatten();
    resources
        .map(|(name, amount)| (name.as_str(), amount.as_str().and_then(in_billionths)))
        .collect()
}

fn select_nodes(
    request: &Request<'_>,
    spec: &mut Map<String, Value>,
    wanted: &Value,
) -> Result<(), Failure> {
    let Some(wanted) = wanted.as_object() else {
        return Ok(());
    };
    let selector = object::as_map(spec.entry("nodeSelector").or_insert(Value::Null));
    for (key, value) in wanted {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if let Some(own) = selector.get(key)
            && own != value
        {
            return Err(request.refuse(&format!(
                "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {}; pod.spec.nodeSelector[{key}] = {}",
                text(value),
                text(own),
            )));
        }
        selector.insert(key.clone(), value.clone());
    }
    Ok(())
}

/// Of more than these no two are compared with each other, as a real server does for minutes.
const MOST_COMPARED: usize = 1_000;

/// The tolerations without those that others cover; of very many, without those that are said twice.
fn merged(all: &[Value]) -> Vec<Value> {
    if all.len() > MOST_COMPARED {
        let mut seen = HashSet::new();
        return all
            .iter()
            .filter(|one| seen.insert(*one))
            .cloned()
            .collect();
    }
    let mut merged: Vec<Value> = Vec::new();
    for (index, one) in all.iter().enumerate() {
        let before = merged.iter().any(|kept| covers(kept, one));
        let behind = &all[index + 1..];
        if !before
            && !behind
                .iter()
                .any(|later| later != one && covers(later, one))
        {
            merged.push(one.clone());
        }
    }
    merged
}

/// Whether who has the first toleration needs no other.
fn covers(wide: &Value, narrow: &Value) -> bool {
    let of =
        |toleration: &Value, field: &str| toleration[field].as_str().unwrap_or_default().to_owned();
    let same = |field: &str| of(wide, field) == of(narrow, field);
    let exists = of(wide, "operator") == "Exists";
    let all_keys = of(wide, "key").is_empty() && exists;
    let seconds = |toleration: &Value| toleration["tolerationSeconds"].as_i64();
    let is_shorter = of(wide, "effect") == "NoExecute"
        && seconds(wide).is_some_and(|most| seconds(narrow).is_none_or(|seconds| seconds > most));
    wide == narrow
        || ((same("key") || all_keys)
            && (same("effect") || of(wide, "effect").is_empty())
            && !is_shorter
            && (exists || (of(narrow, "operator") == "Equal" && same("value"))))
}
