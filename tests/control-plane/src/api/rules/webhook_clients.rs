//! Where a webhook is, and what it reads.

use std::collections::HashSet;

use serde_json::Value;

use super::checks::{number, text};
use super::names;
use crate::failure::{Cause, Causes};
use crate::url::Url;

const REVIEWS: [&str; 2] = ["v1", "v1beta1"];

pub(crate) fn check(client: &Value, path: &str) -> Vec<Cause> {
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
    let url = match Url::read(url) {
        Ok(url) => url,
        Err(why) => {
            let why = format!("url must be a valid URL: {why}{FORM}");
            return vec![Cause::required(path, &why)];
        }
    };
    let mut wrong = Vec::new();
    let mut refuse = |value: &str, why: &str| {
        wrong.push(Cause::invalid(path, &value.into(), why));
    };
    if url.scheme != "https" {
        let why = format!("'https' is the only allowed URL scheme{FORM}");
        refuse(&url.scheme, &why);
    }
    if url.host.is_empty() {
        refuse("", &format!("host must be specified{FORM}"));
    }
    if let Some(user) = url.user {
        refuse(&user, "user information is not permitted in the URL");
    }
    if !url.fragment.is_empty() {
        refuse(&url.fragment, "fragments are not permitted in the URL");
    }
    if !url.query.is_empty() {
        refuse(&url.query, "query parameters are not permitted in the URL");
    }
    wrong
}

fn check_service(service: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let mut wrong = Vec::new();
    // A real server takes the one for the other.
    for (field, named) in [("namespace", "name"), ("name", "namespace")] {
        if text(service, field).is_empty() {
            wrong.push(Cause::required(&at(named), ""));
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
    let mut wrong = Causes::default();
    let mut refuse = |why: &str| wrong.add(|| Cause::invalid(path, &way.into(), why));
    match way {
        "" | "/" => return Vec::new(),
        "//" => {
            refuse("segment[0] may not be empty");
            return wrong.made();
        }
        _ => {}
    }
    if !way.starts_with('/') {
        refuse("must start with a '/'");
    }
    // The byte that it begins with is taken for the slash, whatever it is.
    let rest = String::from_utf8_lossy(way.as_bytes().get(1..).unwrap_or_default());
    let rest = &*rest;
    for (index, step) in rest
        .strip_suffix('/')
        .unwrap_or(rest)
        .split('/')
        .enumerate()
    {
        if step.is_empty() {
            refuse(&format!("segment[{index}] may not be empty"));
        } else if let Some(why) = names::subdomain(step) {
            refuse(&format!("segment[{index}]: {why}"));
        }
    }
    wrong.made()
}

/// What is wrong with the versions of reviews that a webhook reads; `none` is told where there are none.
pub(crate) fn check_versions(versions: &Value, path: &str, none: &str) -> Vec<Cause> {
    let all = versions.as_array().map(Vec::as_slice).unwrap_or_default();
    if all.is_empty() {
        return vec![Cause::required(path, none)];
    }
    let (mut wrong, mut seen) = (Vec::new(), HashSet::new());
    for (index, version) in all.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let name = version.as_str().unwrap_or_default();
        if !seen.insert(name) {
            wrong.push(Cause::invalid(&path, version, "duplicate version"));
            continue;
        }
        let reasons = names::label_1035(name).into_iter();
        wrong.extend(reasons.map(|why| Cause::invalid(&path, version, why)));
    }
    if !all
        .iter()
        .any(|version| REVIEWS.iter().any(|known| version == known))
    {
        let why = "must include at least one of v1, v1beta1";
        wrong.push(Cause::invalid(path, versions, why));
    }
    wrong
}
