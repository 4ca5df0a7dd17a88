//! Fills in the defaults of a schema.

use serde_json::Value;

use super::Schema;
use super::validate::whole;

impl Schema {
    /// Sets every missing field that has a default, drops each `null` that its field may not be, and writes whole
    /// numbers without a fraction.
    pub(crate) fn apply_defaults(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|name, value| {
                    !value.is_null() || self.field(name).is_none_or(|field| field.target().nullable)
                });
                for (name, field) in &self.target().properties {
                    if let (Some(default), false) = (&field.default, fields.contains_key(name)) {
                        fields.insert(name.clone(), default.clone());
                    }
                }
                for (name, value) in fields.iter_mut() {
                    if let Some(field) = self.field(name) {
                        field.apply_defaults(value);
                    }
                }
            }
            Value::Array(elements) => {
                for element in elements {
                    self.element().apply_defaults(element);
                }
            }
            Value::Number(number) if number.is_f64() => {
                if let Some(whole) = whole(number) {
                    *value = whole.into();
                }
            }
            _ => {}
        }
    }
}
