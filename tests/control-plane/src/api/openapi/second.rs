//! The second version of OpenAPI, as it follows from the third.

use serde_json::{Map, Value, json};

use super::REFERENCE;
use super::definition::PRESERVE;

/// Where types are.
const TYPES: &str = "#/definitions/";

/// A type.
pub(super) fn schema(third: &Value) -> Value {
    let Some(fields) = third.as_object() else {
        return third.clone();
    };
    let mut second = Map::new();
    for (name, value) in fields {
        let value = match (name.as_str(), value) {
            // Of what it refers to, nothing more can be said.
            ("default" | "oneOf" | "anyOf" | "not", _) => continue,
            ("allOf", Value::Array(all)) => match all.first().and_then(|one| one.get("$ref")) {
                Some(reference) => {
                    second.insert("$ref".to_owned(), refer(reference));
                    continue;
                }
                None => continue,
            },
            ("$ref", reference) => refer(reference),
            ("properties", Value::Object(properties)) => properties
                .iter()
                .map(|(name, property)| (name.clone(), schema(property)))
                .collect(),
            ("items" | "additionalProperties", inside) => schema(inside),
            (_, other) => other.clone(),
        };
        second.insert(name.clone(), value);
    }
    second.into()
}

fn refer(reference: &Value) -> Value {
    let reference = reference.as_str().unwrap_or_default();
    reference.replace(REFERENCE, TYPES).into()
}

/// Leaves out of a type what only the third version can say.
pub(super) fn simplify(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    for beyond in ["allOf", "anyOf", "oneOf", "not"] {
        fields.remove(beyond);
    }
    let is = |fields: &Map<String, Value>, name: &str| fields.get(name) == Some(&Value::Bool(true));
    let (nullable, open) = (is(fields, "nullable"), is(fields, PRESERVE));
    if nullable {
        fields.remove("nullable");
        fields.remove("type");
    }
    if nullable || open {
        fields.remove("items");
        fields.remove("properties");
    }
    let kind = fields.get("type").and_then(Value::as_str);
    if (kind == Some("array") && !fields.contains_key("items")) || (kind == Some("object") && open)
    {
        fields.remove("type");
    }
    if let Some(Value::Object(properties)) = fields.get("properties") {
        let nullable: Vec<String> = properties
            .iter()
            .filter(|(_, field)| field.get("nullable") == Some(&Value::Bool(true)))
            .map(|(name, _)| name.clone())
            .collect();
        if let Some(Value::Array(required)) = fields.get_mut("required") {
            required.retain(|name| !nullable.iter().any(|nullable| name == nullable));
            if required.is_empty() {
                fields.remove("required");
            }
        }
    }
    for inside in ["items", "additionalProperties"] {
        fields.get_mut(inside).into_iter().for_each(simplify);
    }
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        properties.values_mut().for_each(simplify);
    }
}

/// In what order the formats of a body are told.
const FORMATS: [&str; 11] = [
    "text/plain",
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/json;stream=watch",
    "application/vnd.kubernetes.protobuf;stream=watch",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "*/*",
];

/// A path. `consumes` is what its operations take that say nothing of it.
pub(super) fn path(third: &Value, consumes: &[&str]) -> Value {
    let mut second = Map::new();
    for (name, value) in third.as_object().into_iter().flatten() {
        let value = match name.as_str() {
            "parameters" => parameters(value).into(),
            _ => operation(value, consumes),
        };
        second.insert(name.clone(), value);
    }
    second.into()
}

fn operation(third: &Value, consumes: &[&str]) -> Value {
    let mut second = Map::new();
    let mut produces = Vec::new();
    let mut all = Vec::new();
    let mut takes = json!(consumes);
    for (name, value) in third.as_object().into_iter().flatten() {
        match name.as_str() {
            "requestBody" => {
                let (content, mut body) =
                    (&value["content"], json!({"name": "body", "in": "body"}));
                if value["required"] == true {
                    body["required"] = true.into();
                }
                body["schema"] = of_content(content);
                let types = formats(content);
                if types.iter().any(|media| media.contains("patch")) {
                    takes = json!(types);
                }
                all.insert(0, body);
            }
            "parameters" => all.extend(parameters(value)),
            "responses" => {
                let mut responses = Map::new();
                for (code, response) in value.as_object().into_iter().flatten() {
                    let mut told = json!({"description": response["description"]});
                    if let Some(content) = response.get("content") {
                        told["schema"] = of_content(content);
                        produces = formats(content);
                    }
                    responses.insert(code.clone(), told);
                }
                second.insert(name.clone(), responses.into());
            }
            _ => {
                second.insert(name.clone(), value.clone());
            }
        }
    }
    if !all.is_empty() {
        second.insert("parameters".to_owned(), all.into());
    }
    if !produces.is_empty() {
        second.insert("produces".to_owned(), json!(produces));
    }
    if third.get("x-kubernetes-action").is_none() {
        // What the server tells about itself, and of its keys not even that.
        let about_keys = [json!(["WellKnown"]), json!(["openid"])];
        takes = match about_keys.contains(&third["tags"]) {
            true => Value::Null,
            false => json!(produces),
        };
    }
    if !takes.is_null() {
        second.insert("consumes".to_owned(), takes);
    }
    second.insert("schemes".to_owned(), json!(["https"]));
    second.into()
}

fn formats(content: &Value) -> Vec<&str> {
    let all = content.as_object().into_iter().flatten();
    let mut all: Vec<&str> = all.map(|(format, _)| format.as_str()).collect();
    all.sort_by_key(|format| FORMATS.iter().position(|known| known == format));
    all
}

/// The type of a body, which is the same in every format.
fn of_content(content: &Value) -> Value {
    let first = content
        .as_object()
        .and_then(|content| content.values().next());
    schema(
        first
            .and_then(|first| first.get("schema"))
            .unwrap_or(&Value::Null),
    )
}

fn parameters(third: &Value) -> Vec<Value> {
    let all = third.as_array().into_iter().flatten();
    all.map(|parameter| {
        let mut second = Map::new();
        for (name, value) in parameter.as_object().into_iter().flatten() {
            match (name.as_str(), value) {
                ("schema", Value::Object(schema)) => second.extend(schema.clone()),
                _ => {
                    second.insert(name.clone(), value.clone());
                }
            }
        }
        second.into()
    })
    .collect()
}
