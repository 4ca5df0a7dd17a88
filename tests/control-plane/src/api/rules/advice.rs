//! What a real server warns of once it has taken an object.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::target::Target;
use super::checks::{list, text};
use super::{address_advice, names};
use crate::kinds::unknown_formats;

/// What the writer of an object should know.
pub(crate) fn advice(target: &Target, old: Option<&Value>, object: &Value) -> Vec<String> {
    let resource = &target.resource;
    if target.subresource.is_some() {
        return Vec::new();
    }
    if resource.is_crd() {
        return names::finalizer_advice(old, object);
    }
    let mut told = address_advice::advice(&resource.kind, object);
    told.extend(match (&*resource.group, resource.kind.as_str()) {
        ("", "Service") => of_service(&object["spec"]),
        ("", "PersistentVolumeClaim") => of_claim(object).into_iter().collect(),
        ("networking.k8s.io", "Ingress") if old.is_none() => {
            of_ingress(object).into_iter().collect()
        }
        ("", "Secret") => of_secret(object).map(str::to_owned).into_iter().collect(),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => unknown_formats(object)
            .iter()
            .map(|format| format!("unrecognized format {format:?}"))
            .collect(),
        _ => Vec::new(),
    });
    told
}

fn of_service(spec: &Value) -> Vec<String> {
    const EXTERNAL: &str =
        "spec.externalIPs is deprecated and may no longer be implemented in some clusters";
    const IGNORED: &str = "spec.externalIPs is ignored for headless services";
    const NAME: &str = "spec.externalName is ignored when spec.type is not \"ExternalName\"";
    const AFFINITY: &str = "spec.SessionAffinity is ignored for headless services";
    let mut told = Vec::new();
    let is_headless = text(spec, "clusterIP") == "None";
    if !list(spec, "externalIPs").is_empty() {
        let what = if is_headless { IGNORED } else { EXTERNAL };
        told.push(what.to_owned());
    }
    if is_headless && text(spec, "sessionAffinity") == "ClientIP" {
        told.push(AFFINITY.to_owned());
    }
    if text(spec, "type") != "ExternalName" && !text(spec, "externalName").is_empty() {
        told.push(NAME.to_owned());
    }
    told
}

/// A claim that names its class as it was done before there was a field for it.
fn of_claim(claim: &Value) -> Option<String> {
    const CLASS: &str = "volume.beta.kubernetes.io/storage-class";
    let is_said = !claim["metadata"]["annotations"][CLASS].is_null();
    is_said.then(|| {
        format!(
            "metadata.annotations[{CLASS}]: deprecated since v1.8; use \"storageClassName\" attribute instead"
        )
    })
}

/// The same of an Ingress.
fn of_ingress(ingress: &Value) -> Option<String> {
    const CLASS: &str = "kubernetes.io/ingress.class";
    let is_said = !ingress["metadata"]["annotations"][CLASS].is_null()
        && ingress["spec"]["ingressClassName"].is_null();
    is_said.then(|| {
        format!("annotation {CLASS:?} is deprecated, please use 'spec.ingressClassName' instead")
    })
}

/// A pair for TLS of which one half is not even in the format.
fn of_secret(secret: &Value) -> Option<&'static str> {
    if text(secret, "type") != "kubernetes.io/tls" {
        return None;
    }
    let has_block = |field: &str| {
        let bytes = STANDARD
            .decode(text(&secret["data"], field))
            .unwrap_or_default();
        String::from_utf8_lossy(&bytes).contains("-----BEGIN ")
    };
    if !has_block("tls.crt") {
        return Some("tls: failed to find any PEM data in certificate input");
    }
    (!has_block("tls.key")).then_some("tls: failed to find any PEM data in key input")
}
