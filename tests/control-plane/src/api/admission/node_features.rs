//! `NodeDeclaredFeatureValidator`: a pod that is on a node is changed only as its node says that it can.

use serde_json::Value;

use super::Request;
use crate::failure::Failure;

pub(super) fn check(request: &Request<'_>, pod: &Value) -> Result<(), Failure> {
    let name = pod["spec"]["nodeName"].as_str().unwrap_or_default();
    let Some(old) = request.old.filter(|_| !name.is_empty()) else {
        return Ok(());
    };
    let mut missing = needed(&old["spec"], &pod["spec"]);
    if missing.is_empty() {
        return Ok(());
    }
    let Some(node) = request.one("", "nodes", name) else {
        return Err(request.refuse(&format!("node {name:?} not found")));
    };
    let node = node.read();
    let declared = node["status"]["declaredFeatures"].as_array();
    let declared = declared.map(Vec::as_slice).unwrap_or_default();
    missing.retain(|feature| !declared.contains(&(*feature).into()));
    if missing.is_empty() {
        return Ok(());
    }
    let features = missing.join(", ");
    Err(request.refuse(&format!(
        "pod update requires features {features} which are not available on node {name:?}"
    )))
}

/// What a node has to know to do it, in the order in which Kubernetes lists it.
fn needed(old: &Value, new: &Value) -> Vec<&'static str> {
    let of_the_pod = old["resources"] != new["resources"];
    let of_what_begins = resources_of_beginners(old) != resources_of_beginners(new);
    let all = [
        (of_the_pod, "InPlacePodLevelResourcesVerticalScaling"),
        (of_what_begins, "InPlacePodVerticalScalingInitContainers"),
    ];
    let needed = all.into_iter().filter(|(is_needed, _)| *is_needed);
    needed.map(|(_, feature)| feature).collect()
}

/// The resources of the containers that end before the others begin.
fn resources_of_beginners(spec: &Value) -> Vec<&Value> {
    let containers = spec["initContainers"].as_array().into_iter().flatten();
    let beginners = containers.filter(|container| container["restartPolicy"] != "Always");
    beginners.map(|container| &container["resources"]).collect()
}
