//! What built-in objects said once in annotations and fields of other versions, as the conversions of Kubernetes
//! (`pkg/apis/*/v1/conversion.go`) take it out.

use serde_json::{Map, Value};

use super::super::target::Target;
use super::workloads::TEMPLATE_GENERATION;
use crate::failure::Cause;
use crate::patch::go;

const INIT_CONTAINERS: [&str; 4] = [
    "pod.beta.kubernetes.io/init-containers",
    "pod.alpha.kubernetes.io/init-containers",
    "pod.beta.kubernetes.io/init-container-statuses",
    "pod.alpha.kubernetes.io/init-container-statuses",
];
const ROLLBACK: &str = "deprecated.deployment.rollback.to";

/// Takes it out of an object that was sent, and says which of it cannot be read.
pub(crate) fn forget(target: &Target, object: &mut Value) -> Result<(), String> {
    if target.resource.is_crd() {
        return Ok(());
    }
    if let Some(template) = holder_of_containers(&target.resource.kind)
        && let Some(holder) = object.pointer_mut(template)
        && let Some(annotations) = annotations(holder)
    {
        annotations.retain(|name, _| !INIT_CONTAINERS.contains(&name.as_str()));
    }
    match target.resource.kind.as_str() {
        "Pod" => {
            let grace = object.pointer_mut("/spec/terminationGracePeriodSeconds");
            if let Some(grace) = grace.filter(|grace| grace.as_i64() < Some(0)) {
                *grace = 1.into();
            }
            Ok(())
        }
        "Deployment" => number(object, ROLLBACK).map_err(|(said, why)| {
            format!("failed to parse annotation[{ROLLBACK}]={said} as int64: {why}")
        }),
        "DaemonSet" => number(object, TEMPLATE_GENERATION).map_err(|(_, why)| why),
        _ => Ok(()),
    }
}

/// What is wrong with the revision that a Deployment is to go back to.
pub(super) fn check_rollback(deployment: &Value) -> Option<Cause> {
    let annotations = deployment.pointer("/metadata/annotations")?;
    let revision: i64 = annotations.get(ROLLBACK)?.as_str()?.parse().ok()?;
    let why = "must be greater than or equal to 0";
    let cause = || Cause::invalid("spec.rollback.version", &revision.into(), why);
    (revision < 0).then(cause)
}

/// Where an object of a kind has the metadata of its pods.
fn holder_of_containers(kind: &str) -> Option<&'static str> {
    match kind {
        "Pod" => Some(""),
        "PodTemplate" => Some("/template"),
        "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "ReplicationController"
        | "Job" => Some("/spec/template"),
        "CronJob" => Some("/spec/jobTemplate/spec/template"),
        _ => None,
    }
}

fn annotations(holder: &mut Value) -> Option<&mut Map<String, Value>> {
    let annotations = holder.get_mut("metadata")?.get_mut("annotations")?;
    annotations.as_object_mut()
}

/// An annotation that is a field of another version is written as the number that it is; the error is what it says and
/// why that is none.
fn number(object: &mut Value, name: &str) -> Result<(), (String, String)> {
    let Some(annotations) = annotations(object) else {
        return Ok(());
    };
    let Some(said) = annotations.get(name).and_then(Value::as_str) else {
        return Ok(());
    };
    if said.is_empty() && name == ROLLBACK {
        annotations.remove(name);
        return Ok(());
    }
    match said.parse::<i64>() {
        Ok(number) => {
            annotations.insert(name.to_owned(), number.to_string().into());
            Ok(())
        }
        Err(error) => {
            let why = match error.kind() {
                std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => {
                    "value out of range"
                }
                _ => "invalid syntax",
            };
            let why = format!("strconv.ParseInt: parsing {}: {why}", go::quoted(said));
            Err((said.to_owned(), why))
        }
    }
}
