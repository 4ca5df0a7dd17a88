//! Formats of a definition's schemas that a real server does not know.

use serde_json::Value;

use crate::schema::is_known_format;

/// The formats that nobody looks at, each of them once.
pub(crate) fn unknown_formats(definition: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let versions = definition
        .pointer("/spec/versions")
        .and_then(Value::as_array);
    for version in versions.into_iter().flatten() {
        look(&version["schema"]["openAPIV3Schema"], &mut found);
    }
    found
}

fn look(schema: &Value, found: &mut Vec<String>) {
    let format = schema["format"].as_str().unwrap_or_default();
    let is_known = is_known_format(schema["type"].as_str(), format);
    if !is_known && !format.is_empty() && !found.iter().any(|known| known == format) {
        found.push(format.to_owned());
    }
    for field in schema["properties"].as_object().into_iter().flatten() {
        look(field.1, found);
    }
    for field in ["additionalProperties", "items"] {
        if schema[field].is_object() {
            look(&schema[field], found);
        }
    }
    for field in ["allOf", "anyOf", "oneOf"] {
        for schema in schema[field].as_array().into_iter().flatten() {
            look(schema, found);
        }
    }
    if schema["not"].is_object() {
        look(&schema["not"], found);
    }
}
