//! Milo's two kinds, as its own manifests have them.

use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

/// A kind that stands for a project, and how it says that the project's control plane is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProjectKind {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) singular: &'static str,
    /// The type of the condition that is True when the project can be used.
    pub(crate) condition: &'static str,
    /// The condition's status and reason by default, until somebody has decided.
    pub(crate) undecided: (&'static str, &'static str),
}

/// Milo's `Project`, what operators outside of Milo's cluster follow.
pub(crate) const PROJECT: ProjectKind = ProjectKind {
    group: "resourcemanager.miloapis.com",
    version: "v1alpha1",
    kind: "Project",
    plural: "projects",
    singular: "project",
    condition: "Ready",
    undecided: ("Unknown", "Unknown"),
};

/// Milo's `ProjectControlPlane`, what operators inside of Milo's cluster follow.
pub(crate) const PROJECT_CONTROL_PLANE: ProjectKind = ProjectKind {
    group: "infrastructure.miloapis.com",
    version: "v1alpha1",
    kind: "ProjectControlPlane",
    plural: "projectcontrolplanes",
    singular: "projectcontrolplane",
    condition: "ControlPlaneReady",
    undecided: ("False", "Creating"),
};

impl ProjectKind {
    pub(crate) fn api_resource(&self) -> ApiResource {
        let kind = GroupVersionKind::gvk(self.group, self.version, self.kind);
        ApiResource::from_gvk_with_plural(&kind, self.plural)
    }

    /// The name of its CRD.
    pub(crate) fn crd_name(&self) -> String {
        format!("{}.{}", self.plural, self.group)
    }
}

/// Both CRDs. Milo sets the default of the one's conditions at the conditions, so that a new `Project` has no status at
/// all, and of the other's at the status, so that a new `ProjectControlPlane` says at once that it is being created.
pub(crate) fn crds() -> [Value; 2] {
    let owner = json!({
        "description": "The organization that owns the project.",
        "type": "object",
        "required": ["kind", "name"],
        "properties": {
            "kind": {"type": "string", "enum": ["Organization"]},
            "name": {"type": "string"},
        },
    });
    let spec =
        json!({"type": "object", "required": ["ownerRef"], "properties": {"ownerRef": owner}});
    let mut conditions = conditions();
    conditions["default"] = undecided(&PROJECT, "Waiting for control plane to reconcile");
    let status = json!({"type": "object", "properties": {"conditions": conditions}});
    let columns = json!([
        {"name": "Owner", "type": "string", "jsonPath": ".spec.ownerRef.name"},
        {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].status"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]);
    let mut project = crd(&PROJECT, spec, status);
    project["spec"]["versions"][0]["additionalPrinterColumns"] = columns;

    let message = "Creating a new control plane for the project";
    let status = json!({
        "type": "object",
        "default": {"conditions": undecided(&PROJECT_CONTROL_PLANE, message)},
        "properties": {"conditions": self::conditions()},
    });
    [
        project,
        crd(&PROJECT_CONTROL_PLANE, json!({"type": "object"}), status),
    ]
}

fn undecided(kind: &ProjectKind, message: &str) -> Value {
    let (status, reason) = kind.undecided;
    json!([{
        "type": kind.condition, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": "1970-01-01T00:00:00Z",
    }])
}

fn crd(kind: &ProjectKind, spec: Value, status: Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.crd_name()},
        "spec": {
            "group": kind.group,
            "scope": "Cluster",
            "names": {
                "kind": kind.kind,
                "listKind": format!("{}List", kind.kind),
                "plural": kind.plural,
                "singular": kind.singular,
            },
            "versions": [{
                "name": kind.version,
                "served": true,
                "storage": true,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "required": ["spec"],
                    "properties": {
                        "apiVersion": {"type": "string"},
                        "kind": {"type": "string"},
                        "metadata": {"type": "object"},
                        "spec": spec,
                        "status": status,
                    },
                }},
            }],
        },
    })
}

/// As apimachinery's `Condition`; no list-map, which is how Milo has it: server-side apply owns the whole list.
fn conditions() -> Value {
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["lastTransitionTime", "message", "reason", "status", "type"],
            "properties": {
                "type": {
                    "type": "string",
                    "maxLength": 316,
                    "pattern": "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
                },
                "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
                "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0},
                "lastTransitionTime": {"type": "string", "format": "date-time"},
                "reason": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1024,
                    "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
                },
                "message": {"type": "string", "maxLength": 32768},
            },
        },
    })
}
