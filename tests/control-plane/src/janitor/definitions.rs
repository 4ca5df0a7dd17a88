//! A CRD that is deleted takes its objects with it, in every control plane.

use std::sync::Arc;

use super::garbage::{change, delete};
use super::{begins_to_go, is_definition};
use serde_json::Value;

use crate::api::{CRD_CLEANUP, DeleteOptions, Policy, establish, track};
use crate::failure::Failure;
use crate::kinds::{Resource, crd_bucket, crd_deleting};
use crate::object;
use crate::plane::{Plane, World};
use crate::store::{Bucket, Change, Kept, Key, What};

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

/// A definition while it is being deleted: it, and none that has its name since.
struct Ending<'a> {
    world: &'a World,
    key: Key,
    uid: String,
}

impl<'a> Ending<'a> {
    fn of(world: &'a World, name: &str) -> Option<Self> {
        let key = Key::new("", name);
        let definition = world.root.store.get(&crd_bucket(), &key);
        let definition = definition.filter(object::is_deleting)?;
        let uid = object::uid(&definition).to_owned();
        Some(Self { world, key, uid })
    }

    fn now(&self) -> Option<Value> {
        let now = self.world.root.store.get(&crd_bucket(), &self.key);
        now.filter(|now| object::is_deleting(now) && object::uid(now) == self.uid)
    }

    /// The objects of it that a control plane has. There could be others only once it is gone, and so it is looked for
    /// it afterwards.
    fn objects(&self, plane: &Plane, resource: &Resource) -> Option<Vec<Arc<Kept>>> {
        let objects = plane.store.list(&resource.bucket, None).objects;
        self.now().map(|_| objects)
    }

    fn change(&self, make: impl FnOnce(&mut Value)) {
        let definitions = crd_bucket();
        let definitions = self
            .world
            .registry
            .get(&definitions.group, &definitions.plural);
        if let (Some(definitions), Some(definition)) = (definitions, self.now()) {
            let root = self.world.root.clone();
            change(
                self.world,
                &root,
                &definitions,
                &self.key,
                &definition,
                None,
                make,
            );
        }
    }
}

/// Deletes the objects of a CRD; when none is left its finalizer goes.
fn clean_up(world: &Arc<World>, name: &str) {
    let (Some((plural, group)), Some(ending)) = (name.split_once('.'), Ending::of(world, name))
    else {
        return;
    };
    ending.change(tell_of_deletion);
    // What is built in is none of a definition, whatever that is called.
    let defined = world.registry.get(group, plural);
    let mut left = false;
    if let Some(resource) = defined.filter(|defined| defined.is_crd()) {
        for plane in world.planes() {
            let Some(objects) = ending.objects(&plane, &resource) else {
                return;
            };
            for object in objects.iter().filter(|object| !object.is_deleting) {
                let options = DeleteOptions::of(&object.value(), Some(Policy::Background));
                delete(world, &plane, &resource, &object.key, &options);
            }
            left |= ending
                .objects(&plane, &resource)
                .is_none_or(|left| !left.is_empty());
        }
    }
    if !left {
        ending.change(|definition| {
            let kept = object::finalizers(definition)
                .filter(|held| *held != CRD_CLEANUP)
                .map(str::to_owned)
                .collect();
            object::set_finalizers(definition, kept);
        });
    }
}
