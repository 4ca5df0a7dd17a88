//! `PodResizeValidator`: a pod grows only where its node runs Linux, and only as far as that has room for pods.

use serde_json::{Value, json};

use super::Request;
use super::totals::{self, Resources};
use crate::failure::Failure;
use crate::schema::in_billionths;

/// The resources that a node has to have, and how many billionths there are in what is said of them.
const LOOKED_AT: [(&str, i128); 2] = [("cpu", 1_000_000), ("memory", 1_000_000_000)];

pub(super) fn check(request: &Request<'_>, pod: &Value) -> Result<(), Failure> {
    let name = pod["spec"]["nodeName"].as_str().unwrap_or_default();
    if name.is_empty() || request.old.is_none_or(|old| old["spec"] == pod["spec"]) {
        return Ok(());
    }
    let Some(node) = request.one("", "nodes", name) else {
        return Err(request.refuse(&format!("node {name:?} not found")));
    };
    let node = node.read();
    let system = node["metadata"]["labels"]["kubernetes.io/os"].as_str();
    if let Some(other) = system.filter(|system| *system != "linux") {
        let why =
            format!("pod resize is only supported on linux nodes, node {name:?} is {other:?}");
        return Err(refuse(request, &why, "UnsupportedPlatform"));
    }
    let mut requested = totals::of_pod(&pod["spec"], "requests");
    totals::add(&mut requested, &totals::of(&pod["spec"]["overhead"]));
    let too_much = too_much(&requested, &totals::of(&node["status"]["allocatable"]));
    if too_much.is_empty() {
        return Ok(());
    }
    let why = format!(
        "node didn't have enough allocatable resources: {}",
        too_much.join("; ")
    );
    Err(refuse(request, &why, "NodeCapacity"))
}

fn too_much(requested: &Resources, allocatable: &Resources) -> Vec<String> {
    let amount = |resources: &Resources, name| {
        let quantity: Option<&String> = resources.get(name);
        quantity.and_then(|quantity| in_billionths(quantity))
    };
    let mut told = Vec::new();
    for (name, unit) in LOOKED_AT {
        let [requested, allocatable] =
            [requested, allocatable].map(|all| amount(all, name).unwrap_or_default());
        if requested > allocatable {
            let [requested, allocatable] =
                [requested, allocatable].map(|amount| (amount + unit - 1) / unit);
            told.push(format!(
                "{name}, requested: {requested}, allocatable: {allocatable}"
            ));
        }
    }
    told
}

fn refuse(request: &Request<'_>, why: &str, reason: &str) -> Failure {
    let causes = json!([{ "reason": reason }]);
    let details = json!({"name": request.name, "kind": "pods", "causes": causes});
    request.refuse(why).with_details(details)
}
