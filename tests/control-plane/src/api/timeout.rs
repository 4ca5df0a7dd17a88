//! How long a request may take, as its query says: nothing here takes long, but what cannot be read is refused.

use super::query::Query;
use crate::auth::Attributes;
use crate::failure::Failure;

/// The most nanoseconds that Go counts.
const MOST: u64 = 1 << 63;
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];
/// The subresources that may take as long as they want.
const ENDLESS: [&str; 5] = ["attach", "exec", "proxy", "log", "portforward"];

pub(super) fn check(asked: &Attributes, query: &Query) -> Result<(), Failure> {
    let timeout = query
        .get("timeout")
        .filter(|_| !is_endless(asked))
        .unwrap_or_default();
    match mistake(timeout) {
        None => Ok(()),
        Some(why) => Err(Failure::bad_request(format!(
            "invalid timeout specified in the request URL - time: {why}"
        ))),
    }
}

/// Whether a request may take as long as it wants.
pub(super) fn is_endless(asked: &Attributes) -> bool {
    match &asked.path {
        Some(path) => path.starts_with("/debug/pprof/"),
        None => {
            ["watch", "proxy"].contains(&&*asked.verb) || ENDLESS.contains(&&*asked.subresource)
        }
    }
}

/// What Go has against a text as a duration.
fn mistake(text: &str) -> Option<String> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if text.is_empty() || unsigned == "0" {
        return None;
    }
    let invalid = || Some(format!("invalid duration {}", quoted(text)));
    if unsigned.is_empty() {
        return invalid();
    }
    let (mut rest, mut whole) = (unsigned, 0_u64);
    while !rest.is_empty() {
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = &rest[..rest.len() - after.len()];
        let fraction = after.strip_prefix('.').map(|after| {
            let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
            (&after[..after.len() - rest.len()], rest)
        });
        let (digits, after) = fraction.unwrap_or(("", after));
        if number.is_empty() && digits.is_empty() {
            return invalid();
        }
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit());
        let (unit, left) = after.split_at(end.unwrap_or(after.len()));
        if unit.is_empty() {
            return Some(format!("missing unit in duration {}", quoted(text)));
        }
        let Some((_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            let (unit, text) = (quoted(unit), quoted(text));
            return Some(format!("unknown unit {unit} in duration {text}"));
        };
        let number = if number.is_empty() { "0" } else { number };
        let number = number.parse::<u64>().ok();
        let sum = number
            .and_then(|number| number.checked_mul(*nanos))
            .and_then(|nanos| whole.checked_add(nanos))
            .filter(|sum| *sum <= MOST);
        match sum {
            Some(sum) => whole = sum,
            None => return invalid(),
        }
        rest = left;
    }
    None
}

/// As Go's durations quote it: byte by byte, where it is not ASCII.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=b'~' | 0x7f => quoted.push(char::from(byte)),
            _ => quoted.push_str(&format!("\\x{byte:02x}")),
        }
    }
    quoted.push('"');
    quoted
}
