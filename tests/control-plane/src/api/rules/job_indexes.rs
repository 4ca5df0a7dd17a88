//! The indexes of the pods of an Indexed Job.

use serde_json::Value;

use super::checks::number;
use crate::failure::Cause;
use crate::patch::go;

const MOST: i64 = 100_000;
const MOST_OF_MANY: i64 = 10_000;

/// What is wrong with how many there are to be.
pub(super) fn check(spec: &Value, path: &str) -> Vec<Cause> {
    let at = |field: &str| format!("{path}.{field}");
    let mut wrong = Vec::new();
    let completions = number(spec, "completions");
    if completions.is_none() {
        let why = "when completion mode is Indexed";
        wrong.push(Cause::required(&at("completions"), why));
    }
    let mut above = |field: &str, limit: Option<i64>, why: &str| {
        if let Some(number) = number(spec, field)
            && limit.is_some_and(|limit| number > limit)
        {
            wrong.push(Cause::invalid(&at(field), &number.into(), why));
        }
    };
    let why = "must be less than or equal to 100000 when completion mode is Indexed";
    above("parallelism", Some(MOST), why);
    let why = "must be less than or equal to completions";
    above("maxFailedIndexes", completions, why);
    let why = "must be less than or equal to 100000";
    above("maxFailedIndexes", Some(MOST), why);
    wrong.extend(check_many(spec, path, completions.unwrap_or(0)));
    wrong
}

/// Of very many only few may fail, or run at once, where each has failures of its own.
fn check_many(spec: &Value, path: &str, completions: i64) -> Vec<Cause> {
    let mut wrong = Vec::new();
    if completions <= MOST || spec["backoffLimitPerIndex"].is_null() {
        return wrong;
    }
    let at = |field: &str| format!("{path}.{field}");
    let why = format!(
        "must be less than or equal to {MOST_OF_MANY} when completions are above {MOST} and used with backoff limit per \
         index"
    );
    let failed = number(spec, "maxFailedIndexes");
    if failed.is_none() {
        let why = format!("must be specified when completions is above {MOST}");
        wrong.push(Cause::required(&at("maxFailedIndexes"), &why));
    }
    for (field, number) in [
        ("parallelism", number(spec, "parallelism")),
        ("maxFailedIndexes", failed),
    ] {
        let number = number.filter(|number| *number > MOST_OF_MANY);
        wrong.extend(number.map(|number| Cause::invalid(&at(field), &number.into(), &why)));
    }
    wrong
}

/// How many indexes there are in a list such as `1,3-5`, each below the number of completions and above the last.
pub(super) fn count(list: &str, completions: i64) -> Result<i64, String> {
    let disordered =
        |last: i64, next: i64| format!("non-increasing order, previous: {last}, current: {next}");
    let parse = |text: &str| match text.parse::<i64>() {
        Err(_) => Err(format!(
            "cannot convert string to integer for index: {}",
            go::quoted(text)
        )),
        Ok(index) if index >= completions => Err(format!("too large index: {}", go::quoted(text))),
        Ok(index) => Ok(index),
    };
    if list.is_empty() {
        return Ok(0);
    }
    let mut count = 0;
    let mut before = None;
    for part in list.split(',') {
        let ends: Vec<&str> = part.split('-').collect();
        let (first, last) = match ends[..] {
            [one] => {
                let one = parse(one)?;
                (one, one)
            }
            [first, last] => {
                let (first, last) = (parse(first)?, parse(last)?);
                if first >= last {
                    return Err(disordered(first, last));
                }
                (first, last)
            }
            _ => {
                return Err(format!(
                    "the fragment {} violates the requirement that an index interval can have at most two parts \
                     separated by '-'",
                    go::quoted(part)
                ));
            }
        };
        if let Some(before) = before.filter(|before| *before >= first) {
            return Err(disordered(before, first));
        }
        count += last - first + 1;
        before = Some(last);
    }
    Ok(count)
}
