//! What containers ask for.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{names, pod_claims};
use crate::api::admission::totals;
use crate::failure::Cause;
use crate::schema::in_billionths;

const OF_CONTAINERS: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
const STANDARD: [&str; 20] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "storage",
    "requests.storage",
    "services.nodeports",
    "services.loadbalancers",
];
const COUNTED: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

fn is_huge(name: &str) -> bool {
    name.starts_with("hugepages-")
}

fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// Whether more of it may be promised than there is (`IsOvercommitAllowed`).
pub(super) fn may_be_promised_twice(name: &str) -> bool {
    is_native(name) && !is_huge(name)
}

pub(super) fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && names::qualified(&format!("requests.{name}")).is_empty()
}

fn is_standard(name: &str) -> bool {
    STANDARD.contains(&name) || is_huge(name) || name.starts_with("requests.hugepages-")
}

/// Whether a resource is one that every quota knows.
pub(super) fn is_of_quotas(name: &str) -> bool {
    is_standard(name) && name != "storage"
}

/// What is wrong with the name of a resource, whoever asks for it.
pub(super) fn check_name(name: &str, path: &str) -> Vec<Cause> {
    let reasons = names::qualified(name);
    if reasons.is_empty() && !name.contains('/') && !is_standard(name) {
        let why = "must be a standard resource type or fully qualified";
        return vec![Cause::invalid(path, &name.into(), why)];
    }
    let reasons = reasons.iter();
    reasons
        .map(|why| Cause::invalid(path, &name.into(), why))
        .collect()
}

/// What is wrong with the name of a resource that a quota is about.
pub(super) fn check_name_for_quota(name: &str, path: &str) -> Vec<Cause> {
    let mut wrong = check_name(name, path);
    if !name.contains('/') && !is_of_quotas(name) {
        let why = "must be a standard resource for quota";
        wrong.push(Cause::invalid(path, &name.into(), why));
    }
    wrong
}

/// What is wrong with how much there is of a resource.
pub(super) fn check_quantity(name: &str, quantity: &Value, path: &str) -> Vec<Cause> {
    let amount = quantity.as_str().and_then(in_billionths).unwrap_or(0);
    let mut wrong = Vec::new();
    if amount < 0 {
        let why = "must be greater than or equal to 0";
        wrong.push(Cause::invalid(path, quantity, why));
    }
    let counted = COUNTED.contains(&name) || is_extended(name);
    let rest = i128::from(amount.rem_euclid(1_000_000) > 0);
    let milli = amount.div_euclid(1_000_000) + rest;
    if counted && milli % 1000 != 0 {
        wrong.push(Cause::invalid(path, quantity, "must be an integer"));
    }
    wrong
}

/// What is wrong with the name of a resource that a container asks for.
pub(super) fn check_name_for_container(name: &str, path: &str) -> Vec<Cause> {
    let mut wrong = check_name(name, path);
    let why = if !name.contains('/') {
        let known = OF_CONTAINERS.contains(&name) || is_huge(name);
        (!known).then_some("must be a standard resource for containers")
    } else {
        let known = is_native(name) || is_extended(name);
        (!known).then_some("doesn't follow extended resource name standard")
    };
    wrong.extend(why.map(|why| Cause::invalid(path, &name.into(), why)));
    wrong
}

/// What is wrong with the name of a resource that a pod asks for as a whole.
fn check_name_for_pod(name: &str, path: &str) -> Vec<Cause> {
    let mut wrong = check_name(name, path);
    if wrong.is_empty() && !totals::is_of_pods(name) {
        let known = r#""cpu", "hugepages-", "memory""#;
        wrong.push(Cause::unsupported(path, &name.into(), known));
    }
    wrong
}

/// Huge pages are asked for whole.
fn check_pages(name: &str, quantity: &Value, path: &str) -> Option<Cause> {
    const WHOLE: i128 = 1_000_000_000;
    let size = in_billionths(name.strip_prefix("hugepages-")?).unwrap_or(0);
    let amount = quantity.as_str().and_then(in_billionths).unwrap_or(0);
    // Parts of a byte count as one.
    let bytes = amount / WHOLE + i128::from(amount % WHOLE > 0);
    let is_divisible = size > 0 && size % WHOLE == 0 && bytes % (size / WHOLE) == 0;
    let shown = quantity.as_str().unwrap_or_default();
    let why = format!("{shown} is not positive integer multiple of {name}");
    (!is_divisible).then(|| Cause::invalid(path, quantity, &why))
}

/// What is wrong with what a container asks for.
pub(super) fn check(resources: &Value, claims: &BTreeSet<&str>, path: &str) -> Vec<Cause> {
    check_with(resources, claims, path, check_name_for_container)
}

/// What is wrong with what a pod needs beside its containers.
pub(super) fn check_overhead(overhead: &Value, path: &str) -> Vec<Cause> {
    check(&json!({"limits": overhead}), &BTreeSet::new(), path)
}

/// What is wrong with what a pod asks for as a whole.
pub(super) fn check_of_pod(resources: &Value, claims: &BTreeSet<&str>, path: &str) -> Vec<Cause> {
    check_with(resources, claims, path, check_name_for_pod)
}

fn check_with(
    resources: &Value,
    claims: &BTreeSet<&str>,
    path: &str,
    check_name: fn(&str, &str) -> Vec<Cause>,
) -> Vec<Cause> {
    let check_one = |name: &str, quantity: &Value, path: &str| {
        let mut wrong = check_name(name, path);
        wrong.extend(check_quantity(name, quantity, path));
        wrong
    };
    let none = Map::new();
    let of = |field: &str| resources[field].as_object().unwrap_or(&none);
    let (limits, requests) = (of("limits"), of("requests"));
    let mut wrong = Vec::new();
    for (name, quantity) in limits {
        let path = format!("{path}.limits[{name}]");
        wrong.extend(check_one(name, quantity, &path));
        wrong.extend(check_pages(name, quantity, &path));
    }
    let below = format!("{path}.requests");
    for (name, quantity) in requests {
        wrong.extend(check_one(name, quantity, &format!("{below}[{name}]")));
        let amount = |value: &Value| value.as_str().and_then(in_billionths).unwrap_or(0);
        let may_differ = is_native(name) && !is_huge(name);
        match limits.get(name) {
            Some(limit) => {
                let (asked, most) = (amount(quantity), amount(limit));
                let shown = limit.as_str().unwrap_or_default();
                if asked != most && !may_differ {
                    let why = format!("must be equal to {name} limit of {shown}");
                    wrong.push(Cause::invalid(&below, quantity, &why));
                } else if asked > most {
                    let why = format!("must be less than or equal to {name} limit of {shown}");
                    wrong.push(Cause::invalid(&below, quantity, &why));
                }
            }
            None if !may_differ => {
                let why = "Limit must be set for non overcommitable resources";
                wrong.push(Cause::required(&format!("{path}.limits"), why));
            }
            None => {}
        }
        wrong.extend(check_pages(name, quantity, &format!("{below}[{name}]")));
    }
    let mut names = limits.keys().chain(requests.keys());
    let asks_for_pages = names.clone().any(|name| is_huge(name));
    if asks_for_pages && !names.any(|name| name == "cpu" || name == "memory") {
        wrong.push(Cause::forbidden(path, "HugePages require cpu or memory"));
    }
    wrong.extend(pod_claims::check_used(resources, claims, path));
    wrong
}
