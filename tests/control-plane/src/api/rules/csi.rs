//! The rules of drivers of volumes, and of which nodes have them.

use std::collections::HashSet;

use serde_json::Value;

use super::checks::{list, not_negative, number, one_of, text};
use super::fixed::{IMMUTABLE, invalid_struct, same};
use super::names;
use crate::failure::Cause;
use crate::object;

const GROUP_POLICIES: [&str; 3] = ["File", "None", "ReadWriteOnceWithFSType"];
const LIFECYCLES: [&str; 2] = ["Persistent", "Ephemeral"];
const LEAST_PERIOD: i64 = 10;
const LEAST_SECONDS: i64 = 600;
const MOST_SECONDS: i64 = 1 << 32;
const LONGEST_NAME: usize = 63;
const LONGEST_ID: usize = 256;

pub(super) fn check_driver(driver: &Value) -> Vec<Cause> {
    let spec = &driver["spec"];
    let mut wrong = Vec::new();
    if let Some(policy) = spec["fsGroupPolicy"].as_str() {
        wrong.extend(one_of(policy, "spec.fsGroupPolicy", &GROUP_POLICIES));
    }
    let tokens = list(spec, "tokenRequests");
    wrong.extend(check_tokens(tokens));
    let modes = list(spec, "volumeLifecycleModes").iter();
    let modes = modes.filter_map(Value::as_str);
    wrong.extend(modes.filter_map(|mode| one_of(mode, "spec.volumeLifecycleModes", &LIFECYCLES)));
    if let Some(period) = number(spec, "nodeAllocatableUpdatePeriodSeconds")
        && period < LEAST_PERIOD
    {
        let path = "spec.nodeAllocatableUpdatePeriodSeconds";
        let why = "must be greater than or equal to 10 seconds";
        wrong.push(Cause::invalid(path, &period.into(), why));
    }
    let in_secrets = &spec["serviceAccountTokenInSecrets"];
    if !in_secrets.is_null() && tokens.is_empty() {
        let path = "spec.serviceAccountTokenInSecrets";
        let why = "serviceAccountTokenInSecrets is set but no tokenRequests are specified";
        wrong.push(Cause::invalid(path, in_secrets, why));
    }
    wrong
}

/// Each audience is asked for once; what is wrong with how long is said of the first alone.
fn check_tokens(tokens: &[Value]) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut known = HashSet::new();
    for (index, token) in tokens.iter().enumerate() {
        let at = |field: &str| format!("spec.tokenRequests[{index}].{field}");
        let audience = text(token, "audience");
        if !known.insert(audience) {
            wrong.push(Cause::duplicate(&at("audience"), &audience.into()));
            continue;
        }
        let Some(seconds) = number(token, "expirationSeconds") else {
            continue;
        };
        let why = match seconds {
            ..LEAST_SECONDS => "may not specify a duration less than 10 minutes",
            LEAST_SECONDS..=MOST_SECONDS => continue,
            _ => "may not specify a duration larger than 2^32 seconds",
        };
        wrong.push(Cause::invalid(
            &at("expirationSeconds"),
            &seconds.into(),
            why,
        ));
    }
    wrong
}

pub(super) fn check_node(node: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut known = HashSet::new();
    for (index, driver) in list(&node["spec"], "drivers").iter().enumerate() {
        let path = format!("spec.drivers[{index}]");
        let name = text(driver, "name");
        wrong.extend(check_name(name, &format!("{path}.name")));
        wrong.extend(check_id(text(driver, "nodeID"), &format!("{path}.nodeID")));
        let allocatable = format!("{path}.allocatable");
        wrong.extend(not_negative(
            &driver["allocatable"],
            &allocatable,
            &["count"],
        ));
        if !known.insert(name) {
            wrong.push(Cause::duplicate(&format!("{path}.name"), &name.into()));
        }
        wrong.extend(check_keys(list(driver, "topologyKeys"), &path));
    }
    wrong
}

pub(super) fn check_name(name: &str, path: &str) -> Vec<Cause> {
    if name.is_empty() {
        return vec![Cause::required(path, "")];
    }
    let too_long = (name.len() > LONGEST_NAME).then(|| Cause::too_long(path, LONGEST_NAME));
    let unfit = names::subdomain(&name.to_lowercase());
    let unfit = unfit.map(|why| Cause::invalid(path, &name.into(), why));
    too_long.into_iter().chain(unfit).collect()
}

fn check_id(id: &str, path: &str) -> Option<Cause> {
    match id.len() {
        0 => Some(Cause::required(path, "")),
        1..=LONGEST_ID => None,
        _ => {
            let why = format!("must be {LONGEST_ID} characters or less");
            Some(Cause::invalid(path, &id.into(), &why))
        }
    }
}

fn check_keys(keys: &[Value], path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut known = HashSet::new();
    for key in keys {
        let name = key.as_str().unwrap_or_default();
        if name.is_empty() {
            wrong.push(Cause::required(path, ""));
        }
        if !known.insert(name) {
            wrong.push(Cause::duplicate(path, key));
        }
        let reasons = names::qualified(name);
        let reasons = reasons.iter();
        wrong.extend(reasons.map(|why| Cause::invalid(path, key, why)));
    }
    wrong
}

/// A driver on a node stays what it is, but for how many volumes it takes.
pub(super) fn check_node_update(old: &Value, new: &Value) -> Vec<Cause> {
    let drivers = |node: &Value| list(&node["spec"], "drivers").to_vec();
    let fixed = |driver: &Value| {
        let mut driver = driver.clone();
        object::as_map(&mut driver).remove("allocatable");
        driver
    };
    let now = drivers(new);
    let mut wrong = Vec::new();
    for was in drivers(old) {
        let same_name = now.iter().filter(|is| is["name"] == was["name"]);
        let changed = same_name.filter(|is| !same(&fixed(&was), &fixed(is)));
        wrong.extend(
            changed
                .map(|is| invalid_struct("spec.drivers", "storage.CSINodeDriver", is, IMMUTABLE)),
        );
    }
    wrong
}
