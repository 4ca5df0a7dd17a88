//! The second version of OpenAPI in protobuf, as clients in Go read it: the messages of `openapi.v2`, of gnostic.

use serde_json::{Map, Value};

use super::super::protobuf::Out;

/// A whole document.
pub(super) fn write(document: &Value) -> Vec<u8> {
    let mut out = Out::default();
    text(&mut out, 1, document.get("swagger"));
    out.within(2, |info| {
        text(info, 1, document["info"].get("title"));
        text(info, 2, document["info"].get("version"));
    });
    out.within(8, |paths| each(paths, 2, document.get("paths"), path));
    out.within(9, |types| {
        each(types, 1, document.get("definitions"), schema)
    });
    if document.get("parameters").is_some() {
        let shared = document.get("parameters");
        out.within(10, |parameters| each(parameters, 1, shared, parameter));
    }
    for required in list(document.get("security")) {
        out.within(12, |requirement| {
            each(requirement, 1, Some(required), |_, _| {})
        });
    }
    let known = document.get("securityDefinitions");
    out.within(13, |definitions| {
        each(definitions, 1, known, |item, known| {
            item.within(2, |key| {
                for (number, name) in [(1, "type"), (2, "name"), (3, "in"), (4, "description")] {
                    text(key, number, known.get(name));
                }
            });
        });
    });
    out.into_bytes()
}

/// The entries of a map: messages of a name and a value.
pub(super) fn each(
    out: &mut Out,
    number: u64,
    map: Option<&Value>,
    value: impl Fn(&mut Out, &Value),
) {
    for (name, own) in fields(map) {
        out.within(number, |named| {
            named.bytes(1, name.as_bytes());
            named.within(2, |message| value(message, own));
        });
    }
}

fn path(out: &mut Out, path: &Value) {
    for (number, verb) in [
        (2, "get"),
        (3, "put"),
        (4, "post"),
        (5, "delete"),
        (6, "options"),
        (7, "head"),
        (8, "patch"),
    ] {
        if let Some(own) = path.get(verb) {
            out.within(number, |message| operation(message, own));
        }
    }
    for own in list(path.get("parameters")) {
        out.within(9, |item| taken(item, own));
    }
}

fn operation(out: &mut Out, operation: &Value) {
    texts(out, 1, operation.get("tags"));
    text(out, 3, operation.get("description"));
    text(out, 5, operation.get("operationId"));
    texts(out, 6, operation.get("produces"));
    texts(out, 7, operation.get("consumes"));
    for own in list(operation.get("parameters")) {
        out.within(8, |item| taken(item, own));
    }
    out.within(9, |responses| {
        each(
            responses,
            1,
            operation.get("responses"),
            |value, response| {
                value.within(1, |message| {
                    text(message, 1, response.get("description"));
                    if let Some(own) = response.get("schema") {
                        message.within(2, |item| item.within(1, |message| schema(message, own)));
                    }
                });
            },
        );
    });
    texts(out, 10, operation.get("schemes"));
    extensions(out, 13, operation);
}

/// A parameter, or where it is.
fn taken(out: &mut Out, own: &Value) {
    match own.get("$ref") {
        Some(reference) => out.within(2, |message| text(message, 1, Some(reference))),
        None => out.within(1, |message| parameter(message, own)),
    }
}

fn parameter(out: &mut Out, parameter: &Value) {
    if parameter["in"] == "body" {
        out.within(1, |body| {
            text(body, 1, parameter.get("description"));
            text(body, 2, parameter.get("name"));
            text(body, 3, parameter.get("in"));
            flag(body, 4, parameter.get("required"));
            body.within(5, |message| schema(message, &parameter["schema"]));
        });
        return;
    }
    // What is in a query may also be empty.
    let (which, kind, unique) = match parameter["in"] == "path" {
        true => (4, 5, 19),
        false => (3, 6, 20),
    };
    out.within(2, |other| {
        other.within(which, |message| {
            flag(message, 1, parameter.get("required"));
            text(message, 2, parameter.get("in"));
            text(message, 3, parameter.get("description"));
            text(message, 4, parameter.get("name"));
            text(message, kind, parameter.get("type"));
            flag(message, unique, parameter.get("uniqueItems"));
        });
    });
}

fn schema(out: &mut Out, own: &Value) {
    text(out, 1, own.get("$ref"));
    text(out, 2, own.get("format"));
    text(out, 3, own.get("title"));
    text(out, 4, own.get("description"));
    any(out, 5, own.get("default"));
    number(out, 6, own.get("multipleOf"));
    number(out, 7, own.get("maximum"));
    flag(out, 8, own.get("exclusiveMaximum"));
    number(out, 9, own.get("minimum"));
    flag(out, 10, own.get("exclusiveMinimum"));
    count(out, 11, own.get("maxLength"));
    count(out, 12, own.get("minLength"));
    text(out, 13, own.get("pattern"));
    count(out, 14, own.get("maxItems"));
    count(out, 15, own.get("minItems"));
    flag(out, 16, own.get("uniqueItems"));
    count(out, 17, own.get("maxProperties"));
    count(out, 18, own.get("minProperties"));
    texts(out, 19, own.get("required"));
    for value in list(own.get("enum")) {
        any(out, 20, Some(value));
    }
    match own.get("additionalProperties") {
        Some(Value::Bool(allowed)) => out.within(21, |item| item.int(2, (*allowed).into())),
        Some(values) => out.within(21, |item| item.within(1, |message| schema(message, values))),
        None => {}
    }
    if let Some(kind) = own.get("type") {
        out.within(22, |item| text(item, 1, Some(kind)));
    }
    if let Some(items) = own.get("items") {
        out.within(23, |item| item.within(1, |message| schema(message, items)));
    }
    if own.get("properties").is_some() {
        out.within(25, |properties| {
            each(properties, 1, own.get("properties"), schema)
        });
    }
    any(out, 30, own.get("example"));
    extensions(out, 31, own);
}

/// What is not of OpenAPI itself: the names of those fields begin with `x-`.
pub(super) fn extensions(out: &mut Out, number: u64, own: &Value) {
    for (name, value) in fields(Some(own)).filter(|(name, _)| name.starts_with("x-")) {
        out.within(number, |named| {
            named.bytes(1, name.as_bytes());
            any(named, 2, Some(value));
        });
    }
}

/// Any value, in YAML.
pub(super) fn any(out: &mut Out, number: u64, value: Option<&Value>) {
    if let Some(text) = value.and_then(|value| serde_saphyr::to_string(value).ok()) {
        out.within(number, |any| any.bytes(2, text.as_bytes()));
    }
}

pub(super) fn fields(map: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    map.and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::iter)
}

pub(super) fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

pub(super) fn text(out: &mut Out, number: u64, value: Option<&Value>) {
    if let Some(text) = value.and_then(Value::as_str) {
        out.bytes(number, text.as_bytes());
    }
}

pub(super) fn texts(out: &mut Out, number: u64, value: Option<&Value>) {
    for one in list(value) {
        text(out, number, Some(one));
    }
}

pub(super) fn flag(out: &mut Out, number: u64, value: Option<&Value>) {
    if value == Some(&Value::Bool(true)) {
        out.int(number, 1);
    }
}

pub(super) fn count(out: &mut Out, number: u64, value: Option<&Value>) {
    if let Some(count) = value.and_then(Value::as_i64) {
        out.int(number, count);
    }
}

pub(super) fn number(out: &mut Out, number: u64, value: Option<&Value>) {
    // Zero is what is not said.
    if let Some(value) = value.and_then(Value::as_f64).filter(|value| *value != 0.0) {
        out.double(number, value);
    }
}
