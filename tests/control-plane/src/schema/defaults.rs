//! Fills in the defaults of a schema.

use serde_json::Value;

use super::Schema;
use crate::object;

/// How much of one object can be defaults, in bytes of JSON: as much as a request may say, and more than is stored. An
/// element that takes three bytes of a request can have defaults as long as a whole CRD.
const MOST: usize = 3 * 1024 * 1024;

impl Schema {
    /// Sets every missing field that has a default, and drops each `null` that its field may not be, or puts the default in
    /// its place. Says whether there was room for all of them.
    pub(crate) fn apply_defaults(&self, value: &mut Value) -> bool {
        let mut room = Some(MOST);
        self.fill(value, &mut room);
        room.is_some()
    }

    fn fill(&self, value: &mut Value, room: &mut Option<usize>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields.iter_mut() {
                    if let Some(field) = self.field(name) {
                        field.replace_null(value, room);
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
                    if fields.contains_key(name) {
                        continue;
                    }
                    if let Some(default) = field.default_within(room, name.len()) {
                        fields.insert(name.clone(), default);
                    }
                }
                for (name, value) in fields.iter_mut() {
                    if let Some(field) = self.field(name) {
                        field.fill(value, room);
                    }
                }
            }
            Value::Array(elements) => {
                for element in elements {
                    self.element().replace_null(element, room);
                    self.element().fill(element, room);
                }
            }
            _ => {}
        }
    }

    fn replace_null(&self, value: &mut Value, room: &mut Option<usize>) {
        if value.is_null()
            && !self.target().nullable
            && let Some(default) = self.default_within(room, 0)
        {
            *value = default;
        }
    }

    /// The default, as long as there is room for it and what is written around it.
    fn default_within(&self, room: &mut Option<usize>, around: usize) -> Option<Value> {
        let default = self.default.as_ref()?;
        let left = (*room)?;
        *room = left.checked_sub(object::length(default).saturating_add(around));
        room.map(|_| default.clone())
    }
}
