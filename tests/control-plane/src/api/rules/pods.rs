//! The rules of pods and of their templates, and what admission adds to a pod.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{checks, containers, names, pod_updates};
use crate::failure::Cause;
use crate::object;

pub(super) fn before_create(object: &mut Value) -> Vec<Cause> {
    let quality = quality(object);
    let mut status = json!({"phase": "Pending", "qosClass": quality});
    if !checks::list(&object["spec"], "schedulingGates").is_empty() {
        status["conditions"] = json!([{
            "type": "PodScheduled", "status": "False", "lastProbeTime": null, "lastTransitionTime": object::now(),
            "reason": "SchedulingGated", "message": "Scheduling is blocked due to non-empty scheduling gates",
        }]);
    }
    object::as_map(object).insert("status".to_owned(), status);
    let spec = object::field_mut(object, "spec");
    let priority = match spec.get("priorityClassName").and_then(Value::as_str) {
        Some("system-node-critical") => 2_000_001_000,
        Some("system-cluster-critical") => 2_000_000_000,
        _ => 0,
    };
    spec.insert("priority".to_owned(), priority.into());
    spec.entry("preemptionPolicy")
        .or_insert("PreemptLowerPriority".into());
    tolerate(spec);
    check_spec(&object["spec"], "spec")
}

/// Every pod stays for a while on a node that is lost, unless it says otherwise.
fn tolerate(spec: &mut Map<String, Value>) {
    let tolerations = spec.entry("tolerations").or_insert_with(|| json!([]));
    if let Some(tolerations) = tolerations.as_array_mut() {
        for key in [
            "node.kubernetes.io/not-ready",
            "node.kubernetes.io/unreachable",
        ] {
            let tolerated = tolerations.iter().any(|toleration| {
                let of = |field: &str| {
                    toleration
                        .get(field)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                };
                (of("key") == key || of("key").is_empty())
                    && ["NoExecute", ""].contains(&of("effect"))
            });
            if !tolerated {
                tolerations.push(json!({
                    "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
                }));
            }
        }
    }
}

/// Little of a pod may change.
pub(super) fn before_update(old: &Value, new: &mut Value) -> Vec<Cause> {
    let spec = object::field_mut(new, "spec");
    tolerate(spec);
    for field in ["priority", "preemptionPolicy"] {
        if let Some(known) = old.pointer(&format!("/spec/{field}")) {
            spec.entry(field).or_insert_with(|| known.clone());
        }
    }
    let mut wrong = check_spec(&new["spec"], "spec");
    wrong.extend(pod_updates::check(old, new));
    wrong
}

/// What is wrong with a template of pods.
pub(super) fn check_template(template: &Value, path: &str) -> Vec<Cause> {
    check_template_with(template, path, &[])
}

/// The same where there are more volumes to be mounted than it says itself: those that come of claims.
pub(super) fn check_template_with(template: &Value, path: &str, claims: &[Value]) -> Vec<Cause> {
    let labels = checks::at(template, "/metadata/labels");
    let mut wrong = checks::labels(labels, &format!("{path}.labels"));
    wrong.extend(check_spec_with(
        &template["spec"],
        &format!("{path}.spec"),
        claims,
    ));
    wrong
}

/// What is wrong with the spec of a pod.
fn check_spec(spec: &Value, path: &str) -> Vec<Cause> {
    check_spec_with(spec, path, &[])
}

fn check_spec_with(spec: &Value, path: &str, claims: &[Value]) -> Vec<Cause> {
    let mut wrong = containers::check_volumes(spec, path);
    let volumes = spec.get("volumes").and_then(Value::as_array);
    let claimed = claims.iter().map(object::name);
    let volumes: Vec<&str> = (volumes.into_iter().flatten())
        .filter_map(|volume| volume["name"].as_str())
        .chain(claimed)
        .filter(|name| !name.is_empty())
        .collect();
    let containers = spec.get("containers").and_then(Value::as_array);
    if containers.is_none_or(Vec::is_empty) {
        wrong.push(Cause::required(&format!("{path}.containers"), ""));
    }
    let mut seen = BTreeSet::new();
    for list in ["containers", "initContainers"] {
        let containers = spec.get(list).and_then(Value::as_array);
        for (index, container) in containers.into_iter().flatten().enumerate() {
            let at = |field: &str| format!("{path}.{list}[{index}].{field}");
            let text = |field: &str| {
                container
                    .get(field)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            let name = text("name");
            if name.is_empty() {
                wrong.push(Cause::required(&at("name"), ""));
            } else if let Some(why) = names::label(name) {
                wrong.push(Cause::invalid(&at("name"), &name.into(), why));
            } else if !seen.insert(name) {
                wrong.push(Cause::duplicate(&at("name"), &name.into()));
            }
            if text("image").is_empty() {
                wrong.push(Cause::required(&at("image"), ""));
            }
            let path = format!("{path}.{list}[{index}]");
            wrong.extend(containers::check(container, &path, &volumes));
        }
    }
    let policy = spec.get("restartPolicy").cloned().unwrap_or_default();
    if !["Always", "OnFailure", "Never"]
        .iter()
        .any(|known| policy == *known)
    {
        wrong.push(Cause::unsupported(
            &format!("{path}.restartPolicy"),
            &policy,
            r#""Always", "OnFailure", "Never""#,
        ));
    }
    wrong
}

/// How sure a pod can be of its resources.
fn quality(pod: &Value) -> &'static str {
    let mut guaranteed = true;
    let mut any = false;
    for list in ["initContainers", "containers"] {
        let containers = pod["spec"].get(list).and_then(Value::as_array);
        for container in containers.into_iter().flatten() {
            let of =
                |kind: &str, name: &str| container.pointer(&format!("/resources/{kind}/{name}"));
            for name in ["cpu", "memory"] {
                any |= of("requests", name).is_some() || of("limits", name).is_some();
                guaranteed &=
                    of("limits", name).is_some() && of("requests", name) == of("limits", name);
            }
        }
    }
    match (any, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
