//! Durations as the attribute writes them: `"30s"`, `"1h30m"`.

use std::time::Duration;

/// Far beyond what anybody waits for, and well inside of what clocks can count.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Reads a duration; says what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let mut rest = text;
    let mut sum = Duration::ZERO;
    if rest.is_empty() {
        return Err("it is empty: write `\"30s\"`".into());
    }
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let spaced = after.trim_start();
        let letters = spaced.len() - spaced.trim_start_matches(char::is_alphabetic).len();
        let (unit, after) = spaced.split_at(letters);
        if number.is_empty() {
            return Err(format!(
                "{rest:?} does not begin with a whole number: write `\"30s\"` or `\"1h30m\"`"
            ));
        }
        let millis: u64 = match unit {
            _ if spaced.len() < rest.len() - digits && !unit.is_empty() => {
                return Err(format!(
                    "there is a space in it: write `\"{number}{}\"`",
                    short(unit).unwrap_or("s")
                ));
            }
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
