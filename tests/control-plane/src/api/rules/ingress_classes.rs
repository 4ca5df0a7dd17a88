//! The rules of IngressClasses.

use serde_json::Value;

use super::checks::text;
use super::names;
use crate::failure::Cause;

const LONGEST: usize = 250;
const CONTROLLER: &str = "spec.controller";
const IN_PATHS: &str = "/-._~%!$&'()*+,;=:";
const PATH: &str = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";

/// What is wrong with a class, new or changed.
pub(super) fn check(spec: &Value) -> Vec<Cause> {
    let controller = text(spec, "controller");
    let mut wrong = Vec::new();
    if controller.len() > LONGEST {
        wrong.push(Cause::too_long(CONTROLLER, LONGEST));
    }
    wrong.extend(check_controller(controller));
    if let Some(parameters) = spec.get("parameters").filter(|said| !said.is_null()) {
        wrong.extend(check_parameters(parameters));
    }
    wrong
}

/// A path below a domain.
fn check_controller(controller: &str) -> Vec<Cause> {
    if controller.is_empty() {
        return vec![Cause::required(CONTROLLER, "")];
    }
    let invalid = |value: &str, why: &str| Cause::invalid(CONTROLLER, &value.into(), why);
    let parts = controller
        .split_once('/')
        .filter(|(host, path)| !host.is_empty() && !path.is_empty());
    let Some((host, path)) = parts else {
        let why = "must be a domain-prefixed path (such as \"acme.io/foo\")";
        return vec![invalid(controller, why)];
    };
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || IN_PATHS.contains(c);
    let of_host = names::subdomain(host).map(|why| invalid(host, why));
    let of_path = (!path.chars().all(is_allowed)).then(|| invalid(path, PATH));
    of_host.into_iter().chain(of_path).collect()
}

fn check_parameters(parameters: &Value) -> Vec<Cause> {
    let at = |field: &str| format!("spec.parameters.{field}");
    let mut wrong = Vec::new();
    if let Some(group) = parameters["apiGroup"].as_str() {
        let why = names::subdomain(group);
        wrong.extend(why.map(|why| Cause::invalid(&at("apiGroup"), &group.into(), why)));
    }
    for field in ["kind", "name"] {
        match text(parameters, field) {
            "" => wrong.push(Cause::required(&at(field), "")),
            name => wrong.extend(names::path_segment(name, &at(field))),
        }
    }
    let namespace = parameters["namespace"].as_str();
    match (text(parameters, "scope"), namespace) {
        ("Namespace", None) => {
            let why = "`parameters.scope` is set to 'Namespace'";
            wrong.push(Cause::required(&at("namespace"), why));
        }
        ("Namespace", Some(name)) => {
            let why = names::label(name);
            wrong.extend(why.map(|why| Cause::invalid(&at("namespace"), &name.into(), why)));
        }
        ("Cluster", Some(_)) => {
            let why = "`parameters.scope` is set to 'Cluster'";
            wrong.push(Cause::forbidden(&at("namespace"), why));
        }
        ("Cluster", None) => {}
        (other, _) => {
            let known = r#""Cluster", "Namespace""#;
            wrong.push(Cause::unsupported(&at("scope"), &other.into(), known));
        }
    }
    wrong
}
