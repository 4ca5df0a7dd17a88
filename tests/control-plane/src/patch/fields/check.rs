//! What an applied object must be for server-side apply to read it.

use serde_json::Value;

use super::shape::{Shape, element_name, shape};
use crate::patch::go;
use crate::schema::{Kind, Schema};

/// What is wrong with an applied object: undeclared fields, wrong types, elements that share a name.
pub(crate) fn untyped(value: &Value, schema: &Schema) -> Option<String> {
    let mut errors = Vec::new();
    look(value, schema, "", &mut errors);
    match errors.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        many => Some(format!("errors:\n  {}", many.join("\n  "))),
    }
}

fn look(value: &Value, schema: &Schema, path: &str, errors: &mut Vec<String>) {
    let node = schema.target();
    if value.is_null() {
        return;
    }
    if node.int_or_string {
        // Whatever it is, validation has a word for it.
        return;
    }
    let plain = || format!("&{{{}}}", go::plain(value));
    let mistake = match node.kind {
        Some(Kind::Object) if !value.is_object() => Some(("map", plain())),
        Some(Kind::Array) if !value.is_array() => Some(("list", plain())),
        Some(Kind::Boolean) if !value.is_boolean() => Some(("boolean", plain())),
        Some(Kind::String) if !value.is_string() => Some((
            "string",
            format!(
                "&value.valueUnstructured{{Value:{}}}",
                go::syntax(value, "string")
            ),
        )),
        Some(Kind::Integer | Kind::Number) if !value.is_number() => {
            Some(("numeric (int or float)", go::type_name(value).to_owned()))
        }
        _ => None,
    };
    if let Some((expected, got)) = mistake {
        errors.push(format!("{path}: expected {expected}, got {got}"));
        return;
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
                    // What comes behind it is not looked at.
                    Err(error) => {
                        errors.push(format!("{path}: element {at}: {error}"));
                        break;
                    }
                }
            }
        }
        _ => match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let path = format!("{path}.{name}");
                    match schema.field(name) {
                        Some(field) => look(value, field, &path, errors),
                        None => {
                            // The first one is enough for a map.
                            errors.push(format!("{path}: field not declared in schema"));
                            break;
                        }
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
