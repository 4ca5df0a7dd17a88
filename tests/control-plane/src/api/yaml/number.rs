//! Numbers, as Go's reader of YAML 1.1 finds them.

/// An integer in any base that Go knows the prefix of: a leading zero alone is octal.
pub(super) fn signed(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let size = unsigned(digits)?;
    match is_negative {
        true => 0i64.checked_sub_unsigned(size),
        false => i64::try_from(size).ok(),
    }
}

/// The same without a sign.
pub(super) fn unsigned(text: &str) -> Option<u64> {
    let (base, digits) = match text.as_bytes() {
        [b'0', b'b' | b'B', _, ..] => (2, &text[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &text[2..]),
        [b'0', b'x' | b'X', _, ..] => (16, &text[2..]),
        [b'0', _, ..] => (8, &text[1..]),
        _ => (10, text),
    };
    let begins_well = digits.starts_with(|c: char| c.is_ascii_alphanumeric());
    begins_well.then(|| u64::from_str_radix(digits, base).ok())?
}

/// A number with a point or an exponent; one that is too great is none.
pub(super) fn float(text: &str) -> Option<f64> {
    let may_be = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    let number: f64 = text.chars().all(may_be).then(|| text.parse().ok())??;
    number.is_finite().then_some(number)
}

/// One that begins with its point, which takes `_` between digits alone.
pub(super) fn fraction(text: &str) -> Option<f64> {
    let is_digit = |at: Option<&u8>| at.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    let separates = |at: usize| is_digit(bytes.get(at - 1)) && is_digit(bytes.get(at + 1));
    let separated = text
        .match_indices('_')
        .all(|(at, _)| at > 0 && separates(at));
    separated.then(|| float(&text.replace('_', "")))?
}

/// A number as a key: as short as 32 bits can have it, in Go's `%g`.
#[allow(clippy::cast_possible_truncation, reason = "a key has no more of it")]
pub(super) fn as_key(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    let number = number as f32;
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let shown = format!("{number:e}");
    let Some((digits, exponent)) = shown.split_once('e') else {
        return shown;
    };
    match exponent.parse::<i32>() {
        Ok(exponent @ (..-4 | 6..)) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => number.to_string(),
    }
}
