//! Schemas as the server holds them, which its refusals show.

use serde_json::{Map, Value, json};

/// The fields, in order: how the server calls them, how they are called in JSON, and what they are when nothing is said.
const FIELDS: [(&str, &str, &str); 43] = [
    ("ID", "id", "\"\""),
    ("Schema", "$schema", "\"\""),
    ("Ref", "$ref", "null"),
    ("Description", "description", "\"\""),
    ("Type", "type", "\"\""),
    ("Nullable", "nullable", "false"),
    ("Format", "format", "\"\""),
    ("Title", "title", "\"\""),
    ("Default", "default", "null"),
    ("Maximum", "maximum", "null"),
    ("ExclusiveMaximum", "exclusiveMaximum", "false"),
    ("Minimum", "minimum", "null"),
    ("ExclusiveMinimum", "exclusiveMinimum", "false"),
    ("MaxLength", "maxLength", "null"),
    ("MinLength", "minLength", "null"),
    ("Pattern", "pattern", "\"\""),
    ("MaxItems", "maxItems", "null"),
    ("MinItems", "minItems", "null"),
    ("UniqueItems", "uniqueItems", "false"),
    ("MultipleOf", "multipleOf", "null"),
    ("Enum", "enum", "null"),
    ("MaxProperties", "maxProperties", "null"),
    ("MinProperties", "minProperties", "null"),
    ("Required", "required", "null"),
    ("Items", "items", "null"),
    ("AllOf", "allOf", "null"),
    ("OneOf", "oneOf", "null"),
    ("AnyOf", "anyOf", "null"),
    ("Not", "not", "null"),
    ("Properties", "properties", "null"),
    ("AdditionalProperties", "additionalProperties", "null"),
    ("PatternProperties", "patternProperties", "null"),
    ("Dependencies", "dependencies", "null"),
    ("AdditionalItems", "additionalItems", "null"),
    ("Definitions", "definitions", "null"),
    ("ExternalDocs", "externalDocs", "null"),
    ("Example", "example", "null"),
    (
        "XPreserveUnknownFields",
        "x-kubernetes-preserve-unknown-fields",
        "null",
    ),
    (
        "XEmbeddedResource",
        "x-kubernetes-embedded-resource",
        "false",
    ),
    ("XIntOrString", "x-kubernetes-int-or-string", "false"),
    ("XListMapKeys", "x-kubernetes-list-map-keys", "null"),
    ("XListType", "x-kubernetes-list-type", "null"),
    ("XMapType", "x-kubernetes-map-type", "null"),
];

/// The schema of a version, as JSON.
pub(crate) fn version(schema: &Value) -> String {
    match schema.get("openAPIV3Schema") {
        Some(schema) => format!("{{\"OpenAPIV3Schema\":{}}}", shown(schema)),
        None => "null".to_owned(),
    }
}

/// What a schema says at its root, as the server calls it.
pub(crate) fn said(schema: &Value) -> impl Iterator<Item = &'static str> {
    let is_said = |json: &str, nothing: &str| {
        let said = schema.get(json).map(Value::to_string).unwrap_or_default();
        !["", "null", nothing].contains(&said.as_str())
    };
    let fields = FIELDS.iter();
    fields.filter_map(move |(name, json, nothing)| is_said(json, nothing).then_some(*name))
}

pub(crate) fn shown(schema: &Value) -> String {
    let Value::Object(said) = schema else {
        return "null".to_owned();
    };
    let fields = FIELDS.iter().map(|(name, json, nothing)| {
        let value = said.get(*json).filter(|value| !value.is_null());
        let value = value.map_or_else(|| (*nothing).to_owned(), |value| field(json, value));
        format!("\"{name}\":{value}")
    });
    let rules = said.get("x-kubernetes-validations").unwrap_or(&Value::Null);
    let rules = format!("\"XValidations\":{rules}");
    let fields: Vec<String> = fields.chain([rules]).collect();
    format!("{{{}}}", fields.join(","))
}

/// The items of a list, as a refusal of them shows them.
pub(crate) fn items(items: &Value) -> String {
    field("items", items)
}

fn field(name: &str, value: &Value) -> String {
    let each = |schemas: &Map<String, Value>| {
        let schemas = schemas.iter();
        let schemas = schemas.map(|(name, schema)| format!("{}:{}", json!(name), shown(schema)));
        format!("{{{}}}", schemas.collect::<Vec<_>>().join(","))
    };
    match (name, value) {
        ("not", schema) => shown(schema),
        ("properties" | "patternProperties" | "definitions", Value::Object(schemas)) => {
            each(schemas)
        }
        ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
            let schemas: Vec<String> = schemas.iter().map(shown).collect();
            format!("[{}]", schemas.join(","))
        }
        ("items", Value::Array(schemas)) => {
            let schemas: Vec<String> = schemas.iter().map(shown).collect();
            format!(
                "{{\"Schema\":null,\"JSONSchemas\":[{}]}}",
                schemas.join(",")
            )
        }
        ("items", schema @ Value::Object(_)) => {
            format!("{{\"Schema\":{},\"JSONSchemas\":null}}", shown(schema))
        }
        ("dependencies", Value::Object(either)) => {
            let either = either.iter().map(|(name, either)| {
                let names = either
                    .as_array()
                    .map_or(Value::Null, |names| names.clone().into());
                let shown = shown(either);
                format!(
                    "{}:{{\"Schema\":{shown},\"Property\":{names}}}",
                    json!(name)
                )
            });
            format!("{{{}}}", either.collect::<Vec<_>>().join(","))
        }
        ("additionalProperties" | "additionalItems", either) => {
            let allows = either.as_bool().unwrap_or(true);
            format!("{{\"Allows\":{allows},\"Schema\":{}}}", shown(either))
        }
        (_, value) => value.to_string(),
    }
}
