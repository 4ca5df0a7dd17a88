//! What every node of a structural schema says, and what is not said where only values are validated.

use serde_json::Value;

use super::{EMBEDDED, Found, PRESERVE, branches, fields, flag, text};
use crate::patch::go;
use crate::path::Path;
use crate::schema::{Reason, pattern};

const EITHER: &str = "x-kubernetes-int-or-string";

/// What must not be said where only values are validated, below allOf, anyOf, oneOf and not; and what it has to be.
const STRUCTURE: [(&str, &str); 12] = [
    ("additionalProperties", "undefined"),
    ("default", "undefined"),
    ("description", "empty"),
    ("nullable", "false"),
    ("title", "empty"),
    ("type", "empty"),
    (EMBEDDED, "false"),
    (EITHER, "false"),
    ("x-kubernetes-list-map-keys", "empty"),
    ("x-kubernetes-list-type", "undefined"),
    ("x-kubernetes-map-type", "undefined"),
    (PRESERVE, "false"),
];

/// Where a node hangs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Root,
    Item,
    Field,
}

impl Level {
    fn untyped(self) -> &'static str {
        match self {
            Self::Root => "must not be empty at the root",
            Self::Item => "must not be empty for specified array items",
            Self::Field => "must not be empty for specified object fields",
        }
    }
}

impl Found<'_> {
    /// A node and all below it.
    pub(super) fn invariants(&mut self, schema: &Value, at: Path<'_>, level: Level) {
        let kind = text(schema, "type");
        match schema.get("items").filter(|items| items.is_object()) {
            Some(items) => self.invariants(items, at.name("items"), Level::Item),
            None if kind == "array" => self.require(at, ".items", "must be specified"),
            None => {}
        }
        for (name, field) in fields(schema, "properties") {
            self.invariants(field, at.name("properties").entry(name), Level::Field);
        }
        if let Some(values) = schema
            .get("additionalProperties")
            .filter(|said| !said.is_null())
        {
            if level == Level::Root {
                self.forbid(at, ".additionalProperties", "must not be used at the root");
            }
            if values.is_object() {
                self.invariants(values, at.name("additionalProperties"), Level::Field);
            }
        }
        self.values(schema, at, true);
        self.kinds(schema, at, level);
        self.whole(schema, at, level);
    }

    /// The type of a node.
    fn kinds(&mut self, schema: &Value, at: Path<'_>, level: Level) {
        for extension in [PRESERVE, EMBEDDED] {
            if flag(schema, EITHER) && flag(schema, extension) {
                let message =
                    "Invalid value: true: must be false if x-kubernetes-int-or-string is true";
                self.add(Reason::Invalid, at, &format!(".{extension}"), message);
            }
        }
        let kind = text(schema, "type");
        if flag(schema, EMBEDDED) && kind != "object" {
            let must = "must be object if x-kubernetes-embedded-resource is true";
            self.unless_said(kind, at, ".type", must);
        } else if kind.is_empty() && !flag(schema, EITHER) && !flag(schema, PRESERVE) {
            self.require(at, ".type", level.untyped());
        }
        if level == Level::Root && !matches!(kind, "" | "object") {
            self.unless_said(kind, at, ".type", "must be object at the root");
        }
    }

    /// What is said of a whole object, which the root is and what is embedded.
    fn whole(&mut self, schema: &Value, at: Path<'_>, level: Level) {
        let is_embedded = flag(schema, EMBEDDED);
        let is_whole = level == Level::Root || is_embedded;
        let additional = schema.get("additionalProperties");
        if is_embedded && additional.is_some_and(|said| !said.is_null()) {
            let why = "must not be used if x-kubernetes-embedded-resource is set";
            self.forbid(at, ".additionalProperties", why);
        }
        let property = |name: &str| schema.get("properties")?.get(name);
        let whole = [
            ("kind", "string"),
            ("apiVersion", "string"),
            ("metadata", "object"),
        ];
        for (name, must) in whole.into_iter().filter(|_| is_whole) {
            let kind = property(name).map_or(must, |field| text(field, "type"));
            if kind != must {
                let message = format!("Invalid value: {kind:?}: must be {must}");
                let below = format!(".properties[{name}].type");
                self.add(Reason::Invalid, at, &below, &message);
            }
        }
        let metadata = property("metadata").filter(|_| level == Level::Root);
        if metadata.is_some_and(says_more_than_names) {
            let why = "must not specify anything other than name and generateName, but metadata is implicitly specified";
            self.forbid(at, ".properties[metadata]", why);
        }
        if is_embedded && !flag(schema, PRESERVE) && fields(schema, "properties").next().is_none() {
            let why = "must not be empty if x-kubernetes-embedded-resource is true without \
                       x-kubernetes-preserve-unknown-fields";
            self.require(at, ".properties", why);
        }
    }

    /// What only validates values. A number or a text is told apart by types in two forms of a node, and in no other.
    fn values(&mut self, schema: &Value, at: Path<'_>, is_node: bool) {
        let either = serde_json::json!([{"type": "integer"}, {"type": "string"}]);
        let tells_apart = |schema: &Value| schema.get("anyOf") == Some(&either);
        for (name, branch) in branches(schema) {
            let at = at.name(&name);
            if is_node && name.starts_with("anyOf") && tells_apart(schema) {
                continue;
            }
            if is_node && name == "allOf[0]" && tells_apart(branch) {
                let mut rest = branch.clone();
                if let Some(fields) = rest.as_object_mut() {
                    fields.remove("anyOf");
                }
                self.nested(&rest, at);
                continue;
            }
            self.nested(branch, at);
        }
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
    }

    /// A schema that only validates values.
    fn nested(&mut self, schema: &Value, at: Path<'_>) {
        self.values(schema, at, false);
        if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
            self.nested(items, at.name("items"));
        }
        for (name, field) in fields(schema, "properties") {
            self.nested(field, at.name("properties").entry(name));
        }
        for (name, must) in STRUCTURE {
            let is_said = match schema.get(name) {
                None | Some(Value::Null | Value::Bool(false)) => false,
                Some(Value::String(said)) => !said.is_empty() || must == "undefined",
                Some(Value::Array(said)) => !said.is_empty() || must == "undefined",
                Some(_) => true,
            };
            if is_said {
                let why = format!("must be {must} to be structural");
                self.forbid(at, &format!(".{name}"), &why);
            }
        }
        if !super::rules::of(schema).is_empty() {
            let why = "must be empty to be structural";
            self.forbid(at, ".x-kubernetes-validations", why);
        }
        if fields(schema, "properties").any(|(name, _)| name == "metadata") {
            let why = "must not be specified in a nested context";
            self.forbid(at, ".properties[metadata]", why);
        }
    }
}

/// Whether the metadata of a whole schema says more than what names it.
fn says_more_than_names(metadata: &Value) -> bool {
    let is_named = |name: &str| matches!(name, "name" | "generateName");
    let says_more = |(name, said): (&String, &Value)| match name.as_str() {
        // What these may be is told for themselves.
        "type" | "default" => false,
        "properties" => fields(metadata, "properties").any(|(name, _)| !is_named(name)),
        // Of these to say nothing is to say something.
        "additionalProperties" | "x-kubernetes-list-map-keys" => !said.is_null(),
        _ => match said {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(list) => !list.is_empty(),
            _ => true,
        },
    };
    metadata.as_object().into_iter().flatten().any(says_more)
}
