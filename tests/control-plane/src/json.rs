//! JSON as Go writes it: whatever means something in HTML is escaped in texts.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

/// Writes a value to memory, which always works: none of ours refuses to be written.
pub(crate) fn write(value: &impl Serialize, into: &mut Vec<u8>) {
    let begin = into.len();
    let mut serializer = Serializer::with_formatter(&mut *into, Escaping(CompactFormatter));
    if value.serialize(&mut serializer).is_err() {
        into.truncate(begin);
        into.extend_from_slice(b"null");
    }
}

/// The same as a text.
pub(crate) fn text(value: &impl Serialize) -> String {
    let mut text = Vec::new();
    write(value, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// A text of JSON with numbers as they were said.
pub(crate) fn said(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
    let escaped = ESCAPED.iter();
    // They are nowhere but in texts.
    escaped.fold(text, |text, (c, escaped)| text.replace(*c, escaped))
}

/// The same with a line for every field and element, each a space further in than what it is in.
pub(crate) fn lines(value: &impl Serialize) -> String {
    let mut text = Vec::new();
    let format = Escaping(PrettyFormatter::with_indent(b" "));
    let written = value.serialize(&mut Serializer::with_formatter(&mut text, format));
    written.map_or_else(
        |_| "null".to_owned(),
        |()| String::from_utf8_lossy(&text).into_owned(),
    )
}

/// The same JSON for people to read, its fields in the order in which they are.
pub(crate) fn indent(json: &[u8]) -> serde_json::Result<Vec<u8>> {
    let mut indented = Vec::new();
    serde_transcode::transcode(
        &mut serde_json::Deserializer::from_slice(json),
        &mut Serializer::with_formatter(&mut indented, Escaping(PrettyFormatter::new())),
    )?;
    Ok(indented)
}

/// A number of floating point: with an exponent only where it is very small or large.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    match text.contains("e-") {
        true => text,
        false => text.replace('e', "e+"),
    }
}

/// A format in which texts can stand in a page of HTML, and in JavaScript.
struct Escaping<F>(F);

/// Those that others leave as they are.
const ESCAPED: [(char, &str); 5] = [
    ('<', "\\u003c"),
    ('>', "\\u003e"),
    ('&', "\\u0026"),
    ('\u{2028}', "\\u2028"),
    ('\u{2029}', "\\u2029"),
];

impl<F: Formatter> Formatter for Escaping<F> {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Nearly all texts have none of them, whose first bytes these are.
        let begins = |byte: u8| matches!(byte, b'<' | b'>' | b'&' | 0xe2);
        if !fragment.bytes().any(begins) {
            return writer.write_all(fragment.as_bytes());
        }
        let is_escaped = |c: char| ESCAPED.iter().any(|(escaped, _)| *escaped == c);
        for part in fragment.split_inclusive(is_escaped) {
            let last = part.chars().next_back();
            match ESCAPED.iter().find(|(escaped, _)| Some(*escaped) == last) {
                Some((escaped, how)) => {
                    let before = part.strip_suffix(*escaped).unwrap_or(part);
                    writer.write_all(before.as_bytes())?;
                    writer.write_all(how.as_bytes())?;
                }
                None => writer.write_all(part.as_bytes())?,
            }
        }
        Ok(())
    }

    fn write_f64<W: Write + ?Sized>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(number(value).as_bytes())
    }

    fn write_u64<W: Write + ?Sized>(&mut self, writer: &mut W, value: u64) -> io::Result<()> {
        match i64::try_from(value) {
            Ok(_) => self.0.write_u64(writer, value),
            // To Go it is one of floating point.
            #[allow(clippy::cast_precision_loss)]
            Err(_) => self.write_f64(writer, value as f64),
        }
    }

    fn begin_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_escaped_is_the_same_value() {
        let value = json!({"a<b": "<&>\u{2028}\u{2029}\n\"é\\", "n": [1, 0.5, null, {}]});
        let mut text = b"before ".to_vec();
        write(&value, &mut text);
        let text = String::from_utf8(text).unwrap();
        let escaped = r#"{"a\u003cb":"\u003c\u0026\u003e\u2028\u2029\n\"é\\","n":[1,0.5,null,{}]}"#;
        assert_eq!(text, format!("before {escaped}"));
        assert_eq!(serde_json::from_str::<Value>(escaped).unwrap(), value);
        let indented = String::from_utf8(indent(escaped.as_bytes()).unwrap()).unwrap();
        assert!(
            indented.starts_with("{\n  \"a\\u003cb\": \"\\u003c"),
            "{indented}"
        );
        assert_eq!(serde_json::from_str::<Value>(&indented).unwrap(), value);
    }
}
