//! YAML: 1.1, as Go's reader has it, through which a real server reads.

mod answer;
mod decode;
mod key;
mod limits;
mod mistake;
mod nodes;
mod number;
mod scalar;
#[cfg(test)]
mod tests;
mod text;

use std::collections::HashSet;

use serde_json::Value;

use super::duplicates::duplicates;
pub(crate) use answer::{MEDIA_TYPE, answer};
use decode::Said;
use nodes::Documents;

/// What is told of YAML begins with this where it refuses; a warning is the rest alone.
const ERRORS: &str = "yaml: unmarshal errors:\n  ";
const BETWEEN: &str = "\n  ";

/// Reads YAML, of which JSON is a part: the first document.
pub(crate) fn read(body: &[u8]) -> Result<Value, String> {
    match as_json(body) {
        Some(value) => Ok(value),
        None => first(body).map(|said| said.value),
    }
}

/// The keys that are there again, as they are told.
pub(super) fn said_twice(body: &[u8]) -> Option<String> {
    if as_json(body).is_some() && duplicates(body).is_empty() {
        return None;
    }
    let twice = first(body).ok()?.twice;
    (!twice.is_empty()).then(|| format!("{ERRORS}{}", twice.join(BETWEEN)))
}

/// Each of what is told at once where it refuses is a warning of its own, and is one once.
pub(super) fn as_warnings(told: Vec<String>) -> Vec<String> {
    let each = |told: String| match told.strip_prefix(ERRORS) {
        Some(rest) => rest.split(BETWEEN).map(str::to_owned).collect(),
        None => vec![told],
    };
    let mut seen = HashSet::new();
    let warnings = told.into_iter().flat_map(each);
    warnings
        .filter(|warning| seen.insert(warning.clone()))
        .collect()
}

/// JSON, as most of it is, which can be read sooner; but a number is what YAML has it for.
fn as_json(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?;
    // What JSON reads otherwise.
    let is_other = text.contains(text::NEXT_LINE)
        || ["\\/", "\\ud", "\\uD"]
            .iter()
            .any(|escape| text.contains(escape));
    let mut value = match is_other {
        true => None,
        false => serde_json::from_str(text).ok(),
    };
    value.iter_mut().for_each(read_numbers);
    value
}

fn read_numbers(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(read_numbers),
        Value::Object(fields) => fields.values_mut().for_each(read_numbers),
        Value::Number(number) if !number.is_i64() => {
            let read = number.as_f64().and_then(decode::in_json);
            *value = read.map_or(Value::Null, Value::Number);
        }
        _ => {}
    }
}

/// How many comments may begin right behind something: for each, all is read anew.
const MOST_ATTACHED: usize = 64;

fn first(body: &[u8]) -> Result<Said, String> {
    let mut text = text::of(body).map_err(in_yaml)?;
    if let Some(line) = text::unknown_directive(&text) {
        let why = mistake::on_line(line, "found unknown directive name");
        return Err(in_yaml(why));
    }
    for _ in 0..MOST_ATTACHED {
        let mistake = match Documents::of(&text).next() {
            Some(Ok(document)) => return decode::decode(&document),
            None => return Ok(Said::default()),
            Some(Err(mistake)) => mistake,
        };
        match mistake.comment {
            Some(at) => text.to_mut().insert(at, ' '),
            None => return Err(in_yaml(mistake.told)),
        }
    }
    Err(in_yaml("did not find expected comment or line break"))
}

fn in_yaml(why: impl std::fmt::Display) -> String {
    format!("yaml: {why}")
}
