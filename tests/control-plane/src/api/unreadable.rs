//! What is stored in a version that its definition names no more: nobody can read it until that version is back.

use std::sync::Arc;

use http::StatusCode;

use super::target::Target;
use crate::failure::Failure;
use crate::kinds::Resource;
use crate::store::Kept;

/// An object, unless it is one of those.
pub(super) fn readable(resource: &Resource, object: Arc<Kept>) -> Result<Arc<Kept>, Failure> {
    check(resource, [&object].into_iter())?;
    Ok(object)
}

/// None of the objects is one of those.
pub(super) fn check<'k>(
    resource: &Resource,
    objects: impl Iterator<Item = &'k Arc<Kept>>,
) -> Result<(), Failure> {
    match resource.unreadable(objects) {
        Some(why) => Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", why)),
        None => Ok(()),
    }
}

/// Beside one of those there is no cache of its kind, whichever namespace is asked for.
pub(super) fn check_cache(target: &Target) -> Result<(), Failure> {
    match target.plane.store.unreadable(target.bucket()) {
        Some(why) => {
            let why = not_listed(&target.resource, &target.version().name, &why);
            Err(Failure::initializing(Some(&why)))
        }
        None => Ok(()),
    }
}

/// What a cache of a version says of it.
fn not_listed(resource: &Resource, version: &str, why: &str) -> String {
    let (version, kind) = (resource.api_version(version), &resource.kind);
    format!("failed to list {version}, Kind={kind}: {why}")
}

/// Why the objects of a definition cannot be deleted, if one of them is one of those.
pub(crate) fn not_deleted<'k>(
    resource: &Resource,
    objects: impl Iterator<Item = &'k Arc<Kept>>,
) -> Option<String> {
    let why = resource.unreadable(objects)?;
    let unlisted = Failure::initializing(Some(&not_listed(resource, &resource.stored, &why)));
    Some(format!("could not list instances: {}", unlisted.message()))
}
