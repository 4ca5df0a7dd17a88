//! What a real server warns of where an address could be written in a way that everybody reads.

use serde_json::Value;

use super::addresses::{parse, shortest_range, unclear, unclear_range};
use super::checks::list;

/// Of all addresses in an object of a kind; those of a Service are told among all that is told of it.
pub(super) fn advice(kind: &str, object: &Value) -> Vec<String> {
    let spec = &object["spec"];
    let of_pods = |path: &str| {
        let spec = object.pointer(&format!("/{}", path.replace('.', "/")));
        spec.map_or_else(Vec::new, |spec| of_pod(path, spec))
    };
    match kind {
        "Endpoints" => of_endpoints(object),
        "NetworkPolicy" => of_policy(spec),
        "Node" => each("spec.podCIDRs", list(spec, "podCIDRs"), range),
        "Pod" => of_pods("spec"),
        "PodTemplate" => of_pods("template.spec"),
        "Deployment"
        | "DaemonSet"
        | "StatefulSet"
        | "ReplicaSet"
        | "ReplicationController"
        | "Job" => of_pods("spec.template.spec"),
        "CronJob" => of_pods("spec.jobTemplate.spec.template.spec"),
        _ => Vec::new(),
    }
}

/// The same of the status of a pod.
pub(super) fn of_pod_status(status: &Value) -> Vec<String> {
    let of = |field: &str| {
        let path = format!("status.{field}");
        each(&path, list(status, field), |path, place| {
            address(&format!("{path}.ip"), &place["ip"])
        })
    };
    ["podIPs", "hostIPs"].into_iter().flat_map(of).collect()
}

fn of_endpoints(endpoints: &Value) -> Vec<String> {
    let mut told = Vec::new();
    for (at, subset) in list(endpoints, "subsets").iter().enumerate() {
        for field in ["addresses", "notReadyAddresses"] {
            let path = format!("subsets[{at}].{field}");
            told.extend(each(&path, list(subset, field), |path, place| {
                address(&format!("{path}.ip"), &place["ip"])
            }));
        }
    }
    told
}

fn of_policy(spec: &Value) -> Vec<String> {
    let mut told = Vec::new();
    for (way, peers) in [("ingress", "from"), ("egress", "to")] {
        for (rule_at, rule) in list(spec, way).iter().enumerate() {
            for (at, peer) in list(rule, peers).iter().enumerate() {
                let path = format!("spec.{way}[{rule_at}].{peers}[{at}].ipBlock");
                let block = &peer["ipBlock"];
                told.extend(range(&format!("{path}.cidr"), &block["cidr"]));
                let except = format!("{path}.except");
                told.extend(each(&except, list(block, "except"), range));
            }
        }
    }
    told
}

fn of_pod(path: &str, spec: &Value) -> Vec<String> {
    let servers = format!("{path}.dnsConfig.nameservers");
    let mut told = each(&servers, list(&spec["dnsConfig"], "nameservers"), address);
    let aliases = format!("{path}.hostAliases");
    told.extend(each(&aliases, list(spec, "hostAliases"), |path, alias| {
        address(&format!("{path}.ip"), &alias["ip"])
    }));
    told
}

pub(super) fn each(
    path: &str,
    values: &[Value],
    told: impl Fn(&str, &Value) -> Option<String>,
) -> Vec<String> {
    let values = values.iter().enumerate();
    values
        .filter_map(|(at, value)| told(&format!("{path}[{at}]"), value))
        .collect()
}

pub(super) fn address(path: &str, value: &Value) -> Option<String> {
    let (text, shortest) = (value.as_str()?, parse(value)?);
    if unclear(value).is_some() {
        let best = shortest.to_canonical();
        return Some(format!(
            "{path}: non-standard IP address {text:?} is invalid: use \"{best}\""
        ));
    }
    let is_longer = shortest.is_ipv6() && shortest.to_string() != text;
    is_longer.then(|| {
        format!(
            "{path}: IPv6 address {text:?} should be in RFC 5952 canonical format (\"{shortest}\")"
        )
    })
}

pub(super) fn range(path: &str, value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let shortest = shortest_range(text).filter(|_| unclear_range(text).is_none())?;
    (shortest != text).then(|| {
        format!(
            "{path}: IPv6 CIDR value {text:?} should be in RFC 5952 canonical format ({shortest:?})"
        )
    })
}
