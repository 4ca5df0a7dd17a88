//! Which devices were allocated to a claim, how they are, and who has them.

use std::collections::HashSet;

use serde_json::Value;

use super::checks::{list, text, too_many};
use super::devices::{check_pool_name, each_once, label};
use super::fixed::{self, invalid_struct};
use super::{addresses, csi, device_claims, statuses};
use crate::failure::Cause;
use crate::object;

/// What is said of a device ends with its allocation.
pub(super) fn forget(old: &Value, new: &mut Value) {
    let now = allocated(&new["status"]);
    let mut gone = allocated(&old["status"]);
    gone.retain(|device| !now.contains(device));
    let Some(Value::Array(told)) = new.pointer_mut("/status/devices") else {
        return;
    };
    told.retain(|device| !gone.contains(&identity(device)));
    if told.is_empty() {
        object::field_mut(new, "status").remove("devices");
    }
}

fn allocated(status: &Value) -> HashSet<Value> {
    let results = list(&status["allocation"]["devices"], "results");
    results.iter().map(identity).collect()
}

/// What tells a device from all others.
fn identity(device: &Value) -> Value {
    let fields = ["driver", "pool", "device", "shareID"];
    fields.iter().map(|field| device[*field].clone()).collect()
}

pub(super) fn check(spec: &Value, was: &Value, is: &Value) -> Vec<Cause> {
    const PATH: &str = "status.reservedFor";
    const MOST: usize = 256;
    let users = list(is, "reservedFor");
    let (mut wrong, mut seen) = (Vec::new(), HashSet::new());
    if users.len() > MOST {
        let why = format!("Too many: {}: must have at most {MOST} items", users.len());
        wrong.push(Cause::new("FieldValueTooMany", PATH, why));
    }
    for (index, user) in users.iter().enumerate() {
        let missing = ["resource", "name", "uid"]
            .into_iter()
            .filter(|field| text(user, field).is_empty());
        wrong.extend(missing.map(|field| Cause::required(&format!("{PATH}[{index}].{field}"), "")));
        if !seen.insert(&user["uid"]) {
            let path = format!("{PATH}[{index}]");
            wrong.push(Cause::duplicate(&path, &user["uid"]));
        }
    }
    let known = allocated(is);
    let devices = list(is, "devices");
    for (index, device) in devices.iter().enumerate() {
        let is_known = known.contains(&identity(device));
        let path = format!("status.devices[{index}]");
        wrong.extend(check_device(device, is_known, &path));
    }
    let mut seen = HashSet::new();
    for (index, device) in devices.iter().enumerate() {
        if !seen.insert(identity(device)) {
            let path = format!("status.devices[{index}]");
            let message = format!("Duplicate value: {}", shown(device));
            wrong.push(Cause::new("FieldValueDuplicate", path, message));
        }
    }
    let (before, now) = (&was["allocation"], &is["allocation"]);
    if now.is_null() && !users.is_empty() {
        let why = "may not be specified when `allocated` is not set";
        wrong.push(Cause::forbidden(PATH, why));
    }
    if !before.is_null() && !now.is_null() && !fixed::same(before, now) {
        wrong.push(invalid_struct(
            "status.allocation",
            "resource.AllocationResult",
            now,
            fixed::IMMUTABLE,
        ));
    } else if before.is_null() && !now.is_null() {
        wrong.extend(device_claims::check_allocation(spec, now));
    }
    wrong
}

/// What is wrong with how a device is said to be.
fn check_device(device: &Value, is_known: bool, path: &str) -> Vec<Cause> {
    const MOST_CONDITIONS: usize = 8;
    const LONGEST_DATA: usize = 10 * 1024;
    let at = |field: &str| format!("{path}.{field}");
    let mut wrong = csi::check_name(text(device, "driver"), &at("driver"));
    wrong.extend(check_pool_name(text(device, "pool"), &at("pool")));
    wrong.extend(label(text(device, "device"), &at("device")));
    if !is_known {
        let why = "must be an allocated device in the claim";
        let message = format!("Invalid value: {}: {why}", shown(device));
        wrong.push(Cause::new("FieldValueInvalid", path, message));
    }
    let conditions = list(device, "conditions");
    wrong.extend(too_many(conditions, MOST_CONDITIONS, &at("conditions")));
    wrong.extend(statuses::check_conditions(device, path));
    wrong.extend(match &device["data"] {
        Value::Null | Value::Object(_) if device["data"].to_string().len() <= LONGEST_DATA => None,
        data if data.to_string().len() > LONGEST_DATA => {
            Some(Cause::too_long(&at("data"), LONGEST_DATA))
        }
        _ => {
            let why = "must be a valid JSON object";
            Some(Cause::invalid(&at("data"), &"<value omitted>".into(), why))
        }
    });
    wrong.extend(check_network(&device["networkData"], &at("networkData")));
    wrong
}

fn check_network(data: &Value, path: &str) -> Vec<Cause> {
    const LONGEST: [(&str, usize); 2] = [("interfaceName", 256), ("hardwareAddress", 128)];
    const MOST_ADDRESSES: usize = 16;
    const NO_ADDRESS: &str =
        "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)";
    let too_long = LONGEST
        .into_iter()
        .filter(|(field, longest)| text(data, field).len() > *longest);
    let mut wrong: Vec<Cause> = too_long
        .map(|(field, longest)| Cause::too_long(&format!("{path}.{field}"), longest))
        .collect();
    wrong.extend(each_once(
        list(data, "ips"),
        MOST_ADDRESSES,
        &format!("{path}.ips"),
        |address| address.as_str().unwrap_or_default(),
        |address, path| {
            let said = address.as_str().unwrap_or_default();
            let why = match addresses::shortest_range(said) {
                None => NO_ADDRESS.to_owned(),
                Some(shortest) if shortest != said => {
                    format!("must be in canonical form ({shortest:?})")
                }
                Some(_) => return Vec::new(),
            };
            vec![Cause::invalid(path, address, &why)]
        },
    ));
    wrong
}

/// What tells a device from others, as a server shows it.
fn shown(device: &Value) -> String {
    const NAMES: [(&str, &str); 4] = [
        ("Driver", "driver"),
        ("Pool", "pool"),
        ("Device", "device"),
        ("ShareID", "shareID"),
    ];
    let parts = NAMES.map(|(name, field)| format!("{name:?}:{}", Value::from(text(device, field))));
    format!("{{{}}}", parts.join(","))
}
