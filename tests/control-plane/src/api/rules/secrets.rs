//! What a Secret of a type must hold.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::sizes;
use crate::failure::Cause;
use crate::syntax;

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
        "kubernetes.io/dockerconfigjson" => json(data, ".dockerconfigjson").into_iter().collect(),
        "kubernetes.io/dockercfg" => json(data, ".dockercfg").into_iter().collect(),
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

fn json(data: Option<&serde_json::Map<String, Value>>, key: &str) -> Option<Cause> {
    let at = format!("data[{key}]");
    let Some(text) = data.and_then(|data| data.get(key)?.as_str()) else {
        return Some(Cause::required(&at, ""));
    };
    // Go's decoder takes the end for a space.
    let decoded = [STANDARD.decode(text).unwrap_or_default(), vec![b' ']].concat();
    let why = syntax::mistake(&decoded).or_else(|| {
        let kind = match decoded.trim_ascii_start().first()? {
            b'{' | b'n' => return None,
            b'[' => "array",
            b'"' => "string",
            b't' | b'f' => "bool",
            _ => "number",
        };
        Some(format!(
            "json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
        ))
    })?;
    let hidden = "<secret contents redacted>".into();
    Some(Cause::invalid(&at, &hidden, &why))
}
