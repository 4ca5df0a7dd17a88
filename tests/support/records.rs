//! What stands for clusters in the root.

use kommodore::{FleetStatus, Provider};
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::{Config, ResourceExt as _};
use serde_json::{Value, json};

use super::eventually::eventually;
use super::fleet::Fleet;
use super::kubeconfigs::kubeconfig_of;
use super::operator::Operator;
use super::sites::Sites;

/// The namespace of what lies in the root.
pub const RECORDS: &str = "default";

/// A kubeconfig that leads there, as text.
pub fn text_of(config: &Config) -> String {
    serde_json::to_string(&kubeconfig_of(&[("it", config)])).unwrap()
}

/// A Secret of the root with a text in it.
pub fn secret(name: &str, labels: Value, key: &str, text: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": name, "namespace": RECORDS, "labels": labels},
        "stringData": {key: text},
    })
}

/// A CRD for anything. The first version is stored.
pub fn crd(group: &str, kind: &str, plural: &str, versions: &[&str]) -> Value {
    let any = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let schema =
        json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": any, "status": any}}});
    let version = |(place, name): (usize, &&str)| {
        json!({
            "name": name, "served": true, "storage": place == 0,
            "schema": schema, "subresources": {"status": {}},
        })
    };
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}"), "annotations": {
            "api-approved.kubernetes.io": "https://github.com/kubernetes/enhancements/pull/1111",
        }},
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List")},
            "versions": versions.iter().enumerate().map(version).collect::<Vec<_>>(),
        },
    })
}

impl Fleet {
    /// The clusters of `provider`, reached as an operator, and a controller in them.
    pub fn operate(&self, provider: impl Provider) -> (Sites, FleetStatus, Operator) {
        let agent = self.operator_config().headers;
        let provider = provider.adjusted(move |_, config| config.headers = agent.clone());
        let (sites, manager) = (Sites::default(), self.manager_of(provider));
        let status = manager.fleet();
        (
            sites.clone(),
            status,
            Operator::start(manager.controller(sites)),
        )
    }

    /// Two projects with a website each, which somebody else calls clusters.
    pub async fn create_shops(&self) {
        for project in ["red", "blue"] {
            self.create_shop(project).await;
            self.create_website(project, "one").await;
        }
    }

    /// Writes an object in the root, also where it is there already.
    pub async fn put(&self, object: Value) -> DynamicObject {
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        let api = self.records_like(&object);
        let params = PatchParams::apply("test").force();
        let name = object.name_any();
        eventually(&format!("{name} is written"), async || {
            api.patch(&name, &params, &Patch::Apply(&object)).await
        })
        .await
    }

    /// Writes the status of an object in the root.
    pub async fn put_status(&self, object: &DynamicObject, status: Value) {
        let patch = Patch::Merge(json!({"status": status}));
        let api = self.records_like(object);
        api.patch_status(&object.name_any(), &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    /// Asks for the deletion of an object of the root.
    pub async fn delete_record(&self, object: &DynamicObject) {
        let api = self.records_like(object);
        api.delete(&object.name_any(), &DeleteParams::default())
            .await
            .unwrap();
    }

    /// Where an object of the root is found.
    pub fn records_like(&self, object: &DynamicObject) -> Api<DynamicObject> {
        let types = object.types.as_ref().unwrap();
        let kind = ApiResource::from_gvk(&GroupVersionKind::try_from(types).unwrap());
        match &object.metadata.namespace {
            Some(namespace) => Api::namespaced_with(self.client(), namespace, &kind),
            None => Api::all_with(self.client(), &kind),
        }
    }
}
