//! Who has the devices that were allocated to a claim.

use serde_json::Value;

use super::checks::{list, text};
use super::fixed::{self, invalid_struct};
use crate::failure::Cause;

pub(super) fn check(was: &Value, is: &Value) -> Vec<Cause> {
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
    }
    wrong
}
