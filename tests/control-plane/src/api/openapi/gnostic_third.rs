//! The third version of OpenAPI in protobuf: the messages of `openapi.v3`, of gnostic.

use serde_json::{Value, json};

use super::super::protobuf::Out;
use super::gnostic::{any, count, each, extensions, fields, flag, list, number, text, texts};

/// A whole document.
pub(super) fn write(document: &Value) -> Vec<u8> {
    let mut out = Out::default();
    text(&mut out, 1, document.get("openapi"));
    out.within(2, |info| {
        text(info, 1, document["info"].get("title"));
        text(info, 6, document["info"].get("version"));
    });
    out.within(4, |paths| each(paths, 1, document.get("paths"), path));
    let components = &document["components"];
    out.within(5, |parts| {
        if components.get("schemas").is_some() {
            let schemas = components.get("schemas");
            parts.within(1, |types| each(types, 1, schemas, schema_or_reference));
        }
        let schemes = components.get("securitySchemes");
        if schemes.is_none() {
            return;
        }
        parts.within(7, |known| {
            each(known, 1, schemes, |item, scheme| {
                item.within(1, |key| {
                    for (number, name) in [(1, "type"), (2, "description"), (3, "name"), (4, "in")]
                    {
                        text(key, number, scheme.get(name));
                    }
                });
            });
        });
    });
    out.into_bytes()
}

fn path(out: &mut Out, path: &Value) {
    for (number, verb) in [
        (4, "get"),
        (5, "put"),
        (6, "post"),
        (7, "delete"),
        (8, "options"),
        (9, "head"),
        (10, "patch"),
    ] {
        if let Some(own) = path.get(verb) {
            out.within(number, |message| operation(message, own));
        }
    }
    for own in list(path.get("parameters")) {
        out.within(13, |item| item.within(1, |message| parameter(message, own)));
    }
}

fn operation(out: &mut Out, operation: &Value) {
    texts(out, 1, operation.get("tags"));
    text(out, 3, operation.get("description"));
    text(out, 5, operation.get("operationId"));
    for own in list(operation.get("parameters")) {
        out.within(6, |item| item.within(1, |message| parameter(message, own)));
    }
    if let Some(body) = operation.get("requestBody") {
        out.within(7, |item| {
            item.within(1, |message| {
                content(message, 2, body);
                flag(message, 3, body.get("required"));
            });
        });
    }
    out.within(8, |responses| {
        each(
            responses,
            2,
            operation.get("responses"),
            |item, response| {
                item.within(1, |message| {
                    text(message, 1, response.get("description"));
                    content(message, 3, response);
                });
            },
        );
    });
    flag(out, 10, operation.get("deprecated"));
    let more = fields(Some(operation)).filter(|(name, _)| name.starts_with("x-"));
    for (name, value) in more {
        out.within(13, |named| {
            named.bytes(1, name.as_bytes());
            match name.as_str() {
                KIND => named.within(2, |any| any.bytes(2, kind(value).as_bytes())),
                _ => any(named, 2, Some(value)),
            }
        });
    }
}

const KIND: &str = "x-kubernetes-group-version-kind";

/// Of what kind an operation is, in YAML, in the order of the document.
fn kind(value: &Value) -> String {
    let said = ["group", "version", "kind"].into_iter().filter_map(|name| {
        let said = json!({name: value.get(name)?});
        serde_saphyr::to_string(&said).ok()
    });
    said.collect()
}

fn parameter(out: &mut Out, parameter: &Value) {
    text(out, 1, parameter.get("name"));
    text(out, 2, parameter.get("in"));
    text(out, 3, parameter.get("description"));
    flag(out, 4, parameter.get("required"));
    if let Some(own) = parameter.get("schema") {
        out.within(10, |item| schema_or_reference(item, own));
    }
}

/// A body, or what is answered, by media type.
fn content(out: &mut Out, number: u64, body: &Value) {
    if body.get("content").is_some() {
        out.within(number, |types| {
            each(types, 1, body.get("content"), |media, own| {
                if let Some(own) = own.get("schema") {
                    media.within(1, |item| schema_or_reference(item, own));
                }
            });
        });
    }
}

fn schema_or_reference(out: &mut Out, own: &Value) {
    match own.get("$ref") {
        Some(reference) => out.within(2, |message| text(message, 1, Some(reference))),
        None => out.within(1, |message| schema(message, own)),
    }
}

fn schema(out: &mut Out, own: &Value) {
    flag(out, 1, own.get("nullable"));
    any(out, 7, own.get("example"));
    text(out, 9, own.get("title"));
    number(out, 10, own.get("multipleOf"));
    number(out, 11, own.get("maximum"));
    flag(out, 12, own.get("exclusiveMaximum"));
    number(out, 13, own.get("minimum"));
    flag(out, 14, own.get("exclusiveMinimum"));
    count(out, 15, own.get("maxLength"));
    count(out, 16, own.get("minLength"));
    text(out, 17, own.get("pattern"));
    count(out, 18, own.get("maxItems"));
    count(out, 19, own.get("minItems"));
    flag(out, 20, own.get("uniqueItems"));
    count(out, 21, own.get("maxProperties"));
    count(out, 22, own.get("minProperties"));
    texts(out, 23, own.get("required"));
    for value in list(own.get("enum")) {
        any(out, 24, Some(value));
    }
    text(out, 25, own.get("type"));
    for (number, name) in [(26, "allOf"), (27, "oneOf"), (28, "anyOf")] {
        for one in list(own.get(name)) {
            out.within(number, |item| schema_or_reference(item, one));
        }
    }
    if let Some(not) = own.get("not") {
        out.within(29, |message| schema(message, not));
    }
    if let Some(items) = own.get("items") {
        out.within(30, |item| {
            item.within(1, |message| schema_or_reference(message, items));
        });
    }
    if own.get("properties").is_some() {
        let own = own.get("properties");
        out.within(31, |properties| {
            each(properties, 1, own, schema_or_reference)
        });
    }
    match own.get("additionalProperties") {
        Some(Value::Bool(allowed)) => out.within(32, |item| item.int(2, (*allowed).into())),
        Some(values) => out.within(32, |item| {
            item.within(1, |message| schema_or_reference(message, values));
        }),
        None => {}
    }
    if let Some(value) = own.get("default") {
        out.within(33, |item| default(item, value));
    }
    text(out, 34, own.get("description"));
    text(out, 35, own.get("format"));
    extensions(out, 36, own);
}

/// Only of scalars it is told which.
fn default(out: &mut Out, value: &Value) {
    match value {
        Value::Bool(value) => out.int(2, (*value).into()),
        Value::Number(value) => out.double(1, value.as_f64().unwrap_or_default()),
        Value::String(value) => out.bytes(3, value.as_bytes()),
        _ => {}
    }
}
