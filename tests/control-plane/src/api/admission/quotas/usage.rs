//! What an object counts for.

use serde_json::Value;

use super::super::Request;
use super::super::totals::{self, Resources};
use super::{devices, scopes};
use crate::api::Target;
use crate::schema::plus;

const OF_CLASS: &str = ".storageclass.storage.k8s.io/";
const OF_CLAIMS: [&str; 2] = ["persistentvolumeclaims", "requests.storage"];
const OF_SERVICES: [&str; 3] = ["services", "services.loadbalancers", "services.nodeports"];
const OF_COMPUTE: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
/// Those that are counted under their own name besides.
const BY_NAME: [&str; 4] = [
    "configmaps",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
];

/// Whether what is asked may count for more than before.
pub(super) fn is_counted(request: &Request<'_>, object: &Value) -> bool {
    let resource = &request.target.resource;
    let is_new = request.old.is_none();
    match (
        &*resource.group,
        &*resource.plural,
        request.target.subresource.as_deref(),
    ) {
        ("" | "events.k8s.io", "events", _) => false,
        ("", "pods", Some("resize")) => true,
        (_, _, Some(_)) => false,
        ("", "pods", None) => request
            .old
            .is_none_or(|old| scopes::ends_by_itself(old) != scopes::ends_by_itself(object)),
        ("", "services" | "persistentvolumeclaims", None) => true,
        (devices::GROUP, devices::PLURAL, None) => true,
        _ => is_new,
    }
}

/// Whether the objects of a resource count for this in a quota.
pub(super) fn is_of(target: &Target, counted: &str) -> bool {
    if counted == count(target) {
        return true;
    }
    let resource = &target.resource;
    match (&*resource.group, &*resource.plural) {
        ("", "pods") => {
            let compute = counted
                .strip_prefix("requests.")
                .or(counted.strip_prefix("limits."));
            counted == "pods"
                || OF_COMPUTE.contains(&compute.unwrap_or(counted))
                || counted.starts_with("hugepages-")
                || counted.starts_with("requests.hugepages-")
                || counted.strip_prefix("requests.").is_some_and(is_extended)
        }
        ("", "services") => OF_SERVICES.contains(&counted),
        ("", "persistentvolumeclaims") => {
            let of_class = counted.split_once(OF_CLASS).map(|(_, counted)| counted);
            OF_CLAIMS.contains(&of_class.unwrap_or(counted))
        }
        ("", plural) => BY_NAME.contains(&plural) && counted == plural,
        (devices::GROUP, devices::PLURAL) => counted.ends_with(devices::OF_CLASS),
        _ => false,
    }
}

fn count(target: &Target) -> String {
    format!("count/{}", target.resource.qualified())
}

/// A resource that somebody else has named.
fn is_extended(name: &str) -> bool {
    name.contains('/') && !name.contains("kubernetes.io/")
}

pub(super) fn of(target: &Target, object: &Value) -> Resources {
    let resource = &target.resource;
    let mut used = Resources::from([(count(target), one())]);
    match (&*resource.group, &*resource.plural) {
        // What runs no more needs nothing.
        ("", "pods") if is_over(object) => {}
        ("", "pods") => used.extend(of_pod(&object["spec"])),
        ("", "services") => used.extend(of_service(&object["spec"])),
        ("", "persistentvolumeclaims") => used.extend(of_claim(object)),
        ("", plural) if BY_NAME.contains(&plural) => {
            used.insert(plural.to_owned(), one());
        }
        (devices::GROUP, devices::PLURAL) => used.extend(devices::of(&object["spec"])),
        _ => {}
    }
    used
}

fn one() -> String {
    "1".to_owned()
}

fn is_over(pod: &Value) -> bool {
    ["Failed", "Succeeded"]
        .iter()
        .any(|phase| pod["status"]["phase"] == *phase)
}

fn of_pod(spec: &Value) -> Resources {
    let [mut requests, mut limits] =
        ["requests", "limits"].map(|field| totals::of_pod(spec, field));
    // What the runtime costs besides is asked for as well, and limited where there is a limit.
    let mut overhead = totals::of(&spec["overhead"]);
    totals::add(&mut requests, &overhead);
    overhead.retain(|name, _| limits.contains_key(name));
    totals::add(&mut limits, &overhead);
    of_compute(&requests, &limits)
}

/// What is asked for, under all the names that it is counted by.
pub(super) fn of_compute(requests: &Resources, limits: &Resources) -> Resources {
    let mut used = Resources::from([("pods".to_owned(), one())]);
    for (name, amount) in requests {
        let is_plain = OF_COMPUTE.contains(&&**name) || name.starts_with("hugepages-");
        if is_plain {
            used.insert(name.clone(), amount.clone());
        }
        if is_plain || is_extended(name) {
            used.insert(format!("requests.{name}"), amount.clone());
        }
    }
    for (name, amount) in limits {
        if OF_COMPUTE.contains(&&**name) {
            used.insert(format!("limits.{name}"), amount.clone());
        }
    }
    used
}

fn of_service(spec: &Value) -> Resources {
    let ports = || spec["ports"].as_array().into_iter().flatten();
    let balances = spec["type"] == "LoadBalancer";
    let node_ports = match spec["type"].as_str() {
        Some("LoadBalancer") if spec["allocateLoadBalancerNodePorts"] == false => {
            let named = ports().filter(|port| port["nodePort"].as_i64().unwrap_or(0) != 0);
            named.count()
        }
        Some("LoadBalancer" | "NodePort") => ports().count(),
        _ => 0,
    };
    OF_SERVICES
        .map(str::to_owned)
        .into_iter()
        .zip([
            one(),
            u8::from(balances).to_string(),
            node_ports.to_string(),
        ])
        .collect()
}

fn of_claim(claim: &Value) -> Resources {
    const CLASS: &str = "volume.beta.kubernetes.io/storage-class";
    let mut used = Resources::from([(OF_CLAIMS[0].to_owned(), one())]);
    if let Some(size) = claim["spec"]["resources"]["requests"]["storage"].as_str() {
        used.insert(OF_CLAIMS[1].to_owned(), plus(size, "0"));
    }
    let annotated = claim["metadata"]["annotations"][CLASS].as_str();
    let class = annotated.or(claim["spec"]["storageClassName"].as_str());
    if let Some(class) = class.filter(|class| !class.is_empty()) {
        let of_class = |(name, amount)| (format!("{class}{OF_CLASS}{name}"), amount);
        let of_class: Vec<_> = used.clone().into_iter().map(of_class).collect();
        used.extend(of_class);
    }
    used
}
