//! Quantities, `100m` or `1.5Gi`, in the form in which the API server writes each.

const NANOS: i128 = 1_000_000_000;
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/// By powers of a thousand, from the smallest.
const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const NO_QUANTITY: &str = "quantities must match the regular expression \
                           '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

const NO_SUFFIX: &str = "unable to parse quantity's suffix";
const NO_NUMBER: &str = "unable to parse numeric part of quantity";
/// A value in powers of two is no greater.
const GREATEST: i128 = i64::MAX as i128;
/// As many digits as a 64 bit number has in any case.
const DIGITS: usize = 18;
/// As many as it has beside a power of two.
const BINARY_DIGITS: usize = 14;

enum Format {
    Binary,
    Decimal,
    Exponent,
}

/// The canonical form, or that in which it was sent where the server takes it for canonical at first sight; the error
/// is the server's own.
pub(super) fn canonical(text: &str) -> Result<String, String> {
    let text = text.trim();
    let (nanos, format) = parse(text)?;
    Ok(match looks_canonical(text) {
        true => text.to_owned(),
        false => written(nanos, &format),
    })
}

/// The amount of a resource, which is in thousandths at the finest.
pub(super) fn of_resource(text: &str) -> Option<String> {
    const MILLI: i128 = NANOS / 1000;
    let (nanos, format) = parse(text).ok()?;
    let is_finer = nanos % MILLI != 0;
    is_finer.then(|| written(up(nanos, MILLI) * MILLI, &format))
}

/// What `ParseQuantity` of apimachinery takes to be in its canonical form, and keeps as it is.
fn looks_canonical(text: &str) -> bool {
    if text == "0" {
        return true;
    }
    let (number, suffix) = split(text);
    let digits = number
        .trim_start_matches(['+', '-'])
        .trim_start_matches('0');
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = if whole.is_empty() { "0" } else { whole };
    if let Some(power) = binary_power(suffix) {
        let exponent = 10 * power;
        let value: Option<i64> = whole.parse().ok();
        let fits =
            value.is_some_and(|value| value % 8 != 0 && value.checked_mul(1 << exponent).is_some());
        return part.is_empty() && fits && whole.len() + exponent * 3 / 10 <= BINARY_DIGITS;
    }
    let exponent = match DECIMAL.iter().position(|known| *known == suffix) {
        Some(power) => 3 * (i64::try_from(power).unwrap_or_default() - 3),
        None => suffix
            .get(1..)
            .and_then(|exponent| exponent.parse().ok())
            .unwrap_or_default(),
    };
    let scale = exponent - i64::try_from(part.len()).unwrap_or(i64::MAX);
    let shifted = format!("{whole}{part}");
    let is_short = shifted.len() <= DIGITS && scale >= -9;
    is_short && scale % 3 == 0 && !shifted.ends_with("000") && !shifted.starts_with('0')
}

/// A sum, in the format of the first quantity unless that is nothing.
pub(crate) fn plus(one: &str, other: &str) -> String {
    let nothing = (0, Format::Decimal);
    let (one, format) = parse(one).unwrap_or(nothing);
    match parse(other) {
        Ok((other, format)) if one == 0 => written(other, &format),
        Ok((other, _)) => written(one + other, &format),
        Err(_) => written(one, &format),
    }
}

fn written(nanos: i128, format: &Format) -> String {
    match format {
        // Smaller ones are not written in powers of two, nor are parts.
        Format::Binary if nanos.abs() >= 1024 * NANOS && nanos % NANOS == 0 => {
            binary(nanos / NANOS)
        }
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
    parse(text).ok().map(|(nanos, _)| nanos)
}

/// The value in billionths, rounded up, and how it was written; the error is the server's own.
fn parse(text: &str) -> Result<(i128, Format), &'static str> {
    let (number, suffix) = split(text);
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let mut bytes = whole.bytes().chain(part.bytes());
    let power = suffix.trim_start_matches(|letter| "eEinumkKMGTP".contains(letter));
    let power = power.strip_prefix(['+', '-']).unwrap_or(power);
    let is_form =
        bytes.all(|byte| byte.is_ascii_digit()) && power.bytes().all(|byte| byte.is_ascii_digit());
    if text.is_empty() || !is_form {
        return Err(NO_QUANTITY);
    }
    let unit = unit(suffix).ok_or(NO_SUFFIX)?;
    in_unit(sign, whole, part, unit).ok_or(NO_NUMBER)
}

fn in_unit(sign: i128, whole: &str, part: &str, unit: Unit) -> Option<(i128, Format)> {
    let (times, over, format) = unit;
    let part = &part[..part.len().min(18)];
    // No digits are nothing.
    let digits: i128 = format!("0{whole}{part}").parse().ok()?;
    let below = 10_i128.checked_pow(u32::try_from(part.len()).ok()?)?;
    let nanos = (sign * digits).checked_mul(times)?.checked_mul(NANOS)?;
    let nanos = up(nanos, below.checked_mul(over)?);
    let nanos = match format {
        Format::Binary => nanos.clamp(-GREATEST * NANOS, GREATEST * NANOS),
        _ => nanos,
    };
    Some((nanos, format))
}

/// The number with its sign, and what follows it.
fn split(text: &str) -> (&str, &str) {
    let signed = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = signed.find(|c: char| !c.is_ascii_digit() && c != '.');
    text.split_at(text.len() - signed.len() + end.unwrap_or(signed.len()))
}

/// How often 1024 a suffix multiplies with, if it does.
fn binary_power(suffix: &str) -> Option<usize> {
    let power = BINARY.iter().position(|known| *known == suffix)?;
    (power > 0).then_some(power)
}

/// What a suffix multiplies with and divides by.
type Unit = (i128, i128, Format);

fn unit(suffix: &str) -> Option<Unit> {
    if let Some(power) = binary_power(suffix) {
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
    use super::{canonical, of_resource, plus};

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
            ("0.1Gi", "107374182400m"),
            ("1.0001Ki", "1024102400u"),
            ("8Ei", "9223372036854775807"),
            ("1E3", "1E3"),
            ("1e+3", "1e+3"),
            ("5.", "5."),
            ("+5", "+5"),
            ("007", "007"),
            ("1e0", "1e0"),
            ("1.500", "1.500"),
            ("1.50", "1500m"),
            ("0.500", "500m"),
            ("1025Ki", "1025Ki"),
            ("1000k", "1M"),
            ("-", "0"),
            ("Mi", "0"),
        ] {
            assert_eq!(canonical(given).as_deref(), Ok(wanted), "{given}");
        }
        for wrong in [
            "", "a", "1.2.3", "1 Gi", "1ee3", "1e99", "--1", "1Kii", "1K",
        ] {
            assert!(canonical(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_resource_has_no_finer_part_than_a_thousandth() {
        for (given, wanted) in [
            ("1n", Some("1m")),
            ("-1n", Some("-1m")),
            ("1500u", Some("2m")),
            ("1e-9", Some("1e-3")),
            ("1024102400u", Some("1024103m")),
            ("107374182400m", None),
            ("1.500", None),
        ] {
            assert_eq!(of_resource(given).as_deref(), wanted, "{given}");
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
