//! What a Service has by its type.

use serde_json::{Map, Value, json};

use super::super::target::Target;
use crate::object;

/// The ports of nodes that a server gives away.
const NODE_PORTS: std::ops::Range<u64> = 30_000..32_768;
/// What only a Service with a load balancer says.
const OF_BALANCERS: [&str; 3] = [
    "allocateLoadBalancerNodePorts",
    "healthCheckNodePort",
    "loadBalancerClass",
];

/// Gives a Service what its type needs, and takes away what only its type of before did.
pub(super) fn settle(target: &Target, old: Option<&Value>, object: &mut Value) {
    if let Some(old) = old {
        drop_what_was_of_the_type(old, object);
    }
    let before = old.and_then(|old| old.get("spec"));
    let spec = object::field_mut(object, "spec");
    if needs_node_ports(spec) {
        allocate(target, before, spec);
    }
    let health = spec.get("healthCheckNodePort").and_then(Value::as_u64);
    if is_a(spec, "LoadBalancer")
        && spec.get("externalTrafficPolicy") == Some(&json!("Local"))
        && health.is_none_or(|port| port == 0)
    {
        let known = before
            .and_then(|spec| spec.get("healthCheckNodePort"))
            .cloned();
        let port = known.unwrap_or_else(|| some_port(target).into());
        spec.insert("healthCheckNodePort".to_owned(), port);
    }
}

fn is_a(spec: &Map<String, Value>, kind: &str) -> bool {
    spec.get("type").and_then(Value::as_str) == Some(kind)
}

fn reaches_outside(spec: &Map<String, Value>) -> bool {
    is_a(spec, "NodePort") || is_a(spec, "LoadBalancer")
}

fn needs_node_ports(spec: &Map<String, Value>) -> bool {
    let declines = spec.get("allocateLoadBalancerNodePorts") == Some(&Value::Bool(false));
    is_a(spec, "NodePort") || (is_a(spec, "LoadBalancer") && !declines)
}

fn some_port(target: &Target) -> u64 {
    NODE_PORTS.start + target.world.ids.number() % (NODE_PORTS.end - NODE_PORTS.start)
}

/// A port that is not said is that of before, or one that the Service has not got.
fn allocate(target: &Target, before: Option<&Value>, spec: &mut Map<String, Value>) {
    let old: Vec<&Value> = before
        .and_then(|spec| spec.get("ports")?.as_array())
        .into_iter()
        .flatten()
        .collect();
    let Some(ports) = spec.get_mut("ports").and_then(Value::as_array_mut) else {
        return;
    };
    let number = |port: &Value| port.get("nodePort").and_then(Value::as_u64);
    let mut taken: Vec<u64> = ports.iter().filter_map(number).collect();
    for port in ports {
        if number(port).is_some_and(|number| number != 0) {
            continue;
        }
        let same = |other: &&&Value| {
            ["protocol", "port"]
                .iter()
                .all(|field| other.get(field) == port.get(field))
        };
        let known = old.iter().find(same).and_then(|old| number(old));
        let free = known
            .filter(|number| !taken.contains(number))
            .unwrap_or_else(|| {
                let mut candidate = some_port(target);
                while taken.contains(&candidate) {
                    candidate = some_port(target);
                }
                candidate
            });
        taken.push(free);
        object::as_map(port).insert("nodePort".to_owned(), free.into());
    }
}

/// What the type of before needed, this one does not, and the writer has left as it was.
fn drop_what_was_of_the_type(old: &Value, object: &mut Value) {
    let Some(before) = old.get("spec").and_then(Value::as_object) else {
        return;
    };
    let spec = object::field_mut(object, "spec");
    let mut outdated: Vec<&str> = Vec::new();
    if is_a(spec, "ExternalName") {
        outdated.extend([
            "clusterIP",
            "clusterIPs",
            "ipFamilies",
            "ipFamilyPolicy",
            "internalTrafficPolicy",
        ]);
    }
    if !reaches_outside(spec) {
        outdated.push("externalTrafficPolicy");
    }
    if !is_a(spec, "LoadBalancer") {
        outdated.extend(OF_BALANCERS);
    }
    for field in outdated {
        if spec.get(field) == before.get(field) {
            spec.remove(field);
        }
    }
    if reaches_outside(before) && !reaches_outside(spec) {
        let old_ports = before.get("ports").and_then(Value::as_array);
        let old_ports: Vec<_> = old_ports
            .into_iter()
            .flatten()
            .filter_map(|port| port.get("nodePort").cloned())
            .collect();
        let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
        for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
            if port
                .get("nodePort")
                .is_some_and(|port| old_ports.contains(port))
            {
                port.remove("nodePort");
            }
        }
    }
    if is_a(before, "LoadBalancer") && !is_a(spec, "LoadBalancer") {
        object::field_mut(object, "status").insert("loadBalancer".to_owned(), json!({}));
    }
}
