//! The spec of a pod, or of a template of pods.

use std::collections::HashSet;

use serde_json::Value;

use super::checks::{self, list, number, one_of, one_of_if_there, text};
use super::{
    addresses, app_armor, containers, env, names, placement, pod_claims, pod_resources, resources,
    sysctls, volumes, windows,
};
use crate::failure::Cause;

const RESTARTS: [&str; 3] = ["Always", "OnFailure", "Never"];
const DNS: [&str; 4] = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const LONGEST_HOSTNAME: usize = 64;
const SUBDOMAINS: [&str; 2] = ["serviceAccountName", "nodeName"];
const MOST_SEARCHES: usize = 32;
const LONGEST_SEARCHES: usize = 2048;

/// What is wrong with a spec; there are more volumes than it says itself where some come of claims.
pub(super) fn check(spec: &Value, path: &str, claims: &[Value], is_pod: bool) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let all = volumes::all(spec, claims);
    let (known, mut wrong) = volumes::check(&all, path, is_pod);
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
    wrong.extend(windows::check_host_process(spec, path));
    wrong.extend(check_host_users(spec, path));
    wrong.extend(check_hostname(spec, &at("hostnameOverride")));
    for field in &SUBDOMAINS {
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
    wrong.extend(check_subdomain(
        text(spec, "priorityClassName"),
        &at("priorityClassName"),
    ));
    if let Some(class) = spec["runtimeClassName"].as_str() {
        let why = names::subdomain(class);
        wrong.extend(why.map(|why| Cause::invalid(&at("runtimeClassName"), &class.into(), why)));
    }
    if !spec["preemptionPolicy"].is_null() {
        let known = ["PreemptLowerPriority", "Never"];
        let path = at("preemptionPolicy");
        wrong.extend(match text(spec, "preemptionPolicy") {
            "" => Some(Cause::required(&path, "")),
            policy => one_of(policy, &path, &known),
        });
    }
    wrong.extend(resources::check_overhead(
        &spec["overhead"],
        &at("overhead"),
    ));
    wrong.extend(windows::check_system(spec, path));
    wrong.extend(env::check_volumes_of_files(spec, path));
    wrong
}

/// Users of its own are not for a pod that sees the processes of its host.
fn check_host_users(spec: &Value, path: &str) -> Vec<Cause> {
    const WHY: &str = "when `hostUsers` is false";
    let mut wrong = Vec::new();
    if spec["hostUsers"] != false {
        return wrong;
    }
    for (field, shown) in [
        ("hostNetwork", "hostNetwork"),
        ("hostPID", "HostPID"),
        ("hostIPC", "HostIPC"),
    ] {
        let is_said = spec[field] == true;
        wrong.extend(is_said.then(|| Cause::forbidden(&format!("{path}.{shown}"), WHY)));
    }
    let with_devices = windows::containers(spec, path)
        .filter(|(_, container)| !list(container, "volumeDevices").is_empty());
    wrong.extend(
        with_devices.map(|(path, _)| Cause::forbidden(&format!("{path}.volumeDevices"), WHY)),
    );
    wrong
}

/// The name that a pod has for itself, whatever else it is called.
fn check_hostname(spec: &Value, path: &str) -> Vec<Cause> {
    let Some(name) = spec["hostnameOverride"].as_str() else {
        return Vec::new();
    };
    let mut wrong = Vec::new();
    for field in ["setHostnameAsFQDN", "hostNetwork"] {
        let why = format!("may not be specified when {field} is true");
        let is_said = spec[field] == true;
        wrong.extend(is_said.then(|| Cause::forbidden(path, &why)));
    }
    if name.len() > LONGEST_HOSTNAME {
        wrong.push(Cause::too_long(path, LONGEST_HOSTNAME));
    }
    let why = names::subdomain(name);
    wrong.extend(why.map(|why| Cause::invalid(path, &name.into(), why)));
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
    let known = ["Always", "OnRootMismatch"];
    wrong.extend(one_of_if_there(
        context,
        "fsGroupChangePolicy",
        path,
        &known,
    ));
    let profile = &context["seccompProfile"];
    wrong.extend(containers::check_seccomp(
        profile,
        &format!("{path}.seccompProfile"),
    ));
    wrong.extend(windows::check_options(
        &context["windowsOptions"],
        &format!("{path}.windowsOptions"),
    ));
    wrong.extend(app_armor::check(
        &context["appArmorProfile"],
        &format!("{path}.appArmorProfile"),
    ));
    for (field, known) in [
        ("supplementalGroupsPolicy", &["Merge", "Strict"][..]),
        ("seLinuxChangePolicy", &["Recursive"]),
    ] {
        wrong.extend(one_of_if_there(context, field, path, known));
    }
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
    wrong.extend(check_searches(config, &format!("{path}.searches")));
    for (index, option) in list(config, "options").iter().enumerate() {
        if text(option, "name").is_empty() {
            let path = format!("{path}.options[{index}]");
            wrong.push(Cause::required(&path, "must not be empty"));
        }
    }
    wrong
}

/// The domains that names are looked for in.
fn check_searches(config: &Value, path: &str) -> Vec<Cause> {
    let searches = list(config, "searches");
    let names = searches
        .iter()
        .map(|search| search.as_str().unwrap_or_default());
    let mut wrong = Vec::new();
    let mut refuse = |why: &str| wrong.push(Cause::invalid(path, &config["searches"], why));
    if searches.len() > MOST_SEARCHES {
        refuse(&format!(
            "must not have more than {MOST_SEARCHES} search paths"
        ));
    }
    if names.clone().map(|name| name.len() + 1).sum::<usize>() > LONGEST_SEARCHES + 1 {
        refuse(&format!(
            "must not have more than {LONGEST_SEARCHES} characters (including spaces) in the search list"
        ));
    }
    for (index, name) in names.enumerate().filter(|(_, name)| *name != ".") {
        let name = name.strip_suffix('.').unwrap_or(name);
        let reasons = names::search(name).into_iter();
        let path = format!("{path}[{index}]");
        wrong.extend(reasons.map(|why| Cause::invalid(&path, &name.into(), why)));
    }
    wrong
}
