//! Validates a value against a schema, in the API server's words.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::formats;
use super::whole;
use super::{Additional, Cause, Kind, Reason, Schema};
use crate::patch::go;

impl Schema {
    /// What is wrong with an object, field by field. The root's metadata is validated elsewhere, apart from what the
    /// schema itself says about it. CEL rules are not evaluated.
    pub(crate) fn validate(&self, object: &Value) -> Vec<Cause> {
        let mut causes = self.validate_values(object);
        causes.append(&mut self.validate_wholes(object));
        self.check_lists(object, "", &mut causes);
        causes
    }

    /// What is wrong with how whole objects in an object are called.
    pub(super) fn validate_wholes(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        for found in self.wholes(object) {
            whole::check(&found, &mut causes);
        }
        causes
    }

    /// The same but for whole objects in it and for what list types demand.
    pub(super) fn validate_values(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        self.check(object, "", &mut causes);
        causes
    }

    fn check(&self, value: &Value, path: &str, causes: &mut Vec<Cause>) {
        if value.is_null() && self.nullable {
            self.check_enum(value, &mut Found { path, causes });
            return;
        }
        self.check_type(value, &mut Found { path, causes });
        self.check_logic(value, path, causes);
        let mut found = Found { path, causes };
        match value {
            Value::String(text) => self.check_string(text, &mut found),
            Value::Number(number) => self.check_number(number, &mut found),
            Value::Array(elements) => self.check_array(elements, &mut found),
            _ => {}
        }
        self.check_enum(value, &mut found);
        if let Value::Object(fields) = value {
            self.check_object(fields, path, causes);
        }
    }

    fn check_enum(&self, value: &Value, found: &mut Found<'_>) {
        if let Some(allowed) = self
            .rules
            .one_of_values
            .as_ref()
            .filter(|allowed| !allowed.contains(value))
        {
            let allowed: Vec<String> = allowed
                .iter()
                .map(|value| match value {
                    Value::String(text) => go::quoted(text),
                    other => go::quoted(&other.to_string()),
                })
                .collect();
            let message = format!(
                "Unsupported value: {value}: supported values: {}",
                allowed.join(", ")
            );
            found.add(Reason::NotSupported, &message);
        }
    }

    fn check_type(&self, value: &Value, found: &mut Found<'_>) {
        let got = type_of(value);
        match (self.kind, value) {
            _ if self.int_or_string && matches!(got, "integer" | "string") => {}
            _ if self.int_or_string => found.type_invalid("integer,string", got),
            (None, _) | (Some(Kind::Number), Value::Number(_)) => {}
            (Some(Kind::Integer), Value::Number(number)) => self.check_integer(number, found),
            (Some(Kind::Integer), Value::Bool(_)) if self.rules.format.is_some() => {
                found.type_invalid(self.rules.format.as_deref().unwrap_or_default(), "");
            }
            (Some(kind), _) if kind.name() == got => {}
            (Some(kind), _) => found.type_invalid(kind.name(), got),
        }
    }

    fn check_integer(&self, number: &serde_json::Number, found: &mut Found<'_>) {
        let format = self
            .rules
            .format
            .as_deref()
            .filter(|format| matches!(*format, "int32" | "int64"));
        match (whole(number), format) {
            (Some(whole), Some("int32")) if i32::try_from(whole).is_err() => {
                found.out_of_range("int32")
            }
            (Some(_), _) => {}
            (None, Some(format)) => {
                found.type_invalid(format, "float64");
                found.out_of_range(format);
            }
            (None, None) => {
                found.type_invalid("integer", "number");
                found.no_integer("Checked", "(default format)");
            }
        }
    }

    fn check_string(&self, text: &str, found: &mut Found<'_>) {
        let (path, length) = (
            found.path,
            u64::try_from(text.chars().count()).unwrap_or(u64::MAX),
        );
        if let Some(max) = self.rules.length.max.filter(|max| length > *max) {
            found.add(
                Reason::TooLong,
                &format!("Too long: may not be more than {max} bytes"),
            );
        } else if let Some(min) = self.rules.length.min.filter(|min| length < *min) {
            let message = format!(
                "Invalid value: {}: {path} in body should be at least {min} chars long",
                go::quoted(text)
            );
            found.add(Reason::Invalid, &message);
        } else if let Some((pattern, Some(compiled))) = &self.rules.pattern
            && !compiled.is_match(text)
        {
            let message = format!(
                "Invalid value: {}: {path} in body should match '{pattern}'",
                go::quoted(text)
            );
            found.add(Reason::Invalid, &message);
        }
        if let Some(format) = &self.rules.format
            && formats::is_of(format, text) == Some(false)
        {
            found.type_invalid(format, text);
        }
    }

    /// A limit that is no number of the format counts as one, and is told of.
    fn check_limits(&self, found: &mut Found<'_>) {
        if self.kind != Some(Kind::Integer) || self.rules.format.as_deref() != Some("int32") {
            return;
        }
        let limit = |limit: &Option<(serde_json::Number, bool)>| Some(limit.as_ref()?.0.clone());
        for (what, limit) in [
            ("MultipleOf", self.rules.multiple_of.clone()),
            ("Maximum boundary", limit(&self.rules.maximum)),
            ("Minimum boundary", limit(&self.rules.minimum)),
        ] {
            let fits = |limit| whole(limit).is_some_and(|whole| i32::try_from(whole).is_ok());
            if limit.as_ref().is_some_and(|limit| !fits(limit)) {
                found.no_integer(what, "with format int32");
            }
        }
    }

    fn check_number(&self, number: &serde_json::Number, found: &mut Found<'_>) {
        self.check_limits(found);
        let path = found.path;
        let Some(value) = number.as_f64() else { return };
        let bound = |number: &serde_json::Number| number.as_f64().unwrap_or(value);
        let mut wrong = |message: String| {
            found.add(
                Reason::Invalid,
                &format!("Invalid value: {number}: {path} in body {message}"),
            );
        };
        if let Some(of) = &self.rules.multiple_of
            && bound(of) > 0.0
            && ((value / bound(of)) - (value / bound(of)).round()).abs() > 1e-9
        {
            wrong(format!("should be a multiple of {of}"));
        }
        match &self.rules.maximum {
            Some((max, true)) if value >= bound(max) => wrong(format!("should be less than {max}")),
            Some((max, false)) if value > bound(max) => {
                wrong(format!("should be less than or equal to {max}"))
            }
            _ => {}
        }
        match &self.rules.minimum {
            Some((min, true)) if value <= bound(min) => {
                wrong(format!("should be greater than {min}"))
            }
            Some((min, false)) if value < bound(min) => {
                wrong(format!("should be greater than or equal to {min}"))
            }
            _ => {}
        }
    }

    fn check_array(&self, elements: &[Value], found: &mut Found<'_>) {
        let path = found.path;
        if let Some(items) = &self.items {
            for (at, element) in elements.iter().enumerate() {
                items.check(element, &format!("{path}[{at}]"), found.causes);
            }
        }
        let count = u64::try_from(elements.len()).unwrap_or(u64::MAX);
        if let Some(min) = self.rules.item_count.min.filter(|min| count < *min) {
            let message =
                format!("Invalid value: {count}: {path} in body should have at least {min} items");
            found.add(Reason::Invalid, &message);
        }
        if let Some(max) = self.rules.item_count.max.filter(|max| count > *max) {
            found.add(Reason::TooMany, &too_many(count, max));
        }
        let mut seen = HashSet::new();
        if self.rules.unique_items && !elements.iter().all(|element| seen.insert(element)) {
            found.add(
                Reason::Duplicate,
                &format!("{path} in body shouldn't contain duplicates"),
            );
        }
    }

    fn check_object(&self, fields: &Map<String, Value>, path: &str, causes: &mut Vec<Cause>) {
        let below = |name: &str| {
            if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}.{name}")
            }
        };
        let mut found = Found { path, causes };
        let count = u64::try_from(fields.len()).unwrap_or(u64::MAX);
        if let Some(min) = self.rules.property_count.min.filter(|min| count < *min) {
            let message = format!(
                "Invalid value: {count}: {path} in body should have at least {min} properties"
            );
            found.add(Reason::Invalid, &message);
        }
        if let Some(max) = self.rules.property_count.max.filter(|max| count > *max) {
            found.add(Reason::TooMany, &too_many(count, max));
        }
        for name in &self.rules.required {
            if !fields.contains_key(name) {
                causes.push(Cause::new(Reason::Required, &below(name), "Required value"));
            }
        }
        for (name, value) in fields {
            // A reference (metadata) is checked elsewhere, but for what this schema adds to it.
            if let Some(field) = self.properties.get(name) {
                field.check(value, &below(name), causes);
            } else if let Additional::Values(values) = &self.additional {
                values.check(value, &below(name), causes);
            }
        }
    }

    fn check_logic(&self, value: &Value, path: &str, causes: &mut Vec<Cause>) {
        let attempt = |schema: &Schema| {
            let mut causes = Vec::new();
            schema.check(value, path, &mut causes);
            causes
        };
        let of_whole = |message: &str| Cause::new(Reason::Invalid, "<nil>", message);
        let rules = &self.rules;
        let any: Vec<_> = rules.any_of.iter().map(attempt).collect();
        if !any.is_empty() && !any.iter().any(Vec::is_empty) {
            causes.push(of_whole(&format!(
                "Invalid value: \"\": {path:?} must validate at least one schema (anyOf)"
            )));
            causes.extend(any.into_iter().next().unwrap_or_default());
        }
        let mut one: Vec<_> = rules.one_of.iter().map(attempt).collect();
        let valid = one.iter().filter(|causes| causes.is_empty()).count();
        if !one.is_empty() && valid != 1 {
            let found = match valid {
                0 => "Found none valid".to_owned(),
                many => format!("Found {many} valid alternatives"),
            };
            causes.push(of_whole(&format!(
                "Invalid value: \"\": {path:?} must validate one and only one schema (oneOf). {found}"
            )));
            if valid == 0 {
                causes.append(&mut one[0]);
            }
        }
        let all: Vec<_> = rules.all_of.iter().map(attempt).collect();
        let valid = all.iter().filter(|causes| causes.is_empty()).count();
        if valid < all.len() {
            causes.extend(all.into_iter().flatten());
            let note = if valid == 0 { ". None validated" } else { "" };
            causes.push(of_whole(&format!(
                "Invalid value: \"\": {path:?} must validate all the schemas (allOf){note}"
            )));
        }
        if rules
            .not
            .as_deref()
            .is_some_and(|not| attempt(not).is_empty())
        {
            causes.push(of_whole(&format!(
                "Invalid value: \"\": {path:?} must not validate the schema (not)"
            )));
        }
    }
}

/// Where causes go, for one field.
struct Found<'a> {
    path: &'a str,
    causes: &'a mut Vec<Cause>,
}

impl Found<'_> {
    fn add(&mut self, reason: Reason, message: &str) {
        self.causes.push(Cause::new(reason, self.path, message));
    }

    fn type_invalid(&mut self, expected: &str, got: &str) {
        let path = self.path;
        let message =
            format!("Invalid value: {got:?}: {path} in body must be of type {expected}: {got:?}");
        self.add(Reason::TypeInvalid, &message);
    }

    fn out_of_range(&mut self, format: &str) {
        self.no_integer("Checked", &format!("with format {format}"));
    }

    fn no_integer(&mut self, what: &str, format: &str) {
        let path = self.path;
        let message =
            format!("Invalid value: \"\": {what} value must be of type integer {format} in {path}");
        self.causes
            .push(Cause::new(Reason::Invalid, "<nil>", &message));
    }
}

fn too_many(count: u64, max: u64) -> String {
    let items = if max == 1 { "item" } else { "items" };
    format!("Too many: {count}: must have at most {max} {items}")
}

/// A number without a fraction, however it is written.
pub(super) fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number
            .as_f64()
            .filter(|float| float.fract() == 0.0 && float.abs() < 9.2e18)?;
        format!("{float:.0}").parse().ok()
    })
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number)
            if number.is_f64() && number.as_f64().is_none_or(|n| n.fract() != 0.0) =>
        {
            "number"
        }
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
