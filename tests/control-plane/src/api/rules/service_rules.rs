//! What a Service must say.

use std::collections::BTreeSet;
use std::collections::HashSet;

use serde_json::{Value, json};

use super::addresses::{self, parse};
use super::checks::{self, at, list, number, one_of, one_of_if_said, text};
use super::containers::{check_port_number_or_name, is_port};
use super::fixed::duplicate_struct;
use super::{fixed, names};
use crate::failure::Cause;

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const TRAFFIC: [&str; 2] = ["Cluster", "Local"];
const OF_BALANCERS: &str = "may only be used when `type` is 'LoadBalancer'";
const FIXED: &str = "may not change once set";
const NO_HEALTH_CHECK: &str =
    "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
const DISTRIBUTIONS: [&str; 3] = ["PreferClose", "PreferSameZone", "PreferSameNode"];

fn is_a(spec: &Value, kind: &str) -> bool {
    text(spec, "type") == kind
}

pub(super) fn is_headless(spec: &Value) -> bool {
    list(spec, "clusterIPs") == ["None"]
}

pub(super) fn is_health_checked(spec: &Value) -> bool {
    is_a(spec, "LoadBalancer") && text(spec, "externalTrafficPolicy") == "Local"
}

/// What may not change of what the Service has been given.
pub(super) fn check_update(was: &Value, is: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let external = is_a(was, "ExternalName") || is_a(is, "ExternalName");
    let without = external || (is_headless(was) && is_headless(is));
    if !without {
        wrong.extend(changed_addresses(
            list(was, "clusterIPs"),
            &is["clusterIPs"],
        ));
    }
    let class = |spec: &Value| spec["loadBalancerClass"].clone();
    let balances = |spec: &Value| is_a(spec, "LoadBalancer");
    if balances(was) && balances(is) && class(was) != class(is) {
        wrong.push(Cause::invalid("spec.loadBalancerClass", &class(is), FIXED));
    }
    wrong.extend(check_class(is));
    let health = |spec: &Value| number(spec, "healthCheckNodePort");
    if is_health_checked(was) && is_health_checked(is) && health(was) != health(is) {
        wrong.push(Cause::forbidden(
            "spec.healthCheckNodePort",
            fixed::IMMUTABLE,
        ));
    }
    wrong
}

fn changed_addresses(was: &[Value], is: &Value) -> Vec<Cause> {
    let path = |index: usize| format!("spec.clusterIPs[{index}]");
    let new = is.as_array().map(Vec::as_slice).unwrap_or_default();
    if was.len() == new.len() {
        let pairs = was.iter().zip(new).enumerate();
        let changed = pairs.filter(|(_, (was, is))| was != is);
        return changed
            .map(|(index, _)| Cause::invalid(&path(index), is, FIXED))
            .collect();
    }
    let why = match (was.first(), new.first()) {
        (Some(_), None) => "primary clusterIP can not be unset",
        (Some(was), Some(is)) if was != is => FIXED,
        _ => return Vec::new(),
    };
    vec![Cause::invalid(&path(0), is, why)]
}

pub(super) fn check(service: &Value) -> Vec<Cause> {
    let spec = &service["spec"];
    let ports = list(spec, "ports");
    let headless = is_headless(spec);
    let mut wrong = Vec::new();
    if ports.is_empty() && !headless && !is_a(spec, "ExternalName") {
        wrong.push(Cause::required("spec.ports", ""));
    }
    match text(spec, "type") {
        kind @ ("LoadBalancer" | "NodePort") if headless => {
            let why = format!("may not be set to 'None' for {kind} services");
            wrong.push(Cause::invalid("spec.clusterIPs[0]", &"None".into(), &why));
        }
        "ExternalName" => wrong.extend(check_external(spec)),
        _ => {}
    }
    wrong.extend(check_ports(ports));
    wrong.extend(checks::labels(&spec["selector"], "spec.selector"));
    wrong.extend(check_affinity(spec));
    if !is_a(spec, "ExternalName") {
        wrong.extend(check_addresses(spec));
    }
    for (index, address) in list(spec, "externalIPs").iter().enumerate() {
        wrong.extend(addresses::check(
            address,
            &format!("spec.externalIPs[{index}]"),
        ));
    }
    wrong.extend(one_of(text(spec, "type"), "spec.type", &TYPES));
    wrong.extend(check_twice(spec, ports));
    wrong.extend(check_balancer(service));
    wrong.extend(check_traffic(spec));
    wrong
}

fn check_external(spec: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for field in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        if !fixed::is_nothing(&spec[field]) {
            let why = "may not be set for ExternalName services";
            wrong.push(Cause::forbidden(&format!("spec.{field}"), why));
        }
    }
    const PATH: &str = "spec.externalName";
    let name = text(spec, "externalName");
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() {
        wrong.push(Cause::required(PATH, ""));
    } else {
        let why = names::subdomain(name);
        wrong.extend(why.map(|why| Cause::invalid(PATH, &name.into(), why)));
    }
    wrong
}

fn check_ports(ports: &[Value]) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let at = |field: &str| format!("spec.ports[{index}].{field}");
        let name = text(port, "name");
        if !name.is_empty() {
            let why = names::label(name);
            wrong.extend(why.map(|why| Cause::invalid(&at("name"), &name.into(), why)));
            if !seen.insert(name) {
                wrong.push(Cause::duplicate(&at("name"), &name.into()));
            }
        } else if ports.len() > 1 {
            wrong.push(Cause::required(&at("name"), ""));
        }
        wrong.extend(is_port(number(port, "port").unwrap_or(0), &at("port")));
        wrong.extend(one_of(text(port, "protocol"), &at("protocol"), &PROTOCOLS));
        wrong.extend(check_port_number_or_name(
            &port["targetPort"],
            &at("targetPort"),
        ));
        if let Some(protocol) = port["appProtocol"].as_str() {
            let reasons = names::qualified(protocol);
            let reasons = reasons.iter();
            wrong.extend(
                reasons.map(|why| Cause::invalid(&at("appProtocol"), &protocol.into(), why)),
            );
        }
    }
    wrong
}

fn check_affinity(spec: &Value) -> Vec<Cause> {
    const PATH: &str = "spec.sessionAffinityConfig";
    let affinity = text(spec, "sessionAffinity");
    let known = one_of(affinity, "spec.sessionAffinity", &["ClientIP", "None"]);
    let mut wrong: Vec<Cause> = known.into_iter().collect();
    let config = &spec["sessionAffinityConfig"];
    match affinity {
        "ClientIP" => {
            let seconds = at(config, "/clientIP/timeoutSeconds");
            if seconds
                .as_i64()
                .is_some_and(|seconds| !(1..=86_400).contains(&seconds))
            {
                let path = format!("{PATH}.clientIP.timeoutSeconds");
                let why = "must be greater than 0 and less than 86400";
                wrong.push(Cause::invalid(&path, seconds, why));
            }
        }
        "None" if !config.is_null() => {
            let why = "must not be set when session affinity is None";
            wrong.push(Cause::forbidden(PATH, why));
        }
        _ => {}
    }
    wrong
}

pub(super) fn check_addresses(spec: &Value) -> Vec<Cause> {
    const PATH: &str = "spec.clusterIPs";
    let (one, all) = (text(spec, "clusterIP"), &spec["clusterIPs"]);
    let list_of_all = list(spec, "clusterIPs");
    let mut wrong = Vec::new();
    match list_of_all.first() {
        None if !one.is_empty() => wrong.push(Cause::required(PATH, "")),
        Some(_) if one.is_empty() => {
            let why = "must be empty when `clusterIP` is not specified";
            wrong.push(Cause::invalid(PATH, all, why));
        }
        Some(first) if first != one => {
            wrong.push(Cause::invalid(
                PATH,
                all,
                "first value must match `clusterIP`",
            ));
        }
        _ => {}
    }
    let families = list(spec, "ipFamilies");
    let mut seen = HashSet::new();
    for (index, family) in families.iter().enumerate() {
        let path = format!("spec.ipFamilies[{index}]");
        let name = family.as_str().unwrap_or_default();
        wrong.extend(one_of(name, &path, &["IPv4", "IPv6"]));
        if !seen.insert(family) {
            wrong.push(Cause::duplicate(&path, family));
        }
    }
    let policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
    let policy = &spec["ipFamilyPolicy"];
    wrong.extend(one_of_if_said(policy, "spec.ipFamilyPolicy", &policies));
    let before = wrong.len();
    for (index, address) in list_of_all.iter().enumerate() {
        if index == 0 && address == "None" {
            if list_of_all.len() > 1 {
                let why = "'None' must be the first and only value";
                wrong.push(Cause::invalid(PATH, all, why));
            }
        } else if let Some(why) = addresses::unclear(address) {
            wrong.push(Cause::invalid(&format!("{PATH}[{index}]"), address, why));
        }
    }
    let are_sixth = list_of_all
        .iter()
        .filter_map(parse)
        .map(|address| address.is_ipv6());
    if wrong.len() == before
        && matches!(*are_sixth.collect::<Vec<_>>(), [one, other] if one == other)
    {
        let why = "may specify no more than one IP for each IP family";
        wrong.push(Cause::invalid(PATH, all, why));
    }
    if list_of_all.len() > 2 {
        wrong.push(Cause::invalid(PATH, all, "may only hold up to 2 values"));
    }
    if wrong.len() > before || is_headless(spec) {
        return wrong;
    }
    for (index, (address, family)) in list_of_all.iter().zip(families).enumerate() {
        let is_sixth = parse(address).is_some_and(|address| address.is_ipv6());
        if (family == "IPv4" && is_sixth) || (family == "IPv6" && !is_sixth) {
            let family = family.as_str().unwrap_or_default();
            let why = format!("expected an {family} value as indicated by `ipFamilies[{index}]`");
            wrong.push(Cause::invalid(&format!("{PATH}[{index}]"), address, &why));
        }
    }
    wrong
}

/// What no two ports may have in common.
fn check_twice(spec: &Value, ports: &[Value]) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let path = |index: usize| format!("spec.ports[{index}]");
    if is_a(spec, "ClusterIP") {
        let with = ports.iter().enumerate();
        let with = with.filter(|(_, port)| number(port, "nodePort").unwrap_or(0) != 0);
        let why = "may not be used when `type` is 'ClusterIP'";
        wrong.extend(
            with.map(|(index, _)| Cause::forbidden(&format!("{}.nodePort", path(index)), why)),
        );
    }
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let of_node = number(port, "nodePort").filter(|number| *number != 0);
        if of_node.is_some() && !seen.insert((text(port, "protocol"), of_node)) {
            wrong.push(Cause::duplicate(
                &format!("{}.nodePort", path(index)),
                &port["nodePort"],
            ));
        }
    }
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let (protocol, number) = (text(port, "protocol"), number(port, "port").unwrap_or(0));
        if !seen.insert((protocol, number)) {
            // Of the port no more than what is the same.
            let same = json!({"protocol": protocol, "port": number});
            wrong.push(duplicate_struct(&path(index), "core.ServicePort", &same));
        }
    }
    wrong
}

fn check_balancer(service: &Value) -> Vec<Cause> {
    const RANGES: &str = "spec.LoadBalancerSourceRanges";
    let spec = &service["spec"];
    let mut wrong = Vec::new();
    let balances = is_a(spec, "LoadBalancer");
    let ranges = list(spec, "loadBalancerSourceRanges");
    if !ranges.is_empty() && !balances {
        wrong.push(Cause::forbidden(RANGES, OF_BALANCERS));
    }
    for (index, range) in ranges.iter().enumerate() {
        let text = range.as_str().unwrap_or_default().trim();
        if let Some(why) = addresses::unclear_range(text) {
            let path = format!("{RANGES}[{index}]");
            wrong.push(Cause::invalid(&path, &text.into(), why));
        }
    }
    if ranges.is_empty() {
        wrong.extend(check_annotated(service, balances));
    }
    if !balances && !spec["allocateLoadBalancerNodePorts"].is_null() {
        wrong.push(Cause::forbidden(
            "spec.allocateLoadBalancerNodePorts",
            OF_BALANCERS,
        ));
    }
    wrong.extend(check_class(spec));
    wrong
}

/// The ranges of a load balancer where they were before they had a field.
fn check_annotated(service: &Value, balances: bool) -> Vec<Cause> {
    const NAME: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
    let path = format!("metadata.annotations[{NAME}]");
    let Some(ranges) = service["metadata"]["annotations"][NAME].as_str() else {
        return Vec::new();
    };
    let mut wrong = Vec::new();
    if !balances {
        wrong.push(Cause::forbidden(&path, OF_BALANCERS));
    }
    if !ranges.trim().is_empty() {
        let ranges = ranges.split(',').map(str::trim);
        wrong.extend(ranges.filter_map(|range| {
            let why = addresses::unclear_range(range)?;
            Some(Cause::invalid(&path, &range.into(), why))
        }));
    }
    wrong
}

/// The class of a load balancer, which is looked at once more when it may have changed.
fn check_class(spec: &Value) -> Vec<Cause> {
    const CLASS: &str = "spec.loadBalancerClass";
    match spec["loadBalancerClass"].as_str() {
        Some(class) if is_a(spec, "LoadBalancer") => {
            let reasons = names::qualified(class);
            let reasons = reasons.iter();
            reasons
                .map(|why| Cause::invalid(CLASS, &class.into(), why))
                .collect()
        }
        Some(_) => vec![Cause::forbidden(CLASS, OF_BALANCERS)],
        None => Vec::new(),
    }
}

fn check_traffic(spec: &Value) -> Vec<Cause> {
    const EXTERNAL: &str = "spec.externalTrafficPolicy";
    let mut wrong = Vec::new();
    let policy = text(spec, "externalTrafficPolicy");
    let addressed = !list(spec, "externalIPs").is_empty() && is_a(spec, "ClusterIP");
    if is_a(spec, "LoadBalancer") || is_a(spec, "NodePort") || addressed {
        wrong.extend(one_of_if_said(
            &spec["externalTrafficPolicy"],
            EXTERNAL,
            &TRAFFIC,
        ));
    } else if !policy.is_empty() {
        let why = "may only be set for externally-accessible services";
        wrong.push(Cause::invalid(EXTERNAL, &policy.into(), why));
    }
    let health = number(spec, "healthCheckNodePort").unwrap_or(0);
    if health != 0 && !is_health_checked(spec) {
        let path = "spec.healthCheckNodePort";
        wrong.push(Cause::invalid(path, &health.into(), NO_HEALTH_CHECK));
    }
    wrong.extend(one_of_if_said(
        &spec["internalTrafficPolicy"],
        "spec.internalTrafficPolicy",
        &TRAFFIC,
    ));
    wrong.extend(one_of_if_said(
        &spec["trafficDistribution"],
        "spec.trafficDistribution",
        &DISTRIBUTIONS,
    ));
    wrong
}
