//! What the configuration of webhooks must say.

use std::collections::HashSet;

use serde_json::Value;

use super::checks::{self, list, number, text};
use super::{admission_policies, names, webhook_clients, webhook_rules};
use crate::failure::Cause;

const POLICIES: &str = r#""Fail", "Ignore""#;
const MATCHES: &str = r#""Equivalent", "Exact""#;
const SIDE_EFFECTS: &str = r#""None", "NoneOnDryRun""#;
const REINVOCATIONS: &str = r#""IfNeeded", "Never""#;

pub(super) fn check(configuration: &Value) -> Vec<Cause> {
    let webhooks = list(configuration, "webhooks");
    let (mut wrong, mut seen) = (Vec::new(), HashSet::new());
    for (index, webhook) in webhooks.iter().enumerate() {
        let path = format!("webhooks[{index}]");
        wrong.extend(check_webhook(webhook, &path));
        let versions = format!("{path}.admissionReviewVersions");
        wrong.extend(webhook_clients::check_versions(
            &webhook["admissionReviewVersions"],
            &versions,
            "must specify one of v1, v1beta1",
        ));
        let name = text(webhook, "name");
        if !name.is_empty() && !seen.insert(name) {
            wrong.push(Cause::duplicate(&format!("{path}.name"), &name.into()));
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
    wrong.extend(admission_policies::check_conditions(
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

/// Whether what is said is one of those that are known, in quotes.
fn one_of(field: &str, said: &Value, known: &str) -> Option<Cause> {
    let text = said.as_str()?;
    let mut all = known.split(", ").map(|known| known.trim_matches('"'));
    (!all.any(|known| known == text)).then(|| Cause::unsupported(field, said, known))
}
