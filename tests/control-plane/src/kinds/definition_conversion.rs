//! How the versions of a CustomResourceDefinition become one another.

use serde_json::Value;

use crate::failure::Cause;

/// What is wrong with the webhook that is to convert. Nobody asks it, of which the writer is warned.
pub(super) fn check_webhook(webhook: &Value) -> Vec<Cause> {
    const CLIENT: &str = "spec.conversion.webhookClientConfig";
    const VERSIONS: &str = "spec.conversion.conversionReviewVersions";
    let mut wrong = Vec::new();
    let client = &webhook["clientConfig"];
    let said = |field: &str| !client[field].is_null();
    if client.is_null() {
        let why = "required when strategy is set to Webhook";
        wrong.push(Cause::required(CLIENT, why));
    } else if said("url") == said("service") {
        let why = "exactly one of url or service is required";
        wrong.push(Cause::required(CLIENT, why));
    } else {
        for field in ["name", "namespace"] {
            if said("service") && client["service"][field].as_str().is_none_or(str::is_empty) {
                wrong.push(Cause::required(&format!("{CLIENT}.service.{field}"), ""));
            }
        }
        let url = client["url"].as_str().unwrap_or_default();
        if let Some((scheme, _)) = url
            .split_once("://")
            .filter(|(scheme, _)| *scheme != "https")
        {
            let why = "'https' is the only allowed URL scheme; desired format: https://host[/path]";
            wrong.push(Cause::invalid(
                &format!("{CLIENT}.url"),
                &scheme.into(),
                why,
            ));
        }
    }
    let versions = &webhook["conversionReviewVersions"];
    let all = versions.as_array().map(Vec::as_slice).unwrap_or_default();
    if all.is_empty() {
        wrong.push(Cause::required(VERSIONS, ""));
    } else if !all
        .iter()
        .any(|version| version == "v1" || version == "v1beta1")
    {
        wrong.push(Cause::invalid(
            VERSIONS,
            versions,
            "must include at least one of v1, v1beta1",
        ));
    }
    wrong
}
