//! Takes out the fields that a schema does not declare.

use serde_json::Value;

use super::{Kind, Schema};

impl Schema {
    /// Removes the unknown fields, and says their paths as the API server's field validation words them: `spec.foo`,
    /// `spec.ports[0].foo`.
    pub(crate) fn prune(&self, object: &mut Value) -> Vec<String> {
        let mut unknown = Vec::new();
        self.prune_below(object, "", &mut unknown);
        unknown
    }

    /// Removes what is unknown of the metadata of whole objects in a value, and nothing else.
    pub(super) fn prune_metadata(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields.iter_mut() {
                    match self.field(name) {
                        Some(field) if self.embedded && name == "metadata" => {
                            field.prune(value);
                        }
                        Some(field) => field.prune_metadata(value),
                        None => {}
                    }
                }
            }
            Value::Array(elements) => {
                for element in elements {
                    self.element().prune_metadata(element);
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
                for (at, element) in elements.iter_mut().enumerate() {
                    self.element()
                        .prune_below(element, &format!("{path}[{at}]"), unknown);
                }
            }
            _ => {}
        }
    }
}
