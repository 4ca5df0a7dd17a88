//! Takes out the fields that a schema does not declare.

use std::sync::LazyLock;

use serde_json::Value;

use super::{Additional, Kind, Schema};

/// The schema of what has no place in another.
static NOTHING: LazyLock<Schema> = LazyLock::new(Schema::default);

impl Schema {
    /// Removes the unknown fields, and says their paths as the API server's field validation words them: `spec.foo`,
    /// `spec.ports[0].foo`.
    pub(crate) fn prune(&self, object: &mut Value) -> Vec<String> {
        let mut unknown = Vec::new();
        self.prune_below(object, "", &mut unknown);
        if self.type_name().is_some() {
            return unknown;
        }
        // Of a custom resource metadata is read first of all, and that of whole objects in it last.
        let of_metadata = |path: &String| path.starts_with("metadata.");
        let (mut told, mut rest): (Vec<String>, Vec<String>) =
            unknown.into_iter().partition(of_metadata);
        told.append(&mut rest);
        self.prune_metadata(object, "", &mut told);
        told
    }

    /// Removes what is unknown of the metadata of whole objects in a value, and nothing else.
    pub(super) fn prune_metadata(&self, value: &mut Value, path: &str, unknown: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields.iter_mut() {
                    let path = self.below(path, name);
                    match self.field(name) {
                        Some(field) if self.embedded && name == "metadata" => {
                            field.prune_below(value, &path, unknown);
                        }
                        Some(field) => field.prune_metadata(value, &path, unknown),
                        None => {}
                    }
                }
            }
            Value::Array(elements) => {
                for (at, element) in elements.iter_mut().enumerate() {
                    let path = format!("{path}[{at}]");
                    self.element().prune_metadata(element, &path, unknown);
                }
            }
            _ => {}
        }
    }

    fn prune_below(&self, value: &mut Value, path: &str, unknown: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                // Of a built-in kind the decoder refuses what is no object here.
                if self.type_name().is_some() && self.target().kind != Some(Kind::Object) {
                    return;
                }
                let below = |name: &str| match path {
                    "" => name.to_owned(),
                    _ => format!("{path}.{name}"),
                };
                fields.retain(|name, value| match self.field(name) {
                    Some(_) if self.embedded && name == "metadata" => true,
                    Some(field) => {
                        field.prune_below(value, &below(name), unknown);
                        true
                    }
                    None => {
                        unknown.push(below(name));
                        false
                    }
                });
            }
            Value::Array(elements) => {
                let schema = self.known_element();
                for (at, element) in elements.iter_mut().enumerate() {
                    schema.prune_below(element, &format!("{path}[{at}]"), unknown);
                }
            }
            _ => {}
        }
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
