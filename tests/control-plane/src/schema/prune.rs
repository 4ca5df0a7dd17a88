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

    fn prune_below(&self, value: &mut Value, path: &str, unknown: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                // Where a scalar is expected there is nothing to know about fields: validation refuses it.
                if !matches!(self.target().kind, None | Some(Kind::Object)) {
                    return;
                }
                let below = |name: &str| match path {
                    "" => name.to_owned(),
                    _ => format!("{path}.{name}"),
                };
                fields.retain(|name, _| {
                    let known = self.field(name).is_some();
                    if !known {
                        unknown.push(below(name));
                    }
                    known
                });
                for (name, value) in fields.iter_mut() {
                    if let Some(field) = self.field(name) {
                        field.prune_below(value, &below(name), unknown);
                    }
                }
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
