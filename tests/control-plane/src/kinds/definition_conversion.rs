//! How the versions of a CustomResourceDefinition become one another.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;

use super::definition_names;
use crate::failure::Cause;
use crate::schema::LABEL;

const CLIENT: &str = "spec.conversion.webhookClientConfig";
const VERSIONS: &str = "spec.conversion.conversionReviewVersions";

/// What is wrong with the webhook that is to convert. Nobody asks it, of which the writer is warned.
pub(super) fn check_webhook(webhook: &Value) -> Vec<Cause> {
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
        return wrong;
    }
    for (at, version) in all.iter().enumerate() {
        let name = version.as_str().unwrap_or_default();
        let at_version = format!("{VERSIONS}[{at}]");
        if all[..at].contains(version) {
            wrong.push(Cause::invalid(&at_version, version, "duplicate version"));
        } else if !is_label(name) {
            wrong.push(Cause::invalid(&at_version, version, LABEL));
        }
    }
    let mut all = all.iter();
    if !all.any(|version| version == "v1" || version == "v1beta1") {
        let why = "must include at least one of v1, v1beta1";
        wrong.push(Cause::invalid(VERSIONS, versions, why));
    }
    wrong
}

/// What is wrong with a webhook that nothing asks for.
pub(super) fn check_no_webhook(webhook: &Value) -> Vec<Cause> {
    const WHY: &str = "should not be set when strategy is not set to Webhook";
    let mut wrong = Vec::new();
    if !webhook["clientConfig"].is_null() {
        wrong.push(Cause::forbidden(CLIENT, WHY));
    }
    let versions = webhook["conversionReviewVersions"].as_array();
    if versions.is_some_and(|versions| !versions.is_empty()) {
        wrong.push(Cause::forbidden(VERSIONS, WHY));
    }
    wrong
}

fn is_label(name: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(is_inner)
}

/// What is wrong with the certificates of a webhook that is named anew, where the kind is served already.
pub(super) fn check_bundle(definition: &Value, old: Option<&Value>) -> Option<Cause> {
    let old = old.filter(|old| definition_names::is_established(old))?;
    let is_new = has_invalid_bundle(definition) && !has_invalid_bundle(old);
    let bundle = definition.pointer("/spec/conversion/webhook/clientConfig/caBundle");
    is_new.then(|| {
        Cause::invalid(
            "spec.conversion.webhookClientConfig.caBundle",
            bundle.unwrap_or(&Value::Null),
            "unable to load root certificates: unable to parse bytes as PEM block",
        )
    })
}

/// Whether the webhook that is to convert would be known by certificates that are none.
pub(super) fn has_invalid_bundle(definition: &Value) -> bool {
    let bundle = definition.pointer("/spec/conversion/webhook/clientConfig/caBundle");
    let bundle = bundle.and_then(Value::as_str).unwrap_or_default();
    let text = STANDARD.decode(bundle).unwrap_or_default();
    let mut certificates = CertificateDer::pem_slice_iter(&text);
    // A certificate is a sequence.
    !bundle.is_empty()
        && !certificates.any(|found| found.is_ok_and(|found| found.first() == Some(&0x30)))
}
