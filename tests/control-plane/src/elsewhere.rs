//! API services that another server is to answer, behind a Service of the cluster. This one tells of their groups, and
//! asks nobody: they are not available.

use serde_json::Value;

use crate::plane::Plane;
use crate::store::{Bucket, Key};

pub(crate) const GROUP: &str = "apiregistration.k8s.io";
pub(crate) const PLURAL: &str = "apiservices";

/// Where API services are stored.
pub(crate) fn bucket() -> Bucket {
    Bucket {
        group: GROUP.into(),
        plural: PLURAL.into(),
    }
}

/// Whether an API service is one of another server.
pub(crate) fn is_remote(service: &Value) -> bool {
    service.pointer("/spec/service").is_some()
}

/// The groups and versions of other servers.
pub(crate) fn versions(plane: &Plane) -> Vec<(String, String)> {
    let services = plane.store.list(&bucket(), None).objects;
    let remote = services.iter().filter_map(|kept| {
        let (version, group) = kept.key.name.split_once('.')?;
        is_remote(kept.read()).then(|| (group.to_owned(), version.to_owned()))
    });
    remote.collect()
}

/// Whether another server is to answer for a version of a group.
pub(crate) fn serves(plane: &Plane, group: &str, version: &str) -> bool {
    let key = Key::new("", &format!("{version}.{group}"));
    let service = plane.store.kept(&bucket(), &key);
    service.is_some_and(|service| is_remote(service.read()))
}
