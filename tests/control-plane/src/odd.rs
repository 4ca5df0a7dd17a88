//! Bytes that are no UTF-8, where a name or a path has them. Each stands for itself, so that nobody who is called, or
//! asks for, one thing has what is another's; to a client all of them are the same character.

use std::borrow::Cow;

/// What the bytes are kept as: characters that nothing else has, as nobody means them.
const FIRST: u32 = 0x0010_ff00;

/// Reads what may be no UTF-8.
pub(crate) fn read(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            // What would stand for a byte otherwise is taken apart as well.
            match byte(c) {
                Some(_) => text.extend(c.encode_utf8(&mut [0; 4]).bytes().filter_map(kept)),
                None => text.push(c),
            }
        }
        text.extend(chunk.invalid().iter().copied().filter_map(kept));
    }
    text
}

/// The same of what is said in an object, to be held against what was read.
pub(crate) fn read_text(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_owned(),
        false => read(text.as_bytes()),
    }
}

fn kept(byte: u8) -> Option<char> {
    char::from_u32(FIRST + u32::from(byte))
}

/// The byte that a character stands for, if it does.
pub(crate) fn byte(c: char) -> Option<u8> {
    let byte = u32::from(c).checked_sub(FIRST)?;
    u8::try_from(byte).ok().filter(|byte| !byte.is_ascii())
}

/// A text as it is told.
pub(crate) fn told(text: &str) -> Cow<'_, str> {
    match text.contains(|c| byte(c).is_some()) {
        true => text
            .replace(
                |c| byte(c).is_some(),
                &char::REPLACEMENT_CHARACTER.to_string(),
            )
            .into(),
        false => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_stands_for_itself() {
        assert_eq!(read("a\u{e4}\u{fffd}b".as_bytes()), "a\u{e4}\u{fffd}b");
        assert_ne!(read(b"a\x80"), read_text("a\u{10ff80}"));
        assert_eq!(read("a\u{10ff80}".as_bytes()), read_text("a\u{10ff80}"));
        assert_ne!(read(b"a\x80"), read(b"a\x81"));
        assert_ne!(read(b"a\x80"), read("a\u{fffd}".as_bytes()));
        let odd = read(b"\xe4\xff");
        let bytes: Vec<Option<u8>> = odd.chars().map(byte).collect();
        assert_eq!(bytes, [Some(0xe4), Some(0xff)]);
        assert_eq!(told(&odd), "\u{fffd}\u{fffd}");
        assert_eq!(byte('a'), None);
    }
}
