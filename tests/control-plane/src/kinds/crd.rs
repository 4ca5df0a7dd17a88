//! CustomResourceDefinitions: what they say, and what the server adds to them.

use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};

use super::{Column, Origin, Resource, Scale, Shape, Version};
use crate::failure::Cause;
use crate::object;
use crate::schema::Schema;
use crate::store::Bucket;

/// The resource that a CRD describes; nothing if it is not fit to be served.
pub(super) fn resource(definition: &Value) -> Option<Resource> {
    let spec = definition.get("spec")?;
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
        .filter_map(version)
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
        versions,
        stored,
        origin: Origin::Crd {
            terminating: AtomicBool::new(false),
        },
    })
}

fn version(declared: &Value) -> Option<Version> {
    let raw = declared.pointer("/schema/openAPIV3Schema")?;
    Some(Version {
        name: declared.get("name")?.as_str()?.to_owned(),
        schema: Shape::Own(Box::new(Schema::from_crd_version(raw).ok()?)),
        raw: Some(raw.clone()),
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
    if let Some(names) = spec.get_mut("names").map(object::as_map) {
        let kind = names
            .get("kind")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        names
            .entry("singular")
            .or_insert_with(|| kind.to_lowercase().into());
        names
            .entry("listKind")
            .or_insert_with(|| format!("{kind}List").into());
    }
}

/// Checks a CRD and gives it a status that says that it is served.
pub(crate) fn accept(definition: &mut Value) -> Result<(), Vec<Cause>> {
    let mut wrong = Vec::new();
    let mut required = |pointer: &str| {
        let value = definition
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default();
        if value.is_empty() {
            wrong.push(Cause::required(
                &pointer.trim_start_matches('/').replace('/', "."),
                "",
            ));
        }
        value.to_owned()
    };
    let group = required("/spec/group");
    let plural = required("/spec/names/plural");
    required("/spec/names/kind");
    let scope = required("/spec/scope");
    let name = object::name(definition);
    if wrong.is_empty() && name != format!("{plural}.{group}") {
        let must = "must be spec.names.plural+\".\"+spec.group";
        wrong.push(Cause::invalid("metadata.name", &name.into(), must));
    }
    if !["", "Namespaced", "Cluster"].contains(&scope.as_str()) {
        wrong.push(Cause::unsupported(
            "spec.scope",
            &scope.into(),
            "\"Cluster\", \"Namespaced\"",
        ));
    }
    if let Some(strategy) = definition
        .pointer("/spec/conversion/strategy")
        .and_then(Value::as_str)
        && strategy != "None"
    {
        // Nobody would be asked to convert.
        wrong.push(Cause::unsupported(
            "spec.conversion.strategy",
            &strategy.into(),
            "\"None\"",
        ));
    }
    let versions = definition
        .pointer("/spec/versions")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    check_versions(&versions, &mut wrong);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let names = definition
        .pointer("/spec/names")
        .cloned()
        .unwrap_or_default();
    let stored: Vec<Value> = versions
        .iter()
        .filter(|version| version.get("storage") == Some(&json!(true)))
        .filter_map(|version| version.get("name").cloned())
        .collect();
    let status = object::field_mut(definition, "status");
    status.insert("acceptedNames".to_owned(), names);
    let mut stored_versions = status
        .get("storedVersions")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for version in stored {
        if !stored_versions.contains(&version) {
            stored_versions.push(version);
        }
    }
    status.insert("storedVersions".to_owned(), stored_versions.into());
    let conditions = status.entry("conditions").or_insert(Value::Null);
    if conditions.as_array().is_none_or(Vec::is_empty) {
        let now = object::now();
        *conditions = json!([
            {"type": "NamesAccepted", "status": "True", "lastTransitionTime": now, "reason": "NoConflicts",
             "message": "no conflicts found"},
            {"type": "Established", "status": "True", "lastTransitionTime": now, "reason": "InitialNamesAccepted",
             "message": "the initial names have been accepted"},
        ]);
    }
    Ok(())
}

fn check_versions(versions: &[Value], wrong: &mut Vec<Cause>) {
    let storage = versions
        .iter()
        .filter(|version| version.get("storage") == Some(&json!(true)))
        .count();
    if storage != 1 {
        let must = "must have exactly one version marked as storage version";
        wrong.push(Cause::invalid(
            "spec.versions",
            &versions.to_vec().into(),
            must,
        ));
    }
    for (index, version) in versions.iter().enumerate() {
        let field = format!("spec.versions[{index}]");
        if version
            .get("name")
            .and_then(Value::as_str)
            .is_none_or(str::is_empty)
        {
            wrong.push(Cause::required(&format!("{field}.name"), ""));
        }
        let schema = version
            .pointer("/schema/openAPIV3Schema")
            .unwrap_or(&Value::Null);
        if let Err(causes) = Schema::from_crd_version(schema) {
            wrong.extend(
                causes
                    .into_iter()
                    .map(|cause| Cause::new(cause.reason.as_str(), cause.field, cause.message)),
            );
        }
    }
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

/// What a CRD asks for and this server does not do.
pub(crate) fn not_done(definition: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
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
