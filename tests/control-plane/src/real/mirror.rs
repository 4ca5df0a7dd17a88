//! CRDs of the root, served in every project: Milo has them shared, a real API server has to be told.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, WatchEvent, WatchParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use crate::milo::{PROJECT, PROJECT_CONTROL_PLANE};

type Crds = Api<CustomResourceDefinition>;

/// Keeps the projects' CRDs as the root's are, for ever.
pub(super) async fn mirror(root: Client, projects: Vec<Client>) {
    let root: Crds = Api::all(root);
    let projects: Vec<Crds> = projects.into_iter().map(Api::all).collect();
    loop {
        if let Err(error) = follow(&root, &projects).await {
            tracing::debug!(%error, "the mirror of CRDs lost its watch");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn follow(root: &Crds, projects: &[Crds]) -> kube::Result<()> {
    let list = root.list(&ListParams::default()).await?;
    let wanted: BTreeSet<String> = list.items.iter().map(ResourceExt::name_any).collect();
    for crd in &list.items {
        put(crd, projects).await?;
    }
    for project in projects {
        for crd in project.list(&ListParams::default()).await?.items {
            if !wanted.contains(&crd.name_any()) {
                delete(&crd.name_any(), std::slice::from_ref(project)).await?;
            }
        }
    }
    let version = list.metadata.resource_version.unwrap_or_default();
    let mut events = root.watch(&WatchParams::default(), &version).await?.boxed();
    while let Some(event) = events.try_next().await? {
        match event {
            WatchEvent::Added(crd) | WatchEvent::Modified(crd) => put(&crd, projects).await?,
            WatchEvent::Deleted(crd) => delete(&crd.name_any(), projects).await?,
            WatchEvent::Bookmark(_) => {}
            WatchEvent::Error(_) => break,
        }
    }
    Ok(())
}

async fn put(crd: &CustomResourceDefinition, projects: &[Crds]) -> kube::Result<()> {
    let name = crd.name_any();
    if is_milos(&name) {
        return Ok(());
    }
    if crd.metadata.deletion_timestamp.is_some() {
        return delete(&name, projects).await;
    }
    let copy = copy(crd);
    for project in projects {
        let apply = PatchParams::apply("kommodore-control-plane").force();
        project.patch(&name, &apply, &Patch::Apply(&copy)).await?;
    }
    Ok(())
}

fn copy(crd: &CustomResourceDefinition) -> Value {
    let metadata = &crd.metadata;
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": metadata.name, "labels": metadata.labels, "annotations": metadata.annotations},
        "spec": crd.spec,
    })
}

async fn delete(name: &str, projects: &[Crds]) -> kube::Result<()> {
    for project in projects {
        match project.delete(name, &DeleteParams::default()).await {
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            other => other.map(|_| ())?,
        }
    }
    Ok(())
}

/// Milo's own two are the root's alone.
pub(super) fn is_milos(name: &str) -> bool {
    [PROJECT, PROJECT_CONTROL_PLANE]
        .iter()
        .any(|kind| kind.crd_name() == name)
}
