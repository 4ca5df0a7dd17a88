//! What an applied object must be for server-side apply to read it.

use serde_json::Value;

use super::shape::{Shape, element_name, shape};
use crate::schema::{Kind, Schema};

/// What is wrong with an applied object: undeclared fields, wrong types, elements that share a name.
pub(crate) fn undeclared(value: &Value, schema: &Schema) -> Vec<String> {
    let mut errors = Vec::new();
    look(value, schema, "", &mut errors);
    errors
}

fn look(value: &Value, schema: &Schema, path: &str, errors: &mut Vec<String>) {
    let node = schema.target();
    let got = match value {
        Value::Null => return,
        Value::Bool(_) => "boolean",
        Value::Number(_) => "numeric",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    };
    if !node.int_or_string && !schema.preserve_unknown {
        let expected = match node.kind {
            Some(Kind::Object) if !value.is_object() => Some("map"),
            Some(Kind::Array) if !value.is_array() => Some("list"),
            Some(Kind::String) if !value.is_string() => Some("string"),
            Some(Kind::Boolean) if !value.is_boolean() => Some("boolean"),
            Some(Kind::Integer | Kind::Number) if !value.is_number() => {
                Some("numeric (int or float)")
            }
            _ => None,
        };
        if let Some(expected) = expected {
            errors.push(format!(
                "{path}: expected {expected}, got {}",
                describe(value, got)
            ));
            return;
        }
    }
    match shape(value, schema) {
        Shape::Elements(elements) => {
            let mut seen = std::collections::BTreeSet::new();
            for (at, element) in elements.iter().enumerate() {
                match element_name(element, schema) {
                    Ok(name) => {
                        let shown = super::set::display(&name);
                        if !seen.insert(name) {
                            errors.push(format!("{path}: duplicate entries for key {shown}"));
                        }
                        look(element, schema.element(), &format!("{path}{shown}"), errors);
                    }
                    Err(error) => errors.push(format!("{path}: element {at}: {error}")),
                }
            }
        }
        _ => match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let path = format!("{path}.{name}");
                    match schema.field(name) {
                        Some(field) => look(value, field, &path, errors),
                        None => errors.push(format!("{path}: field not declared in schema")),
                    }
                }
            }
            Value::Array(elements) => {
                for (at, element) in elements.iter().enumerate() {
                    look(element, schema.element(), &format!("{path}[{at}]"), errors);
                }
            }
            _ => {}
        },
    }
}

fn describe(value: &Value, kind: &str) -> String {
    match value {
        Value::Object(_) | Value::Array(_) => kind.to_owned(),
        scalar => format!("{kind} {scalar}"),
    }
}
