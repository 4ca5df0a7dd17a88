//! What a user, or Milo, does to a project.

use kommodore_control_plane::HOLD_ANNOTATION;
use kube::ResourceExt;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use serde_json::{Value, json};

use super::eventually::eventually;
use super::fleet::Fleet;

impl Fleet {
    /// Milo's `Project`s.
    pub fn projects(&self) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("resourcemanager.miloapis.com", "v1alpha1", "Project");
        Api::all_with(self.client(), &ApiResource::from_gvk(&kind))
    }

    /// Milo's `ProjectControlPlane`s.
    pub fn project_control_planes(&self) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk(
            "infrastructure.miloapis.com",
            "v1alpha1",
            "ProjectControlPlane",
        );
        Api::all_with(self.client(), &ApiResource::from_gvk(&kind))
    }

    /// Creates a project and waits until it is ready.
    pub async fn create_project(&self, name: &str) {
        create(&self.projects(), project(name, false)).await;
        eventually(&format!("the project {name} becomes ready"), async || {
            is_true(
                &self
                    .projects()
                    .get(name)
                    .await
                    .map_err(|error| error.to_string())?,
                "Ready",
            )
        })
        .await;
    }

    /// Creates a project that nobody makes ready but [`Fleet::set_project_ready`].
    pub async fn create_project_unready(&self, name: &str) {
        create(&self.projects(), project(name, true)).await;
    }

    /// Creates a `ProjectControlPlane`, as Milo does in its own cluster, and waits until it is ready.
    pub async fn create_project_control_plane(&self, name: &str) {
        create(
            &self.project_control_planes(),
            project_control_plane(name, false),
        )
        .await;
        eventually(
            &format!("the control plane of {name} becomes ready"),
            async || {
                let object = self
                    .project_control_planes()
                    .get(name)
                    .await
                    .map_err(|error| error.to_string())?;
                is_true(&object, "ControlPlaneReady")
            },
        )
        .await;
    }

    /// Creates a `ProjectControlPlane` that nobody makes ready but [`Fleet::set_project_control_plane_ready`].
    pub async fn create_project_control_plane_unready(&self, name: &str) {
        create(
            &self.project_control_planes(),
            project_control_plane(name, true),
        )
        .await;
    }

    /// Says that a project is ready, or that it is not.
    pub async fn set_project_ready(&self, name: &str, ready: bool) {
        set_condition(&self.projects(), name, "Ready", ready).await;
    }

    /// Says that a `ProjectControlPlane` is ready, or that it is not.
    pub async fn set_project_control_plane_ready(&self, name: &str, ready: bool) {
        set_condition(
            &self.project_control_planes(),
            name,
            "ControlPlaneReady",
            ready,
        )
        .await;
    }

    /// Asks for the deletion of a project. It goes when its control plane is empty.
    pub async fn delete_project(&self, name: &str) {
        self.projects()
            .delete(name, &DeleteParams::default())
            .await
            .expect("the project is deleted");
    }

    /// Waits until a project is gone.
    pub async fn project_gone(&self, name: &str) {
        eventually(&format!("the project {name} is gone"), async || match self
            .projects()
            .get_opt(name)
            .await
        {
            Ok(None) => Ok(()),
            Ok(Some(project)) => Err(format!("it is still there: {:?}", project.metadata)),
            Err(error) => Err(error.to_string()),
        })
        .await;
    }
}

fn project(name: &str, held: bool) -> Value {
    json!({
        "apiVersion": "resourcemanager.miloapis.com/v1alpha1", "kind": "Project",
        "metadata": metadata(name, held),
        "spec": {"ownerRef": {"kind": "Organization", "name": "acme"}},
    })
}

fn project_control_plane(name: &str, held: bool) -> Value {
    json!({
        "apiVersion": "infrastructure.miloapis.com/v1alpha1", "kind": "ProjectControlPlane",
        "metadata": metadata(name, held),
        "spec": {},
    })
}

fn metadata(name: &str, held: bool) -> Value {
    let annotations = if held {
        json!({HOLD_ANNOTATION: "a test decides"})
    } else {
        json!({})
    };
    json!({"name": name, "annotations": annotations})
}

async fn create(api: &Api<DynamicObject>, object: Value) {
    let object: DynamicObject = serde_json::from_value(object).expect("an object");
    let name = object.name_any();
    api.create(&PostParams::default(), &object)
        .await
        .unwrap_or_else(|error| panic!("{name} is created: {error}"));
}

fn is_true(object: &DynamicObject, condition: &str) -> Result<(), String> {
    let conditions = object
        .data
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    let is_it = |found: &Value| found["type"] == condition && found["status"] == "True";
    match conditions.is_some_and(|conditions| conditions.iter().any(is_it)) {
        true => Ok(()),
        false => Err(format!("{:#}", object.data)),
    }
}

async fn set_condition(api: &Api<DynamicObject>, name: &str, condition: &str, is: bool) {
    let now = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    let (status, reason) = if is {
        ("True", "Ready")
    } else {
        ("False", "TakenOut")
    };
    // Milo's conditions are one list that is replaced.
    let patch = json!({"status": {"conditions": [{
        "type": condition, "status": status, "reason": reason, "message": "a test says so", "lastTransitionTime": now,
    }]}});
    api.patch_status(name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .expect("the status is written");
}
