//! What Go's structs forget of JSON: a field that is no pointer is not told from one that nobody has set.

use serde_json::{Map, Value};

use super::decode::says_something;
use crate::schema::{Additional, Schema};
use crate::structs::{self, Kind, Struct};

/// Takes zeros out of a built-in object, but for those that are written whether or not anybody has set them.
pub(crate) fn forget_zeros(api_version: &str, kind: &str, schema: &Schema, object: &mut Value) {
    if let (Some(known), Some(object)) =
        (structs::of_kind(api_version, kind), object.as_object_mut())
    {
        forget(known, schema, object);
    }
}

fn forget(known: &Struct, schema: &Schema, object: &mut Map<String, Value>) {
    for field in &known.fields {
        if let Kind::Flat(name) = field.kind {
            forget(structs::of(name), schema, object);
            continue;
        }
        let (Some(value), Some(node)) = (
            object.get_mut(field.name),
            schema.target().properties.get(field.name),
        ) else {
            continue;
        };
        match &field.kind {
            Kind::String | Kind::Bytes | Kind::Int | Kind::Bool | Kind::Number => {
                if !field.pointer && !node.always && !says_something(value) {
                    object.remove(field.name);
                }
            }
            // They are in schemas alone, and hold others.
            Kind::SchemaOr(_) => match value {
                Value::Array(schemas) => {
                    for one in schemas {
                        forget_in(&Kind::Message(structs::SCHEMA), schema, one);
                    }
                }
                one => forget_in(&Kind::Message(structs::SCHEMA), schema, one),
            },
            kind => forget_in(kind, node, value),
        }
    }
}

fn forget_in(kind: &Kind, schema: &Schema, value: &mut Value) {
    match (kind, value) {
        (Kind::Message(name), Value::Object(object)) => forget(structs::of(name), schema, object),
        (Kind::List(kind), Value::Array(elements)) => {
            for element in elements {
                forget_in(kind, schema.element(), element);
            }
        }
        (Kind::Map(kind), Value::Object(values)) => {
            if let Additional::Values(of_values) = &schema.target().additional {
                for value in values.values_mut() {
                    forget_in(kind, of_values, value);
                }
            }
        }
        _ => {}
    }
}
