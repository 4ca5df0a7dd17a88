//! What containers must say.

use std::collections::BTreeSet;

use serde_json::Value;

use super::checks::{list, number, one_of, one_of_if_said, text};
use super::fixed::invalid_struct;
use super::volumes::{self, Volumes};
use super::{app_armor, env, names, pod_claims, probes, resources};
use crate::failure::Cause;

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const PULLS: [&str; 3] = ["Always", "IfNotPresent", "Never"];
const MESSAGES: [&str; 2] = ["File", "FallbackToLogsOnError"];
const PROFILES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];
const PORT_RANGE: &str = "must be between 1 and 65535, inclusive";
const ID_RANGE: &str = "must be between 0 and 2147483647, inclusive";

/// What is wrong with the containers of a spec.
pub(super) fn check_all(spec: &Value, path: &str, volumes: &Volumes<'_>) -> Vec<Cause> {
    let grace = number(spec, "terminationGracePeriodSeconds");
    let never = text(spec, "restartPolicy") == "Never";
    let containers = list(spec, "containers");
    let claims = pod_claims::all(spec);
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    if containers.is_empty() {
        wrong.push(Cause::required(&format!("{path}.containers"), ""));
    }
    for (index, container) in containers.iter().enumerate() {
        let path = format!("{path}.containers[{index}]");
        wrong.extend(check(container, &path, volumes, &claims, never));
        let name = text(container, "name");
        if !seen.insert(name) {
            wrong.push(Cause::duplicate(&format!("{path}.name"), &name.into()));
        }
        wrong.extend(probes::check(container, &path, grace));
    }
    wrong.extend(check_host_ports(containers, &format!("{path}.containers")));
    let first = list(spec, "initContainers");
    for (index, container) in first.iter().enumerate() {
        let all = format!("{path}.initContainers");
        let path = format!("{all}[{index}]");
        wrong.extend(check(container, &path, volumes, &claims, never));
        let restart = text(container, "restartPolicy");
        let policies = ["Always", "Never", "OnFailure"];
        wrong.extend(one_of_if_said(
            restart,
            &format!("{path}.restartPolicy"),
            &policies,
        ));
        let name = text(container, "name");
        if !name.is_empty() && !seen.insert(name) {
            wrong.push(Cause::duplicate(&format!("{path}.name"), &name.into()));
        }
        wrong.extend(check_host_ports(std::slice::from_ref(container), &all));
        wrong.extend(match restart {
            "Always" => probes::check(container, &path, grace),
            _ => probes::forbid(container, &path),
        });
    }
    wrong
}

fn check(
    container: &Value,
    path: &str,
    volumes: &Volumes<'_>,
    claims: &BTreeSet<&str>,
    never: bool,
) -> Vec<Cause> {
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
    wrong.extend(volumes::check_mounts(container, path, volumes));
    let pull = text(container, "imagePullPolicy");
    wrong.extend(one_of(pull, &at("imagePullPolicy"), &PULLS));
    let (resources, of) = (&container["resources"], at("resources"));
    wrong.extend(resources::check(resources, &of));
    wrong.extend(pod_claims::check_used(resources, claims, &of));
    for resize in list(container, "resizePolicy") {
        let field = at("resizePolicy");
        wrong.extend(one_of(
            text(resize, "resourceName"),
            &field,
            &["cpu", "memory"],
        ));
        let restart = text(resize, "restartPolicy");
        let known = ["NotRequired", "RestartContainer"];
        wrong.extend(one_of(restart, &field, &known));
        if never && restart != "NotRequired" {
            let why = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
            wrong.push(Cause::invalid(&field, &restart.into(), why));
        }
    }
    wrong.extend(check_security(
        &container["securityContext"],
        &at("securityContext"),
    ));
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

fn check_security(context: &Value, path: &str) -> Vec<Cause> {
    if context.is_null() {
        return Vec::new();
    }
    let mut wrong = check_ids(context, &["runAsUser", "runAsGroup"], path);
    let mount = text(context, "procMount");
    wrong.extend(one_of_if_said(
        mount,
        &format!("{path}.procMount"),
        &["Default", "Unmasked"],
    ));
    wrong.extend(check_seccomp(
        &context["seccompProfile"],
        &format!("{path}.seccompProfile"),
    ));
    if context["allowPrivilegeEscalation"] == false {
        if context["privileged"] == true {
            let why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            wrong.push(invalid_struct(path, "core.SecurityContext", context, why));
        }
        let added = list(&context["capabilities"], "add");
        for _ in added
            .iter()
            .filter(|capability| **capability == "CAP_SYS_ADMIN")
        {
            let why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            wrong.push(invalid_struct(path, "core.SecurityContext", context, why));
        }
    }
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
            name.chars().all(is_known),
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
