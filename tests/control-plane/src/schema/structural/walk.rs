//! What a schema must not say anywhere, wherever it stands.

use serde_json::Value;

use super::{EMBEDDED, Found, OF_ALL, PRESERVE, branches, fields, flag, quoted, text};
use crate::path::Path;
use crate::schema::Reason;

/// The types that a schema may have.
pub(super) const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// Where a schema stands.
#[derive(Clone)]
pub(super) struct Within {
    is_root: bool,
    /// What every object has is above it.
    in_metadata: bool,
    /// Why nothing has a default here.
    no_defaults: Option<String>,
}

impl Within {
    pub(super) fn root() -> Self {
        Self {
            is_root: true,
            in_metadata: false,
            no_defaults: None,
        }
    }
}

impl Found<'_> {
    /// A schema and all below it.
    pub(super) fn walk(&mut self, schema: &Value, at: Path<'_>, within: &Within) {
        self.node(schema, at, within);
        if flag(schema, "uniqueItems") {
            let why =
                "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
            self.forbid(at, ".uniqueItems", why);
        }
        let below = Within {
            is_root: false,
            ..within.clone()
        };
        let has_fields = fields(schema, "properties").next().is_some();
        if let Some(values) = schema
            .get("additionalProperties")
            .filter(|said| !said.is_null())
        {
            if has_fields && *values != Value::Bool(true) {
                let why = "additionalProperties and properties are mutual exclusive";
                self.forbid(at, ".additionalProperties", why);
            }
            let mut below = below.clone();
            if below.in_metadata {
                let why = "inside additionalProperties applying to object metadata";
                below.no_defaults = Some(why.to_owned());
            }
            if values.is_object() {
                self.walk(values, at.name("additionalProperties"), &below);
            }
        }
        let is_whole = within.is_root || flag(schema, EMBEDDED);
        for (name, field) in fields(schema, "properties") {
            let mut below = below.clone();
            if is_whole && OF_ALL.contains(&name.as_str()) {
                below.in_metadata = true;
                if within.is_root {
                    below.no_defaults = Some(format!("in top-level {name}"));
                }
            }
            self.walk(field, at.name("properties").entry(name), &below);
        }
        for (name, branch) in branches(schema) {
            self.walk(branch, at.name(&name), &below);
        }
        for (name, definition) in fields(schema, "definitions") {
            self.walk(definition, at.name("definitions").entry(name), &below);
        }
        match schema.get("items") {
            Some(Value::Array(items)) => {
                for (index, items) in items.iter().enumerate() {
                    self.walk(items, at.name("items").at(index), &below);
                }
            }
            Some(items) => self.walk(items, at.name("items"), &below),
            None => {}
        }
        for (name, dependency) in fields(schema, "dependencies") {
            self.walk(dependency, at.name("dependencies").entry(name), &below);
        }
        self.map(schema, at);
        self.list(schema, at);
        self.rules(schema, at);
    }

    /// What is not supported.
    fn node(&mut self, schema: &Value, at: Path<'_>, within: &Within) {
        let said = |name: &str| schema.get(name).filter(|said| !said.is_null());
        let kind = text(schema, "type");
        if !kind.is_empty() && !TYPES.contains(&kind) {
            let known = quoted(&TYPES);
            let message = format!("Unsupported value: {kind:?}: supported values: {known}");
            self.add(Reason::NotSupported, at, ".type", &message);
        }
        if let Some(why) = within
            .no_defaults
            .as_ref()
            .filter(|_| said("default").is_some())
        {
            self.forbid(at, ".default", format_args!("must not be set {why}"));
        }
        let unsupported = [
            ("id", !text(schema, "id").is_empty()),
            ("additionalItems", said("additionalItems").is_some()),
            (
                "patternProperties",
                fields(schema, "patternProperties").next().is_some(),
            ),
            (
                "definitions",
                fields(schema, "definitions").next().is_some(),
            ),
            ("dependencies", said("dependencies").is_some()),
            ("$ref", said("$ref").is_some()),
        ];
        for (name, _) in unsupported.into_iter().filter(|(_, is_said)| *is_said) {
            self.forbid(
                at,
                &format!(".{name}"),
                format_args!("{name} is not supported"),
            );
        }
        if kind == "null" {
            let why = "type cannot be set to null, use nullable as an alternative";
            self.forbid(at, ".type", why);
        }
        if said("items")
            .and_then(Value::as_array)
            .is_some_and(|items| !items.is_empty())
        {
            self.forbid(
                at,
                ".items",
                "items must be a schema object and not an array",
            );
        }
        if within.in_metadata && flag(schema, EMBEDDED) {
            let why = "must not be used inside of resource meta";
            self.forbid(at, &format!(".{EMBEDDED}"), why);
        }
    }

    /// What is kept of what is unknown, and the type of a map.
    fn map(&mut self, schema: &Value, at: Path<'_>) {
        if schema.get(PRESERVE) == Some(&Value::Bool(false)) {
            let message = "Invalid value: false: must be true or undefined";
            self.add(Reason::Invalid, at, &format!(".{PRESERVE}"), message);
        }
        let map_type = "x-kubernetes-map-type";
        let Some(said) = schema.get(map_type).and_then(Value::as_str) else {
            return;
        };
        let kind = text(schema, "type");
        if kind != "object" {
            let must = "must be object if x-kubernetes-map-type is specified";
            self.unless_said(kind, at, ".type", must);
        }
        if !matches!(said, "atomic" | "granular") {
            let known = quoted(&["atomic", "granular"]);
            let message = format!("Unsupported value: {said:?}: supported values: {known}");
            self.add(Reason::NotSupported, at, &format!(".{map_type}"), &message);
        }
    }
}
