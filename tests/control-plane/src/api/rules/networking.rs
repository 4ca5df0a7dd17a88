//! The rules of Ingresses and NetworkPolicies.

use std::net::IpAddr;

use serde_json::Value;

use super::addresses::{self, NO_RANGE};
use super::checks::{self, list, number, one_of, text};
use super::containers::{check_port_number_or_name, is_port};
use super::names;
use crate::failure::Cause;

const PATH_TYPES: [&str; 3] = ["Exact", "ImplementationSpecific", "Prefix"];

pub(super) fn check_ingress(ingress: &Value) -> Vec<Cause> {
    let spec = &ingress["spec"];
    let rules = list(spec, "rules");
    let mut wrong = Vec::new();
    if rules.is_empty() && spec["defaultBackend"].is_null() {
        let why = "either `defaultBackend` or `rules` must be specified";
        wrong.push(Cause::invalid("spec", &spec["rules"], why));
    }
    if !spec["defaultBackend"].is_null() {
        wrong.extend(check_backend(
            &spec["defaultBackend"],
            "spec.defaultBackend",
        ));
    }
    for (index, rule) in rules.iter().enumerate() {
        let path = format!("spec.rules[{index}]");
        let host = text(rule, "host");
        let field = format!("{path}.host");
        if host.parse::<IpAddr>().is_ok() {
            let why = "must be a DNS name, not an IP address";
            wrong.push(Cause::invalid(&field, &host.into(), why));
        }
        wrong.extend(check_host(host, &field));
        if !rule["http"].is_null() {
            wrong.extend(check_paths(&rule["http"], &format!("{path}.http.paths")));
        }
    }
    for (index, secured) in list(spec, "tls").iter().enumerate() {
        let path = format!("spec.tls[{index}]");
        for (host, value) in list(secured, "hosts").iter().enumerate() {
            let field = format!("{path}.hosts[{host}]");
            let host = value.as_str().unwrap_or_default();
            let missing = names::subdomain(host).filter(|_| host.is_empty());
            wrong.extend(missing.map(|why| Cause::invalid(&field, value, why)));
            wrong.extend(check_host(host, &field));
        }
        let secret = text(secured, "secretName");
        let why = names::subdomain(secret).filter(|_| !secret.is_empty());
        let field = format!("{path}.secretName");
        wrong.extend(why.map(|why| Cause::invalid(&field, &secret.into(), why)));
    }
    if let Some(class) = spec["ingressClassName"].as_str() {
        let why = names::subdomain(class);
        wrong.extend(why.map(|why| Cause::invalid("spec.ingressClassName", &class.into(), why)));
    }
    wrong
}

fn check_host(host: &str, path: &str) -> Option<Cause> {
    let why = match host.contains('*') {
        true => names::wildcard(host),
        false => names::subdomain(host).filter(|_| !host.is_empty()),
    };
    why.map(|why| Cause::invalid(path, &host.into(), why))
}

/// A new Ingress says its class once, or the same twice.
pub(super) fn check_class(ingress: &Value) -> Option<Cause> {
    const CLASS: &str = "kubernetes.io/ingress.class";
    let said = &ingress["metadata"]["annotations"][CLASS];
    let class = &ingress["spec"]["ingressClassName"];
    (said.is_string() && class.is_string() && said != class).then(|| {
        let why = "must match `ingressClassName` when both are specified";
        Cause::invalid(&format!("annotations.{CLASS}"), said, why)
    })
}

fn check_paths(http: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let paths = list(http, "paths");
    if paths.is_empty() {
        wrong.push(Cause::required(path, ""));
    }
    for (index, value) in paths.iter().enumerate() {
        let at = |field: &str| format!("{path}[{index}].{field}");
        let way = text(value, "path");
        let mut refuse = |why: &str| wrong.push(Cause::invalid(&at("path"), &way.into(), why));
        match value["pathType"].as_str() {
            None => {
                let why = "pathType must be specified";
                wrong.push(Cause::required(&at("pathType"), why));
                continue;
            }
            Some("Exact" | "Prefix") => {
                if !way.starts_with('/') {
                    refuse("must be an absolute path");
                }
                for part in ["//", "/./", "/../", "%2f", "%2F"] {
                    if way.contains(part) {
                        refuse(&format!("must not contain '{part}'"));
                    }
                }
                for end in ["/..", "/."] {
                    if way.ends_with(end) {
                        refuse(&format!("cannot end with '{end}'"));
                    }
                }
            }
            Some("ImplementationSpecific") => {
                if !way.is_empty() && !way.starts_with('/') {
                    refuse("must be an absolute path");
                }
            }
            Some(other) => wrong.extend(one_of(other, &at("pathType"), &PATH_TYPES)),
        }
        wrong.extend(check_backend(&value["backend"], &at("backend")));
    }
    wrong
}

fn check_backend(backend: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let invalid = |why: &str| Cause::invalid(path, &"".into(), why);
    let (resource, service) = (&backend["resource"], &backend["service"]);
    let mut wrong = Vec::new();
    match (resource.is_null(), service.is_null()) {
        (false, false) => wrong.push(invalid("cannot set both resource and service backends")),
        (true, true) => wrong.push(invalid("resource or service backend is required")),
        (false, true) => {
            let at = |field: &str| at(&format!("resource.{field}"));
            if let Value::String(group) = &resource["apiGroup"] {
                let why = names::subdomain(group);
                wrong.extend(
                    why.map(|why| Cause::invalid(&at("apiGroup"), &group.as_str().into(), why)),
                );
            }
            for field in ["kind", "name"] {
                match text(resource, field) {
                    "" => wrong.push(Cause::required(&at(field), "")),
                    segment => wrong.extend(names::path_segment(segment, &at(field))),
                }
            }
        }
        (true, false) => {
            let name = text(service, "name");
            if name.is_empty() {
                wrong.push(Cause::required(&at("service.name"), ""));
            } else {
                let why = names::label(name);
                let field = at("service.name");
                wrong.extend(why.map(|why| Cause::invalid(&field, &name.into(), why)));
            }
            let port = &service["port"];
            let number = number(port, "number").unwrap_or(0);
            match (text(port, "name").is_empty(), number) {
                (true, 0) => wrong.push(Cause::required(path, "port name or number is required")),
                (true, number) => wrong.extend(is_port(number, &at("service.port.number"))),
                (false, 0) => {
                    let field = at("service.port.name");
                    wrong.extend(check_port_number_or_name(&port["name"], &field));
                }
                (false, _) => wrong.push(invalid("cannot set both port name & port number")),
            }
        }
    }
    wrong
}

pub(super) fn check_policy(policy: &Value) -> Vec<Cause> {
    let spec = &policy["spec"];
    let mut wrong = checks::selector(&spec["podSelector"], "spec.podSelector");
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for (index, rule) in list(spec, direction).iter().enumerate() {
            let path = format!("spec.{direction}[{index}]");
            for (index, port) in list(rule, "ports").iter().enumerate() {
                wrong.extend(check_port(port, &format!("{path}.ports[{index}]")));
            }
            for (index, peer) in list(rule, peers).iter().enumerate() {
                wrong.extend(check_peer(peer, &format!("{path}.{peers}[{index}]")));
            }
        }
    }
    const PATH: &str = "spec.policyTypes";
    let types = list(spec, "policyTypes");
    if types.len() > 2 {
        let why = "may not specify more than two policyTypes";
        wrong.push(Cause::invalid(PATH, &spec["policyTypes"], why));
        return wrong;
    }
    for (index, kind) in types.iter().enumerate() {
        let kind = kind.as_str().unwrap_or_default();
        wrong.extend(one_of(
            kind,
            &format!("{PATH}[{index}]"),
            &["Ingress", "Egress"],
        ));
    }
    wrong
}

fn check_port(port: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let protocols = ["TCP", "UDP", "SCTP"];
    let protocol = one_of(text(port, "protocol"), &at("protocol"), &protocols);
    let mut wrong: Vec<Cause> = protocol.into_iter().collect();
    let (first, last) = (&port["port"], number(port, "endPort"));
    let refuse = |number: i64, why: &str| Cause::invalid(&at("endPort"), &number.into(), why);
    match (first.as_i64(), last) {
        (Some(first), last) => {
            wrong.extend(is_port(first, &at("port")));
            if let Some(last) = last {
                if last < first {
                    wrong.push(refuse(first, "must be greater than or equal to `port`"));
                }
                wrong.extend(is_port(last, &at("endPort")));
            }
        }
        (None, last) if first.is_string() => {
            let why = "may not be specified when `port` is non-numeric";
            wrong.extend(last.map(|last| refuse(last, why)));
            wrong.extend(check_port_number_or_name(first, &at("port")));
        }
        (None, last) => {
            let why = "may not be specified when `port` is not specified";
            wrong.extend(last.map(|last| refuse(last, why)));
        }
    }
    wrong
}

fn check_peer(peer: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut peers = 0;
    for field in ["podSelector", "namespaceSelector"] {
        if !peer[field].is_null() {
            peers += 1;
            wrong.extend(checks::selector(&peer[field], &format!("{path}.{field}")));
        }
    }
    let block = &peer["ipBlock"];
    if !block.is_null() {
        wrong.extend(check_block(block, &format!("{path}.ipBlock")));
        if peers > 0 {
            let why = "may not specify both ipBlock and another peer";
            wrong.push(Cause::forbidden(path, why));
        }
    } else if peers == 0 {
        wrong.push(Cause::required(path, "must specify a peer"));
    }
    wrong
}

fn check_block(block: &Value, path: &str) -> Vec<Cause> {
    let field = format!("{path}.cidr");
    let range = text(block, "cidr");
    if range.is_empty() {
        return vec![Cause::required(&field, "")];
    }
    let Some((whole, bits)) = addresses::range(range) else {
        return vec![Cause::invalid(&field, &range.into(), NO_RANGE)];
    };
    let invalid = |field: &str, range: &str, why| Cause::invalid(field, &range.into(), why);
    let why = addresses::unclear_range(range).into_iter();
    let mut wrong: Vec<Cause> = why.map(|why| invalid(&field, range, why)).collect();
    for (index, except) in list(block, "except").iter().enumerate() {
        let field = format!("{path}.except[{index}]");
        let except = except.as_str().unwrap_or_default();
        let why = addresses::unclear_range(except);
        wrong.extend(why.map(|why| invalid(&field, except, why)));
        if let Some((part, more)) = addresses::range(except)
            && (bits >= more || !addresses::contains(whole, bits, part))
        {
            let why = "must be a strict subset of `cidr`";
            wrong.push(invalid(&field, except, why));
        }
    }
    wrong
}
