//! A CRD that is deleted takes its objects with it, in every control plane.

use std::sync::Arc;

use super::garbage::{change, delete};
use super::{begins_to_go, is_definition};
use serde_json::Value;

use crate::api::{CRD_CLEANUP, DeleteOptions, Policy, establish, track};
use crate::failure::Failure;
use crate::kinds::{crd_bucket, crd_deleting};
use crate::object;
use crate::plane::{Plane, World};
use crate::store::{Bucket, Change, Key, What};

pub(super) fn after(world: &Arc<World>, plane: &Arc<Plane>, bucket: &Bucket, change: &Change) {
    let at_root = plane.project.is_none();
    if at_root && begins_to_go(bucket, &crd_bucket(), change) {
        clean_up(world, &change.key().name);
    } else if at_root && is_definition(bucket) && change.what == What::Deleted {
        give_names_away(world, plane);
    } else if change.what == What::Deleted && !is_definition(bucket) {
        let Some(resource) = world.registry.get(&bucket.group, &bucket.plural) else {
            return;
        };
        if resource.is_terminating() {
            clean_up(world, &resource.qualified());
        }
    }
}

/// Others may have waited for the names of a CRD that is gone.
fn give_names_away(world: &Arc<World>, plane: &Arc<Plane>) {
    let given: Result<(), Failure> = world.transact(plane, |transaction| {
        for definition in transaction.all(&crd_bucket()) {
            establish(transaction, &Key::of(&definition));
        }
        Ok(())
    });
    if let Err(failure) = given {
        tracing::debug!(
            error = failure.message(),
            "the janitor could not give names away"
        );
    }
}

fn tell_of_deletion(definition: &mut Value) {
    let before = definition.clone();
    crd_deleting(definition);
    if *definition != before {
        track(&before, definition);
    }
}

/// Deletes the objects of a CRD; when none is left its finalizer goes.
fn clean_up(world: &Arc<World>, name: &str) {
    let Some((plural, group)) = name.split_once('.') else {
        return;
    };
    change_definition(world, name, tell_of_deletion);
    let mut left = false;
    // What is built in is none of a definition, whatever that is called.
    let defined = world
        .registry
        .get(group, plural)
        .filter(|defined| defined.is_crd());
    if let Some(resource) = defined {
        for plane in world.planes() {
            for object in plane.store.list(&resource.bucket, None).objects {
                if !object.is_deleting {
                    let options = DeleteOptions::of(&object.value(), Some(Policy::Background));
                    delete(world, &plane, &resource, &object.key, &options);
                }
            }
            left |= !plane.store.list(&resource.bucket, None).objects.is_empty();
        }
    }
    if !left {
        change_definition(world, name, |definition| {
            let kept = object::finalizers(definition)
                .filter(|held| *held != CRD_CLEANUP)
                .map(str::to_owned)
                .collect();
            object::set_finalizers(definition, kept);
        });
    }
}

fn change_definition(world: &Arc<World>, name: &str, make: impl Fn(&mut Value)) {
    let Some(definitions) = world
        .registry
        .get("apiextensions.k8s.io", "customresourcedefinitions")
    else {
        return;
    };
    let key = Key::new("", name);
    let Some(definition) = world.root.store.get(&crd_bucket(), &key) else {
        return;
    };
    change(
        world,
        &world.root.clone(),
        &definitions,
        &key,
        &definition,
        None,
        make,
    );
}
