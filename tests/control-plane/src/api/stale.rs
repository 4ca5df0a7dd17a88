//! What a read sees: the newest state, or an older one where a fault says so.

use std::sync::Arc;

use super::Asked;
use super::target::Target;
use super::unreadable::readable;
use crate::failure::Failure;
use crate::store::{Kept, Snapshot};

/// The revision that counts as the newest.
pub(super) fn newest(target: &Target, asked: &Asked) -> u64 {
    let newest = target.plane.store.revision();
    match &asked.distortion.stale {
        Some(staleness) => staleness.newest(target.plane.project.as_deref(), newest),
        None => newest,
    }
}

/// The object that the path names.
pub(super) fn object(target: &Target, asked: &Asked) -> Result<Arc<Kept>, Failure> {
    let name = target.name.as_deref().unwrap_or_default();
    let key = target.key(name);
    let found = match asked.distortion.stale {
        Some(_) => {
            let objects = snapshot(target, asked).objects;
            objects.into_iter().find(|object| object.key == key)
        }
        None => target.plane.store.kept(target.bucket(), &key),
    };
    let found = found.ok_or_else(|| Failure::not_found(&target.resource, name))?;
    readable(&target.resource, found)
}

/// The objects of the collection that the path names.
pub(super) fn snapshot(target: &Target, asked: &Asked) -> Snapshot {
    let (store, bucket) = (&target.plane.store, target.bucket());
    let namespace = target.namespace.as_deref();
    if asked.distortion.stale.is_none() {
        return store.list(bucket, namespace);
    }
    let at = |revision| store.list_at(bucket, namespace, revision);
    // As old as is known, where that is no longer.
    at(newest(target, asked))
        .or_else(|compacted| at(compacted.oldest))
        .unwrap_or_else(|_| store.list(bucket, namespace))
}
