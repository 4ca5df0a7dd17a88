//! The rules of events: few for those of the old way, more for those that say when they happened.

use serde_json::Value;

use super::super::target::Target;
use super::checks::{number, text};
use super::{fixed, metadata, names};
use crate::failure::Cause;
use crate::object;

/// What is wrong with a new event, in the words of the group that it was sent to. In the core group, metadata is looked
/// at where all else is well.
pub(super) fn before_create(target: &Target, event: &Value) -> Vec<Cause> {
    let is_core = target.resource.group.is_empty();
    let mut wrong = check(is_core, event);
    if is_core && !wrong.is_empty() {
        return wrong;
    }
    wrong.extend(metadata::check(target, event));
    if is_core {
        return wrong;
    }
    wrong.extend(check_series(event));
    if event["eventTime"].is_null() {
        wrong.push(Cause::required("eventTime", ""));
    }
    wrong.extend(kind(text(event, "type")));
    wrong.extend(of_the_old_way(event));
    wrong
}

/// What only events of the core group say.
fn of_the_old_way(event: &Value) -> Vec<Cause> {
    let [first, last] = ["deprecatedFirstTimestamp", "deprecatedLastTimestamp"]
        .map(|field| !event[field].is_null());
    let count = number(event, "deprecatedCount").unwrap_or(0) != 0;
    let source = &event["deprecatedSource"];
    let source = ["component", "host"]
        .iter()
        .any(|field| !text(source, field).is_empty());
    let said = [
        ("firstTimestamp", first),
        ("lastTimestamp", last),
        ("count", count),
        ("source", source),
    ];
    let said = said.into_iter().filter(|(_, said)| *said);
    said.map(|(field, _)| Cause::invalid(field, &"".into(), "needs to be unset"))
        .collect()
}

/// What is wrong with a changed event. Those of the newer group stay as they are, but for how often it happens.
pub(super) fn before_update(target: &Target, old: &Value, new: &Value) -> Vec<Cause> {
    let is_core = target.resource.group.is_empty();
    let mut wrong = check(is_core, new);
    if !is_core {
        if new["series"] != old["series"] {
            wrong.extend(check_series(new));
        }
        wrong.extend(fixed::check("Event", old, new));
    }
    wrong
}

/// What holds for every event, and for those that say when they happened.
fn check(is_core: bool, event: &Value) -> Vec<Cause> {
    let (about, reporter, note) = match is_core {
        true => ("involvedObject", "reportingComponent", "message"),
        false => ("regarding", "reportingController", "note"),
    };
    let has_time = !event["eventTime"].is_null();
    let mut wrong: Vec<Cause> = namespace(event, about, has_time).into_iter().collect();
    if !has_time {
        return wrong;
    }
    let name = text(event, reporter);
    if name.is_empty() {
        wrong.push(Cause::required(reporter, ""));
    }
    let reasons = names::qualified(name);
    let reasons = reasons.iter();
    wrong.extend(reasons.map(|why| Cause::invalid(reporter, &name.into(), why)));
    for field in ["reportingInstance", "action", "reason"] {
        if text(event, field).is_empty() {
            wrong.push(Cause::required(field, ""));
        }
        wrong.extend(too_long(text(event, field), field, 128));
    }
    wrong.extend(too_long(text(event, note), "message", 1024));
    wrong
}

fn too_long(text: &str, field: &str, most: usize) -> Option<Cause> {
    let why = format!("can have at most {most} characters");
    (text.len() > most).then(|| Cause::invalid(field, &"".into(), &why))
}

fn check_series(event: &Value) -> Vec<Cause> {
    let series = &event["series"];
    let mut wrong = Vec::new();
    if series.is_object() && number(series, "count").unwrap_or(0) < 2 {
        let why = "should be at least 2";
        wrong.push(Cause::invalid("series.count", &"".into(), why));
    }
    if series.is_object() && series["lastObservedTime"].is_null() {
        wrong.push(Cause::required("series.lastObservedTime", ""));
    }
    wrong
}

fn kind(kind: &str) -> Option<Cause> {
    let why = format!("has invalid value: {kind}");
    (!["Normal", "Warning"].contains(&kind)).then(|| Cause::invalid("type", &"".into(), &why))
}

/// An event is where its object is; about what is in no namespace, it is in `default`, or in `kube-system` if it says
/// when it happened.
fn namespace(event: &Value, about: &str, has_time: bool) -> Option<Cause> {
    let own = object::namespace(event);
    let other = text(&event[about], "namespace");
    let fits = match (other.is_empty(), has_time) {
        (true, true) => ["default", "kube-system"].contains(&own),
        (true, false) => own == "default",
        (false, true) => true,
        (false, false) => own == other,
    };
    (!fits).then(|| {
        Cause::invalid(
            "involvedObject.namespace",
            &other.into(),
            "does not match event.namespace",
        )
    })
}
