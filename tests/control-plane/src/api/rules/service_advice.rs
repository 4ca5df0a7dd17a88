//! What a real server warns of in Services.

use serde_json::Value;

use super::address_advice::{address, each, range};
use super::advice::annotation;
use super::checks::{list, text};

/// What a headless Service makes nothing of, and how that is called.
const OF_HEADLESS: [(&str, &str); 3] = [
    ("loadBalancerIP", "spec.loadBalancerIP"),
    ("externalIPs", "spec.externalIPs"),
    ("sessionAffinity", "spec.SessionAffinity"),
];

pub(super) fn advice(service: &Value) -> Vec<String> {
    const HINTS: &str = "service.kubernetes.io/topology-aware-hints";
    const EXTERNAL: &str =
        "spec.externalIPs is deprecated and may no longer be implemented in some clusters";
    const OF_NAMES: &str = r#"spec.externalIPs is ignored when spec.type is "ExternalName""#;
    const NAME: &str = r#"spec.externalName is ignored when spec.type is not "ExternalName""#;
    const CLOSE: &str =
        r#"spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone""#;
    const RANGES: &str = "loadBalancerSourceRanges";
    let spec = &service["spec"];
    let is_headless = text(spec, "clusterIP") == "None";
    let is_name = text(spec, "type") == "ExternalName";
    let has_external = !list(spec, "externalIPs").is_empty();
    let mut told = Vec::new();
    if annotation(service, HINTS) {
        told.push(format!(
            "annotation {HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead"
        ));
    }
    told.extend(each("spec.clusterIPs", list(spec, "clusterIPs"), address));
    if is_headless {
        let ignored = OF_HEADLESS.iter().filter(|(field, _)| says(spec, field));
        told.extend(ignored.map(|(_, field)| format!("{field} is ignored for headless services")));
    }
    told.extend(each("spec.externalIPs", list(spec, "externalIPs"), address));
    if has_external && !is_headless && !is_name {
        told.push(EXTERNAL.to_owned());
    }
    told.extend(address("spec.loadBalancerIP", &spec["loadBalancerIP"]));
    told.extend(each(&format!("spec.{RANGES}"), list(spec, RANGES), range));
    if has_external && is_name {
        told.push(OF_NAMES.to_owned());
    }
    if !is_name && !text(spec, "externalName").is_empty() {
        told.push(NAME.to_owned());
    }
    if text(spec, "trafficDistribution") == "PreferClose" {
        told.push(CLOSE.to_owned());
    }
    told
}

fn says(spec: &Value, field: &str) -> bool {
    let is_none = field == "sessionAffinity" && text(spec, field) == "None";
    !is_none && !text(spec, field).is_empty() || !list(spec, field).is_empty()
}
