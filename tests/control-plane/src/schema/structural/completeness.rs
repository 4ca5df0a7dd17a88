//! What is validated is also specified: every value that a branch looks at has its place in the structure.

use serde_json::Value;

use super::{Found, branches, fields};
use crate::path::Path;

impl Found<'_> {
    /// The branches of a schema, beside the node of the structure that they are about, if there is one.
    pub(super) fn completeness(
        &mut self,
        schema: &Value,
        node: Option<&Value>,
        at_node: Path<'_>,
        at: Path<'_>,
    ) {
        for (name, branch) in branches(schema) {
            self.branch(branch, node, at_node, at.name(&name));
        }
    }

    fn branch(&mut self, branch: &Value, node: Option<&Value>, at_node: Path<'_>, at: Path<'_>) {
        let Some(node) = node else {
            return self.require(at_node, "", format_args!("because it is defined in {at}"));
        };
        self.completeness(branch, Some(node), at_node, at);
        let is_schema = |items: &&Value| items.is_object();
        if let Some(items) = branch.get("items").filter(is_schema) {
            let of_node = node.get("items").filter(is_schema);
            self.branch(items, of_node, at_node.name("items"), at.name("items"));
        }
        for (name, field) in fields(branch, "properties") {
            let of_node = node.get("properties").and_then(|fields| fields.get(name));
            let (fields_of_node, fields) = (at_node.name("properties"), at.name("properties"));
            self.branch(
                field,
                of_node,
                fields_of_node.entry(name),
                fields.entry(name),
            );
        }
    }
}
