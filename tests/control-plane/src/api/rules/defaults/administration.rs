//! Defaults of what belongs to a whole cluster.

use serde_json::{Map, Value, json};

use super::{default, default_all, default_text, each, inner};
use crate::object;

/// What a policy is asked about, and what happens where it fails.
pub(super) fn policy(object: &mut Value) {
    let spec = object::field_mut(object, "spec");
    default(spec, "failurePolicy", "Fail");
    if let Some(matches) = inner(spec, "matchConstraints") {
        match_resources(matches);
    }
}

pub(super) fn policy_binding(object: &mut Value) {
    if let Some(matches) = inner(object::field_mut(object, "spec"), "matchResources") {
        match_resources(matches);
    }
}

fn match_resources(matches: &mut Map<String, Value>) {
    default(matches, "matchPolicy", "Equivalent");
    default(matches, "namespaceSelector", json!({}));
    default(matches, "objectSelector", json!({}));
    for rules in ["resourceRules", "excludeResourceRules"] {
        for rule in each(matches, rules) {
            default(rule, "scope", "*");
        }
    }
}

pub(super) fn api_service(object: &mut Value) {
    if let Some(service) = inner(object::field_mut(object, "spec"), "service") {
        default(service, "port", 443);
    }
}

pub(super) fn flow_schema(object: &mut Value) {
    let spec = object::field_mut(object, "spec");
    if spec.get("matchingPrecedence").and_then(Value::as_i64) == Some(0) {
        spec.insert("matchingPrecedence".to_owned(), 1000.into());
    }
    default(spec, "matchingPrecedence", 1000);
}

pub(super) fn priority_level(object: &mut Value) {
    let spec = object::field_mut(object, "spec");
    if let Some(exempt) = inner(spec, "exempt") {
        default(exempt, "nominalConcurrencyShares", 0);
        default(exempt, "lendablePercent", 0);
    }
    let Some(limited) = inner(spec, "limited") else {
        return;
    };
    default(limited, "nominalConcurrencyShares", 30);
    default(limited, "lendablePercent", 0);
    let response = inner(limited, "limitResponse");
    if let Some(queuing) = response.and_then(|response| inner(response, "queuing")) {
        for (field, number) in [("handSize", 8), ("queues", 64), ("queueLengthLimit", 50)] {
            if queuing.get(field).and_then(Value::as_i64).unwrap_or(0) == 0 {
                queuing.insert(field.to_owned(), number.into());
            }
        }
    }
}

/// How many devices of each kind a claim asks for.
pub(super) fn claim(spec: &mut Map<String, Value>) {
    let count = |request: &mut Map<String, Value>| {
        default_text(request, "allocationMode", "ExactCount");
        let exact = request.get("allocationMode") == Some(&"ExactCount".into());
        if exact && request.get("count").and_then(Value::as_i64).unwrap_or(0) == 0 {
            request.insert("count".to_owned(), 1.into());
        }
    };
    let Some(devices) = inner(spec, "devices") else {
        return;
    };
    for request in each(devices, "requests") {
        if let Some(exactly) = inner(request, "exactly") {
            count(exactly);
        }
        each(request, "firstAvailable").for_each(count);
    }
}

/// Since when devices are tainted.
pub(super) fn slice(object: &mut Value) {
    let spec = object::field_mut(object, "spec");
    for device in each(spec, "devices") {
        for taint in each(device, "taints") {
            default(taint, "timeAdded", object::now());
        }
    }
}

pub(super) fn ingress_class(object: &mut Value) {
    if let Some(parameters) = inner(object::field_mut(object, "spec"), "parameters") {
        default(parameters, "scope", "Cluster");
    }
}

pub(super) fn driver(object: &mut Value) {
    let spec = object::field_mut(object, "spec");
    default(spec, "attachRequired", true);
    for field in [
        "podInfoOnMount",
        "storageCapacity",
        "requiresRepublish",
        "seLinuxMount",
    ] {
        default(spec, field, false);
    }
    default(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
    default_all(spec, "volumeLifecycleModes", json!(["Persistent"]));
}
