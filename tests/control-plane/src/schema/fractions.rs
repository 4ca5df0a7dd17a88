//! Whole numbers that are written with a fraction, as `1.0`: they are judged as they are written, and kept without it.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::numbers::whole;

/// The numbers that were written so, and where.
pub(crate) struct Fractions(Vec<(String, Number)>);

impl Fractions {
    /// Takes the fractions out of a value.
    pub(crate) fn take(value: &mut Value) -> Self {
        let mut found = Vec::new();
        // Nearly all objects have none.
        if is_anywhere_in(value) {
            take(value, "", &mut found);
        }
        Self(found)
    }

    /// The value with the fractions that it had, where it still is what it was.
    pub(crate) fn put_back<'v>(&self, value: &'v Value) -> Cow<'v, Value> {
        let mut value = Cow::Borrowed(value);
        for (pointer, written) in &self.0 {
            let is_kept = |kept: &Value| kept.as_i64().is_some() && kept.as_i64() == whole(written);
            if value.pointer(pointer).is_some_and(is_kept)
                && let Some(kept) = value.to_mut().pointer_mut(pointer)
            {
                *kept = written.clone().into();
            }
        }
        value
    }
}

fn is_anywhere_in(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(elements) => elements.iter().any(is_anywhere_in),
        Value::Object(fields) => fields.values().any(is_anywhere_in),
        _ => false,
    }
}

fn take(value: &mut Value, pointer: &str, found: &mut Vec<(String, Number)>) {
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(whole) = whole(number) {
                found.push((pointer.to_owned(), number.clone()));
                *value = whole.into();
            }
        }
        Value::Array(elements) => {
            for (at, element) in elements.iter_mut().enumerate() {
                take(element, &format!("{pointer}/{at}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                take(field, &format!("{pointer}/{name}"), found);
            }
        }
        _ => {}
    }
}
