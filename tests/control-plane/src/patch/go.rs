//! Values as Go prints them, for messages that hold one.

use serde_json::{Map, Number, Value};

use crate::odd;
use crate::structs;

/// As `%v` prints it: `map[a:1 b:[x y]]`.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".into(),
        Value::String(text) => text.clone(),
        Value::Array(elements) => format!(
            "[{}]",
            elements.iter().map(plain).collect::<Vec<_>>().join(" ")
        ),
        Value::Object(fields) => map(fields),
        Value::Number(said) => number(said),
        Value::Bool(said) => said.to_string(),
    }
}

/// A number as `%v` prints it: one of floating point in its shortest form.
pub(crate) fn number(number: &Number) -> String {
    match number.as_f64().filter(|_| number.as_i64().is_none()) {
        Some(value) => float(value),
        None => number.to_string(),
    }
}

/// The same of floating point, with an exponent where it is small or large.
pub(crate) fn float(value: f64) -> String {
    let short = format!("{value:e}");
    match short
        .split_once('e')
        .map(|(digits, power)| (digits, power.parse::<i32>()))
    {
        Some((digits, Ok(power))) if !(-4..6).contains(&power) => {
            let sign = if power < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", power.abs())
        }
        _ => value.to_string(),
    }
}

/// A value in JSON, so that it can stand in a page of HTML.
pub(crate) fn json(value: &Value) -> String {
    let text = value.to_string();
    if !text.contains(['&', '<', '>', '\u{2028}', '\u{2029}']) {
        return text;
    }
    text.replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// A string as `%q` prints it.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", unquoted(text))
}

/// The same without the quotes.
pub(crate) fn unquoted(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0b' => out.push_str("\\v"),
            '\x0c' => out.push_str("\\f"),
            c if let Some(byte) = odd::byte(c) => out.push_str(&format!("\\x{byte:02x}")),
            c if is_printed(c) => out.push(c),
            c if c.is_ascii() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if u32::from(c) <= 0xffff => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out
}

/// Whether a character stands for itself in a string (`unicode.IsPrint`).
pub(crate) fn is_printed(c: char) -> bool {
    if c.is_ascii() {
        return c == ' ' || c.is_ascii_graphic();
    }
    // One that goes with the character before it is printed only behind one.
    let after = ['a', c];
    String::from_iter(after).escape_debug().nth(1) == Some(c)
}

/// A value as a message about a field shows it.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => json(other),
    }
}

/// A map as `%v` prints it.
pub(super) fn map(fields: &Map<String, Value>) -> String {
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{name}:{}", plain(value)))
        .collect();
    format!("map[{}]", fields.join(" "))
}

/// As `%#v` prints it: `[]interface {}{"x", 1}`. What keys are of a type is called so.
pub(crate) fn syntax(value: &Value, keys: &str) -> String {
    match value {
        Value::Null => "interface {}(nil)".into(),
        Value::Array(elements) => {
            format!(
                "[]interface {{}}{{{}}}",
                elements
                    .iter()
                    .map(|element| syntax(element, keys))
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        }
        Value::Object(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| format!("{name:?}:{}", syntax(value, keys)))
                .collect();
            format!("map[{keys}]interface {{}}{{{}}}", fields.join(", "))
        }
        scalar => scalar.to_string(),
    }
}

/// What the type is called.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// What a JSON value is called by Go's decoder.
pub(crate) fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Where Go's decoder cannot read a field, what its converter of generic values says instead.
pub(crate) fn restoring(why: &str) -> String {
    let parts = why
        .strip_prefix("json: cannot unmarshal ")
        .and_then(|rest| rest.split_once(" into Go struct field "))
        .and_then(|(got, rest)| Some((got, rest.rsplit_once(" of type ")?.1)));
    let Some((got, wanted)) = parts else {
        // Bytes are read in another way than what reads itself.
        return match why.starts_with("illegal base64") {
            true => format!("error decoding from json: {why}"),
            false => why.to_owned(),
        };
    };
    let got = match got {
        "object" => "map",
        "array" => "slice",
        "number" => "int64",
        "boolean" => "bool",
        fraction if fraction.contains('.') => "float64",
        number if number.starts_with("number") => "int64",
        other => other,
    };
    let kind = structs::underlying(wanted).unwrap_or(wanted);
    match (got, kind) {
        ("int64", "string") => return format!("cannot convert int64 to {wanted}"),
        ("float64", "int32" | "int64") => return format!("cannot convert {got} to {wanted}"),
        _ => {}
    }
    match kind {
        "slice" => format!("cannot restore slice from {got}"),
        "map" => format!("cannot restore map from {got}"),
        of_struct if of_struct.contains('.') && !of_struct.contains(['[', ']']) => {
            format!("cannot restore struct from: {got}")
        }
        list if list.starts_with("[]") => format!("cannot restore slice from {got}"),
        map if map.starts_with("map[") => format!("cannot restore map from {got}"),
        scalar => format!("unrecognized type: {scalar}"),
    }
}
