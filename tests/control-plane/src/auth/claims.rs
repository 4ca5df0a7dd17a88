//! Who writes the status of a claim to devices has leave to allocate them, or speaks for their drivers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Attributes;
use super::user::service_account;
use crate::api::Target;
use crate::failure::Cause;

const NODE_NAME: &str = "authentication.kubernetes.io/node-name";

/// Why the caller may not write a status as it is now; `verb` is that of the request.
pub(crate) fn check(target: &Target, verb: &str, old: &Value, new: &Value) -> Vec<Cause> {
    let is_status = target.is_status();
    if !target.resource.is("resource.k8s.io", "resourceclaims")
        || !is_status
        || target.caller.is_unlimited()
    {
        return Vec::new();
    }
    let (old, new) = (&old["status"], &new["status"]);
    let mut wrong = Vec::from_iter(check_allocation(target, verb, old, new));
    // Without an allocation nothing is said of devices.
    if !new["allocation"].is_null() {
        wrong.extend(check_devices(target, verb, old, new));
    }
    wrong
}

fn check_allocation(target: &Target, verb: &str, old: &Value, new: &Value) -> Option<Cause> {
    if old["allocation"] == new["allocation"]
        && list(old, "reservedFor") == list(new, "reservedFor")
    {
        return None;
    }
    let binds = attributes(verb.to_owned(), "binding");
    let refusal = target.caller.require(&binds).err()?;
    let why = format!(
        "changing status.allocation or status.reservedFor requires resource=\"resourceclaims/binding\", verb=\"{verb}\" \
         permission: {}",
        refusal.message()
    );
    Some(Cause::forbidden("status.allocation", &why))
}

fn check_devices(target: &Target, verb: &str, old: &Value, new: &Value) -> Vec<Cause> {
    let mut verbs = vec![format!("arbitrary-node:{verb}")];
    if is_on_node(target, new) {
        verbs.insert(0, format!("associated-node:{verb}"));
    }
    let refusal = |driver: &str| {
        let asked = verbs.iter().map(|verb| Attributes {
            namespace: target.namespace.as_deref().unwrap_or_default().to_owned(),
            name: driver.to_owned(),
            ..attributes(verb.clone(), "driver")
        });
        // One of them will do.
        let decided: Result<Vec<_>, _> = asked
            .map(|asked| target.caller.require(&asked).map_or_else(Ok, Err))
            .collect();
        let refusal = decided.ok()?.into_iter().next()?;
        let why = format!(
            "changing status.devices requires resource=\"resourceclaims/driver\", verb=\"[{}]\" permission: {}",
            verbs.join(" "),
            refusal.message()
        );
        Some(Cause::forbidden("status.devices", &why))
    };
    let drivers = changed_drivers(old, new);
    drivers.into_iter().filter_map(refusal).collect()
}

fn attributes(verb: String, subresource: &str) -> Attributes {
    Attributes {
        verb,
        group: "resource.k8s.io".to_owned(),
        resource: "resourceclaims".to_owned(),
        subresource: subresource.to_owned(),
        ..Attributes::default()
    }
}

/// The drivers of devices that are there now and were not, that say something else, or that are gone.
fn changed_drivers<'v>(old: &'v Value, new: &'v Value) -> BTreeSet<&'v str> {
    let named = |device: &'v Value| {
        let name = ["driver", "pool", "device", "shareID"];
        (
            name.map(|field| device[field].as_str().unwrap_or_default()),
            device,
        )
    };
    let mut known: BTreeMap<_, _> = list(old, "devices").iter().map(named).collect();
    let mut changed = BTreeSet::new();
    for (name, device) in list(new, "devices").iter().map(named) {
        if known.remove(&name) != Some(device) {
            changed.insert(name[0]);
        }
    }
    changed.extend(known.into_keys().map(|name| name[0]));
    changed
}

/// Whether the caller is a service account on the node alone that was allocated.
fn is_on_node(target: &Target, status: &Value) -> bool {
    let user = target.caller.user();
    let terms = list(&status["allocation"]["nodeSelector"], "nodeSelectorTerms");
    let ([term], Some(_)) = (terms, service_account(&user.name)) else {
        return false;
    };
    let ([], [field]) = (list(term, "matchExpressions"), list(term, "matchFields")) else {
        return false;
    };
    let is_name = field["key"] == "metadata.name" && field["operator"] == "In";
    let own = user.extra.get(NODE_NAME).map(Vec::as_slice);
    match (list(field, "values"), own) {
        ([Value::String(node)], Some([own])) => is_name && !node.is_empty() && node == own,
        _ => false,
    }
}

fn list<'v>(value: &'v Value, field: &str) -> &'v [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}
