//! How the versions of a CustomResourceDefinition become one another.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;

use super::definition_names;
use crate::api::webhook_clients;
use crate::failure::Cause;

const CLIENT: &str = "spec.conversion.webhookClientConfig";
const VERSIONS: &str = "spec.conversion.conversionReviewVersions";

/// What is wrong with the webhook that is to convert. Nobody asks it, of which the writer is warned.
pub(super) fn check_webhook(webhook: &Value) -> Vec<Cause> {
    let client = &webhook["clientConfig"];
    let mut wrong = match client {
        Value::Null => {
            let why = "required when strategy is set to Webhook";
            vec![Cause::required(CLIENT, why)]
        }
        _ => webhook_clients::check(client, CLIENT),
    };
    wrong.extend(webhook_clients::check_versions(
        &webhook["conversionReviewVersions"],
        VERSIONS,
        "",
    ));
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
