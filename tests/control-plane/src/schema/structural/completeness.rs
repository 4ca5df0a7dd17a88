//! What is validated is also specified: every value that a branch looks at has its place in the structure.

use serde_json::Value;

use super::{Found, branches, fields};

impl Found {
    /// The branches of a schema, beside the node of the structure that they are about, if there is one.
    pub(super) fn completeness(
        &mut self,
        schema: &Value,
        node: Option<&Value>,
        at_node: &str,
        at: &str,
    ) {
        for (name, branch) in branches(schema) {
            self.branch(branch, node, at_node, &format!("{at}.{name}"));
        }
    }

    fn branch(&mut self, branch: &Value, node: Option<&Value>, at_node: &str, at: &str) {
        let Some(node) = node else {
            return self.require(at_node, "", &format!("because it is defined in {at}"));
        };
        self.completeness(branch, Some(node), at_node, at);
        let is_schema = |items: &&Value| items.is_object();
        if let Some(items) = branch.get("items").filter(is_schema) {
            let (at_node, at) = (format!("{at_node}.items"), format!("{at}.items"));
            self.branch(items, node.get("items").filter(is_schema), &at_node, &at);
        }
        for (name, field) in fields(branch, "properties") {
            let below = format!(".properties[{name}]");
            let (at_node, at) = (format!("{at_node}{below}"), format!("{at}{below}"));
            let of_node = fields(node, "properties").find(|(known, _)| *known == name);
            self.branch(field, of_node.map(|(_, field)| field), &at_node, &at);
        }
    }
}
