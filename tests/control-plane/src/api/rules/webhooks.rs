//! What the configuration of webhooks must say.

use serde_json::Value;

use crate::failure::Cause;

const POLICIES: &str = r#""Fail", "Ignore""#;
const MATCHES: &str = r#""Equivalent", "Exact""#;
const SIDE_EFFECTS: &str = r#""None", "NoneOnDryRun""#;

pub(super) fn check(configuration: &Value) -> Vec<Cause> {
    let webhooks = configuration.get("webhooks").and_then(Value::as_array);
    let webhooks = webhooks.map(Vec::as_slice).unwrap_or_default();
    let mut wrong = Vec::new();
    for (index, webhook) in webhooks.iter().enumerate() {
        let path = format!("webhooks[{index}]");
        wrong.extend(check_webhook(webhook, &path));
        let name = &webhook["name"];
        if webhooks[..index].iter().any(|known| known["name"] == *name) {
            wrong.push(Cause::duplicate(&format!("{path}.name"), name));
        }
    }
    wrong
}

fn check_webhook(webhook: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let text = |field: &str| webhook[field].as_str().unwrap_or_default();
    let mut wrong = Vec::new();
    let name = text("name");
    if name.is_empty() {
        wrong.push(Cause::required(&at("name"), ""));
    } else if name.split('.').count() < 3 {
        let why = "should be a domain with at least three segments separated by dots";
        wrong.push(Cause::invalid(&at("name"), &name.into(), why));
    }
    let rules = webhook.get("rules").and_then(Value::as_array);
    for (index, rule) in rules.into_iter().flatten().enumerate() {
        for field in ["operations", "apiGroups", "apiVersions", "resources"] {
            if rule[field].as_array().is_none_or(Vec::is_empty) {
                let field = at(&format!("rules[{index}].{field}"));
                wrong.push(Cause::required(&field, ""));
            }
        }
    }
    for (field, supported) in [("failurePolicy", POLICIES), ("matchPolicy", MATCHES)] {
        wrong.extend(one_of(&at(field), text(field), supported));
    }
    if text("sideEffects").is_empty() {
        let why = "must specify one of None, NoneOnDryRun";
        wrong.push(Cause::required(&at("sideEffects"), why));
    }
    wrong.extend(one_of(
        &at("sideEffects"),
        text("sideEffects"),
        SIDE_EFFECTS,
    ));
    if let Some(seconds) = webhook.get("timeoutSeconds")
        && seconds
            .as_i64()
            .is_some_and(|seconds| !(1..=30).contains(&seconds))
    {
        let why = "the timeout value must be between 1 and 30 seconds";
        wrong.push(Cause::invalid(&at("timeoutSeconds"), seconds, why));
    }
    let is_there = |field: &str| !webhook["clientConfig"][field].is_null();
    if is_there("url") == is_there("service") {
        let why = "exactly one of url or service is required";
        wrong.push(Cause::required(&at("clientConfig"), why));
    }
    let versions = webhook["admissionReviewVersions"].as_array();
    if versions.is_none_or(Vec::is_empty) {
        let why = "must specify one of v1, v1beta1";
        wrong.push(Cause::required(&at("admissionReviewVersions"), why));
    }
    wrong
}

/// Whether what is said is one of those that are known, in quotes.
fn one_of(field: &str, said: &str, known: &str) -> Option<Cause> {
    let is_known = said.is_empty()
        || known
            .split(", ")
            .any(|known| known.trim_matches('"') == said);
    (!is_known).then(|| Cause::unsupported(field, &said.into(), known))
}
