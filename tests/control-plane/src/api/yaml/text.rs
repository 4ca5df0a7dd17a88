//! From the bytes of a body to the text that is read.

use std::borrow::Cow;

/// What YAML 1.1 takes for the end of a line as well.
pub(super) const NEXT_LINE: char = '\u{85}';

/// The text of a body, or what Go's reader of YAML says of the first bytes that it does not take.
pub(super) fn of(body: &[u8]) -> Result<Cow<'_, str>, &'static str> {
    let read = std::str::from_utf8(body);
    let end = read.map_or_else(|error| error.valid_up_to(), str::len);
    let (text, odd) = body.split_at_checked(end).unwrap_or_default();
    if std::str::from_utf8(text).is_ok_and(|text| text.chars().any(is_control)) {
        return Err("control characters are not allowed");
    }
    let text = read.map_err(|_| why_no_character(odd))?;
    Ok(match text.contains(NEXT_LINE) {
        true => Cow::Owned(text.replace(NEXT_LINE, "\n")),
        false => Cow::Borrowed(text),
    })
}

/// The line of the first directive before a document that nobody knows, if it has a name at all.
pub(super) fn unknown_directive(text: &str) -> Option<usize> {
    let lines = text.lines().enumerate();
    let before = lines.take_while(|(_, line)| {
        let line = line.trim();
        line.is_empty() || line.starts_with(['%', '#'])
    });
    let mut directives = before.filter_map(|(at, line)| Some((at, line.strip_prefix('%')?)));
    let (at, _) = directives.find(|(_, directive)| {
        let name = directive.split([' ', '\t']).next().unwrap_or_default();
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric());
        is_name && !["YAML", "TAG"].contains(&name)
    })?;
    Some(at + 1)
}

/// What is no character of a text of YAML.
fn is_control(char: char) -> bool {
    !matches!(char, '\t' | '\n' | '\r' | ' '..='~' | NEXT_LINE | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
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
