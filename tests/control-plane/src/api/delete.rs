//! `delete` and `deletecollection`.

use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::options::dry_run;
use super::read::selector;
use super::response;
use super::target::Target;
use super::view::Form;
use super::{Asked, protobuf};
use crate::failure::{Cause, Failure};
use crate::kinds::{Origin, Resource, crd_terminating};
use crate::object;
use crate::serve::Body;
use crate::store::{Key, Transaction};

/// The finalizer of an object that goes after its dependents.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
/// The finalizer of an object that leaves its dependents behind.
pub(crate) const ORPHAN: &str = "orphan";
/// The finalizer of a CRD whose objects go first.
pub(crate) const CRD_CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// What becomes of the dependents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// They go first.
    Foreground,
    /// They go afterwards.
    Background,
    /// They stay.
    Orphan,
}

/// How to delete.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeleteOptions {
    pub(crate) policy: Option<Policy>,
    pub(crate) uid: Option<String>,
    resource_version: Option<String>,
    dry_run: bool,
    /// The old way to ask for a cascade, which is answered 202 if it takes its time.
    cascades: bool,
}

impl DeleteOptions {
    /// Background deletion of one object, and no other of its name.
    pub(crate) fn of(object: &Value, policy: Option<Policy>) -> Self {
        Self {
            policy,
            uid: Some(object::uid(object).to_owned()),
            ..Self::default()
        }
    }

    fn read(asked: &Asked) -> Result<Self, Failure> {
        let refuse = |cause| Failure::invalid("meta.k8s.io", "DeleteOptions", "", vec![cause]);
        let body: Value = if asked.body.iter().all(u8::is_ascii_whitespace) {
            json!({})
        } else if super::body::media_type(asked) == protobuf::MEDIA_TYPE {
            protobuf::read(&asked.body).map_err(Failure::bad_request)?
        } else {
            super::body::parse_json(&asked.body).map_err(|why| {
                Failure::bad_request(format!(
                    "couldn't get version/kind; json parse error: {why}"
                ))
            })?
        };
        let text = |pointer: &str| {
            body.pointer(pointer)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let policy = text("/propagationPolicy")
            .or_else(|| asked.query.get("propagationPolicy").map(str::to_owned));
        let orphans = body
            .get("orphanDependents")
            .and_then(Value::as_bool)
            .or(asked.query.tri("orphanDependents"));
        let policy = match (policy.as_deref(), orphans) {
            (Some(_), Some(_)) => {
                let message = "orphanDependents and deletionPropagation cannot be both set";
                return Err(refuse(Cause::invalid(
                    "propagationPolicy",
                    &json!(policy),
                    message,
                )));
            }
            (Some("Foreground"), _) => Some(Policy::Foreground),
            (Some("Background"), _) => Some(Policy::Background),
            (Some("Orphan"), _) | (None, Some(true)) => Some(Policy::Orphan),
            (None, Some(false)) => Some(Policy::Background),
            (None, None) => None,
            (Some(other), None) => {
                let supported = "\"Foreground\", \"Background\", \"Orphan\", \"nil\"";
                return Err(refuse(Cause::unsupported(
                    "propagationPolicy",
                    &other.into(),
                    supported,
                )));
            }
        };
        let wanted: Vec<&Value> = body
            .get("dryRun")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .collect();
        if wanted.iter().any(|value| **value != "All") {
            return Err(refuse(Cause::unsupported(
                "dryRun",
                &json!(wanted),
                "\"All\"",
            )));
        }
        Ok(Self {
            policy,
            uid: text("/preconditions/uid"),
            resource_version: text("/preconditions/resourceVersion"),
            dry_run: !wanted.is_empty() || dry_run(asked, "DeleteOptions")?,
            cascades: orphans == Some(false),
        })
    }

    fn check(&self, resource: &Resource, object: &Value) -> Result<(), Failure> {
        let name = object::name(object);
        let (uid, version) = (
            object::uid(object),
            object::meta(object, "resourceVersion").unwrap_or_default(),
        );
        if let Some(wanted) = self.uid.as_deref().filter(|wanted| *wanted != uid) {
            let why = format!(
                "the UID in the precondition ({wanted}) does not match the UID in record ({uid}). The object might \
                 have been deleted and then recreated"
            );
            return Err(Failure::precondition(resource, name, &why));
        }
        if let Some(wanted) = self
            .resource_version
            .as_deref()
            .filter(|wanted| *wanted != version)
        {
            let why = format!(
                "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record \
                 ({version}). The object might have been modified"
            );
            return Err(Failure::precondition(resource, name, &why));
        }
        Ok(())
    }
}

/// What a delete did.
pub(crate) enum Deleted {
    /// The object is gone; this is what it was.
    Gone(Arc<Value>),
    /// Something holds it; it is being deleted.
    Held(Arc<Value>),
}

/// Deletes an object, or begins to.
pub(crate) fn remove(
    transaction: &mut Transaction<'_>,
    resource: &Resource,
    key: Key,
    options: &DeleteOptions,
) -> Result<Deleted, Failure> {
    let old = transaction
        .get(&resource.bucket, &key)
        .ok_or_else(|| Failure::not_found(resource, &key.name))?;
    options.check(resource, &old)?;
    let is_namespace = resource.is("", "namespaces");
    let is_definition = resource.is("apiextensions.k8s.io", "customresourcedefinitions");
    if is_namespace && ["default", "kube-system", "kube-public"].contains(&key.name.as_str()) {
        return Err(Failure::forbidden(
            resource,
            &key.name,
            "this namespace may not be deleted",
        ));
    }
    let mut finalizers: Vec<String> = object::finalizers(&old).map(str::to_owned).collect();
    if let Some(policy) = options.policy {
        finalizers.retain(|finalizer| finalizer != FOREGROUND && finalizer != ORPHAN);
        match policy {
            Policy::Foreground => finalizers.push(FOREGROUND.to_owned()),
            Policy::Orphan => finalizers.push(ORPHAN.to_owned()),
            Policy::Background => {}
        }
    }
    if is_definition && !object::is_deleting(&old) {
        finalizers.push(CRD_CLEANUP.to_owned());
    }
    let spec_holds = is_namespace
        && old
            .pointer("/spec/finalizers")
            .and_then(Value::as_array)
            .is_some_and(|list| !list.is_empty());
    if finalizers.is_empty() && !spec_holds {
        if !options.dry_run {
            transaction.remove(&resource.bucket, &key);
        }
        return Ok(Deleted::Gone(old));
    }
    let mut new = (*old).clone();
    if !object::is_deleting(&old) {
        object::set_meta(&mut new, "deletionTimestamp", object::now());
        if is_namespace {
            object::field_mut(&mut new, "status").insert("phase".to_owned(), "Terminating".into());
        } else if is_definition {
            crd_terminating(&mut new);
        } else {
            object::set_meta(&mut new, "deletionGracePeriodSeconds", 0);
            if let Some(generation) = old.pointer("/metadata/generation").and_then(Value::as_i64) {
                object::set_meta(&mut new, "generation", generation + 1);
            }
        }
    }
    if is_definition && object::is_deleting(&old) {
        object::set_meta(&mut new, "deletionGracePeriodSeconds", 0);
    }
    object::set_finalizers(&mut new, finalizers);
    Ok(Deleted::Held(if options.dry_run {
        Arc::new(new)
    } else {
        transaction.put(&resource.bucket, key, new)
    }))
}

pub(crate) fn delete(
    target: &Target,
    name: &str,
    asked: &Asked,
) -> Result<Response<Body>, Failure> {
    let form = Form::of(asked)?;
    let options = DeleteOptions::read(asked)?;
    let deleted = target.world.transact(&target.plane, |transaction| {
        remove(transaction, &target.resource, target.key(name), &options)
    })?;
    let (code, object) = match deleted {
        Deleted::Gone(object) if !returns_object(&target.resource) => {
            return Ok(response::json(
                StatusCode::OK,
                &success(&target.resource, &object),
            ));
        }
        Deleted::Gone(object) => (StatusCode::OK, object),
        Deleted::Held(object) => (
            if options.cascades {
                StatusCode::ACCEPTED
            } else {
                StatusCode::OK
            },
            object,
        ),
    };
    Ok(response::json(code, &form.object(target, &object)))
}

fn returns_object(resource: &Resource) -> bool {
    matches!(
        resource.origin,
        Origin::BuiltIn {
            returns_deleted: true,
            ..
        }
    )
}

fn success(resource: &Resource, object: &Value) -> Value {
    let mut details = json!({"name": object::name(object), "kind": &*resource.plural, "uid": object::uid(object)});
    if !resource.group.is_empty() {
        details["group"] = (*resource.group).into();
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

pub(crate) fn delete_collection(target: &Target, asked: &Asked) -> Result<Response<Body>, Failure> {
    let form = Form::of(asked)?;
    let options = DeleteOptions::read(asked)?;
    let selector = selector(target, asked)?;
    let snapshot = target
        .plane
        .store
        .list(target.bucket(), target.namespace.as_deref());
    let mut gone: Vec<Arc<Value>> = Vec::new();
    for object in snapshot
        .objects
        .iter()
        .filter(|object| selector.matches(object))
    {
        let deleted = target.world.transact(&target.plane, |transaction| {
            remove(transaction, &target.resource, Key::of(object), &options)
        });
        match deleted {
            Ok(Deleted::Gone(object) | Deleted::Held(object)) => gone.push(object),
            // It went in the meantime.
            Err(failure) if failure.code == StatusCode::NOT_FOUND => {}
            Err(failure) => return Err(failure),
        }
    }
    let gone: Vec<&Value> = gone.iter().map(Arc::as_ref).collect();
    let mut metadata = json!({"resourceVersion": target.plane.store.revision().to_string()});
    if target.resource.is_crd() {
        // Lists of custom resources always say it.
        metadata["continue"] = "".into();
    }
    Ok(response::json(
        StatusCode::OK,
        &form.list(target, &gone, metadata),
    ))
}
