//! The addresses of Services, each of which is an object of its own: an address is taken as long as its IPAddress is
//! there, whoever made that.

use serde_json::{Value, json};

use super::create::{Creation, Sent};
use super::delete::end;
use super::target::Target;
use crate::auth::Caller;
use crate::failure::Failure;
use crate::kinds::is_service;
use crate::object;
use crate::schema::{Empties, Pruned};
use crate::store::{Bucket, Key, Transaction};

const GROUP: &str = "networking.k8s.io";
const PLURAL: &str = "ipaddresses";

pub(super) fn is_taken(transaction: &Transaction<'_>, address: &str) -> bool {
    transaction.kept(&bucket(), &key(address)).is_some()
}

/// Takes the addresses that a Service has and did not have before.
pub(super) fn take(
    target: &Target,
    transaction: &mut Transaction<'_>,
    before: Option<&Value>,
    service: &Value,
) -> Result<(), Failure> {
    if !is_service(target.bucket()) {
        return Ok(());
    }
    for address in new_in(service, before) {
        if !is_taken(transaction, &address) {
            note(target, transaction, service, &address)?;
        }
    }
    Ok(())
}

/// Gives back the addresses that an object had and has no more.
pub(super) fn give_back(
    transaction: &mut Transaction<'_>,
    of: &Bucket,
    before: &Value,
    now: Option<&Value>,
) {
    if !is_service(of) {
        return;
    }
    for address in new_in(before, now) {
        end(transaction, &bucket(), key(&address));
    }
}

fn bucket() -> Bucket {
    Bucket {
        group: GROUP.into(),
        plural: PLURAL.into(),
    }
}

fn key(address: &str) -> Key {
    Key::new("", address)
}

/// The addresses of one that are not those of the other.
fn new_in(one: &Value, other: Option<&Value>) -> Vec<String> {
    let others = other.map(addresses_of).unwrap_or_default();
    let mut own = addresses_of(one);
    own.retain(|address| !others.contains(address));
    own
}

fn addresses_of(service: &Value) -> Vec<String> {
    // One that leads elsewhere may name what it has not.
    let leads_elsewhere = service["spec"]["type"] == "ExternalName";
    let all = service["spec"]["clusterIPs"].as_array();
    let all = all.filter(|_| !leads_elsewhere);
    let all = all.into_iter().flatten().filter_map(Value::as_str);
    let own = all.filter(|address| *address != "None");
    own.map(str::to_owned).collect()
}

fn note(
    target: &Target,
    transaction: &mut Transaction<'_>,
    service: &Value,
    address: &str,
) -> Result<(), Failure> {
    let path = format!("/apis/{GROUP}/v1/{PLURAL}");
    let resolved = Target::resolve(&target.world, &target.plane, &Caller::server(), &path)?;
    let Some(addresses) = resolved else {
        return Ok(());
    };
    let noted = Sent {
        pruned: Pruned::default(),
        object: json!({
            "apiVersion": format!("{GROUP}/v1"), "kind": "IPAddress",
            "metadata": {"name": address, "labels": {
                "ipaddress.kubernetes.io/ip-family": "IPv4", "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
            }},
            "spec": {"parentRef": {
                "resource": "services", "namespace": object::namespace(service), "name": object::name(service),
            }},
        }),
        has_labels: true,
        empties: Empties::default(),
    };
    Creation::new(&addresses, noted, Some("kube-apiserver"))?.store(transaction, false)?;
    Ok(())
}
