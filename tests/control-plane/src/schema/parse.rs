//! Reads the `openAPIV3Schema` of a CustomResourceDefinition's version.

use regex::Regex;
use serde_json::{Map, Value};

use super::builtin::{reference, root};
use super::{Additional, Bounds, Cause, Kind, ListType, Reason, Rules, Schema};

/// How the API server names the place of a version's schema in its errors.
const PLACE: &str = "spec.validation.openAPIV3Schema";

impl Schema {
    /// The schema of a version of a CustomResourceDefinition (an element of `spec.versions`, or the
    /// `openAPIV3Schema` itself). What is not structural is refused, with every reason.
    pub(crate) fn from_crd_version(version: &Value) -> Result<Schema, Vec<Cause>> {
        let schema = version
            .pointer("/schema/openAPIV3Schema")
            .unwrap_or(version);
        let mut causes = Vec::new();
        if schema.as_object().is_none_or(Map::is_empty) || schema.get("versions").is_some() {
            let missing = "schemas are required";
            causes.push(Cause::new(
                Reason::Required,
                "spec.versions[0].schema.openAPIV3Schema",
                missing,
            ));
            return Err(causes);
        }
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            let at = format!("{PLACE}.type");
            let got = schema.get("type").cloned().unwrap_or_else(|| "".into());
            let message = format!("Invalid value: {got}: must be object at the root");
            causes.push(Cause::new(Reason::Invalid, &at, &message));
        }
        let mut read = node(schema, PLACE, &mut causes, Position::Root);
        let metadata = read.properties.remove("metadata");
        root(&mut read);
        if let (Some(own), Some(metadata)) = (metadata, read.properties.get_mut("metadata")) {
            metadata.properties = own.properties;
        }
        if causes.is_empty() {
            Ok(read)
        } else {
            Err(causes)
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Position {
    Root,
    /// Below properties, items or additionalProperties.
    Structure,
    /// Below allOf, anyOf, oneOf or not, where only values are validated.
    Logic,
}

fn node(value: &Value, at: &str, causes: &mut Vec<Cause>, position: Position) -> Schema {
    let flag = |name: &str| value.get(name).and_then(Value::as_bool).unwrap_or_default();
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let mut schema = Schema {
        kind: kind(text("type"), at, causes),
        preserve_unknown: flag("x-kubernetes-preserve-unknown-fields"),
        int_or_string: flag("x-kubernetes-int-or-string"),
        embedded: flag("x-kubernetes-embedded-resource"),
        nullable: flag("nullable"),
        atomic: text("x-kubernetes-map-type") == Some("atomic"),
        default: value.get("default").cloned(),
        has_cel_rules: value
            .get("x-kubernetes-validations")
            .and_then(Value::as_array)
            .is_some_and(|r| !r.is_empty()),
        ..Schema::default()
    };
    let below = if position == Position::Logic {
        Position::Logic
    } else {
        Position::Structure
    };
    if position != Position::Logic
        && schema.kind.is_none()
        && !schema.int_or_string
        && !(schema.preserve_unknown && text("type").is_none())
        && position != Position::Root
    {
        let message = "Required value: must not be empty for specified object fields";
        let message = if at.ends_with(".items") {
            "Required value: must not be empty for specified array items"
        } else {
            message
        };
        causes.push(Cause::new(Reason::Required, &format!("{at}.type"), message));
    }
    for (name, field) in value
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let at = format!("{at}.properties[{name}]");
        schema
            .properties
            .insert(name.clone(), node(field, &at, causes, below));
    }
    schema.additional = match value.get("additionalProperties") {
        Some(Value::Bool(true)) => Additional::Anything,
        Some(values @ Value::Object(_)) => {
            let at = format!("{at}.additionalProperties");
            Additional::Values(Box::new(node(values, &at, causes, below)))
        }
        _ => Additional::Nothing,
    };
    schema.items = value
        .get("items")
        .map(|items| Box::new(node(items, &format!("{at}.items"), causes, below)));
    if schema.kind == Some(Kind::Array) && schema.items.is_none() && position != Position::Logic {
        causes.push(Cause::new(
            Reason::Required,
            &format!("{at}.items"),
            "Required value: must be specified",
        ));
    }
    schema.list = list_type(value, at, causes);
    schema.rules = rules(value, at, causes);
    if schema.embedded && !schema.preserve_unknown && schema.properties.is_empty() {
        let message = "Required value: must not be empty if x-kubernetes-embedded-resource is true without \
                       x-kubernetes-preserve-unknown-fields";
        causes.push(Cause::new(
            Reason::Required,
            &format!("{at}.properties"),
            message,
        ));
    }
    if schema.embedded {
        let own = std::mem::take(&mut schema.properties);
        schema.properties.extend(own);
        schema
            .properties
            .insert("metadata".into(), reference("ObjectMeta"));
        for name in ["apiVersion", "kind"] {
            schema
                .properties
                .entry(name.into())
                .or_insert_with(|| Schema {
                    kind: Some(Kind::String),
                    ..Schema::default()
                });
        }
    }
    schema.has_cel_rules |= schema.properties.values().any(Schema::has_cel_rules)
        || schema
            .items
            .as_ref()
            .is_some_and(|items| items.has_cel_rules)
        || matches!(&schema.additional, Additional::Values(values) if values.has_cel_rules);
    schema
}

fn kind(name: Option<&str>, at: &str, causes: &mut Vec<Cause>) -> Option<Kind> {
    match name? {
        "object" => Some(Kind::Object),
        "array" => Some(Kind::Array),
        "string" => Some(Kind::String),
        "integer" => Some(Kind::Integer),
        "number" => Some(Kind::Number),
        "boolean" => Some(Kind::Boolean),
        "" => None,
        other => {
            let message = format!(
                "Unsupported value: {other:?}: supported values: \"array\", \"boolean\", \"integer\", \"number\", \
                 \"object\", \"string\""
            );
            causes.push(Cause::new(
                Reason::NotSupported,
                &format!("{at}.type"),
                &message,
            ));
            None
        }
    }
}

fn list_type(value: &Value, at: &str, causes: &mut Vec<Cause>) -> ListType {
    let keys = value
        .get("x-kubernetes-list-map-keys")
        .and_then(Value::as_array);
    match value.get("x-kubernetes-list-type").and_then(Value::as_str) {
        Some("set") => ListType::Set,
        Some("map") => {
            let keys: Vec<String> = keys
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            if keys.is_empty() {
                let message = "Required value: must not be empty if x-kubernetes-list-type is map";
                causes.push(Cause::new(
                    Reason::Required,
                    &format!("{at}.x-kubernetes-list-map-keys"),
                    message,
                ));
            }
            ListType::Map(keys)
        }
        _ => ListType::Atomic,
    }
}

fn rules(value: &Value, at: &str, causes: &mut Vec<Cause>) -> Rules {
    let flag = |name: &str| value.get(name).and_then(Value::as_bool).unwrap_or_default();
    let number = |name: &str| match value.get(name) {
        Some(Value::Number(number)) => Some(number.clone()),
        _ => None,
    };
    let list = |name: &str| value.get(name).and_then(Value::as_array).cloned();
    let bounds = |min: &str, max: &str| Bounds {
        min: value.get(min).and_then(Value::as_u64),
        max: value.get(max).and_then(Value::as_u64),
    };
    let mut logic = |name: &str| -> Vec<Schema> {
        let branches = list(name).unwrap_or_default();
        let branch = |(i, branch): (usize, &Value)| {
            node(
                branch,
                &format!("{at}.{name}[{i}]"),
                causes,
                Position::Logic,
            )
        };
        branches.iter().enumerate().map(branch).collect()
    };
    let (all_of, any_of, one_of) = (logic("allOf"), logic("anyOf"), logic("oneOf"));
    let not = value
        .get("not")
        .map(|not| Box::new(node(not, &format!("{at}.not"), causes, Position::Logic)));
    let pattern = value.get("pattern").and_then(Value::as_str).filter(|pattern| !pattern.is_empty()).map(|pattern| {
        let compiled = Regex::new(pattern);
        if let Err(error) = &compiled {
            let message = format!("Invalid value: {pattern:?}: must be a valid regular expression, but isn't: {error}");
            causes.push(Cause::new(Reason::Invalid, &format!("{at}.pattern"), &message));
        }
        (pattern.to_owned(), compiled.ok())
    });
    Rules {
        required: list("required")
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        one_of_values: list("enum").filter(|values| !values.is_empty()),
        pattern,
        format: value
            .get("format")
            .and_then(Value::as_str)
            .map(str::to_owned),
        minimum: number("minimum").map(|min| (min, flag("exclusiveMinimum"))),
        maximum: number("maximum").map(|max| (max, flag("exclusiveMaximum"))),
        multiple_of: number("multipleOf"),
        length: bounds("minLength", "maxLength"),
        item_count: bounds("minItems", "maxItems"),
        property_count: bounds("minProperties", "maxProperties"),
        unique_items: flag("uniqueItems"),
        all_of,
        any_of,
        one_of,
        not,
    }
}
