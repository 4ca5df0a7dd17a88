//! A control plane with a kind to play with, and ways to look at it.
#![allow(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "it is a part of tests, each of which uses a part of it"
)]

use std::future::Future;
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use kommodore_control_plane::{ControlPlane, Project};
use kube::api::{Api, DynamicObject, PostParams, WatchEvent, WatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, Config, ResourceExt};
use serde_json::{Value, json};

/// Waits for what must happen soon.
pub(crate) async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(Duration::from_secs(30), work).await;
    done.unwrap_or_else(|_| panic!("after 30 s there is still no {what}"))
}

/// A client that asks once, also where it is told to come back.
pub(crate) fn asks_once(mut config: Config) -> Client {
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

/// The CRD of `kind` in `demo.example.com`, namespaced, with a status subresource.
pub(crate) fn crd(kind: &str) -> Value {
    let singular = kind.to_lowercase();
    let plural = format!("{singular}s");
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.demo.example.com")},
        "spec": {
            "group": "demo.example.com", "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": singular},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "properties": {
                        "size": {"type": "integer", "minimum": 1}, "color": {"type": "string", "default": "red"},
                    }},
                    "status": {"type": "object", "properties": {"seen": {"type": "integer"}}},
                }}},
            }],
        },
    })
}

pub(crate) fn resource(kind: &str) -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("demo.example.com", "v1", kind))
}

pub(crate) fn things(client: Client) -> Api<DynamicObject> {
    Api::namespaced_with(client, "default", &resource("Thing"))
}

pub(crate) fn thing(name: &str, spec: Value) -> DynamicObject {
    DynamicObject::new(name, &resource("Thing")).data(json!({"spec": spec}))
}

pub(crate) fn config_maps(client: Client) -> Api<DynamicObject> {
    Api::namespaced_with(
        client,
        "default",
        &ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "ConfigMap")),
    )
}

pub(crate) fn namespaces(client: Client) -> Api<DynamicObject> {
    Api::all_with(
        client,
        &ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Namespace")),
    )
}

/// An object of any kind, from JSON.
pub(crate) fn object(value: Value) -> DynamicObject {
    serde_json::from_value(value).unwrap()
}

/// A server with `Thing`.
pub(crate) async fn plane() -> ControlPlane {
    ControlPlane::builder()
        .crd(&crd("Thing"))
        .start()
        .await
        .unwrap()
}

/// A server with `Thing`, and a project that is ready.
pub(crate) async fn plane_with(project: &str) -> ControlPlane {
    let plane = ControlPlane::builder()
        .crd(&crd("Thing"))
        .milo()
        .start()
        .await
        .unwrap();
    create_project(&plane, project).await;
    plane
}

fn project_resource() -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk(
        "resourcemanager.miloapis.com",
        "v1alpha1",
        "Project",
    ))
}

pub(crate) fn projects(plane: &ControlPlane) -> Api<DynamicObject> {
    Api::all_with(plane.client().unwrap(), &project_resource())
}

pub(crate) async fn create_project<'p>(plane: &'p ControlPlane, name: &str) -> Project<'p> {
    let project = DynamicObject::new(name, &project_resource())
        .data(json!({"spec": {"ownerRef": {"kind": "Organization", "name": "o"}}}));
    projects(plane)
        .create(&PostParams::default(), &project)
        .await
        .unwrap();
    plane.project(name)
}

pub(crate) type Events = BoxStream<'static, kube::Result<WatchEvent<DynamicObject>>>;

pub(crate) async fn watch(
    api: &Api<DynamicObject>,
    parameters: &WatchParams,
    version: &str,
) -> Events {
    api.watch(parameters, version).await.unwrap().boxed()
}

/// The next event, as its type, the name and the resource version.
pub(crate) async fn next(events: &mut Events) -> (&'static str, String, String) {
    let event = soon("event", events.try_next())
        .await
        .unwrap()
        .expect("the watch ended");
    let (what, object) = match event {
        WatchEvent::Added(object) => ("ADDED", object),
        WatchEvent::Modified(object) => ("MODIFIED", object),
        WatchEvent::Deleted(object) => ("DELETED", object),
        WatchEvent::Bookmark(mark) => {
            return ("BOOKMARK", String::new(), mark.metadata.resource_version);
        }
        WatchEvent::Error(status) => return ("ERROR", status.code.to_string(), status.message),
    };
    (what, object.name_any(), object.resource_version().unwrap())
}

/// Waits until the deletion of an object has begun, and returns what it is then.
pub(crate) async fn begins_to_go(api: &Api<DynamicObject>, name: &str) -> DynamicObject {
    soon("deletion", async {
        loop {
            let object = api.get(name).await.unwrap();
            if object.metadata.deletion_timestamp.is_some() {
                return object;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

/// Waits until an object is gone.
pub(crate) async fn gone(api: &Api<DynamicObject>, name: &str) {
    soon(&format!("end of {name}"), async {
        while api.get_opt(name).await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// The code and the message of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(result: kube::Result<T>) -> (u16, String) {
    match result {
        Err(kube::Error::Api(status)) => (status.code, status.message.clone()),
        other => panic!("refused is {other:?}"),
    }
}
