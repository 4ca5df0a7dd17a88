//! Pages of a list: the token that says where the next one begins.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::patch::go;
use crate::store::Key;
use crate::syntax;

/// What is left of a byte at the end counts for nothing.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

const VERSION: &str = "meta.k8s.io/v1";

/// Where the next page of a list begins.
pub(super) struct Page {
    /// None is the newest: the pages before it are of another moment.
    pub(super) revision: Option<u64>,
    pub(super) after: Key,
}

impl Page {
    pub(super) fn token(&self) -> String {
        // As etcd's keys are: the first one that may come is that of the last with the smallest byte behind it.
        let start = format!("{}/{}\0", self.after.namespace, self.after.name);
        let revision = self.revision.map_or(json!(-1), Value::from);
        let text = json!({"v": VERSION, "rv": revision, "start": start});
        URL_SAFE_NO_PAD.encode(text.to_string())
    }

    pub(super) fn read(token: &str) -> Result<Self, Failure> {
        Self::decode(token).map_err(|why| {
            Failure::bad_request(format!(
                "invalid continue token: continue key is not valid: {why}"
            ))
        })
    }

    fn decode(token: &str) -> Result<Self, String> {
        let illegal = |at| format!("illegal base64 data at input byte {at}");
        let text = match no_base64(token) {
            Some(at) => return Err(illegal(at)),
            None => LENIENT.decode(token).map_err(|_| illegal(token.len()))?,
        };
        let value: Value = serde_json::from_slice(&text)
            .map_err(|error| syntax::mistake(&text).unwrap_or_else(|| error.to_string()))?;
        let none = serde_json::Map::new();
        let fields = match &value {
            Value::Object(fields) => fields,
            Value::Null => &none,
            other => {
                return Err(format!(
                    "json: cannot unmarshal {} into Go value of type storage.continueToken",
                    go::json_kind(other)
                ));
            }
        };
        let field = |name| fields.get(name).filter(|value| !value.is_null());
        let text = |name| match field(name) {
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(other) => Err(mistyped(name, go::json_kind(other), "string")),
            None => Ok(""),
        };
        let version = text("v")?;
        let revision = match field("rv") {
            Some(Value::Number(number)) => number
                .as_i64()
                .ok_or_else(|| mistyped("rv", &format!("number {number}"), "int64"))?,
            Some(other) => return Err(mistyped("rv", go::json_kind(other), "int64")),
            None => 0,
        };
        let start = text("start")?;
        match (version, revision, start) {
            (VERSION, 0, _) => Err(format!(
                "incorrect encoded start resourceVersion (version {VERSION})"
            )),
            (VERSION, _, "") => Err(format!("encoded start key empty (version {VERSION})")),
            (VERSION, revision, start) => {
                let last = start.strip_suffix('\0').unwrap_or(start);
                let (namespace, name) = last.split_once('/').unwrap_or(("", last));
                if [namespace, name].contains(&"..") {
                    return Err(start.to_owned());
                }
                Ok(Self {
                    revision: u64::try_from(revision).ok(),
                    after: Key::new(namespace, name),
                })
            }
            (other, ..) => Err(format!(
                "server does not recognize this encoded version {other}"
            )),
        }
    }
}

fn mistyped(field: &str, got: &str, wanted: &str) -> String {
    format!(
        "json: cannot unmarshal {got} into Go struct field continueToken.{field} of type {wanted}"
    )
}

/// Where a text stops being base64, as Go's decoder says it.
fn no_base64(text: &str) -> Option<usize> {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let unknown = text.bytes().position(|byte| !is_known(byte));
    unknown.or_else(|| (text.len() % 4 == 1).then(|| text.len() - 1))
}
