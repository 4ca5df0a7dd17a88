//! Strings of JSON that are no text: Go's decoder takes them, with a sign in the place of what means nothing.

use bytes::Bytes;

/// What stands in the place of what means nothing.
const SIGN: &[u8] = "\u{fffd}".as_bytes();

/// The same JSON, in whose strings is nothing but text: bytes that are no UTF-8, and halves of surrogate pairs, are
/// each replaced by a sign.
pub(super) fn readable(body: Bytes) -> Bytes {
    let has_surrogates = body
        .windows(3)
        .any(|part| part.eq_ignore_ascii_case(br"\ud"));
    if !has_surrogates && std::str::from_utf8(&body).is_ok() {
        return body;
    }
    let mut text = Vec::with_capacity(body.len());
    let (mut rest, mut in_string) = (&*body, false);
    while let Some(&byte) = rest.first() {
        let (length, instead) = match byte {
            b'\\' if in_string => escape(rest),
            0x80.. if in_string => match character(rest) {
                Some(length) => (length, None),
                None => (1, Some(SIGN)),
            },
            _ => (1, None),
        };
        in_string ^= byte == b'"';
        let (read, after) = rest.split_at(length.min(rest.len()));
        text.extend_from_slice(instead.unwrap_or(read));
        rest = after;
    }
    text.into()
}

/// How long an escape is, and what is to be there in its place.
fn escape(text: &[u8]) -> (usize, Option<&'static [u8]>) {
    match (unit(text), text.get(6..).and_then(unit)) {
        (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, None),
        (Some(0xd800..=0xdfff), _) => (6, Some(SIGN)),
        (Some(_), _) => (6, None),
        (None, _) => (2, None),
    }
}

/// The number that an escape with four digits says.
fn unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(br"\u")?.get(..4)?;
    digits.iter().try_fold(0, |number, digit| {
        Some(number * 16 + char::from(*digit).to_digit(16)?)
    })
}

/// How many bytes the first character has; none if it is no character.
fn character(text: &[u8]) -> Option<usize> {
    (1..=4).find(|length| {
        let part = text.get(..*length);
        part.is_some_and(|part| std::str::from_utf8(part).is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_nothing_is_replaced_in_strings_alone() {
        for (given, read) in [
            (&br#"{"a": "\ud800"}"#[..], "{\"a\": \"\u{fffd}\"}"),
            (
                br#""\uD83D\uDE00 \ud800\ud83d\ude00""#,
                "\"\\uD83D\\uDE00 \u{fffd}\\ud83d\\ude00\"",
            ),
            (br#""\\ud800 \udc00\n""#, "\"\\\\ud800 \u{fffd}\\n\""),
            (
                b"\"\xf0\x9f\x98 \xc3\xa9\" \xc3\xa9",
                "\"\u{fffd}\u{fffd}\u{fffd} \u{e9}\" \u{e9}",
            ),
            (br#""\ud8"#, r#""\ud8"#),
            (br#""\"#, r#""\"#),
        ] {
            let got = readable(Bytes::copy_from_slice(given));
            assert_eq!(String::from_utf8_lossy(&got), read);
        }
        let outside = readable(Bytes::from_static(b"\xff \"\\ud800\""));
        assert_eq!(&*outside, b"\xff \"\xef\xbf\xbd\"");
    }
}
