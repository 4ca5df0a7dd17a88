//! What may be said of how a Job goes.

use std::collections::HashSet;

use serde_json::Value;

use super::checks::{list, not_negative, number, text};
use super::fixed::{self, invalid_struct, same};
use crate::failure::Cause;

const COUNTS: [&str; 5] = ["active", "succeeded", "failed", "ready", "terminating"];

/// What is wrong with a status, as far as it has changed.
pub(super) fn check(old: &Value, new: &Value) -> Vec<Cause> {
    let (was, is) = (&old["status"], &new["status"]);
    let mut wrong = not_negative(is, "status", &COUNTS);
    wrong.extend(check_uncounted(&is["uncountedTerminatedPods"]));
    wrong.extend(check_end(old, new));
    wrong.extend(check_indexes(old, new));
    let changed = |field: &str| !same(&was[field], &is[field]);
    let count = |status: &Value, field: &str| number(status, field).unwrap_or(0);
    let invalid = |field: &str, why: &str| {
        Cause::invalid(&format!("status.{field}"), &count(is, field).into(), why)
    };
    let finished = is_finished(is);
    let moved = finished != is_finished(was);
    if (moved || changed("terminating")) && count(is, "terminating") > 0 && finished {
        wrong.push(invalid(
            "terminating",
            "terminating>0 is invalid for finished job",
        ));
    }
    let ready = number(is, "ready");
    if (changed("ready") || changed("active")) && ready > Some(count(is, "active")) {
        wrong.push(invalid("ready", "cannot set more ready pods than active"));
    }
    for other in ["Failed", "FailureTarget"] {
        if has(is, "SuccessCriteriaMet") && has(is, other) {
            let other = if other == "Failed" {
                "Failed=true"
            } else {
                "FailureTarget=true"
            };
            wrong.push(conditions(&format!(
                "cannot set SuccessCriteriaMet=True and {other} conditions"
            )));
        }
    }
    if !new["spec"]["successPolicy"].is_null()
        && !has(is, "SuccessCriteriaMet")
        && has(is, "Complete")
    {
        let why =
            "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True";
        wrong.push(conditions(why));
    }
    wrong.extend(check_change(old, new));
    wrong
}

/// Whether a condition is true.
fn has(status: &Value, kind: &str) -> bool {
    let conditions = list(status, "conditions").iter();
    let mut own = conditions.filter(|condition| condition["type"] == kind);
    own.any(|condition| condition["status"] == "True")
}

fn is_finished(status: &Value) -> bool {
    has(status, "Complete") || has(status, "Failed")
}

fn conditions(why: &str) -> Cause {
    let message = format!("Invalid value: {why}");
    Cause::new("FieldValueInvalid", "status.conditions", message)
}

fn check_uncounted(pods: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut seen = HashSet::new();
    for field in ["succeeded", "failed"] {
        for (index, uid) in list(pods, field).iter().enumerate() {
            let path = format!("status.uncountedTerminatedPods.{field}[{index}]");
            if *uid == "" {
                wrong.push(Cause::invalid(&path, uid, "must not be empty"));
            } else if !seen.insert(uid) {
                wrong.push(Cause::duplicate(&path, uid));
            }
        }
    }
    wrong
}

/// What has to be said of a Job that ends.
fn check_end(old: &Value, new: &Value) -> Vec<Cause> {
    const END: &str = "completionTime";
    let (was, is) = (&old["status"], &new["status"]);
    let changed = |field: &str| !same(&was[field], &is[field]);
    let turned = |kind: &str| has(was, kind) != has(is, kind);
    let (complete, failed) = (has(is, "Complete"), has(is, "Failed"));
    let (begun, ended) = (&is["startTime"], &is[END]);
    let end = format!("status.{END}");
    let mut wrong = Vec::new();
    if (turned("Complete") || turned("Failed")) && complete && failed {
        wrong.push(conditions(
            "cannot set Complete=True and Failed=true conditions",
        ));
    }
    if (turned("Complete") || turned("FailureTarget")) && complete && has(is, "FailureTarget") {
        wrong.push(conditions(
            "cannot set Complete=True and FailureTarget=true conditions",
        ));
    }
    if turned("Complete") || changed(END) {
        if !ended.is_null() && !complete {
            let why = "cannot set completionTime when there is no Complete=True condition";
            wrong.push(Cause::invalid(&end, ended, why));
        }
        if ended.is_null() && complete {
            let why = "completionTime is required for Complete jobs";
            wrong.push(Cause::required(&end, why));
        }
    }
    // Times of one form can be compared as they are written.
    let before = begun
        .as_str()
        .zip(ended.as_str())
        .is_some_and(|(begun, ended)| ended < begun);
    if (changed("startTime") || changed(END)) && before {
        let why = "must be equal to or after `startTime`";
        wrong.push(Cause::invalid(&end, ended, why));
    }
    let failure_says = turned("Failed") || changed("failedIndexes");
    if failure_says && failed && !has(is, "FailureTarget") {
        let why = "cannot set Failed=True condition without the FailureTarget=true condition";
        wrong.push(conditions(why));
    }
    let success_says = turned("Complete") || turned("SuccessCriteriaMet");
    if success_says && complete && !has(is, "SuccessCriteriaMet") {
        let why =
            "cannot set Complete=True condition without the SuccessCriteriaMet=true condition";
        wrong.push(conditions(why));
    }
    let finished = is_finished(is);
    let moved = finished != is_finished(was);
    let active = number(is, "active").unwrap_or(0);
    if (moved || changed("active")) && active > 0 && finished {
        let why = "active>0 is invalid for finished job";
        wrong.push(Cause::invalid("status.active", &active.into(), why));
    }
    let spec = &new["spec"];
    let asks_for_nothing = spec["suspend"] == true && spec["completions"] == 0;
    if (moved || changed("startTime")) && begun.is_null() && finished && !asks_for_nothing {
        let why = "startTime is required for finished job";
        wrong.push(Cause::required("status.startTime", why));
    }
    const UNCOUNTED: &str = "uncountedTerminatedPods";
    let uncounted = ["succeeded", "failed"]
        .iter()
        .any(|field| !list(&is[UNCOUNTED], field).is_empty());
    if (moved || changed(UNCOUNTED)) && finished && uncounted {
        let why = "must be empty for finished job";
        wrong.push(invalid_struct(
            &format!("status.{UNCOUNTED}"),
            "batch.UncountedTerminatedPods",
            &is[UNCOUNTED],
            why,
        ));
    }
    wrong
}

fn check_indexes(old: &Value, new: &Value) -> Vec<Cause> {
    let (was, is, spec) = (&old["status"], &new["status"], &new["spec"]);
    let changed = |field: &str| !same(&was[field], &is[field]);
    let (done, failed) = (text(is, "completedIndexes"), text(is, "failedIndexes"));
    let completions = number(spec, "completions");
    let per_index = !spec["backoffLimitPerIndex"].is_null();
    let invalid = |field: &str, value: &str, why: &str| {
        Cause::invalid(&format!("status.{field}"), &value.into(), why)
    };
    let mut wrong = Vec::new();
    let unfit = |indexes: &str| completions.and_then(|all| intervals(indexes, all).err());
    if changed("completedIndexes")
        && let Some(why) = unfit(done)
    {
        let why = format!("error parsing completedIndexes: {why}");
        wrong.push(invalid("completedIndexes", done, &why));
    }
    if changed("failedIndexes")
        && per_index
        && let Some(why) = unfit(failed)
    {
        let why = format!("error parsing failedIndexes: {why}");
        wrong.push(invalid("failedIndexes", failed, &why));
    }
    if changed("completedIndexes") && !done.is_empty() && text(spec, "completionMode") != "Indexed"
    {
        let why = "cannot set non-empty completedIndexes when non-indexed completion mode";
        wrong.push(invalid("completedIndexes", done, why));
    }
    if changed("failedIndexes") && !per_index && !is["failedIndexes"].is_null() {
        let why = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
        wrong.push(invalid("failedIndexes", failed, why));
    }
    if (changed("completedIndexes") || changed("failedIndexes"))
        && let Some(index) = completions.and_then(|all| in_both(done, failed, all))
    {
        let why = format!("failedIndexes and completedIndexes overlap at index: {index}");
        wrong.push(invalid("failedIndexes", failed, &why));
    }
    wrong
}

fn intervals(indexes: &str, completions: i64) -> Result<Vec<(i64, i64)>, String> {
    let mut known: Vec<(i64, i64)> = Vec::new();
    for said in indexes.split(',').filter(|_| !indexes.is_empty()) {
        let (first, last) = interval(said, completions)?;
        if let Some((_, before)) = known.last().filter(|(_, before)| *before >= first) {
            return Err(not_increasing(*before, first));
        }
        known.push((first, last));
    }
    Ok(known)
}

fn not_increasing(before: i64, now: i64) -> String {
    format!("non-increasing order, previous: {before}, current: {now}")
}

fn interval(said: &str, completions: i64) -> Result<(i64, i64), String> {
    let index = |text: &str| match text.parse::<i64>() {
        Err(_) => Err(format!(
            "cannot convert string to integer for index: {text:?}"
        )),
        Ok(index) if index >= completions => Err(format!("too large index: {text:?}")),
        Ok(index) => Ok(index),
    };
    let parts: Vec<&str> = said.split('-').collect();
    match parts[..] {
        [one] => index(one).map(|index| (index, index)),
        [first, last] => match (index(first)?, index(last)?) {
            (first, last) if first >= last => Err(not_increasing(first, last)),
            interval => Ok(interval),
        },
        _ => Err(format!(
            "the fragment {said:?} violates the requirement that an index interval can have at most two parts \
             separated by '-'"
        )),
    }
}

/// The first index that is in two lists; what makes no sense in them is left out.
fn in_both(one: &str, other: &str, completions: i64) -> Option<i64> {
    let known = |indexes: &str| -> Vec<(i64, i64)> {
        let all = indexes.split(',');
        all.filter_map(|said| interval(said, completions).ok())
            .collect()
    };
    let others = known(other);
    let both = known(one).into_iter().flat_map(|(first, last)| {
        let meets = others
            .iter()
            .filter(move |(from, to)| first <= *to && *from <= last);
        meets.map(move |(from, _)| first.max(*from))
    });
    both.min()
}

/// What may not be taken back.
fn check_change(old: &Value, new: &Value) -> Vec<Cause> {
    let (was, is, spec) = (&old["status"], &new["status"], &new["spec"]);
    let mut wrong = Vec::new();
    for kind in ["Failed", "Complete", "FailureTarget"] {
        if has(was, kind) && !has(is, kind) {
            wrong.push(conditions(&format!(
                "cannot disable the terminal {kind}=True condition"
            )));
        }
    }
    let count = |status: &Value, field: &str| number(status, field).unwrap_or(0);
    let may_shrink =
        text(spec, "completionMode") == "Indexed" && spec["completions"] == spec["parallelism"];
    for field in ["failed", "succeeded"] {
        let now = count(is, field);
        if now < count(was, field) && (field == "failed" || !may_shrink) {
            let why = format!("cannot decrease the {field} counter");
            wrong.push(Cause::invalid(
                &format!("status.{field}"),
                &now.into(),
                &why,
            ));
        }
    }
    const END: &str = "completionTime";
    if !is[END].is_null() && !was[END].is_null() && is[END] != was[END] {
        wrong.push(Cause::invalid(
            "status.completionTime",
            &is[END],
            fixed::IMMUTABLE,
        ));
    }
    let suspended = |status: &Value, said: &str| {
        let conditions = list(status, "conditions").iter();
        let mut own = conditions.filter(|condition| condition["type"] == "Suspended");
        own.any(|condition| condition["status"] == said)
    };
    let resumes = suspended(was, "True") && suspended(is, "False");
    let (before, now) = (&was["startTime"], &is["startTime"]);
    if !before.is_null() && before != now && spec["suspend"] != true && !resumes {
        let why = "field is immutable for unsuspended job once set";
        wrong.push(Cause::invalid("status.startTime", now, why));
    }
    if has(was, "SuccessCriteriaMet") && !has(is, "SuccessCriteriaMet") {
        wrong.push(conditions(
            "cannot disable the SuccessCriteriaMet=True condition",
        ));
    }
    if has(was, "Complete") && !has(was, "SuccessCriteriaMet") && has(is, "SuccessCriteriaMet") {
        let why = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions";
        wrong.push(conditions(why));
    }
    wrong
}
