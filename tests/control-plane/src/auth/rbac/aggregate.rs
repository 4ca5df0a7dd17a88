//! ClusterRoles whose rules are those of others.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{GROUP, bucket};
use crate::api;
use crate::object;
use crate::plane::{Plane, World};
use crate::store::Bucket;

const MANAGER: &str = "clusterrole-aggregation-controller";

/// A role has changed: those that it is a part of follow.
pub(crate) fn after(world: &Arc<World>, plane: &Arc<Plane>, changed: &Bucket) {
    if *changed == bucket("clusterroles") {
        settle(world, plane);
    }
}

/// Gives all roles of a control plane that are made of others the rules that they are to have.
pub(crate) fn settle(world: &Arc<World>, plane: &Plane) {
    // What is made of others may be a part of more; a circle ends too, as rules are only ever gathered.
    for _ in 0..16 {
        let roles = plane.store.list(&bucket("clusterroles"), None).objects;
        let roles: Vec<&Value> = roles.iter().map(|role| role.read()).collect();
        let mut settled = true;
        for role in &roles {
            let Some(rules) = gathered(&roles, role) else {
                continue;
            };
            let has = role.get("rules").and_then(Value::as_array);
            if has.map_or(&[][..], Vec::as_slice) == rules.as_slice() {
                continue;
            }
            settled = false;
            let name = object::name(role);
            if let Err(failure) = apply(world, plane, name, rules) {
                tracing::warn!(
                    role = name,
                    why = failure.message(),
                    "a role is not made of others"
                );
                return;
            }
        }
        if settled {
            return;
        }
    }
}

fn apply(
    world: &Arc<World>,
    plane: &Plane,
    name: &str,
    rules: Vec<Value>,
) -> Result<(), crate::failure::Failure> {
    let mut role = json!({
        "apiVersion": format!("{GROUP}/v1"), "kind": "ClusterRole", "metadata": {"name": name},
    });
    // Who applies no rules owns none.
    if !rules.is_empty() {
        role["rules"] = rules.into();
    }
    let path = format!("/apis/{GROUP}/v1/clusterroles/{name}");
    api::apply(world, plane.project.as_deref(), &path, MANAGER, &role)
}

/// The rules of a role that is made of others: theirs in the order of their names, each once.
fn gathered(roles: &[&Value], role: &Value) -> Option<Vec<Value>> {
    let selectors = role.pointer("/aggregationRule/clusterRoleSelectors")?;
    let (mut rules, mut known) = (Vec::new(), HashSet::new());
    for selector in selectors.as_array()? {
        let parts = roles
            .iter()
            .filter(|part| object::name(part) != object::name(role) && matches(selector, part));
        for rule in parts
            .filter_map(|part| part.get("rules")?.as_array())
            .flatten()
        {
            if known.insert(rule) {
                rules.push(rule.clone());
            }
        }
    }
    Some(rules)
}

/// Whether a label selector selects an object.
fn matches(selector: &Value, object: &Value) -> bool {
    let label = |key: &str| object.pointer("/metadata/labels")?.get(key)?.as_str();
    let labels = selector.get("matchLabels").and_then(Value::as_object);
    let equal = labels
        .into_iter()
        .flatten()
        .all(|(key, value)| label(key) == value.as_str());
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    equal
        && expressions.into_iter().flatten().all(|expression| {
            let has = label(expression["key"].as_str().unwrap_or_default());
            let values = expression["values"].as_array();
            let named = values
                .into_iter()
                .flatten()
                .any(|value| has.is_some() && has == value.as_str());
            match expression["operator"].as_str().unwrap_or_default() {
                "In" => named,
                "NotIn" => !named,
                "Exists" => has.is_some(),
                "DoesNotExist" => has.is_none(),
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_gathered_in_the_order_of_names() {
        let role = |name: &str, label: &str, rules: Value| json!({"metadata": {"name": name, "labels": {"to": label}}, "rules": rules});
        let roles = [
            role("a", "it", json!([{"verbs": ["get"]}])),
            role("b", "other", json!([{"verbs": ["watch"]}])),
            role("c", "it", json!([{"verbs": ["get"]}, {"verbs": ["list"]}])),
        ];
        let roles: Vec<&Value> = roles.iter().collect();
        let whole = json!({"metadata": {"name": "it"}, "aggregationRule": {"clusterRoleSelectors": [
            {"matchLabels": {"to": "it"}}, {"matchExpressions": [{"key": "to", "operator": "DoesNotExist"}]},
        ]}});
        let expected = vec![json!({"verbs": ["get"]}), json!({"verbs": ["list"]})];
        assert_eq!(gathered(&roles, &whole), Some(expected));
        assert_eq!(gathered(&roles, roles[0]), None);
    }
}
