//! Lists and maps of a built-in object that are said and empty. They are not kept, and who looks at what was sent sees
//! them: some may not be said at all, and some must not be empty.

use serde_json::{Map, Value};

use super::taken::{Slot, Taken};
use super::{Additional, Schema, builtin};

/// Those that were said, and where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Empties(Taken<Value>);

impl Empties {
    /// Takes them out of an object.
    pub(crate) fn take(schema: &Schema, object: &mut Value) -> Self {
        Self(match is_anywhere_in(object) {
            true => take(schema, object, Place::Root),
            false => Taken::default(),
        })
    }

    /// Says them again, where nothing else is said by now.
    pub(crate) fn put_back(&self, object: &mut Value) {
        self.0.put_back(object, &mut |slot, empty| {
            if let Slot::Field(fields, name) = slot {
                let value = fields.entry(name).or_insert(Value::Null);
                if value.is_null() {
                    *value = empty.clone();
                }
            }
        });
    }

    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Whether there are any in a field.
    pub(crate) fn are_in(&self, field: &str) -> bool {
        self.0.field(field).is_some()
    }
}

/// Whether a field that says this is left out of what is kept.
fn is_unkept(field: &Schema, value: &Value) -> bool {
    match value {
        Value::Object(fields) => {
            // A struct that has no fields is kept as others are.
            let is_map = !matches!(field.target().additional, Additional::Nothing);
            fields.is_empty() && is_map && !field.preserve_unknown
        }
        Value::Array(elements) => elements.is_empty() && !field.always && !field.preserve_unknown,
        _ => false,
    }
}

/// Where a value is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    /// The metadata of the root.
    Metadata,
    Below,
}

fn is_anywhere_in(value: &Value) -> bool {
    match value {
        Value::Array(elements) => elements.is_empty() || elements.iter().any(is_anywhere_in),
        Value::Object(fields) => fields.is_empty() || fields.values().any(is_anywhere_in),
        _ => false,
    }
}

fn take(schema: &Schema, value: &mut Value, place: Place) -> Taken<Value> {
    let node = schema.target();
    let mut taken = Taken::default();
    match value {
        Value::Object(fields) if !node.properties.is_empty() => {
            return take_fields(node, fields, place);
        }
        Value::Object(fields) => {
            if let Additional::Values(values) = &node.additional {
                for (name, value) in fields {
                    taken.put(name, take(values, value, Place::Below));
                }
            }
        }
        Value::Array(elements) if node.kind == Some(super::Kind::Array) => {
            for (at, element) in elements.iter_mut().enumerate() {
                taken.put_at(at, take(node.element(), element, Place::Below));
            }
        }
        _ => {}
    }
    taken
}

impl Schema {
    /// Whether the Go type of a field of a built-in kind reads its JSON by itself.
    pub(crate) fn reads_apart(&self, name: &str) -> bool {
        let is_raw = |field: &Self| {
            let node = field.target();
            let takes_all = matches!(node.additional, Additional::Anything);
            let is_any = node.kind.is_none() && !node.int_or_string;
            node.properties.is_empty() && (is_any || takes_all || node.preserve_unknown)
        };
        is_schema_again(self.target(), name) || self.field(name).is_some_and(is_raw)
    }
}

/// Whether a field of a schema, which may be something else as well, is a schema itself.
pub(super) fn is_schema_again(node: &Schema, name: &str) -> bool {
    let is_schema =
        builtin::named("JSONSchemaProps").is_some_and(|schema| std::ptr::eq(schema, node));
    is_schema && ["items", "additionalProperties", "additionalItems"].contains(&name)
}

fn take_fields(node: &Schema, fields: &mut Map<String, Value>, place: Place) -> Taken<Value> {
    let mut taken = Taken::default();
    fields.retain(|name, value| {
        let Some(field) = node.properties.get(name) else {
            return true;
        };
        if !is_anywhere_in(value) {
            return true;
        }
        // No entries at all ask for tracking to start anew.
        let is_tracking = name == "managedFields" && place != Place::Below;
        let unkept = is_unkept(field, value) && !is_tracking;
        let below = match (place, name.as_str()) {
            (Place::Root, "metadata") => Place::Metadata,
            _ => Place::Below,
        };
        let of_field = match unkept {
            true => Taken::whole(value.take()),
            false if is_schema_again(node, name) => take(node, value, below),
            false => take(field, value, below),
        };
        taken.put(name, of_field);
        !unkept
    });
    taken
}
