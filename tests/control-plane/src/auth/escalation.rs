//! Nobody grants what it does not hold, be it with a role or with a binding.

use http::StatusCode;
use serde_json::{Value, json};

use super::rbac::{GROUP, Rule, bucket, not_held};
use super::{Attributes, Caller};
use crate::api::{NO_NAMESPACE, Target};
use crate::failure::Failure;
use crate::object;
use crate::patch::go;
use crate::store::{Key, Transaction};

/// Whether the caller may write a role or a binding as it is now; `old` is what it was.
pub(crate) fn check(
    target: &Target,
    transaction: &Transaction<'_>,
    old: Option<&Value>,
    new: &Value,
) -> Result<(), Failure> {
    if *target.resource.group != *GROUP || target.caller.is_unlimited() {
        return Ok(());
    }
    match &*target.resource.plural {
        "roles" | "clusterroles" => role(target, old, new),
        _ => binding(target, transaction, new),
    }
}

/// Whether nothing is sent that changes a role or a binding but for what the garbage collector writes, which everybody
/// may. What is not sent, such as the uid, is a change.
pub(crate) fn grants_the_same(target: &Target, old: &Value, sent: &Value) -> bool {
    let rest = |object: &Value| {
        let mut object = object.clone();
        let metadata = object::metadata_mut(&mut object);
        for field in ["finalizers", "managedFields", "ownerReferences", "selfLink"] {
            metadata.remove(field);
        }
        // A list of nothing is none.
        if let Some(fields) = object.as_object_mut() {
            let is_nothing = |value: &Value| *value == Value::Null || *value == json!([]);
            fields.retain(|_, value| !is_nothing(value));
        }
        object
    };
    *target.resource.group == *GROUP && !target.caller.is_unlimited() && rest(old) == rest(sent)
}

fn role(target: &Target, old: Option<&Value>, new: &Value) -> Result<(), Failure> {
    let escalates = Attributes {
        verb: "escalate".to_owned(),
        name: target.name.clone().unwrap_or_default(),
        ..attributes(target, &target.resource.plural)
    };
    if target.caller.may(&escalates) {
        return Ok(());
    }
    grants(target, object::name(new), &Rule::all_of(new))?;
    let aggregates = |role: &Value| {
        let selectors = role["aggregationRule"]["clusterRoleSelectors"].as_array()?;
        (!selectors.is_empty()).then_some(())
    };
    let aggregates = old.and_then(aggregates).or_else(|| aggregates(new));
    if aggregates.is_some() && !missing(&target.caller, "", &Rule::everything()).is_empty() {
        let why = "must have cluster-admin privileges to use the aggregationRule";
        return Err(Failure::forbidden(&target.resource, object::name(new), why));
    }
    Ok(())
}

fn binding(target: &Target, transaction: &Transaction<'_>, new: &Value) -> Result<(), Failure> {
    let text = |field: &str| new["roleRef"][field].as_str().unwrap_or_default();
    let name = text("name");
    let (plural, namespace) = match text("kind") {
        "Role" => ("roles", target.namespace.as_deref().unwrap_or_default()),
        "ClusterRole" => ("clusterroles", ""),
        kind => {
            let why = format!("unsupported role reference kind: {kind:?}");
            return Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", why));
        }
    };
    let binds = Attributes {
        verb: "bind".to_owned(),
        name: name.to_owned(),
        group: text("apiGroup").to_owned(),
        ..attributes(target, plural)
    };
    if target.caller.may(&binds) {
        return Ok(());
    }
    if plural == "roles" && namespace.is_empty() {
        return Err(Failure::bad_request(NO_NAMESPACE));
    }
    if name.is_empty() {
        return Err(Failure::no_name());
    }
    let role = transaction.get(&bucket(plural), &Key::new(namespace, name));
    let role = role.ok_or_else(|| Failure::not_found(&target.resource, name))?;
    grants(target, object::name(new), &Rule::all_of(&role))
}

/// Whether the caller may create what its update or its patch would create.
pub(crate) fn check_creation(target: &Target) -> Result<(), Failure> {
    let Some(name) = &target.name else {
        return Ok(());
    };
    let creates = Attributes {
        verb: "create".to_owned(),
        group: target.resource.group.to_string(),
        resource: target.resource.plural.to_string(),
        namespace: target.namespace.clone().unwrap_or_default(),
        name: name.clone(),
        ..Attributes::default()
    };
    target.caller.require(&creates).map_err(|mut failure| {
        failure.no_sniff = false;
        failure
    })
}

fn attributes(target: &Target, plural: &str) -> Attributes {
    Attributes {
        group: GROUP.to_owned(),
        resource: plural.to_owned(),
        namespace: target.namespace.clone().unwrap_or_default(),
        ..Attributes::default()
    }
}

fn missing(caller: &Caller, namespace: &str, rules: &[Rule]) -> Vec<String> {
    not_held(caller.rules(namespace), rules)
}

fn grants(target: &Target, name: &str, rules: &[Rule]) -> Result<(), Failure> {
    let caller = &target.caller;
    let namespace = target.namespace.as_deref().unwrap_or_default();
    let missing = missing(caller, namespace, rules);
    if missing.is_empty() {
        return Ok(());
    }
    let user = caller.user();
    let groups: Vec<String> = user.groups.iter().map(|group| go::quoted(group)).collect();
    let mut why = format!(
        "user {} (groups=[{}]) is attempting to grant RBAC permissions not currently held:\n{}",
        go::quoted(&user.name),
        groups.join(" "),
        missing.join("\n")
    );
    if let Some(errors) = caller.errors(namespace) {
        let listed = errors.trim_start_matches('[').trim_end_matches(']');
        why.push_str(&format!("; resolution errors: [{listed}]"));
    }
    Err(Failure::forbidden(&target.resource, name, &why))
}
