//! Whether a schema is structural, as the API server demands of a CustomResourceDefinition.

mod default;
mod lists;
mod logic;

use serde_json::{Map, Value};

use super::{Cause, Reason, pattern};
use crate::patch::go;

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// Where a value needs no type.
const UNTYPED: [&str; 3] = [
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
];
const NO_LIST: &str = "Forbidden: items must be a schema object and not an array";

/// Every reason for which a schema is refused; `at` is how the server names its place.
pub(super) fn check(schema: &Value, at: &str) -> Vec<Cause> {
    let mut found = Found {
        causes: Vec::new(),
        names_schema: false,
    };
    match schema
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
    {
        "" if UNTYPED.iter().any(|untyped| flag(schema, untyped)) => {}
        "" => found.add(
            Reason::Required,
            at,
            ".type",
            "Required value: must not be empty at the root",
        ),
        "object" => {}
        other => {
            let message = format!("Invalid value: {other:?}: must be object at the root");
            found.add(Reason::Invalid, at, ".type", &message);
        }
    }
    if schema
        .get("additionalProperties")
        .is_some_and(|additional| !additional.is_null())
    {
        found.add(
            Reason::Forbidden,
            at,
            ".additionalProperties",
            "Forbidden: must not be used at the root",
        );
    }
    if flag(schema, "nullable") {
        found.add(
            Reason::Forbidden,
            at,
            ".nullable",
            "Forbidden: nullable cannot be true at the root",
        );
    }
    found.metadata(schema, at);
    if let Some(fields) = schema.get("properties").and_then(Value::as_object) {
        let mut named = fields.clone();
        named.remove("metadata");
        found.identity(&serde_json::json!({"properties": named}), at);
    }
    found.node(schema, at, true);
    for (name, field) in fields(schema, "properties") {
        if ["apiVersion", "kind", "metadata"].contains(&name.as_str()) {
            found.no_defaults(field, &format!("{at}.properties[{name}]"), name);
        }
    }
    if found.causes.is_empty() && found.names_schema {
        // It is found where all else is well, and told of the whole.
        let message = "Invalid value: \"\": OpenAPIV3Schema 'schema' is not supported";
        found.add(Reason::Invalid, at, "", message);
    }
    found.causes
}

fn flag(schema: &Value, name: &str) -> bool {
    schema
        .get(name)
        .and_then(Value::as_bool)
        .unwrap_or_default()
}

fn text<'v>(schema: &'v Value, name: &str) -> &'v str {
    schema.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn fields<'v>(schema: &'v Value, name: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    schema
        .get(name)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

struct Found {
    causes: Vec<Cause>,
    /// A node says which schema it is written in.
    names_schema: bool,
}

impl Found {
    fn add(&mut self, reason: Reason, at: &str, below: &str, message: &str) {
        self.causes
            .push(Cause::new(reason, &format!("{at}{below}"), message));
    }

    fn metadata(&mut self, root: &Value, at: &str) {
        let Some(metadata) = root
            .get("properties")
            .and_then(|properties| properties.get("metadata"))
        else {
            return;
        };
        let at = format!("{at}.properties[metadata]");
        match text(metadata, "type") {
            "object" => {}
            other => self.add(
                Reason::Invalid,
                &at,
                ".type",
                &format!("Invalid value: {other:?}: must be object"),
            ),
        }
        let is_named = |name: &str| matches!(name, "name" | "generateName");
        let says_more = |(name, said): (&String, &Value)| match name.as_str() {
            // What these may be is told for themselves.
            "type" | "default" => false,
            "properties" => fields(metadata, "properties").any(|(name, _)| !is_named(name)),
            _ => match said {
                Value::Null | Value::Bool(false) => false,
                Value::String(text) => !text.is_empty(),
                Value::Array(list) => !list.is_empty(),
                _ => true,
            },
        };
        if metadata.as_object().into_iter().flatten().any(says_more) {
            let message = "Forbidden: must not specify anything other than name and generateName, but metadata is \
                           implicitly specified";
            self.add(Reason::Forbidden, &at, "", message);
        }
    }

    /// A node, whose own type is checked where it hangs, and all below it.
    fn node(&mut self, schema: &Value, at: &str, is_root: bool) {
        let kind = text(schema, "type");
        self.names_schema |= !text(schema, "$schema").is_empty();
        if !kind.is_empty() && !TYPES.contains(&kind) {
            let message = format!(
                "Unsupported value: {kind:?}: supported values: {}",
                quoted(&TYPES)
            );
            self.add(Reason::NotSupported, at, ".type", &message);
        }
        for unsupported in [
            "id",
            "patternProperties",
            "additionalItems",
            "definitions",
            "dependencies",
        ] {
            let said = schema.get(unsupported).unwrap_or(&Value::Null);
            // To say of no field what is not supported is to say nothing.
            let of_fields = ["definitions", "patternProperties"].contains(&unsupported);
            let is_empty = of_fields && said.as_object().is_some_and(Map::is_empty);
            if !said.is_null() && !is_empty {
                let message = format!("Forbidden: {unsupported} is not supported");
                self.add(Reason::Forbidden, at, &format!(".{unsupported}"), &message);
            }
        }
        for (name, field) in fields(schema, "properties") {
            let at = format!("{at}.properties[{name}]");
            self.typed(field, &at, "object fields");
            if name == "metadata" && flag(schema, "x-kubernetes-embedded-resource") {
                // Its default may say more than is known.
                let mut bare = field.clone();
                if let Some(fields) = bare.as_object_mut() {
                    fields.remove("default");
                }
                self.node(&bare, &at, false);
            } else {
                self.node(field, &at, false);
            }
        }
        let additional = schema
            .get("additionalProperties")
            .filter(|values| values.is_object());
        if let Some(values) = additional {
            let at = format!("{at}.additionalProperties");
            self.typed(values, &at, "object fields");
            self.node(values, &at, false);
            if schema
                .get("properties")
                .and_then(Value::as_object)
                .is_some_and(|fields| !fields.is_empty())
            {
                let message = "Forbidden: additionalProperties and properties are mutual exclusive";
                self.add(Reason::Forbidden, &at, "", message);
            }
        }
        match schema.get("items") {
            Some(Value::Array(_)) => self.add(Reason::Forbidden, at, ".items", NO_LIST),
            Some(items) => {
                let at = format!("{at}.items");
                self.typed(items, &at, "array items");
                self.node(items, &at, false);
            }
            None if kind == "array" => self.add(
                Reason::Required,
                at,
                ".items",
                "Required value: must be specified",
            ),
            None => {}
        }
        self.values(schema, at);
        self.extensions(schema, at);
        self.list(schema, at);
        self.default(schema, at, is_root);
        self.branches(schema, at, true);
    }

    fn typed(&mut self, schema: &Value, at: &str, what: &str) {
        let untyped = UNTYPED.iter().any(|untyped| flag(schema, untyped));
        let referred = schema.get("$ref").is_some();
        if text(schema, "type").is_empty() && !untyped && !referred {
            let message = format!("Required value: must not be empty for specified {what}");
            self.add(Reason::Required, at, ".type", &message);
        }
    }

    fn values(&mut self, schema: &Value, at: &str) {
        let pattern = text(schema, "pattern");
        if !pattern.is_empty()
            && let Err(error) = pattern::check(pattern)
        {
            let message = format!(
                "Invalid value: {}: must be a valid regular expression, but isn't: {error}",
                go::quoted(pattern)
            );
            self.add(Reason::Invalid, at, ".pattern", &message);
        }
        if flag(schema, "uniqueItems") {
            let message = "Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
            self.add(Reason::Forbidden, at, ".uniqueItems", message);
        }
        if schema.get("$ref").is_some() {
            self.add(
                Reason::Forbidden,
                at,
                ".$ref",
                "Forbidden: $ref is not supported",
            );
        }
    }

    fn extensions(&mut self, schema: &Value, at: &str) {
        let preserve = "x-kubernetes-preserve-unknown-fields";
        if schema.get(preserve) == Some(&Value::Bool(false)) {
            let message = "Invalid value: false: must be true or undefined";
            self.add(Reason::Invalid, at, &format!(".{preserve}"), message);
        }
        for extension in [preserve, "x-kubernetes-embedded-resource"] {
            if flag(schema, "x-kubernetes-int-or-string") && flag(schema, extension) {
                let message =
                    "Invalid value: true: must be false if x-kubernetes-int-or-string is true";
                self.add(Reason::Invalid, at, &format!(".{extension}"), message);
            }
        }
        let no_fields = fields(schema, "properties").next().is_none();
        if flag(schema, "x-kubernetes-embedded-resource") && !flag(schema, preserve) && no_fields {
            let message = "Required value: must not be empty if x-kubernetes-embedded-resource is true without \
                           x-kubernetes-preserve-unknown-fields";
            self.add(Reason::Required, at, ".properties", message);
        }
        let kind = text(schema, "type");
        if flag(schema, "x-kubernetes-embedded-resource") {
            let must = "must be object if x-kubernetes-embedded-resource is true";
            match kind {
                "object" => {}
                "" => {
                    let message = format!("Required value: {must}");
                    self.add(Reason::Required, at, ".type", &message);
                }
                kind => {
                    let message = format!("Invalid value: {kind:?}: {must}");
                    self.add(Reason::Invalid, at, ".type", &message);
                }
            }
            self.identity(schema, at);
        }
        let map_type = text(schema, "x-kubernetes-map-type");
        let is_said = schema.get("x-kubernetes-map-type").is_some();
        if is_said && !matches!(map_type, "atomic" | "granular") {
            let message = format!(
                "Unsupported value: {map_type:?}: supported values: {}",
                quoted(&["atomic", "granular"])
            );
            self.add(Reason::NotSupported, at, ".x-kubernetes-map-type", &message);
        }
        if schema.get("x-kubernetes-map-type").is_some() && kind != "object" {
            let message = format!(
                "Invalid value: {kind:?}: must be object if x-kubernetes-map-type is specified"
            );
            self.add(Reason::Invalid, at, ".type", &message);
        }
    }

    /// What every object has, if the schema says it again.
    fn identity(&mut self, schema: &Value, at: &str) {
        for (name, must) in [
            ("apiVersion", "string"),
            ("kind", "string"),
            ("metadata", "object"),
        ] {
            let field = schema.get("properties").and_then(|fields| fields.get(name));
            let kind = field.map_or(must, |field| text(field, "type"));
            if kind != must {
                let message = format!("Invalid value: {kind:?}: must be {must}");
                self.add(
                    Reason::Invalid,
                    &format!("{at}.properties[{name}]"),
                    ".type",
                    &message,
                );
            }
        }
    }
}

fn quoted(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("{name:?}"))
        .collect::<Vec<_>>()
        .join(", ")
}
