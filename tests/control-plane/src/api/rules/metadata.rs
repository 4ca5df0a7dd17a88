//! The rules of names, namespaces, versions and owners.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::super::target::Target;
use crate::failure::{Cause, Failure};
use crate::object;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
    and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
    start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
    '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex \
    used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

fn is_subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_label_text)
}

fn is_label_text(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.chars().all(inner) && !name.starts_with('-') && !name.ends_with('-')
}

fn is_label_value(value: &str) -> bool {
    static SYNTAX: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new("^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$").ok());
    value.len() <= 63 && SYNTAX.as_ref().is_some_and(|syntax| syntax.is_match(value))
}

/// Puts an object where its path says.
pub(crate) fn place(target: &Target, object: &mut Value) -> Result<(), Failure> {
    let namespace = target.namespace.clone().unwrap_or_default();
    match object::meta(object, "namespace") {
        Some(own) if own != namespace => Err(Failure::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        )),
        _ if namespace.is_empty() => Ok(()),
        _ => {
            object::set_meta(object, "namespace", namespace);
            Ok(())
        }
    }
}

/// An object has the name of its path.
pub(crate) fn check_name(object: &Value, name: &str) -> Result<(), Failure> {
    match object::meta(object, "name") {
        Some(own) if own != name => Err(Failure::bad_request(format!(
            "the name of the object ({own}) does not match the name on the URL ({name})"
        ))),
        _ => Ok(()),
    }
}

/// Whether an update means the object that is there, in the state that its writer has seen.
pub(crate) fn same_object(
    target: &Target,
    old: &Value,
    new: &mut Value,
    name: &str,
    is_patch: bool,
) -> Result<(), Failure> {
    let resource = &target.resource;
    check_name(new, name)?;
    place(target, new)?;
    if let Some(uid) = object::meta(new, "uid")
        && uid != object::uid(old)
    {
        return Err(if is_patch {
            let cause = Cause::invalid("metadata.uid", &uid.into(), "field is immutable");
            Failure::invalid_object(resource, name, vec![cause])
        } else {
            let key: Vec<&str> = [
                &*resource.group,
                &*resource.plural,
                object::namespace(old),
                name,
            ]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
            let why = format!(
                "StorageError: invalid object, Code: 4, Key: /registry/{}, ResourceVersion: 0, AdditionalErrorMsg: \
                 Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                key.join("/"),
                object::uid(old)
            );
            Failure::conflict(resource, name, &why)
        });
    }
    match object::meta(new, "resourceVersion") {
        Some(seen)
            if seen != object::meta(old, "resourceVersion").unwrap_or_default() && seen != "0" =>
        {
            return Err(Failure::modified(resource, name));
        }
        None | Some("0") if !is_patch && needs_version(target) => {
            let cause = Cause::invalid(
                "metadata.resourceVersion",
                &0.into(),
                "must be specified for an update",
            );
            return Err(Failure::invalid(
                &resource.group,
                &resource.plural,
                name,
                vec![cause],
            ));
        }
        _ => {}
    }
    let kept = [
        "name",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
    ];
    for field in kept.into_iter().chain(["resourceVersion", "selfLink"]) {
        match old.get("metadata").and_then(|metadata| metadata.get(field)) {
            Some(value) => object::set_meta(new, field, value.clone()),
            None => {
                object::metadata_mut(new).remove(field);
            }
        }
    }
    Ok(())
}

/// Kinds that cannot be replaced without saying what is replaced.
fn needs_version(target: &Target) -> bool {
    let group = &*target.resource.group;
    target.resource.is_crd()
        || [
            "apiextensions.k8s.io",
            "admissionregistration.k8s.io",
            "coordination.k8s.io",
        ]
        .contains(&group)
}

/// What is wrong with an object's metadata.
pub(super) fn check(target: &Target, object: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    wrong.extend(check_own_name(target, object));
    let labels = object
        .pointer("/metadata/labels")
        .and_then(Value::as_object);
    for (_, value) in labels.into_iter().flatten() {
        let text = value.as_str().unwrap_or_default();
        if !is_label_value(text) {
            let why = if text.len() > 63 {
                "must be no more than 63 bytes"
            } else {
                LABEL_VALUE
            };
            wrong.push(Cause::invalid("metadata.labels", value, why));
        }
    }
    wrong.extend(check_owners(object));
    wrong
}

fn check_own_name(target: &Target, object: &Value) -> Option<Cause> {
    let name = object::name(object);
    if name.is_empty() {
        return Some(Cause::required(
            "metadata.name",
            "name or generateName is required",
        ));
    }
    let (group, kind) = (&*target.resource.group, target.resource.kind.as_str());
    let why = match (group, kind) {
        ("rbac.authorization.k8s.io", _) => match name {
            "." | ".." => Some(format!("may not be '{name}'")),
            _ if name.contains('/') => Some("may not contain '/'".to_owned()),
            _ if name.contains('%') => Some("may not contain '%'".to_owned()),
            _ => None,
        },
        ("", "Namespace" | "Service") if name.len() > 63 => {
            Some("must be no more than 63 bytes".to_owned())
        }
        ("", "Namespace" | "Service") => (!is_label_text(name)).then(|| LABEL.to_owned()),
        _ if name.len() > 253 => Some("must be no more than 253 bytes".to_owned()),
        _ => (!is_subdomain(name)).then(|| SUBDOMAIN.to_owned()),
    };
    why.map(|why| Cause::invalid("metadata.name", &name.into(), &why))
}

fn check_owners(object: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut controller: Option<String> = None;
    for (index, owner) in object::owners(object).enumerate() {
        let at = format!("metadata.ownerReferences[{index}]");
        let text = |field: &str| owner.get(field).and_then(Value::as_str).unwrap_or_default();
        for (field, why) in [
            ("apiVersion", "version must not be empty"),
            ("kind", "must not be empty"),
            ("name", "must not be empty"),
            ("uid", "must not be empty"),
        ] {
            if text(field).is_empty() {
                wrong.push(Cause::invalid(
                    &format!("{at}.{field}"),
                    &text(field).into(),
                    why,
                ));
            }
        }
        if owner.get("controller") == Some(&Value::Bool(true)) {
            let name = format!("{}/{}", text("kind"), text("name"));
            match &controller {
                None => controller = Some(name),
                Some(first) => {
                    let why = format!(
                        "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {name}"
                    );
                    wrong.push(Cause::new(
                        "FieldValueInvalid",
                        "metadata.ownerReferences",
                        format!("Invalid value: null: {why}"),
                    ));
                }
            }
        }
    }
    wrong
}
