//! What an apply said of a custom resource that its schema does not know, or that may not be `null`: it is judged with it,
//! and kept without it.

use std::borrow::Cow;

use serde_json::Value;

/// The fields that were taken out, each with the place that it was in.
#[derive(Default)]
pub(crate) struct Pruned(Vec<Field>);

struct Field {
    parent: String,
    name: String,
    value: Value,
}

impl Pruned {
    /// What an object had when it was `whole`. Its metadata is read on its own, and not looked at.
    pub(crate) fn of(whole: &Value, object: &Value) -> Self {
        let mut found = Vec::new();
        compare(whole, object, "", &mut found);
        found.retain(|field| !is_in("metadata", field));
        Self(found)
    }

    pub(crate) fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps what is of the status, or what is not.
    pub(crate) fn keep(&mut self, status: bool) {
        self.0.retain(|field| is_in("status", field) == status);
    }

    /// The object with what it had, where there is still a place for it.
    pub(crate) fn put_back<'v>(&self, object: &'v Value) -> Cow<'v, Value> {
        let mut object = Cow::Borrowed(object);
        for field in &self.0 {
            if object.pointer(&field.parent).is_some_and(Value::is_object)
                && let Some(Value::Object(fields)) = object.to_mut().pointer_mut(&field.parent)
            {
                fields.insert(field.name.clone(), field.value.clone());
            }
        }
        object
    }
}

/// Whether a field is the one that is called so at the root, or below it.
fn is_in(root: &str, field: &Field) -> bool {
    match field.parent.split('/').nth(1) {
        Some(name) => name == root,
        None => field.name == root,
    }
}

fn compare(whole: &Value, object: &Value, pointer: &str, found: &mut Vec<Field>) {
    match (whole, object) {
        (Value::Object(whole), Value::Object(object)) => {
            for (name, value) in whole {
                match object.get(name) {
                    Some(kept) => {
                        let escaped = name.replace('~', "~0").replace('/', "~1");
                        compare(value, kept, &format!("{pointer}/{escaped}"), found);
                    }
                    None => found.push(Field {
                        parent: pointer.to_owned(),
                        name: name.clone(),
                        value: value.clone(),
                    }),
                }
            }
        }
        (Value::Array(whole), Value::Array(object)) => {
            for (at, (value, kept)) in whole.iter().zip(object).enumerate() {
                compare(value, kept, &format!("{pointer}/{at}"), found);
            }
        }
        _ => {}
    }
}
