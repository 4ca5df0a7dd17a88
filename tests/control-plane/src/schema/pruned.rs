//! What an apply said of a custom resource that its schema does not know, or that may not be `null`: it is judged with it,
//! and kept without it.

use std::borrow::Cow;

use serde_json::Value;

use super::taken::{Slot, Taken};

/// What was taken out of an object.
#[derive(Default)]
pub(crate) struct Pruned(Taken<Value>);

impl Pruned {
    /// What an object had when it was `whole`. Its metadata is read on its own, and not looked at.
    pub(crate) fn of(whole: Value, object: &Value) -> Self {
        let mut taken = between(whole, object);
        taken.retain_fields(|name| name != "metadata");
        Self(taken)
    }

    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Keeps what is of the status, or what is not.
    pub(crate) fn keep(&mut self, status: bool) {
        self.0.retain_fields(|name| (name == "status") == status);
    }

    /// The object with what it had, where there is still a place for it.
    pub(crate) fn put_back<'v>(&self, object: &'v Value) -> Cow<'v, Value> {
        if self.is_none() {
            return Cow::Borrowed(object);
        }
        let mut object = object.clone();
        self.0.put_back(&mut object, &mut |slot, taken| {
            if let Slot::Field(fields, name) = slot {
                fields.insert(name.to_owned(), taken.clone());
            }
        });
        Cow::Owned(object)
    }
}

fn between(whole: Value, kept: &Value) -> Taken<Value> {
    let mut taken = Taken::default();
    match (whole, kept) {
        (Value::Object(whole), Value::Object(kept)) => {
            for (name, value) in whole {
                let of_field = match kept.get(&name) {
                    Some(kept) => between(value, kept),
                    None => Taken::whole(value),
                };
                taken.put(&name, of_field);
            }
        }
        (Value::Array(whole), Value::Array(kept)) => {
            for (at, (value, kept)) in whole.into_iter().zip(kept).enumerate() {
                taken.put_at(at, between(value, kept));
            }
        }
        _ => {}
    }
    taken
}
