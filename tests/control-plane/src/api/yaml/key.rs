//! Keys, which are no texts always.

use serde_json::Value;

use super::number;
use super::scalar::Scalar;
use crate::patch::go;

pub(super) struct Key(Scalar);

impl Key {
    pub(super) fn of(scalar: Scalar) -> Self {
        Self(scalar)
    }

    /// The text that it is in JSON.
    pub(super) fn text(&self) -> String {
        match &self.0 {
            Scalar::Null => String::new(),
            Scalar::Bool(is_so) => is_so.to_string(),
            Scalar::Int(number) => number.to_string(),
            Scalar::Unsigned(number) => number.to_string(),
            Scalar::Float(number) => number::as_key(*number),
            Scalar::Text(text) => text.clone(),
        }
    }

    /// What no other key of a mapping may be; a number that is none is no key that is there.
    pub(super) fn identity(&self) -> Option<String> {
        match &self.0 {
            Scalar::Float(number) if number.is_nan() => None,
            Scalar::Float(number) => Some(format!("float64({number})")),
            _ => Some(self.shown()),
        }
    }

    /// As Go shows it: only a text has quotes.
    pub(super) fn shown(&self) -> String {
        match &self.0 {
            Scalar::Null => "interface {}(nil)".to_owned(),
            Scalar::Unsigned(number) => format!("{number:#x}"),
            Scalar::Text(text) => go::quoted(text),
            Scalar::Bool(_) | Scalar::Int(_) | Scalar::Float(_) => self.text(),
        }
    }

    /// Why JSON has no such key.
    pub(super) fn why_not_in_json(&self, value: &Value) -> Option<String> {
        let (kind, key) = match &self.0 {
            Scalar::Null => ("%!s(<nil>)", "<nil>".to_owned()),
            Scalar::Unsigned(_) => ("uint64", self.shown()),
            _ => return None,
        };
        let value = match value {
            Value::Null => "<nil>".to_owned(),
            value => shown(value),
        };
        Some(format!(
            "unsupported map key of type: {kind}, key: {key}, value: {value}"
        ))
    }
}

/// A value of YAML as Go shows it.
pub(super) fn shown(value: &Value) -> String {
    go::syntax(value, "interface {}")
}
