//! The defaults of the built-in kinds: what a writer owns though it did not say it.

mod administration;
mod images;
mod pods;
mod storage;
mod webhooks;
mod workloads;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::super::target::Target;
use super::fixed::is_nothing;
use super::services;
use crate::kinds::{autoscalers, set_crd_defaults};
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
        "Pod" => pods::pod(object),
        "PodTemplate" => pods::template(object, "template"),
        "Deployment" => workloads::deployment(object),
        "StatefulSet" => workloads::stateful_set(object),
        "DaemonSet" => workloads::daemon_set(object),
        "ReplicaSet" => workloads::replica_set(object),
        "ReplicationController" => workloads::replication_controller(object),
        "Job" => workloads::job(object),
        "CronJob" => workloads::cron_job(object),
        "PersistentVolumeClaim" => storage::claim(object),
        "PersistentVolume" => storage::volume(object),
        "VolumeAttachment" => storage::attachment(object),
        "StorageClass" => storage::class(object),
        "LimitRange" => storage::limit_range(object),
        "Endpoints" => endpoints(object),
        "EndpointSlice" => endpoint_slice(object),
        "NetworkPolicy" => network_policy(object),
        "HorizontalPodAutoscaler" => autoscaler(object),
        "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy" => administration::policy(object),
        "ValidatingAdmissionPolicyBinding" | "MutatingAdmissionPolicyBinding" => {
            administration::policy_binding(object);
        }
        "APIService" => administration::api_service(object),
        "FlowSchema" => administration::flow_schema(object),
        "PriorityLevelConfiguration" => administration::priority_level(object),
        "ResourceClaim" => administration::claim(object::field_mut(object, "spec")),
        "ResourceClaimTemplate" => {
            let spec = object::field_mut(object, "spec");
            if let Some(spec) = inner(spec, "spec") {
                administration::claim(spec);
            }
        }
        "ResourceSlice" => administration::slice(object),
        "IngressClass" => administration::ingress_class(object),
        "CSIDriver" => administration::driver(object),
        "Node" => node(object),
        "ValidatingWebhookConfiguration" => webhooks::validating(object),
        "MutatingWebhookConfiguration" => webhooks::mutating(object),
        "PriorityClass" => {
            default(
                object::as_map(object),
                "preemptionPolicy",
                "PreemptLowerPriority",
            );
        }
        _ => {}
    }
}

/// Says `value` where nothing was said.
fn default(fields: &mut Map<String, Value>, field: &str, value: impl Into<Value>) {
    if fields.get(field).is_none_or(Value::is_null) {
        fields.insert(field.to_owned(), value.into());
    }
}

/// The same where an empty list or map says nothing, too.
fn default_all(fields: &mut Map<String, Value>, field: &str, value: impl Into<Value>) {
    if fields.get(field).is_none_or(is_nothing) {
        fields.insert(field.to_owned(), value.into());
    }
}

/// The same where an empty string says nothing, too.
fn default_text(fields: &mut Map<String, Value>, field: &str, value: &str) {
    if fields
        .get(field)
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
    {
        fields.insert(field.to_owned(), value.into());
    }
}

/// The objects in a list, if it is there.
fn each<'a>(
    fields: &'a mut Map<String, Value>,
    list: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> + use<'a> {
    let list = fields.get_mut(list).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// An object in a field, if it is there.
fn inner<'a>(
    fields: &'a mut Map<String, Value>,
    field: &str,
) -> Option<&'a mut Map<String, Value>> {
    fields.get_mut(field)?.as_object_mut()
}

fn endpoints(object: &mut Value) {
    for subset in each(object::as_map(object), "subsets") {
        for port in each(subset, "ports") {
            default_text(port, "protocol", "TCP");
        }
    }
}

fn endpoint_slice(object: &mut Value) {
    for port in each(object::as_map(object), "ports") {
        default(port, "name", "");
        default(port, "protocol", "TCP");
    }
}

fn network_policy(object: &mut Value) {
    let spec = object::field_mut(object, "spec");
    for rule in ["ingress", "egress"] {
        for rule in each(spec, rule) {
            for port in each(rule, "ports") {
                default(port, "protocol", "TCP");
            }
        }
    }
    let types = match spec.get("egress") {
        Some(Value::Array(rules)) if !rules.is_empty() => json!(["Ingress", "Egress"]),
        _ => json!(["Ingress"]),
    };
    default_all(spec, "policyTypes", types);
}

fn autoscaler(object: &mut Value) {
    if autoscalers::complete(object) {
        return;
    }
    let spec = object::field_mut(object, "spec");
    default(spec, "minReplicas", 1);
    default_all(
        spec,
        "metrics",
        json!([{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]),
    );
    if let Some(behavior) = inner(spec, "behavior") {
        scaling(behavior);
    }
}

/// How fast an autoscaler may go, where it is said that there is something to say.
fn scaling(behavior: &mut Map<String, Value>) {
    let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
    let pods = json!({"type": "Pods", "value": 4, "periodSeconds": 15});
    for (direction, policies) in [
        ("scaleUp", json!([pods, percent])),
        ("scaleDown", json!([percent])),
    ] {
        default(behavior, direction, json!({}));
        let Some(rules) = inner(behavior, direction) else {
            continue;
        };
        if direction == "scaleUp" {
            default(rules, "stabilizationWindowSeconds", 0);
        }
        default(rules, "selectPolicy", "Max");
        default(rules, "policies", policies);
    }
}

/// What a node has can be allocated.
/// What there was one of is now the first of several; where they are at odds, the one counts.
fn one_is_first(
    fields: &mut Map<String, Value>,
    one: &str,
    all: &str,
    as_element: impl Fn(&Value) -> Value,
) {
    let said = |value: Option<&Value>| {
        let value = value.filter(|value| value.as_str().is_some_and(|text| !text.is_empty()));
        value.cloned()
    };
    let own = said(fields.get(one));
    let first = fields.get(all).and_then(|all| all.get(0));
    match (own, first) {
        (Some(own), first) if first != Some(&as_element(&own)) => {
            fields.insert(all.to_owned(), json!([as_element(&own)]));
        }
        (None, Some(first)) => {
            // An element is the text, or says it in its one field.
            let inside = first.as_object().and_then(|fields| fields.values().next());
            if let Some(first) = said(Some(inside.unwrap_or(first))) {
                fields.insert(one.to_owned(), first);
            }
        }
        _ => {}
    }
}

fn node(object: &mut Value) {
    if let Some(spec) = inner(object::as_map(object), "spec") {
        one_is_first(spec, "podCIDR", "podCIDRs", Value::clone);
    }
    let Some(status) = inner(object::as_map(object), "status") else {
        return;
    };
    if let Some(capacity) = status.get("capacity").filter(|all| !all.is_null()).cloned() {
        // None of it is what is not kept, and not kept is not said.
        if status.get("allocatable") == Some(&json!({})) {
            status.remove("allocatable");
        }
        default(status, "allocatable", capacity);
    }
}

fn namespace(object: &mut Value) {
    default_text(object::field_mut(object, "status"), "phase", "Active");
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
    match spec.get("sessionAffinity").and_then(Value::as_str) {
        Some("None") => {
            spec.remove("sessionAffinityConfig");
        }
        Some("ClientIP")
            if spec
                .get("sessionAffinityConfig")
                .is_none_or(|config| config["clientIP"]["timeoutSeconds"].is_null()) =>
        {
            let config = json!({"clientIP": {"timeoutSeconds": 10_800}});
            spec.insert("sessionAffinityConfig".to_owned(), config);
        }
        _ => {}
    }
    let kind = spec.get("type").and_then(Value::as_str);
    let balances = kind == Some("LoadBalancer");
    if balances {
        spec.entry("allocateLoadBalancerNodePorts")
            .or_insert(true.into());
    }
    if services::is_accessible(spec) {
        spec.entry("externalTrafficPolicy")
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
        let target = port.entry("targetPort").or_insert(Value::Null);
        if target.is_null() || *target == 0 || *target == "" {
            *target = number;
        }
    }
    if balances {
        addresses_of_balancers(object);
    }
}

/// What comes to an address of a balancer keeps it.
fn addresses_of_balancers(service: &mut Value) {
    let places = service.pointer_mut("/status/loadBalancer/ingress");
    let places = places.and_then(Value::as_array_mut).into_iter().flatten();
    for place in places {
        if place["ip"]
            .as_str()
            .is_some_and(|address| !address.is_empty())
        {
            object::as_map(place)
                .entry("ipMode")
                .or_insert("VIP".into());
        }
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
