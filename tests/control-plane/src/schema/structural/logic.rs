//! What only validates values: the schemas under allOf, anyOf, oneOf and not.

use serde_json::Value;

use super::{Found, NO_LIST, fields};
use crate::schema::Reason;

/// What must not be said where only values are validated, below allOf, anyOf, oneOf and not; and what it has to be.
const STRUCTURE: [(&str, &str); 12] = [
    ("additionalProperties", "undefined"),
    ("default", "undefined"),
    ("description", "empty"),
    ("nullable", "false"),
    ("title", "empty"),
    ("type", "empty"),
    ("x-kubernetes-embedded-resource", "false"),
    ("x-kubernetes-int-or-string", "false"),
    ("x-kubernetes-list-map-keys", "empty"),
    ("x-kubernetes-list-type", "undefined"),
    ("x-kubernetes-map-type", "undefined"),
    ("x-kubernetes-preserve-unknown-fields", "false"),
];

impl Found {
    /// What only validates values below a node. A number or a text is told apart by types in two forms, and in no other.
    pub(super) fn branches(&mut self, schema: &Value, at: &str, is_node: bool) {
        let either = serde_json::json!([{"type": "integer"}, {"type": "string"}]);
        let tells_apart = |schema: &Value| schema.get("anyOf") == Some(&either);
        for (name, branch) in branches(schema) {
            let at = format!("{at}.{name}");
            if is_node && name.starts_with("anyOf") && tells_apart(schema) {
                continue;
            }
            if is_node && name == "allOf[0]" && tells_apart(branch) {
                let mut rest = branch.clone();
                if let Some(fields) = rest.as_object_mut() {
                    fields.remove("anyOf");
                }
                self.logic(&rest, &at);
                continue;
            }
            self.logic(branch, &at);
        }
    }

    /// A schema that only validates values.
    fn logic(&mut self, schema: &Value, at: &str) {
        for (name, must) in STRUCTURE {
            let said = schema.get(name).filter(|said| **said != Value::Bool(false));
            if said.is_some_and(|said| *said != "") {
                let message = format!("Forbidden: must be {must} to be structural");
                self.add(Reason::Forbidden, at, &format!(".{name}"), &message);
            }
        }
        self.values(schema, at);
        for (name, field) in fields(schema, "properties") {
            self.logic(field, &format!("{at}.properties[{name}]"));
        }
        match schema.get("items") {
            Some(Value::Array(_)) => self.add(Reason::Forbidden, at, ".items", NO_LIST),
            Some(items) => self.logic(items, &format!("{at}.items")),
            None => {}
        }
        self.branches(schema, at, false);
    }
}

/// The schemas under allOf, anyOf, oneOf and not, with their places.
fn branches(schema: &Value) -> Vec<(String, &Value)> {
    let mut branches: Vec<_> = schema
        .get("not")
        .map(|not| ("not".to_owned(), not))
        .into_iter()
        .collect();
    for name in ["allOf", "anyOf", "oneOf"] {
        let list = schema
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        branches.extend(
            list.enumerate()
                .map(|(at, branch)| (format!("{name}[{at}]"), branch)),
        );
    }
    branches
}
