//! Takes fields out of an object.

use serde_json::{Map, Value};

use super::set::Set;
use super::shape::{Shape, element_name, shape};
use crate::schema::Schema;

/// The object without the fields of the set; `null` if that leaves nothing of a map or a list.
pub(crate) fn remove(value: &Value, set: &Set, schema: &Schema) -> Value {
    match shape(value, schema) {
        Shape::Fields(fields) if !fields.is_empty() => {
            let mut rest = Map::new();
            for (name, value) in fields {
                let field = schema.applied_field(name);
                match (set.below.get(&format!("f:{name}")), field) {
                    (Some(set), _) if set.member => {}
                    (Some(set), Some(field)) => {
                        rest.insert(name.clone(), remove(value, set, field));
                    }
                    _ => {
                        rest.insert(name.clone(), value.clone());
                    }
                }
            }
            if rest.is_empty() {
                Value::Null
            } else {
                Value::Object(rest)
            }
        }
        Shape::Elements(elements) if !elements.is_empty() => {
            let mut rest = Vec::new();
            for element in elements {
                let name = element_name(element, schema).unwrap_or_default();
                match set.below.get(&name) {
                    Some(set) if set.member => {}
                    Some(set) => rest.push(remove(element, set, schema.element())),
                    None => rest.push(element.clone()),
                }
            }
            if rest.is_empty() {
                Value::Null
            } else {
                Value::Array(rest)
            }
        }
        _ => value.clone(),
    }
}

impl Set {
    /// The set with every named field of a type that has something below it: such a field goes with its contents.
    pub(crate) fn with_named_fields(&self, schema: Option<&Schema>) -> Set {
        let mut all = Set {
            member: self.member,
            ..Set::default()
        };
        for (element, set) in &self.below {
            let name = element.strip_prefix("f:");
            let field = match (name, schema) {
                (Some(name), Some(schema)) => schema.applied_field(name),
                (None, Some(schema)) => Some(schema.element()),
                (_, None) => None,
            };
            let mut below = set.with_named_fields(field);
            if let (Some(name), Some(schema)) = (name, schema) {
                below.member |= !set.below.is_empty() && schema.names(name);
            }
            all.put(element, below);
        }
        all
    }
}
