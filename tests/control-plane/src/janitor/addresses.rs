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
    let given = match change.what {
        What::Deleted => Vec::new(),
        _ => addresses_of(&service),
    };
    let before = change.previous.as_ref();
    let before = before.map_or_else(Vec::new, |before| addresses_of(&before.value()));
    for address in before.iter().filter(|address| !given.contains(address)) {
        give_back(world, &addresses, address);
    }
    for address in &given {
        let key = Key::new("", address);
        if !plane.store.contains(&addresses.bucket, &key) {
            note(world, &service, address);
        }
    }
}

fn addresses_of(service: &Value) -> Vec<String> {
    let all = service["spec"]["clusterIPs"].as_array();
    let all = all.into_iter().flatten().filter_map(Value::as_str);
    let own = all.filter(|address| *address != "None");
    own.map(str::to_owned).collect()
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
