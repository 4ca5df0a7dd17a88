//! Annotations of pods that were fields once.

use std::collections::HashSet;

use serde_json::Value;

use super::app_armor;
use super::checks::{list, text};
use crate::failure::Cause;

/// The seccomp profile of a pod.
pub(super) const SECCOMP: &str = "seccomp.security.alpha.kubernetes.io/pod";
/// Before the name of a container: its seccomp profile.
pub(super) const SECCOMP_OF_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
/// Whose pod a kubelet runs by itself.
const MIRROR: &str = "kubernetes.io/config.mirror";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// What is wrong with the annotations of a pod or a template, which are at `path`.
pub(super) fn check(pod: &Value, path: &str) -> Vec<Cause> {
    let annotations = pod["metadata"]["annotations"].as_object();
    let containers = CONTAINERS.iter();
    let containers = containers.flat_map(|field| list(&pod["spec"], field));
    let containers: HashSet<&str> = containers
        .map(|container| text(container, "name"))
        .collect();
    let mut wrong = Vec::new();
    let has_node = !text(&pod["spec"], "nodeName").is_empty();
    for (key, value) in annotations.into_iter().flatten() {
        let said = value.as_str().unwrap_or_default();
        let is_seccomp = key == SECCOMP || key.starts_with(SECCOMP_OF_CONTAINER);
        if let Some((value, why)) = no_seccomp_profile(said).filter(|_| is_seccomp) {
            wrong.push(Cause::invalid(&format!("{path}.{key}"), &value.into(), why));
        }
        let path = format!("{path}[{key}]");
        if key == MIRROR && !has_node {
            let why = "must set spec.nodeName if mirror pod annotation is set";
            wrong.push(Cause::invalid(&path, value, why));
        }
        if key == DELETION_COST && !is_cost(said) {
            wrong.push(Cause::invalid(&path, value, "must be a 32bit integer"));
        }
        let Some(container) = key.strip_prefix(app_armor::ANNOTATION) else {
            continue;
        };
        if !containers.contains(container) {
            let why = "container not found";
            wrong.push(Cause::invalid(&path, &container.into(), why));
        }
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
