//! Whole numbers that are written with a fraction, as `1.0`: they are judged as they are written, and kept without it.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::numbers::whole;
use super::taken::{Slot, Taken};

/// The numbers that were written so, and where.
pub(crate) struct Fractions(Taken<Number>);

impl Fractions {
    /// Takes the fractions out of a value.
    pub(crate) fn take(value: &mut Value) -> Self {
        // Nearly all objects have none.
        Self(match is_anywhere_in(value) {
            true => take(value),
            false => Taken::default(),
        })
    }

    /// Whether there are any but in the metadata, and in the status where that `is_apart`.
    pub(crate) fn are_in_the_rest(&self, is_apart: bool) -> bool {
        let mut fields = self.0.fields();
        fields.any(|(name, _)| name != "metadata" && (name != "status" || !is_apart))
    }

    /// The value with the fractions that it had, where it still is what it was.
    pub(crate) fn put_back<'v>(&self, value: &'v Value) -> Cow<'v, Value> {
        if self.0.is_none() {
            return Cow::Borrowed(value);
        }
        let mut value = value.clone();
        self.0.put_back(&mut value, &mut |slot, written| {
            let kept = match slot {
                Slot::Field(fields, name) => fields.get_mut(name),
                Slot::Element(element) => Some(element),
            };
            if let Some(kept) = kept
                && kept.as_i64().is_some()
                && kept.as_i64() == whole(written)
            {
                *kept = written.clone().into();
            }
        });
        Cow::Owned(value)
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

fn take(value: &mut Value) -> Taken<Number> {
    let mut taken = Taken::default();
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(whole) = whole(number) {
                taken = Taken::whole(number.clone());
                *value = whole.into();
            }
        }
        Value::Array(elements) => {
            for (at, element) in elements.iter_mut().enumerate() {
                taken.put_at(at, take(element));
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                taken.put(name, take(field));
            }
        }
        _ => {}
    }
    taken
}
