//! What may be said in a status.

use std::collections::HashSet;
use std::net::IpAddr;

use serde_json::{Map, Value};

use super::addresses::unclear;
use super::checks::{at, list, not_negative, number, one_of, text};
use super::fixed::duplicate_struct;
use super::{admission_policies, device_users, job_status, names, nodes, pod_status, resources};
use crate::failure::Cause;
use crate::object;
use crate::schema::in_billionths;

const OF_DEPLOYMENTS: [&str; 8] = [
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "terminatingReplicas",
    "collisionCount",
];
const OF_REPLICA_SETS: [&str; 6] = [
    "replicas",
    "fullyLabeledReplicas",
    "readyReplicas",
    "availableReplicas",
    "observedGeneration",
    "terminatingReplicas",
];
const OF_STATEFUL_SETS: [&str; 7] = [
    "replicas",
    "readyReplicas",
    "currentReplicas",
    "updatedReplicas",
    "availableReplicas",
    "observedGeneration",
    "collisionCount",
];
const OF_DAEMON_SETS: [&str; 9] = [
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "observedGeneration",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
    "collisionCount",
];
const OF_BUDGETS: [&str; 4] = [
    "disruptionsAllowed",
    "currentHealthy",
    "desiredHealthy",
    "expectedPods",
];

/// Says again what a pod was told when it was made, and who writes its status has left out.
pub(super) fn keep(kind: &str, old: &Value, new: &mut Value) {
    const QUALITY: &str = "qosClass";
    let said = text(&new["status"], QUALITY);
    if kind == "Pod" && said.is_empty() {
        let status = object::field_mut(new, "status");
        status.insert(QUALITY.to_owned(), old["status"][QUALITY].clone());
    }
    if kind == "PersistentVolume" {
        keep_time_of_phase(old, new);
    }
    if kind == "ResourceClaim" {
        device_users::forget(old, new);
    }
    if kind == "Pod" {
        pod_status::forget(new);
        pod_status::keep_generations(old, new);
    }
}

/// A volume says since when it is in its phase, unless whoever changes that says it.
fn keep_time_of_phase(old: &Value, new: &mut Value) {
    const SINCE: &str = "lastPhaseTransitionTime";
    let (was, is) = (&old["status"], &new["status"]);
    let since = match was["phase"] == is["phase"] {
        true if is[SINCE].is_null() => was[SINCE].clone(),
        false if is[SINCE].is_null() || is[SINCE] == was[SINCE] => object::now().into(),
        _ => return,
    };
    if !since.is_null() {
        object::field_mut(new, "status").insert(SINCE.to_owned(), since);
    }
}

/// What is wrong with the new status of an object of a built-in kind.
pub(super) fn check(kind: &str, old: &Value, new: &Value) -> Vec<Cause> {
    let (was, is) = (&old["status"], &new["status"]);
    let counts = |fields: &[&str]| not_negative(is, "status", fields);
    let mut wrong = match kind {
        "Deployment" => counts(&OF_DEPLOYMENTS),
        "ReplicaSet" => counts(&OF_REPLICA_SETS),
        "ReplicationController" => counts(&OF_REPLICA_SETS[..5]),
        "StatefulSet" => counts(&OF_STATEFUL_SETS),
        "DaemonSet" => counts(&OF_DAEMON_SETS),
        "Job" => job_status::check(old, new),
        "Pod" => pod_status::check(old, new),
        "PodDisruptionBudget" => {
            let mut wrong = check_conditions(is, "status");
            wrong.extend(counts(&OF_BUDGETS));
            wrong
        }
        "HorizontalPodAutoscaler" => counts(&["currentReplicas", "desiredReplicas"]),
        "Ingress" | "Service" => check_balancer(kind, new),
        "ResourceQuota" => check_quota(is),
        "PersistentVolumeClaim" => check_claim(is),
        "Node" => check_node(is),
        "ResourceClaim" => device_users::check(&new["spec"], was, is),
        "FlowSchema" | "PriorityLevelConfiguration" => check_types(is),
        "VolumeAttachment" => check_attachment(is),
        "ValidatingAdmissionPolicy" => {
            let mut wrong = admission_policies::check_status(is);
            wrong.extend(check_conditions(is, "status"));
            wrong
        }
        "APIService" => check_availability(is),
        _ => Vec::new(),
    };
    let more = match kind {
        "Deployment" => "updatedReplicas",
        "ReplicaSet" | "ReplicationController" => "fullyLabeledReplicas",
        "StatefulSet" => "readyReplicas",
        _ => "",
    };
    if !more.is_empty() {
        wrong.extend(check_replicas(kind, more, is));
    }
    if ["Deployment", "StatefulSet", "DaemonSet"].contains(&kind) {
        let count = |status: &Value| number(status, "collisionCount");
        let now = count(is).unwrap_or(0);
        if count(was).is_some_and(|before| count(is).is_none_or(|now| now < before)) {
            let path = "status.collisionCount";
            wrong.push(Cause::invalid(path, &now.into(), "cannot be decremented"));
        }
    }
    wrong
}

fn check_availability(status: &Value) -> Vec<Cause> {
    let conditions = list(status, "conditions").iter().enumerate();
    let wrong = conditions.filter_map(|(index, condition)| {
        let path = format!("status.conditions[{index}].status");
        one_of(
            text(condition, "status"),
            &path,
            &["True", "False", "Unknown"],
        )
    });
    wrong.collect()
}

fn check_attachment(status: &Value) -> Vec<Cause> {
    let errors = ["attachError", "detachError"].into_iter();
    let negative = errors.filter_map(|field| {
        let code = number(&status[field], "errorCode").filter(|code| *code < 0)?;
        let path = format!("status.{field}.errorCode");
        let must = "must be between 0 and 2147483647, inclusive";
        Some(Cause::invalid(&path, &code.into(), must))
    });
    negative.collect()
}

/// Of all there are no more than there are.
fn check_replicas(kind: &str, first: &str, status: &Value) -> Vec<Cause> {
    let of = |field: &str| number(status, field).unwrap_or(0);
    let fields: &[&str] = match kind {
        "StatefulSet" => &[
            "readyReplicas",
            "currentReplicas",
            "updatedReplicas",
            "availableReplicas",
        ],
        _ => &[first, "readyReplicas", "availableReplicas"],
    };
    let above =
        |field: &str, why: &str| Cause::invalid(&format!("status.{field}"), &of(field).into(), why);
    let too_many = fields.iter().filter(|field| of(field) > of("replicas"));
    let mut wrong: Vec<Cause> = too_many
        .map(|field| above(field, "cannot be greater than status.replicas"))
        .collect();
    if of("availableReplicas") > of("readyReplicas") {
        let why = match kind {
            "StatefulSet" => "cannot be greater than status.readyReplicas",
            _ => "cannot be greater than readyReplicas",
        };
        wrong.push(above("availableReplicas", why));
    }
    wrong
}

/// What is wrong with the conditions of a status, or of a part of one, at a path.
pub(super) fn check_conditions(status: &Value, path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut seen = HashSet::new();
    for (index, condition) in list(status, "conditions").iter().enumerate() {
        let at = |field: &str| format!("{path}.conditions[{index}].{field}");
        let kind = text(condition, "type");
        if !seen.insert(kind) {
            wrong.push(Cause::duplicate(&at("type"), &kind.into()));
        }
        let reasons = names::qualified(kind);
        let reasons = reasons.iter();
        wrong.extend(reasons.map(|why| Cause::invalid(&at("type"), &kind.into(), why)));
        let known = ["False", "True", "Unknown"];
        wrong.extend(one_of(text(condition, "status"), &at("status"), &known));
        if let Some(seen) = number(condition, "observedGeneration").filter(|seen| *seen < 0) {
            let why = "must be greater than or equal to zero";
            wrong.push(Cause::invalid(&at("observedGeneration"), &seen.into(), why));
        }
        if text(condition, "lastTransitionTime").is_empty() {
            wrong.push(Cause::required(&at("lastTransitionTime"), ""));
        }
        match text(condition, "reason") {
            "" => wrong.push(Cause::required(&at("reason"), "")),
            reason => {
                if !is_reason(reason) {
                    wrong.push(Cause::invalid(&at("reason"), &reason.into(), REASON));
                }
                if reason.len() > LONGEST_REASON {
                    wrong.push(Cause::too_long(&at("reason"), LONGEST_REASON));
                }
            }
        }
        if text(condition, "message").len() > LONGEST_MESSAGE {
            wrong.push(Cause::too_long(&at("message"), LONGEST_MESSAGE));
        }
    }
    wrong
}

const LONGEST_REASON: usize = 1024;
const LONGEST_MESSAGE: usize = 32 * 1024;
const REASON: &str = "a condition reason must start with alphabetic character, optionally followed by a string of \
    alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or \
    'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is \
    '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')";

fn is_reason(text: &str) -> bool {
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || b"_,:".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(is_inside)
        && !text.ends_with([',', ':'])
}

fn check_balancer(kind: &str, object: &Value) -> Vec<Cause> {
    const PATH: &str = "status.loadBalancer.ingress";
    let places = list(at(object, "/status/loadBalancer"), "ingress");
    let is_service = kind == "Service";
    if is_service && object["spec"]["type"] != "LoadBalancer" && !places.is_empty() {
        let why = "may only be used when `spec.type` is 'LoadBalancer'";
        return vec![Cause::forbidden(PATH, why)];
    }
    let mut wrong = Vec::new();
    for (index, place) in places.iter().enumerate() {
        let at = |field: &str| format!("{PATH}[{index}].{field}");
        let (address, name, mode) = (
            text(place, "ip"),
            text(place, "hostname"),
            text(place, "ipMode"),
        );
        if let Some(why) = unclear(&place["ip"]).filter(|_| !address.is_empty()) {
            wrong.push(Cause::invalid(&at("ip"), &address.into(), why));
        }
        let has_mode = !place["ipMode"].is_null();
        if is_service && !has_mode && !address.is_empty() {
            let why = "must be specified when `ip` is set";
            wrong.push(Cause::required(&at("ipMode"), why));
        } else if is_service && has_mode {
            if address.is_empty() {
                let why = "may not be specified when `ip` is not set";
                wrong.push(Cause::forbidden(&at("ipMode"), why));
            } else {
                wrong.extend(one_of(mode, &at("ipMode"), &["Proxy", "VIP"]));
            }
        }
        if !name.is_empty() {
            let why = names::subdomain(name);
            wrong.extend(why.map(|why| Cause::invalid(&at("hostname"), &name.into(), why)));
            if name.parse::<IpAddr>().is_ok() {
                let why = "must be a DNS name, not an IP address";
                wrong.push(Cause::invalid(&at("hostname"), &name.into(), why));
            }
        }
    }
    wrong
}

fn amounts<'a>(status: &'a Value, field: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let amounts: Option<&Map<String, Value>> = status[field].as_object();
    amounts.into_iter().flatten()
}

fn check_quota(status: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for field in ["hard", "used"] {
        for (name, quantity) in amounts(status, field) {
            let path = format!("status.{field}[{name}]");
            wrong.extend(resources::check_name_for_quota(name, &path));
            wrong.extend(resources::check_quantity(name, quantity, &path));
        }
    }
    wrong
}

/// What has been claimed of a volume, and what becomes of a claim for more.
fn check_claim(status: &Value) -> Vec<Cause> {
    const STATES: [&str; 5] = [
        "ControllerResizeInProgress",
        "ControllerResizeInfeasible",
        "NodeResizeInProgress",
        "NodeResizeInfeasible",
        "NodeResizePending",
    ];
    let mut wrong = Vec::new();
    for (name, quantity) in amounts(status, "capacity") {
        wrong.extend(check_amount(quantity, &format!("status.capacity[{name}]")));
    }
    let path = "status.allocatedResourceStatuses";
    for (name, state) in amounts(status, "allocatedResourceStatuses") {
        wrong.extend(check_claimed(name, path));
        if !state.as_str().is_some_and(|state| STATES.contains(&state)) {
            // It tells the resource, and means its state.
            let known = STATES.map(|state| format!("{state:?}")).join(", ");
            wrong.push(Cause::unsupported(path, &name.as_str().into(), &known));
        }
    }
    for (name, quantity) in amounts(status, "allocatedResources") {
        let unfit = check_claimed(name, "status.allocatedResources");
        if unfit.is_empty() {
            let path = format!("status.allocatedResources[{name}]");
            wrong.extend(check_amount(quantity, &path));
        }
        wrong.extend(unfit);
    }
    wrong
}

/// What is claimed is storage, or something that is not Kubernetes' own.
fn check_claimed(name: &str, path: &str) -> Vec<Cause> {
    let reasons = names::qualified(name);
    if reasons.is_empty() {
        let is_native = !name.contains('/') || name.contains("kubernetes.io/");
        let other = is_native && name != "storage";
        let other = other.then(|| Cause::unsupported(path, &name.into(), "\"storage\""));
        return other.into_iter().collect();
    }
    let reasons = reasons.iter();
    reasons
        .map(|why| Cause::invalid(path, &name.into(), why))
        .collect()
}

fn check_amount(quantity: &Value, path: &str) -> Option<Cause> {
    let shown = quantity.as_str().unwrap_or_default();
    let is_negative = in_billionths(shown).is_some_and(|amount| amount < 0);
    is_negative.then(|| {
        // The number alone, as it was not meant to be a text.
        let message = format!("Invalid value: {shown}: must be a valid resource quantity");
        Cause::new("FieldValueInvalid", path, message)
    })
}

fn check_node(status: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for field in ["capacity", "allocatable"] {
        for (name, quantity) in amounts(status, field) {
            let path = format!("status.{field}.{name}");
            wrong.extend(resources::check_quantity(name, quantity, &path));
        }
    }
    wrong.extend(nodes::check_features(status));
    let places = list(status, "addresses");
    let mut seen = HashSet::new();
    for (index, place) in places.iter().enumerate() {
        if !seen.insert(place) {
            let path = format!("status.addresses[{index}]");
            wrong.push(duplicate_struct(&path, "core.NodeAddress", place));
        }
    }
    wrong
}

/// Each condition is of a type, and no other is of the same.
fn check_types(status: &Value) -> Vec<Cause> {
    let mut known = HashSet::new();
    let mut wrong = Vec::new();
    for (index, condition) in list(status, "conditions").iter().enumerate() {
        let path = format!("status.conditions[{index}].type");
        let kind = text(condition, "type");
        if !known.insert(kind) {
            wrong.push(Cause::duplicate(&path, &kind.into()));
        }
        if kind.is_empty() {
            wrong.push(Cause::required(&path, ""));
        }
    }
    wrong
}
