//! What a claim is filled from: said in the old way (`dataSource`) or in the new (`dataSourceRef`), and kept in both.

use serde_json::{Value, json};

use super::checks::text;
use super::names;
use crate::failure::Cause;
use crate::object;

const OLD: &str = "dataSource";
const NEW: &str = "dataSourceRef";

/// Leaves out what a new source may not be, and says each in the other way too.
pub(super) fn normalize(old: Option<&Value>, claim: &mut Value) {
    let had = |field: &str| old.is_some_and(|old| !old["spec"][field].is_null());
    let (had_old, had_new) = (had(OLD), had(NEW));
    let Some(spec) = claim.get_mut("spec") else {
        return;
    };
    // Sources elsewhere are for a feature that is off.
    if !had_new && is_elsewhere(&spec[NEW]) {
        object::as_map(spec).remove(NEW);
    }
    // What the old way does not know has always been ignored there.
    if !had_old && !had_new && spec[NEW].is_null() && !is_known(&spec[OLD]) {
        object::as_map(spec).remove(OLD);
    }
    let local = |source: &Value| {
        let group = source["apiGroup"].clone();
        json!({"apiGroup": group, "kind": source["kind"], "name": source["name"]})
    };
    match (&spec[OLD], &spec[NEW]) {
        (Value::Null, source) if !source.is_null() && !is_elsewhere(source) => {
            let source = local(source);
            object::as_map(spec).insert(OLD.to_owned(), source);
        }
        (source, Value::Null) if !source.is_null() => {
            let source = local(source);
            object::as_map(spec).insert(NEW.to_owned(), source);
        }
        _ => {}
    }
}

fn is_elsewhere(source: &Value) -> bool {
    source["namespace"]
        .as_str()
        .is_some_and(|namespace| !namespace.is_empty())
}

/// Another claim, or a snapshot.
fn is_known(source: &Value) -> bool {
    matches!(
        (text(source, "apiGroup"), text(source, "kind")),
        ("", "PersistentVolumeClaim") | ("snapshot.storage.k8s.io", "VolumeSnapshot")
    )
}

/// What is wrong with the sources of the spec of a claim, which is at `path`.
pub(super) fn check(spec: &Value, path: &str) -> Vec<Cause> {
    let mut wrong: Vec<Cause> = [OLD, NEW]
        .into_iter()
        .filter(|field| !spec[*field].is_null())
        .flat_map(|field| check_source(&spec[field], &format!("{path}.{field}")))
        .collect();
    let (old, new) = (&spec[OLD], &spec[NEW]);
    let differ = ["apiGroup", "kind", "name"].map(|field| old[field] != new[field]);
    if !old.is_null() && !new.is_null() && differ.contains(&true) {
        wrong.push(Cause::invalid(path, &json!({}), "must match dataSourceRef"));
    }
    wrong
}

fn check_source(source: &Value, path: &str) -> Vec<Cause> {
    const NO_CLAIM: &str = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    let (group, kind) = (text(source, "apiGroup"), text(source, "kind"));
    let mut wrong = Vec::new();
    for field in ["name", "kind"] {
        if text(source, field).is_empty() {
            wrong.push(Cause::required(&format!("{path}.{field}"), ""));
        }
    }
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        wrong.push(Cause::invalid(path, &kind.into(), NO_CLAIM));
    }
    if !group.is_empty() {
        let at = format!("{path}.apiGroup");
        let why = names::subdomain(group);
        wrong.extend(why.map(|why| Cause::invalid(&at, &group.into(), why)));
    }
    if is_elsewhere(source) {
        let namespace = text(source, "namespace");
        let (why, at) = (names::label(namespace), format!("{path}.namespace"));
        wrong.extend(why.map(|why| Cause::invalid(&at, &namespace.into(), why)));
    }
    wrong
}
