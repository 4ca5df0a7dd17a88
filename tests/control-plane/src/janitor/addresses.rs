//! The addresses of Services, each of which is an object of its own.

use std::sync::Arc;

use serde_json::{Value, json};

use super::garbage::delete;
use crate::api::{self, DeleteOptions, Policy};
use crate::kinds::Resource;
use crate::object;
use crate::plane::{Plane, World};
use crate::store::{Bucket, Change, Key, What};

const GROUP: &str = "networking.k8s.io";
const PLURAL: &str = "ipaddresses";

pub(super) fn after(world: &Arc<World>, plane: &Arc<Plane>, bucket: &Bucket, change: &Change) {
    if plane.project.is_some() || !is_service(bucket) {
        return;
    }
    let Some(addresses) = world.registry.get(GROUP, PLURAL) else {
        return;
    };
    let service = change.object.value();
    let given = service["spec"]["clusterIPs"].as_array();
    let given = given.into_iter().flatten().filter_map(Value::as_str);
    for address in given.filter(|address| *address != "None") {
        let is_known = plane
            .store
            .contains(&addresses.bucket, &Key::new("", address));
        match (&change.what, is_known) {
            (What::Deleted, true) => give_back(world, &addresses, address),
            (What::Deleted, false) | (_, true) => {}
            (_, false) => note(world, &service, address),
        }
    }
}

/// Whether these are Services.
pub(crate) fn is_service(bucket: &Bucket) -> bool {
    bucket.group.is_empty() && *bucket.plural == *"services"
}

fn give_back(world: &Arc<World>, addresses: &Resource, address: &str) {
    let key = Key::new("", address);
    if let Some(kept) = world.root.store.get(&addresses.bucket, &key) {
        let options = DeleteOptions::of(&kept, Some(Policy::Background));
        delete(world, &world.root, addresses, &key, &options);
    }
}

fn note(world: &Arc<World>, service: &Value, address: &str) {
    let noted = json!({
        "apiVersion": format!("{GROUP}/v1"), "kind": "IPAddress",
        "metadata": {"name": address, "labels": {
            "ipaddress.kubernetes.io/ip-family": "IPv4", "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
        }},
        "spec": {"parentRef": {
            "resource": "services", "namespace": object::namespace(service), "name": object::name(service),
        }},
    });
    let path = format!("/apis/{GROUP}/v1/{PLURAL}");
    if let Err(failure) = api::install(world, &path, &noted) {
        let error = failure.message();
        tracing::debug!(error, "the janitor could not note an address");
    }
}
