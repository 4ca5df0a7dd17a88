//! Takes out the fields that a schema does not declare.

use std::sync::LazyLock;

use serde_json::Value;

use super::surplus::{Surplus, Unknown};
use super::{Additional, Kind, Schema};

/// The schema of what has no place in another.
static NOTHING: LazyLock<Schema> = LazyLock::new(Schema::default);

impl Schema {
    /// Removes the unknown fields, and says which they were.
    pub(crate) fn prune(&self, object: &mut Value) -> Surplus {
        let fields = self.prune_below(object);
        let of_wholes = match self.type_name() {
            Some(_) => Unknown::default(),
            None => self.prune_metadata(object),
        };
        Surplus { fields, of_wholes }
    }

    /// Removes what is unknown of the metadata of whole objects in a value, and nothing else.
    pub(super) fn prune_metadata(&self, value: &mut Value) -> Unknown {
        let mut unknown = Unknown::default();
        match value {
            Value::Object(fields) => {
                for (name, value) in fields.iter_mut() {
                    let below = match self.field(name) {
                        Some(field) if self.embedded && name == "metadata" => {
                            field.prune_below(value)
                        }
                        Some(field) => field.prune_metadata(value),
                        None => continue,
                    };
                    unknown.put_below(name, below);
                }
            }
            Value::Array(elements) => {
                for (at, element) in elements.iter_mut().enumerate() {
                    unknown.put_at(at, self.element().prune_metadata(element));
                }
            }
            _ => {}
        }
        unknown
    }

    fn prune_below(&self, value: &mut Value) -> Unknown {
        let mut unknown = Unknown::default();
        match value {
            Value::Object(fields) => {
                // Of a built-in kind the decoder refuses what is no object here.
                if self.type_name().is_some() && self.target().kind != Some(Kind::Object) {
                    return unknown;
                }
                fields.retain(|name, value| match self.field(name) {
                    Some(_) if self.embedded && name == "metadata" => true,
                    Some(field) => {
                        unknown.put_below(name, field.prune_below(value));
                        true
                    }
                    None => {
                        unknown.put(name);
                        false
                    }
                });
            }
            Value::Array(elements) => {
                let schema = self.known_element();
                for (at, element) in elements.iter_mut().enumerate() {
                    unknown.put_at(at, schema.prune_below(element));
                }
            }
            _ => {}
        }
        unknown
    }

    /// The schema of elements, of which nothing is known in what is no list.
    fn known_element(&self) -> &Schema {
        let this = self.target();
        let takes_all = this.preserve_unknown || matches!(this.additional, Additional::Anything);
        match (&this.items, takes_all || self.type_name().is_some()) {
            (None, false) => &NOTHING,
            _ => self.element(),
        }
    }
}
