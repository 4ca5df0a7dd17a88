//! How server-side apply sees a value: as one leaf, as fields, or as elements with names of their own.

use serde_json::{Map, Value};

use crate::patch::go;
use crate::schema::{Kind, ListType, Schema};

/// A value seen through its schema.
pub(super) enum Shape<'v> {
    /// A scalar, or a list or map that has one owner.
    Leaf,
    Fields(&'v Map<String, Value>),
    Elements(&'v [Value]),
    /// `null` where fields or elements could be.
    Nothing,
}

pub(super) fn shape<'v>(value: &'v Value, schema: &Schema) -> Shape<'v> {
    let node = schema.target();
    let is_atomic = schema.atomic || node.atomic && !schema.granular;
    match value {
        Value::Object(_) if is_atomic => Shape::Leaf,
        Value::Object(fields) => Shape::Fields(fields),
        Value::Array(_) if node.list == ListType::Atomic => Shape::Leaf,
        Value::Array(elements) => Shape::Elements(elements),
        Value::Null => match node.kind {
            Some(Kind::Object) if !is_atomic => Shape::Nothing,
            Some(Kind::Array) if node.list != ListType::Atomic => Shape::Nothing,
            None if !node.int_or_string => Shape::Nothing,
            _ => Shape::Leaf,
        },
        _ => Shape::Leaf,
    }
}

/// The name of a list's element, as `fieldsV1` writes it.
pub(super) fn element_name(value: &Value, list: &Schema) -> Result<String, String> {
    let list = list.target();
    let ListType::Map(keys) = &list.list else {
        return match value {
            Value::Null => {
                Err("associative list without keys has an element that's an explicit null".into())
            }
            Value::Array(_) => Err("not supported: associative list with lists as elements".into()),
            Value::Object(_) => {
                Err("associative list without keys has an element that's a map type".into())
            }
            scalar => Ok(format!("v:{}", go::json(scalar))),
        };
    };
    let Value::Object(fields) = value else {
        return Err(match value {
            Value::Null => "associative list with keys may not have a null element".into(),
            _ => "associative list with keys may not have non-map elements".into(),
        });
    };
    let mut name = Map::new();
    for key in keys {
        let default = || {
            let field = list.element().field(key)?;
            field.target().default.clone().or_else(|| field.zero())
        };
        if let Some(value) = fields.get(key).cloned().or_else(default) {
            name.insert(key.clone(), value);
        }
    }
    if name.is_empty() {
        let keys: Vec<_> = keys.iter().map(|key| format!("{key:?}")).collect();
        return Err(format!(
            "associative list with keys has an element that omits all key fields [{}] (and doesn't have default \
             values for any key fields)",
            keys.join(" ")
        ));
    }
    Ok(format!("k:{}", go::json(&Value::Object(name))))
}
