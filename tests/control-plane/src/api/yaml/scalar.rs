//! What a scalar is: YAML 1.1, as Go reads it.

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use jiff::fmt::strtime;

use super::number;

/// What a text stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
}

impl Scalar {
    fn tag(&self) -> &'static str {
        match self {
            Self::Null => "!!null",
            Self::Bool(_) => "!!bool",
            Self::Int(_) | Self::Unsigned(_) => "!!int",
            Self::Float(_) => "!!float",
            Self::Text(_) => "!!str",
        }
    }
}

/// What a plain text is without a tag.
pub(super) fn plain(text: &str) -> Scalar {
    let named = match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(Scalar::Bool(true)),
        "true" | "True" | "TRUE" => Some(Scalar::Bool(true)),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(Scalar::Bool(false)),
        "false" | "False" | "FALSE" => Some(Scalar::Bool(false)),
        "" | "~" | "null" | "Null" | "NULL" => Some(Scalar::Null),
        ".nan" | ".NaN" | ".NAN" => Some(Scalar::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            Some(Scalar::Float(f64::INFINITY))
        }
        "-.inf" | "-.Inf" | "-.INF" => Some(Scalar::Float(f64::NEG_INFINITY)),
        _ => None,
    };
    let number = || match text.as_bytes().first() {
        Some(b'.') => number::fraction(text).map(Scalar::Float),
        Some(b'+' | b'-' | b'0'..=b'9') => number_in(&text.replace('_', "")),
        _ => None,
    };
    named
        .or_else(number)
        .unwrap_or_else(|| Scalar::Text(text.to_owned()))
}

fn number_in(text: &str) -> Option<Scalar> {
    let int = || number::signed(text).map(Scalar::Int);
    let unsigned = || number::unsigned(text).map(Scalar::Unsigned);
    let float = || number::float(text).map(Scalar::Float);
    int().or_else(unsigned).or_else(float)
}

/// What a text is that says what it is, or why it is not.
pub(super) fn tagged(tag: &str, text: &str) -> Result<Scalar, String> {
    let found = match tag {
        "!!binary" => return from_base64(text).map(Scalar::Text),
        "!!timestamp" if is_time(text) => return Ok(Scalar::Text(text.to_owned())),
        "!!bool" | "!!int" | "!!float" | "!!null" | "!!timestamp" => plain(text),
        _ => return Ok(Scalar::Text(text.to_owned())),
    };
    match found {
        #[allow(clippy::cast_precision_loss, reason = "it is to be a float")]
        Scalar::Int(number) if tag == "!!float" => Ok(Scalar::Float(number as f64)),
        found if found.tag() == tag => Ok(found),
        found => Err(format!("cannot decode {} `{text}` as a {tag}", found.tag())),
    }
}

/// Bytes that are no text become the signs that stand for such.
fn from_base64(text: &str) -> Result<String, String> {
    const STANDARD: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
    );
    let text = text.replace(['\n', '\r'], "");
    let bytes = STANDARD.decode(text);
    let bytes = bytes.map_err(|_| "!!binary value contains invalid base64 data".to_owned())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether a text is a date, or a time of a day.
fn is_time(text: &str) -> bool {
    const FORMATS: [&str; 6] = [
        "%Y-%m-%d",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.fZ",
        "%Y-%m-%dt%H:%M:%S%.fZ",
        "%Y-%m-%dT%H:%M:%S%.f%:z",
        "%Y-%m-%dt%H:%M:%S%.f%:z",
    ];
    let year = text.split('-').next().unwrap_or_default();
    year.len() == 4
        && year.bytes().all(|digit| digit.is_ascii_digit())
        && FORMATS
            .iter()
            .any(|format| strtime::parse(format, text).is_ok())
}
