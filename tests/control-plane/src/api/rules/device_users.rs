//! Which devices were allocated to a claim, how they are, and who has them.

use serde_json::Value;

use super::checks::{list, text};
use super::device_claims;
use super::fixed::{self, invalid_struct};
use crate::failure::Cause;
use crate::object;

/// What is said of a device ends with its allocation.
pub(super) fn forget(old: &Value, new: &mut Value) {
    let allocated = |claim: &Value| -> Vec<Value> { allocated(&claim["status"]) };
    let now = allocated(new);
    let gone: Vec<Value> = allocated(old)
        .into_iter()
        .filter(|device| !now.contains(device))
        .collect();
    let Some(Value::Array(told)) = new.pointer_mut("/status/devices") else {
        return;
    };
    told.retain(|device| !gone.contains(&identity(device)));
    if told.is_empty() {
        object::field_mut(new, "status").remove("devices");
    }
}

fn allocated(status: &Value) -> Vec<Value> {
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
    let mut wrong = Vec::new();
    if users.len() > MOST {
        let why = format!("Too many: {}: must have at most {MOST} items", users.len());
        wrong.push(Cause::new("FieldValueTooMany", PATH, why));
    }
    for (index, user) in users.iter().enumerate() {
        let missing = ["resource", "name", "uid"]
            .into_iter()
            .filter(|field| text(user, field).is_empty());
        wrong.extend(missing.map(|field| Cause::required(&format!("{PATH}[{index}].{field}"), "")));
        if users[..index]
            .iter()
            .any(|known| known["uid"] == user["uid"])
        {
            let path = format!("{PATH}[{index}]");
            wrong.push(Cause::duplicate(&path, &user["uid"]));
        }
    }
    let known = allocated(is);
    for (index, device) in list(is, "devices").iter().enumerate() {
        if !known.contains(&identity(device)) {
            let why = "must be an allocated device in the claim";
            let path = format!("status.devices[{index}]");
            let message = format!("Invalid value: {}: {why}", shown(device));
            wrong.push(Cause::new("FieldValueInvalid", path, message));
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
