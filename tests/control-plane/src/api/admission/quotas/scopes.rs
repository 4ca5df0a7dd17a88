//! Which objects a quota is about.

use serde_json::Value;

use crate::api::Target;
use crate::api::rules;

/// Whether an object is in all scopes of a quota.
pub(super) fn fit(target: &Target, quota: &Value, object: &Value) -> bool {
    let scopes = quota["spec"]["scopes"].as_array().into_iter().flatten();
    let mut scopes = scopes.filter_map(Value::as_str);
    let selected = quota["spec"]["scopeSelector"]["matchExpressions"].as_array();
    let is_in = |name: &str, operator: &str, values: &Value| match (
        &*target.resource.group,
        &*target.resource.plural,
    ) {
        ("", "pods") => is_pod_in(name, operator, values, object),
        ("", "persistentvolumeclaims") if name == "VolumeAttributesClass" => {
            let class = object["spec"]["volumeAttributesClassName"].as_str();
            is_selected(operator, values, class)
        }
        _ => false,
    };
    scopes.all(|scope| is_in(scope, "Exists", &Value::Null))
        && selected.into_iter().flatten().all(|one| {
            let text = |field: &str| one[field].as_str().unwrap_or_default();
            is_in(text("scopeName"), text("operator"), &one["values"])
        })
}

fn is_pod_in(scope: &str, operator: &str, values: &Value, pod: &Value) -> bool {
    match scope {
        "Terminating" => ends_by_itself(pod),
        "NotTerminating" => !ends_by_itself(pod),
        "BestEffort" => asks_for_nothing(pod),
        "NotBestEffort" => !asks_for_nothing(pod),
        "PriorityClass" => {
            let class = pod["spec"]["priorityClassName"].as_str();
            is_selected(operator, values, class)
        }
        "CrossNamespacePodAffinity" => looks_elsewhere(pod),
        _ => false,
    }
}

/// Whether the class that an object names, if any, is one of those that are meant.
fn is_selected(operator: &str, values: &Value, class: Option<&str>) -> bool {
    let class = class.filter(|class| !class.is_empty());
    let is_named = || {
        let mut values = values.as_array().into_iter().flatten();
        class.is_some_and(|class| values.any(|value| value == class))
    };
    match operator {
        "In" => is_named(),
        "NotIn" => !is_named(),
        "DoesNotExist" => class.is_none(),
        _ => class.is_some(),
    }
}

/// Whether a pod has a deadline.
pub(super) fn ends_by_itself(pod: &Value) -> bool {
    pod["spec"]["activeDeadlineSeconds"]
        .as_i64()
        .is_some_and(|seconds| seconds >= 0)
}

fn asks_for_nothing(pod: &Value) -> bool {
    rules::quality(pod) == "BestEffort"
}

/// Whether a pod wants to be near pods of other namespaces, or far from them.
fn looks_elsewhere(pod: &Value) -> bool {
    let affinity = &pod["spec"]["affinity"];
    let kinds = ["podAffinity", "podAntiAffinity"].into_iter();
    let mut terms = kinds.flat_map(|kind| {
        let of = |field: &str| affinity[kind][field].as_array().into_iter().flatten();
        let preferred = of("preferredDuringSchedulingIgnoredDuringExecution");
        let preferred = preferred.map(|weighted| &weighted["podAffinityTerm"]);
        of("requiredDuringSchedulingIgnoredDuringExecution").chain(preferred)
    });
    terms.any(|term| {
        let named = term["namespaces"].as_array();
        named.is_some_and(|named| !named.is_empty()) || !term["namespaceSelector"].is_null()
    })
}
