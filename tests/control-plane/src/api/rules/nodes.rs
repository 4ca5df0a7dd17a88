//! The rules of nodes.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::addresses;
use super::checks::{list, one_of, text};
use super::fixed::duplicate_struct;
use super::placement::EFFECTS;
use super::{names, resources};
use crate::failure::Cause;

/// Forgets what kubelets no longer read.
pub(super) fn forget_settings(node: &mut Value) {
    for (part, field) in [("spec", "configSource"), ("status", "config")] {
        if let Some(part) = node.get_mut(part).and_then(Value::as_object_mut) {
            part.remove(field);
        }
    }
}

fn check_taints(node: &Value) -> Vec<Cause> {
    let taints = list(&node["spec"], "taints");
    let mut wrong = Vec::new();
    let mut seen = HashSet::new();
    for (index, taint) in taints.iter().enumerate() {
        // The server looks for them in the metadata.
        let path = format!("metadata.taints[{index}]");
        let at = |field: &str| format!("{path}.{field}");
        let (key, value, effect) = (
            text(taint, "key"),
            text(taint, "value"),
            text(taint, "effect"),
        );
        let reasons = names::qualified(key);
        let reasons = reasons.iter();
        wrong.extend(reasons.map(|why| Cause::invalid(&at("key"), &key.into(), why)));
        let why = names::label_value(value);
        wrong.extend(why.map(|why| Cause::invalid(&at("value"), &value.into(), why)));
        match effect {
            "" => wrong.push(Cause::required(&at("effect"), "")),
            effect => wrong.extend(one_of(effect, &at("effect"), &EFFECTS)),
        }
        if !seen.insert((key, effect)) {
            let mut cause = duplicate_struct(&path, "core.Taint", taint);
            cause.message += ": taints must be unique by key and effect pair";
            wrong.push(cause);
        }
    }
    wrong
}

/// What is wrong with the taints of a node, what it has, and its ranges.
pub(super) fn check(node: &Value) -> Vec<Cause> {
    let mut wrong = check_taints(node);
    for field in ["capacity", "allocatable"] {
        for (name, quantity) in node["status"][field].as_object().into_iter().flatten() {
            let path = format!("status.{field}.{name}");
            wrong.extend(resources::check_quantity(name, quantity, &path));
        }
    }
    wrong.extend(check_ranges(list(&node["spec"], "podCIDRs")));
    wrong
}

fn check_ranges(ranges: &[Value]) -> Vec<Cause> {
    const PATH: &str = "spec.podCIDRs";
    let mut wrong = Vec::new();
    let mut families = Vec::new();
    for (index, range) in ranges.iter().enumerate() {
        let text = range.as_str().unwrap_or_default();
        let why = addresses::unclear_range(text);
        wrong.extend(why.map(|why| Cause::invalid(&format!("{PATH}[{index}]"), range, why)));
        families.push(addresses::range(text).map(|(address, _)| address.is_ipv6()));
    }
    if ranges.len() < 2 {
        return wrong;
    }
    if let Some(index) = families.iter().position(Option::is_none) {
        let range = ranges[index].as_str().unwrap_or_default();
        let why = format!(
            "Internal error: invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[{index}]: <nil> \
             (invalid CIDR address: {range})"
        );
        wrong.push(Cause::new("InternalError", PATH, why));
    }
    if !matches!(families[..], [Some(one), Some(other)] if one != other) {
        let why = "may specify no more than one CIDR for each IP family";
        wrong.push(Cause::invalid(PATH, &ranges.into(), why));
    }
    wrong
}

/// What a node was once told of itself.
pub(super) fn check_update(old: &Value, new: &Value) -> Vec<Cause> {
    let (was, is) = (&old["spec"], &new["spec"]);
    let mut wrong = Vec::new();
    let ranges = list(was, "podCIDRs");
    if !ranges.is_empty() && ranges != list(is, "podCIDRs") {
        let why = r#"node updates may not change podCIDR except from "" to valid"#;
        wrong.push(Cause::forbidden("spec.podCIDRs", why));
    }
    let provider = text(was, "providerID");
    if !provider.is_empty() && provider != text(is, "providerID") {
        let why = r#"node updates may not change providerID except from "" to valid"#;
        wrong.push(Cause::forbidden("spec.providerID", why));
    }
    // A real server looks at them once more.
    wrong.extend(check_taints(new));
    if text(was, "externalID") != text(is, "externalID") {
        let why = "may not be updated";
        wrong.push(Cause::forbidden("spec.externalID", why));
    }
    wrong
}

/// The features that a node declares, in their order.
pub(super) fn check_features(status: &Value) -> Vec<Cause> {
    static NAME: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new("^[A-Z][a-zA-Z0-9]*(/[a-zA-Z][a-zA-Z0-9]*)*$").ok());
    let mut before: Option<&str> = None;
    let mut wrong = Vec::new();
    for (index, name) in list(status, "declaredFeatures").iter().enumerate() {
        let (name, path) = (
            name.as_str().unwrap_or_default(),
            format!("status.declaredFeatures[{index}]"),
        );
        match before {
            Some(before) if before == name => wrong.push(Cause::duplicate(&path, &name.into())),
            Some(before) if before > name => {
                let why = "list must be sorted alphabetically";
                wrong.push(Cause::invalid(&path, &name.into(), why));
            }
            _ => {}
        }
        before = Some(name);
        let why = match name {
            _ if name.len() > 253 => "must be no more than 253 characters",
            _ if NAME.as_ref().is_some_and(|syntax| syntax.is_match(name)) => continue,
            _ => {
                "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or \
                 MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"
            }
        };
        let why = format!("invalid feature name {name:?}: {why}");
        wrong.push(Cause::invalid(&path, &name.into(), &why));
    }
    wrong
}
