//! The rules in CEL that a schema has, as far as they can be judged by who does not understand CEL.

use serde_json::Value;

use super::{Found, any, says_unsupported};
use crate::patch::go;
use crate::path::Path;
use crate::schema::Reason;

const REASONS: &str =
    r#""FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired""#;

/// The rules of a schema.
pub(super) fn of(schema: &Value) -> &[Value] {
    let rules = schema.get("x-kubernetes-validations");
    let rules = rules.and_then(Value::as_array).map(Vec::as_slice);
    rules.unwrap_or_default()
}

impl Found<'_> {
    /// The rules of a schema, without those below it.
    pub(super) fn rules(&mut self, schema: &Value, at: Path<'_>) {
        let rules = of(schema);
        let has_structure = !rules.is_empty() && !any(schema, &says_unsupported);
        for (index, rule) in rules.iter().enumerate() {
            self.rule(
                rule,
                schema,
                has_structure,
                at.name("x-kubernetes-validations").at(index),
            );
        }
    }

    fn rule(&mut self, rule: &Value, schema: &Value, has_structure: bool, at: Path<'_>) {
        let text = |field: &str| super::text(rule, field);
        let is_blank = |field: &str| text(field).trim().is_empty();
        let has_lines = |text: &str| text.contains(['\n', '\r']);
        if is_blank("rule") {
            self.require(at, ".rule", "rule is not specified");
        } else if !text("message").is_empty() && is_blank("message") {
            self.unfit(rule, at, "message", "must be non-empty if specified");
        } else if has_lines(text("message").trim()) {
            self.unfit(rule, at, "message", "must not contain line breaks");
        } else if has_lines(text("rule").trim()) && is_blank("message") {
            let why = "message must be specified if rule contains line breaks";
            self.require(at, ".message", why);
        }
        if !text("messageExpression").is_empty() && is_blank("messageExpression") {
            let why = "messageExpression must be non-empty if specified";
            self.require(at, ".messageExpression", why);
        }
        let reason = text("reason");
        if !reason.is_empty() && !REASONS.contains(&format!("{reason:?}")) {
            let message = format!("Unsupported value: {reason:?}: supported values: {REASONS}");
            self.add(Reason::NotSupported, at, ".reason", &message);
        }
        let field = text("fieldPath");
        if field.is_empty() {
            return;
        }
        if is_blank("fieldPath") {
            self.unfit(rule, at, "fieldPath", "must be non-empty if specified");
        }
        if has_lines(field) {
            self.unfit(rule, at, "fieldPath", "must not contain line breaks");
        }
        if has_structure && !is_field(field, schema) {
            self.unfit(rule, at, "fieldPath", "must be a valid path");
        }
    }

    fn unfit(&mut self, rule: &Value, at: Path<'_>, field: &str, why: &str) {
        let shown = go::quoted(super::text(rule, field));
        let message = format!("Invalid value: {shown}: {why}");
        self.add(Reason::Invalid, at, &format!(".{field}"), &message);
    }
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
