//! A CRD that is deleted takes its objects with it, in every control plane.

use std::sync::Arc;

use super::ending::Ending;
use super::garbage::{change, delete, look_at_unknown};
use super::{begins_to_go, is_definition, namespaces};
use serde_json::Value;

use crate::api::{CRD_CLEANUP, DeleteOptions, Policy, establish_waiting, not_deleted, track};
use crate::failure::Failure;
use crate::kinds::{Going, crd_bucket, crd_deleting, is_established};
use crate::object;
use crate::plane::{Plane, World, keeps_projects};
use crate::store::{Bucket, Change, Key, What};

pub(super) fn after(world: &Arc<World>, plane: &Arc<Plane>, bucket: &Bucket, change: &Change) {
    let at_root = plane.project.is_none();
    if at_root && is_definition(bucket) && change.what != What::Deleted {
        look_at_unknown(world);
        let_namespaces_go(world, &change.key().name);
    }
    if at_root && change.what == What::Deleted && keeps_projects(bucket) {
        clean_up_all(world);
    }
    if at_root && begins_to_go(bucket, &crd_bucket(), change) {
        clean_up(world, &change.key().name);
    } else if at_root && is_definition(bucket) && change.what == What::Deleted {
        give_names_away(world, plane);
    } else if change.what == What::Deleted && !is_definition(bucket) {
        let Some(resource) = world.registry.get(&bucket.group, &bucket.plural) else {
            return;
        };
        // While others are left there, they are waited for as well.
        if resource.is_terminating() && plane.store.weight(bucket) == 0 {
            clean_up(world, &resource.qualified());
        }
    }
}

/// What nobody could read may have held up a namespace, and be readable again.
fn let_namespaces_go(world: &Arc<World>, name: &str) {
    let Some((plural, group)) = name.split_once('.') else {
        return;
    };
    let Some(resource) = world.registry.get(group, plural) else {
        return;
    };
    for plane in world.planes() {
        if plane.store.weight(&resource.bucket) > 0 {
            namespaces::try_again(world, &plane);
        }
    }
}

/// What was in a project that is gone is gone with it.
fn clean_up_all(world: &Arc<World>) {
    let definitions = world.root.store.list(&crd_bucket(), None).objects;
    for definition in definitions
        .iter()
        .filter(|definition| definition.is_deleting)
    {
        clean_up(world, &definition.key.name);
    }
}

/// Others may have waited for the names of a CRD that is gone.
fn give_names_away(world: &Arc<World>, plane: &Arc<Plane>) {
    let given: Result<(), Failure> = world.transact(plane, |transaction| {
        establish_waiting(transaction);
        Ok(())
    });
    if let Err(failure) = given {
        tracing::debug!(
            error = failure.message(),
            "the janitor could not give names away"
        );
    }
}

/// Says how far its objects have gone.
fn tell_of_deletion(definition: &mut Value, going: &Going<'_>) {
    let before = definition.clone();
    crd_deleting(definition, going);
    if *definition != before {
        track(&before, definition);
    }
}

/// Deletes the objects of a CRD; when none is left its finalizer goes.
fn clean_up(world: &Arc<World>, name: &str) {
    let root = &world.root;
    let definition = root.store.get(&crd_bucket(), &Key::new("", name));
    let (Some((plural, group)), Some(definition)) = (name.split_once('.'), definition) else {
        return;
    };
    if !object::finalizers(&definition).any(|held| held == CRD_CLEANUP) {
        // Its objects have gone, and something else holds it.
        return;
    }
    let ending = Ending::of(root, crd_bucket(), &definition);
    let of_definitions = crd_bucket();
    let definitions = world
        .registry
        .get(&of_definitions.group, &of_definitions.plural);
    let write = |make: &dyn Fn(&mut Value)| {
        if let (Some(definitions), Some(definition)) = (&definitions, ending.now()) {
            change(
                world,
                root,
                definitions,
                &ending.key,
                &definition,
                None,
                make,
            );
        }
    };
    // What is built in is none of a definition, whatever that is called.
    let defined = world.registry.get(group, plural);
    let defined = defined.filter(|defined| defined.is_crd());
    let failed = defined
        .as_deref()
        .filter(|defined| defined.stored_shape.is_some())
        .and_then(|resource| {
            let planes = world.planes().into_iter();
            let mut objects = planes.map(|plane| plane.store.list(&resource.bucket, None).objects);
            objects.find_map(|objects| not_deleted(resource, objects.iter()))
        });
    let going = failed.as_deref().map_or(Going::InProgress, Going::Failed);
    write(&|definition| tell_of_deletion(definition, &going));
    if failed.is_some() {
        return;
    }
    let mut left = false;
    if let Some(resource) = defined {
        for plane in world.planes() {
            // Who writes at this moment has not seen that nothing may be added any more.
            let objects = || plane.store.settled(&resource.bucket);
            let Some(found) = ending.having(objects) else {
                return;
            };
            for object in found.iter().filter(|object| !object.is_deleting) {
                let options = DeleteOptions::of(&object.value(), Some(Policy::Background));
                delete(world, &plane, &resource, &object.key, &options);
            }
            left |= !objects().is_empty();
        }
    }
    if !left {
        write(&|definition| {
            let gone = match is_established(definition) {
                true => Going::Completed,
                false => Going::Never,
            };
            tell_of_deletion(definition, &gone);
            let kept = object::finalizers(definition)
                .filter(|held| *held != CRD_CLEANUP)
                .map(str::to_owned)
                .collect();
            object::set_finalizers(definition, kept);
        });
    }
}
