//! What a Secret of a type must hold.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::sizes;
use crate::failure::Cause;

pub(super) fn check(secret: &Value) -> Vec<Cause> {
    let data = secret.get("data").and_then(Value::as_object);
    let has = |key: &str| data.is_some_and(|data| data.contains_key(key));
    let has_text =
        |key: &str| data.is_some_and(|data| data.get(key).is_some_and(|text| text != ""));
    let require = |key: &&str| Cause::required(&format!("data[{key}]"), "");
    let required = |keys: &[&str]| -> Vec<Cause> {
        let missing = keys.iter().filter(|key| !has(key));
        missing.map(require).collect()
    };
    let too_long = sizes::secret(secret) > sizes::MOST;
    let mut wrong: Vec<Cause> = too_long
        .then(|| Cause::too_long("data", sizes::MOST))
        .into_iter()
        .collect();
    let kind = secret.get("type").and_then(Value::as_str);
    wrong.extend(match kind.unwrap_or_default() {
        "kubernetes.io/service-account-token" => of_account(secret).into_iter().collect(),
        "kubernetes.io/tls" => required(&["tls.crt", "tls.key"]),
        "kubernetes.io/ssh-auth" if !has_text("ssh-privatekey") => vec![require(&"ssh-privatekey")],
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => {
            required(&["username", "password"])
        }
        "kubernetes.io/dockerconfigjson" => json(data, ".dockerconfigjson"),
        "kubernetes.io/dockercfg" => json(data, ".dockercfg"),
        _ => Vec::new(),
    });
    wrong
}

/// A token is somebody's.
fn of_account(secret: &Value) -> Option<Cause> {
    const ACCOUNT: &str = "kubernetes.io/service-account.name";
    let account = secret["metadata"]["annotations"][ACCOUNT].as_str();
    account
        .is_none_or(str::is_empty)
        .then(|| Cause::required(&format!("metadata.annotations[{ACCOUNT}]"), ""))
}

fn json(data: Option<&serde_json::Map<String, Value>>, key: &str) -> Vec<Cause> {
    let at = format!("data[{key}]");
    let Some(text) = data.and_then(|data| data.get(key)?.as_str()) else {
        return vec![Cause::required(&at, "")];
    };
    let decoded = STANDARD.decode(text).unwrap_or_default();
    match serde_json::from_slice::<serde_json::Map<String, Value>>(&decoded) {
        Ok(_) => Vec::new(),
        Err(_) => {
            let first = decoded.first().map(|byte| char::from(*byte));
            let why = match first {
                Some(first) => {
                    format!("invalid character '{first}' looking for beginning of value")
                }
                None => "unexpected end of JSON input".to_owned(),
            };
            vec![Cause::invalid(
                &at,
                &"<secret contents redacted>".into(),
                &why,
            )]
        }
    }
}
