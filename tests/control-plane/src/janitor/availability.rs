//! Whether the API services of other servers are available, and why they are not.

use std::sync::Arc;

use serde_json::{Value, json};

use super::namespaces;
use crate::api;
use crate::elsewhere;
use crate::kinds::is_service;
use crate::object;
use crate::plane::{Plane, World};
use crate::store::{Bucket, Change, Key, Store, What};

const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// Whether API services may hang on a change of this bucket.
pub(super) fn looks_at(bucket: &Bucket) -> bool {
    *bucket == elsewhere::bucket() || is_service(bucket) || *bucket == slices()
}

fn slices() -> Bucket {
    Bucket {
        group: "discovery.k8s.io".into(),
        plural: "endpointslices".into(),
    }
}

pub(super) fn after(world: &Arc<World>, plane: &Arc<Plane>, bucket: &Bucket, change: &Change) {
    if plane.project.is_some() || !looks_at(bucket) {
        return;
    }
    if *bucket != elsewhere::bucket() {
        for kept in plane.store.list(&elsewhere::bucket(), None).objects {
            tell(world, &plane.store, kept.read());
        }
    } else if change.what != What::Deleted {
        tell(world, &plane.store, &change.object.value());
    } else if elsewhere::is_remote(&change.object.value()) {
        // What is in a namespace can be found out again.
        namespaces::try_again(world, plane);
    }
}

/// Writes the condition of an API service, if it is another one than before.
fn tell(world: &Arc<World>, store: &Store, service: &Value) {
    let Some(wanted) = service.pointer("/spec/service") else {
        return;
    };
    let (reason, message) = trouble(store, service, wanted);
    let conditions = service
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    let old = conditions
        .into_iter()
        .flatten()
        .find(|condition| condition["type"] == "Available");
    if old.is_some_and(|old| {
        old["status"] == "False" && old["reason"] == reason && old["message"] == message
    }) {
        return;
    }
    let since = old
        .filter(|old| old["status"] == "False")
        .and_then(|old| old["lastTransitionTime"].as_str())
        .map_or_else(object::now, str::to_owned);
    let mut told = service.clone();
    told["status"] = json!({"conditions": [{
        "type": "Available", "status": "False", "lastTransitionTime": since, "reason": reason, "message": message,
    }]});
    let (group, plural, name) = (elsewhere::GROUP, elsewhere::PLURAL, object::name(service));
    let path = format!("/apis/{group}/v1/{plural}/{name}/status");
    if let Err(failure) = api::replace(world, &path, &told) {
        // A newer one will be looked at as well.
        let error = failure.message();
        tracing::debug!(error, "the janitor could not tell of an API service");
    }
}

/// The first thing that is missing, in the order in which a real server looks.
fn trouble(store: &Store, service: &Value, wanted: &Value) -> (&'static str, String) {
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let (name, namespace) = (text(wanted, "name"), text(wanted, "namespace"));
    let port = wanted["port"].as_i64().unwrap_or(443);
    let services = Bucket {
        group: "".into(),
        plural: "services".into(),
    };
    let Some(found) = store.get(&services, &Key::new(&namespace, &name)) else {
        let message = format!("service/{name} in {namespace:?} is not present");
        return ("ServiceNotFound", message);
    };
    if found["spec"]["type"] == "ClusterIP" {
        let ports = found["spec"]["ports"].as_array();
        let mut ports = ports.into_iter().flatten();
        let Some(own) = ports.find(|own| own["port"] == port) else {
            let message =
                format!("service/{name} in {namespace:?} is not listening on port {port}");
            return ("ServicePortError", message);
        };
        let own = text(own, "name");
        let all = store.list(&slices(), Some(&namespace)).objects;
        let of_service: Vec<Value> = all
            .iter()
            .filter(|slice| slice.labels().get(SERVICE_NAME) == Some(&name))
            .map(|slice| slice.value())
            .collect();
        if of_service.is_empty() {
            let message = format!("cannot find endpointslices for service/{name} in {namespace:?}");
            return ("EndpointsNotFound", message);
        }
        if !of_service.iter().any(|slice| is_ready(slice, &own)) {
            let message = format!(
                "endpointslices for service/{name} in {namespace:?} have no addresses with port name {own:?}"
            );
            return ("MissingEndpoints", message);
        }
    }
    let (group, version) = (
        text(&service["spec"], "group"),
        text(&service["spec"], "version"),
    );
    let address = text(&found["spec"], "clusterIP");
    let message = format!(
        "failing or missing response from https://{address}:{port}/apis/{group}/{version}: no other server is asked by \
         this one"
    );
    ("FailedDiscoveryCheck", message)
}

/// Whether somebody answers behind a port.
fn is_ready(slice: &Value, port: &str) -> bool {
    let list = |field: &str| slice[field].as_array().into_iter().flatten();
    list("endpoints").any(|endpoint| endpoint["conditions"]["ready"] != false)
        && list("ports").any(|own| own["name"].as_str() == Some(port) && !own["port"].is_null())
}
