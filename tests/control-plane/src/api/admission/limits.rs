//! `LimitRanger`: containers, pods and claims use neither more nor less than the LimitRanges of their namespace allow,
//! and what a container does not say they say for it.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Request;
use super::totals::{self, Resources};
use crate::failure::Failure;
use crate::object;
use crate::schema::in_billionths;

const SET: &str = "kubernetes.io/limit-ranger";

/// Whether the limits count for what is asked.
pub(super) fn concern(request: &Request<'_>) -> bool {
    let target = request.target;
    let counts = match target.subresource.as_deref() {
        Some("resize") => target.resource.is("", "pods"),
        Some(_) => false,
        None if target.resource.is("", "pods") => request.old.is_none(),
        None => target.resource.is("", "persistentvolumeclaims"),
    };
    counts && !request.old.is_some_and(object::is_deleting)
}

/// Fills in what containers do not ask for.
pub(super) fn change(request: &Request<'_>, pod: &mut Value) {
    for range in ranges(request) {
        let defaults = [
            ("requests", "request", "defaultRequest"),
            ("limits", "limit", "default"),
        ]
        .map(|(field, what, default)| (field, what, defaults(&range, default)));
        let spec = object::field_mut(pod, "spec");
        let mut set = Vec::new();
        for (list, called) in [
            ("containers", "container"),
            ("initContainers", "init container"),
        ] {
            let containers = spec.get_mut(list).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten() {
                for (field, what, defaults) in &defaults {
                    let added = fill(container, field, defaults);
                    if !added.is_empty() {
                        let name = container["name"].as_str().unwrap_or_default();
                        set.push(format!("{} {what} for {called} {name}", added.join(", ")));
                    }
                }
            }
        }
        if !set.is_empty() {
            let metadata = object::metadata_mut(pod);
            let annotations = object::as_map(metadata.entry("annotations").or_insert(Value::Null));
            let set = format!("LimitRanger plugin set: {}", set.join("; "));
            annotations.insert(SET.to_owned(), set.into());
        }
    }
}

/// What a range says for containers that do not say it.
fn defaults(range: &Value, field: &str) -> Map<String, Value> {
    let limits = limits(range, "Container").filter_map(|limit| limit[field].as_object());
    limits
        .flatten()
        .map(|(name, amount)| (name.clone(), amount.clone()))
        .collect()
}

/// Says which were not there, in order.
fn fill(container: &mut Value, field: &str, defaults: &Map<String, Value>) -> Vec<String> {
    if defaults.is_empty() {
        return Vec::new();
    }
    let resources = object::field_mut(container, "resources");
    let amounts = object::as_map(resources.entry(field).or_insert(Value::Null));
    let missing = defaults
        .iter()
        .filter(|(name, _)| !amounts.contains_key(*name));
    let missing: Vec<(String, Value)> = missing
        .map(|(name, amount)| (name.clone(), amount.clone()))
        .collect();
    let mut added: Vec<String> = missing.iter().map(|(name, _)| name.clone()).collect();
    added.sort();
    amounts.extend(missing);
    added
}

/// Refuses what does not keep to the limits.
pub(super) fn check(request: &Request<'_>, object: &Value) -> Result<(), Failure> {
    for range in ranges(request) {
        let wrong = match request.target.resource.is("", "pods") {
            true => of_pod(&range, &object["spec"]),
            false => of_claim(&range, &object["spec"]),
        };
        let mut seen = HashSet::new();
        let mut said = wrong;
        said.retain(|why| seen.insert(why.clone()));
        match said.as_slice() {
            [] => {}
            [why] => return Err(request.refuse(why)),
            all => return Err(request.refuse(&format!("[{}]", all.join(", ")))),
        }
    }
    Ok(())
}

fn ranges(request: &Request<'_>) -> Vec<Value> {
    let ranges = request.all("", "limitranges", request.target.namespace.as_deref());
    ranges.iter().map(|range| range.read().clone()).collect()
}

fn limits<'a>(range: &'a Value, kind: &'static str) -> impl Iterator<Item = &'a Value> {
    let limits = range["spec"]["limits"].as_array().into_iter().flatten();
    limits.filter(move |limit| limit["type"] == kind)
}

fn of_pod(range: &Value, spec: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for limit in limits(range, "Container") {
        for list in ["containers", "initContainers"] {
            for container in spec[list].as_array().into_iter().flatten() {
                let of = |field: &str| totals::of(&container["resources"][field]);
                wrong.extend(broken(limit, &of("requests"), &of("limits")));
            }
        }
    }
    for limit in limits(range, "Pod") {
        let [requests, most] = ["requests", "limits"].map(|field| totals::of_pod(spec, field));
        wrong.extend(broken(limit, &requests, &most));
    }
    wrong
}

/// What a claim asks for alone counts.
fn of_claim(range: &Value, spec: &Value) -> Vec<String> {
    let requests = totals::of(&spec["resources"]["requests"]);
    let mut wrong = Vec::new();
    for limit in limits(range, "PersistentVolumeClaim") {
        for (name, least) in totals::of(&limit["min"]) {
            wrong.extend(too_little(
                limit,
                &name,
                &least,
                &requests,
                &Resources::new(),
            ));
        }
        for (name, most) in totals::of(&limit["max"]) {
            let what = format!("maximum {name} usage per PersistentVolumeClaim is {most}");
            match requests.get(&name) {
                None => wrong.push(format!("{what}.  No request is specified")),
                Some(asked) if amount(asked) > amount(&most) => {
                    wrong.push(format!("{what}, but request is {asked}"));
                }
                Some(_) => {}
            }
        }
    }
    wrong
}

/// What of a limit is not kept.
fn broken(limit: &Value, requests: &Resources, limits: &Resources) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, least) in totals::of(&limit["min"]) {
        wrong.extend(too_little(limit, &name, &least, requests, limits));
    }
    for (name, most) in totals::of(&limit["max"]) {
        wrong.extend(too_much(limit, &name, &most, requests, limits));
    }
    for (name, ratio) in totals::of(&limit["maxLimitRequestRatio"]) {
        wrong.extend(too_far_apart(limit, &name, &ratio, requests, limits));
    }
    wrong
}

fn amount(quantity: &str) -> i128 {
    in_billionths(quantity).unwrap_or(0)
}

fn kind(limit: &Value) -> &str {
    limit["type"].as_str().unwrap_or_default()
}

fn too_little(
    limit: &Value,
    name: &str,
    least: &str,
    requests: &Resources,
    limits: &Resources,
) -> Option<String> {
    let what = format!("minimum {name} usage per {} is {least}", kind(limit));
    let is_less = |quantity: &&String| amount(quantity) < amount(least);
    let Some(request) = requests.get(name) else {
        return Some(format!("{what}.  No request is specified"));
    };
    if is_less(&request) {
        return Some(format!("{what}, but request is {request}"));
    }
    let limit = limits.get(name).filter(is_less)?;
    Some(format!("{what}, but limit is {limit}"))
}

fn too_much(
    limit: &Value,
    name: &str,
    most: &str,
    requests: &Resources,
    limits: &Resources,
) -> Option<String> {
    let what = format!("maximum {name} usage per {} is {most}", kind(limit));
    let is_more = |quantity: &&String| amount(quantity) > amount(most);
    let Some(limit) = limits.get(name) else {
        return Some(format!("{what}.  No limit is specified"));
    };
    if is_more(&limit) {
        return Some(format!("{what}, but limit is {limit}"));
    }
    let request = requests.get(name).filter(is_more)?;
    Some(format!("{what}, but request is {request}"))
}

fn too_far_apart(
    limit: &Value,
    name: &str,
    most: &str,
    requests: &Resources,
    limits: &Resources,
) -> Option<String> {
    let what = format!(
        "{name} max limit to request ratio per {} is {most}",
        kind(limit)
    );
    let of = |resources: &Resources| resources.get(name).map_or(0, |quantity| amount(quantity));
    let (asked, limited) = (of(requests), of(limits));
    if asked == 0 {
        return Some(format!(
            "{what}, but no request is specified or request is 0"
        ));
    }
    if limited == 0 {
        return Some(format!("{what}, but no limit is specified or limit is 0"));
    }
    let ratio = limited as f64 / asked as f64;
    (ratio * 1e9 > amount(most) as f64).then(|| format!("{what}, but provided ratio is {ratio:.6}"))
}
