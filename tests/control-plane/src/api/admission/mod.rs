//! The admission plugins that a kube-apiserver has without being told to: what they add to an object before its kind's
//! rules look at it, and what they refuse of it after that.
//!
//! Each looks at its own kinds alone, so that nothing else that is written pays for it.

mod default_classes;
mod limits;
mod node_features;
mod pod_security;
mod priorities;
mod quotas;
mod resizes;
mod runtime_classes;
mod tolerations;
pub(in crate::api) mod topology;
pub(in crate::api) mod totals;

use std::sync::Arc;

use serde_json::Value;

use super::target::Target;
use crate::failure::Failure;
use crate::store::{Bucket, Kept, Key, Transaction};

/// An object that is about to be written.
struct Request<'a> {
    target: &'a Target,
    /// How it is called in what is said of it.
    name: &'a str,
    /// What it takes the place of.
    old: Option<&'a Value>,
}

impl Request<'_> {
    fn is_of(&self, group: &str, plural: &str) -> bool {
        self.target.subresource.is_none() && self.target.resource.is(group, plural)
    }

    fn refuse(&self, why: &str) -> Failure {
        Failure::forbidden(&self.target.resource, self.name, why)
    }

    /// The objects of a resource, of one namespace or of all.
    fn all(&self, group: &str, plural: &str, namespace: Option<&str>) -> Vec<Arc<Kept>> {
        let store = &self.target.plane.store;
        store.list(&bucket(group, plural), namespace).objects
    }

    /// One that is in no namespace.
    fn one(&self, group: &str, plural: &str, name: &str) -> Option<Arc<Kept>> {
        let store = &self.target.plane.store;
        store.kept(&bucket(group, plural), &Key::new("", name))
    }
}

fn bucket(group: &str, plural: &str) -> Bucket {
    Bucket {
        group: group.into(),
        plural: plural.into(),
    }
}

/// What is added to an object, and refused at once.
pub(super) fn change(
    target: &Target,
    name: &str,
    old: Option<&Value>,
    object: &mut Value,
) -> Result<(), Failure> {
    let request = Request { target, name, old };
    let is_new = old.is_none();
    let is_pod = request.is_of("", "pods");
    if limits::concern(&request) && target.resource.is("", "pods") {
        limits::change(&request, object);
    }
    if is_pod {
        priorities::change(&request, object)?;
        tolerations::change(object);
    }
    if is_new && request.is_of("", "persistentvolumeclaims") {
        default_classes::of_claim(&request, object);
    }
    if is_new && is_pod {
        runtime_classes::change(&request, object)?;
        let node = object["spec"]["nodeName"].as_str().map(str::to_owned);
        topology::label(&target.plane, node.as_deref(), object);
    }
    if is_new && request.is_of("networking.k8s.io", "ingresses") {
        default_classes::of_ingress(&request, object);
    }
    Ok(())
}

/// What is refused of an object that keeps the rules of its kind; the answer is what is warned of. What there is of it is
/// counted unless nothing is to be written.
pub(super) fn check(
    target: &Target,
    name: &str,
    transaction: &mut Transaction<'_>,
    old: Option<&Value>,
    object: &Value,
    dry_run: bool,
) -> Result<Vec<String>, Failure> {
    let request = Request { target, name, old };
    if limits::concern(&request) {
        limits::check(&request, object)?;
    }
    let warnings = pod_security::check(&request, object)?;
    if request.is_of("scheduling.k8s.io", "priorityclasses") {
        priorities::check(&request, object)?;
    }
    if old.is_none() && request.is_of("", "pods") {
        runtime_classes::check(&request, object)?;
    }
    if target.resource.is("", "pods") && target.subresource.as_deref() == Some("resize") {
        node_features::check(&request, object)?;
        resizes::check(&request, object)?;
    }
    quotas::check(&request, transaction, object, dry_run)?;
    Ok(warnings)
}
