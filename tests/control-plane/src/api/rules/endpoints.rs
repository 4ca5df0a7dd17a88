//! What is behind a Service.

use std::collections::HashSet;

use serde_json::Value;

use super::addresses;
use super::checks::{list, number, one_of, text, too_many};
use super::containers::is_port;
use super::fixed::same;
use super::names;
use crate::failure::Cause;

const MOST_HINTS: usize = 8;
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

/// What is wrong with Endpoints; what they said before they may say again.
pub(super) fn check(old: Option<&Value>, endpoints: &Value) -> Vec<Cause> {
    if old.is_some_and(|old| same(&old["subsets"], &endpoints["subsets"])) {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    for (index, subset) in list(endpoints, "subsets").iter().enumerate() {
        let path = format!("subsets[{index}]");
        let kinds = ["addresses", "notReadyAddresses"];
        if kinds.iter().all(|kind| list(subset, kind).is_empty()) {
            let why = "must specify `addresses` or `notReadyAddresses`";
            wrong.push(Cause::required(&path, why));
        }
        for kind in kinds {
            for (index, address) in list(subset, kind).iter().enumerate() {
                wrong.extend(check_place(address, &format!("{path}.{kind}[{index}]")));
            }
        }
        let ports = list(subset, "ports");
        for (index, port) in ports.iter().enumerate() {
            let path = format!("{path}.ports[{index}]");
            if ports.len() > 1 && text(port, "name").is_empty() {
                wrong.push(Cause::required(&format!("{path}.name"), ""));
            }
            if !text(port, "name").is_empty() {
                wrong.extend(check_label(port, "name", &path));
            }
            wrong.extend(is_port(
                number(port, "port").unwrap_or(0),
                &format!("{path}.port"),
            ));
            wrong.extend(check_port(port, &path));
        }
    }
    wrong
}

fn check_place(address: &Value, path: &str) -> Vec<Cause> {
    let field = format!("{path}.ip");
    let is_address = addresses::parse(&address["ip"]).is_some();
    let mut wrong: Vec<Cause> = addresses::check(&address["ip"], &field)
        .into_iter()
        .collect();
    wrong.extend(check_label(address, "hostname", path));
    wrong.extend(check_node(address, path));
    if !is_address {
        // It is looked at once more, by those who take more for an address.
        wrong.push(Cause::invalid(
            &field,
            &text(address, "ip").into(),
            "must be a valid IP address",
        ));
    }
    wrong
}

fn check_label(object: &Value, field: &str, path: &str) -> Option<Cause> {
    let name = object[field].as_str()?;
    let why = names::label(name)?;
    Some(Cause::invalid(
        &format!("{path}.{field}"),
        &name.into(),
        why,
    ))
}

fn check_node(object: &Value, path: &str) -> Option<Cause> {
    let name = object["nodeName"].as_str()?;
    let why = names::subdomain(name)?;
    Some(Cause::invalid(
        &format!("{path}.nodeName"),
        &name.into(),
        why,
    ))
}

fn check_port(port: &Value, path: &str) -> Vec<Cause> {
    let protocol = format!("{path}.protocol");
    let known = one_of(text(port, "protocol"), &protocol, &PROTOCOLS);
    let mut wrong: Vec<Cause> = known.into_iter().collect();
    if let Some(name) = port["appProtocol"].as_str() {
        let (reasons, path) = (names::qualified(name), format!("{path}.appProtocol"));
        let reasons = reasons.iter();
        wrong.extend(reasons.map(|why| Cause::invalid(&path, &name.into(), why)));
    }
    wrong
}

pub(super) fn check_slice(old: Option<&Value>, slice: &Value) -> Vec<Cause> {
    let kind = text(slice, "addressType");
    let mut wrong = Vec::new();
    if kind.is_empty() {
        wrong.push(Cause::required("addressType", ""));
    } else {
        wrong.extend(one_of(kind, "addressType", &["FQDN", "IPv4", "IPv6"]));
    }
    let ports = list(slice, "ports");
    let mut names = HashSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = format!("ports[{index}]");
        if !text(port, "name").is_empty() {
            wrong.extend(check_label(port, "name", &path));
        }
        let name = text(port, "name");
        if !names.insert(name) {
            wrong.push(Cause::duplicate(&format!("{path}.name"), &name.into()));
        }
        wrong.extend(check_port(port, &path));
    }
    if old.is_some_and(|old| same(&old["endpoints"], &slice["endpoints"])) {
        return wrong;
    }
    for (index, endpoint) in list(slice, "endpoints").iter().enumerate() {
        let path = format!("endpoints[{index}]");
        let all = format!("{path}.addresses");
        let places = list(endpoint, "addresses");
        if places.is_empty() {
            wrong.push(Cause::required(&all, "must contain at least 1 address"));
        } else if places.len() > 100 {
            let why = format!("Too many: {}: must have at most 100 items", places.len());
            wrong.push(Cause::new("FieldValueTooMany", &all, why));
        }
        for (index, place) in places.iter().enumerate() {
            wrong.extend(check_address(kind, place, &all, index));
        }
        wrong.extend(check_node(endpoint, &path));
        wrong.extend(check_label(endpoint, "hostname", &path));
        wrong.extend(check_hints(&endpoint["hints"], &format!("{path}.hints")));
    }
    wrong
}

/// Where an endpoint is best used from.
fn check_hints(hints: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let checks: [(&str, names::Rule); 2] = [
        ("forZones", names::label_value),
        ("forNodes", names::subdomain),
    ];
    for (field, check) in checks {
        let (path, hints) = (format!("{path}.{field}"), list(hints, field));
        if let Some(cause) = too_many(hints, MOST_HINTS, &path) {
            wrong.push(cause);
            return wrong;
        }
        let mut seen = HashSet::new();
        for (index, hint) in hints.iter().enumerate() {
            let (name, path) = (text(hint, "name"), format!("{path}[{index}].name"));
            if !seen.insert(name) {
                wrong.push(Cause::duplicate(&path, &name.into()));
            }
            let why = check(name);
            wrong.extend(why.map(|why| Cause::invalid(&path, &name.into(), why)));
        }
    }
    wrong
}

fn check_address(kind: &str, place: &Value, all: &str, index: usize) -> Vec<Cause> {
    let path = format!("{all}[{index}]");
    if kind == "FQDN" {
        let name = place.as_str().unwrap_or_default();
        let name = name.strip_suffix('.').unwrap_or(name);
        let few = "should be a domain with at least two segments separated by dots";
        let why = names::subdomain(name).or((!name.contains('.')).then_some(few));
        return why
            .map(|why| Cause::invalid(&path, &name.into(), why))
            .into_iter()
            .collect();
    }
    if kind != "IPv4" && kind != "IPv6" {
        return Vec::new();
    }
    let other = match addresses::parse(place) {
        Some(address) if kind == "IPv4" && !address.is_ipv4() => Some("must be an IPv4 address"),
        Some(address) if kind == "IPv6" && !address.is_ipv6() => Some("must be an IPv6 address"),
        _ => None,
    };
    let uncommon = addresses::uncommon(place).map(|why| Cause::invalid(&path, place, &why));
    let other = other.map(|why| Cause::invalid(all, place, why));
    other
        .into_iter()
        .chain(uncommon.or_else(|| addresses::check(place, &path)))
        .collect()
}
