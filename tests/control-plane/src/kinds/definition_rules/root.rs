//! What the schema of a kind may say at its root if its status is a subresource: what is still true of the status alone.

use serde_json::Value;

use super::Found;
use crate::failure::Cause;
use crate::schema::shown;

/// What may be said there, as the server calls it.
const ALLOWED: [&str; 22] = [
    "Description",
    "Type",
    "Format",
    "Title",
    "Maximum",
    "ExclusiveMaximum",
    "Minimum",
    "ExclusiveMinimum",
    "MaxLength",
    "MinLength",
    "Pattern",
    "MaxItems",
    "MinItems",
    "UniqueItems",
    "MultipleOf",
    "Required",
    "Items",
    "Properties",
    "ExternalDocs",
    "Example",
    "XPreserveUnknownFields",
    "XValidations",
];

impl Found {
    /// Refuses the first thing at the root of a schema that its status would not keep.
    pub(super) fn root(&mut self, schema: &Value, at: &str) {
        let Some(first) = shown::said(schema).find(|name| !is_allowed(schema, name)) else {
            return;
        };
        if first == "Type" {
            let kind = schema.get("type").cloned().unwrap_or_default();
            let must = "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled";
            return self.invalid(&format!("{at}.type"), &kind, must);
        }
        let (shown, allowed) = (shown::shown(schema), ALLOWED.join(" "));
        let message = format!(
            "Invalid value: {shown}: only [{allowed}] fields are allowed at the root of the schema if the status \
             subresource is enabled"
        );
        let cause = Cause::new("FieldValueInvalid", at, message);
        self.wrong.push(cause);
    }
}

fn is_allowed(schema: &Value, name: &str) -> bool {
    match name {
        "Type" => schema.get("type").is_some_and(|kind| kind == "object"),
        name => ALLOWED.contains(&name),
    }
}
