//! What a real server warns of once it has taken an object.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::target::Target;
use super::checks::{list, number, text};
use super::{address_advice, maker_advice, names, node_labels, service_advice, volume_advice};
use crate::kinds::unknown_formats;

/// What the writer of an object should know.
pub(crate) fn advice(target: &Target, old: Option<&Value>, object: &Value) -> Vec<String> {
    let resource = &target.resource;
    if resource.is("", "pods") && target.is_status() {
        return address_advice::of_pod_status(&object["status"]);
    }
    // Who writes how many there are to be writes all of it.
    if !matches!(target.subresource.as_deref(), None | Some("scale")) {
        return Vec::new();
    }
    if resource.is_crd() {
        return names::finalizer_advice(old, object);
    }
    let mut told = maker_advice::advice(&resource.kind, old, object);
    told.extend(address_advice::advice(&resource.kind, object));
    told.extend(match (&*resource.group, resource.kind.as_str()) {
        ("", "Service") => service_advice::advice(object),
        ("", "PersistentVolume") => of_volume(object),
        ("", "PersistentVolumeClaim") => of_claim(object),
        ("", "ServiceAccount") => of_account(object).into_iter().collect(),
        ("", "Node") => of_node(&object["spec"]).into_iter().collect(),
        ("networking.k8s.io", "Ingress") if old.is_none() => {
            of_ingress(object).into_iter().collect()
        }
        ("storage.k8s.io", "StorageClass") => of_class(object),
        ("storage.k8s.io", "CSIDriver") => of_driver(old, object).into_iter().collect(),
        ("discovery.k8s.io", "EndpointSlice") if old.is_none() => {
            of_slice(object).into_iter().collect()
        }
        ("storage.k8s.io", "CSIStorageCapacity") => of_capacity(object),
        ("node.k8s.io", "RuntimeClass") => of_runtime(object),
        ("apps", "StatefulSet") => of_set(old, object),
        ("", "Secret") => of_secret(object).map(str::to_owned).into_iter().collect(),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => of_formats(old, object),
        _ => Vec::new(),
    });
    told
}

/// The formats of a definition that nobody looks at, as far as they are new.
fn of_formats(old: Option<&Value>, definition: &Value) -> Vec<String> {
    let known = old.map(unknown_formats).unwrap_or_default();
    let formats = unknown_formats(definition).into_iter();
    let new = formats.filter(|format| !known.contains(format));
    new.map(|format| format!("unrecognized format {format:?}"))
        .collect()
}

pub(super) fn annotation(object: &Value, key: &str) -> bool {
    !object["metadata"]["annotations"][key].is_null()
}

fn of_ingress(ingress: &Value) -> Option<String> {
    const CLASS: &str = "kubernetes.io/ingress.class";
    let is_class = annotation(ingress, CLASS) && ingress["spec"]["ingressClassName"].is_null();
    is_class.then(|| {
        format!("annotation {CLASS:?} is deprecated, please use 'spec.ingressClassName' instead")
    })
}

/// A class of storage that is named in an annotation.
fn of_storage(object: &Value) -> Option<String> {
    const CLASS: &str = "volume.beta.kubernetes.io/storage-class";
    annotation(object, CLASS).then(|| {
        format!(
            "metadata.annotations[{CLASS}]: deprecated since v1.8; use \"storageClassName\" attribute instead"
        )
    })
}

fn of_volume(volume: &Value) -> Vec<String> {
    let spec = &volume["spec"];
    let mut told: Vec<String> = of_storage(volume).into_iter().collect();
    if text(spec, "persistentVolumeReclaimPolicy") == "Recycle" {
        told.push(
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended \
             approach is to use dynamic provisioning."
                .to_owned(),
        );
    }
    told.extend(volume_advice::of_plugin(spec, "spec"));
    let terms = list(&spec["nodeAffinity"]["required"], "nodeSelectorTerms");
    told.extend(node_labels::of_terms(
        terms,
        "spec.nodeAffinity.required.nodeSelectorTerms",
    ));
    told
}

fn of_claim(claim: &Value) -> Vec<String> {
    let mut told: Vec<String> = of_storage(claim).into_iter().collect();
    told.extend(volume_advice::of_claim(&claim["spec"], "spec"));
    told
}

fn of_account(account: &Value) -> Option<String> {
    const SECRETS: &str = "kubernetes.io/enforce-mountable-secrets";
    annotation(account, SECRETS).then(|| {
        format!(
            "metadata.annotations[{SECRETS}]: deprecated in v1.32+; prefer separate namespaces to isolate access to \
             mounted secrets"
        )
    })
}

fn of_node(spec: &Value) -> Option<String> {
    let is_said = !text(spec, "externalID").is_empty();
    is_said.then(|| {
        "spec.externalID: this field is deprecated, and is unused by Kubernetes".to_owned()
    })
}

fn of_class(class: &Value) -> Vec<String> {
    let mut told = Vec::new();
    for (term, value) in list(class, "allowedTopologies").iter().enumerate() {
        for (index, expression) in list(value, "matchLabelExpressions").iter().enumerate() {
            let why = node_labels::renamed(text(expression, "key"));
            told.extend(why.map(|why| {
                format!("allowedTopologies[{term}].matchLabelExpressions[{index}].key: {why}")
            }));
        }
    }
    told
}

fn of_capacity(capacity: &Value) -> Vec<String> {
    let labels = capacity["nodeTopology"]["matchLabels"].as_object();
    let labels = labels.into_iter().flatten();
    labels
        .filter_map(|(label, _)| {
            let why = node_labels::renamed(label)?;
            Some(format!("nodeTopology.matchLabels.{label}: {why}"))
        })
        .collect()
}

fn of_runtime(class: &Value) -> Vec<String> {
    let labels = class["scheduling"]["nodeSelector"].as_object();
    let labels = labels.into_iter().flatten();
    labels
        .filter_map(|(label, _)| {
            let why = node_labels::renamed(label)?;
            Some(format!("scheduling.nodeSelector: {why}"))
        })
        .collect()
}

fn of_set(old: Option<&Value>, set: &Value) -> Vec<String> {
    const KEPT: &str = "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is \
        recommended";
    let spec = &set["spec"];
    let claims = list(spec, "volumeClaimTemplates").iter().enumerate();
    // A real server says it so of an update.
    let of = if old.is_none() { "" } else { ".Spec" };
    let mut told: Vec<String> = claims
        .flat_map(|(index, claim)| {
            let path = format!("spec.volumeClaimTemplates[{index}]{of}");
            volume_advice::of_claim(&claim["spec"], &path)
        })
        .collect();
    let kept = number(spec, "revisionHistoryLimit");
    told.extend(kept.is_some_and(|kept| kept < 0).then(|| KEPT.to_owned()));
    told
}

/// A driver that gets tokens, and does not say where.
fn of_driver(old: Option<&Value>, driver: &Value) -> Option<String> {
    let spec = &driver["spec"];
    let is_new = old.is_none_or(|old| old["spec"]["tokenRequests"] != spec["tokenRequests"]);
    let is_open = spec["serviceAccountTokenInSecrets"].is_null();
    (is_new && is_open && !list(spec, "tokenRequests").is_empty()).then(|| {
        "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible \
         logging of tokens in volume attributes"
            .to_owned()
    })
}

fn of_slice(slice: &Value) -> Option<String> {
    let is_of_names = text(slice, "addressType") == "FQDN";
    is_of_names.then(|| "spec.addressType: FQDN endpoints are deprecated".to_owned())
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
