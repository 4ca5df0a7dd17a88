//! The default that a schema has, which has to be one of its values.

use serde_json::{Value, json};

use super::walk::TYPES;
use super::{EMBEDDED, Found, OF_ALL, fields, flag, text};
use crate::path::Path;
use crate::schema::validate::{NO_FIELD, type_of};
use crate::schema::{Cause, Reason, Schema};

/// Where a default stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum In<'n> {
    Root,
    Spec,
    /// It is one of the fields that every object has.
    Whole(&'n str),
    Metadata,
}

impl Found<'_> {
    /// The defaults of a whole schema, whose own is an object that nobody gets.
    pub(super) fn defaults(&mut self, schema: &Value, at: Path<'_>) {
        self.default(schema, at, In::Root);
        self.below(schema, at, true, false);
    }

    /// The defaults of what has a name or a place; those of a map are of nobody.
    fn below(&mut self, schema: &Value, at: Path<'_>, is_whole: bool, in_metadata: bool) {
        let mut one = |field: &Value, at: Path<'_>, within: In<'_>| {
            let is_whole = flag(field, EMBEDDED);
            let within = if is_whole { In::Spec } else { within };
            self.default(field, at, within);
            self.below(field, at, is_whole, within != In::Spec);
        };
        let below = if in_metadata { In::Metadata } else { In::Spec };
        if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
            one(items, at.name("items"), below);
        }
        for (name, field) in fields(schema, "properties") {
            let of_all = is_whole && OF_ALL.contains(&name.as_str());
            let within = if of_all { In::Whole(name) } else { below };
            one(field, at.name("properties").entry(name), within);
        }
    }

    /// The default of a node.
    fn default(&mut self, schema: &Value, at: Path<'_>, within: In<'_>) {
        let Some(default) = schema.get("default").filter(|default| !default.is_null()) else {
            return;
        };
        let mut read = Schema::of(schema);
        if within == In::Root {
            read.become_whole();
        }
        let mut known = default.clone();
        read.prune_metadata(&mut known);
        if let In::Whole(name) = within
            && let Err(why) = in_whole(schema, name, default)
        {
            let message = format!("Invalid value: {default}: must result in valid metadata: {why}");
            return self.add(Reason::Invalid, at, ".default", &message);
        }
        // Metadata may say more than is known.
        let is_known = matches!(within, In::Root | In::Spec);
        if is_known && !read.prune(&mut known.clone()).is_none() {
            let message = format!("Invalid value: {default}: must not have unknown fields");
            self.add(Reason::Invalid, at, ".default", &message);
        }
        let kind = text(schema, "type");
        if !kind.is_empty() && !TYPES.contains(&kind) {
            let got = type_of(default).0;
            let message =
                format!("Invalid value: {got:?}:  in body must be of type {kind}: {got:?}");
            self.add(Reason::TypeInvalid, at, ".default", &message);
        }
        if let Some(schema) = without_either(schema) {
            read = Schema::of(&schema);
            if within == In::Root {
                read.become_whole();
            }
        }
        for cause in wrong(&read, &mut known) {
            let below = match cause.field.as_str() {
                "" | NO_FIELD => ".default".to_owned(),
                field if field.starts_with('[') => format!(".default{field}"),
                field => format!(".default.{}", field.trim_start_matches('.')),
            };
            self.add(cause.reason, at, &below, &cause.message);
        }
    }
}

/// A schema without the types of what is a number or a text, if it has any: a real server does not look at these where they
/// are defaults.
fn without_either(schema: &Value) -> Option<Value> {
    const EITHER: &str = "x-kubernetes-int-or-string";
    fn is_anywhere_in(schema: &Value) -> bool {
        flag(schema, EITHER) || below(schema).any(is_anywhere_in)
    }
    fn below(schema: &Value) -> impl Iterator<Item = &Value> {
        let own = ["items", "additionalProperties"].into_iter();
        own.filter_map(|field| schema.get(field))
            .chain(fields(schema, "properties").map(|(_, field)| field))
    }
    fn forget(schema: &mut Value) {
        let Some(map) = schema.as_object_mut() else {
            return;
        };
        map.remove(EITHER);
        for field in ["items", "additionalProperties"] {
            if let Some(schema) = map.get_mut(field) {
                forget(schema);
            }
        }
        if let Some(Value::Object(properties)) = map.get_mut("properties") {
            properties.values_mut().for_each(forget);
        }
    }
    is_anywhere_in(schema).then(|| {
        let mut schema = schema.clone();
        forget(&mut schema);
        schema
    })
}

/// Whether an object can be read that has such a field by default.
fn in_whole(schema: &Value, name: &str, default: &Value) -> Result<(), String> {
    let schema = json!({
        "type": "object", EMBEDDED: true, "properties": {name: schema},
    });
    let mut object = json!({"apiVersion": "validation/v1", "kind": "Validation"});
    object[name] = default.clone();
    Schema::of(&schema).read_wholes(&mut object)
}

/// What is wrong with a default, as far as it is looked at.
fn wrong(schema: &Schema, default: &mut Value) -> Vec<Cause> {
    if let Err(why) = schema.read_wholes(default) {
        let (field, message) = why.split_once(": ").unwrap_or(("", &why));
        return vec![Cause::new(Reason::Invalid, field, message)];
    }
    let of_wholes = schema.validate_wholes(default);
    if !of_wholes.is_empty() {
        return of_wholes;
    }
    let mut causes = schema.validate_values(default);
    // What a real server takes from its validator has a dot before it in any case.
    for cause in &mut causes {
        if cause.field.starts_with('[') {
            cause.field.insert(0, '.');
        }
    }
    causes
}
