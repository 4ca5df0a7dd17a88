//! What containers must say.

use std::collections::BTreeSet;

use serde_json::Value;

use super::checks::{list, number, one_of, one_of_if_there, text};
use super::fixed::invalid_struct;
use super::volumes::{self, Volumes};
use super::{app_armor, env, ephemeral, names, pod_claims, probes, resources, restarts, windows};
use crate::failure::{Cause, Causes};

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
pub(super) const PULLS: [&str; 3] = ["Always", "IfNotPresent", "Never"];
const MESSAGES: [&str; 2] = ["File", "FallbackToLogsOnError"];
const PROFILES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];
const PORT_RANGE: &str = "must be between 1 and 65535, inclusive";
const ID_RANGE: &str = "must be between 0 and 2147483647, inclusive";

/// What the pod around a container says that matters to it.
pub(super) struct Around<'a> {
    volumes: &'a Volumes<'a>,
    claims: BTreeSet<&'a str>,
    restarts: bool,
    host_users: bool,
}

/// What is wrong with the containers of a spec.
pub(super) fn check_all(spec: &Value, path: &str, volumes: &Volumes<'_>) -> Vec<Cause> {
    let grace = number(spec, "terminationGracePeriodSeconds");
    let around = Around {
        volumes,
        claims: pod_claims::all(spec),
        restarts: text(spec, "restartPolicy") != "Never",
        host_users: spec["hostUsers"] != false,
    };
    let containers = list(spec, "containers");
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    if containers.is_empty() {
        wrong.push(Cause::required(&format!("{path}.containers"), ""));
    }
    for (index, container) in containers.iter().enumerate() {
        let path = format!("{path}.containers[{index}]");
        wrong.extend(check(container, &path, &around));
        let name = text(container, "name");
        if !seen.insert(name) {
            wrong.push(Cause::duplicate(&format!("{path}.name"), &name.into()));
        }
        wrong.extend(probes::check(container, &path, grace));
        wrong.extend(restarts::check(container, &path));
    }
    wrong.extend(check_host_ports(containers, &format!("{path}.containers")));
    let first = list(spec, "initContainers");
    for (index, container) in first.iter().enumerate() {
        let all = format!("{path}.initContainers");
        let path = format!("{all}[{index}]");
        wrong.extend(check(container, &path, &around));
        wrong.extend(restarts::check_first(container, &path));
        let restart = text(container, "restartPolicy");
        let name = text(container, "name");
        if !name.is_empty() && !seen.insert(name) {
            wrong.push(Cause::duplicate(&format!("{path}.name"), &name.into()));
        }
        wrong.extend(check_host_ports(std::slice::from_ref(container), &all));
        wrong.extend(match text(container, "restartPolicy") {
            "Always" => probes::check(container, &path, grace),
            _ => probes::forbid(container, &path),
        });
        let policies = list(container, "resizePolicy").iter().enumerate();
        let unfit =
            policies.filter(|(_, policy)| text(policy, "restartPolicy") == "RestartContainer");
        wrong.extend(
            unfit
                .filter(|_| restart != "Always")
                .map(|(index, policy)| {
                    let path = format!("{path}.resizePolicy[{index}].restartPolicy");
                    let why =
                        "must not be set to 'RestartContainer' for non-sidecar initContainers";
                    Cause::invalid(&path, &policy["restartPolicy"], why)
                }),
        );
    }
    wrong.extend(ephemeral::check_all(spec, path, &around));
    wrong
}

/// What is wrong with a container of any sort.
pub(super) fn check(container: &Value, path: &str, around: &Around<'_>) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let mut wrong = Vec::new();
    match text(container, "name") {
        "" => wrong.push(Cause::required(&at("name"), "")),
        name => wrong
            .extend(names::label(name).map(|why| Cause::invalid(&at("name"), &name.into(), why))),
    }
    if text(container, "image").is_empty() {
        wrong.push(Cause::required(&at("image"), ""));
    }
    let policy = text(container, "terminationMessagePolicy");
    wrong.extend(one_of(policy, &at("terminationMessagePolicy"), &MESSAGES));
    wrong.extend(check_ports(list(container, "ports"), &at("ports")));
    wrong.extend(env::check(container, path));
    wrong.extend(volumes::check_mounts(container, path, around.volumes));
    let pull = text(container, "imagePullPolicy");
    wrong.extend(one_of(pull, &at("imagePullPolicy"), &PULLS));
    wrong.extend(resources::check(
        &container["resources"],
        &around.claims,
        &at("resources"),
    ));
    let policies = list(container, "resizePolicy");
    wrong.extend(check_resizes(
        policies,
        &at("resizePolicy"),
        around.restarts,
    ));
    wrong.extend(check_security(
        &container["securityContext"],
        &at("securityContext"),
        around.host_users,
    ));
    wrong
}

/// What is done where a resource is given more, or less.
fn check_resizes(policies: &[Value], path: &str, restarts: bool) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, policy) in policies.iter().enumerate() {
        let (name, restart) = (text(policy, "resourceName"), text(policy, "restartPolicy"));
        if !seen.insert(name) {
            wrong.push(Cause::duplicate(&format!("{path}[{index}]"), &name.into()));
        }
        for (said, known) in [
            (name, ["cpu", "memory"]),
            (restart, ["NotRequired", "RestartContainer"]),
        ] {
            wrong.extend(match said {
                "" => Some(Cause::required(path, "")),
                said => one_of(said, path, &known),
            });
        }
        if !restarts && restart != "NotRequired" {
            let why = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
            wrong.push(Cause::invalid(path, &restart.into(), why));
        }
    }
    wrong
}

/// What is wrong with the ids of users and groups.
pub(super) fn check_ids(context: &Value, fields: &[&str], path: &str) -> Vec<Cause> {
    let ids = fields.iter().filter_map(|field| {
        let id = number(context, field)?;
        let field = format!("{path}.{field}");
        (!(0..=i64::from(i32::MAX)).contains(&id))
            .then(|| Cause::invalid(&field, &id.into(), ID_RANGE))
    });
    ids.collect()
}

fn check_security(context: &Value, path: &str, host_users: bool) -> Vec<Cause> {
    if context.is_null() {
        return Vec::new();
    }
    let mut wrong = check_ids(context, &["runAsUser", "runAsGroup"], path);
    wrong.extend(one_of_if_there(
        context,
        "procMount",
        path,
        &["Default", "Unmasked"],
    ));
    if host_users && context["procMount"] == "Unmasked" {
        let why = "`hostUsers` must be false to use `Unmasked`";
        wrong.push(Cause::invalid(
            &format!("{path}.procMount"),
            &context["procMount"],
            why,
        ));
    }
    wrong.extend(check_seccomp(
        &context["seccompProfile"],
        &format!("{path}.seccompProfile"),
    ));
    if context["allowPrivilegeEscalation"] == false {
        if context["privileged"] == true {
            let why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            wrong.push(invalid_struct(path, "core.SecurityContext", context, why));
        }
        let added = list(&context["capabilities"], "add").iter();
        let mut told = Causes::default();
        for _ in added.filter(|capability| **capability == "CAP_SYS_ADMIN") {
            let why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            told.add(|| invalid_struct(path, "core.SecurityContext", context, why));
        }
        wrong.extend(told.made());
    }
    wrong.extend(windows::check_options(
        &context["windowsOptions"],
        &format!("{path}.windowsOptions"),
    ));
    wrong.extend(app_armor::check(
        &context["appArmorProfile"],
        &format!("{path}.appArmorProfile"),
    ));
    wrong
}

pub(super) fn check_seccomp(profile: &Value, path: &str) -> Vec<Cause> {
    if profile.is_null() {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    let kind = text(profile, "type");
    if kind.is_empty() {
        let why = "type is required when seccompProfile is set";
        wrong.push(Cause::required(&format!("{path}.type"), why));
    } else {
        wrong.extend(one_of(kind, &format!("{path}.type"), &PROFILES));
    }
    let field = format!("{path}.localhostProfile");
    match (kind, profile["localhostProfile"].as_str()) {
        ("Localhost", None) => {
            let why = "must be set when seccomp type is Localhost";
            wrong.push(Cause::required(&field, why));
        }
        ("Localhost", Some(way)) => wrong.extend(volumes::check_inside(way, &field)),
        (_, Some(_)) => {
            let why = "can only be set when seccomp type is Localhost";
            wrong.push(invalid_struct(&field, "core.SeccompProfile", profile, why));
        }
        (_, None) => {}
    }
    wrong
}

/// A port of the node is one container's.
fn check_host_ports(containers: &[Value], path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (container, value) in containers.iter().enumerate() {
        for (index, port) in list(value, "ports").iter().enumerate() {
            let number = number(port, "hostPort").unwrap_or(0);
            let place = format!(
                "{}/{}/{number}",
                text(port, "protocol"),
                text(port, "hostIP")
            );
            if number != 0 && !seen.insert(place.clone()) {
                let path = format!("{path}[{container}].ports[{index}].hostPort");
                wrong.push(Cause::duplicate(&path, &place.into()));
            }
        }
    }
    wrong
}

fn check_ports(ports: &[Value], path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let at = |field: &str| format!("{path}[{index}].{field}");
        let name = text(port, "name");
        let reasons = why_no_port_name(name);
        if !name.is_empty() && reasons.is_empty() && !seen.insert(name) {
            wrong.push(Cause::duplicate(&at("name"), &name.into()));
        }
        if !name.is_empty() {
            let reasons = reasons.into_iter();
            wrong.extend(reasons.map(|why| Cause::invalid(&at("name"), &name.into(), why)));
        }
        let number = |field: &str| port[field].as_i64().unwrap_or(0);
        let is_port = |number: i64| (1..=65_535).contains(&number);
        match number("containerPort") {
            0 => wrong.push(Cause::required(&at("containerPort"), "")),
            number if !is_port(number) => {
                wrong.push(Cause::invalid(
                    &at("containerPort"),
                    &number.into(),
                    PORT_RANGE,
                ));
            }
            _ => {}
        }
        let on_host = number("hostPort");
        if on_host != 0 && !is_port(on_host) {
            wrong.push(Cause::invalid(&at("hostPort"), &on_host.into(), PORT_RANGE));
        }
        let protocol = text(port, "protocol");
        if !PROTOCOLS.contains(&protocol) {
            let supported = PROTOCOLS.map(|known| format!("{known:?}")).join(", ");
            wrong.push(Cause::unsupported(
                &at("protocol"),
                &protocol.into(),
                &supported,
            ));
        }
    }
    wrong
}

pub(super) fn is_port(number: i64, path: &str) -> Option<Cause> {
    let is_port = (1..=65_535).contains(&number);
    (!is_port).then(|| Cause::invalid(path, &number.into(), PORT_RANGE))
}

pub(super) fn check_port_number_or_name(port: &Value, path: &str) -> Vec<Cause> {
    match port.as_str() {
        Some(name) => {
            let reasons = why_no_port_name(name).into_iter();
            reasons.map(|why| Cause::invalid(path, port, why)).collect()
        }
        None => {
            let number = port.as_i64().unwrap_or(0);
            is_port(number, path).into_iter().collect()
        }
    }
}

fn why_no_port_name(name: &str) -> Vec<&'static str> {
    let is_known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let rules = [
        (name.len() <= 15, "must be no more than 15 characters"),
        (
            !name.is_empty() && name.chars().all(is_known),
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (
            name.contains(|c: char| c.is_ascii_lowercase()),
            "must contain at least one letter (a-z)",
        ),
        (!name.contains("--"), "must not contain consecutive hyphens"),
        (
            !name.starts_with('-') && !name.ends_with('-'),
            "must not begin or end with a hyphen",
        ),
    ];
    let broken = rules.into_iter().filter(|(holds, _)| !holds);
    broken.map(|(_, why)| why).collect()
}
