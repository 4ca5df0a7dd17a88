//! What a Service has by its type.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::super::target::Target;
use super::service_rules;
use crate::failure::Cause;
use crate::object;

/// Says of which Services something holds, by their spec.
type Which = fn(&Map<String, Value>) -> bool;

/// Fields that only some Services need, and which.
const NEEDED: [(&str, Which); 4] = [
    ("allocateLoadBalancerNodePorts", balances),
    ("loadBalancerClass", balances),
    ("healthCheckNodePort", is_checked),
    ("externalTrafficPolicy", is_accessible),
];

/// Gives a Service what its type needs, takes away what only its type of before did, and says what is wrong with it.
pub(super) fn write(old: Option<&Value>, object: &mut Value) -> Vec<Cause> {
    // A new one has its addresses named where they are given, which a new status is not.
    let mut wrong = Vec::new();
    if let Some(old) = old {
        name_fields(Some(old), object);
        wrong = service_rules::check_update(&old["spec"], &object["spec"]);
    }
    wrong.extend(service_rules::check(object));
    if old.is_none() {
        object::as_map(object).insert("status".to_owned(), json!({"loadBalancer": {}}));
    }
    wrong
}

/// Leaves a Service with what its writer means for it.
pub(super) fn name_fields(old: Option<&Value>, object: &mut Value) {
    name_addresses(old, object);
    if let Some(old) = old {
        drop_what_was_of_the_type(old, object);
    }
}

/// The first address is that of the older field, and one that is not said is the one of before.
fn name_addresses(old: Option<&Value>, object: &mut Value) {
    let before = |field: &str| match old {
        Some(old) => old["spec"][field].clone(),
        None => Value::Null,
    };
    let (old_one, old_all) = (before("clusterIP"), before("clusterIPs"));
    let spec = object::field_mut(object, "spec");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of = |spec: &Map<String, Value>, field: &str| spec.get(field).cloned().unwrap_or_default();
    if text(&of(spec, "clusterIP")).is_empty() {
        spec.remove("clusterIP");
    }
    for field in ["clusterIPs", "ipFamilies"] {
        if of(spec, field).as_array().is_some_and(Vec::is_empty) {
            spec.remove(field);
        }
    }
    let of_external = old.is_some_and(|old| old["spec"]["type"] == "ExternalName");
    let keeps_address = old.is_some() && !of_external && !is_a(spec, "ExternalName");
    if keeps_address && of(spec, "clusterIP").is_null() && !old_one.is_null() {
        spec.insert("clusterIP".to_owned(), old_one.clone());
    }
    let says_none = of(spec, "clusterIPs").is_null() && !old_all.is_null();
    if says_none && of(spec, "clusterIP") == old_one {
        spec.insert("clusterIPs".to_owned(), old_all.clone());
    }
    let (one, all) = (of(spec, "clusterIP"), of(spec, "clusterIPs"));
    // Who takes the one away, or changes it and says nothing else of all, means all.
    let says_no_more = all == old_all || all.is_null() && has_addresses(spec);
    if one != old_one && says_no_more {
        match one.is_null() {
            true => spec.remove("clusterIPs"),
            false => spec.insert("clusterIPs".to_owned(), json!([one])),
        };
    }
}

fn is_a(spec: &Map<String, Value>, kind: &str) -> bool {
    spec.get("type").and_then(Value::as_str) == Some(kind)
}

fn has_addresses(spec: &Map<String, Value>) -> bool {
    !is_a(spec, "ExternalName")
}

fn balances(spec: &Map<String, Value>) -> bool {
    is_a(spec, "LoadBalancer")
}

/// Whether nodes tell a load balancer if they serve it.
fn is_checked(spec: &Map<String, Value>) -> bool {
    balances(spec) && spec.get("externalTrafficPolicy").and_then(Value::as_str) == Some("Local")
}

fn reaches_outside(spec: &Map<String, Value>) -> bool {
    is_a(spec, "NodePort") || balances(spec)
}

/// Whether anybody outside can reach it, be it by addresses that others route.
pub(super) fn is_accessible(spec: &Map<String, Value>) -> bool {
    let addresses = spec.get("externalIPs").and_then(Value::as_array);
    let has_addresses = addresses.is_some_and(|addresses| !addresses.is_empty());
    reaches_outside(spec) || (is_a(spec, "ClusterIP") && has_addresses)
}

fn node_ports(spec: &Map<String, Value>) -> HashSet<&Value> {
    let ports = spec.get("ports").and_then(Value::as_array);
    let ports = ports.into_iter().flatten();
    ports.filter_map(|port| port.get("nodePort")).collect()
}

/// A Service as it is read, whatever was written: an address is among all of them, and a name that leads elsewhere says
/// nothing of the traffic inside.
pub(crate) fn read_service(target: &Target, object: &mut Value) {
    if !target.resource.is("", "services") {
        return;
    }
    let spec = object::field_mut(object, "spec");
    let one = spec.get("clusterIP").cloned().unwrap_or_default();
    let names_none = spec.get("clusterIPs").is_none_or(Value::is_null);
    if names_none && one.as_str().is_some_and(|one| !one.is_empty()) {
        spec.insert("clusterIPs".to_owned(), json!([one]));
    }
    if is_a(spec, "ExternalName") {
        spec.remove("internalTrafficPolicy");
    }
}

/// What the type of before needed, this one does not, and the writer has left as it was.
fn drop_what_was_of_the_type(old: &Value, object: &mut Value) {
    let Some(before) = old.get("spec").and_then(Value::as_object) else {
        return;
    };
    let spec = object::field_mut(object, "spec");
    let same = |field: &str| spec.get(field) == before.get(field);
    let has_ended = |needs: Which| needs(before) && !needs(spec);
    let mut outdated: Vec<&str> = Vec::new();
    if has_ended(has_addresses) {
        if same("clusterIP") && same("clusterIPs") {
            outdated.extend(["clusterIP", "clusterIPs"]);
        }
        let alone = ["ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"];
        outdated.extend(alone.into_iter().filter(|field| same(field)));
    }
    for (field, needs) in NEEDED {
        if has_ended(needs) && same(field) {
            outdated.push(field);
        }
    }
    let has_node_ports = has_ended(reaches_outside);
    for field in outdated {
        spec.remove(field);
    }
    if has_node_ports {
        let known = node_ports(before);
        if node_ports(spec).is_subset(&known) {
            let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
            for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
                port.remove("nodePort");
            }
        }
    }
    if !balances(spec) {
        object::field_mut(object, "status").insert("loadBalancer".to_owned(), json!({}));
    }
}
