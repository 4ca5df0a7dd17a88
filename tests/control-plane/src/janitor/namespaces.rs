//! Namespaces end when everything in them has.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::ending::Ending;
use super::garbage::{change, delete};
use super::{begins_to_go, is_namespace};
use crate::api::{DeleteOptions, FOREGROUND, ORPHAN, Policy};
use crate::elsewhere;
use crate::kinds::namespace_bucket;
use crate::object;
use crate::plane::{Plane, World};
use crate::store::{Bucket, Change, Kept, Key, What};

pub(super) fn after(world: &Arc<World>, plane: &Arc<Plane>, bucket: &Bucket, change: &Change) {
    if begins_to_go(bucket, &namespace_bucket(), change) {
        terminate(world, plane, &change.object);
    } else if change.what == What::Deleted
        && !change.key().namespace.is_empty()
        && !is_namespace(bucket)
    {
        let namespace = plane
            .store
            .kept(&namespace_bucket(), &Key::new("", &change.key().namespace));
        if let Some(namespace) = namespace.filter(|namespace| namespace.is_deleting) {
            terminate(world, plane, &namespace);
        }
    }
}

/// Looks again at the namespaces that were to end.
pub(super) fn try_again(world: &Arc<World>, plane: &Arc<Plane>) {
    let all = plane.store.list(&namespace_bucket(), None).objects;
    for namespace in all.iter().filter(|namespace| namespace.is_deleting) {
        terminate(world, plane, namespace);
    }
}

type Contents = Vec<(Bucket, Vec<Arc<Kept>>)>;

/// What is left in a namespace, and why other kinds of objects in it cannot be deleted.
#[derive(Default)]
struct Left {
    contents: Contents,
    failures: Vec<String>,
}

impl Left {
    fn is_empty(&self) -> bool {
        self.contents.is_empty() && self.failures.is_empty()
    }
}

/// Deletes what is in a namespace, and tells what is left; when that is nothing its finalizer goes, and with it the
/// namespace, unless somebody else has one there.
fn terminate(world: &Arc<World>, plane: &Arc<Plane>, namespace: &Kept) {
    let value = namespace.value();
    let held = value.pointer("/spec/finalizers").and_then(Value::as_array);
    if held.is_none_or(Vec::is_empty) {
        // Whoever took the finalizer off has seen to what is in it.
        return;
    }
    let ending = Ending::of(plane, namespace_bucket(), &value);
    // Pods may need all else until they have ended.
    let Some(mut left) = delete_in(world, plane, &ending, is_of_pods) else {
        return;
    };
    let mut remaining = left.contents.iter();
    let waits_for_pods = remaining.any(|(bucket, _)| is_of_pods(bucket));
    if waits_for_pods {
        // Meanwhile a real server says of the rest that nothing is left.
        left = Left::default();
    } else {
        left = match delete_in(world, plane, &ending, |_| true) {
            Some(left) => left,
            None => return,
        };
    }
    let Some(resource) = world.registry.get("", "namespaces") else {
        return;
    };
    let unknown = undiscovered(plane);
    let is_empty = left.is_empty() && !waits_for_pods && unknown.is_none();
    let write = |subresource, how: &mut dyn FnMut(&mut Value)| {
        if let Some(namespace) = ending.now() {
            let subresource = Some(subresource);
            change(
                world,
                plane,
                &resource,
                &ending.key,
                &namespace,
                subresource,
                how,
            );
        }
    };
    write("status", &mut |namespace| {
        let conditions = conditions(&left, unknown.clone(), namespace);
        object::field_mut(namespace, "status").insert("conditions".to_owned(), conditions);
    });
    if is_empty {
        write("finalize", &mut let_go);
    }
}

/// Takes the finalizer out that stands for what is in a namespace.
fn let_go(namespace: &mut Value) {
    let spec = object::field_mut(namespace, "spec");
    if let Some(Value::Array(mut finalizers)) = spec.remove("finalizers") {
        finalizers.retain(|finalizer| finalizer != "kubernetes");
        if !finalizers.is_empty() {
            spec.insert("finalizers".to_owned(), finalizers.into());
        }
    }
}

fn is_of_pods(bucket: &Bucket) -> bool {
    bucket.group.is_empty() && &*bucket.plural == "pods"
}

/// Deletes those `kinds` of objects that are in a namespace. Returns what is left in it, while it is there.
fn delete_in(
    world: &Arc<World>,
    plane: &Arc<Plane>,
    ending: &Ending<'_>,
    kinds: fn(&Bucket) -> bool,
) -> Option<Left> {
    // What no definition speaks of any more is reached by nobody, and nobody waits for it.
    let is_served = |bucket: &Bucket| world.registry.get(&bucket.group, &bucket.plural).is_some();
    let contents = || {
        let mut contents = plane.store.buckets_with(&ending.key.name);
        contents.retain(|(bucket, _)| is_served(bucket));
        contents
    };
    let mut failures = Vec::new();
    let all = ending.having(contents)?.into_iter();
    for (bucket, objects) in all.filter(|(bucket, _)| kinds(bucket)) {
        let Some(resource) = world.registry.get(&bucket.group, &bucket.plural) else {
            continue;
        };
        if let Some(why) = resource.unreadable(objects.iter()) {
            failures.push((bucket, why));
            continue;
        }
        for object in objects {
            let object = object.value();
            // Nothing waits any more for what it owns, or for that to be left behind.
            let waits =
                object::finalizers(&object).any(|held| [FOREGROUND, ORPHAN].contains(&held));
            if waits || !object::is_deleting(&object) {
                let options = DeleteOptions::of(&object, Some(Policy::Background));
                delete(world, plane, &resource, &Key::of(&object), &options);
            }
        }
    }
    let mut contents = ending.having(contents)?;
    // Nobody counts what cannot be deleted.
    contents.retain(|(bucket, _)| !failures.iter().any(|(failed, _)| failed == bucket));
    let mut failures: Vec<String> = failures.into_iter().map(|(_, why)| why).collect();
    failures.sort();
    Some(Left { contents, failures })
}

/// Why there may be more in a namespace than can be found: other servers that are not available.
fn undiscovered(plane: &Plane) -> Option<String> {
    let versions = elsewhere::versions(plane).into_iter();
    let mut stale: Vec<String> = versions
        .map(|(group, version)| {
            format!("{group}/{version}: stale GroupVersion discovery: {group}/{version}")
        })
        .collect();
    stale.sort();
    (!stale.is_empty()).then(|| {
        format!(
            "Discovery failed for some groups, {} failing: unable to retrieve the complete list of server APIs: {}",
            stale.len(),
            stale.join(", ")
        )
    })
}

/// What a namespace says about what is left in it, and what is `unknown` of that.
fn conditions(left: &Left, unknown: Option<String>, namespace: &Value) -> Value {
    let mut finalizers: BTreeMap<String, usize> = BTreeMap::new();
    for object in left.contents.iter().flat_map(|(_, objects)| objects) {
        for finalizer in object::finalizers(&object.value()) {
            *finalizers.entry(finalizer.to_owned()).or_default() += 1;
        }
    }
    let mut remaining: Vec<String> = left
        .contents
        .iter()
        .map(|(bucket, objects)| {
            // The dot is there without a group, too.
            format!(
                "{}.{} has {} resource instances",
                bucket.plural,
                bucket.group,
                objects.len()
            )
        })
        .collect();
    remaining.sort();
    let held: Vec<String> = finalizers
        .iter()
        .map(|(finalizer, count)| format!("{finalizer} in {count} resource instances"))
        .collect();
    let condition = |kind: &str, status: bool, reason: &str, message: String| {
        let status = if status { "True" } else { "False" };
        let old = namespace
            .pointer("/status/conditions")
            .and_then(Value::as_array);
        let same = old
            .into_iter()
            .flatten()
            .find(|old| old["type"] == kind && old["status"] == status);
        let since = same
            .and_then(|old| old["lastTransitionTime"].as_str())
            .map_or_else(object::now, str::to_owned);
        json!({"type": kind, "status": status, "lastTransitionTime": since, "reason": reason, "message": message})
    };
    json!([
        condition(
            "NamespaceDeletionDiscoveryFailure",
            unknown.is_some(),
            if unknown.is_some() {
                "DiscoveryFailed"
            } else {
                "ResourcesDiscovered"
            },
            unknown.unwrap_or_else(|| "All resources successfully discovered".to_owned()),
        ),
        condition(
            "NamespaceDeletionGroupVersionParsingFailure",
            false,
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed".to_owned(),
        ),
        condition(
            "NamespaceDeletionContentFailure",
            !left.failures.is_empty(),
            if left.failures.is_empty() {
                "ContentDeleted"
            } else {
                "ContentDeletionFailed"
            },
            if left.failures.is_empty() {
                "All content successfully deleted, may be waiting on finalization".to_owned()
            } else {
                format!(
                    "Failed to delete all resource types, {} remaining: {}",
                    left.failures.len(),
                    left.failures.join(", ")
                )
            },
        ),
        condition(
            "NamespaceContentRemaining",
            !remaining.is_empty(),
            if remaining.is_empty() {
                "ContentRemoved"
            } else {
                "SomeResourcesRemain"
            },
            if remaining.is_empty() {
                "All content successfully removed".to_owned()
            } else {
                format!("Some resources are remaining: {}", remaining.join(", "))
            },
        ),
        condition(
            "NamespaceFinalizersRemaining",
            !held.is_empty(),
            if held.is_empty() {
                "ContentHasNoFinalizers"
            } else {
                "SomeFinalizersRemain"
            },
            if held.is_empty() {
                "All content-preserving finalizers finished".to_owned()
            } else {
                format!(
                    "Some content in the namespace has finalizers remaining: {}",
                    held.join(", ")
                )
            },
        ),
    ])
}
