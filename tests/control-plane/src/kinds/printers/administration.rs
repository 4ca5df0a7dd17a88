//! What is admitted to a cluster, and what its nodes and drivers offer.

use serde_json::Value;

use super::super::Column;
use super::cluster::flag;
use super::{age, at, integer, join, list, or_none, text, text_column};

/// The columns behind the name; none for another kind.
pub(super) fn columns(kind: &str) -> Option<Vec<Column>> {
    let age = || text_column("Age", 0, age);
    Some(match kind {
        "ValidatingAdmissionPolicy" => vec![
            integer("Validations", |policy| {
                list(policy, "/spec/validations").count().into()
            }),
            text_column("ParamKind", 0, parameter_kind),
            age(),
        ],
        "MutatingAdmissionPolicy" => vec![
            integer("Mutations", |policy| {
                list(policy, "/spec/mutations").count().into()
            }),
            text_column("ParamKind", 0, parameter_kind),
            age(),
        ],
        "ValidatingAdmissionPolicyBinding" | "MutatingAdmissionPolicyBinding" => vec![
            text_column("PolicyName", 0, |binding| at(binding, "/spec/policyName")),
            text_column("ParamRef", 0, parameter),
            age(),
        ],
        "APIService" => vec![
            text_column("Service", 0, |service| {
                match service.pointer("/spec/service") {
                    Some(service) => {
                        format!("{}/{}", text(service, "/namespace"), text(service, "/name")).into()
                    }
                    None => "Local".into(),
                }
            }),
            text_column("Available", 0, available),
            age(),
        ],
        "FlowSchema" => vec![
            text_column("PriorityLevel", 0, |schema| {
                at(schema, "/spec/priorityLevelConfiguration/name")
            }),
            text_column("MatchingPrecedence", 0, |schema| {
                at(schema, "/spec/matchingPrecedence")
            }),
            text_column("DistinguisherMethod", 0, |schema| {
                or_none(at(schema, "/spec/distinguisherMethod/type"))
            }),
            age(),
            text_column("MissingPL", 0, dangling),
        ],
        "PriorityLevelConfiguration" => vec![
            text_column("Type", 0, |level| at(level, "/spec/type")),
            text_column("NominalConcurrencyShares", 0, |level| {
                or_none(at(level, "/spec/limited/nominalConcurrencyShares"))
            }),
            text_column("Queues", 0, |level| queuing(level, "queues")),
            text_column("HandSize", 0, |level| queuing(level, "handSize")),
            text_column("QueueLengthLimit", 0, |level| {
                queuing(level, "queueLengthLimit")
            }),
            age(),
        ],
        "RuntimeClass" => vec![
            text_column("Handler", 0, |class| at(class, "/handler")),
            age(),
        ],
        // The age is there, and no column says so.
        "IPAddress" => vec![
            text_column("ParentRef", 0, parent),
            Column::untold(super::age),
        ],
        "ServiceCIDR" => vec![
            text_column("CIDRs", 0, |range| join(range, "/spec/cidrs", "", "")),
            age(),
        ],
        "ResourceClaim" => vec![text_column("State", 0, state), age()],
        "ResourceSlice" => vec![
            text_column("Node", 0, |slice| at(slice, "/spec/nodeName")),
            text_column("Driver", 0, |slice| at(slice, "/spec/driver")),
            text_column("Pool", 0, |slice| at(slice, "/spec/pool/name")),
            age(),
        ],
        "CSIDriver" => vec![
            boolean("AttachRequired", |driver| {
                flag(driver, "/spec/attachRequired")
            }),
            boolean("PodInfoOnMount", |driver| {
                flag(driver, "/spec/podInfoOnMount")
            }),
            boolean("StorageCapacity", |driver| {
                flag(driver, "/spec/storageCapacity")
            }),
            text_column("TokenRequests", 0, |driver| {
                join(driver, "/spec/tokenRequests", "/audience", "<unset>")
            }),
            boolean("RequiresRepublish", |driver| {
                flag(driver, "/spec/requiresRepublish")
            }),
            text_column("Modes", 0, |driver| {
                join(driver, "/spec/volumeLifecycleModes", "", "<none>")
            }),
            age(),
        ],
        "CSINode" => vec![
            integer("Drivers", |node| list(node, "/spec/drivers").count().into()),
            age(),
        ],
        "VolumeAttachment" => vec![
            Column {
                format: "name".to_owned(),
                ..text_column("Attacher", 0, |attached| at(attached, "/spec/attacher"))
            },
            text_column("PV", 0, |attached| {
                at(attached, "/spec/source/persistentVolumeName")
            }),
            text_column("Node", 0, |attached| at(attached, "/spec/nodeName")),
            boolean("Attached", |attached| flag(attached, "/status/attached")),
            age(),
        ],
        "VolumeAttributesClass" => vec![
            text_column("DriverName", 0, |class| at(class, "/driverName")),
            age(),
        ],
        _ => return None,
    })
}

fn boolean(name: &str, cell: fn(&Value) -> Value) -> Column {
    Column {
        kind: "boolean".to_owned(),
        ..text_column(name, 0, cell)
    }
}

fn parameter_kind(policy: &Value) -> Value {
    match policy.pointer("/spec/paramKind") {
        Some(kind) => format!("{}/{}", text(kind, "/apiVersion"), text(kind, "/kind")).into(),
        None => "<unset>".into(),
    }
}

/// Which parameters a binding gives to its policy.
fn parameter(binding: &Value) -> Value {
    let Some(parameter) = binding.pointer("/spec/paramRef") else {
        return "<unset>".into();
    };
    let namespace = match text(parameter, "/namespace") {
        "" => "*",
        namespace => namespace,
    };
    let name = match text(parameter, "/name") {
        "" => "*",
        name => name,
    };
    format!("{namespace}/{name}").into()
}

fn available(service: &Value) -> Value {
    let condition =
        list(service, "/status/conditions").find(|condition| condition["type"] == "Available");
    match condition {
        Some(condition) if condition["status"] == "True" => "True".into(),
        Some(condition) => format!(
            "{} ({})",
            text(condition, "/status"),
            text(condition, "/reason")
        )
        .into(),
        None => "Unknown".into(),
    }
}

/// Whether the level that a flow schema names is missing.
fn dangling(schema: &Value) -> Value {
    let condition =
        list(schema, "/status/conditions").find(|condition| condition["type"] == "Dangling");
    condition.map_or_else(|| "?".into(), |condition| at(condition, "/status"))
}

fn queuing(level: &Value, field: &str) -> Value {
    or_none(at(
        level,
        &format!("/spec/limited/limitResponse/queuing/{field}"),
    ))
}

/// What an address is the address of.
fn parent(address: &Value) -> Value {
    let part = |field: &str| text(address, &format!("/spec/parentRef/{field}"));
    let parts = [
        part("group"),
        part("resource"),
        part("namespace"),
        part("name"),
    ];
    let told: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    told.join("/").into()
}

/// How far the devices of a claim are.
fn state(claim: &Value) -> Value {
    let mut states = Vec::new();
    if claim.pointer("/metadata/deletionTimestamp").is_some() {
        states.push("deleted");
    }
    let reserved = list(claim, "/status/reservedFor").next().is_some();
    match claim.pointer("/status/allocation") {
        Some(_) if reserved => states.extend(["allocated", "reserved"]),
        Some(_) => states.push("allocated"),
        None if states.is_empty() => states.push("pending"),
        None => {}
    }
    states.join(",").into()
}
