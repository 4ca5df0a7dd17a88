//! The rules of events: few for those of the old way, more for those that say when they happened.

use serde_json::Value;

use super::super::target::Target;
use super::names;
use crate::failure::Cause;
use crate::object;

/// What is wrong with a new event, in the words of the group that it was sent to.
pub(super) fn before_create(target: &Target, event: &Value) -> Vec<Cause> {
    let is_core = target.resource.group.is_empty();
    let text = |field: &str| event.get(field).and_then(Value::as_str).unwrap_or_default();
    let about = if is_core {
        "involvedObject"
    } else {
        "regarding"
    };
    let mut wrong = Vec::new();
    let has_time = event.get("eventTime").is_some_and(|time| !time.is_null());
    wrong.extend(namespace(event, about));
    if !is_core && !has_time {
        wrong.push(Cause::required("eventTime", ""));
        wrong.extend(kind(text("type")));
        return wrong;
    }
    if is_core && !has_time {
        return wrong;
    }
    let reporter = if is_core {
        "reportingComponent"
    } else {
        "reportingController"
    };
    let name = text(reporter);
    if name.is_empty() {
        wrong.push(Cause::required(reporter, ""));
    }
    wrong.extend(
        names::qualified(name)
            .iter()
            .map(|why| Cause::invalid(reporter, &name.into(), why)),
    );
    for field in ["reportingInstance", "action", "reason"] {
        if text(field).is_empty() {
            wrong.push(Cause::required(field, ""));
        } else if text(field).len() > 128 {
            wrong.push(Cause::invalid(
                field,
                &"".into(),
                "can have at most 128 characters",
            ));
        }
    }
    if text(if is_core { "message" } else { "note" }).len() > 1024 {
        wrong.push(Cause::invalid(
            "message",
            &"".into(),
            "can have at most 1024 characters",
        ));
    }
    wrong.extend(kind(text("type")));
    wrong
}

fn kind(kind: &str) -> Option<Cause> {
    let why = format!("has invalid value: {kind}");
    (!["Normal", "Warning"].contains(&kind)).then(|| Cause::invalid("type", &"".into(), &why))
}

/// An event is where its object is; about what is in no namespace, it is in `default` or `kube-system`.
fn namespace(event: &Value, about: &str) -> Option<Cause> {
    let own = object::namespace(event);
    let other = event
        .get(about)
        .and_then(|about| about.get("namespace"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let fits = if other.is_empty() {
        ["default", "kube-system"].contains(&own)
    } else {
        own == other
    };
    (!fits).then(|| {
        Cause::invalid(
            "involvedObject.namespace",
            &other.into(),
            "does not match event.namespace",
        )
    })
}
