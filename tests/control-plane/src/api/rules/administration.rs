//! The rules of what belongs to a whole cluster: what is admitted, and what nodes offer.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::checks::{self, list, text};
use super::{
    addresses, admission_policies, api_services, csi, device_claims, device_slices, devices,
    flow_schemas, ingress_classes, names, persistent, placement, priority_levels, resources,
    service_ranges, storage, storage_classes,
};
use crate::failure::Cause;
use crate::object;
use crate::schema::in_billionths;
use crate::structs::internal;

/// What is wrong with an object, new or changed.
pub(super) fn check(kind: &str, object: &Value) -> Vec<Cause> {
    let spec = object.get("spec").unwrap_or(&Value::Null);
    match kind {
        "ValidatingAdmissionPolicy" => admission_policies::check_validating(object),
        "MutatingAdmissionPolicy" => admission_policies::check_mutating(object),
        "ValidatingAdmissionPolicyBinding" => admission_policies::check_validating_binding(spec),
        "MutatingAdmissionPolicyBinding" => admission_policies::check_mutating_binding(spec),
        "APIService" => api_services::check(spec),
        "FlowSchema" => flow_schemas::check(object),
        "PriorityLevelConfiguration" => priority_levels::check(object),
        "RuntimeClass" => check_runtime_class(object),
        "IPAddress" => check_parent(spec),
        "IngressClass" => ingress_classes::check(spec),
        "ServiceCIDR" => service_ranges::check(spec),
        "DeviceClass" => devices::check_class(spec),
        "ResourceClaim" => device_claims::check(spec, "spec"),
        "ResourceClaimTemplate" => device_claims::check_template(spec),
        "ResourceSlice" => device_slices::check(spec),
        "CSIDriver" => csi::check_driver(object),
        "CSINode" => csi::check_node(object),
        "CSIStorageCapacity" => check_storage_capacity(object),
        "VolumeAttachment" => check_attachment(spec),
        "VolumeAttributesClass" => check_attributes_class(object),
        _ => Vec::new(),
    }
}

/// Whose an address is.
fn check_parent(spec: &Value) -> Vec<Cause> {
    let Some(parent) = spec.get("parentRef") else {
        return vec![Cause::required("spec.parentRef", "")];
    };
    let at = |field: &str| format!("spec.parentRef.{field}");
    let mut wrong = Vec::new();
    if !text(parent, "group").is_empty() {
        wrong.extend(subdomain(parent, "group", &at("group")));
    }
    for field in ["resource", "name", "namespace"] {
        match text(parent, field) {
            "" if field == "namespace" => {}
            "" => wrong.push(Cause::required(&at(field), "")),
            segment => wrong.extend(names::path_segment(segment, &at(field))),
        }
    }
    wrong
}

/// What is wrong with a change besides.
pub(super) fn check_update(kind: &str, old: &Value, new: &Value) -> Vec<Cause> {
    let changed = |field: &str| old.get(field) != new.get(field);
    match kind {
        "RuntimeClass" if changed("handler") => {
            vec![Cause::invalid(
                "handler",
                &new["handler"],
                "field is immutable",
            )]
        }
        "CSINode" => csi::check_node_update(old, new),
        "PriorityClass" if changed("value") => {
            let why = "may not be changed in an update.";
            vec![Cause::forbidden("value", why)]
        }
        "VolumeAttributesClass" => {
            let fields = ["driverName", "parameters"].into_iter();
            fields
                .filter(|field| changed(field))
                .map(|field| Cause::forbidden(field, &format!("updates to {field} are forbidden.")))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// What a new object gets that its writer does not decide.
pub(super) fn begin(kind: &str, object: &mut Value) {
    match kind {
        // What is served by this server is there.
        "APIService" if object.pointer("/spec/service").is_none() => {
            let condition = json!({
                "type": "Available", "status": "True", "lastTransitionTime": object::now(), "reason": "Local",
                "message": "Local APIServices are always available",
            });
            object::field_mut(object, "status").insert("conditions".to_owned(), json!([condition]));
        }
        "VolumeAttributesClass" => storage::protect(object, "kubernetes.io/vac-protection"),
        _ => {}
    }
}

/// What is wrong with a name that has to say what the object is.
pub(super) fn check_own_name(kind: &str, object: &Value) -> Option<String> {
    let name = object::name(object);
    match kind {
        "IPAddress" => addresses::uncommon(&name.into()),
        _ => {
            let part = |field: &str| text(&object["spec"], field);
            let wanted = format!("{}.{}", part("version"), part("group"));
            let why = format!("must be `spec.version+\".\"+spec.group`: {wanted:?}");
            (name != wanted).then_some(why)
        }
    }
}

fn subdomain(fields: &Value, field: &str, path: &str) -> Vec<Cause> {
    let value = text(fields, field);
    let why = names::subdomain(value);
    why.map(|why| Cause::invalid(path, &value.into(), why))
        .into_iter()
        .collect()
}

fn check_storage_capacity(object: &Value) -> Vec<Cause> {
    let mut wrong = checks::selector(&object["nodeTopology"], "nodeTopology");
    wrong.extend(subdomain(object, "storageClassName", "storageClassName"));
    let capacity = &object["capacity"];
    if capacity.as_str().and_then(in_billionths) < Some(0) && !capacity.is_null() {
        let why = "must be greater than or equal to 0";
        wrong.push(Cause::invalid("capacity", capacity, why));
    }
    wrong
}

fn check_runtime_class(class: &Value) -> Vec<Cause> {
    let mut wrong = check_handler(class);
    wrong.extend(resources::check_overhead(
        &class["overhead"]["podFixed"],
        "overhead",
    ));
    let scheduling = &class["scheduling"];
    wrong.extend(checks::labels(
        &scheduling["nodeSelector"],
        "scheduling.nodeSelector",
    ));
    let tolerations = list(scheduling, "tolerations");
    wrong.extend(placement::check_tolerations(
        tolerations,
        "scheduling.tolerations",
    ));
    let mut seen = HashSet::new();
    for (index, toleration) in tolerations.iter().enumerate() {
        let key = ["key", "operator", "value", "effect"].map(|field| text(toleration, field));
        if !seen.insert(key) {
            let path = format!("scheduling.tolerations[{index}]");
            let shown = internal::text("core.Toleration", toleration);
            let why = format!("Duplicate value: {shown}");
            wrong.push(Cause::new("FieldValueDuplicate", path, why));
        }
    }
    wrong
}

fn check_handler(class: &Value) -> Vec<Cause> {
    let handler = text(class, "handler");
    match names::label(handler) {
        _ if handler.is_empty() => vec![Cause::required("handler", "")],
        Some(why) => vec![Cause::invalid("handler", &handler.into(), why)],
        None => Vec::new(),
    }
}

fn check_attachment(spec: &Value) -> Vec<Cause> {
    const ONE: &str = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    const NAME: &str = "spec.source.persistentVolumeName";
    let mut wrong = csi::check_name(text(spec, "attacher"), "spec.attacher");
    let source = &spec["source"];
    let (inline, name) = (
        &source["inlineVolumeSpec"],
        source["persistentVolumeName"].as_str(),
    );
    match (inline, name) {
        (Value::Null, None) => wrong.push(Cause::required("spec.source", ONE)),
        (Value::Null, Some("")) => {
            let why = "must specify non empty persistentVolumeName";
            wrong.push(Cause::required(NAME, why));
        }
        (Value::Null, Some(_)) => {}
        (_, Some(_)) => wrong.push(Cause::forbidden("spec.source", ONE)),
        (inline, None) => {
            wrong.extend(persistent::check_inline(
                inline,
                "spec.source.inlineVolumeSpec",
            ));
        }
    }
    wrong.extend(subdomain(spec, "nodeName", "spec.nodeName"));
    if name.is_some() {
        wrong.extend(subdomain(source, "persistentVolumeName", NAME));
    }
    wrong
}

fn check_attributes_class(class: &Value) -> Vec<Cause> {
    let mut wrong = storage_classes::check_provisioner(class, "driverName");
    wrong.extend(storage_classes::check_parameters(&class["parameters"]));
    let parameters = class.get("parameters").and_then(Value::as_object);
    if parameters.is_none_or(serde_json::Map::is_empty) {
        const WHY: &str = "must contain at least one key/value pair";
        wrong.push(Cause::required("parameters", WHY));
    }
    wrong
}
