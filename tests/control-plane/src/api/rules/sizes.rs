//! How much a ConfigMap or a Secret may hold (`MaxSecretSize` of a kube-apiserver).

use serde_json::Value;

/// In bytes of all values together.
pub(super) const MOST: usize = 1024 * 1024;

/// What a ConfigMap holds.
pub(super) fn data(config_map: &Value) -> usize {
    sum(config_map, "data", str::len) + sum(config_map, "binaryData", decoded)
}

/// What a Secret holds.
pub(super) fn secret(secret: &Value) -> usize {
    sum(secret, "data", decoded)
}

fn sum(object: &Value, field: &str, length: fn(&str) -> usize) -> usize {
    let values = object.get(field).and_then(Value::as_object);
    let texts = values.into_iter().flatten();
    texts
        .map(|(_, value)| length(value.as_str().unwrap_or_default()))
        .sum()
}

/// The length of what is written in base64.
fn decoded(text: &str) -> usize {
    let padding = text.len() - text.trim_end_matches('=').len();
    (text.len() / 4 * 3).saturating_sub(padding)
}
