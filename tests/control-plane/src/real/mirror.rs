//! CRDs of the root, served in every project: Milo has them shared, a real API server has to be told.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, WatchEvent, WatchParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use crate::milo::{PROJECT, PROJECT_CONTROL_PLANE};

type Crds = Api<CustomResourceDefinition>;

/// The CRDs of the root and of the projects' API servers.
pub(super) struct Mirror {
    root: Crds,
    projects: Vec<Crds>,
    /// What one of the projects is not to serve.
    hidden: Mutex<BTreeSet<(usize, String)>>,
}

impl Mirror {
    pub(super) fn new(root: Client, projects: impl IntoIterator<Item = Client>) -> Self {
        let projects = projects.into_iter().map(Api::all).collect();
        Self {
            root: Api::all(root),
            projects,
            hidden: Mutex::default(),
        }
    }

    /// Keeps the projects' CRDs as the root's are, for ever.
    pub(super) async fn run(&self) {
        loop {
            if let Err(error) = self.follow().await {
                tracing::debug!(%error, "the mirror of CRDs lost its watch");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn follow(&self) -> kube::Result<()> {
        let version = self.put_all().await?;
        let mut events = self
            .root
            .watch(&WatchParams::default(), &version)
            .await?
            .boxed();
        while let Some(event) = events.try_next().await? {
            match event {
                WatchEvent::Added(crd) | WatchEvent::Modified(crd) => self.put(&crd).await?,
                WatchEvent::Deleted(crd) => self.delete(&crd.name_any()).await?,
                WatchEvent::Bookmark(_) => {}
                WatchEvent::Error(_) => break,
            }
        }
        Ok(())
    }

    /// As the root is now; its version.
    async fn put_all(&self) -> kube::Result<String> {
        let list = self.root.list(&ListParams::default()).await?;
        let wanted: BTreeSet<String> = list.items.iter().map(ResourceExt::name_any).collect();
        for crd in &list.items {
            self.put(crd).await?;
        }
        for project in &self.projects {
            for crd in project.list(&ListParams::default()).await?.items {
                if !wanted.contains(&crd.name_any()) {
                    delete(project, &crd.name_any()).await?;
                }
            }
        }
        Ok(list.metadata.resource_version.unwrap_or_default())
    }

    async fn put(&self, crd: &CustomResourceDefinition) -> kube::Result<()> {
        let name = crd.name_any();
        if is_milos(&name) {
            return Ok(());
        }
        if crd.metadata.deletion_timestamp.is_some() {
            return self.delete(&name).await;
        }
        let copy = copy(crd);
        for (at, project) in self.projects.iter().enumerate() {
            if !self.hidden().contains(&(at, name.clone())) {
                let apply = PatchParams::apply("kommodore-control-plane").force();
                project.patch(&name, &apply, &Patch::Apply(&copy)).await?;
            }
        }
        Ok(())
    }

    async fn delete(&self, name: &str) -> kube::Result<()> {
        for project in &self.projects {
            delete(project, name).await?;
        }
        Ok(())
    }

    /// One of the projects serves a kind no more, until it is shown.
    pub(super) async fn hide(&self, at: usize, crd: &str) -> kube::Result<()> {
        self.hidden().insert((at, crd.into()));
        loop {
            delete(&self.projects[at], crd).await?;
            if self.projects[at].get_metadata_opt(crd).await?.is_none() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// One of the projects serves a kind again.
    pub(super) async fn show(&self, at: usize, crd: &str) -> kube::Result<()> {
        self.hidden().remove(&(at, crd.into()));
        let crd = self.root.get(crd).await?;
        self.put(&crd).await
    }

    /// Nothing is to be hidden any more; whether something was.
    pub(super) fn hide_nothing(&self) -> bool {
        !std::mem::take(&mut *self.hidden()).is_empty()
    }

    fn hidden(&self) -> MutexGuard<'_, BTreeSet<(usize, String)>> {
        self.hidden.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

async fn delete(project: &Crds, name: &str) -> kube::Result<()> {
    match project.delete(name, &DeleteParams::default()).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        other => other.map(|_| ()),
    }
}

/// Milo's own two are the root's alone.
pub(super) fn is_milos(name: &str) -> bool {
    [PROJECT, PROJECT_CONTROL_PLANE]
        .iter()
        .any(|kind| kind.crd_name() == name)
}
