//! `delete` and `deletecollection`.

use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::delete_options::{DeleteOptions, Policy};
use super::read::{Wanted, found};
use super::target::Target;
use super::unreadable::readable;
use super::view::Form;
use super::{Asked, response, service_addresses};
use crate::failure::Failure;
use crate::kinds::{Origin, Resource, crd_terminating, endpoints_bucket, is_service};
use crate::object;
use crate::serve::Body;
use crate::store::{Bucket, Kept, Key, Transaction};
use crate::structs::Typed;

/// The finalizer of an object that goes after its dependents.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
/// The finalizer of an object that leaves its dependents behind.
pub(crate) const ORPHAN: &str = "orphan";
/// The finalizer of a CRD whose objects go first.
pub(crate) const CRD_CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// What a delete did.
pub(crate) enum Deleted {
    /// The object is gone; this is what it was.
    Gone(Value),
    /// Something holds it; it is being deleted.
    Held(Value),
}

/// Deletes an object, or begins to.
pub(crate) fn remove(
    transaction: &mut Transaction<'_>,
    resource: &Resource,
    key: Key,
    options: &DeleteOptions,
) -> Result<Deleted, Failure> {
    let old = transaction
        .kept(&resource.bucket, &key)
        .ok_or_else(|| Failure::not_found(resource, &key.name))?;
    let old = readable(resource, old)?.value();
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
    let is_pod = resource.is("", "pods");
    if is_pod && is_pending(&old, options) {
        return Ok(Deleted::Held(old));
    }
    let mut finalizers: Vec<String> = object::finalizers(&old).map(str::to_owned).collect();
    let begins = !object::is_deleting(&old);
    let is_event = resource.is_event();
    let policy = options
        .policy
        .or_else(|| leaves_dependents(resource).then_some(Policy::Orphan))
        // What belongs to a definition are its objects, which go in any case, and to an event nothing does.
        .filter(|_| !(is_event || is_definition && begins));
    if let Some(policy) = policy {
        finalizers.retain(|finalizer| finalizer != FOREGROUND && finalizer != ORPHAN);
        match policy {
            Policy::Foreground => finalizers.push(FOREGROUND.to_owned()),
            Policy::Orphan => finalizers.push(ORPHAN.to_owned()),
            Policy::Background => {}
        }
    }
    if is_definition && begins {
        finalizers.push(CRD_CLEANUP.to_owned());
    }
    let spec_holds = is_namespace
        && old
            .pointer("/spec/finalizers")
            .and_then(Value::as_array)
            .is_some_and(|list| !list.is_empty());
    let grace = if is_pod { pods_grace(&old, options) } else { 0 };
    if is_pod && finalizers.is_empty() && grace == 0 {
        // Its end is written down before it is gone.
        let mut last = old.clone();
        begin_deletion(&mut last, &old, 0);
        if options.dry_run {
            return Ok(Deleted::Gone(last));
        }
        transaction.put(&resource.bucket, key.clone(), last);
    }
    // A namespace ends first, even if nothing holds it.
    let is_held = !finalizers.is_empty() || spec_holds || is_namespace && begins;
    if !is_held && grace == 0 {
        let last = match options.dry_run {
            true => None,
            false => take_away(transaction, &resource.bucket, &key),
        };
        return Ok(Deleted::Gone(last.unwrap_or(old)));
    }
    let mut new = old.clone();
    if is_pod {
        begin_deletion(&mut new, &old, grace);
    } else if is_namespace && begins {
        end_namespace(&mut new);
    } else if is_definition && begins {
        object::set_meta(&mut new, "deletionTimestamp", object::now());
        crd_terminating(&mut new);
    } else if begins {
        begin_deletion(&mut new, &old, 0);
    }
    if is_definition && !begins {
        object::set_meta(&mut new, "deletionGracePeriodSeconds", 0);
    }
    object::set_finalizers(&mut new, finalizers);
    Ok(Deleted::Held(if options.dry_run {
        new
    } else {
        transaction.put(&resource.bucket, key, new)
    }))
}

/// Removes an object, and what it had alone is free again.
pub(crate) fn take_away(
    transaction: &mut Transaction<'_>,
    bucket: &Bucket,
    key: &Key,
) -> Option<Value> {
    let gone = transaction.remove(bucket, key)?;
    service_addresses::give_back(transaction, bucket, &gone, None);
    if is_service(bucket) {
        // Those of the next Service of its name are others.
        end(transaction, &endpoints_bucket(), key.clone());
    }
    Some(gone)
}

/// Removes what goes with something else, or begins to if something holds it.
pub(super) fn end(transaction: &mut Transaction<'_>, bucket: &Bucket, key: Key) {
    let Some(object) = transaction.get(bucket, &key) else {
        return;
    };
    if object::finalizers(&object).next().is_none() {
        transaction.remove(bucket, &key);
    } else if !object::is_deleting(&object) {
        let mut ending = object.clone();
        begin_deletion(&mut ending, &object, 0);
        transaction.put(bucket, key, ending);
    }
}

fn end_namespace(namespace: &mut Value) {
    object::set_meta(namespace, "deletionTimestamp", object::now());
    object::field_mut(namespace, "status").insert("phase".to_owned(), "Terminating".into());
}

fn begin_deletion(new: &mut Value, old: &Value, grace: i64) {
    if !object::is_deleting(old) {
        let generation = old.pointer("/metadata/generation").and_then(Value::as_i64);
        if let Some(generation) = generation {
            // As Go counts, which goes on from the smallest one.
            object::set_meta(new, "generation", generation.wrapping_add(1));
        }
    }
    let time = crate::clock::now() + jiff::SignedDuration::from_secs(grace);
    let time = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    object::set_meta(new, "deletionTimestamp", time);
    object::set_meta(new, "deletionGracePeriodSeconds", grace);
}

/// Whether a pod is on its way already, and this deletion does not hurry it.
fn is_pending(pod: &Value, options: &DeleteOptions) -> bool {
    let left = pod.pointer("/metadata/deletionGracePeriodSeconds");
    let left = left
        .and_then(Value::as_i64)
        .filter(|_| object::is_deleting(pod));
    left.is_some_and(|left| options.grace.is_none_or(|wanted| wanted >= left))
}

/// How long a pod is given: none if nobody runs it, and never more than it has left.
fn pods_grace(pod: &Value, options: &DeleteOptions) -> i64 {
    let text = |pointer: &str| {
        pod.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let is_over = ["Succeeded", "Failed"].contains(&text("/status/phase"));
    if is_over || text("/spec/nodeName").is_empty() {
        return 0;
    }
    let number = |pointer: &str| pod.pointer(pointer).and_then(Value::as_i64);
    let own = number("/spec/terminationGracePeriodSeconds").unwrap_or(30);
    let wanted = options.grace.unwrap_or(own).clamp(0, i64::from(i32::MAX));
    match number("/metadata/deletionGracePeriodSeconds") {
        Some(left) if object::is_deleting(pod) => wanted.min(left),
        _ => wanted,
    }
}

/// Whether, unless the client says so, what the objects own is left as it is.
fn leaves_dependents(resource: &Resource) -> bool {
    resource.is("batch", "jobs") || resource.is("", "replicationcontrollers")
}

pub(crate) fn delete(
    target: &Target,
    name: &str,
    asked: &Asked,
) -> Result<Response<Body>, Failure> {
    let form = Form::of(target, asked)?;
    let options = DeleteOptions::read(asked)?;
    // It is told whether there is anything to delete or not.
    let told = advice(target, &options);
    let deleted = target.world.transact(&target.plane, |transaction| {
        remove(transaction, &target.resource, target.key(name), &options)
    });
    let warned = told.map(str::to_owned).into_iter().collect();
    let deleted = deleted.map_err(|failure| failure.warned(warned))?;
    let (code, object) = match deleted {
        Deleted::Gone(object) if !returns_object(&target.resource) => {
            return Ok(response::json(
                StatusCode::OK,
                &Typed(&success(&target.resource, &object)),
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
    let answer = response::written(code, form.of_one(target)?.text(target, &object));
    Ok(response::warn(answer, told.as_slice()))
}

/// What whoever deletes should know.
fn advice(target: &Target, options: &DeleteOptions) -> Option<&'static str> {
    let leaves_pods = target.resource.is("batch", "jobs") && options.policy.is_none();
    leaves_pods.then_some(
        "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them \
         or set propagationPolicy=Orphan to suppress this warning",
    )
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
    let form = Form::of(target, asked)?;
    let wanted = Wanted::read(target, asked)?;
    let options = DeleteOptions::read(asked)?;
    let (objects, mut metadata) = found(target, asked, form, wanted)?;
    let gone = remove_all(target, objects, &options)?;
    metadata["resourceVersion"] = target.plane.store.revision().to_string().into();
    let answer = response::written(StatusCode::OK, form.list(target, &gone, metadata));
    Ok(response::warn(answer, advice(target, &options).as_slice()))
}

/// Deletes what is still there of these objects.
fn remove_all(
    target: &Target,
    objects: Vec<Arc<Kept>>,
    options: &DeleteOptions,
) -> Result<Vec<Arc<Kept>>, Failure> {
    let mut gone = Vec::new();
    for object in objects {
        let deleted = target.world.transact(&target.plane, |transaction| {
            remove(transaction, &target.resource, object.key.clone(), options)
        });
        match deleted {
            Ok(_) => gone.push(object),
            // It went in the meantime.
            Err(failure) if failure.code == StatusCode::NOT_FOUND => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(gone)
}
