//! The default that a schema has, which has to be one of its values.

use serde_json::Value;

use super::{Found, fields};
use crate::schema::{Cause, Reason, Schema};

impl Found {
    /// The default of a node; that of the root is a whole object, which nobody gets.
    pub(super) fn default(&mut self, schema: &Value, at: &str, is_root: bool) {
        let Some(default) = schema.get("default").filter(|default| !default.is_null()) else {
            return;
        };
        let mut read = Schema::of(schema);
        if is_root {
            read.become_whole();
        }
        let mut known = default.clone();
        read.prune_metadata(&mut known, "", &mut Vec::new());
        if !read.prune(&mut known).is_empty() {
            let message = format!("Invalid value: {default}: must not have unknown fields");
            self.add(Reason::Invalid, at, ".default", &message);
        }
        for cause in wrong(&read, &mut known) {
            let below = match cause.field.trim_start_matches('.') {
                "" | "<nil>" => ".default".to_owned(),
                field => format!(".default.{field}"),
            };
            self.add(cause.reason, at, &below, &cause.message);
        }
    }

    /// Of what every object has nothing has a default.
    pub(super) fn no_defaults(&mut self, schema: &Value, at: &str, of: &str) {
        if schema.get("default").is_some_and(|said| !said.is_null()) {
            let message = format!("Forbidden: must not be set in top-level {of}");
            self.add(Reason::Forbidden, at, ".default", &message);
        }
        for (name, field) in fields(schema, "properties") {
            self.no_defaults(field, &format!("{at}.properties[{name}]"), of);
        }
    }
}

/// What is wrong with a default, as far as it is looked at.
fn wrong(schema: &Schema, default: &mut Value) -> Vec<Cause> {
    if let Err(why) = schema.read_wholes(default, "") {
        let (field, message) = why.split_once(": ").unwrap_or(("", &why));
        return vec![Cause::new(Reason::Invalid, field, message)];
    }
    let causes = schema.validate_wholes(default);
    match causes.is_empty() {
        true => schema.validate_values(default),
        false => causes,
    }
}
