//! Reads the `openAPIV3Schema` of a CustomResourceDefinition's version.

use std::sync::Arc;

use serde_json::Value;

use super::builtin::root;
use super::{
    Additional, Bounds, Cause, Enum, Kind, ListType, Pattern, Rules, Schema, formats, structural,
};

/// How the API server names the place of the schema, if every version has the same one.
const PLACE: &str = "spec.validation.openAPIV3Schema";

impl Schema {
    /// The schema of a version of a CustomResourceDefinition (an element of `spec.versions`, or the
    /// `openAPIV3Schema` itself). What is not structural is refused, with every reason; the fields of the causes begin
    /// with `spec.validation.openAPIV3Schema`.
    pub(crate) fn from_crd_version(version: &Value) -> Result<Schema, Vec<Cause>> {
        let schema = version
            .pointer("/schema/openAPIV3Schema")
            .unwrap_or(version);
        let causes = structural::check(schema, PLACE, true);
        if !causes.is_empty() {
            return Err(causes);
        }
        let mut read = Self::of(schema);
        root(&mut read);
        read.inherit_unknown(false);
        Ok(read)
    }

    /// Why a schema is not structural; `at` is how the causes name its place. Some are told only where it `is_well` so far.
    pub(crate) fn not_structural(schema: &Value, at: &str, is_well: bool) -> Vec<Cause> {
        structural::check(schema, at, is_well)
    }

    /// Whether a schema, or one below it, says a default.
    pub(crate) fn says_defaults(schema: &Value) -> bool {
        structural::says_defaults(schema)
    }

    /// Makes it the schema of a whole object.
    pub(super) fn become_whole(&mut self) {
        self.embedded = true;
        root(self);
    }

    /// A node and all below it, whether it is structural or not.
    pub(super) fn of(value: &Value) -> Schema {
        let flag = |name: &str| value.get(name).and_then(Value::as_bool).unwrap_or_default();
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let fields = value
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        let mut schema = Schema {
            kind: text("type").and_then(kind),
            properties: fields
                .map(|(name, field)| (name.clone(), Self::of(field)))
                .collect(),
            additional: match value.get("additionalProperties") {
                Some(Value::Bool(true)) => Additional::Values(Box::new(Self {
                    implied: true,
                    nullable: true,
                    ..Self::default()
                })),
                Some(values @ Value::Object(_)) => Additional::Values(Box::new(Self::of(values))),
                Some(Value::Bool(false)) => Additional::Forbidden,
                _ => Additional::Nothing,
            },
            items: value.get("items").map(|items| Box::new(Self::of(items))),
            list: list_type(value),
            preserve_unknown: flag("x-kubernetes-preserve-unknown-fields"),
            int_or_string: flag("x-kubernetes-int-or-string"),
            nullable: flag("nullable"),
            atomic: text("x-kubernetes-map-type") == Some("atomic"),
            default: value.get("default").cloned(),
            rules: rules(value),
            ..Schema::default()
        };
        if flag("x-kubernetes-embedded-resource") {
            schema.become_whole();
        }
        if let Some(mut default) = schema.default.take() {
            // It may say more of metadata than is known, which nobody sees.
            schema.prune_metadata(&mut default);
            schema.default = Some(default);
        }
        let cel = value
            .get("x-kubernetes-validations")
            .and_then(Value::as_array);
        schema.has_cel_rules = cel.is_some_and(|rules| !rules.is_empty())
            || schema.properties.values().any(Schema::has_cel_rules)
            || schema
                .items
                .as_ref()
                .is_some_and(|items| items.has_cel_rules)
            || matches!(&schema.additional, Additional::Values(values) if values.has_cel_rules);
        schema
    }
}

fn kind(name: &str) -> Option<Kind> {
    let kinds = [
        Kind::Object,
        Kind::Array,
        Kind::String,
        Kind::Integer,
        Kind::Number,
        Kind::Boolean,
    ];
    kinds.into_iter().find(|kind| kind.name() == name)
}

fn list_type(value: &Value) -> ListType {
    match value.get("x-kubernetes-list-type").and_then(Value::as_str) {
        Some("set") => ListType::Set,
        Some("map") => ListType::Map(texts(value, "x-kubernetes-list-map-keys")),
        _ => ListType::Atomic,
    }
}

fn texts(value: &Value, name: &str) -> Vec<String> {
    let list = value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn rules(value: &Value) -> Rules {
    let flag = |name: &str| value.get(name).and_then(Value::as_bool).unwrap_or_default();
    let number = |name: &str| match value.get(name) {
        Some(Value::Number(number)) => Some(number.clone()),
        _ => None,
    };
    let bounds = |min: &str, max: &str| Bounds {
        min: value.get(min).and_then(Value::as_i64),
        max: value.get(max).and_then(Value::as_i64),
    };
    let branches = |name: &str| -> Vec<Schema> {
        let list = value
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        list.map(Schema::of).collect()
    };
    let text = value
        .get("pattern")
        .and_then(Value::as_str)
        .filter(|pattern| !pattern.is_empty());
    let values = value
        .get("enum")
        .and_then(Value::as_array)
        .filter(|values| !values.is_empty());
    let format = value.get("format").and_then(Value::as_str);
    let kind = value.get("type").and_then(Value::as_str);
    let known = format.filter(|format| formats::is_known(kind, format));
    Rules {
        required: texts(value, "required"),
        one_of_values: values.cloned().map(|values| Box::new(Enum::new(values))),
        pattern: text.map(|text| Arc::new(Pattern::new(text))),
        format: known.map(str::to_owned),
        has_odd_format: known.is_none() && format.is_some_and(|format| !format.is_empty()),
        minimum: number("minimum").map(|min| (min, flag("exclusiveMinimum"))),
        maximum: number("maximum").map(|max| (max, flag("exclusiveMaximum"))),
        multiple_of: number("multipleOf"),
        length: bounds("minLength", "maxLength"),
        item_count: bounds("minItems", "maxItems"),
        property_count: bounds("minProperties", "maxProperties"),
        unique_items: flag("uniqueItems"),
        all_of: branches("allOf"),
        any_of: branches("anyOf"),
        one_of: branches("oneOf"),
        not: value.get("not").map(|not| Box::new(Schema::of(not))),
    }
}
