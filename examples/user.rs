//! The user: does things at the API servers, and looks what came of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use kommodore::k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kommodore::kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams,
};
use kommodore::kube::core::GroupVersionKind;
use kommodore::kube::{Client, ResourceExt as _};
use kommodore::{Error, Result};
use kommodore_control_plane::ControlPlane;
use serde_json::{Value, json};

/// The namespace of every website.
const NAMESPACE: &str = "default";
/// What has not happened by then has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

pub(crate) struct User {
    pub(crate) plane: ControlPlane,
    root: Client,
    projects: Mutex<BTreeMap<String, Client>>,
}

/// A website as the API server has it.
pub(crate) struct Website {
    pub(crate) generation: i64,
    pub(crate) observed: Option<i64>,
    pub(crate) ready: String,
    pub(crate) reason: String,
}

impl Website {
    /// Ready, and that for the newest change.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready == "True" && self.observed == Some(self.generation)
    }
}

impl User {
    pub(crate) fn new(plane: ControlPlane) -> Result<Self> {
        let root = plane.client()?;
        Ok(Self {
            plane,
            root,
            projects: Mutex::default(),
        })
    }

    fn projects(&self) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("resourcemanager.miloapis.com", "v1alpha1", "Project");
        Api::all_with(self.root.clone(), &ApiResource::from_gvk(&kind))
    }

    fn client(&self, project: &str) -> Result<Client> {
        let mut clients = self.projects.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(project) {
            return Ok(client.clone());
        }
        let client = self.plane.project(project).client()?;
        clients.insert(project.to_owned(), client.clone());
        Ok(client)
    }

    fn websites(&self, project: &str) -> Result<Api<DynamicObject>> {
        let kind = GroupVersionKind::gvk("demo.kommodore.dev", "v1alpha1", "Website");
        Ok(Api::namespaced_with(
            self.client(project)?,
            NAMESPACE,
            &ApiResource::from_gvk(&kind),
        ))
    }

    fn pages(&self, project: &str) -> Result<Api<ConfigMap>> {
        Ok(Api::namespaced(self.client(project)?, NAMESPACE))
    }

    pub(crate) async fn create_project(&self, name: &str) -> Result<()> {
        let project: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "resourcemanager.miloapis.com/v1alpha1",
            "kind": "Project",
            "metadata": { "name": name },
            "spec": { "ownerRef": { "kind": "Organization", "name": "demo" } },
        }))?;
        self.projects()
            .create(&PostParams::default(), &project)
            .await?;
        Ok(())
    }

    pub(crate) async fn project_is_ready(&self, name: &str) -> Result<()> {
        let what = format!("the project {name} becomes ready");
        eventually(&what, async || {
            let project = self.projects().get(name).await?;
            Ok(condition(&project.data, "Ready")
                .is_some_and(|ready| ready["status"] == "True")
                .then_some(()))
        })
        .await
    }

    pub(crate) async fn set_not_ready(&self, name: &str) -> Result<()> {
        let now = kommodore::k8s_openapi::jiff::Timestamp::now().to_string();
        let condition = json!({
            "type": "Ready", "status": "False", "reason": "Maintenance", "message": "", "lastTransitionTime": now,
        });
        let patch = Patch::Merge(json!({ "status": { "conditions": [condition] } }));
        self.projects()
            .patch_status(name, &PatchParams::default(), &patch)
            .await?;
        Ok(())
    }

    pub(crate) async fn delete_project(&self, name: &str) -> Result<()> {
        self.projects()
            .delete(name, &DeleteParams::default())
            .await?;
        Ok(())
    }

    pub(crate) async fn project_exists(&self, name: &str) -> Result<bool> {
        Ok(self.projects().get_opt(name).await?.is_some())
    }

    pub(crate) async fn project_names(&self) -> Result<Vec<String>> {
        Ok(self
            .projects()
            .list(&Default::default())
            .await?
            .iter()
            .map(|project| project.name_any())
            .collect())
    }

    /// Whether anybody but us watches anything in the project.
    pub(crate) fn is_watched(&self, project: &str) -> bool {
        self.plane
            .requests()
            .open_watches()
            .iter()
            .any(|watch| watch.project.as_deref() == Some(project))
    }

    pub(crate) async fn create_namespace(&self, project: &str) -> Result<()> {
        let mut namespace = Namespace::default();
        namespace.metadata.name = Some(NAMESPACE.into());
        Api::all(self.client(project)?)
            .create(&PostParams::default(), &namespace)
            .await?;
        Ok(())
    }

    pub(crate) async fn create_website(&self, project: &str, name: &str) -> Result<()> {
        let website: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "demo.kommodore.dev/v1alpha1",
            "kind": "Website",
            "metadata": { "name": name },
            "spec": { "host": host(project, name) },
        }))?;
        self.websites(project)?
            .create(&PostParams::default(), &website)
            .await?;
        Ok(())
    }

    pub(crate) async fn set_host(&self, project: &str, name: &str, host: &str) -> Result<()> {
        let patch = Patch::Merge(json!({ "spec": { "host": host } }));
        self.websites(project)?
            .patch(name, &PatchParams::default(), &patch)
            .await?;
        Ok(())
    }

    pub(crate) async fn delete_website(&self, project: &str, name: &str) -> Result<()> {
        self.websites(project)?
            .delete(name, &DeleteParams::default())
            .await?;
        Ok(())
    }

    pub(crate) async fn website(&self, project: &str, name: &str) -> Result<Option<Website>> {
        Ok(self
            .websites(project)?
            .get_opt(name)
            .await?
            .as_ref()
            .map(read))
    }

    pub(crate) async fn all_websites(&self, project: &str) -> Result<Vec<(String, Website)>> {
        let websites = self.websites(project)?.list(&Default::default()).await?;
        Ok(websites
            .iter()
            .map(|website| (website.name_any(), read(website)))
            .collect())
    }

    /// The page of a website, and the uid of the ConfigMap that it is in.
    pub(crate) async fn page(&self, project: &str, name: &str) -> Result<Option<(String, String)>> {
        let found = self.pages(project)?.get_opt(name).await?;
        Ok(found.and_then(|page| Some((page.data?.remove("index.html")?, page.metadata.uid?))))
    }

    pub(crate) async fn delete_page(&self, project: &str, name: &str) -> Result<()> {
        self.pages(project)?
            .delete(name, &DeleteParams::default())
            .await?;
        Ok(())
    }
}

/// Where a website is served at the beginning.
pub(crate) fn host(project: &str, website: &str) -> String {
    format!("{website}.{project}.example.com")
}

/// What `look` finds, once it finds it.
pub(crate) async fn eventually<T>(
    what: &str,
    mut look: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let started = Instant::now();
    loop {
        let seen = look().await;
        if let Ok(Some(found)) = seen {
            return Ok(found);
        }
        if started.elapsed() > PATIENCE {
            let late = format!(
                "after {} s this has not happened: {what}",
                PATIENCE.as_secs()
            );
            return Err(match seen {
                Err(error) => error.context(late),
                Ok(_) => Error::new(late),
            });
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn read(website: &DynamicObject) -> Website {
    let ready = condition(&website.data, "Ready")
        .cloned()
        .unwrap_or_default();
    let text = |field: &str| ready[field].as_str().unwrap_or("-").to_owned();
    Website {
        generation: website.metadata.generation.unwrap_or_default(),
        observed: website
            .data
            .pointer("/status/observedGeneration")
            .and_then(Value::as_i64),
        ready: text("status"),
        reason: text("reason"),
    }
}

fn condition<'a>(data: &'a Value, name: &str) -> Option<&'a Value> {
    data.pointer("/status/conditions")?
        .as_array()?
        .iter()
        .find(|condition| condition["type"] == name)
}
