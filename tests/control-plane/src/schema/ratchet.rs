//! What was wrong before may stay as it is: an update is not refused for what it leaves alone.
//!
//! A value is compared with the one in whose place it comes as far as the schema knows it, as a real server does in
//! `k8s.io/apiserver/pkg/cel/common/equality.go`.

use std::collections::HashMap;

use serde_json::Value;

use super::{Additional, ListType, Schema};

impl Schema {
    /// Whether a value is the same as before. An object with a field of which the schema says nothing is not.
    pub(super) fn is_as_it_was(&self, new: &Value, old: &Value) -> bool {
        match (new, old) {
            (Value::Array(new), Value::Array(old)) => {
                new.len() == old.len() && self.are_as_they_were(new, old)
            }
            (Value::Object(new), Value::Object(old)) => {
                let is_same =
                    |(name, value): (&String, &Value)| match (self.said_of(name), old.get(name)) {
                        (Some(field), Some(old)) => field.is_as_it_was(value, old),
                        _ => false,
                    };
                new.len() == old.len() && new.iter().all(is_same)
            }
            _ => new == old,
        }
    }

    /// Elements that have keys may come in another order.
    fn are_as_they_were(&self, new: &[Value], old: &[Value]) -> bool {
        let (Some(before), Some(items)) = (self.by_keys(old), &self.items) else {
            return new == old;
        };
        new.iter().all(|element| {
            let was = before.get(element);
            was.is_some_and(|was| items.is_as_it_was(element, was))
        })
    }

    /// What the schema itself says of a field.
    fn said_of(&self, name: &str) -> Option<&Self> {
        let values = match &self.additional {
            Additional::Values(values) => Some(&**values),
            _ => None,
        };
        let field = self.properties.get(name).or(values);
        field.filter(|field| !field.implied)
    }

    /// The elements of a list by their keys, if the list has any.
    pub(super) fn by_keys<'v>(&'v self, list: &'v [Value]) -> Option<ByKeys<'v>> {
        let ListType::Map(keys) = &self.list else {
            return None;
        };
        let mut elements = HashMap::new();
        for element in list {
            if let Some(key) = of(keys, element) {
                elements.entry(key).or_insert(element);
            }
        }
        Some(ByKeys { keys, elements })
    }
}

/// The first element of each name.
pub(super) struct ByKeys<'v> {
    keys: &'v [String],
    elements: HashMap<Vec<Key<'v>>, &'v Value>,
}

impl<'v> ByKeys<'v> {
    /// The element that has the same keys.
    pub(super) fn get(&self, element: &Value) -> Option<&'v Value> {
        self.elements.get(&of(self.keys, element)?).copied()
    }
}

/// What names an element, if it has a name.
fn of<'v>(keys: &[String], element: &'v Value) -> Option<Vec<Key<'v>>> {
    let key = |key| match element.get(key)? {
        // Of several keys each is written down, and a number not with all that is behind its point.
        Value::Number(number) if keys.len() > 1 && !number.is_i64() && !number.is_u64() => {
            Some(Key::Rounded(format!("{:.6}", number.as_f64()?)))
        }
        value @ (Value::Bool(_) | Value::Number(_) | Value::String(_)) => Some(Key::Said(value)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    keys.iter().map(key).collect()
}

/// One key of an element.
#[derive(PartialEq, Eq, Hash)]
enum Key<'v> {
    Said(&'v Value),
    Rounded(String),
}
