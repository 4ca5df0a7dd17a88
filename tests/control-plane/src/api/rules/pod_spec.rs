//! The spec of a pod, or of a template of pods.

use std::collections::HashSet;

use serde_json::Value;

use super::checks::{self, list, number, one_of, one_of_if_said, text};
use super::{
    addresses, app_armor, containers, names, placement, pod_claims, pod_resources, sysctls, volumes,
};
use crate::failure::Cause;

const RESTARTS: [&str; 3] = ["Always", "OnFailure", "Never"];
const DNS: [&str; 4] = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const SUBDOMAINS: [&str; 4] = [
    "serviceAccountName",
    "nodeName",
    "priorityClassName",
    "runtimeClassName",
];

/// What is wrong with a spec; there are more volumes than it says itself where some come of claims.
pub(super) fn check(spec: &Value, path: &str, claims: &[Value], is_pod: bool) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let all = volumes::all(spec, claims);
    let (known, mut wrong) = volumes::check(&all, path);
    wrong.extend(pod_claims::check(spec, path));
    wrong.extend(containers::check_all(spec, path, &known));
    wrong.extend(pod_resources::check(spec, path));
    wrong.extend(check_host_network(spec, path, is_pod));
    wrong.extend(one_of(
        text(spec, "restartPolicy"),
        &at("restartPolicy"),
        &RESTARTS,
    ));
    wrong.extend(one_of(text(spec, "dnsPolicy"), &at("dnsPolicy"), &DNS));
    wrong.extend(checks::labels(&spec["nodeSelector"], &at("nodeSelector")));
    wrong.extend(check_security(spec, &at("securityContext")));
    wrong.extend(placement::check_affinity(
        &spec["affinity"],
        &at("affinity"),
    ));
    wrong.extend(check_dns(spec, &at("dnsConfig")));
    for (index, gate) in list(spec, "readinessGates").iter().enumerate() {
        let path = at(&format!("readinessGates[{index}].conditionType"));
        wrong.extend(check_qualified(text(gate, "conditionType"), &path));
    }
    let gates = list(spec, "schedulingGates");
    let mut seen = HashSet::new();
    for (index, gate) in gates.iter().enumerate() {
        let (name, path) = (text(gate, "name"), at(&format!("schedulingGates[{index}]")));
        wrong.extend(check_qualified(name, &path));
        if !seen.insert(gate) {
            wrong.push(Cause::duplicate(&path, &name.into()));
        }
    }
    let constraints = list(spec, "topologySpreadConstraints");
    wrong.extend(placement::check_spread(
        constraints,
        &at("topologySpreadConstraints"),
    ));
    for field in &SUBDOMAINS[..2] {
        wrong.extend(check_subdomain(text(spec, field), &at(field)));
    }
    if let Some(seconds) = number(spec, "activeDeadlineSeconds")
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        let why = "must be between 1 and 2147483647, inclusive";
        wrong.push(Cause::invalid(
            &at("activeDeadlineSeconds"),
            &seconds.into(),
            why,
        ));
    }
    for field in ["hostname", "subdomain"] {
        let name = text(spec, field);
        let why = names::label(name).filter(|_| !name.is_empty());
        wrong.extend(why.map(|why| Cause::invalid(&at(field), &name.into(), why)));
    }
    let tolerations = list(spec, "tolerations");
    wrong.extend(placement::check_tolerations(
        tolerations,
        &at("tolerations"),
    ));
    for (index, alias) in list(spec, "hostAliases").iter().enumerate() {
        let at = |field: &str| at(&format!("hostAliases[{index}].{field}"));
        wrong.extend(check_address(&alias["ip"], &at("ip")));
        for (index, name) in list(alias, "hostnames").iter().enumerate() {
            let path = at(&format!("hostnames[{index}]"));
            let why = names::subdomain(name.as_str().unwrap_or_default());
            wrong.extend(why.map(|why| Cause::invalid(&path, name, why)));
        }
    }
    for field in &SUBDOMAINS[2..] {
        wrong.extend(check_subdomain(text(spec, field), &at(field)));
    }
    let system = text(&spec["os"], "name");
    wrong.extend(one_of_if_said(system, &at("os"), &["linux", "windows"]));
    wrong
}

fn check_subdomain(name: &str, path: &str) -> Option<Cause> {
    let why = names::subdomain(name).filter(|_| !name.is_empty())?;
    Some(Cause::invalid(path, &name.into(), why))
}

fn check_qualified(name: &str, path: &str) -> Vec<Cause> {
    let reasons = names::qualified(name);
    let reasons = reasons.iter();
    reasons
        .map(|why| Cause::invalid(path, &name.into(), why))
        .collect()
}

fn check_address(value: &Value, path: &str) -> Option<Cause> {
    addresses::unclear(value).map(|why| Cause::invalid(path, value, why))
}

/// On the network of its node a port is the same inside and outside.
fn check_host_network(spec: &Value, path: &str, is_pod: bool) -> Vec<Cause> {
    let mut wrong = Vec::new();
    if spec["hostNetwork"] != true {
        return wrong;
    }
    for (container, value) in list(spec, "containers").iter().enumerate() {
        for (index, port) in list(value, "ports").iter().enumerate() {
            let of = |field: &str| number(port, field).unwrap_or(0);
            let (outside, inside) = (of("hostPort"), of("containerPort"));
            if outside != inside && (is_pod || outside != 0) {
                let path = format!("{path}.containers[{container}].ports[{index}].hostPort");
                let why = "must match `containerPort` when `hostNetwork` is true";
                wrong.push(Cause::invalid(&path, &outside.into(), why));
            }
        }
    }
    wrong
}

fn check_security(spec: &Value, path: &str) -> Vec<Cause> {
    let context = &spec["securityContext"];
    let mut wrong = containers::check_ids(context, &["fsGroup", "runAsUser", "runAsGroup"], path);
    for (index, group) in list(context, "supplementalGroups").iter().enumerate() {
        let field = format!("supplementalGroups[{index}]");
        let group = serde_json::json!({&field: group});
        wrong.extend(containers::check_ids(&group, &[&field], path));
    }
    if spec["shareProcessNamespace"] == true && spec["hostPID"] == true {
        let path = format!("{path}.shareProcessNamespace");
        let why = "ShareProcessNamespace and HostPID cannot both be enabled";
        wrong.push(Cause::invalid(&path, &true.into(), why));
    }
    wrong.extend(sysctls::check(spec, path));
    let policy = text(context, "fsGroupChangePolicy");
    let known = ["Always", "OnRootMismatch"];
    wrong.extend(one_of_if_said(
        policy,
        &format!("{path}.fsGroupChangePolicy"),
        &known,
    ));
    let profile = &context["seccompProfile"];
    wrong.extend(containers::check_seccomp(
        profile,
        &format!("{path}.seccompProfile"),
    ));
    wrong.extend(app_armor::check(
        &context["appArmorProfile"],
        &format!("{path}.appArmorProfile"),
    ));
    wrong
}

fn check_dns(spec: &Value, path: &str) -> Vec<Cause> {
    let config = &spec["dnsConfig"];
    let servers = list(config, "nameservers");
    if text(spec, "dnsPolicy") == "None" {
        if config.is_null() {
            let why = "must provide `dnsConfig` when `dnsPolicy` is None";
            return vec![Cause::required(path, why)];
        }
        if servers.is_empty() {
            let why = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            return vec![Cause::required(&format!("{path}.nameservers"), why)];
        }
    }
    let mut wrong = Vec::new();
    if servers.len() > 3 {
        let why = "must not have more than 3 nameservers";
        wrong.push(Cause::invalid(
            &format!("{path}.nameservers"),
            &config["nameservers"],
            why,
        ));
    }
    for (index, server) in servers.iter().enumerate() {
        wrong.extend(check_address(
            server,
            &format!("{path}.nameservers[{index}]"),
        ));
    }
    for (index, option) in list(config, "options").iter().enumerate() {
        if text(option, "name").is_empty() {
            let path = format!("{path}.options[{index}]");
            wrong.push(Cause::required(&path, "must not be empty"));
        }
    }
    wrong
}
