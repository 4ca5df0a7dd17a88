//! When a CronJob runs.

use std::sync::LazyLock;

use jiff::tz::TimeZoneDatabase;
use serde_json::Value;

use crate::failure::Cause;

const DESCRIPTORS: [&str; 7] = [
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
];
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// The least and the most of each field, and the names of its numbers from the least on.
const FIELDS: [(i64, i64, &[&str]); 5] = [
    (0, 59, &[]),
    (0, 23, &[]),
    (1, 31, &[]),
    (1, 12, &MONTHS),
    (0, 6, &DAYS),
];

/// What is wrong with a schedule, which had better not say its time zone: there is a field for it.
pub(super) fn check(schedule: &str, old: Option<&str>) -> Vec<Cause> {
    const PATH: &str = "spec.schedule";
    if schedule.is_empty() {
        return vec![Cause::required(PATH, "")];
    }
    let with_zone = schedule.contains("TZ");
    if with_zone && old.is_some_and(|old| old.contains("TZ")) {
        return Vec::new();
    }
    let why = parse(schedule).err().into_iter();
    let mut wrong: Vec<Cause> = why
        .map(|why| Cause::invalid(PATH, &schedule.into(), &why))
        .collect();
    if with_zone {
        let why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        wrong.push(Cause::invalid(PATH, &schedule.into(), why));
    }
    wrong
}

/// Whether Go's `time.ParseDuration` reads it, but for what is too long for it.
fn check_duration(duration: &str) -> Result<(), String> {
    const UNITS: [&str; 8] = ["ns", "us", "\u{b5}s", "\u{3bc}s", "ms", "s", "m", "h"];
    let mut rest = duration.strip_prefix(['+', '-']).unwrap_or(duration);
    if rest == "0" {
        return Ok(());
    }
    let of_number = |one: char| one == '.' || one.is_ascii_digit();
    let invalid = || format!("time: invalid duration {duration:?}");
    if rest.is_empty() {
        return Err(invalid());
    }
    while !rest.is_empty() {
        let whole = rest.trim_start_matches(|one: char| one.is_ascii_digit());
        let behind = match whole.strip_prefix('.') {
            Some(fraction) => fraction.trim_start_matches(|one: char| one.is_ascii_digit()),
            None => whole,
        };
        let number = &rest[..rest.len() - behind.len()];
        if !number.contains(|one: char| one.is_ascii_digit()) {
            return Err(invalid());
        }
        let end = behind.find(of_number).unwrap_or(behind.len());
        let (unit, next) = behind.split_at(end);
        match unit {
            "" => return Err(format!("time: missing unit in duration {duration:?}")),
            unit if UNITS.contains(&unit) => rest = next,
            unit => {
                return Err(format!(
                    "time: unknown unit {unit:?} in duration {duration:?}"
                ));
            }
        }
    }
    Ok(())
}

fn parse(schedule: &str) -> Result<(), String> {
    let zoned = schedule
        .strip_prefix("TZ=")
        .or_else(|| schedule.strip_prefix("CRON_TZ="));
    let schedule = match zoned.map(|zoned| zoned.split_once(' ')) {
        None => schedule,
        // The library that a real server asks does not look for the end of the zone.
        Some(None) => {
            let why = "invalid schedule format: runtime error: slice bounds out of range [:-1]";
            return Err(why.into());
        }
        Some(Some((zone, _))) if !zone.is_empty() && !is_zone(zone) => {
            return Err(format!(
                "provided bad location {zone}: unknown time zone {zone}"
            ));
        }
        Some(Some((_, rest))) => rest.trim(),
    };
    if schedule.starts_with('@') {
        return match schedule.strip_prefix("@every ") {
            Some(how_long) => check_duration(how_long)
                .map_err(|why| format!("failed to parse duration {schedule}: {why}")),
            None if DESCRIPTORS.contains(&schedule) => Ok(()),
            None => Err(format!("unrecognized descriptor: {schedule}")),
        };
    }
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        let said = fields.join(" ");
        return Err(format!(
            "expected exactly {} fields, found {}: [{said}]",
            FIELDS.len(),
            fields.len()
        ));
    }
    for (field, bounds) in fields.into_iter().zip(FIELDS) {
        let mut ranges = field.split(',').filter(|range| !range.is_empty());
        ranges.try_for_each(|said| range(said, bounds))?;
    }
    Ok(())
}

fn range(said: &str, (least, most, names): (i64, i64, &[&str])) -> Result<(), String> {
    let value = |text: &str| {
        let name = text.to_lowercase();
        match (least..).zip(names).find(|(_, known)| **known == name) {
            Some((number, _)) => Ok(number),
            None => number(text),
        }
    };
    let parts: Vec<&str> = said.split('/').collect();
    let ends: Vec<&str> = parts[0].split('-').collect();
    let (start, mut end) = match ends[..] {
        ["*" | "?", ..] => (least, most),
        [one] => (value(one)?, value(one)?),
        [low, high] => (value(low)?, value(high)?),
        _ => return Err(format!("too many hyphens: {said}")),
    };
    let step = match parts[..] {
        [_] => 1,
        [_, step] => {
            if ends.len() == 1 {
                end = most;
            }
            number(step)?
        }
        _ => return Err(format!("too many slashes: {said}")),
    };
    if start < least {
        return Err(format!(
            "beginning of range ({start}) below minimum ({least}): {said}"
        ));
    }
    if end > most {
        return Err(format!(
            "end of range ({end}) above maximum ({most}): {said}"
        ));
    }
    if start > end {
        return Err(format!(
            "beginning of range ({start}) beyond end of range ({end}): {said}"
        ));
    }
    match step {
        0 => Err(format!("step of range should be a positive number: {said}")),
        _ => Ok(()),
    }
}

fn number(text: &str) -> Result<i64, String> {
    match text.parse::<i64>() {
        Ok(number) if number < 0 => Err(format!("negative number ({number}) not allowed: {text}")),
        Ok(number) => Ok(number),
        Err(_) => Err(format!(
            "failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax"
        )),
    }
}

/// What is wrong with the name of a time zone.
pub(super) fn check_zone(zone: &Value) -> Vec<Cause> {
    const PATH: &str = "spec.timeZone";
    let Some(name) = zone.as_str() else {
        return Vec::new();
    };
    let refuse = |why: &str| Cause::invalid(PATH, zone, why);
    let is_part = |part: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
        !part.is_empty()
            && part.chars().all(known)
            && !part.starts_with('-')
            && ![".", ".."].contains(&part)
    };
    if name.is_empty() {
        return vec![refuse("timeZone must be nil or non-empty string")];
    }
    let mut wrong = Vec::new();
    let is_name = name.split('/').all(is_part);
    if is_name && name.eq_ignore_ascii_case("Local") {
        let why =
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        wrong.push(refuse(why));
    }
    if !is_name || !is_zone(name) {
        wrong.push(refuse(&format!("unknown time zone {name}")));
    }
    wrong
}

/// Whether there is a zone that is called exactly so, on any machine.
fn is_zone(name: &str) -> bool {
    static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
    ["UTC", "Local"].contains(&name)
        || ZONES
            .get(name)
            .is_ok_and(|zone| zone.iana_name() == Some(name))
}
