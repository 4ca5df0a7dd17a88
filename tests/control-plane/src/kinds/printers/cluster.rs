//! What pods run on, and what is around them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::Column;
use super::super::columns::human_duration;
use super::super::scale::in_one_line;
use super::endpoints::of_endpoints;
use super::{age, at, integer, list, or_none, scalers, shortened, text, text_column};

/// The columns behind the name; none for another kind.
pub(super) fn columns(kind: &str) -> Option<Vec<Column>> {
    let age = || text_column("Age", 0, age);
    Some(match kind {
        "Node" => vec![
            text_column("Status", 0, node_status),
            text_column("Roles", 0, roles),
            age(),
            text_column("Version", 0, |node| {
                at(node, "/status/nodeInfo/kubeletVersion")
            }),
            text_column("Internal-IP", 1, |node| address(node, "InternalIP")),
            text_column("External-IP", 1, |node| address(node, "ExternalIP")),
            text_column("OS-Image", 1, |node| {
                or_unknown(at(node, "/status/nodeInfo/osImage"))
            }),
            text_column("Kernel-Version", 1, |node| {
                let kernel = or_unknown(at(node, "/status/nodeInfo/kernelVersion"));
                let kernel = kernel.as_str().unwrap_or_default();
                match text(node, "/status/nodeInfo/architecture") {
                    "" => kernel.into(),
                    architecture => format!("{kernel} ({architecture})").into(),
                }
            }),
            text_column("Container-Runtime", 1, |node| {
                or_unknown(at(node, "/status/nodeInfo/containerRuntimeVersion"))
            }),
        ],
        "PersistentVolumeClaim" => vec![
            text_column("Status", 0, phase),
            text_column("Volume", 0, |claim| at(claim, "/spec/volumeName")),
            text_column("Capacity", 0, |claim| {
                let capacity = claim.pointer("/status/capacity/storage");
                bound(claim, capacity.cloned().unwrap_or_else(|| "0".into()))
            }),
            text_column("Access Modes", 0, |claim| {
                bound(claim, modes(claim, "/status/accessModes"))
            }),
            text_column("StorageClass", 0, storage_class),
            text_column("VolumeAttributesClass", 0, attributes_class),
            age(),
            text_column("VolumeMode", 1, mode),
        ],
        "PersistentVolume" => vec![
            text_column("Capacity", 0, |volume| at(volume, "/spec/capacity/storage")),
            text_column("Access Modes", 0, |volume| {
                modes(volume, "/spec/accessModes")
            }),
            text_column("Reclaim Policy", 0, |volume| {
                at(volume, "/spec/persistentVolumeReclaimPolicy")
            }),
            text_column("Status", 0, phase),
            text_column("Claim", 0, |volume| {
                match volume.pointer("/spec/claimRef") {
                    Some(claim) => {
                        format!("{}/{}", text(claim, "/namespace"), text(claim, "/name")).into()
                    }
                    None => "".into(),
                }
            }),
            text_column("StorageClass", 0, storage_class),
            text_column("VolumeAttributesClass", 0, attributes_class),
            text_column("Reason", 0, |volume| at(volume, "/status/reason")),
            age(),
            text_column("VolumeMode", 1, mode),
        ],
        "StorageClass" => vec![
            text_column("Provisioner", 0, |class| at(class, "/provisioner")),
            text_column("ReclaimPolicy", 0, |class| at(class, "/reclaimPolicy")),
            text_column("VolumeBindingMode", 0, |class| {
                at(class, "/volumeBindingMode")
            }),
            text_column("AllowVolumeExpansion", 0, |class| {
                flag(class, "/allowVolumeExpansion")
            }),
            age(),
        ],
        "CertificateSigningRequest" => vec![
            age(),
            text_column("SignerName", 0, |request| at(request, "/spec/signerName")),
            text_column("Requestor", 0, |request| at(request, "/spec/username")),
            text_column("RequestedDuration", 0, requested_duration),
            text_column("Condition", 0, decision),
        ],
        "PriorityClass" => vec![
            integer("Value", |class| {
                class.get("value").cloned().unwrap_or_else(|| 0.into())
            }),
            Column {
                kind: "boolean".to_owned(),
                ..text_column("Global-Default", 0, |class| flag(class, "/globalDefault"))
            },
            age(),
            text_column("PreemptionPolicy", 0, |class| {
                at(class, "/preemptionPolicy")
            }),
        ],
        "ResourceQuota" => vec![
            text_column("Request", 0, |quota| used(quota, false)),
            text_column("Limit", 0, |quota| used(quota, true)),
            age(),
        ],
        "ComponentStatus" => vec![
            text_column("Status", 0, |component| {
                match text(component, "/conditions/0/status") {
                    "" => "Unknown",
                    "True" => "Healthy",
                    _ => "Unhealthy",
                }
                .into()
            }),
            text_column("Message", 0, |component| {
                text(component, "/conditions/0/message").into()
            }),
            text_column("Error", 0, |component| {
                text(component, "/conditions/0/error").into()
            }),
        ],
        "Ingress" => vec![
            text_column("Class", 0, |ingress| {
                or_none(at(ingress, "/spec/ingressClassName"))
            }),
            text_column("Hosts", 0, hosts),
            text_column("Address", 0, balancer),
            text_column("Ports", 0, |ingress| {
                if list(ingress, "/spec/tls").next().is_some() {
                    "80, 443"
                } else {
                    "80"
                }
                .into()
            }),
            age(),
        ],
        "IngressClass" => vec![
            text_column("Controller", 0, |class| at(class, "/spec/controller")),
            text_column("Parameters", 0, |class| {
                match class.pointer("/spec/parameters") {
                    Some(parameters) => {
                        let kind = text(parameters, "/kind");
                        let kind = match text(parameters, "/apiGroup") {
                            "" => kind.to_owned(),
                            group => format!("{kind}.{group}"),
                        };
                        format!("{kind}/{}", text(parameters, "/name")).into()
                    }
                    None => "<none>".into(),
                }
            }),
            age(),
        ],
        "NetworkPolicy" => vec![
            text_column("Pod-Selector", 0, |policy| {
                or_none(in_one_line(policy.pointer("/spec/podSelector")).into())
            }),
            age(),
        ],
        "PodDisruptionBudget" => vec![
            text_column("Min Available", 0, |budget| {
                said_or_not(budget, "/spec/minAvailable")
            }),
            text_column("Max Unavailable", 0, |budget| {
                said_or_not(budget, "/spec/maxUnavailable")
            }),
            integer("Allowed Disruptions", |budget| {
                budget
                    .pointer("/status/disruptionsAllowed")
                    .cloned()
                    .unwrap_or_else(|| 0.into())
            }),
            age(),
        ],
        "HorizontalPodAutoscaler" => vec![
            text_column("Reference", 0, |scaler| {
                format!(
                    "{}/{}",
                    text(scaler, "/spec/scaleTargetRef/kind"),
                    text(scaler, "/spec/scaleTargetRef/name")
                )
                .into()
            }),
            text_column("Targets", 0, scalers::targets),
            text_column("MinPods", 0, |scaler| {
                match scaler.pointer("/spec/minReplicas") {
                    Some(number) => number.to_string().into(),
                    None => "<unset>".into(),
                }
            }),
            text_column("MaxPods", 0, |scaler| at(scaler, "/spec/maxReplicas")),
            text_column("Replicas", 0, |scaler| {
                scaler
                    .pointer("/status/currentReplicas")
                    .cloned()
                    .unwrap_or_else(|| 0.into())
            }),
            age(),
        ],
        "Endpoints" => vec![text_column("Endpoints", 0, of_endpoints), age()],
        _ => return None,
    })
}

fn or_unknown(value: Value) -> Value {
    if value == "" {
        "<unknown>".into()
    } else {
        value
    }
}

pub(super) fn flag(object: &Value, pointer: &str) -> Value {
    (object.pointer(pointer) == Some(&Value::Bool(true))).into()
}

fn node_status(node: &Value) -> Value {
    let ready = list(node, "/status/conditions").find(|condition| condition["type"] == "Ready");
    let mut said = match ready {
        Some(condition) if condition["status"] == "True" => "Ready".to_owned(),
        Some(_) => "NotReady".to_owned(),
        None => "Unknown".to_owned(),
    };
    if node.pointer("/spec/unschedulable") == Some(&Value::Bool(true)) {
        said.push_str(",SchedulingDisabled");
    }
    said.into()
}

fn roles(node: &Value) -> Value {
    let labels = node.pointer("/metadata/labels").and_then(Value::as_object);
    let roles = labels
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| match key.as_str() {
            "kubernetes.io/role" => value.as_str(),
            _ => key.strip_prefix("node-role.kubernetes.io/"),
        });
    let roles: BTreeSet<&str> = roles.filter(|role| !role.is_empty()).collect();
    let roles: Vec<&str> = roles.into_iter().collect();
    or_none(roles.join(",").into())
}

fn address(node: &Value, kind: &str) -> Value {
    let found = list(node, "/status/addresses").find(|address| address["type"] == kind);
    found.map_or_else(|| "<none>".into(), |address| at(address, "/address"))
}

fn phase(object: &Value) -> Value {
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return "Terminating".into();
    }
    at(object, "/status/phase")
}

/// What a claim got, once it has a volume.
fn bound(claim: &Value, value: Value) -> Value {
    if text(claim, "/spec/volumeName").is_empty() {
        "".into()
    } else {
        value
    }
}

fn modes(object: &Value, pointer: &str) -> Value {
    const KNOWN: [(&str, &str); 4] = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let said = |mode: &str| list(object, pointer).any(|said| said == mode);
    let shown = KNOWN.iter().filter(|(mode, _)| said(mode));
    let shown: Vec<&str> = shown.map(|(_, shown)| *shown).collect();
    shown.join(",").into()
}

/// The annotation, which is older, counts for more.
fn storage_class(object: &Value) -> Value {
    let annotation = &object["metadata"]["annotations"]["volume.beta.kubernetes.io/storage-class"];
    match annotation {
        Value::String(class) => class.as_str().into(),
        _ => at(object, "/spec/storageClassName"),
    }
}

fn attributes_class(object: &Value) -> Value {
    let class = at(object, "/spec/volumeAttributesClassName");
    if class == "" { "<unset>".into() } else { class }
}

fn mode(object: &Value) -> Value {
    let mode = at(object, "/spec/volumeMode");
    if mode == "" { "<unset>".into() } else { mode }
}

fn used(quota: &Value, limits: bool) -> Value {
    let hard = quota.pointer("/status/hard").and_then(Value::as_object);
    let shown: Vec<String> = hard
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.starts_with("limits.") == limits)
        .map(|(name, hard)| {
            let used = quota
                .pointer("/status/used")
                .and_then(|used| used.get(name)?.as_str())
                .unwrap_or("0");
            format!("{name}: {used}/{}", hard.as_str().unwrap_or_default())
        })
        .collect();
    shown.join(", ").into()
}

fn hosts(ingress: &Value) -> Value {
    let hosts: Vec<String> = list(ingress, "/spec/rules")
        .map(|rule| text(rule, "/host").to_owned())
        .filter(|host| !host.is_empty())
        .collect();
    match hosts.is_empty() {
        true => "*".into(),
        false => shortened(&hosts, 3, ",").into(),
    }
}

pub(super) fn balancer(ingress: &Value) -> Value {
    let shown: Vec<&str> = list(ingress, "/status/loadBalancer/ingress")
        .filter_map(|one| one.get("ip").or_else(|| one.get("hostname"))?.as_str())
        .collect();
    shown.join(",").into()
}

fn said_or_not(object: &Value, pointer: &str) -> Value {
    match object.pointer(pointer) {
        Some(Value::String(text)) => text.as_str().into(),
        Some(other) => other.to_string().into(),
        None => "N/A".into(),
    }
}

fn requested_duration(request: &Value) -> Value {
    let seconds = request.pointer("/spec/expirationSeconds");
    match seconds.and_then(Value::as_i64) {
        Some(seconds) => human_duration(seconds).into(),
        None => "<none>".into(),
    }
}

/// What was decided on a request for a certificate, and what came of it.
fn decision(request: &Value) -> Value {
    let is = |kind: &str| {
        let mut conditions = list(request, "/status/conditions");
        conditions.any(|condition| condition["type"] == kind)
    };
    let mut told = match (is("Denied"), is("Approved")) {
        (true, _) => "Denied",
        (false, true) => "Approved",
        (false, false) => "Pending",
    }
    .to_owned();
    if is("Failed") {
        told.push_str(",Failed");
    }
    if !text(request, "/status/certificate").is_empty() {
        told.push_str(",Issued");
    }
    told.into()
}
