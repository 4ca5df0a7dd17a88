//! Quantities, `100m` or `1.5Gi`, in the one form in which the API server writes each.

const NANOS: i128 = 1_000_000_000;
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/// By powers of a thousand, from the smallest.
const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const NO_QUANTITY: &str = "quantities must match the regular expression \
                           '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

enum Format {
    Binary,
    Decimal,
    Exponent,
}

/// The canonical form; the error is the server's own.
pub(super) fn canonical(text: &str) -> Result<String, String> {
    let text = text.trim();
    let (nanos, format) = parse(text).ok_or(NO_QUANTITY)?;
    Ok(written(nanos, &format))
}

/// A sum, in the format of the first quantity unless that is nothing.
pub(crate) fn plus(one: &str, other: &str) -> String {
    let nothing = (0, Format::Decimal);
    let (one, format) = parse(one).unwrap_or(nothing);
    match parse(other) {
        Some((other, format)) if one == 0 => written(other, &format),
        Some((other, _)) => written(one + other, &format),
        None => written(one, &format),
    }
}

fn written(nanos: i128, format: &Format) -> String {
    match format {
        // Smaller ones are not written in powers of two.
        Format::Binary if nanos.abs() >= 1024 * NANOS => binary(up(nanos, NANOS)),
        Format::Binary | Format::Decimal => decimal(nanos, |power| match DECIMAL.get(power) {
            Some(suffix) => (*suffix).to_owned(),
            None => String::new(),
        }),
        Format::Exponent => decimal(nanos, |power| match power {
            3 => String::new(),
            power => format!("e{}", (power as i64 - 3) * 3),
        }),
    }
}

/// The value in billionths; none for what is no quantity.
pub(crate) fn in_billionths(text: &str) -> Option<i128> {
    parse(text).map(|(nanos, _)| nanos)
}

/// The value in billionths, rounded up, and how it was written.
fn parse(text: &str) -> Option<(i128, Format)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && !"+-.".contains(c))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (negative, digits) = match number.as_bytes().first()? {
        b'-' => (true, &number[1..]),
        b'+' => (false, &number[1..]),
        _ => (false, number),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if (whole.is_empty() && part.is_empty())
        || !whole
            .bytes()
            .chain(part.bytes())
            .all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let part = &part[..part.len().min(18)];
    let digits: i128 = format!("{whole}{part}").parse().ok()?;
    let digits = if negative { -digits } else { digits };
    let below = 10_i128.checked_pow(u32::try_from(part.len()).ok()?)?;
    let (times, over, format) = unit(suffix)?;
    let nanos = digits.checked_mul(times)?.checked_mul(NANOS)?;
    Some((up(nanos, below.checked_mul(over)?), format))
}

/// What a suffix multiplies with and divides by.
fn unit(suffix: &str) -> Option<(i128, i128, Format)> {
    if let Some(power) = BINARY.iter().position(|known| *known == suffix)
        && power > 0
    {
        return Some((1024_i128.pow(u32::try_from(power).ok()?), 1, Format::Binary));
    }
    if let Some(power) = DECIMAL.iter().position(|known| *known == suffix) {
        let (times, over) = power_of_ten(3 * (i32::try_from(power).ok()? - 3))?;
        return Some((times, over, Format::Decimal));
    }
    let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    let (times, over) = power_of_ten(exponent)?;
    Some((times, over, Format::Exponent))
}

fn power_of_ten(exponent: i32) -> Option<(i128, i128)> {
    let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
    Some(if exponent < 0 { (1, power) } else { (power, 1) })
}

/// Divides and rounds away from zero.
fn up(value: i128, by: i128) -> i128 {
    let rest = if value % by == 0 { 0 } else { value.signum() };
    value / by + rest
}

fn binary(mut value: i128) -> String {
    let mut power = 0;
    while value != 0 && value % 1024 == 0 && power + 1 < BINARY.len() {
        value /= 1024;
        power += 1;
    }
    format!("{value}{}", BINARY[power])
}

fn decimal(mut nanos: i128, suffix: impl Fn(usize) -> String) -> String {
    if nanos == 0 {
        return "0".to_owned();
    }
    let mut power = 0;
    while nanos % 1000 == 0 && power + 1 < DECIMAL.len() {
        nanos /= 1000;
        power += 1;
    }
    format!("{nanos}{}", suffix(power))
}

#[cfg(test)]
mod tests {
    use super::{canonical, plus};

    #[test]
    fn each_has_one_form() {
        for (given, wanted) in [
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("0.1", "100m"),
            ("1000", "1k"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Ki", "512"),
            ("1025", "1025"),
            ("1e3", "1e3"),
            ("12e6", "12e6"),
            ("-2.50", "-2500m"),
            ("0", "0"),
            ("0Mi", "0"),
            ("1n", "1n"),
            ("0.1n", "1n"),
            (".5", "500m"),
            ("2E", "2E"),
        ] {
            assert_eq!(canonical(given).as_deref(), Ok(wanted), "{given}");
        }
        for wrong in ["", "a", "1.2.3", "1 Gi", "Mi", "-", "1ee3", "1e99", "--1"] {
            assert!(canonical(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_sum_is_written_as_its_first_part_is() {
        for (one, other, wanted) in [
            ("1Gi", "512Mi", "1536Mi"),
            ("1Gi", "1G", "2073741824"),
            ("1", "1Gi", "1073741825"),
            ("0", "1Gi", "1Gi"),
            ("900m", "100m", "1"),
            ("2", "-1", "1"),
        ] {
            assert_eq!(plus(one, other), wanted, "{one} and {other}");
        }
    }
}
