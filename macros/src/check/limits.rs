//! How many at once, and how long.

use std::time::Duration;

use syn::{LitInt, LitStr};

use crate::durations;
use crate::errors::Errors;
use crate::model::Model;

/// The default of `concurrency`, as kommodore has it.
const CONCURRENCY: u16 = 64;

pub(super) fn check(model: &Model, errors: &mut Errors) {
    let all = model.concurrency.as_ref();
    let one = model.cluster_concurrency.as_ref();
    let counts = (
        all.and_then(|number| count(number, errors)),
        one.and_then(|number| count(number, errors)),
    );
    let (most, by_default) = match (all, counts.0) {
        (None, _) => (Some(CONCURRENCY), " by default"),
        (Some(_), given) => (given, ""),
    };
    if let (Some(most), (_, Some(count)), Some(number)) = (most, counts, one)
        && count > most
    {
        errors.on(
            number,
            format!(
                "in one cluster no more can run than in all together, and `concurrency` is {most}{by_default}"
            ),
        );
    }
    for text in model.timeout.iter().chain(&model.resync) {
        duration(text, errors);
    }
    if let Some(backoff) = &model.backoff {
        let given = backoff.value.as_slice();
        let delays: Vec<_> = given.iter().map(|text| duration(text, errors)).collect();
        match (given, delays.as_slice()) {
            ([_, longest], [Some(first), Some(most)]) if first > most => errors.on(
                longest,
                "the longest delay comes second, and this is shorter than the first",
            ),
            ([_, _], _) => {}
            // Nothing at all is reported with the form of the option.
            ([], _) => {}
            ([only], _) => errors.on(
                only,
                format!(
                    "the longest delay is missing: write `backoff({}, \"5m\")`",
                    only.token()
                ),
            ),
            ([_, _, third, ..], _) => errors.on(
                third,
                "`backoff` takes two delays: the first one, and the longest that it grows to",
            ),
        }
    }
}

fn count(number: &LitInt, errors: &mut Errors) -> Option<u16> {
    match number.base10_parse::<u16>() {
        Ok(0) => errors.on(number, "with none at once nothing would ever run"),
        Ok(count) if number.suffix().is_empty() => return Some(count),
        Ok(count) => errors.on(number, format!("write `{count}`, without a type")),
        Err(_) => errors.on(number, "this is no whole number from 1 to 65535"),
    }
    None
}

fn duration(text: &LitStr, errors: &mut Errors) -> Option<Duration> {
    match durations::parse(&text.value()) {
        Ok(duration) => Some(duration),
        Err(reason) => {
            errors.on(text, format!("this cannot be a duration: {reason}"));
            None
        }
    }
}
