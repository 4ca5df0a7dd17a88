//! What the configuration of webhooks must say.

use serde_json::Value;

use super::checks::{self, list, number, text};
use super::{names, webhook_clients, webhook_rules};
use crate::failure::Cause;
use crate::schema::LABEL;

const POLICIES: &str = r#""Fail", "Ignore""#;
const MATCHES: &str = r#""Equivalent", "Exact""#;
const SIDE_EFFECTS: &str = r#""None", "NoneOnDryRun""#;
const REINVOCATIONS: &str = r#""IfNeeded", "Never""#;
const REVIEWS: [&str; 2] = ["v1", "v1beta1"];

pub(super) fn check(configuration: &Value) -> Vec<Cause> {
    let webhooks = list(configuration, "webhooks");
    let mut wrong = Vec::new();
    for (index, webhook) in webhooks.iter().enumerate() {
        let path = format!("webhooks[{index}]");
        wrong.extend(check_webhook(webhook, &path));
        let versions = format!("{path}.admissionReviewVersions");
        wrong.extend(check_versions(
            &webhook["admissionReviewVersions"],
            &versions,
        ));
        let name = &webhook["name"];
        if webhooks[..index].iter().any(|known| known["name"] == *name) {
            wrong.push(Cause::duplicate(&format!("{path}.name"), name));
        }
    }
    wrong
}

fn check_webhook(webhook: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let one_of = |field: &str, known: &str| one_of(&at(field), &webhook[field], known);
    let mut wrong = Vec::new();
    wrong.extend(check_name(text(webhook, "name"), &at("name")));
    for (index, rule) in list(webhook, "rules").iter().enumerate() {
        let path = at(&format!("rules[{index}]"));
        wrong.extend(webhook_rules::check(rule, &path));
    }
    wrong.extend(one_of("failurePolicy", POLICIES));
    wrong.extend(one_of("matchPolicy", MATCHES));
    if webhook["sideEffects"].is_null() {
        let why = "must specify one of None, NoneOnDryRun";
        wrong.push(Cause::required(&at("sideEffects"), why));
    }
    wrong.extend(one_of("sideEffects", SIDE_EFFECTS));
    if let Some(seconds) = number(webhook, "timeoutSeconds")
        && !(1..=30).contains(&seconds)
    {
        let why = "the timeout value must be between 1 and 30 seconds";
        let path = at("timeoutSeconds");
        wrong.push(Cause::invalid(&path, &seconds.into(), why));
    }
    for field in ["namespaceSelector", "objectSelector"] {
        wrong.extend(checks::selector(&webhook[field], &at(field)));
    }
    wrong.extend(one_of("reinvocationPolicy", REINVOCATIONS));
    wrong.extend(webhook_clients::check(
        &webhook["clientConfig"],
        &at("clientConfig"),
    ));
    wrong.extend(check_conditions(
        list(webhook, "matchConditions"),
        &at("matchConditions"),
    ));
    wrong
}

fn check_name(name: &str, path: &str) -> Option<Cause> {
    if name.is_empty() {
        return Some(Cause::required(path, ""));
    }
    let why = names::subdomain(name).or_else(|| {
        let why = "should be a domain with at least three segments separated by dots";
        (name.split('.').count() < 3).then_some(why)
    });
    why.map(|why| Cause::invalid(path, &name.into(), why))
}

/// The expressions themselves are not looked into.
fn check_conditions(conditions: &[Value], path: &str) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for (index, condition) in conditions.iter().enumerate() {
        let at = |field: &str| format!("{path}[{index}].{field}");
        if text(condition, "expression").trim().is_empty() {
            wrong.push(Cause::required(&at("expression"), ""));
        }
        let name = text(condition, "name");
        if name.is_empty() {
            wrong.push(Cause::required(&at("name"), ""));
            continue;
        }
        let reasons = names::qualified(name);
        let reasons = reasons.iter();
        wrong.extend(reasons.map(|why| Cause::invalid(&at("name"), &name.into(), why)));
        if conditions[..index]
            .iter()
            .any(|known| known["name"] == name)
        {
            wrong.push(Cause::duplicate(&at("name"), &name.into()));
        }
    }
    wrong
}

fn check_versions(versions: &Value, path: &str) -> Vec<Cause> {
    let all = versions.as_array().map(Vec::as_slice).unwrap_or_default();
    if all.is_empty() {
        return vec![Cause::required(path, "must specify one of v1, v1beta1")];
    }
    let mut wrong = Vec::new();
    for (index, version) in all.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if all[..index].contains(version) {
            wrong.push(Cause::invalid(&path, version, "duplicate version"));
        } else if !names::is_name_label(version.as_str().unwrap_or_default()) {
            wrong.push(Cause::invalid(&path, version, LABEL));
        }
    }
    if !all
        .iter()
        .any(|version| REVIEWS.iter().any(|known| version == known))
    {
        let why = "must include at least one of v1, v1beta1";
        wrong.push(Cause::invalid(path, versions, why));
    }
    wrong
}

/// Whether what is said is one of those that are known, in quotes.
fn one_of(field: &str, said: &Value, known: &str) -> Option<Cause> {
    let text = said.as_str()?;
    let mut all = known.split(", ").map(|known| known.trim_matches('"'));
    (!all.any(|known| known == text)).then(|| Cause::unsupported(field, said, known))
}
