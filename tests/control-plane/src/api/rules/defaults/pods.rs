//! Pods, and the templates of pods.

use serde_json::{Map, Value, json};

use super::storage::source;
use super::{default, default_text, each, images, inner, one_is_first};
use crate::api::admission::totals;
use crate::object;

pub(super) fn pod(object: &mut Value) {
    if let Some(status) = inner(object::as_map(object), "status") {
        one_is_first(status, "podIP", "podIPs", |ip| json!({"ip": ip}));
    }
    let spec = object::field_mut(object, "spec");
    default(spec, "enableServiceLinks", true);
    let on_host = spec.get("hostNetwork") == Some(&Value::Bool(true));
    for list in ["initContainers", "containers"] {
        for container in each(spec, list) {
            requests(container);
            if on_host {
                ports_of_host(container);
            }
        }
    }
    whole(spec);
    pod_spec(spec);
}

/// Where a pod says something of itself as a whole, the rest follows from its containers, and from its limits.
fn whole(spec: &mut Map<String, Value>) {
    let Some(own) = spec.get("resources") else {
        return;
    };
    let [own_limits, own_requests] = ["limits", "requests"].map(|field| totals::of(&own[field]));
    if own_limits.is_empty() && own_requests.is_empty() {
        return;
    }
    let pod = Value::Object(spec.clone());
    let mut limits = totals::of_containers(&pod, "limits");
    limits.retain(|name, _| totals::is_of_huge_pages(name) && !own_requests.contains_key(name));
    limits.extend(own_limits);
    let mut requests = limits.clone();
    requests.retain(|name, _| totals::is_of_pods(name));
    if !limits.is_empty() {
        let of_containers = totals::of_containers(&pod, "requests").into_iter();
        requests.extend(of_containers.filter(|(name, _)| ["cpu", "memory"].contains(&&**name)));
    }
    requests.extend(own_requests);
    let all = [("limits", limits), ("requests", requests)];
    if let Some(resources) = inner(spec, "resources") {
        let said = all
            .into_iter()
            .filter(|(_, quantities)| !quantities.is_empty());
        resources.extend(said.map(|(field, quantities)| (field.to_owned(), json!(quantities))));
    }
}

/// The template in a field of an object, or of the spec that is given.
pub(super) fn template(object: &mut Value, field: &str) {
    pod_spec(object::field_mut(&mut object[field], "spec"));
}

pub(super) fn pod_spec(spec: &mut Map<String, Value>) {
    default_text(spec, "dnsPolicy", "ClusterFirst");
    default_text(spec, "restartPolicy", "Always");
    default_text(spec, "schedulerName", "default-scheduler");
    default(spec, "securityContext", json!({}));
    default(spec, "terminationGracePeriodSeconds", 30);
    // The old name of the same field.
    if let Some(account) = spec
        .get("serviceAccountName")
        .or_else(|| spec.get("serviceAccount"))
        .cloned()
    {
        spec.insert("serviceAccount".to_owned(), account.clone());
        spec.insert("serviceAccountName".to_owned(), account);
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for each_container in each(spec, list) {
            container(each_container);
        }
    }
    for each_volume in each(spec, "volumes") {
        volume(each_volume);
    }
}

/// What is limited is asked for.
fn requests(container: &mut Map<String, Value>) {
    let Some(resources) = inner(container, "resources") else {
        return;
    };
    let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned() else {
        return;
    };
    let requests = object::as_map(resources.entry("requests").or_insert(Value::Null));
    for (name, limit) in limits {
        requests.entry(name).or_insert(limit);
    }
}

/// In the network of its host it has the ports that it has there. A template leaves that to its pods.
fn ports_of_host(container: &mut Map<String, Value>) {
    for port in each(container, "ports") {
        if let Some(number) = port.get("containerPort").cloned() {
            default(port, "hostPort", number);
        }
    }
}

fn container(container: &mut Map<String, Value>) {
    let policy = match container.get("image").and_then(Value::as_str) {
        Some(image) if images::is_latest(image) => "Always",
        _ => "IfNotPresent",
    };
    default_text(container, "imagePullPolicy", policy);
    default_text(container, "terminationMessagePath", "/dev/termination-log");
    default_text(container, "terminationMessagePolicy", "File");
    for port in each(container, "ports") {
        default_text(port, "protocol", "TCP");
    }
    for variable in each(container, "env") {
        if let Some(source) = inner(variable, "valueFrom") {
            references(source);
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = inner(container, name) {
            for (field, value) in [
                ("timeoutSeconds", 1),
                ("periodSeconds", 10),
                ("successThreshold", 1),
                ("failureThreshold", 3),
            ] {
                default(probe, field, value);
            }
            http_get(probe);
            if let Some(grpc) = inner(probe, "grpc") {
                default(grpc, "service", "");
            }
        }
    }
    for hook in ["postStart", "preStop"] {
        if let Some(hook) =
            inner(container, "lifecycle").and_then(|lifecycle| inner(lifecycle, hook))
        {
            http_get(hook);
        }
    }
}

fn http_get(handler: &mut Map<String, Value>) {
    if let Some(get) = inner(handler, "httpGet") {
        default_text(get, "path", "/");
        default_text(get, "scheme", "HTTP");
    }
}

/// Names of fields are those of a version.
fn references(source: &mut Map<String, Value>) {
    if let Some(field) = inner(source, "fieldRef") {
        default_text(field, "apiVersion", "v1");
    }
    if let Some(file) = inner(source, "fileKeyRef") {
        default(file, "optional", false);
    }
    if let Some(resource) = inner(source, "resourceFieldRef") {
        default(resource, "divisor", "0");
    }
}

fn volume(volume: &mut Map<String, Value>) {
    if volume.keys().all(|field| field == "name") {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = inner(volume, source) {
            default(source, "defaultMode", 0o644);
        }
    }
    source(volume);
    if let Some(image) = inner(volume, "image") {
        let reference = image.get("reference").and_then(Value::as_str);
        let policy = match reference.is_some_and(images::is_latest) {
            true => "Always",
            false => "IfNotPresent",
        };
        default_text(image, "pullPolicy", policy);
    }
    if let Some(downward) = inner(volume, "downwardAPI") {
        each(downward, "items").for_each(references);
    }
    if let Some(projected) = inner(volume, "projected") {
        for source in each(projected, "sources") {
            if let Some(token) = inner(source, "serviceAccountToken") {
                default(token, "expirationSeconds", 3600);
            }
            if let Some(downward) = inner(source, "downwardAPI") {
                each(downward, "items").for_each(references);
            }
        }
    }
    if let Some(spec) = inner(volume, "ephemeral")
        .and_then(|ephemeral| inner(ephemeral, "volumeClaimTemplate"))
        .and_then(|template| inner(template, "spec"))
    {
        default(spec, "volumeMode", "Filesystem");
    }
}
