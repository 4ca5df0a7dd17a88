//! Takes fields out of an object.

use serde_json::{Map, Value};

use super::set::Set;
use super::shape::{Shape, element_name, shape};
use crate::schema::Schema;

/// The object without the fields of the set; `None` if that leaves nothing of a map or a list.
pub(crate) fn remove(value: &Value, set: &Set, schema: &Schema) -> Option<Value> {
    match shape(value, schema) {
        Shape::Fields(fields) if !fields.is_empty() => {
            let mut rest = Map::new();
            for (name, value) in fields {
                let field = schema.field(name);
                match (set.below.get(&format!("f:{name}")), field) {
                    (Some(set), _) if set.member => {}
                    (Some(set), Some(field)) => {
                        if let Some(value) = remove(value, set, field) {
                            rest.insert(name.clone(), value);
                        }
                    }
                    _ => {
                        rest.insert(name.clone(), value.clone());
                    }
                }
            }
            (!rest.is_empty()).then_some(Value::Object(rest))
        }
        Shape::Elements(elements) if !elements.is_empty() => {
            let mut rest = Vec::new();
            for element in elements {
                let name = element_name(element, schema).unwrap_or_default();
                match set.below.get(&name) {
                    Some(set) if set.member => {}
                    Some(set) => rest.extend(remove(element, set, schema.element())),
                    None => rest.push(element.clone()),
                }
            }
            (!rest.is_empty()).then_some(Value::Array(rest))
        }
        _ => Some(value.clone()),
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
                (Some(name), Some(schema)) => schema.field(name),
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
