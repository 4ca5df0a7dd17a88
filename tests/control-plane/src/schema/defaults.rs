//! Fills in the defaults of a schema.

use serde_json::Value;

use super::Schema;

impl Schema {
    /// Sets every missing field that has a default, and drops each `null` that its field may not be, or puts the default in
    /// its place.
    pub(crate) fn apply_defaults(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields.iter_mut() {
                    if let Some(field) = self.field(name) {
                        field.replace_null(value);
                    }
                }
                fields.retain(|name, value| {
                    let is_taken = |field: &Self| field.target().nullable;
                    !value.is_null() || self.field(name).is_none_or(is_taken)
                });
                // What a CRD adds to the metadata is not of its type.
                let added = self.refers.is_some().then_some(&self.properties);
                let declared = self.target().properties.iter();
                for (name, field) in declared.chain(added.into_iter().flatten()) {
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
                    self.element().replace_null(element);
                    self.element().apply_defaults(element);
                }
            }
            _ => {}
        }
    }

    fn replace_null(&self, value: &mut Value) {
        if let (true, false, Some(default)) =
            (value.is_null(), self.target().nullable, &self.default)
        {
            *value = default.clone();
        }
    }
}
