//! `--projects`: creates projects, and waits until they can be used.

use std::time::Duration;

use futures::TryStreamExt;
use kube::Client;
use kube::api::{Api, DynamicObject, PostParams, WatchEvent, WatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use super::Error;

/// A project is ready in milliseconds: after so long it never will be.
const PATIENCE: Duration = Duration::from_secs(30);

/// Creates all of them, and waits until each is ready.
pub(crate) async fn create(client: &Client, names: &[String]) -> Result<(), Error> {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(
        "resourcemanager.miloapis.com",
        "v1alpha1",
        "Project",
    ));
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind);
    let organization =
        json!({"spec": {"ownerRef": {"kind": "Organization", "name": "organization"}}});
    for name in names {
        let project = DynamicObject::new(name, &kind).data(organization.clone());
        let created = api.create(&PostParams::default(), &project).await;
        created
            .map_err(|error| failed(name, format!("was refused: {}", super::in_words(error))))?;
    }
    for name in names {
        match tokio::time::timeout(PATIENCE, ready(&api, name)).await {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => {
                return Err(failed(name, "went away before it was ready".to_owned()));
            }
            Ok(Err(error)) => {
                let why = format!("could not be waited for: {}", super::in_words(error));
                return Err(failed(name, why));
            }
            Err(_) => {
                let why = format!("is not ready after {} s", PATIENCE.as_secs());
                return Err(failed(name, why));
            }
        }
    }
    Ok(())
}

fn failed(name: &str, why: String) -> Error {
    Error::Project {
        name: name.to_owned(),
        why,
    }
}

/// Waits until the project is ready; false if the watch ends first.
async fn ready(api: &Api<DynamicObject>, name: &str) -> kube::Result<bool> {
    let this = WatchParams::default().fields(&format!("metadata.name={name}"));
    let mut events = std::pin::pin!(api.watch(&this, "0").await?);
    while let Some(event) = events.try_next().await? {
        if let WatchEvent::Added(project) | WatchEvent::Modified(project) = event
            && is_ready(&project)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_ready(project: &DynamicObject) -> bool {
    let conditions = project
        .data
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}
