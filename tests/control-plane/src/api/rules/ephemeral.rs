//! Ephemeral containers, which are added to a pod that runs, and stay.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::checks::{list, text};
use super::containers::{self, Around};
use super::fixed::forbidden_change;
use super::{pods, volumes};
use crate::failure::Cause;
use crate::object;

const NOT_ALLOWED: &str = "cannot be set for an Ephemeral Container";
/// What a service is relied upon for, and a container that is added for a while is not.
const OF_SERVICES: [&str; 9] = [
    "ports",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
];

/// Takes the ephemeral containers alone over from what was written, and its metadata.
pub(super) fn keep_the_rest(old: &Value, new: &mut Value) {
    let mut kept = old.clone();
    let spec = object::field_mut(&mut kept, "spec");
    match new.pointer("/spec/ephemeralContainers") {
        Some(containers) => spec.insert("ephemeralContainers".to_owned(), containers.clone()),
        None => spec.remove("ephemeralContainers"),
    };
    kept["metadata"] = new["metadata"].take();
    *new = kept;
}

/// What is wrong with those of a spec.
pub(super) fn check_all(spec: &Value, path: &str, around: &Around<'_>) -> Vec<Cause> {
    let others = ["containers", "initContainers"].into_iter();
    let others: HashSet<&str> = others
        .flat_map(|kind| list(spec, kind))
        .map(|container| text(container, "name"))
        .collect();
    let mut names = others.clone();
    let mut wrong = Vec::new();
    for (index, container) in list(spec, "ephemeralContainers").iter().enumerate() {
        let path = format!("{path}.ephemeralContainers[{index}]");
        let at = |field: &str| format!("{path}.{field}");
        wrong.extend(containers::check(container, &path, around));
        wrong.extend(pods::check_image(container, &path));
        let name = text(container, "name");
        if !names.insert(name) {
            wrong.push(Cause::duplicate(&at("name"), &name.into()));
        }
        let target = text(container, "targetContainerName");
        if !target.is_empty() && !others.contains(target) {
            wrong.push(volumes::not_found(&at("targetContainerName"), target));
        }
        // One that asks for nothing says nothing.
        let is_said = |field: &str, value: &Value| match field {
            "resources" => value.as_object().is_some_and(|fields| !fields.is_empty()),
            _ => !value.is_null(),
        };
        let said = OF_SERVICES
            .iter()
            .filter(|field| is_said(field, &container[**field]));
        wrong.extend(said.map(|field| Cause::forbidden(&at(field), NOT_ALLOWED)));
        for (index, mount) in list(container, "volumeMounts").iter().enumerate() {
            let below = ["subPath", "subPathExpr"].into_iter();
            let said = below.filter(|field| !text(mount, field).is_empty());
            let at = |field: &str| at(&format!("volumeMounts[{index}].{field}"));
            wrong.extend(said.map(|field| Cause::forbidden(&at(field), NOT_ALLOWED)));
        }
    }
    wrong
}

/// What was there stays as it was.
pub(super) fn check(old: &Value, new: &Value) -> Vec<Cause> {
    let of = |pod: &Value| {
        let containers = pod.pointer("/spec/ephemeralContainers");
        let containers = containers.and_then(Value::as_array);
        containers.cloned().unwrap_or_default()
    };
    let new = of(new);
    let known: HashMap<Option<&Value>, &Value> =
        new.iter().rev().map(|is| (is.get("name"), is)).collect();
    let wrong = of(old).into_iter().filter_map(|was| {
        let name = was.get("name").and_then(Value::as_str).unwrap_or_default();
        const PATH: &str = "spec.ephemeralContainers";
        let why = |what: &str| format!("existing ephemeral containers {name:?} may not be {what}");
        match known.get(&was.get("name")) {
            None => Some(Cause::forbidden(PATH, &format!("{}\n", why("removed")))),
            Some(is) => {
                forbidden_change(PATH, &why("changed"), "core.EphemeralContainer", &was, is)
            }
        }
    });
    wrong.collect()
}
