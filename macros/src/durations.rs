//! Durations as the attribute writes them: `"30s"`, `"1h30m"`.

use std::time::Duration;

/// Far beyond what anybody waits for, and well inside of what clocks can count.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Reads a duration; says what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let dense: String = text.split_whitespace().collect();
    if dense.is_empty() {
        return Err("it is empty: write `\"30s\"`".into());
    }
    let read = read(&dense);
    match dense == text {
        true => read,
        // With the right unit, where it had none.
        false => Err(match read {
            Ok(_) => format!("there is a space in it: write `\"{dense}\"`"),
            Err(why) => why,
        }),
    }
}

/// How a number, with or without a unit, is written as a duration.
pub(crate) fn suggest(number: &str) -> String {
    let digits: String = number.chars().filter(|c| *c != '_').collect();
    let at = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    let (digits, unit) = digits.split_at(at);
    match (digits.trim_start_matches('0'), short(unit)) {
        ("", _) => "30s".into(),
        (digits, Some(unit)) => format!("{digits}{unit}"),
        (digits, None) if unit.is_empty() => format!("{digits}s"),
        _ => "30s".into(),
    }
}

fn read(text: &str) -> Result<Duration, String> {
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let letters = after.len() - after.trim_start_matches(char::is_alphabetic).len();
        let (unit, after) = after.split_at(letters);
        if number.is_empty() || (unit.is_empty() && !after.is_empty()) {
            return Err(format!(
                "{text:?} is not made of whole numbers with their units: write `\"30s\"` or `\"1h30m\"`"
            ));
        }
        let millis: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60 * 1_000,
            "h" => 60 * 60 * 1_000,
            "d" => 24 * 60 * 60 * 1_000,
            "" => {
                return Err(format!(
                    "{number} of what? write `\"{number}s\"`; the units are `ms`, `s`, `m`, `h` and `d`"
                ));
            }
            unit => {
                return Err(match short(unit) {
                    Some(short) => format!("`{unit}` is no unit: write `\"{number}{short}\"`"),
                    None => {
                        format!("`{unit}` is no unit; the units are `ms`, `s`, `m`, `h` and `d`")
                    }
                });
            }
        };
        let part = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(millis))
            .map(Duration::from_millis);
        sum = match part.and_then(|part| sum.checked_add(part)) {
            Some(sum) if sum <= LONGEST => sum,
            _ => return Err("it is longer than ten years".into()),
        };
        rest = after;
    }
    match sum.is_zero() {
        true => Err("it is no time at all".into()),
        false => Ok(sum),
    }
}

/// The unit that a longer word means.
fn short(unit: &str) -> Option<&'static str> {
    Some(match unit.to_lowercase().as_str() {
        "ms" | "msec" | "millis" | "millisecond" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_with_their_units() {
        for (text, millis) in [
            ("5ms", 5),
            ("30s", 30_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("1s500ms", 1_500),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for (number, written) in [
            ("30", "30s"),
            ("10m", "10m"),
            ("30sec", "30s"),
            ("1_000", "1000s"),
            ("30u64", "30s"),
            ("0x10", "30s"),
        ] {
            assert_eq!(suggest(number), written, "{number}");
        }
        for bad in [
            "",
            "30",
            "s",
            "30 s",
            "1.5s",
            "-1s",
            "30sec",
            "0s",
            "5µs",
            "1h-5m",
            "9999999d",
            "99999999999999999999s",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
