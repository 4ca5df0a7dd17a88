//! Quantities: numbers with a unit, `500m` of a CPU or `1Gi` of memory.

/// What a quantity counts: how its unit is chosen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Decimal,
    Binary,
    Exponent,
}

/// Everything is counted in billionths, which is as precise as a quantity can be.
const ONE: i128 = 1_000_000_000;

/// The decimal units, by the power of ten.
const DECIMAL: [(&str, i32); 10] = [
    ("E", 18),
    ("P", 15),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("", 0),
    ("m", -3),
    ("u", -6),
    ("n", -9),
];

/// The binary units, by the power of 1024.
const BINARY: [(&str, u32); 6] = [
    ("Ei", 6),
    ("Pi", 5),
    ("Ti", 4),
    ("Gi", 3),
    ("Mi", 2),
    ("Ki", 1),
];

/// The quantity with the largest unit that needs no fraction; the error is the server's.
pub(super) fn canonical(text: &str) -> Result<String, String> {
    let (value, format) = read(text).ok_or(
        "quantities must match the regular expression \
         '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    )?;
    Ok(write(value, format))
}

fn read(text: &str) -> Option<(i128, Format)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(unsigned.len());
    let (number, unit) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    let (value, format) = if let Some((_, power)) = BINARY.iter().find(|(name, _)| *name == unit) {
        let scaled = digits.checked_mul(1024_i128.pow(*power))?;
        (shift(scaled, 9 - places)?, Format::Binary)
    } else if let Some((_, power)) = DECIMAL.iter().find(|(name, _)| *name == unit) {
        (shift(digits, 9 - places + power)?, Format::Decimal)
    } else {
        let power: i32 = unit.strip_prefix(['e', 'E'])?.parse().ok()?;
        let power = power.checked_add(9 - places)?;
        (shift(digits, power)?, Format::Exponent)
    };
    let sign = if text.starts_with('-') { -1 } else { 1 };
    Some((value * sign, format))
}

/// Times a power of ten; what is lost rounds up.
fn shift(value: i128, power: i32) -> Option<i128> {
    let factor = 10_i128.checked_pow(power.unsigned_abs())?;
    if power >= 0 {
        value.checked_mul(factor)
    } else {
        Some(value / factor + i128::from(value % factor != 0))
    }
}

fn write(value: i128, format: Format) -> String {
    if value == 0 {
        return "0".to_owned();
    }
    // What is smaller than one unit has no binary one.
    if format == Format::Binary && value.abs() >= 1024 * ONE {
        let whole = value / ONE + i128::from(value % ONE > 0);
        let unit = BINARY
            .iter()
            .find(|(_, power)| whole % 1024_i128.pow(*power) == 0);
        return match unit {
            Some((unit, power)) => format!("{}{unit}", whole / 1024_i128.pow(*power)),
            None => whole.to_string(),
        };
    }
    for (unit, power) in DECIMAL {
        let size = 10_i128.pow(power.unsigned_abs());
        let size = if power >= 0 { ONE * size } else { ONE / size };
        if value % size == 0 {
            let number = value / size;
            return match (format, power) {
                (Format::Exponent, 0) => number.to_string(),
                (Format::Exponent, _) => format!("{number}e{power}"),
                _ => format!("{number}{unit}"),
            };
        }
    }
    // Cannot be: the last unit is one billionth.
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_has_the_largest_unit_that_needs_no_fraction() {
        for (given, canonical_form) in [
            ("0.5", "500m"),
            ("1.5", "1500m"),
            ("1000m", "1"),
            ("1000", "1k"),
            ("2", "2"),
            ("-2", "-2"),
            ("0.5Gi", "512Mi"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Ki", "512"),
            ("0", "0"),
            ("1e3", "1e3"),
            ("100E", "100E"),
        ] {
            assert_eq!(canonical(given).as_deref(), Ok(canonical_form), "{given}");
        }
        for wrong in ["", "x", "1.2.3", "1 Gi", "1KiB", "."] {
            assert!(canonical(wrong).is_err(), "{wrong}");
        }
    }
}
