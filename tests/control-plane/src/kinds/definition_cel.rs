//! The rules in CEL that a schema has, as far as they can be judged by who does not understand CEL.

use serde_json::Value;

use crate::failure::Cause;

const REASONS: &str =
    r#""FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired""#;

/// What is wrong with the rules of a schema and all below it.
pub(super) fn check(schema: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let rules = schema["x-kubernetes-validations"].as_array();
    for (index, rule) in rules.into_iter().flatten().enumerate() {
        let path = format!("{path}.x-kubernetes-validations[{index}]");
        wrong.extend(check_rule(rule, schema, &path));
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        wrong.extend(check(field, &format!("{path}.properties[{name}]")));
    }
    for below in ["items", "additionalProperties"] {
        if schema[below].is_object() {
            wrong.extend(check(&schema[below], &format!("{path}.{below}")));
        }
    }
    wrong
}

fn check_rule(rule: &Value, schema: &Value, path: &str) -> Vec<Cause> {
    let text = |field: &str| rule[field].as_str().unwrap_or_default();
    let is_blank = |field: &str| text(field).trim().is_empty();
    let has_lines = |text: &str| text.contains(['\n', '\r']);
    let at = |field: &str| format!("{path}.{field}");
    let invalid = |field: &str, why: &str| Cause::invalid(&at(field), &text(field).into(), why);
    let mut wrong = Vec::new();
    if is_blank("rule") {
        wrong.push(Cause::required(&at("rule"), "rule is not specified"));
    } else if !text("message").is_empty() && is_blank("message") {
        wrong.push(invalid("message", "must be non-empty if specified"));
    } else if has_lines(text("message").trim()) {
        wrong.push(invalid("message", "must not contain line breaks"));
    } else if has_lines(text("rule").trim()) && is_blank("message") {
        let why = "message must be specified if rule contains line breaks";
        wrong.push(Cause::required(&at("message"), why));
    }
    if !text("messageExpression").is_empty() && is_blank("messageExpression") {
        let why = "messageExpression must be non-empty if specified";
        wrong.push(Cause::required(&at("messageExpression"), why));
    }
    let reason = text("reason");
    if !reason.is_empty() && !REASONS.contains(&format!("{reason:?}")) {
        wrong.push(Cause::unsupported(&at("reason"), &reason.into(), REASONS));
    }
    let field = text("fieldPath");
    if !field.is_empty() {
        if is_blank("fieldPath") {
            wrong.push(invalid("fieldPath", "must be non-empty if specified"));
        }
        if has_lines(field) {
            wrong.push(invalid("fieldPath", "must not contain line breaks"));
        }
        if !is_field(field, schema) {
            wrong.push(invalid("fieldPath", "must be a valid path"));
        }
    }
    wrong
}

/// Whether there is a field at a path such as `.a.b`; keys in brackets are believed.
fn is_field(path: &str, schema: &Value) -> bool {
    if path.starts_with('[') {
        return true;
    }
    let Some(rest) = path.strip_prefix('.') else {
        return false;
    };
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let field = match &schema["properties"][name] {
        Value::Null => &schema["additionalProperties"],
        field => field,
    };
    !name.is_empty() && field.is_object() && (rest.is_empty() || is_field(rest, field))
}
