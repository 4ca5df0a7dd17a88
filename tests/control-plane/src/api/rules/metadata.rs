//! The rules of names, namespaces, versions and owners.

use std::collections::HashSet;

use http::StatusCode;
use serde_json::Value;

use super::super::target::Target;
use super::{in_go, managers, names};
use crate::failure::{Cause, Failure};
use crate::kinds::Resource;
use crate::object;

/// Puts an object where its path says.
pub(crate) fn place(target: &Target, object: &mut Value) -> Result<(), Failure> {
    let namespace = target.namespace.clone().unwrap_or_default();
    if !target.resource.namespaced {
        object::metadata_mut(object).remove("namespace");
    }
    // The path leaves open where it is, and the object does not say it.
    if target.namespace.as_deref() == Some("") {
        object::metadata_mut(object).remove("namespace");
    }
    match object::meta(object, "namespace") {
        Some(own) if own != namespace => Err(elsewhere()),
        _ if namespace.is_empty() => Ok(()),
        _ => {
            object::set_meta(object, "namespace", namespace);
            Ok(())
        }
    }
}

/// What is sent to a path is of the path, whether or not there is anything.
pub(crate) fn is_of_path(target: &Target, object: &Value, name: &str) -> Result<(), Failure> {
    check_namespace(target, object)?;
    check_named(object, name)?;
    check_name(object, name)
}

/// An object is in the namespace of its path.
pub(crate) fn check_namespace(target: &Target, object: &Value) -> Result<(), Failure> {
    let namespace = target.namespace.as_deref().unwrap_or_default();
    let own = object::meta(object, "namespace").filter(|_| target.resource.namespaced);
    match own {
        Some(own) if own != namespace => Err(elsewhere()),
        _ => Ok(()),
    }
}

fn elsewhere() -> Failure {
    Failure::bad_request(
        "the namespace of the provided object does not match the namespace sent on the request",
    )
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

/// An object in a path says its name.
pub(crate) fn check_named(object: &Value, name: &str) -> Result<(), Failure> {
    match object::meta(object, "name") {
        Some(_) => Ok(()),
        None => Err(Failure::bad_request(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        ))),
    }
}

/// The answer to a write that names another object by its uid, or another state of it; `found` is empty where there is
/// none.
pub(crate) fn other_object(
    target: &Target,
    name: &str,
    dry_run: bool,
    (called, wanted): (&str, &str),
    found: &str,
) -> Failure {
    let resource = &target.resource;
    // Who only tries it does not come as far as where all of them are kept.
    let root = if dry_run { "" } else { "/registry" };
    let namespace = target.namespace.as_deref().unwrap_or_default();
    let kept = kept_in(resource);
    let key: String = [&*kept, namespace, name]
        .into_iter()
        .filter(|part| !part.is_empty())
        .flat_map(|part| ["/", part])
        .collect();
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: {root}{key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition \
         failed: {called} in precondition: {wanted}, {called} in object meta: {found}",
    );
    Failure::conflict(resource, name, &why)
}

/// Where a real server keeps the objects of a resource, which is told where the wrong one is there.
pub(crate) fn kept_in(resource: &Resource) -> String {
    let (group, plural) = (&*resource.group, &*resource.plural);
    match (group, plural) {
        ("", "replicationcontrollers") => "controllers".to_owned(),
        ("", "nodes") => "minions".to_owned(),
        ("", "endpoints") => "services/endpoints".to_owned(),
        ("", "services") => "services/specs".to_owned(),
        ("networking.k8s.io", "ingresses") => "ingress".to_owned(),
        ("apiextensions.k8s.io" | "apiregistration.k8s.io", _) => format!("{group}/{plural}"),
        _ if resource.is_crd() => format!("{group}/{plural}"),
        _ => plural.to_owned(),
    }
}

/// Whether an update means the object that is there, in the state that its writer has seen; what comes back is what
/// it would change, and may not.
pub(crate) fn same_object(
    target: &Target,
    old: &Value,
    new: &mut Value,
    name: &str,
    dry_run: bool,
    is_patch: bool,
) -> Result<Vec<Cause>, Failure> {
    let resource = &target.resource;
    place(target, new)?;
    check_name(new, name)?;
    check_named(new, name)?;
    if let Some(seen) = object::meta(new, "resourceVersion")
        && seen.parse::<u64>().is_err()
    {
        let message = format!("strconv.ParseUint: parsing {seen:?}: invalid syntax");
        return Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", message));
    }
    let is_other = object::meta(new, "uid").is_some_and(|uid| uid != object::uid(old));
    if let Some(uid) = object::meta(new, "uid").filter(|_| is_other && !is_patch) {
        return Err(other_object(
            target,
            name,
            dry_run,
            ("UID", uid),
            object::uid(old),
        ));
    }
    match object::meta(new, "resourceVersion") {
        Some(seen)
            if seen != object::meta(old, "resourceVersion").unwrap_or_default() && seen != "0" =>
        {
            return Err(Failure::modified(resource, name));
        }
        None | Some("0") if needs_version(target) => {
            return Err(without_version(resource, name));
        }
        _ => {}
    }
    let wrong = fixed(target, old, new);
    if !is_other || wrong.is_empty() {
        // Of another one, which is refused, it is looked at what would be there.
        object::set_meta(new, "uid", object::uid(old));
    }
    let kept = [
        "name",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
    ];
    // It is not stored, and told where nothing is.
    let never_stored = (!dry_run).then_some("selfLink");
    for field in kept
        .into_iter()
        .chain(["resourceVersion"])
        .chain(never_stored)
    {
        match old.get("metadata").and_then(|metadata| metadata.get(field)) {
            Some(value) => object::set_meta(new, field, value.clone()),
            None => {
                object::metadata_mut(new).remove(field);
            }
        }
    }
    Ok(wrong)
}

/// What an update would change of what stays as it is.
fn fixed(target: &Target, old: &Value, new: &Value) -> Vec<Cause> {
    let resource = &target.resource;
    let is_status = target.is_status();
    if is_status && (resource.is_crd() || &*resource.group == "flowcontrol.apiserver.k8s.io") {
        return Vec::new();
    }
    let uid = object::meta(new, "uid").filter(|uid| *uid != object::uid(old));
    let uid = uid.map(|uid| Cause::invalid("metadata.uid", &uid.into(), super::fixed::IMMUTABLE));
    let mut wrong: Vec<Cause> = uid.into_iter().collect();
    // Of a part of a pod no metadata is written, and some statuses leave the time alone as it is.
    let keeps_time = is_status && super::kept_by_status(resource).contains(&"deletionTimestamp");
    match target.subresource.as_deref() {
        Some("ephemeralcontainers" | "resize") => {}
        _ => wrong.extend(of_deletion(old, new, keeps_time)),
    }
    wrong
}

/// An update that does not say which state of the object its writer has seen.
pub(crate) fn without_version(resource: &Resource, name: &str) -> Failure {
    let why = "must be specified for an update";
    let cause = Cause::invalid("metadata.resourceVersion", &0.into(), why);
    Failure::invalid(&resource.group, &resource.plural, name, vec![cause])
}

/// An object is deleted by no update.
fn of_deletion(old: &Value, new: &Value, keeps_time: bool) -> Vec<Cause> {
    let of = |object: &Value, field: &str| {
        let value = object
            .get("metadata")
            .and_then(|metadata| metadata.get(field));
        value.filter(|value| !value.is_null()).cloned()
    };
    let fields = ["deletionTimestamp", "deletionGracePeriodSeconds"];
    let is_deleting = object::is_deleting(old);
    fields
        .into_iter()
        .skip(usize::from(is_deleting || keeps_time))
        .filter_map(|field| {
            let value = of(new, field).filter(|value| Some(value) != of(old, field).as_ref())?;
            let field = format!("metadata.{field}");
            Some(Cause::invalid(&field, &value, super::fixed::IMMUTABLE))
        })
        .collect()
}

/// Joins owner references that are the same, and says what to warn of.
pub(crate) fn join_owners(object: &mut Value, of_body: bool) -> Option<String> {
    let owners = object
        .pointer_mut("/metadata/ownerReferences")?
        .as_array_mut()?;
    let mut twice: Vec<String> = Vec::new();
    let mut kept: HashSet<Value> = HashSet::new();
    owners.retain(|owner| {
        let is_new = kept.insert(owner.clone());
        if !is_new {
            let uid = owner.get("uid").and_then(Value::as_str);
            twice.push(uid.unwrap_or_default().to_owned());
        }
        is_new
    });
    let when = match of_body {
        true => "",
        false => " after mutating admission happens",
    };
    (!twice.is_empty()).then(|| {
        format!(
            ".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in 1.20+, \
             and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
            twice.join(", ")
        )
    })
}

/// Kinds that cannot be replaced without saying what is replaced.
fn needs_version(target: &Target) -> bool {
    let resource = &target.resource;
    resource.is_crd()
        || match &*resource.group {
            "apiextensions.k8s.io"
            | "admissionregistration.k8s.io"
            | "coordination.k8s.io"
            | "apiregistration.k8s.io"
            | "node.k8s.io"
            | "policy" => true,
            "storage.k8s.io" => [
                "csidrivers",
                "csinodes",
                "csistoragecapacities",
                "volumeattachments",
            ]
            .contains(&&*resource.plural),
            _ => false,
        }
}

/// What is wrong with an object's metadata.
pub(super) fn check(target: &Target, object: &Value) -> Vec<Cause> {
    let mut wrong = check_whole(target, object);
    wrong.extend(names::kubernetes_finalizers(target, object));
    wrong
}

/// The same without what Kubernetes itself reserves.
pub(super) fn check_whole(target: &Target, object: &Value) -> Vec<Cause> {
    let mut wrong = names::own_name(target, object);
    if target.namespace.as_deref() == Some("") {
        wrong.push(Cause::required("metadata.namespace", ""));
    }
    wrong.extend(check_but_name(object));
    wrong
}

/// The same of an object that is there already, which is called as its kind allows.
pub(super) fn check_of_any_kind(object: &Value) -> Vec<Cause> {
    let mut wrong = names::begun_in_paths(object);
    wrong.extend(check_but_name(object));
    wrong
}

fn check_but_name(object: &Value) -> Vec<Cause> {
    let mut wrong: Vec<Cause> = check_generation(object).into_iter().collect();
    wrong.extend(check_said(object));
    wrong.extend(names::finalizers(object));
    wrong.extend(managers::check(object));
    wrong
}

fn check_generation(object: &Value) -> Option<Cause> {
    let generation = object.pointer("/metadata/generation")?;
    let is_negative = generation.as_i64().is_some_and(|number| number < 0);
    let why = "must be greater than or equal to 0";
    is_negative.then(|| Cause::invalid("metadata.generation", generation, why))
}

/// What is wrong with what the metadata says of its own accord.
pub(super) fn check_said(object: &Value) -> Vec<Cause> {
    let mut wrong = names::labels(object);
    wrong.extend(check_owners(object));
    wrong
}

/// Each reference with a controller too many is told with all references, in bytes.
const MOST_SAID_OF_CONTROLLERS: usize = 1 << 20;

fn check_owners(object: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut controller: Option<String> = None;
    let (mut shown, mut said) = (None, 0);
    for owner in object::owners(object) {
        let text = |field: &str| owner.get(field).and_then(Value::as_str).unwrap_or_default();
        for (field, why) in [
            ("apiVersion", "version must not be empty"),
            ("kind", "must not be empty"),
            ("name", "must not be empty"),
            ("uid", "must not be empty"),
        ] {
            // Behind the group is the version, if it is one at all.
            let value = match (field, text(field).rsplit_once('/')) {
                ("apiVersion", Some((group, _))) if group.contains('/') => "",
                ("apiVersion", Some((_, version))) => version,
                _ => text(field),
            };
            if value.is_empty() {
                wrong.push(Cause::invalid(
                    &format!("metadata.ownerReferences.{field}"),
                    &text(field).into(),
                    why,
                ));
            }
        }
        if text("kind") == "Event" && text("apiVersion") == "v1" {
            let message = format!(
                "Invalid value: {}: /v1, Kind=Event is disallowed from being an owner",
                in_go::owner(owner)
            );
            wrong.push(Cause::new(
                "FieldValueInvalid",
                "metadata.ownerReferences",
                message,
            ));
        }
        if owner.get("controller") == Some(&Value::Bool(true)) {
            let name = format!("{}/{}", text("kind"), text("name"));
            match &controller {
                None => controller = Some(name),
                Some(first) => {
                    let why = format!(
                        "Only one reference can have Controller set to true. Found \"true\" in references for \
                         {first} and {name}"
                    );
                    let all = shown.get_or_insert_with(|| {
                        Vec::from_iter(object::owners(object).map(in_go::owner)).join(",")
                    });
                    let message = format!("Invalid value: [{all}]: {why}");
                    said += message.len();
                    wrong.push(Cause::new(
                        "FieldValueInvalid",
                        "metadata.ownerReferences",
                        message,
                    ));
                    // A real server goes on until its memory or its time runs out.
                    if said > MOST_SAID_OF_CONTROLLERS {
                        break;
                    }
                }
            }
        }
    }
    wrong
}
