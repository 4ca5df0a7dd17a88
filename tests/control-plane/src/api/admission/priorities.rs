//! `Priority`: a pod has the priority of its class.

use serde_json::{Value, json};

use super::Request;
use crate::failure::Failure;
use crate::first;
use crate::object;

const GROUP: &str = "scheduling.k8s.io";
const PLURAL: &str = "priorityclasses";

/// Fills in the priority of a pod, which is that of its class and no other.
pub(super) fn change(request: &Request<'_>, pod: &mut Value) -> Result<(), Failure> {
    let spec = object::field_mut(pod, "spec");
    if let Some(old) = request.old {
        for field in ["priority", "preemptionPolicy"] {
            let known = &old["spec"][field];
            if !known.is_null() {
                spec.entry(field).or_insert_with(|| known.clone());
            }
        }
        return Ok(());
    }
    let named = spec.get("priorityClassName").and_then(Value::as_str);
    let class = match named.filter(|name| !name.is_empty()) {
        Some(name) => class(request, name).ok_or_else(|| {
            request.refuse(&format!("no PriorityClass with name {name} was found"))
        })?,
        None => default_class(request)
            .unwrap_or_else(|| json!({"value": 0, "preemptionPolicy": "PreemptLowerPriority"})),
    };
    let priority = class["value"].as_i64().unwrap_or(0);
    if let Some(own) = spec.get("priority").and_then(Value::as_i64)
        && own != priority
    {
        return Err(request.refuse(&format!(
            "the integer value of priority ({own}) must not be provided in pod spec; priority admission controller \
             computed {priority} from the given PriorityClass name"
        )));
    }
    if named.is_none_or(str::is_empty)
        && let Some(name) = object::meta(&class, "name")
    {
        spec.insert("priorityClassName".to_owned(), name.into());
    }
    spec.insert("priority".to_owned(), priority.into());
    let Some(policy) = class["preemptionPolicy"].as_str() else {
        return Ok(());
    };
    if let Some(own) = spec.get("preemptionPolicy").and_then(Value::as_str)
        && own != policy
    {
        return Err(request.refuse(&format!(
            "the string value of PreemptionPolicy ({own}) must not be provided in pod spec; priority admission controller \
             computed {policy} from the given PriorityClass name"
        )));
    }
    spec.insert("preemptionPolicy".to_owned(), policy.into());
    Ok(())
}

/// Refuses a second class that pods have without naming it.
pub(super) fn check(request: &Request<'_>, class: &Value) -> Result<(), Failure> {
    if class["globalDefault"] != true {
        return Ok(());
    }
    let known = default_class(request);
    match known.as_ref().map(object::name) {
        Some(known) if request.old.is_none() || known != request.name => {
            Err(request.refuse(&format!(
                "PriorityClass {known} is already marked as default. Only one default can exist"
            )))
        }
        _ => Ok(()),
    }
}

fn class(request: &Request<'_>, name: &str) -> Option<Value> {
    let own = request.one(GROUP, PLURAL, name);
    // A project has these too, and nobody has made them there.
    own.map(|class| class.read().clone())
        .or_else(|| first::priority_class(name))
}

/// The class of a pod that names none; the lowest, should there be more.
fn default_class(request: &Request<'_>) -> Option<Value> {
    let classes = request.all(GROUP, PLURAL, None);
    let defaults = classes.iter().map(|class| class.read());
    defaults
        .filter(|class| class["globalDefault"] == true)
        .min_by_key(|class| class["value"].as_i64())
        .cloned()
}
