//! How webhooks are called.

use serde_json::{Map, Value, json};

use super::{default, each, inner};
use crate::object;

pub(super) fn validating(configuration: &mut Value) {
    for webhook in each(object::as_map(configuration), "webhooks") {
        common(webhook);
    }
}

pub(super) fn mutating(configuration: &mut Value) {
    for webhook in each(object::as_map(configuration), "webhooks") {
        common(webhook);
        default(webhook, "reinvocationPolicy", "Never");
    }
}

fn common(webhook: &mut Map<String, Value>) {
    default(webhook, "failurePolicy", "Fail");
    default(webhook, "matchPolicy", "Equivalent");
    default(webhook, "namespaceSelector", json!({}));
    default(webhook, "objectSelector", json!({}));
    default(webhook, "timeoutSeconds", 10);
    for rule in each(webhook, "rules") {
        default(rule, "scope", "*");
    }
    let service = inner(webhook, "clientConfig").and_then(|config| inner(config, "service"));
    if let Some(service) = service {
        default(service, "port", 443);
    }
}
