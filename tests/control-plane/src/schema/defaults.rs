//! Fills in the defaults of a schema.

use serde_json::Value;

use super::Schema;

impl Schema {
    /// Sets every missing field that has a default, and drops each `null` that its field may not be.
    pub(crate) fn apply_defaults(&self, value: &mut Value) {
        self.set_defaults(value, |_| true);
    }

    /// The same of what was applied: a `null` counts, unless a default takes its place.
    pub(crate) fn apply_defaults_to_applied(&self, value: &mut Value) {
        self.set_defaults(value, |field| field.default.is_some());
    }

    fn set_defaults(&self, value: &mut Value, drops_null: fn(&Self) -> bool) {
        match value {
            Value::Object(fields) => {
                fields.retain(|name, value| {
                    let dropped = |field: &Self| !field.target().nullable && drops_null(field);
                    !value.is_null() || !self.field(name).is_some_and(dropped)
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
                        field.set_defaults(value, drops_null);
                    }
                }
            }
            Value::Array(elements) => {
                for element in elements {
                    self.element().set_defaults(element, drops_null);
                }
            }
            _ => {}
        }
    }
}
