//! What list types demand of the elements.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cause::Causes;
use super::{Additional, Fractions, ListType, Reason, Schema};
use crate::patch::go;
use crate::path::Path;

impl Schema {
    /// What list types demand: elements that are told apart by their value or their keys.
    pub(super) fn check_lists(&self, value: &Value, path: Path<'_>, causes: &mut Causes<'_>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match (self.properties.get(name), &self.additional) {
                        (Some(field), _) => field.check_lists(value, path.name(name), causes),
                        (None, Additional::Values(values)) => {
                            values.check_lists(value, path.entry(name), causes)
                        }
                        _ => {}
                    }
                }
            }
            Value::Array(elements) => {
                // One element that is no object is told of, and then nothing of what tells them apart.
                let strange = self.first_without_keys(elements);
                let (mut seen, mut told) = (BTreeSet::new(), BTreeSet::new());
                for (at, element) in elements.iter().enumerate() {
                    let path = path.at(at);
                    let name = match (&self.list, element) {
                        (ListType::Atomic, _) | (ListType::Map(_), Value::Null) => None,
                        (ListType::Set, _) => Some(alone(element)),
                        (ListType::Map(_), _) if strange.is_some_and(|strange| strange != at) => {
                            None
                        }
                        (ListType::Map(keys), Value::Object(fields)) if keys.len() == 1 => {
                            // The one key is told apart as a value is.
                            let key = keys.first().and_then(|key| Some((key, fields.get(key)?)));
                            Some(match key {
                                Some((key, value)) => {
                                    let (name, shown) = alone(value);
                                    (name, format!("{{{key:?}:{shown}}}"))
                                }
                                None => (String::new(), "{}".to_owned()),
                            })
                        }
                        (ListType::Map(keys), Value::Object(fields)) => {
                            let key = |key: &String| Some((key.clone(), fields.get(key)?.clone()));
                            Some(named(keys.iter().filter_map(key).collect()))
                        }
                        (ListType::Map(_), _) => {
                            causes.add(
                                Reason::Invalid,
                                path,
                                format_args!(
                                    "Invalid value: {element}: must be an object for an array of list-type map"
                                ),
                            );
                            None
                        }
                    };
                    if let Some((name, shown)) = name
                        && !seen.insert(name.clone())
                        && told.insert(name)
                    {
                        causes.add(
                            Reason::Duplicate,
                            path,
                            format_args!("Duplicate value: {shown}"),
                        );
                    }
                    if let Some(items) = &self.items {
                        items.check_lists(element, path, causes);
                    }
                }
            }
            _ => {}
        }
    }

    /// The first element of a list with keys that can have none.
    fn first_without_keys(&self, elements: &[Value]) -> Option<usize> {
        let has_none = |element: &Value| !element.is_object() && !element.is_null();
        match self.list {
            ListType::Map(_) => elements.iter().position(has_none),
            _ => None,
        }
    }
}

/// What tells a value from others, and how it is shown.
fn alone(value: &Value) -> (String, String) {
    match value {
        // Two zeros are the same.
        Value::Number(number) if number.is_f64() && number.as_f64() == Some(0.0) => {
            ("0.0".to_owned(), go::number(number))
        }
        Value::Number(number) => (number.to_string(), go::number(number)),
        value => named(value.clone()),
    }
}

/// What tells an element from others, and how it is shown. `1.0` is another number than `1`, and not so within something.
fn named(mut element: Value) -> (String, String) {
    Fractions::take(&mut element);
    let name = element.to_string();
    (name.clone(), name)
}
