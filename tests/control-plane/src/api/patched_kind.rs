//! What a patch may do to the kind and the version of an object.

use serde_json::Value;

use super::body::Source;
use super::options::{Unknown, WriteOptions};
use super::target::Target;
use super::{body, rules, scheme};
use crate::failure::{Cause, Failure};
use crate::object;
use crate::patch::go;

/// A strategic merge patch of a built-in object goes into its type, which has the kind and the version that it has.
pub(super) fn keep_kind(target: &Target, object: &mut Value, patch: &Value) -> Result<(), Failure> {
    let texts = [
        ("apiVersion", target.api_version()),
        ("kind", target.resource.kind.clone()),
    ];
    for (field, text) in texts {
        let found = object::as_map(object).insert(field.to_owned(), text.into());
        if let Some(Value::Number(_)) = found {
            let why = "cannot convert int64 to string";
            let cause = Cause::invalid("patch", &go::plain(patch).into(), why);
            return Err(Failure::patch_invalid(cause));
        }
    }
    Ok(())
}

/// What a patch left of the kind and the version: of a built-in object they go without saying.
pub(super) fn name_kind(
    target: &Target,
    object: &mut Value,
    options: &WriteOptions,
    source: Source<'_>,
) -> Result<(), Failure> {
    if let Err(why) = body::names_its_kind(object) {
        let cause = Cause::invalid("patch", &source.shown(object).into(), &body::no_kind(&why));
        return Err(Failure::patch_invalid(cause));
    }
    let text = |object: &Value, field: &str| {
        let value = object.get(field).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let (kind, version) = (text(object, "kind"), text(object, "apiVersion"));
    let expected = target.api_version();
    if !target.resource.is_crd() {
        if kind.is_empty() {
            object::as_map(object).insert("kind".to_owned(), target.resource.kind.clone().into());
        }
        if version.is_empty() {
            // It is read as the server's own form of the kind, whose fields have other names.
            let name = target.name.as_deref().unwrap_or_default();
            let why = format!(
                "the name of the object ({name} based on URL) was undeterminable: name must be provided"
            );
            let fields = object.as_object().into_iter().flatten();
            let unknown = fields
                .map(|(field, _)| field)
                .filter(|field| *field != "kind" && *field != "apiVersion")
                .map(|field| format!("unknown field {}", go::quoted(field)));
            let told = match options.unknown {
                Unknown::Warn => unknown.collect(),
                _ => Vec::new(),
            };
            return Err(Failure::bad_request(why).warned(told));
        }
        if version.split('/').count() > 2 {
            return Err(unexpected_version(&version, &source.shown(object)));
        }
        if !kind.is_empty() && scheme::go_type(target, &version, &kind).is_none() {
            let why = body::unregistered(&kind, &version);
            let cause = Cause::invalid("patch", &source.shown(object).into(), &why);
            return Err(Failure::patch_invalid(cause));
        }
        return Ok(());
    }
    if kind.is_empty() {
        let shown = source.shown(object);
        let why = format!("Object 'Kind' is missing in '{shown}'");
        let cause = Cause::invalid("patch", &shown.into(), &why);
        return Err(Failure::patch_invalid(cause));
    }
    if version.is_empty() {
        if object::meta(object, "resourceVersion").is_none() {
            let name = target.name.as_deref().unwrap_or_default();
            return Err(rules::without_version(&target.resource, name));
        }
        let why = "Object 'apiVersion' is missing in 'object has no apiVersion field'";
        return Err(Failure::internal(why));
    }
    if version.split('/').count() > 2 {
        return Err(unexpected_version(&version, &source.shown(object)));
    }
    if version == expected {
        return Ok(());
    }
    let is_own_kind = kind == target.resource.kind;
    if target.is_status() && is_own_kind && target.resource.declares(&version) {
        // All but the status stays as it is.
        object["apiVersion"] = expected.into();
        return Ok(());
    }
    let (group, _) = version.rsplit_once('/').unwrap_or_default();
    let mut wrong = Vec::new();
    if !is_own_kind {
        let must = format!("must be {}", target.resource.kind);
        wrong.push(Cause::invalid("kind", &kind.as_str().into(), &must));
    }
    let must = format!("must be {expected}");
    wrong.push(Cause::invalid(
        "apiVersion",
        &version.as_str().into(),
        &must,
    ));
    Err(Failure::invalid(group, &kind, object::name(object), wrong))
}

fn unexpected_version(version: &str, shown: &str) -> Failure {
    let why = format!("unexpected GroupVersion string: {version}");
    Failure::patch_invalid(Cause::invalid("patch", &shown.into(), &why))
}
