//! The selectors of a review: what somebody may do with those objects alone that they select.

use serde_json::Value;

use crate::api::rules::{check_requirement, check_values};
use crate::api::selector;
use crate::failure::Cause;

/// What is wrong with them; an operator that is unknown is let through, as it may be known to who asks.
pub(super) fn check(attributes: &Value) -> Vec<Cause> {
    let fields = one(attributes, "fieldSelector", check_field);
    fields
        .into_iter()
        .chain(one(attributes, "labelSelector", check_label))
        .collect()
}

fn one(attributes: &Value, name: &str, check: fn(&Value, &str) -> Vec<Cause>) -> Vec<Cause> {
    let selector = &attributes[name];
    if selector.is_null() {
        return Vec::new();
    }
    let path = format!("spec.resourceAttributes.{name}");
    let (raw, requirements) = (raw(selector), requirements(selector));
    let mut wrong = Vec::new();
    if !raw.is_empty() && !requirements.is_empty() {
        let must = "may not specified at the same time as requirements";
        wrong.push(Cause::invalid(
            &format!("{path}.rawSelector"),
            &raw.into(),
            must,
        ));
    }
    if raw.is_empty() && requirements.is_empty() {
        let why = format!("when {path} is specified, requirements or rawSelector is required");
        wrong.push(Cause::required(&format!("{path}.requirements"), &why));
    }
    for (index, requirement) in requirements.iter().enumerate() {
        wrong.extend(check(requirement, &format!("{path}.requirements[{index}]")));
    }
    wrong
}

fn check_field(requirement: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    if text(requirement, "key").is_empty() {
        wrong.push(Cause::required(&format!("{path}.key"), "must be specified"));
    }
    let operator = text(requirement, "operator");
    let (values, at) = (number_of_values(requirement), format!("{path}.values"));
    wrong.extend(check_values(operator, values, &at));
    wrong
}

fn check_label(requirement: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = check_requirement(requirement, path);
    wrong.retain(|cause| cause.field != format!("{path}.operator"));
    wrong
}

/// What of them is not understood, and for all that does not keep anybody from asking.
pub(super) fn ignored(attributes: &Value) -> String {
    let fields = told(
        &attributes["fieldSelector"],
        selector::are_fields,
        is_known_field,
    );
    let labels = told(
        &attributes["labelSelector"],
        selector::are_labels,
        is_known_label,
    );
    let told = [("fieldSelector", fields), ("labelSelector", labels)];
    let told = told.into_iter().filter_map(|(name, ignored)| {
        let how = ignored?;
        Some(format!(
            "spec.resourceAttributes.{name} {how} due to parse error"
        ))
    });
    told.collect::<Vec<_>>().join("; ")
}

fn told(
    selector: &Value,
    is_readable: fn(&str) -> bool,
    is_known: fn(&Value) -> bool,
) -> Option<&'static str> {
    let requirements = requirements(selector);
    let known = requirements.iter().filter(|one| is_known(one)).count();
    match known {
        0 if requirements.is_empty() => (!is_readable(raw(selector))).then_some("ignored"),
        0 => Some("ignored"),
        known if known < requirements.len() => Some("partially ignored"),
        _ => None,
    }
}

/// Fields are compared with one value, and with nothing else.
fn is_known_field(requirement: &Value) -> bool {
    let is_comparison = ["In", "NotIn"].contains(&text(requirement, "operator"));
    is_comparison && number_of_values(requirement) == 1
}

fn is_known_label(requirement: &Value) -> bool {
    let known = ["In", "NotIn", "Exists", "DoesNotExist"];
    known.contains(&text(requirement, "operator"))
}

fn raw(selector: &Value) -> &str {
    text(selector, "rawSelector")
}

fn requirements(selector: &Value) -> &[Value] {
    selector["requirements"]
        .as_array()
        .map_or(&[], Vec::as_slice)
}

fn number_of_values(requirement: &Value) -> usize {
    requirement["values"].as_array().map_or(0, Vec::len)
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}
