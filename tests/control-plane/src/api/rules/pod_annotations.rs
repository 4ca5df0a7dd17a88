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
    for (key, value) in annotations.into_iter().flatten() {
        let said = value.as_str().unwrap_or_default();
        let is_seccomp = key == SECCOMP || key.starts_with(SECCOMP_OF_CONTAINER);
        if let Some((value, why)) = no_seccomp_profile(said).filter(|_| is_seccomp) {
            wrong.push(Cause::invalid(&format!("{path}.{key}"), &value.into(), why));
        }
        let Some(container) = key.strip_prefix(app_armor::ANNOTATION) else {
            continue;
        };
        let path = format!("{path}[{key}]");
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
