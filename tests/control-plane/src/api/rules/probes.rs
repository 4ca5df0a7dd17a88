//! How containers are looked at, and what they do when they come and go.

use serde_json::Value;

use super::checks::{list, not_negative, number, one_of, text};
use super::containers::{check_port_number_or_name, is_port};
use crate::failure::Cause;

const HANDLERS: [&str; 5] = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];
const NO_HEADER: &str = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', \
    regex used for validation is '[-A-Za-z0-9]+')";
const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];
const GRACE: &str = "terminationGracePeriodSeconds";

/// What is wrong with a container's probes and hooks; `grace` is how long its pod takes to go.
pub(super) fn check(container: &Value, path: &str, grace: Option<i64>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for hook in ["postStart", "preStop"] {
        let handler = &container["lifecycle"][hook];
        if handler.is_object() {
            wrong.extend(check_handler(
                handler,
                &format!("{path}.lifecycle.{hook}"),
                grace,
            ));
        }
    }
    for kind in PROBES {
        let probe = &container[kind];
        if probe.is_object() {
            wrong.extend(check_probe(kind, probe, &format!("{path}.{kind}"), grace));
        }
    }
    wrong
}

/// What nobody looks at, or waits for.
pub(super) fn forbid(container: &Value, path: &str) -> Vec<Cause> {
    let why = "may not be set for init containers without restartPolicy=Always";
    let said = ["lifecycle"].into_iter().chain(PROBES);
    said.filter(|field| container[*field].is_object())
        .map(|field| Cause::forbidden(&format!("{path}.{field}"), why))
        .collect()
}

fn check_probe(kind: &str, probe: &Value, path: &str, grace: Option<i64>) -> Vec<Cause> {
    let mut wrong = check_handler(probe, path, grace);
    let numbers = [
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ];
    wrong.extend(not_negative(probe, path, &numbers));
    let own = number(probe, GRACE);
    let mut refuse = |field: &str, number: i64, why: &str| {
        wrong.push(Cause::invalid(
            &format!("{path}.{field}"),
            &number.into(),
            why,
        ));
    };
    if let Some(own) = own.filter(|own| *own <= 0) {
        refuse(GRACE, own, "must be greater than 0");
    }
    if kind == "readinessProbe" {
        if let Some(own) = own {
            refuse(GRACE, own, "must not be set for readinessProbes");
        }
    } else if let Some(needed) = number(probe, "successThreshold").filter(|needed| *needed != 1) {
        refuse("successThreshold", needed, "must be 1");
    }
    wrong
}

/// What a probe or a hook does.
fn check_handler(handler: &Value, path: &str, grace: Option<i64>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let said = HANDLERS.iter().filter(|kind| handler[**kind].is_object());
    for (index, kind) in said.enumerate() {
        let (handler, path) = (&handler[*kind], format!("{path}.{kind}"));
        if index > 0 {
            let why = "may not specify more than 1 handler type";
            wrong.push(Cause::forbidden(&path, why));
            continue;
        }
        let port = format!("{path}.port");
        match *kind {
            "exec" if list(handler, "command").is_empty() => {
                wrong.push(Cause::required(&format!("{path}.command"), ""));
            }
            "httpGet" => wrong.extend(check_http(handler, &path)),
            "tcpSocket" => wrong.extend(check_port_number_or_name(&handler["port"], &port)),
            "grpc" => wrong.extend(is_port(number(handler, "port").unwrap_or(0), &port)),
            "sleep" => {
                let seconds = number(handler, "seconds").unwrap_or(0);
                if let Some(grace) = grace.filter(|grace| seconds < 0 || seconds > *grace) {
                    let why = format!(
                        "must be non-negative and less than terminationGracePeriodSeconds ({grace})"
                    );
                    wrong.push(Cause::invalid(&path, &seconds.into(), &why));
                }
            }
            _ => {}
        }
    }
    if HANDLERS.iter().all(|kind| !handler[*kind].is_object()) {
        wrong.push(Cause::required(path, "must specify a handler type"));
    }
    wrong
}

fn check_http(get: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = check_port_number_or_name(&get["port"], &format!("{path}.port"));
    let scheme = format!("{path}.scheme");
    wrong.extend(one_of(text(get, "scheme"), &scheme, &["HTTP", "HTTPS"]));
    for header in list(get, "httpHeaders") {
        let name = text(header, "name");
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if name.is_empty() || !name.chars().all(is_name) {
            let path = format!("{path}.httpHeaders");
            wrong.push(Cause::invalid(&path, &name.into(), NO_HEADER));
        }
    }
    wrong
}
