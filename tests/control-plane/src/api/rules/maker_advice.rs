//! What a real server warns of in what makes pods.

use serde_json::Value;

use super::checks::number;
use super::{names, pod_advice};
use crate::object;

/// Of a pod, or of what makes pods; of the latter when it makes others than before.
pub(super) fn advice(kind: &str, old: Option<&Value>, object: &Value) -> Vec<String> {
    let generation = |object: &Value| object["metadata"]["generation"].clone();
    let is_same = old.is_some_and(|old| match kind {
        "DaemonSet" => old["spec"]["template"] == object["spec"]["template"],
        _ => generation(old) == generation(object),
    });
    let spec = match kind {
        // Kubernetes hands over both the wrong way round, and so what it was is looked at.
        "ReplicationController" => &old.unwrap_or(object)["spec"],
        _ => &object["spec"],
    };
    let mut told = Vec::new();
    if old.is_none() {
        told.extend(of_name(kind, object::name(object)));
    }
    let (pod, path) = match kind {
        "Pod" if old.is_none() => (object, ""),
        "PodTemplate" if !is_same => (&object["template"], "template."),
        "Deployment" | "DaemonSet" | "StatefulSet" | "ReplicaSet" | "ReplicationController"
            if !is_same =>
        {
            (&spec["template"], "spec.template.")
        }
        "Job" if !is_same => {
            told.extend(of_indexes(spec, "spec"));
            (&spec["template"], "spec.template.")
        }
        "CronJob" if !is_same => {
            let job = &spec["jobTemplate"]["spec"];
            told.extend(of_indexes(job, "spec.jobTemplate.spec"));
            (&job["template"], "spec.jobTemplate.spec.template.")
        }
        _ => return told,
    };
    told.extend(pod_advice::advice(pod, path));
    told
}

/// A name that does not do for hosts.
fn of_name(kind: &str, name: &str) -> Option<String> {
    let used = match kind {
        "Pod" => "the Pod's hostname",
        "Deployment" | "ReplicaSet" | "ReplicationController" | "Job" | "CronJob" => {
            "Pod names and hostnames"
        }
        _ => return None,
    };
    let why = names::label(name)?;
    Some(format!(
        "metadata.name: this is used in {used}, which can result in surprising behavior; a DNS label is recommended: \
         [{why}]"
    ))
}

/// More indexes than can be told of.
fn of_indexes(job: &Value, path: &str) -> Option<String> {
    let more_than = |field: &str, most| number(job, field).is_some_and(|number| number > most);
    let too_many = job["completionMode"] == "Indexed"
        && more_than("completions", 100_000)
        && more_than("parallelism", 10_000);
    too_many.then(|| {
        format!(
            "{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, \
             Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        )
    })
}
