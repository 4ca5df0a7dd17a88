//! The defaults of the built-in kinds: what a writer owns though it did not say it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::target::Target;
use super::workloads;
use crate::kinds::set_crd_defaults;
use crate::object;

pub(crate) fn set(target: &Target, object: &mut Value) {
    if target.resource.is_crd() {
        return;
    }
    match target.resource.kind.as_str() {
        "Namespace" => namespace(object),
        "Secret" => secret(object),
        "Service" => service(object),
        "CustomResourceDefinition" => set_crd_defaults(object),
        "RoleBinding" | "ClusterRoleBinding" => role_binding(object),
        kind if workloads::is_one(kind) => workloads::set_defaults(kind, object),
        _ => {}
    }
}

fn namespace(object: &mut Value) {
    let name = object::name(object).to_owned();
    if !name.is_empty() {
        let labels = object::metadata_mut(object)
            .entry("labels")
            .or_insert(Value::Null);
        object::as_map(labels).insert("kubernetes.io/metadata.name".to_owned(), name.into());
    }
}

fn secret(object: &mut Value) {
    let fields = object::as_map(object);
    if let Some(Value::Object(plain)) = fields.remove("stringData") {
        let data = object::as_map(fields.entry("data").or_insert(Value::Null));
        for (key, value) in plain {
            data.insert(
                key,
                STANDARD.encode(value.as_str().unwrap_or_default()).into(),
            );
        }
    }
    let kind = fields.entry("type").or_insert(Value::Null);
    if kind.as_str().is_none_or(str::is_empty) {
        *kind = "Opaque".into();
    }
}

fn service(object: &mut Value) {
    let spec = object::field_mut(object, "spec");
    spec.entry("type").or_insert("ClusterIP".into());
    spec.entry("sessionAffinity").or_insert("None".into());
    if spec.get("type").and_then(Value::as_str) != Some("ExternalName") {
        spec.entry("internalTrafficPolicy")
            .or_insert("Cluster".into());
    }
    for port in spec
        .get_mut("ports")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let port = object::as_map(port);
        port.entry("protocol").or_insert("TCP".into());
        let number = port.get("port").cloned().unwrap_or_default();
        port.entry("targetPort").or_insert(number);
    }
}

fn role_binding(object: &mut Value) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    let role = object::field_mut(object, "roleRef")
        .entry("apiGroup")
        .or_insert(Value::Null);
    if role.as_str().is_none_or(str::is_empty) {
        *role = GROUP.into();
    }
    for subject in object
        .get_mut("subjects")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if matches!(
            subject.get("kind").and_then(Value::as_str),
            Some("User" | "Group")
        ) {
            object::as_map(subject)
                .entry("apiGroup")
                .or_insert(GROUP.into());
        }
    }
}
