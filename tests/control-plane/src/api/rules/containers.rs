//! What containers and volumes must say, beside their names.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::failure::Cause;

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
/// What a volume is made of has to be named: the source, and the field.
const SOURCES: [(&str, &str); 4] = [
    ("hostPath", "path"),
    ("persistentVolumeClaim", "claimName"),
    ("secret", "secretName"),
    ("configMap", "name"),
];
const PORT_RANGE: &str = "must be between 1 and 65535, inclusive";

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

fn list<'a>(object: &'a Value, field: &str) -> &'a [Value] {
    object[field]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

pub(super) fn check_volumes(spec: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, volume) in list(spec, "volumes").iter().enumerate() {
        let at = |field: &str| format!("{path}.volumes[{index}].{field}");
        let (name, before) = (text(volume, "name"), wrong.len());
        for (source, field) in SOURCES {
            if volume[source].is_object() && text(&volume[source], field).is_empty() {
                wrong.push(Cause::required(&at(&format!("{source}.{field}")), ""));
            }
        }
        if name.is_empty() {
            wrong.push(Cause::required(&at("name"), ""));
        } else if seen.contains(name) {
            wrong.push(Cause::duplicate(&at("name"), &name.into()));
        } else if wrong.len() == before {
            seen.insert(name);
        }
    }
    wrong
}

/// What is wrong with a container, whose mounts are of the volumes of these names.
pub(super) fn check(container: &Value, path: &str, volumes: &[&str]) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let mut wrong = check_ports(list(container, "ports"), &at("ports"));
    for (index, variable) in list(container, "env").iter().enumerate() {
        if text(variable, "name").is_empty() {
            wrong.push(Cause::required(&at(&format!("env[{index}].name")), ""));
        }
    }
    for source in list(container, "envFrom") {
        if !source["configMapRef"].is_object() && !source["secretRef"].is_object() {
            let why = "must specify one of: `configMapRef` or `secretRef`";
            wrong.push(Cause::invalid(&at("envFrom"), &"".into(), why));
        }
    }
    for (index, mount) in list(container, "volumeMounts").iter().enumerate() {
        let at = |field: &str| at(&format!("volumeMounts[{index}].{field}"));
        let name = text(mount, "name");
        if name.is_empty() {
            wrong.push(Cause::required(&at("name"), ""));
        }
        if !volumes.contains(&name) {
            let why = format!("Not found: {}", Value::from(name));
            wrong.push(Cause::new("FieldValueNotFound", at("name"), why));
        }
        if text(mount, "mountPath").is_empty() {
            wrong.push(Cause::required(&at("mountPath"), ""));
        }
    }
    for field in [
        "lifecycle/postStart",
        "lifecycle/preStop",
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
    ] {
        let handler = container.pointer(&format!("/{field}"));
        if let Some(handler) = handler.filter(|handler| handler.is_object()) {
            wrong.extend(check_handler(handler, &at(&field.replace('/', "."))));
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

/// What a probe or a hook does.
fn check_handler(handler: &Value, path: &str) -> Vec<Cause> {
    const HANDLERS: [&str; 5] = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];
    if !HANDLERS.iter().any(|known| handler[*known].is_object()) {
        return vec![Cause::required(path, "must specify a handler type")];
    }
    let mut wrong = Vec::new();
    if handler["exec"].is_object() && list(&handler["exec"], "command").is_empty() {
        wrong.push(Cause::required(&format!("{path}.exec.command"), ""));
    }
    for asked in ["httpGet", "tcpSocket"] {
        if !handler[asked].is_object() {
            continue;
        }
        let field = format!("{path}.{asked}.port");
        wrong.extend(check_port_number_or_name(&handler[asked]["port"], &field));
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
