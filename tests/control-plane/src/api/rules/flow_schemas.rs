//! The rules of flow schemas: which requests are of a flow, and which level takes it.

use serde_json::Value;

use super::checks::{list, number, one_of, text};
use super::fixed::unsupported_struct;
use super::{mandatory, names};
use crate::failure::Cause;
use crate::object;

const MOST: i64 = 10_000;
const ALL: &str = "*";
const VERBS: [&str; 9] = [
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "proxy",
    "update",
    "watch",
];
/// A kind of subjects, and the field that says which one it is, in the order in which a server looks.
const SUBJECTS: [(&str, &str); 3] = [
    ("ServiceAccount", "serviceAccount"),
    ("User", "user"),
    ("Group", "group"),
];

pub(super) fn check(schema: &Value) -> Vec<Cause> {
    let spec = &schema["spec"];
    let mut wrong: Vec<Cause> = check_precedence(object::name(schema), spec)
        .into_iter()
        .collect();
    let method = &spec["distinguisherMethod"];
    if method.is_object() && !["ByNamespace", "ByUser"].contains(&text(method, "type")) {
        let known = r#""ByNamespace", "ByUser""#;
        wrong.push(unsupported_struct(
            "spec.distinguisherMethod.type",
            "flowcontrol.FlowDistinguisherMethod",
            method,
            known,
        ));
    }
    let level = text(&spec["priorityLevelConfiguration"], "name");
    let path = "spec.priorityLevelConfiguration.name";
    wrong.extend(match level {
        "" => Some(Cause::required(path, "must reference a priority level")),
        _ => names::subdomain(level).map(|why| Cause::invalid(path, &level.into(), why)),
    });
    for (index, rule) in list(spec, "rules").iter().enumerate() {
        wrong.extend(check_rule(rule, &format!("spec.rules[{index}]")));
    }
    wrong.extend(mandatory::check("FlowSchema", schema));
    wrong
}

fn check_precedence(name: &str, spec: &Value) -> Option<Cause> {
    let precedence = number(spec, "matchingPrecedence").unwrap_or(0);
    let why = match precedence {
        ..=0 => "must be a positive value",
        1 if name != "exempt" => "only the schema named 'exempt' may have matchingPrecedence 1",
        _ if precedence > MOST => "must not be greater than 10000",
        _ => return None,
    };
    Some(Cause::invalid(
        "spec.matchingPrecedence",
        &precedence.into(),
        why,
    ))
}

fn check_rule(rule: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str, index: usize| format!("{path}.{field}[{index}]");
    let subjects = list(rule, "subjects");
    let mut wrong = Vec::new();
    if subjects.is_empty() {
        let why = "subjects must contain at least one value";
        wrong.push(Cause::required(&format!("{path}.subjects"), why));
    }
    for (index, subject) in subjects.iter().enumerate() {
        wrong.extend(check_subject(subject, &at("subjects", index)));
    }
    let (of_resources, of_paths) = (list(rule, "resourceRules"), list(rule, "nonResourceRules"));
    if of_resources.is_empty() && of_paths.is_empty() {
        let why = "at least one of resourceRules and nonResourceRules has to be non-empty";
        wrong.push(Cause::required(path, why));
    }
    for (index, rule) in of_resources.iter().enumerate() {
        wrong.extend(check_resources(rule, &at("resourceRules", index)));
    }
    for (index, rule) in of_paths.iter().enumerate() {
        wrong.extend(check_paths(rule, &at("nonResourceRules", index)));
    }
    wrong
}

fn check_subject(subject: &Value, path: &str) -> Vec<Cause> {
    let kind = text(subject, "kind");
    let Some((_, own)) = SUBJECTS.iter().find(|(known, _)| *known == kind) else {
        let known = ["Group", "ServiceAccount", "User"];
        let cause = one_of(kind, &format!("{path}.kind"), &known);
        return cause.into_iter().collect();
    };
    let at = format!("{path}.{own}");
    let mut wrong = match subject[own].is_null() {
        true => {
            let why = format!("{own} is required when subject kind is '{kind}'");
            vec![Cause::required(&at, &why)]
        }
        false => check_named(kind, &subject[own], &at),
    };
    for (kind, field) in SUBJECTS.iter().filter(|(_, field)| field != own) {
        if !subject[field].is_null() {
            let why = format!("{field} is forbidden when subject kind is not '{kind}'");
            wrong.push(Cause::forbidden(&format!("{path}.{field}"), &why));
        }
    }
    wrong
}

/// Users and groups are called anything, accounts are called what they are.
fn check_named(kind: &str, named: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let (name, namespace) = (text(named, "name"), text(named, "namespace"));
    let is_account = kind == "ServiceAccount";
    let mut wrong = Vec::new();
    if name.is_empty() {
        wrong.push(Cause::required(&at("name"), ""));
    } else if is_account && name != ALL {
        let why = names::subdomain(name);
        wrong.extend(why.map(|why| Cause::invalid(&at("name"), &name.into(), why)));
    }
    if is_account && namespace.is_empty() {
        let why = "must specify namespace for service account";
        wrong.push(Cause::required(&at("namespace"), why));
    } else if is_account {
        let why = names::label(namespace);
        wrong.extend(why.map(|why| Cause::invalid(&at("namespace"), &namespace.into(), why)));
    }
    wrong
}

fn check_resources(rule: &Value, path: &str) -> Vec<Cause> {
    let mut wrong: Vec<Cause> = check_verbs(rule, path).into_iter().collect();
    for (field, one, others) in [
        ("apiGroups", "api group", "api groups"),
        ("resources", "resource", "resources"),
    ] {
        let missing = format!("resource rules must supply at least one {one}");
        wrong.extend(missing_or_more_than_all(
            rule, path, field, &missing, others,
        ));
    }
    let spaces = list(rule, "namespaces");
    if rule["clusterScope"] != true || !spaces.is_empty() {
        let missing =
            "resource rules that are not cluster scoped must supply at least one namespace";
        let cause = missing_or_more_than_all(rule, path, "namespaces", missing, "namespaces");
        wrong.extend(cause);
    }
    if !has_all(spaces) {
        for (index, space) in spaces.iter().enumerate() {
            let path = format!("{path}.namespaces[{index}]");
            let why = names::label(space.as_str().unwrap_or_default());
            wrong.extend(why.map(|why| {
                let why =
                    format!("each member of this list must be '*' or a DNS-1123 label; {why}");
                Cause::invalid(&path, space, &why)
            }));
        }
    }
    wrong
}

fn check_paths(rule: &Value, path: &str) -> Vec<Cause> {
    const FIELD: &str = "nonResourceURLs";
    let mut wrong: Vec<Cause> = check_verbs(rule, path).into_iter().collect();
    let missing = "nonResourceURLs must contain at least one value";
    let others = "non-resource URLs";
    wrong.extend(missing_or_more_than_all(rule, path, FIELD, missing, others));
    let urls = list(rule, FIELD);
    if !has_all(urls) {
        for (index, url) in urls.iter().enumerate() {
            let why = unfit_path(url.as_str().unwrap_or_default());
            let path = format!("{path}.{FIELD}[{index}]");
            wrong.extend(why.map(|why| Cause::invalid(&path, url, why)));
        }
    }
    wrong
}

fn unfit_path(path: &str) -> Option<&'static str> {
    let stars = path.matches('*').count();
    match path {
        "" => Some("must not be empty"),
        _ if !path.starts_with('/') => Some("must start with slash"),
        _ if path.contains(' ') => Some("must not contain white-space"),
        _ if path.contains("//") => Some("must not contain double slash"),
        _ if stars > 1 || (stars == 1 && !path.ends_with("/*")) => {
            Some("wildcard can only do suffix matching")
        }
        _ => None,
    }
}

fn check_verbs(rule: &Value, path: &str) -> Option<Cause> {
    let verbs = list(rule, "verbs");
    let missing = "verbs must contain at least one value";
    let is_known = |verb: &Value| VERBS.iter().any(|known| verb == known);
    if verbs.is_empty() || has_all(verbs) || verbs.iter().all(is_known) {
        return missing_or_more_than_all(rule, path, "verbs", missing, "verbs");
    }
    let known = VERBS.map(|verb| format!("{verb:?}")).join(", ");
    Some(Cause::unsupported(
        &format!("{path}.verbs"),
        &rule["verbs"],
        &known,
    ))
}

/// A list in a rule names something, and nothing beside all there is.
fn missing_or_more_than_all(
    rule: &Value,
    path: &str,
    field: &str,
    missing: &str,
    others: &str,
) -> Option<Cause> {
    let values = list(rule, field);
    let path = format!("{path}.{field}");
    if values.is_empty() {
        return Some(Cause::required(&path, missing));
    }
    let why = format!("if '*' is present, must not specify other {others}");
    (has_all(values) && values.len() > 1).then(|| Cause::invalid(&path, &rule[field], &why))
}

fn has_all(values: &[Value]) -> bool {
    values.iter().any(|value| value == ALL)
}
