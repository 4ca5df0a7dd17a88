//! How many devices of a class a claim may be given.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::totals::{self, Resources};

pub(super) const GROUP: &str = "resource.k8s.io";
pub(super) const PLURAL: &str = "resourceclaims";
/// What a quota calls the devices of a class, after the name of that.
pub(super) const OF_CLASS: &str = ".deviceclass.resource.k8s.io/devices";

/// As many as a claim is given at most, which is what all of them count for.
const ALL: i64 = 32;

pub(super) fn of(spec: &Value) -> Resources {
    let mut used = Resources::new();
    let requests = spec["devices"]["requests"].as_array();
    for request in requests.into_iter().flatten() {
        totals::add(&mut used, &of_request(request));
    }
    used
}

/// Of requests of which one is met, each class counts for the most that it could be asked for.
fn of_request(request: &Value) -> Resources {
    let choices = request["firstAvailable"].as_array().map(Vec::as_slice);
    let choices = choices.filter(|choices| !choices.is_empty());
    let own = request.get("exactly").map(std::slice::from_ref);
    let mut most: BTreeMap<&str, i64> = BTreeMap::new();
    for asked in choices.or(own).unwrap_or_default() {
        let class = asked["deviceClassName"].as_str().unwrap_or_default();
        let known = most.entry(class).or_default();
        *known = number(asked).max(*known);
    }
    most.into_iter()
        .map(|(class, number)| (format!("{class}{OF_CLASS}"), number.to_string()))
        .collect()
}

fn number(asked: &Value) -> i64 {
    match asked["allocationMode"].as_str() {
        None | Some("ExactCount") => asked["count"].as_i64().unwrap_or(1),
        Some("All") => ALL,
        Some(_) => 0,
    }
}
