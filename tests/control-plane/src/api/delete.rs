//! `delete` and `deletecollection`.

use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::options::dry_run;
use super::query::Query;
use super::read::wanted;
use super::response;
use super::target::Target;
use super::view::Form;
use super::{Asked, protobuf};
use crate::failure::{Cause, Failure};
use crate::kinds::{Origin, Resource, crd_terminating};
use crate::object;
use crate::serve::Body;
use crate::store::{Kept, Key, Transaction};

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
    grace: Option<i64>,
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
        if asked.body.iter().all(u8::is_ascii_whitespace) {
            return Self::from_body(&json!({}), &asked.query);
        }
        let body: Value = if super::body::media_type(asked) == protobuf::MEDIA_TYPE {
            protobuf::read(&asked.body).map_err(Failure::bad_request)?
        } else {
            super::body::parse_json(&asked.body).map_err(|why| {
                Failure::bad_request(format!(
                    "couldn't get version/kind; json parse error: {why}"
                ))
            })?
        };
        // Who sends a body says it all there.
        Self::from_body(&body, &Query::default())
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Reads what a body says, and in its place the query.
    pub(super) fn from_body(body: &Value, query: &Query) -> Result<Self, Failure> {
        let refuse = |cause| Failure::invalid("meta.k8s.io", "DeleteOptions", "", vec![cause]);
        let text = |pointer: &str| {
            body.pointer(pointer)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        if let (Some(version), Some(kind)) = (text("/apiVersion"), text("/kind"))
            && kind != "DeleteOptions"
        {
            return Err(Failure::bad_request(format!(
                "no kind \"{kind}\" is registered for version \"{version}\" in scheme \
                 \"pkg/runtime/scheme.go:111\""
            )));
        }
        let policy = text("/propagationPolicy")
            .or_else(|| query.get("propagationPolicy").map(str::to_owned));
        let orphans = body
            .get("orphanDependents")
            .and_then(Value::as_bool)
            .or(query.tri("orphanDependents"));
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
            dry_run: !wanted.is_empty() || dry_run(query, "DeleteOptions")?,
            cascades: orphans == Some(false),
            grace: body
                .get("gracePeriodSeconds")
                .and_then(Value::as_i64)
                .or_else(|| query.get("gracePeriodSeconds")?.parse().ok()),
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
    let policy = options
        .policy
        .or_else(|| leaves_dependents(resource).then_some(Policy::Orphan));
    if let Some(policy) = policy {
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
    let is_pod = resource.is("", "pods");
    let grace = if is_pod { pods_grace(&old, options) } else { 0 };
    if is_pod && finalizers.is_empty() && grace == 0 && !options.dry_run {
        // Its end is written down before it is gone.
        let mut last = old.clone();
        begin_deletion(&mut last, &old, 0);
        transaction.put(&resource.bucket, key.clone(), last);
    }
    if finalizers.is_empty() && !spec_holds && grace == 0 {
        let last = match options.dry_run {
            true => None,
            false => transaction.remove(&resource.bucket, &key),
        };
        return Ok(Deleted::Gone(last.unwrap_or(old)));
    }
    let mut new = old.clone();
    if is_pod {
        begin_deletion(&mut new, &old, grace);
    } else if !object::is_deleting(&old) {
        object::set_meta(&mut new, "deletionTimestamp", object::now());
        if is_namespace {
            object::field_mut(&mut new, "status").insert("phase".to_owned(), "Terminating".into());
        } else if is_definition {
            crd_terminating(&mut new);
        } else {
            begin_deletion(&mut new, &old, 0);
        }
    }
    if is_definition && object::is_deleting(&old) {
        object::set_meta(&mut new, "deletionGracePeriodSeconds", 0);
    }
    object::set_finalizers(&mut new, finalizers);
    Ok(Deleted::Held(if options.dry_run {
        new
    } else {
        transaction.put(&resource.bucket, key, new)
    }))
}

fn begin_deletion(new: &mut Value, old: &Value, grace: i64) {
    if !object::is_deleting(old) {
        let generation = old.pointer("/metadata/generation").and_then(Value::as_i64);
        if let Some(generation) = generation {
            object::set_meta(new, "generation", generation + 1);
        }
    }
    let time = crate::clock::now() + jiff::SignedDuration::from_secs(grace);
    let time = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    object::set_meta(new, "deletionTimestamp", time);
    object::set_meta(new, "deletionGracePeriodSeconds", grace);
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
    let mut warnings = Vec::new();
    if target.resource.is("batch", "jobs") && options.policy.is_none() {
        warnings.push(
            "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove \
             them or set propagationPolicy=Orphan to suppress this warning"
                .to_owned(),
        );
    }
    let answer = response::json(code, &form.object(target, &object));
    Ok(response::warn(answer, &warnings))
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
    let options = DeleteOptions::read(asked)?;
    let (objects, mut metadata) = wanted(target, asked, form)?;
    let mut gone: Vec<Arc<Kept>> = Vec::new();
    for object in objects {
        let deleted = target.world.transact(&target.plane, |transaction| {
            remove(transaction, &target.resource, object.key.clone(), &options)
        });
        match deleted {
            Ok(_) => gone.push(object),
            // It went in the meantime.
            Err(failure) if failure.code == StatusCode::NOT_FOUND => {}
            Err(failure) => return Err(failure),
        }
    }
    metadata["resourceVersion"] = target.plane.store.revision().to_string().into();
    Ok(response::written(form.list(target, &gone, metadata)))
}
