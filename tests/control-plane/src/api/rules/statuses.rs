//! What may be said in a status.

use std::collections::HashSet;
use std::net::IpAddr;

use serde_json::{Map, Value};

use super::addresses::{parse, unclear};
use super::checks::{at, list, not_negative, number, one_of, text};
use super::fixed::{duplicate_struct, invalid_struct};
use super::{device_users, fixed, job_status, names, resources};
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
        "Pod" => check_pod(old, new),
        "PodDisruptionBudget" => {
            let mut wrong = check_conditions(is);
            wrong.extend(counts(&OF_BUDGETS));
            wrong
        }
        "HorizontalPodAutoscaler" => counts(&["currentReplicas", "desiredReplicas"]),
        "Ingress" | "Service" => check_balancer(kind, new),
        "ResourceQuota" => check_quota(is),
        "PersistentVolumeClaim" => check_capacity(is),
        "Node" => check_node(is),
        "ResourceClaim" => device_users::check(&new["spec"], was, is),
        "FlowSchema" | "PriorityLevelConfiguration" => check_types(is),
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

fn check_pod(old: &Value, new: &Value) -> Vec<Cause> {
    let (was, is) = (&old["status"], &new["status"]);
    let negative = "must be a non-negative integer";
    let mut wrong = Vec::new();
    for (index, condition) in list(is, "conditions").iter().enumerate() {
        let path = format!("status.conditions[{index}]");
        if let Some(seen) = number(condition, "observedGeneration").filter(|seen| *seen < 0) {
            let path = format!("{path}.observedGeneration");
            wrong.push(Cause::invalid(&path, &seen.into(), negative));
        }
        let (kind, path) = (text(condition, "type"), format!("{path}.Type"));
        let reasons = names::qualified(kind);
        let reasons = reasons.iter();
        wrong.extend(reasons.map(|why| Cause::invalid(&path, &kind.into(), why)));
    }
    const NOMINATED: &str = "nominatedNodeName";
    let (before, nominated) = (text(was, NOMINATED), text(is, NOMINATED));
    if before != nominated && !nominated.is_empty() {
        let path = format!("status.{NOMINATED}");
        let why = names::subdomain(nominated);
        wrong.extend(why.map(|why| Cause::invalid(&path, &nominated.into(), why)));
        if !text(&old["spec"], "nodeName").is_empty() {
            let why = "may not be set on pods that are already bound to a node";
            wrong.push(Cause::forbidden(&path, why));
        }
    }
    if let Some(seen) = number(is, "observedGeneration").filter(|seen| *seen < 0) {
        wrong.push(Cause::invalid(
            "status.observedGeneration",
            &seen.into(),
            negative,
        ));
    }
    if was["qosClass"] != is["qosClass"] {
        wrong.push(Cause::invalid(
            "status.qosClass",
            &is["qosClass"],
            fixed::IMMUTABLE,
        ));
    }
    wrong.extend(check_states(old, new));
    for (all, one) in [("podIPs", "podIP"), ("hostIPs", "hostIP")] {
        wrong.extend(check_addresses(is, all, one));
    }
    wrong
}

/// What has ended and is not started again stays as it is.
fn check_states(old: &Value, new: &Value) -> Vec<Cause> {
    let spec = &old["spec"];
    let may_restart = |name: &Value, code: i64| {
        let own = |container: &&Value| container["name"] == *name;
        let container = list(spec, "containers").iter().find(own);
        let own = container.map_or("", |container| text(container, "restartPolicy"));
        let policy = if own.is_empty() {
            text(spec, "restartPolicy")
        } else {
            own
        };
        let has_rules =
            container.is_some_and(|container| !container["restartPolicyRules"].is_null());
        has_rules || policy == "Always" || (policy == "OnFailure" && code != 0)
    };
    let field = "containerStatuses";
    let new = list(&new["status"], field);
    let mut wrong = Vec::new();
    for (index, was) in list(&old["status"], field).iter().enumerate() {
        let ended = &was["state"]["terminated"];
        let is = new.iter().find(|is| is["name"] == was["name"]);
        let runs = is.is_some_and(|is| is["state"]["terminated"].is_null());
        let code = number(ended, "exitCode").unwrap_or(0);
        if !ended.is_null() && runs && !may_restart(&was["name"], code) {
            let path = format!("status.{field}[{index}].state");
            let why = "may not be transitioned to non-terminated state";
            wrong.push(Cause::forbidden(&path, why));
        }
    }
    wrong
}

fn check_addresses(status: &Value, all: &str, one: &str) -> Vec<Cause> {
    let path = format!("status.{all}");
    let places = list(status, all);
    let mut wrong = Vec::new();
    if let Some(first) = places
        .first()
        .filter(|first| one == "hostIP" && first["ip"] != status[one])
    {
        let path = format!("{path}[0].ip");
        wrong.push(Cause::invalid(
            &path,
            &first["ip"],
            "must be equal to `hostIP`",
        ));
    }
    let parsed: Vec<Option<IpAddr>> = places.iter().map(|place| parse(&place["ip"])).collect();
    for (index, place) in places.iter().enumerate() {
        if let Some(why) = unclear(&place["ip"]) {
            let path = format!("{path}[{index}]");
            wrong.push(Cause::invalid(&path, &place["ip"], why));
        }
    }
    if let [Some(first), Some(second), more @ ..] = &parsed[..]
        && (!more.is_empty() || first.is_ipv4() == second.is_ipv4())
    {
        let why = "may specify no more than one IP for each IP family";
        let of = match all {
            "podIPs" => "[core.PodIP]",
            _ => "[core.HostIP]",
        };
        wrong.push(invalid_struct(&path, of, &status[all], why));
    }
    wrong
}

fn check_conditions(status: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for (index, condition) in list(status, "conditions").iter().enumerate() {
        let at = |field: &str| format!("status.conditions[{index}].{field}");
        let kind = text(condition, "type");
        match kind {
            "" => wrong.push(Cause::required(&at("type"), "")),
            kind => {
                let reasons = names::qualified(kind);
                let reasons = reasons.iter();
                wrong.extend(reasons.map(|why| Cause::invalid(&at("type"), &kind.into(), why)));
            }
        }
        let known = ["False", "True", "Unknown"];
        wrong.extend(one_of(text(condition, "status"), &at("status"), &known));
        for field in ["lastTransitionTime", "reason"] {
            if text(condition, field).is_empty() {
                wrong.push(Cause::required(&at(field), ""));
            }
        }
    }
    wrong
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

fn check_capacity(status: &Value) -> Vec<Cause> {
    let negative = amounts(status, "capacity")
        .filter(|(_, quantity)| quantity.as_str().and_then(in_billionths) < Some(0));
    let why = "must be a valid resource quantity";
    negative
        .map(|(name, quantity)| {
            // The number alone, as it was not meant to be a text.
            let shown = quantity.as_str().unwrap_or_default();
            let message = format!("Invalid value: {shown}: {why}");
            Cause::new(
                "FieldValueInvalid",
                format!("status.capacity[{name}]"),
                message,
            )
        })
        .collect()
}

fn check_node(status: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for field in ["capacity", "allocatable"] {
        for (name, quantity) in amounts(status, field) {
            let path = format!("status.{field}.{name}");
            wrong.extend(resources::check_quantity(name, quantity, &path));
        }
    }
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
