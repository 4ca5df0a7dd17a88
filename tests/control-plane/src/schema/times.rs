//! What Go says of a text that is no time.

use crate::patch::go::quoted;

/// The least and the most of a number, and what it is called.
type Number = (u32, u32, &'static str);

/// The parts of a time, as they are written in a layout.
const PARTS: [(&str, Option<Number>); 11] = [
    ("2006", Some((0, 9999, "year"))),
    ("-", None),
    ("01", Some((1, 12, "month"))),
    ("-", None),
    ("02", Some((1, 31, "day"))),
    ("T", None),
    ("15", Some((0, 23, "hour"))),
    (":", None),
    ("04", Some((0, 59, "minute"))),
    (":", None),
    ("05", Some((0, 59, "second"))),
];
const ZONE: &str = "Z07:00";
const MILLIONTHS: &str = ".000000";

/// The error is why the text is no time of this layout; whether there is such a day is not seen.
pub(super) fn check(text: &str, layout: &str) -> Result<(), String> {
    let missing = |rest: &str, part: &str| {
        let (text, layout) = (quoted(text), quoted(layout));
        let (rest, part) = (quoted(rest), quoted(part));
        Err(format!(
            "parsing time {text} as {layout}: cannot parse {rest} as {part}"
        ))
    };
    let mut rest = text;
    for (part, number) in PARTS {
        let Some((read, after)) = rest.split_at_checked(part.len()) else {
            return missing(rest, part);
        };
        match number {
            None if read != part => return missing(rest, part),
            None => {}
            Some((least, most, what)) => match digits(read) {
                None => return missing(rest, part),
                Some(number) if !(least..=most).contains(&number) => {
                    return Err(out_of_range(text, what));
                }
                Some(_) => {}
            },
        }
        rest = after;
    }
    let fraction = rest.strip_prefix('.').unwrap_or_default();
    let fraction = fraction.bytes().take_while(u8::is_ascii_digit).count();
    if layout.contains(MILLIONTHS) {
        if fraction < 6 {
            return missing(rest, MILLIONTHS);
        }
        rest = rest.get(MILLIONTHS.len()..).unwrap_or_default();
    } else if fraction > 0 {
        rest = rest.get(fraction + 1..).unwrap_or_default();
    }
    match after_zone(rest) {
        None => missing(rest, ZONE),
        Some("") => Ok(()),
        Some(more) => {
            let (text, more) = (quoted(text), quoted(more));
            Err(format!("parsing time {text}: extra text: {more}"))
        }
    }
}

/// Of what there is too much.
pub(super) fn out_of_range(text: &str, what: &str) -> String {
    format!("parsing time {}: {what} out of range", quoted(text))
}

fn digits(text: &str) -> Option<u32> {
    let all = text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

/// What is behind `Z`, or an offset like `+01:00`.
fn after_zone(text: &str) -> Option<&str> {
    if let Some(more) = text.strip_prefix('Z') {
        return Some(more);
    }
    let (zone, more) = text.split_at_checked("+00:00".len())?;
    let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
    (digits(hours)? <= 24 && digits(minutes)? < 60).then_some(more)
}

#[cfg(test)]
mod tests {
    use super::check;

    const SECONDS: &str = "2006-01-02T15:04:05Z07:00";

    #[test]
    fn the_first_part_that_is_wrong_is_told() {
        let whys = [
            (
                "x",
                r#"as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006""#,
            ),
            (
                "2020-01-01",
                r#"as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T""#,
            ),
            ("2020-13-01T00:00:00Z", ": month out of range"),
            (
                "2020-02-01T00:00:00",
                r#"as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00""#,
            ),
            ("2020-02-01T00:00:00Zx", r#": extra text: "x""#),
        ];
        for (text, why) in whys {
            let why = match why.starts_with(':') {
                true => format!("parsing time {text:?}{why}"),
                false => format!("parsing time {text:?} {why}"),
            };
            assert_eq!(check(text, SECONDS), Err(why));
        }
    }
}
