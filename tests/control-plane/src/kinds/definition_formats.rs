//! Formats of a definition's schemas that a real server does not know.

use std::collections::HashSet;

use serde_json::Value;

use crate::schema::is_known_format;

/// The formats that nobody looks at, each of them once.
pub(crate) fn unknown_formats(definition: &Value) -> Vec<String> {
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    let versions = definition
        .pointer("/spec/versions")
        .and_then(Value::as_array);
    for version in versions.into_iter().flatten() {
        look(&version["schema"]["openAPIV3Schema"], &mut |format| {
            if seen.insert(format) {
                found.push(format.to_owned());
            }
        });
    }
    found
}

fn look<'s>(schema: &'s Value, tell: &mut dyn FnMut(&'s str)) {
    let format = schema["format"].as_str().unwrap_or_default();
    let is_known = is_known_format(schema["type"].as_str(), format);
    if !is_known && !format.is_empty() {
        tell(format);
    }
    for field in schema["properties"].as_object().into_iter().flatten() {
        look(field.1, tell);
    }
    for field in ["additionalProperties", "items"] {
        if schema[field].is_object() {
            look(&schema[field], tell);
        }
    }
    for field in ["allOf", "anyOf", "oneOf"] {
        for schema in schema[field].as_array().into_iter().flatten() {
            look(schema, tell);
        }
    }
    if schema["not"].is_object() {
        look(&schema["not"], tell);
    }
}
