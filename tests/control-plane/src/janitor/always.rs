//! What a server makes anew when it was deleted: the Service that stands for itself, and the namespace of its nodes'
//! leases. The other namespaces that are always there cannot be deleted.

use std::sync::Arc;

use serde_json::Value;

use super::is_namespace;
use crate::api;
use crate::first;
use crate::kinds::is_service;
use crate::object;
use crate::plane::{Plane, World};
use crate::store::{Bucket, Change, What};

pub(super) fn after(world: &Arc<World>, plane: &Plane, bucket: &Bucket, change: &Change) {
    if change.what != What::Deleted || plane.project.is_some() {
        return;
    }
    let mut kept: Vec<(&str, Value)> = Vec::new();
    if is_service(bucket) {
        kept.push(first::service(world.port()));
    } else if is_namespace(bucket) {
        kept.extend(first::namespaces());
    }
    let key = change.key();
    let is_it = |object: &Value| {
        object::name(object) == key.name && object::namespace(object) == key.namespace
    };
    let Some((path, object)) = kept.into_iter().find(|(_, object)| is_it(object)) else {
        return;
    };
    if let Err(failure) = api::install(world, path, &object) {
        let error = failure.message();
        tracing::debug!(
            error,
            "the janitor could not make anew what is always there"
        );
    }
}
