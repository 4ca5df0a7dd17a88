//! The garbage collector says so where an owner is named that is somewhere else.
//! <https://kubernetes.io/docs/concepts/architecture/garbage-collection/#owners-dependents>

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::api;
use crate::clock;
use crate::object;
use crate::plane::{Plane, World};
use crate::store::{Bucket, Change, Key, Uid, What};

/// The controller in whose name it is said.
const COLLECTOR: &str = "garbage-collector-controller";
/// Where events about objects without a namespace are.
const OF_CLUSTER_SCOPED: &str = "default";

/// Writes an event about each owner of a new object that lives in another namespace than the object.
pub(super) fn after(world: &Arc<World>, plane: &Plane, bucket: &Bucket, change: &Change) {
    if change.what != What::Added || !change.object.has_owners || plane.project.is_some() {
        return;
    }
    let object = &change.object.value();
    let mut absent: BTreeMap<Bucket, Vec<&Value>> = BTreeMap::new();
    for reference in object::owners(object) {
        if let Some(kind) = kind_of_absent(world, plane, object, reference) {
            absent.entry(kind).or_default().push(reference);
        }
    }
    for (kind, references) in absent {
        let others = plane.store.list(&kind, None).objects;
        let others: HashSet<Uid> = others.iter().map(|other| other.uid()).collect();
        for reference in references {
            if others.contains(&Uid::of(text(reference, "uid"))) {
                tell(world, bucket, object, reference);
            }
        }
    }
}

fn text<'a>(reference: &'a Value, field: &str) -> &'a str {
    let text = reference.get(field).and_then(Value::as_str);
    text.unwrap_or_default()
}

/// Where an owner is that should be beside the object, and is not.
fn kind_of_absent(
    world: &World,
    plane: &Plane,
    object: &Value,
    reference: &Value,
) -> Option<Bucket> {
    let kind = (text(reference, "apiVersion"), text(reference, "kind"));
    let resource = world.registry.of_kind(kind.0, kind.1)?;
    let beside = Key::new(object::namespace(object), text(reference, "name"));
    let found = plane.store.kept(&resource.bucket, &beside);
    let is_absent = !found.is_some_and(|found| found.has_uid(text(reference, "uid")));
    (resource.namespaced && is_absent).then(|| resource.bucket.clone())
}

fn tell(world: &Arc<World>, bucket: &Bucket, object: &Value, reference: &Value) {
    let (name, namespace) = (object::name(object), object::namespace(object));
    let of_event = if namespace.is_empty() {
        OF_CLUSTER_SCOPED
    } else {
        namespace
    };
    let mut regarding = json!({
        "apiVersion": object["apiVersion"], "kind": object["kind"], "name": name, "uid": object::uid(object),
    });
    if !namespace.is_empty() {
        regarding["namespace"] = namespace.into();
    }
    let owner = format!(
        "[{}/{}, namespace: {namespace}, name: {}, uid: {}]",
        text(reference, "apiVersion"),
        text(reference, "kind"),
        text(reference, "name"),
        text(reference, "uid"),
    );
    let event = json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": format!("{name}.{:x}", clock::now().as_nanosecond()), "namespace": of_event},
        "involvedObject": regarding,
        "type": "Warning",
        "reason": "OwnerRefInvalidNamespace",
        "message": format!("ownerRef {owner} does not exist in namespace \"{namespace}\""),
        "count": 1, "firstTimestamp": object::now(), "lastTimestamp": object::now(),
        "source": {"component": COLLECTOR},
        "reportingComponent": COLLECTOR,
        "reportingInstance": "",
    });
    let path = format!("/api/v1/namespaces/{of_event}/events");
    let said = api::install_as(world, "kube-controller-manager", &path, &event);
    if let Err(why) = said {
        tracing::debug!(plural = %bucket.plural, name, why = why.message(), "no event about its owner");
    }
}
