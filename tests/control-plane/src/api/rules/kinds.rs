//! The rules of single built-in kinds.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::target::Target;
use crate::failure::Cause;
use crate::kinds::accept_crd;
use crate::object;

pub(super) fn before_create(target: &Target, object: &mut Value) -> Vec<Cause> {
    if target.resource.is_crd() {
        return Vec::new();
    }
    match target.resource.kind.as_str() {
        "Namespace" => {
            let name = object::name(object).to_owned();
            object::as_map(object).insert("status".to_owned(), json!({"phase": "Active"}));
            object::field_mut(object, "spec")
                .insert("finalizers".to_owned(), json!(["kubernetes"]));
            label_namespace(object, name);
            Vec::new()
        }
        "Secret" => secret(object),
        "Service" => service(target, None, object),
        "CustomResourceDefinition" => {
            object::as_map(object).remove("status");
            accept_crd(object).err().unwrap_or_default()
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            role_binding(object);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

pub(super) fn before_update(target: &Target, old: &Value, new: &mut Value) -> Vec<Cause> {
    if target.resource.is_crd() {
        return Vec::new();
    }
    match target.resource.kind.as_str() {
        "Namespace" => {
            let name = object::name(new).to_owned();
            label_namespace(new, name);
            Vec::new()
        }
        "ConfigMap" => unchangeable(old, new),
        "Secret" => {
            let mut wrong = secret(new);
            if old.get("type") != new.get("type") {
                let kind = new.get("type").cloned().unwrap_or_default();
                wrong.push(Cause::invalid("type", &kind, "field is immutable"));
            }
            wrong.extend(unchangeable(old, new));
            wrong
        }
        "Service" if target.subresource.is_none() => service(target, Some(old), new),
        "CustomResourceDefinition" => accept_crd(new).err().unwrap_or_default(),
        "RoleBinding" | "ClusterRoleBinding" => {
            role_binding(new);
            let role = new.get("roleRef").cloned().unwrap_or_default();
            let changed = old.get("roleRef") != Some(&role);
            changed
                .then(|| Cause::invalid("roleRef", &role, "cannot change roleRef"))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

fn label_namespace(object: &mut Value, name: String) {
    let labels = object::metadata_mut(object)
        .entry("labels")
        .or_insert(Value::Null);
    object::as_map(labels).insert("kubernetes.io/metadata.name".to_owned(), name.into());
}

fn secret(object: &mut Value) -> Vec<Cause> {
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
    Vec::new()
}

/// `immutable: true` is for ever, and holds the data.
fn unchangeable(old: &Value, new: &Value) -> Vec<Cause> {
    if old.get("immutable") != Some(&Value::Bool(true)) {
        return Vec::new();
    }
    const WHY: &str = "field is immutable when `immutable` is set";
    let mut wrong = Vec::new();
    if new.get("immutable") != Some(&Value::Bool(true)) {
        wrong.push(Cause::forbidden("immutable", WHY));
    }
    for field in ["data", "binaryData"] {
        if old.get(field) != new.get(field) {
            wrong.push(Cause::forbidden(field, WHY));
        }
    }
    wrong
}

fn role_binding(object: &mut Value) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    object::field_mut(object, "roleRef")
        .entry("apiGroup")
        .or_insert(GROUP.into());
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

/// The defaults of a Service, and an address that nobody listens on.
fn service(target: &Target, old: Option<&Value>, object: &mut Value) -> Vec<Cause> {
    let spec = object::field_mut(object, "spec");
    let kind = spec
        .entry("type")
        .or_insert("ClusterIP".into())
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let headless = spec.get("clusterIP").and_then(Value::as_str) == Some("None");
    let no_ports = spec
        .get("ports")
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty);
    if no_ports && kind != "ExternalName" && !headless {
        return vec![Cause::required("spec.ports", "")];
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
    spec.entry("sessionAffinity").or_insert("None".into());
    if kind != "ExternalName" {
        let known = old.and_then(|old| old.pointer("/spec/clusterIP")).cloned();
        let address = known.unwrap_or_else(|| cluster_ip(target).into());
        let address = spec.entry("clusterIP").or_insert(address).clone();
        spec.entry("clusterIPs").or_insert(json!([address]));
        spec.entry("ipFamilies").or_insert(json!(["IPv4"]));
        spec.entry("ipFamilyPolicy").or_insert("SingleStack".into());
        spec.entry("internalTrafficPolicy")
            .or_insert("Cluster".into());
    }
    if old.is_none() {
        object::as_map(object).insert("status".to_owned(), json!({"loadBalancer": {}}));
    }
    Vec::new()
}

/// Some address.
fn cluster_ip(target: &Target) -> String {
    let number = target.world.ids.number();
    format!(
        "10.{}.{}.{}",
        96 + (number >> 16) % 16,
        (number >> 8) & 0xff,
        number & 0xff
    )
}
