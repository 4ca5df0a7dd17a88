//! CustomResourceDefinitions: what they say, and what the server adds to them.

use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Column, Origin, Resource, Scale, Shape, Version, definition_names, definition_rules};
use crate::failure::Cause;
use crate::object;
use crate::schema::Schema;
use crate::store::Bucket;

/// The resource that a CRD describes; nothing if it is not fit to be served.
pub(super) fn resource(definition: &Value) -> Option<Resource> {
    let spec = definition.get("spec")?;
    if !definition_names::is_established(definition) {
        return None;
    }
    let names = spec.get("names")?;
    let text = |value: &Value, field: &str| Some(value.get(field)?.as_str()?.to_owned());
    let texts = |value: &Value, field: &str| -> Vec<String> {
        let list = value.get(field).and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    };
    let declared = spec.get("versions")?.as_array()?;
    let is =
        |version: &Value, field: &str| version.get(field).and_then(Value::as_bool) == Some(true);
    let stored = declared
        .iter()
        .find(|version| is(version, "storage"))
        .and_then(|version| text(version, "name"))?;
    let mut versions: Vec<Version> = declared
        .iter()
        .filter(|version| is(version, "served"))
        .filter_map(|declared| version(definition, declared))
        .collect();
    versions.sort_by_key(|version| std::cmp::Reverse(priority(&version.name)));
    let (group, plural) = (text(spec, "group")?, text(names, "plural")?);
    let kind = text(names, "kind")?;
    let bucket = Bucket {
        group: group.into(),
        plural: plural.into(),
    };
    Some(Resource {
        group: bucket.group.clone(),
        plural: bucket.plural.clone(),
        bucket,
        singular: text(names, "singular").unwrap_or_else(|| kind.to_lowercase()),
        list_kind: text(names, "listKind").unwrap_or_else(|| format!("{kind}List")),
        kind,
        short_names: texts(names, "shortNames"),
        categories: texts(names, "categories"),
        namespaced: text(spec, "scope")? == "Namespaced",
        stored_shape: stored_shape(definition, declared),
        versions,
        stored,
        origin: Origin::Crd {
            terminating: AtomicBool::new(false),
            spec: spec.clone(),
            replaced: CancellationToken::new(),
            edition: 0,
        },
    })
}

fn stored_shape(definition: &Value, declared: &[Value]) -> Option<Box<Schema>> {
    let generation = definition
        .pointer("/metadata/generation")
        .and_then(Value::as_i64);
    if declared.len() == 1 && generation.is_none_or(|generation| generation < 2) {
        return None;
    }
    let stored = declared
        .iter()
        .find(|version| version.get("storage") == Some(&json!(true)))?;
    let schema = stored.pointer("/schema/openAPIV3Schema")?;
    Schema::from_crd_version(schema).ok().map(Box::new)
}

/// What the users of a version that is deprecated are told: its own words, or which one to use instead.
fn deprecation(definition: &Value, version: &Value) -> Option<String> {
    let is = |version: &Value, field: &str| version.get(field) == Some(&json!(true));
    if !is(version, "deprecated") {
        return None;
    }
    if let Some(words) = version.get("deprecationWarning").and_then(Value::as_str) {
        return Some(words.to_owned());
    }
    let text = |pointer: &str| {
        let value = definition.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_default()
    };
    let name = |version: &Value| {
        let name = version.get("name").and_then(Value::as_str);
        name.unwrap_or_default().to_owned()
    };
    let of = |version: &str| {
        format!(
            "{}/{version} {}",
            text("/spec/group"),
            text("/spec/names/kind")
        )
    };
    let own = name(version);
    let declared = definition
        .pointer("/spec/versions")
        .and_then(Value::as_array);
    let better = declared
        .into_iter()
        .flatten()
        .filter(|other| is(other, "served") && !is(other, "deprecated"))
        .map(name)
        .filter(|other| priority(other) > priority(&own))
        .max_by_key(|other| priority(other));
    Some(match better {
        Some(better) => format!("{} is deprecated; use {}", of(&own), of(&better)),
        None => format!("{} is deprecated", of(&own)),
    })
}

/// A schema that is longer is a long one, in bytes.
const LONG: usize = 32 * 1024;

fn version(definition: &Value, declared: &Value) -> Option<Version> {
    let raw = declared.pointer("/schema/openAPIV3Schema")?;
    Some(Version {
        name: declared.get("name")?.as_str()?.to_owned(),
        schema: Shape::Own(Box::new(Schema::from_crd_version(raw).ok()?)),
        raw: Some(raw.clone()),
        is_long: raw.to_string().len() > LONG,
        deprecation: deprecation(definition, declared),
        status: declared.pointer("/subresources/status").is_some(),
        scale: Scale::declared(declared),
        selectable: declared
            .get("selectableFields")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|field| {
                Some(
                    field
                        .get("jsonPath")?
                        .as_str()?
                        .trim_start_matches('.')
                        .to_owned(),
                )
            })
            .collect(),
        columns: Column::declared(declared.get("additionalPrinterColumns")),
    })
}

/// The order of versions: v2 before v1 before v1beta2 before v1alpha1, and anything else last.
pub(crate) fn priority(version: &str) -> (u8, u64, u64) {
    let parse = || {
        let rest = version.strip_prefix('v')?;
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let major = rest[..digits].parse().ok()?;
        match &rest[digits..] {
            "" => Some((3, major, 0)),
            stage => {
                let (level, minor) = stage
                    .strip_prefix("beta")
                    .map(|minor| (2, minor))
                    .or_else(|| Some((1, stage.strip_prefix("alpha")?)))?;
                Some((level, major, minor.parse().ok()?))
            }
        }
    };
    parse().unwrap_or((0, 0, 0))
}

/// Fills in what a CRD leaves to the server.
pub(crate) fn set_defaults(definition: &mut Value) {
    let spec = object::field_mut(definition, "spec");
    spec.entry("conversion")
        .or_insert_with(|| json!({"strategy": "None"}));
    if let Some(conversion) = spec.get_mut("conversion").and_then(Value::as_object_mut) {
        // A webhook of which nothing is said is none.
        let is_said = |webhook: &Value| {
            let versions = webhook["conversionReviewVersions"].as_array();
            !webhook["clientConfig"].is_null() || versions.is_some_and(|all| !all.is_empty())
        };
        conversion.retain(|name, said| name != "webhook" || is_said(said));
    }
    if let Some(service) = spec
        .get_mut("conversion")
        .and_then(|conversion| conversion.pointer_mut("/webhook/clientConfig/service"))
        .and_then(Value::as_object_mut)
    {
        service.entry("port").or_insert_with(|| 443.into());
    }
    if let Some(names) = spec.get_mut("names").map(object::as_map) {
        let kind = names
            .get("kind")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if !kind.is_empty() {
            names
                .entry("singular")
                .or_insert_with(|| kind.to_lowercase().into());
            names
                .entry("listKind")
                .or_insert_with(|| format!("{kind}List").into());
        }
    }
    let stored = storage_version(definition);
    let status = object::field_mut(definition, "status");
    let versions = status.get("storedVersions").and_then(Value::as_array);
    if let Some(stored) = stored
        && versions.is_none_or(Vec::is_empty)
    {
        status.insert("storedVersions".to_owned(), json!([stored]));
    }
}

/// The name of the version that objects are stored in.
fn storage_version(definition: &Value) -> Option<Value> {
    let versions = definition.pointer("/spec/versions")?.as_array()?;
    let mut versions = versions.iter();
    let stored = versions.find(|version| version.get("storage") == Some(&json!(true)))?;
    stored.get("name").cloned()
}

/// Checks a CRD, which is new or takes the place of another, and notes the version that its objects are stored in.
pub(crate) fn accept(definition: &mut Value, old: Option<&Value>) -> Vec<Cause> {
    let stored = storage_version(definition);
    let status = object::field_mut(definition, "status");
    if old.is_none() {
        *status = object::as_map(
            &mut json!({"acceptedNames": {"kind": "", "plural": ""}, "conditions": null, "storedVersions": null}),
        )
        .clone();
    }
    if let Some(stored) = stored {
        let versions = status.entry("storedVersions").or_insert(Value::Null);
        match versions {
            Value::Array(versions) if versions.contains(&stored) => {}
            Value::Array(versions) => versions.push(stored),
            other => *other = json!([stored]),
        }
    }
    definition_rules::check(definition, old)
}

/// What is wrong with the status that is written for a CRD.
pub(crate) fn check_status(definition: &Value) -> Vec<Cause> {
    let names = definition.pointer("/status/acceptedNames");
    definition_rules::check_names(names.unwrap_or(&Value::Null), "status.acceptedNames")
}

/// Marks a CRD that is being deleted: its objects go first.
pub(crate) fn terminating(definition: &mut Value) {
    let status = object::field_mut(definition, "status");
    let mut conditions = status
        .get("conditions")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    conditions.retain(|condition| condition.get("type") != Some(&json!("Terminating")));
    conditions.push(json!({
        "type": "Terminating", "status": "True", "lastTransitionTime": object::now(),
        "reason": "InstanceDeletionPending",
        "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
    }));
    status.insert("conditions".to_owned(), conditions.into());
}

/// How far the objects of a CRD have gone that is being deleted.
pub(crate) enum Going<'a> {
    InProgress,
    Failed(&'a str),
    Completed,
    /// There were none, as the CRD was never established.
    Never,
}

/// Tells how far the objects of a CRD have gone.
pub(crate) fn deleting(definition: &mut Value, going: &Going<'_>) {
    let (status, reason, message) = match going {
        Going::InProgress => (
            "True",
            "InstanceDeletionInProgress",
            "CustomResource deletion is in progress",
        ),
        Going::Failed(why) => ("True", "InstanceDeletionFailed", *why),
        Going::Completed => (
            "False",
            "InstanceDeletionCompleted",
            "removed all instances",
        ),
        Going::Never => (
            "False",
            "NeverEstablished",
            "resource was never established",
        ),
    };
    let conditions = definition
        .pointer_mut("/status/conditions")
        .and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        if condition.get("type") == Some(&json!("Terminating")) {
            if condition["status"] != status {
                condition["lastTransitionTime"] = object::now().into();
            }
            condition["status"] = status.into();
            condition["reason"] = reason.into();
            condition["message"] = message.into();
        }
    }
}

/// What a CRD asks for and this server does not do.
pub(crate) fn not_done(definition: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    if definition.pointer("/spec/conversion/strategy") == Some(&json!("Webhook")) {
        let told = "conversion webhooks are stored, and not called by this server";
        warnings.push(told.to_owned());
    }
    for version in definition
        .pointer("/spec/versions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let name = version
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let raw = version
            .pointer("/schema/openAPIV3Schema")
            .unwrap_or(&Value::Null);
        if Schema::from_crd_version(raw).is_ok_and(|schema| schema.has_cel_rules()) {
            warnings.push(format!(
                "{name}: x-kubernetes-validations are stored, and not evaluated by this server"
            ));
        }
    }
    warnings
}
