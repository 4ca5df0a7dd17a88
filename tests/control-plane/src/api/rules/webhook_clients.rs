//! Where a webhook is.

use serde_json::Value;

use super::checks::{number, text};
use super::names;
use crate::failure::Cause;

pub(super) fn check(client: &Value, path: &str) -> Vec<Cause> {
    match (&client["url"], &client["service"]) {
        (Value::String(url), Value::Null) => check_url(url, &format!("{path}.url")),
        (Value::Null, service @ Value::Object(_)) => {
            check_service(service, &format!("{path}.service"))
        }
        _ => {
            let why = "exactly one of url or service is required";
            vec![Cause::required(path, why)]
        }
    }
}

fn check_url(url: &str, path: &str) -> Vec<Cause> {
    const FORM: &str = "; desired format: https://host[/path]";
    let (url, fragment) = url.split_once('#').unwrap_or((url, ""));
    let (url, query) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = url.split_once("://").unwrap_or(("", ""));
    let host = rest.split('/').next().unwrap_or_default();
    let (user, host) = host.rsplit_once('@').unwrap_or(("", host));
    let mut wrong = Vec::new();
    let mut refuse = |value: &str, why: &str| {
        wrong.push(Cause::invalid(path, &value.into(), why));
    };
    if scheme != "https" {
        let why = format!("'https' is the only allowed URL scheme{FORM}");
        refuse(scheme, &why);
    }
    if host.is_empty() {
        refuse(host, &format!("host must be specified{FORM}"));
    }
    for (value, why) in [
        (user, "user information is not permitted in the URL"),
        (fragment, "fragments are not permitted in the URL"),
        (query, "query parameters are not permitted in the URL"),
    ] {
        if !value.is_empty() {
            refuse(value, why);
        }
    }
    wrong
}

fn check_service(service: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let mut wrong = Vec::new();
    for field in ["name", "namespace"] {
        if text(service, field).is_empty() {
            wrong.push(Cause::required(&at(field), ""));
        }
    }
    if let Some(port) = number(service, "port").filter(|port| !(1..=65535).contains(port)) {
        let why = "port is not valid: must be between 1 and 65535, inclusive";
        wrong.push(Cause::invalid(&at("port"), &port.into(), why));
    }
    wrong.extend(check_path(text(service, "path"), &at("path")));
    wrong
}

fn check_path(way: &str, path: &str) -> Vec<Cause> {
    let refuse = |why: &str| Cause::invalid(path, &way.into(), why);
    let mut wrong = Vec::new();
    match way {
        "" | "/" => return wrong,
        "//" => return vec![refuse("segment[0] may not be empty")],
        _ => {}
    }
    if !way.starts_with('/') {
        wrong.push(refuse("must start with a '/'"));
    }
    // Whatever it begins with is taken for the slash.
    let mut rest = way.chars();
    rest.next();
    let rest = rest.as_str();
    for (index, step) in rest
        .strip_suffix('/')
        .unwrap_or(rest)
        .split('/')
        .enumerate()
    {
        if step.is_empty() {
            wrong.push(refuse(&format!("segment[{index}] may not be empty")));
        } else if let Some(why) = names::subdomain(step) {
            wrong.push(refuse(&format!("segment[{index}]: {why}")));
        }
    }
    wrong
}
