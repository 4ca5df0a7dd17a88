//! What is printed of Services.

use serde_json::Value;

use super::cluster::balancer;
use super::{list, or_none, text};

/// Where it is reached from outside.
pub(super) fn external(service: &Value) -> Value {
    let kind = text(service, "/spec/type");
    if kind == "ExternalName" {
        return text(service, "/spec/externalName").into();
    }
    let given = balancer(service);
    let of_balancer = (kind == "LoadBalancer").then(|| given.as_str()).flatten();
    let named = list(service, "/spec/externalIPs").filter_map(Value::as_str);
    let all = of_balancer
        .into_iter()
        .filter(|given| !given.is_empty())
        .chain(named);
    match all.collect::<Vec<_>>().join(",") {
        none if none.is_empty() && kind == "LoadBalancer" => "<pending>".into(),
        // As a bookmark has it.
        none if none.is_empty() && kind.is_empty() => "<unknown>".into(),
        shown => or_none(shown.into()),
    }
}

/// Its ports, each with that of the nodes.
pub(super) fn ports(service: &Value) -> Value {
    let shown: Vec<String> = list(service, "/spec/ports")
        .map(|port| {
            let number = |field: &str| port.get(field).and_then(Value::as_u64).unwrap_or(0);
            let protocol = port
                .get("protocol")
                .and_then(Value::as_str)
                .unwrap_or("TCP");
            match number("nodePort") {
                0 => format!("{}/{protocol}", number("port")),
                of_node => format!("{}:{of_node}/{protocol}", number("port")),
            }
        })
        .collect();
    or_none(shown.join(",").into())
}
