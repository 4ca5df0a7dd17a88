//! Bodies of YAML.

use std::collections::HashMap;

use granit_parser::{Event, Parser};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::duplicates::duplicates;
use super::said_twice;

/// What is told of YAML begins with this where it refuses; a warning is the rest alone.
const ERRORS: &str = "yaml: unmarshal errors:\n  ";
const BETWEEN: &str = "\n  ";

/// Reads YAML, of which JSON is a part: the first document. Of a key that is there again the last value counts.
pub(crate) fn parse_yaml(body: &[u8]) -> Result<Value, String> {
    let text = text_of(body).map_err(|why| format!("yaml: {why}"))?;
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    if aliases_too_much(text) {
        return Err("yaml: document contains excessive aliasing".to_owned());
    }
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
        with_snippet: false,
        budget: budget(),
        alias_limits: alias_limits(),
    };
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| format!("yaml: {error}"))?;
    Ok(documents.into_iter().next().unwrap_or_default())
}

/// The text of a body, or what Go's reader of YAML says of the first bytes that it does not take.
fn text_of(body: &[u8]) -> Result<&str, &'static str> {
    let read = std::str::from_utf8(body);
    let end = read.map_or_else(|error| error.valid_up_to(), str::len);
    let (text, odd) = body.split_at_checked(end).unwrap_or_default();
    if std::str::from_utf8(text).is_ok_and(|text| text.chars().any(is_control)) {
        return Err("control characters are not allowed");
    }
    read.map_err(|_| why_no_character(odd))
}

/// What is no character of a text of YAML.
fn is_control(char: char) -> bool {
    !matches!(char, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
}

fn why_no_character(bytes: &[u8]) -> &'static str {
    let width = match bytes.first() {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        _ => return "invalid leading UTF-8 octet",
    };
    let Some([leading, trailing @ ..]) = bytes.get(..width) else {
        return "incomplete UTF-8 octet sequence";
    };
    if trailing.iter().any(|octet| octet & 0xc0 != 0x80) {
        return "invalid trailing UTF-8 octet";
    }
    let high = u32::from(leading & (0xff >> (width + 1)));
    let number = trailing.iter().fold(high, |number, octet| {
        (number << 6) | u32::from(octet & 0x3f)
    });
    let least = match width {
        2 => 0x80,
        3 => 0x800,
        _ => 0x10000,
    };
    if number < least {
        return "invalid length of a UTF-8 sequence";
    }
    "invalid Unicode character"
}

/// How much there is, the size of a body and [`aliases_too_much`] limit.
fn budget() -> Option<serde_saphyr::Budget> {
    serde_saphyr::budget! {
        max_events: usize::MAX,
        max_nodes: usize::MAX,
        max_aliases: usize::MAX,
        max_anchors: usize::MAX,
        max_recorded_anchor_events: usize::MAX,
        enforce_alias_anchor_ratio: false,
    }
}

fn alias_limits() -> serde_saphyr::options::AliasLimits {
    serde_saphyr::alias_limits! { max_total_replayed_events: usize::MAX }
}

/// Each of what is told at once where it refuses is a warning of its own.
pub(super) fn as_warnings(told: Vec<String>) -> Vec<String> {
    let each = |told: String| match told.strip_prefix(ERRORS) {
        Some(rest) => rest.split(BETWEEN).map(str::to_owned).collect(),
        None => vec![told],
    };
    told.into_iter().flat_map(each).collect()
}

/// The keys of a YAML text that are there again, as they are told.
pub(super) fn said_twice_in_yaml(body: &[u8]) -> Option<String> {
    // JSON, of which most of it is, can be looked through sooner.
    let is_json = serde_json::from_slice::<IgnoredAny>(body).is_ok();
    if is_json && duplicates(body).is_empty() {
        return None;
    }
    let twice = said_twice::in_yaml(std::str::from_utf8(body).ok()?);
    (!twice.is_empty()).then(|| format!("{ERRORS}{}", twice.join(BETWEEN)))
}

/// How the parser numbers the anchor of what has none.
const NONE: usize = 0;

/// Whether aliases make much of little: by how many nodes there are to decode, and how many of them are an alias's.
/// Nothing is taken in the place of an alias to find that out.
fn aliases_too_much(text: &str) -> bool {
    let (mut decoded, mut by_aliases) = (0u64, 0u64);
    // How many nodes what has an anchor is, and which nodes are open, with their anchors and where they began.
    let mut sizes: HashMap<usize, u64> = HashMap::new();
    let mut open: Vec<(usize, u64)> = Vec::new();
    for event in Parser::new_from_str(text) {
        let Ok((event, _)) = event else {
            return false;
        };
        match event {
            Event::Alias(anchor) => {
                // What an alias within itself would be is refused where it is decoded.
                let size = sizes.get(&anchor).copied().unwrap_or_default();
                decoded = decoded.saturating_add(size).saturating_add(1);
                by_aliases = by_aliases.saturating_add(size);
            }
            Event::Scalar(_, _, anchor, _) => {
                decoded = decoded.saturating_add(1);
                if anchor != NONE {
                    sizes.insert(anchor, 1);
                }
            }
            Event::SequenceStart(_, anchor, _) | Event::MappingStart(_, anchor, _) => {
                open.push((anchor, decoded));
                decoded = decoded.saturating_add(1);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((anchor, before)) = open.pop()
                    && anchor != NONE
                {
                    sizes.insert(anchor, decoded - before);
                }
            }
            Event::DocumentEnd => return false,
            _ => {}
        }
        if is_too_much(decoded, by_aliases) {
            return true;
        }
    }
    false
}

/// The bounds of Go's decoder of YAML: of a small document nearly all may come of aliases, of a great one a tenth.
#[allow(
    clippy::cast_precision_loss,
    reason = "a part is compared, and not to the digit"
)]
fn is_too_much(decoded: u64, by_aliases: u64) -> bool {
    const SMALL: f64 = 400_000.0;
    const GREAT: f64 = 4_000_000.0;
    let part = by_aliases as f64 / decoded as f64;
    let greatness = ((decoded as f64 - SMALL) / (GREAT - SMALL)).clamp(0.0, 1.0);
    by_aliases > 100 && decoded > 1_000 && part > 0.99 - 0.89 * greatness
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lists of nine aliases each of the list before.
    fn nested(levels: usize) -> String {
        let mut text = "a0: &a0 [x]\n".to_owned();
        for level in 1..levels {
            let aliases = vec![format!("*a{}", level - 1); 9].join(",");
            text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        text
    }

    #[test]
    fn aliases_of_aliases_are_refused_before_they_are_followed() {
        assert!(parse_yaml(nested(3).as_bytes()).is_ok());
        for levels in [5, 9, 40, 400] {
            let refused = parse_yaml(nested(levels).as_bytes());
            assert_eq!(
                refused,
                Err("yaml: document contains excessive aliasing".to_owned())
            );
        }
    }

    #[test]
    fn many_aliases_of_little_are_read() {
        let aliases = "- *x\n".repeat(100_000);
        let read = parse_yaml(format!("a: &x one\nb:\n{aliases}").as_bytes()).unwrap();
        assert_eq!(read["b"].as_array().unwrap().len(), 100_000);
        assert_eq!(read["b"][99_999], "one");
    }
}
