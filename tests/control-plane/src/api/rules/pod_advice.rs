//! What a real server warns of in pods and in their templates.

use std::collections::HashSet;

use serde_json::Value;

use super::checks::{list, number, text};
use super::pod_annotations::{SECCOMP, SECCOMP_OF_CONTAINER};
use super::{app_armor, container_advice, node_labels, volume_advice};

const ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        r#"non-functional in v1.16+; use the "priorityClassName" field instead"#,
    ),
    (
        "security.alpha.kubernetes.io/sysctls",
        r#"non-functional in v1.11+; use the "sysctls" field instead"#,
    ),
    (
        "security.alpha.kubernetes.io/unsafe-sysctls",
        r#"non-functional in v1.11+; use the "sysctls" field instead"#,
    ),
];

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Of a pod, whose `metadata` and `spec` are below `path`, which ends with a dot where it is not empty.
pub(super) fn advice(pod: &Value, path: &str) -> Vec<String> {
    let spec = &pod["spec"];
    let at = |field: &str| format!("{path}spec.{field}");
    let mut told = node_labels::of_selector(&spec["nodeSelector"], &at("nodeSelector"));
    told.extend(of_affinity(spec, &at("affinity.nodeAffinity")));
    for (index, constraint) in list(spec, "topologySpreadConstraints").iter().enumerate() {
        let label = text(constraint, "topologyKey");
        if let Some(why) = node_labels::renamed(label) {
            let path = at(&format!("topologySpreadConstraints[{index}].topologyKey"));
            told.push(format!("{path}: {label} is {why}"));
        }
        let path = at(&format!("topologySpreadConstraints[{index}]"));
        told.extend(of_no_pod(constraint, &path));
    }
    told.extend(of_annotations(pod, path));
    told.extend(volume_advice::advice(list(spec, "volumes"), &at("volumes")));
    told.extend(twice(spec, "hostAliases", "ip", &at("hostAliases")));
    told.extend(twice(
        spec,
        "imagePullSecrets",
        "name",
        &at("imagePullSecrets"),
    ));
    for (index, secret) in list(spec, "imagePullSecrets").iter().enumerate() {
        if text(secret, "name").is_empty() {
            let path = at(&format!("imagePullSecrets[{index}].name"));
            told.push(format!("{path}: invalid empty name \"\""));
        }
    }
    told.extend(container_advice::in_parts(
        &spec["overhead"],
        &at("overhead"),
        &container_advice::IN_BYTES,
    ));
    told.extend(container_advice::advice(pod, path));
    if number(spec, "terminationGracePeriodSeconds").is_some_and(|seconds| seconds < 0) {
        let path = at("terminationGracePeriodSeconds");
        told.push(format!(
            "{path}: must be >= 0; negative values are invalid and will be treated as 1"
        ));
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        told.extend(of_pods(
            &spec["affinity"][kind],
            &at(&format!("affinity.{kind}")),
        ));
    }
    told
}

/// Of what is to be near or far.
fn of_pods(affinity: &Value, path: &str) -> Vec<String> {
    let required = list(affinity, REQUIRED).iter().enumerate();
    let required = required
        .filter_map(|(index, term)| of_no_pod(term, &format!("{path}.{REQUIRED}[{index}]")));
    let preferred = list(affinity, PREFERRED).iter().enumerate();
    let preferred = preferred.filter_map(|(index, preferred)| {
        let path = format!("{path}.{PREFERRED}[{index}].podAffinityTerm");
        of_no_pod(&preferred["podAffinityTerm"], &path)
    });
    required.chain(preferred).collect()
}

/// Of what selects nothing.
fn of_no_pod(selects: &Value, path: &str) -> Option<String> {
    let is_none = selects["labelSelector"].is_null();
    is_none
        .then(|| format!("{path}.labelSelector: a null labelSelector results in matching no pod"))
}

fn of_affinity(spec: &Value, path: &str) -> Vec<String> {
    let affinity = &spec["affinity"]["nodeAffinity"];
    let terms = list(&affinity[REQUIRED], "nodeSelectorTerms");
    let mut told = node_labels::of_terms(terms, &format!("{path}.{REQUIRED}.nodeSelectorTerms"));
    for (index, term) in list(affinity, PREFERRED).iter().enumerate() {
        let path = format!("{path}.{PREFERRED}[{index}].preference");
        told.extend(node_labels::of_preferred(&term["preference"], &path));
    }
    told
}

fn of_annotations(pod: &Value, path: &str) -> Vec<String> {
    let annotations = &pod["metadata"]["annotations"];
    let at = |key: &str| format!("{path}metadata.annotations[{key}]");
    let known = ANNOTATIONS
        .iter()
        .filter(|(key, _)| !annotations[*key].is_null());
    let mut told: Vec<String> = known
        .map(|(key, why)| format!("{}: {why}", at(key)))
        .collect();
    let profile = &pod["spec"]["securityContext"]["seccompProfile"];
    if !annotations[SECCOMP].is_null() && profile.is_null() {
        told.push(no_seccomp(&at(SECCOMP)));
    }
    told
}

fn no_seccomp(path: &str) -> String {
    format!("{path}: non-functional in v1.27+; use the \"seccompProfile\" field instead")
}

/// What is told of the annotations that are about one container.
pub(super) fn of_container(pod: &Value, container: &Value, path: &str) -> Vec<String> {
    let annotations = &pod["metadata"]["annotations"];
    let name = text(container, "name");
    let at = |key: &str| format!("{path}metadata.annotations[{key}]");
    let mut told = Vec::new();
    let seccomp = format!("{SECCOMP_OF_CONTAINER}{name}");
    let profile = &container["securityContext"]["seccompProfile"];
    if !annotations[&seccomp].is_null() && profile.is_null() {
        told.push(no_seccomp(&at(&seccomp)));
    }
    let armor = format!("{}{name}", app_armor::ANNOTATION);
    let has_field = |of: &Value| !of["securityContext"]["appArmorProfile"].is_null();
    let is_field = has_field(&pod["spec"]) || has_field(container);
    // Of a pod of its own it is told before that is written into a field.
    if !path.is_empty() && !annotations[&armor].is_null() && !is_field {
        told.push(app_armor::deprecated(&at(&armor)));
    }
    told
}

/// What is in a list twice.
fn twice(spec: &Value, field: &str, key: &str, path: &str) -> Vec<String> {
    let all = list(spec, field);
    let mut seen = HashSet::new();
    let again = all
        .iter()
        .enumerate()
        .filter(|(_, one)| !seen.insert(&one[key]));
    again
        .map(|(index, one)| {
            format!(
                "{path}[{index}].{key}: duplicate {key} {:?}",
                text(one, key)
            )
        })
        .collect()
}
