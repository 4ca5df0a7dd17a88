//! What a role and its binding must say.

use serde_json::Value;

use super::checks::{self, list, one_of, one_of_if_said, text};
use super::names;
use crate::failure::Cause;

const GROUP: &str = "rbac.authorization.k8s.io";

pub(super) fn check(role: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let rules = role.get("rules").and_then(Value::as_array);
    for (index, rule) in rules.into_iter().flatten().enumerate() {
        let at = |field: &str| format!("rules[{index}].{field}");
        let says = |field: &str| {
            rule.get(field)
                .and_then(Value::as_array)
                .is_some_and(|list| !list.is_empty())
        };
        if !says("verbs") {
            wrong.push(Cause::required(
                &at("verbs"),
                "verbs must contain at least one value",
            ));
        }
        if says("nonResourceURLs") {
            let mut refuse = |why: &str| {
                let urls = &rule["nonResourceURLs"];
                wrong.push(Cause::invalid(&at("nonResourceURLs"), urls, why));
            };
            if role["kind"] == "Role" {
                refuse("namespaced rules cannot apply to non-resource URLs");
            }
            if ["apiGroups", "resources", "resourceNames"]
                .into_iter()
                .any(says)
            {
                refuse("rules cannot apply to both regular resources and non-resource URLs");
            }
            continue;
        }
        if !says("apiGroups") {
            wrong.push(Cause::required(
                &at("apiGroups"),
                "resource rules must supply at least one api group",
            ));
        }
        if !says("resources") {
            wrong.push(Cause::required(
                &at("resources"),
                "resource rules must supply at least one resource",
            ));
        }
    }
    wrong.extend(check_aggregation(&role["aggregationRule"]));
    wrong
}

/// Whoever gathers rules says from where.
fn check_aggregation(rule: &Value) -> Vec<Cause> {
    const PATH: &str = "aggregationRule.clusterRoleSelectors";
    let selectors = list(rule, "clusterRoleSelectors");
    if !rule.is_null() && selectors.is_empty() {
        let why = "at least one clusterRoleSelector required if aggregationRule is non-nil";
        return vec![Cause::required(PATH, why)];
    }
    let mut wrong = Vec::new();
    for (index, selector) in selectors.iter().enumerate() {
        let path = format!("{PATH}[{index}]");
        let unfit = checks::selector(selector, &path);
        let is_unfit = !unfit.is_empty();
        wrong.extend(unfit);
        if is_unfit {
            wrong.push(Cause::invalid(
                &path,
                &Value::Null,
                "invalid label selector.",
            ));
        }
    }
    wrong
}

pub(super) fn check_binding(binding: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let is_cluster = binding["kind"] == "ClusterRoleBinding";
    let reference = &binding["roleRef"];
    wrong.extend(one_of_if_said(
        &reference["apiGroup"],
        "roleRef.apiGroup",
        &[GROUP],
    ));
    let kinds: &[&str] = match is_cluster {
        true => &["ClusterRole"],
        false => &["Role", "ClusterRole"],
    };
    wrong.extend(one_of(text(reference, "kind"), "roleRef.kind", kinds));
    match text(reference, "name") {
        "" => wrong.push(Cause::required("roleRef.name", "")),
        name => wrong.extend(names::path_segment(name, "roleRef.name")),
    }
    for (index, subject) in list(binding, "subjects").iter().enumerate() {
        wrong.extend(check_subject(
            subject,
            is_cluster,
            &format!("subjects[{index}]"),
        ));
    }
    wrong
}

fn check_subject(subject: &Value, is_cluster: bool, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let (name, group) = (text(subject, "name"), text(subject, "apiGroup"));
    let mut wrong = Vec::new();
    if name.is_empty() {
        wrong.push(Cause::required(&at("name"), ""));
    }
    match text(subject, "kind") {
        "ServiceAccount" => {
            let why = names::subdomain(name).filter(|_| !name.is_empty());
            wrong.extend(why.map(|why| Cause::invalid(&at("name"), &name.into(), why)));
            wrong.extend(one_of(group, &at("apiGroup"), &[""]));
            if is_cluster && text(subject, "namespace").is_empty() {
                wrong.push(Cause::required(&at("namespace"), ""));
            }
        }
        "User" | "Group" => wrong.extend(one_of(group, &at("apiGroup"), &[GROUP])),
        kind => wrong.extend(one_of(
            kind,
            &at("kind"),
            &["ServiceAccount", "User", "Group"],
        )),
    }
    wrong
}
