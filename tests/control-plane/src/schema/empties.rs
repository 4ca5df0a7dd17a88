//! Lists and maps of a built-in object that are said and empty. They are not kept, and who looks at what was sent sees
//! them: some may not be said at all, and some must not be empty.

use serde_json::{Map, Value};

use super::{Additional, Schema, builtin};

/// Those that were said, and where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Empties(Vec<(String, Value)>);

impl Empties {
    /// Takes them out of an object.
    pub(crate) fn take(schema: &Schema, object: &mut Value) -> Self {
        let mut found = Vec::new();
        if is_anywhere_in(object) {
            take(schema, object, "", &mut found);
        }
        Self(found)
    }

    /// Says them again, where nothing else is said by now.
    pub(crate) fn put_back(&self, object: &mut Value) {
        for (pointer, empty) in &self.0 {
            let Some((holder, name)) = pointer.rsplit_once('/') else {
                continue;
            };
            let holder = object.pointer_mut(holder).and_then(Value::as_object_mut);
            if let Some(fields) = holder {
                let value = fields.entry(name).or_insert(Value::Null);
                if value.is_null() {
                    *value = empty.clone();
                }
            }
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there are any where a pointer begins so.
    pub(crate) fn are_within(&self, start: &str) -> bool {
        self.0.iter().any(|(pointer, _)| pointer.starts_with(start))
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

/// No entries at all ask for tracking to start anew.
const TRACKED: [&str; 2] = ["/metadata/managedFields", "/managedFields"];

fn is_anywhere_in(value: &Value) -> bool {
    match value {
        Value::Array(elements) => elements.is_empty() || elements.iter().any(is_anywhere_in),
        Value::Object(fields) => fields.is_empty() || fields.values().any(is_anywhere_in),
        _ => false,
    }
}

fn take(schema: &Schema, value: &mut Value, pointer: &str, found: &mut Vec<(String, Value)>) {
    let node = schema.target();
    match value {
        Value::Object(fields) if !node.properties.is_empty() => {
            take_fields(node, fields, pointer, found);
        }
        Value::Object(fields) => {
            if let Additional::Values(values) = &node.additional {
                for (name, value) in fields {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    take(values, value, &format!("{pointer}/{name}"), found);
                }
            }
        }
        Value::Array(elements) if node.kind == Some(super::Kind::Array) => {
            for (at, element) in elements.iter_mut().enumerate() {
                take(node.element(), element, &format!("{pointer}/{at}"), found);
            }
        }
        _ => {}
    }
}

/// Whether a field of a schema, which may be something else as well, is a schema itself.
pub(super) fn is_schema_again(node: &Schema, name: &str) -> bool {
    let is_schema =
        builtin::named("JSONSchemaProps").is_some_and(|schema| std::ptr::eq(schema, node));
    is_schema && ["items", "additionalProperties", "additionalItems"].contains(&name)
}

fn take_fields(
    node: &Schema,
    fields: &mut Map<String, Value>,
    pointer: &str,
    found: &mut Vec<(String, Value)>,
) {
    fields.retain(|name, value| {
        let Some(field) = node.properties.get(name) else {
            return true;
        };
        if !is_anywhere_in(value) {
            return true;
        }
        let pointer = format!("{pointer}/{name}");
        let unkept = is_unkept(field, value) && !TRACKED.contains(&pointer.as_str());
        match unkept {
            true => found.push((pointer, value.take())),
            false if is_schema_again(node, name) => take(node, value, &pointer, found),
            false => take(field, value, &pointer, found),
        }
        !unkept
    });
}
