//! Annotations of pods that were fields once.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::checks::{list, text};
use super::{app_armor, placement};
use crate::failure::Cause;
use crate::patch::go;
use crate::syntax;

/// The seccomp profile of a pod.
pub(super) const SECCOMP: &str = "seccomp.security.alpha.kubernetes.io/pod";
/// Before the name of a container: its seccomp profile.
pub(super) const SECCOMP_OF_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
/// Whose pod a kubelet runs by itself.
const MIRROR: &str = "kubernetes.io/config.mirror";
/// What a pod tolerates, before there was a field for it.
const TOLERATIONS: &str = "scheduler.alpha.kubernetes.io/tolerations";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
/// Where a pod has them.
pub(super) const PATH: &str = "metadata.annotations";
const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// What is wrong with the annotations of a pod or a template, which are at `path`.
pub(super) fn check(pod: &Value, path: &str) -> Vec<Cause> {
    let Some(annotations) = pod["metadata"]["annotations"].as_object() else {
        return Vec::new();
    };
    let said = |key: &str| annotations.get(key).and_then(Value::as_str);
    let mut wrong = Vec::new();
    if let Some(mirrored) = said(MIRROR)
        && text(&pod["spec"], "nodeName").is_empty()
    {
        let why = "must set spec.nodeName if mirror pod annotation is set";
        wrong.push(Cause::invalid(
            &format!("{path}[{MIRROR}]"),
            &mirrored.into(),
            why,
        ));
    }
    if let Some(written) = said(TOLERATIONS).filter(|written| !written.is_empty()) {
        wrong.extend(check_tolerations(written, path));
    }
    if let Some(cost) = said(DELETION_COST).filter(|cost| !is_cost(cost)) {
        let why = "must be a 32bit integer";
        wrong.push(Cause::invalid(
            &format!("{path}[{DELETION_COST}]"),
            &cost.into(),
            why,
        ));
    }
    for (key, value) in annotations {
        let said = value.as_str().unwrap_or_default();
        let is_seccomp = key == SECCOMP || key.starts_with(SECCOMP_OF_CONTAINER);
        if let Some((value, why)) = no_seccomp_profile(said).filter(|_| is_seccomp) {
            wrong.push(Cause::invalid(&format!("{path}.{key}"), &value.into(), why));
        }
    }
    wrong.extend(check_app_armor(annotations, &pod["spec"], path));
    wrong
}

/// The same of a pod that is there: a cost that was odd before may stay, or be another such.
pub(super) fn check_again(old: &Value, new: &Value) -> Vec<Cause> {
    let mut wrong = check(new, PATH);
    let cost = old["metadata"]["annotations"][DELETION_COST].as_str();
    if cost.is_some_and(|cost| !is_cost(cost)) {
        let path = format!("{PATH}[{DELETION_COST}]");
        wrong.retain(|cause| cause.field != path);
    }
    wrong
}

/// The same with what may not change of them.
pub(super) fn check_update(old: &Value, new: &Value) -> Vec<Cause> {
    let (was, is) = (
        &old["metadata"]["annotations"],
        &new["metadata"]["annotations"],
    );
    let changed = fields(was).filter(|(key, value)| is.get(key) != Some(value));
    let changed = changed.map(|(key, _)| (key, "remove or update"));
    let added = fields(is).filter(|(key, _)| was.get(key).is_none());
    let added = added.map(|(key, _)| (key, "add"));
    let refused = changed.chain(added).filter_map(|(key, how)| {
        let why = format!("may not {how} {}", fixed(key)?);
        Some(Cause::forbidden(&format!("{PATH}[{key}]"), &why))
    });
    let mut wrong = Vec::from_iter(refused);
    wrong.extend(check_again(old, new));
    wrong
}

fn fields(annotations: &Value) -> impl Iterator<Item = (&String, &Value)> {
    annotations.as_object().into_iter().flatten()
}

/// What an annotation is that nobody may change.
fn fixed(key: &str) -> Option<&'static str> {
    match key {
        MIRROR => Some("mirror pod annotation"),
        _ if key.starts_with(app_armor::ANNOTATION) => Some("AppArmor annotations"),
        _ => None,
    }
}

/// Tolerations as JSON, which the server reads as its own type: its fields have Go's names.
fn check_tolerations(written: &str, path: &str) -> Vec<Cause> {
    let not_read = |why: &str| vec![Cause::invalid(path, &TOLERATIONS.into(), why)];
    if let Some(why) = syntax::mistake(written.as_bytes()) {
        return not_read(&why);
    }
    let tolerations: Vec<Value> = match serde_json::from_str(written).unwrap_or_default() {
        Value::Null => Vec::new(),
        Value::Array(tolerations) => tolerations,
        other => return not_read(&of_no_type(&other, "value of type []core.Toleration")),
    };
    for toleration in &tolerations {
        if !toleration.is_object() && !toleration.is_null() {
            return not_read(&of_no_type(toleration, "value of type core.Toleration"));
        }
        for (field, named, go_type) in [
            ("key", "Key", "string"),
            ("operator", "Operator", "core.TolerationOperator"),
            ("value", "Value", "string"),
            ("effect", "Effect", "core.TaintEffect"),
            ("tolerationSeconds", "TolerationSeconds", "int64"),
        ] {
            let value = &toleration[field];
            let fits = match go_type {
                "int64" => value.is_i64(),
                _ => value.is_string(),
            };
            if !fits && !value.is_null() {
                let wanted = format!("struct field Toleration.{named} of type {go_type}");
                return not_read(&of_no_type(value, &wanted));
            }
        }
    }
    placement::check_tolerations(&tolerations, &format!("{path}.{TOLERATIONS}"))
}

fn of_no_type(value: &Value, wanted: &str) -> String {
    format!(
        "json: cannot unmarshal {} into Go {wanted}",
        go::json_kind(value)
    )
}

/// Profiles are known by their names, and are of containers that the pod has.
fn check_app_armor(annotations: &Map<String, Value>, spec: &Value, path: &str) -> Vec<Cause> {
    let containers = CONTAINERS.iter().flat_map(|field| list(spec, field));
    let containers: HashSet<&str> = containers
        .map(|container| text(container, "name"))
        .collect();
    let mut wrong = Vec::new();
    for (key, value) in annotations {
        let Some(container) = key.strip_prefix(app_armor::ANNOTATION) else {
            continue;
        };
        let path = format!("{path}[{key}]");
        if !containers.contains(container) {
            let why = "container not found";
            wrong.push(Cause::invalid(&path, &container.into(), why));
        }
        let said = value.as_str().unwrap_or_default();
        if !said.is_empty() && app_armor::meant(said).is_none() {
            let why = format!("invalid AppArmor profile name: {said:?}");
            wrong.push(Cause::invalid(&path, value, &why));
        }
    }
    wrong
}

/// Whether a text says what it costs to delete a pod: a plus and leading zeros are not taken.
fn is_cost(said: &str) -> bool {
    let begins_well =
        said == "0" || said.starts_with(|c: char| c == '-' || ('1'..='9').contains(&c));
    begins_well && said.parse::<i32>().is_ok()
}

/// What of a text is no profile of seccomp, and why.
fn no_seccomp_profile(said: &str) -> Option<(&str, &'static str)> {
    if ["runtime/default", "docker/default", "unconfined"].contains(&said) {
        return None;
    }
    let Some(file) = said.strip_prefix("localhost/") else {
        return Some((said, "must be a valid seccomp profile"));
    };
    if file.starts_with('/') {
        return Some((file, "must be a relative path"));
    }
    let goes_up = file.split('/').any(|part| part == "..");
    goes_up.then_some((file, "must not contain '..'"))
}
