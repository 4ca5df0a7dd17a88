//! The rules of APIServices.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::checks::{number, text};
use super::names;
use crate::failure::Cause;

pub(super) fn check(spec: &Value) -> Vec<Cause> {
    let mut wrong = check_group_and_version(text(spec, "group"), text(spec, "version"));
    for (field, most) in [("groupPriorityMinimum", 20000), ("versionPriority", 1000)] {
        let number = number(spec, field).unwrap_or(0);
        if !(1..=most).contains(&number) {
            let (path, why) = (
                format!("spec.{field}"),
                format!("must be positive and less than {most}"),
            );
            wrong.push(Cause::invalid(&path, &number.into(), &why));
        }
    }
    let bundle = text(spec, "caBundle");
    let is_insecure = spec.get("insecureSkipTLSVerify") == Some(&Value::Bool(true));
    let insecure = |why: &str| Cause::invalid("spec.insecureSkipTLSVerify", &true.into(), why);
    let Some(service) = spec.get("service") else {
        if !bundle.is_empty() {
            let bytes = STANDARD.decode(bundle).map_or(0, |bytes| bytes.len());
            let shown = format!("{bytes} bytes").into();
            let why = "local APIServices may not have a caBundle";
            wrong.push(Cause::invalid("spec.caBundle", &shown, why));
        }
        if is_insecure {
            let why = "local APIServices may not have insecureSkipTLSVerify";
            wrong.push(insecure(why));
        }
        return wrong;
    };
    wrong.extend(check_service(service));
    if is_insecure && !bundle.is_empty() {
        wrong.push(insecure("may not be true if caBundle is present"));
    }
    wrong
}

fn check_group_and_version(group: &str, version: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    if group.is_empty() && version != "v1" {
        let why = "only v1 may have an empty group and it better be legacy kube";
        wrong.push(Cause::required("spec.group", why));
    }
    if !group.is_empty() {
        let why = names::subdomain(group);
        wrong.extend(why.map(|why| Cause::invalid("spec.group", &group.into(), why)));
    }
    let reasons = names::label_1035(version).into_iter();
    wrong.extend(reasons.map(|why| Cause::invalid("spec.version", &version.into(), why)));
    wrong
}

fn check_service(service: &Value) -> Vec<Cause> {
    let missing = ["namespace", "name"]
        .into_iter()
        .filter(|field| text(service, field).is_empty());
    let mut wrong: Vec<Cause> = missing
        .map(|field| Cause::required(&format!("spec.service.{field}"), ""))
        .collect();
    let port = number(service, "port").unwrap_or(0);
    if !(1..=65535).contains(&port) {
        let why = "port is not valid: must be between 1 and 65535, inclusive";
        wrong.push(Cause::invalid("spec.service.port", &port.into(), why));
    }
    wrong
}
