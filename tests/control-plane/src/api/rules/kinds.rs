//! The rules of single built-in kinds.

use serde_json::{Value, json};

use super::super::target::Target;
use super::{defaults, events, names};
use crate::failure::Cause;
use crate::kinds::{accept_crd, not_done_for_crd};
use crate::object;

pub(super) fn before_create(target: &Target, object: &mut Value) -> Vec<Cause> {
    if target.resource.is_crd() {
        return Vec::new();
    }
    match target.resource.kind.as_str() {
        "Namespace" => {
            object::as_map(object).insert("status".to_owned(), json!({"phase": "Active"}));
            object::field_mut(object, "spec")
                .insert("finalizers".to_owned(), json!(["kubernetes"]));
            defaults::set(target, object);
            Vec::new()
        }
        "ConfigMap" | "Secret" => names::data_keys(object),
        "Event" => events::before_create(target, object),
        "Lease" => lease(None, object),
        "Service" => service(target, None, object),
        "CustomResourceDefinition" => accept_crd(object, None),
        _ => Vec::new(),
    }
}

pub(super) fn before_update(target: &Target, old: &Value, new: &mut Value) -> Vec<Cause> {
    if target.resource.is_crd() {
        return Vec::new();
    }
    match target.resource.kind.as_str() {
        "ConfigMap" => {
            let mut wrong = names::data_keys(new);
            wrong.extend(unchangeable(old, new));
            wrong
        }
        "Secret" => {
            let mut wrong = names::data_keys(new);
            if old.get("type") != new.get("type") {
                let kind = new.get("type").cloned().unwrap_or_default();
                wrong.push(Cause::invalid("type", &kind, "field is immutable"));
            }
            wrong.extend(unchangeable(old, new));
            wrong
        }
        "Lease" => lease(Some(old), new),
        "Service" if target.subresource.is_none() => service(target, Some(old), new),
        "CustomResourceDefinition" if target.subresource.is_none() => accept_crd(new, Some(old)),
        "RoleBinding" | "ClusterRoleBinding" => {
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

/// What an object asks for and this server does not do: its writer is warned.
pub(crate) fn not_done(target: &Target, object: &Value) -> Vec<String> {
    if target.resource.is_crd() {
        return Vec::new();
    }
    match target.resource.kind.as_str() {
        "CustomResourceDefinition" => not_done_for_crd(object),
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => {
            vec!["webhooks are stored, and not called by this server".to_owned()]
        }
        _ => Vec::new(),
    }
}

/// Whether an update of an object that is not there creates it.
pub(crate) fn is_created_by_update(target: &Target) -> bool {
    target.resource.is("coordination.k8s.io", "leases")
}

/// The numbers of a Lease. What belongs to coordinated elections, which are off by default, is dropped unless it is
/// there already.
fn lease(old: Option<&Value>, object: &mut Value) -> Vec<Cause> {
    for field in ["strategy", "preferredHolder"] {
        let known = old.is_some_and(|old| old.pointer(&format!("/spec/{field}")).is_some());
        if !known {
            object::field_mut(object, "spec").remove(field);
        }
    }
    let mut wrong = Vec::new();
    for (field, least, why) in [
        ("leaseDurationSeconds", 1, "must be greater than 0"),
        ("leaseTransitions", 0, "must be greater than or equal to 0"),
    ] {
        let path = format!("/spec/{field}");
        if let Some(value) = object.pointer(&path)
            && value.as_i64().is_some_and(|number| number < least)
        {
            wrong.push(Cause::invalid(&format!("spec.{field}"), value, why));
        }
    }
    wrong
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

/// What a Service must have, and an address that nobody listens on.
fn service(target: &Target, old: Option<&Value>, object: &mut Value) -> Vec<Cause> {
    let spec = object::field_mut(object, "spec");
    let is_external = spec.get("type").and_then(Value::as_str) == Some("ExternalName");
    let headless = spec.get("clusterIP").and_then(Value::as_str) == Some("None");
    let no_ports = spec
        .get("ports")
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty);
    if no_ports && !is_external && !headless {
        return vec![Cause::required("spec.ports", "")];
    }
    if !is_external {
        let known = old.and_then(|old| old.pointer("/spec/clusterIP")).cloned();
        let address = known.unwrap_or_else(|| cluster_ip(target).into());
        let address = spec.entry("clusterIP").or_insert(address).clone();
        spec.entry("clusterIPs").or_insert(json!([address]));
        spec.entry("ipFamilies").or_insert(json!(["IPv4"]));
        spec.entry("ipFamilyPolicy").or_insert("SingleStack".into());
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
