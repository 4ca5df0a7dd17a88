//! What stands for a character or a count in a pattern.

use super::parse::Wrong;

pub(super) const BAD_ESCAPE: &str = "invalid escape sequence";

/// What stands before `after`, which is the end of it.
pub(super) fn up_to<'a>(text: &'a str, after: &str) -> &'a str {
    &text[..text.len() - after.len()]
}

/// `{2}`, `{2,}` or `{2,3}`: the least, the most and what comes behind.
pub(super) fn counted(text: &str) -> Option<(u32, Option<u32>, &str)> {
    let inside = text.strip_prefix('{')?;
    let end = inside.find(|next: char| next != ',' && !next.is_ascii_digit())?;
    let (inner, after) = inside.split_at(end);
    let after = after.strip_prefix('}')?;
    let number = |digits: &str| {
        let is_number = !digits.is_empty()
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && (digits == "0" || !digits.starts_with('0'));
        // A number that is too big is too big as any.
        is_number.then(|| digits.parse().unwrap_or(u32::MAX))
    };
    match inner.split_once(',') {
        None => number(inner).map(|exactly| (exactly, Some(exactly), after)),
        Some((least, "")) => Some((number(least)?, None, after)),
        Some((least, most)) => Some((number(least)?, Some(number(most)?), after)),
    }
}

/// The character that an escape stands for.
pub(super) fn escape(rest: &str) -> Result<(u32, &str), Wrong<'_>> {
    let Some(letter) = rest.chars().nth(1) else {
        return Err(("trailing backslash at end of expression", ""));
    };
    let after = &rest[1 + letter.len_utf8()..];
    let known = match letter {
        'a' => Some('\x07'),
        'f' => Some('\x0C'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\x0B'),
        _ if letter.is_ascii() && !letter.is_ascii_alphanumeric() => Some(letter),
        _ => None,
    };
    if let Some(known) = known {
        return Ok((known.into(), after));
    }
    let octal = |text: &str| {
        text.bytes()
            .take_while(|byte| (b'0'..b'8').contains(byte))
            .count()
    };
    let digits = &rest[1..];
    match letter {
        'x' => hexadecimal(rest, after),
        '0'..='7' if letter == '0' || octal(after) > 0 => {
            let (digits, after) = digits.split_at(octal(digits).min(3));
            let code = u32::from_str_radix(digits, 8).ok();
            code.map(|code| (code, after)).ok_or((BAD_ESCAPE, rest))
        }
        _ => Err((BAD_ESCAPE, up_to(rest, after))),
    }
}

/// `\x7F` or `\x{10FFFF}`. What is wrong is told up to the first character that cannot be.
fn hexadecimal<'a>(rest: &'a str, after: &'a str) -> Result<(u32, &'a str), Wrong<'a>> {
    let wrong = |behind| (BAD_ESCAPE, up_to(rest, behind));
    let Some(braced) = after.strip_prefix('{') else {
        let two = after
            .char_indices()
            .nth(2)
            .map_or(after.len(), |(at, _)| at);
        let (digits, behind) = after.split_at(two);
        let mut codes = digits.chars().map(|digit| digit.to_digit(16));
        let (high, low) = (codes.next().flatten(), codes.next().flatten());
        let code = high.zip(low).map(|(high, low)| high * 16 + low);
        return code.map(|code| (code, behind)).ok_or(wrong(behind));
    };
    let mut code = None;
    for (at, digit) in braced.char_indices() {
        let behind = &braced[at + digit.len_utf8()..];
        match (digit.to_digit(16), code) {
            (None, Some(code)) if digit == '}' => return Ok((code, behind)),
            (Some(digit), _) => {
                let next = code.unwrap_or(0) * 16 + digit;
                code = Some(next).filter(|next| *next <= u32::from(char::MAX));
                code.ok_or(wrong(behind))?;
            }
            (None, _) => return Err(wrong(behind)),
        }
    }
    Err(wrong(""))
}
