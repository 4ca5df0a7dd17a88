//! Which names a CustomResourceDefinition gets, and whether its kind is served.

use serde_json::{Map, Value, json};

use super::approval::Approval;
use super::definition_conversion;
use crate::object;

/// The status of a definition when the names that it asks for are given out; others of its group have those that are taken.
pub(crate) fn accept_names(definition: &Value, taken: &Taken) -> Value {
    let mut status = definition.get("status").cloned().unwrap_or_default();
    let asked = definition
        .pointer("/spec/names")
        .cloned()
        .unwrap_or_default();
    let had = status.get("acceptedNames").cloned().unwrap_or_default();
    let mut accepted = had.as_object().cloned().unwrap_or_default();
    let mut conflict = None;
    let mut give = |field: &str,
                    conflicts: Vec<String>,
                    reason: &'static str,
                    accepted: &mut Map<String, Value>| {
        if conflicts.is_empty() || had.get(field) == asked.get(field) {
            match asked.get(field) {
                Some(value) => accepted.insert(field.to_owned(), value.clone()),
                None => accepted.remove(field),
            };
        } else {
            conflict = Some((reason, told(&conflicts)));
        }
    };
    let text = |field: &str| asked.get(field).and_then(Value::as_str).unwrap_or_default();
    let short = asked.get("shortNames").and_then(Value::as_array);
    let short = short.into_iter().flatten().filter_map(Value::as_str);
    give(
        "plural",
        taken.resource(text("plural")),
        "PluralConflict",
        &mut accepted,
    );
    give(
        "singular",
        taken.resource(text("singular")),
        "SingularConflict",
        &mut accepted,
    );
    give(
        "shortNames",
        short.flat_map(|name| taken.resource(name)).collect(),
        "ShortNamesConflict",
        &mut accepted,
    );
    give(
        "kind",
        taken.kind(text("kind")),
        "KindConflict",
        &mut accepted,
    );
    give(
        "listKind",
        taken.kind(text("listKind")),
        "ListKindConflict",
        &mut accepted,
    );
    give("categories", Vec::new(), "", &mut accepted);
    let is_accepted = conflict.is_none();
    let (reason, message) = conflict.unwrap_or(("NoConflicts", "no conflicts found".to_owned()));
    let names_accepted = condition("NamesAccepted", is_accepted, reason, &message);
    let established = match is_accepted {
        true if definition_conversion::has_invalid_bundle(definition) => condition(
            "Established",
            false,
            "InvalidCABundle",
            "The conversion webhook CABundle is invalid",
        ),
        true => condition(
            "Established",
            true,
            "InitialNamesAccepted",
            "the initial names have been accepted",
        ),
        false => condition(
            "Established",
            false,
            "NotAccepted",
            "not all names are accepted",
        ),
    };
    let fields = object::as_map(&mut status);
    fields.insert("acceptedNames".to_owned(), accepted.into());
    let conditions = fields.entry("conditions").or_insert(Value::Null);
    if !conditions.is_array() {
        *conditions = json!([]);
    }
    if let Value::Array(conditions) = conditions {
        // Who has all the names that it asks for is not given them again, whatever its conditions say.
        let has_names = had == asked;
        if !has_names {
            set(conditions, names_accepted);
        }
        let is = |kind: &str| {
            let mut own = conditions.iter().filter(|one| one["type"] == kind);
            own.any(|one| one["status"] == "True")
        };
        // Once it is served it stays so.
        if !is("Established") && (!has_names || is("NamesAccepted")) {
            set(conditions, established);
        }
        if let Some(approval) = Approval::of(definition) {
            let (reason, message) = (approval.reason(), approval.message());
            let kind = "KubernetesAPIApprovalPolicyConformant";
            set(
                conditions,
                condition(kind, approval.is_given(), reason, &message),
            );
        }
    }
    status
}

/// The status before a definition is served, which comes first where its names have just been accepted.
pub(crate) fn installing(before: &Value, status: &Value) -> Option<Value> {
    let mut status = status.clone();
    let conditions = status.get_mut("conditions")?.as_array_mut()?;
    let is_ready = |one: &Value| {
        let reasons = ["InitialNamesAccepted", "InvalidCABundle"];
        one["type"] == "Established" && reasons.iter().any(|reason| one["reason"] == *reason)
    };
    let has_been = before["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .any(is_ready);
    let established = conditions.iter_mut().find(|one| is_ready(one))?;
    let accepted = "the initial names have been accepted";
    *established = condition("Established", false, "Installing", accepted);
    (!has_been).then_some(status)
}

/// Whether the kind of a definition is served.
pub(crate) fn is_established(definition: &Value) -> bool {
    is_true(definition, "Established")
}

/// Whether the objects of a definition are being deleted with it.
pub(crate) fn is_terminating(definition: &Value) -> bool {
    is_true(definition, "Terminating")
}

fn is_true(definition: &Value, condition: &str) -> bool {
    let conditions = definition
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|one| one["type"] == condition && one["status"] == "True")
}

fn told(conflicts: &[String]) -> String {
    match conflicts {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    }
}

/// The names that other definitions of a group have got.
#[derive(Default)]
pub(crate) struct Taken {
    resources: Vec<String>,
    kinds: Vec<String>,
}

impl Taken {
    /// Adds the names that a definition has got.
    pub(crate) fn add(&mut self, names: &Value) {
        let text = |field: &str| names.get(field).and_then(Value::as_str).map(str::to_owned);
        let short = names.get("shortNames").and_then(Value::as_array);
        let short = short.into_iter().flatten().filter_map(Value::as_str);
        self.resources.extend(text("plural"));
        self.resources.extend(text("singular"));
        self.resources.extend(short.map(str::to_owned));
        self.kinds.extend(text("kind"));
        self.kinds.extend(text("listKind"));
    }

    fn resource(&self, name: &str) -> Vec<String> {
        in_use(&self.resources, name)
    }

    fn kind(&self, name: &str) -> Vec<String> {
        in_use(&self.kinds, name)
    }
}

fn in_use(taken: &[String], name: &str) -> Vec<String> {
    let found = !name.is_empty() && taken.iter().any(|other| other == name);
    found
        .then(|| format!("{name:?} is already in use"))
        .into_iter()
        .collect()
}

fn condition(kind: &str, is: bool, reason: &str, message: &str) -> Value {
    let status = if is { "True" } else { "False" };
    json!({
        "type": kind, "status": status, "lastTransitionTime": object::now(), "reason": reason, "message": message,
    })
}

/// Sets a condition, which keeps its time while it says the same.
fn set(conditions: &mut Vec<Value>, condition: Value) {
    let bare = |condition: &Value| {
        ["type", "status", "reason", "message"].map(|field| condition.get(field).cloned())
    };
    match conditions
        .iter_mut()
        .find(|old| old.get("type") == condition.get("type"))
    {
        Some(old) if bare(old) == bare(&condition) => {}
        Some(old) => *old = condition,
        None => conditions.push(condition),
    }
}
