//! The garbage collector: who has lost all owners goes.

use std::sync::Arc;

use serde_json::Value;

use crate::api::{DeleteOptions, FOREGROUND, ORPHAN, Policy, is_finished, remove, take_away};
use crate::failure::Failure;
use crate::kinds::{Resource, is_event};
use crate::object;
use crate::patch::{Versions, Writer, track_update};
use crate::plane::{Plane, World};
use crate::store::{Bucket, Change, Key, What};

pub(super) fn after(world: &Arc<World>, plane: &Arc<Plane>, bucket: &Bucket, change: &Change) {
    let object = &change.object.value();
    if change.what == What::Deleted {
        let uid = object::uid(object);
        let dependents = dependents(plane, uid);
        if !dependents.is_empty() {
            plane.owners.went(uid);
        }
        for (bucket, key) in dependents {
            look_at(world, plane, &bucket, &key);
        }
        plane.owners.waits_no_more(uid);
        plane.owners.forget(bucket, change.key());
        // An owner that waited for this one may be able to go.
        release_owners(world, plane, object);
        return;
    }
    if object::is_deleting(object) {
        let held_by =
            |wanted: &str| object::finalizers(object).any(|finalizer| finalizer == wanted);
        match held_by(FOREGROUND) {
            true => plane
                .owners
                .waits(object::uid(object), bucket, change.key()),
            false => plane.owners.waits_no_more(object::uid(object)),
        }
        if held_by(ORPHAN) {
            orphan(world, plane, bucket, change.key(), object);
        } else if held_by(FOREGROUND) {
            foreground(world, plane, bucket, change.key());
        }
    }
    if change.object.has_owners && !is_event(bucket) {
        look_at(world, plane, bucket, change.key());
        release_owners(world, plane, object);
    }
    // Those that it does not name any more wait for it no longer.
    let previous = change
        .previous
        .as_ref()
        .filter(|previous| previous.has_owners);
    let previous = previous.map(|previous| previous.value());
    if let Some(previous) =
        previous.filter(|previous| !object::owners(previous).eq(object::owners(object)))
    {
        release_owners(world, plane, &previous);
    }
}

/// Who names this uid as an owner. Events are left alone whatever they name (`DefaultIgnoredResources`).
fn dependents(plane: &Plane, uid: &str) -> Vec<(Bucket, Key)> {
    let mut named = plane.store.dependents(uid);
    named.retain(|(bucket, _)| !is_event(bucket));
    named
}

/// What became of an owner.
enum Owner {
    There,
    Gone,
    /// It waits for its dependents.
    Waiting,
    /// Nobody serves its kind, or it cannot be where the object is: nothing is known of it.
    Unknown,
}

/// The owner that a reference names.
fn owner(world: &World, plane: &Plane, dependent: &Value, reference: &Value) -> Owner {
    let text = |field: &str| {
        reference
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    if plane.owners.is_gone(text("uid")) {
        return Owner::Gone;
    }
    let (version, kind) = (text("apiVersion"), text("kind"));
    let resource = world.registry.of_kind_as_called(version, kind);
    let Some(resource) = resource.filter(|resource| world.serves(plane, resource)) else {
        return match world.registry.is_list(version, kind) {
            true => Owner::Gone,
            false => Owner::Unknown,
        };
    };
    let namespace = match (resource.namespaced, object::namespace(dependent)) {
        (true, "") => return Owner::Unknown,
        (true, namespace) => namespace,
        (false, _) => "",
    };
    let key = Key::new(namespace, text("name"));
    match plane.store.kept(&resource.bucket, &key) {
        Some(found) if found.has_uid(text("uid")) => {
            match found.is_deleting && waits_for_dependents(&found.value()) {
                true => Owner::Waiting,
                false => Owner::There,
            }
        }
        _ => Owner::Gone,
    }
}

fn waits_for_dependents(object: &Value) -> bool {
    object::is_deleting(object)
        && object::finalizers(object).any(|finalizer| finalizer == FOREGROUND)
}

fn blocks_an_owner(object: &Value) -> bool {
    object::owners(object).any(blocks)
}

fn blocks(reference: &Value) -> bool {
    reference.get("blockOwnerDeletion") == Some(&Value::Bool(true))
}

/// Deletes an object that has no owner left, and takes off its references to those that are gone.
fn look_at(world: &Arc<World>, plane: &Arc<Plane>, bucket: &Bucket, key: &Key) {
    let Some(resource) = world.registry.get(&bucket.group, &bucket.plural) else {
        return;
    };
    let Some(object) = plane.store.get(bucket, key) else {
        return;
    };
    if object::is_deleting(&object) {
        return;
    }
    let states: Vec<Owner> = object::owners(&object)
        .map(|reference| owner(world, plane, &object, reference))
        .collect();
    if states.iter().any(|state| matches!(state, Owner::Unknown)) {
        plane.owners.await_kind(bucket, key);
        return;
    }
    if states.iter().all(|state| matches!(state, Owner::There)) {
        return;
    }
    if states.iter().any(|state| matches!(state, Owner::There)) {
        let mut index = 0;
        change(world, plane, &resource, key, &object, None, |object| {
            retain_owners(object, |_| {
                index += 1;
                matches!(states[index - 1], Owner::There)
            });
        });
        return;
    }
    let waited_for = states.iter().any(|state| matches!(state, Owner::Waiting));
    let dependents = dependents(plane, object::uid(&object));
    let has_dependents = !dependents.is_empty();
    let waits = |(bucket, key): &(Bucket, Key)| {
        let dependent = plane.store.get(bucket, key);
        dependent.is_some_and(|dependent| waits_for_dependents(&dependent))
    };
    // In a circle all would wait for each other for ever. The change is looked at again.
    if waited_for && blocks_an_owner(&object) && dependents.iter().any(waits) {
        return change(world, plane, &resource, key, &object, None, unblock_owners);
    }
    let held_by = |wanted: &str| object::finalizers(&object).any(|finalizer| finalizer == wanted);
    let policy = if (waited_for && has_dependents) || held_by(FOREGROUND) {
        Policy::Foreground
    } else if held_by(ORPHAN) {
        Policy::Orphan
    } else {
        Policy::Background
    };
    // Somebody may give it another owner meanwhile, or take the last one off.
    let options = DeleteOptions::of_state(&object, policy);
    delete(world, plane, &resource, key, &options);
}

/// Deletes an object for the server itself. That it is gone already, or another of its name is there, is as good.
pub(super) fn delete(
    world: &World,
    plane: &Arc<Plane>,
    resource: &Resource,
    key: &Key,
    options: &DeleteOptions,
) {
    let deleted = world.transact(plane, |transaction| {
        remove(transaction, resource, key.clone(), options)
    });
    if let Err(failure) = deleted {
        tracing::debug!(object = %key.name, error = failure.message(), "the janitor could not delete an object");
    }
}

/// Changes an object or what a subresource writes of it, if it is still as it was; if not, its newer change will be
/// looked at as well.
pub(super) fn change(
    world: &World,
    plane: &Arc<Plane>,
    resource: &Resource,
    key: &Key,
    seen: &Value,
    subresource: Option<&str>,
    change: impl FnOnce(&mut Value),
) {
    let changed: Result<(), Failure> = world.transact(plane, |transaction| {
        let Some(now) = transaction.get(&resource.bucket, key) else {
            return Ok(());
        };
        if object::meta(&now, "resourceVersion") != object::meta(seen, "resourceVersion") {
            return Ok(());
        }
        let mut new = now.clone();
        change(&mut new);
        own(resource, &now, &mut new, subresource);
        if is_finished(resource, &new) {
            take_away(transaction, &resource.bucket, key);
        } else {
            transaction.put(&resource.bucket, key.clone(), new);
        }
        Ok(())
    });
    if let Err(failure) = changed {
        tracing::debug!(object = %key.name, error = failure.message(), "the janitor could not change an object");
    }
}

/// Writes down that the controllers wrote what is new, and that nobody owns what is gone.
fn own(resource: &Resource, old: &Value, new: &mut Value, subresource: Option<&str>) {
    let Some(version) = resource.version(&resource.stored) else {
        return;
    };
    let api_version = resource.api_version(&version.name);
    let writer = Writer {
        manager: "kube-controller-manager",
        subresource,
        now: crate::clock::now(),
        api_version: &api_version,
        status_is_subresource: version.status,
        custom_resource: resource.is_crd(),
        kept_by_status: &[],
        not_owned: &[],
        versions: Versions::Alike,
    };
    track_update(Some(old), new, version.schema.schema(), &writer);
}

fn retain_owners(object: &mut Value, keep: impl FnMut(&Value) -> bool) {
    let mut owners: Vec<Value> = object::owners(object).cloned().collect();
    owners.retain(keep);
    if owners.is_empty() {
        object::metadata_mut(object).remove("ownerReferences");
    } else {
        object::set_meta(object, "ownerReferences", owners);
    }
}

fn unblock_owners(object: &mut Value) {
    let mut owners: Vec<Value> = object::owners(object).cloned().collect();
    for reference in owners.iter_mut().filter(|reference| blocks(reference)) {
        reference["blockOwnerDeletion"] = false.into();
    }
    object::set_meta(object, "ownerReferences", owners);
}

fn let_go(object: &mut Value, finalizer: &str) {
    let kept = object::finalizers(object)
        .filter(|held| *held != finalizer)
        .map(str::to_owned)
        .collect();
    object::set_finalizers(object, kept);
}

/// The dependents of an object that leaves them behind forget it; then it goes.
fn orphan(world: &Arc<World>, plane: &Arc<Plane>, bucket: &Bucket, key: &Key, owner: &Value) {
    let uid = object::uid(owner);
    for (bucket, key) in dependents(plane, uid) {
        let Some(resource) = world.registry.get(&bucket.group, &bucket.plural) else {
            continue;
        };
        let Some(dependent) = plane.store.get(&bucket, &key) else {
            continue;
        };
        change(world, plane, &resource, &key, &dependent, None, |object| {
            retain_owners(object, |reference| {
                reference.get("uid").and_then(Value::as_str) != Some(uid)
            });
        });
    }
    release(world, plane, bucket, key, ORPHAN);
}

/// Deletes the dependents of an object that goes after them, and lets it go when none is left that blocks it.
fn foreground(world: &Arc<World>, plane: &Arc<Plane>, bucket: &Bucket, key: &Key) {
    let Some(owner) = plane.store.get(bucket, key) else {
        return;
    };
    for (bucket, key) in dependents(plane, object::uid(&owner)) {
        look_at(world, plane, &bucket, &key);
    }
    release_if_free(world, plane, bucket, &owner);
}

/// Lets an owner go that waits for its dependents, when none is left that blocks it.
fn release_if_free(world: &Arc<World>, plane: &Arc<Plane>, bucket: &Bucket, owner: &Value) {
    let uid = object::uid(owner);
    let blocked = plane.store.any_dependent(uid, |bucket, dependent| {
        !is_event(bucket)
            && object::owners(&dependent.value()).any(|reference| {
                reference.get("uid").and_then(Value::as_str) == Some(uid) && blocks(reference)
            })
    });
    if !blocked {
        release(world, plane, bucket, &Key::of(owner), FOREGROUND);
    }
}

fn release(world: &Arc<World>, plane: &Arc<Plane>, bucket: &Bucket, key: &Key, finalizer: &str) {
    let Some(resource) = world.registry.get(&bucket.group, &bucket.plural) else {
        return;
    };
    let Some(object) = plane.store.get(bucket, key) else {
        return;
    };
    if object::is_deleting(&object) && object::finalizers(&object).any(|held| held == finalizer) {
        change(world, plane, &resource, key, &object, None, |object| {
            let_go(object, finalizer)
        });
    }
}

/// Looks again at those owners of an object that wait for their dependents.
fn release_owners(world: &Arc<World>, plane: &Arc<Plane>, dependent: &Value) {
    for reference in object::owners(dependent) {
        let uid = reference.get("uid").and_then(Value::as_str);
        let waiting = uid.and_then(|uid| Some((uid, plane.owners.waiting(uid)?)));
        let Some((uid, (bucket, key))) = waiting else {
            continue;
        };
        let owner = plane.store.kept(&bucket, &key);
        let owner = owner.filter(|owner| owner.is_deleting && owner.has_uid(uid));
        if let Some(owner) = owner {
            release_if_free(world, plane, &bucket, &owner.value());
        }
    }
}

/// Looks again at what names owners of kinds that nobody has served so far.
pub(super) fn look_at_unknown(world: &Arc<World>) {
    for plane in world.planes() {
        for (bucket, key) in plane.owners.take_of_unknown_kinds() {
            look_at(world, &plane, &bucket, &key);
        }
    }
}
