//! What is said of who owns fields.

use serde_json::Value;

use crate::failure::Cause;
use crate::patch::go;

/// How many bytes the name of a manager may have (`FieldManagerMaxLength` of a kube-apiserver).
pub(crate) const LONGEST_MANAGER: usize = 128;
/// The same of a subresource (`MaxSubresourceNameLength`).
const LONGEST_SUBRESOURCE: usize = 256;

/// What is wrong with the name of a manager.
pub(crate) fn check_name(name: &str, field: &str) -> Vec<Cause> {
    let is_too_long = name.len() > LONGEST_MANAGER;
    let mut wrong = Vec::from_iter(is_too_long.then(|| Cause::too_long(field, LONGEST_MANAGER)));
    let odd = name.char_indices().filter(|(_, c)| !go::is_printed(*c));
    wrong.extend(odd.map(|(at, odd)| {
        let why = format!(
            "invalid character U+{:04X} (at position {at})",
            u32::from(odd)
        );
        Cause::invalid(field, &name.into(), &why)
    }));
    wrong
}

/// What is wrong with `metadata.managedFields`.
pub(super) fn check(object: &Value) -> Vec<Cause> {
    let entries = object.pointer("/metadata/managedFields");
    let entries = entries.and_then(Value::as_array).into_iter().flatten();
    let checked = entries
        .enumerate()
        .map(|(at, entry)| check_entry(at, entry));
    checked.flatten().collect()
}

fn check_entry(at: usize, entry: &Value) -> Vec<Cause> {
    let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default();
    let path = |field: &str| format!("metadata.managedFields[{at}].{field}");
    let mut wrong = Vec::new();
    let mut refuse = |field: &str, why: &str| {
        wrong.push(Cause::invalid(&path(field), &text(field).into(), why));
    };
    if !["Apply", "Update"].contains(&text("operation")) {
        refuse("operation", "must be `Apply` or `Update`");
    }
    if !["", "FieldsV1"].contains(&text("fieldsType")) {
        refuse("fieldsType", "must be `FieldsV1`");
    }
    wrong.extend(check_name(text("manager"), &path("manager")));
    if text("subresource").len() > LONGEST_SUBRESOURCE {
        wrong.push(Cause::too_long(&path("subresource"), LONGEST_SUBRESOURCE));
    }
    wrong
}
