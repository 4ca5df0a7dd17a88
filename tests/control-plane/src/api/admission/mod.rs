//! The admission plugins that a kube-apiserver has without being told to: what they add to an object before its kind's
//! rules look at it, and what they refuse of it after that.
//!
//! Each looks at its own kinds alone, so that nothing else that is written pays for it.

mod priorities;
mod tolerations;

use std::sync::Arc;

use serde_json::Value;

use super::target::Target;
use crate::failure::Failure;
use crate::store::{Bucket, Kept};

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
        let bucket = Bucket {
            group: group.into(),
            plural: plural.into(),
        };
        self.target.plane.store.list(&bucket, namespace).objects
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
    if request.is_of("", "pods") {
        priorities::change(&request, object)?;
        tolerations::change(object);
    }
    Ok(())
}

/// What is refused of an object that keeps the rules of its kind.
pub(super) fn check(
    target: &Target,
    name: &str,
    old: Option<&Value>,
    object: &Value,
) -> Result<(), Failure> {
    let request = Request { target, name, old };
    if request.is_of("scheduling.k8s.io", "priorityclasses") {
        priorities::check(&request, object)?;
    }
    Ok(())
}
