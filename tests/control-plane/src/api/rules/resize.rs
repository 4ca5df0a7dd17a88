//! The resources of a pod that runs, which may change.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::checks::{list, text};
use super::fixed::same;
use super::pods;
use crate::failure::Cause;
use crate::object;

const LISTS: [&str; 2] = ["initContainers", "containers"];
const MUTABLE: [&str; 2] = ["cpu", "memory"];
const KINDS: [&str; 2] = ["requests", "limits"];

/// Takes the resources alone over from what was written, and its metadata.
pub(super) fn keep_the_rest(old: &Value, new: &mut Value) {
    let mut kept = old.clone();
    for containers in LISTS {
        let written = list(&new["spec"], containers);
        if !are_called_alike(written, list(&old["spec"], containers)) {
            // Which is refused.
            kept["spec"][containers] = written.into();
            continue;
        }
        let named = written.iter().rev().map(|new| (text(new, "name"), new));
        let named: HashMap<&str, &Value> = named.collect();
        let of_before = kept["spec"].get_mut(containers);
        let of_before = of_before.and_then(Value::as_array_mut);
        for container in of_before.into_iter().flatten() {
            let Some(Value::Object(same)) = named.get(text(container, "name")) else {
                continue;
            };
            for field in ["resources", "resizePolicy"] {
                let fields = object::as_map(container);
                match same.get(field) {
                    Some(value) => fields.insert(field.to_owned(), value.clone()),
                    None => fields.remove(field),
                };
            }
        }
    }
    let spec = object::field_mut(&mut kept, "spec");
    match new["spec"].get("resources") {
        Some(resources) => spec.insert("resources".to_owned(), resources.clone()),
        None => spec.remove("resources"),
    };
    kept["metadata"] = new["metadata"].take();
    *new = kept;
}

fn are_called_alike(some: &[Value], others: &[Value]) -> bool {
    let others = others.iter().map(|one| &one["name"]);
    some.iter().map(|one| &one["name"]).eq(others)
}

pub(super) fn check(old: &Value, new: &Value) -> Vec<Cause> {
    let (was, is) = (&old["spec"], &new["spec"]);
    if let Some(kind) = kept_as_it_is(old) {
        return vec![Cause::forbidden(
            "[]",
            &format!("{kind} pods cannot be resized"),
        )];
    }
    let mut wrong = pods::check_spec(is);
    let moved = check_order(was, is);
    if !moved.is_empty() {
        wrong.extend(moved);
        return wrong;
    }
    let quality = pods::quality(old);
    if pods::quality(new) != quality {
        let why = "Pod QOS Class may not change as a result of resizing";
        wrong.push(Cause::invalid("spec", &quality.into(), why));
    }
    wrong.extend(check_of_pod(&was["resources"], &is["resources"]));
    let mut kept = is.clone();
    kept["resources"] = was["resources"].clone();
    for containers in LISTS {
        let new = kept[containers].as_array_mut().into_iter().flatten();
        for (index, (before, after)) in list(was, containers).iter().zip(new).enumerate() {
            for kind in KINDS {
                if is_removed(&before["resources"][kind], &after["resources"][kind]) {
                    let path = format!("spec.{containers}[{index}].resources.{kind}");
                    let why = format!("resource {kind} cannot be removed");
                    wrong.push(Cause::forbidden(&path, &why));
                }
                take_over(&before["resources"], after, kind);
            }
            // A real server compares without the claims that are asked for, so that who has some cannot be resized.
            object::field_mut(after, "resources").remove("claims");
        }
    }
    let refused = || Cause::forbidden("spec", "only cpu and memory resources are mutable");
    let pairs = list(was, "containers")
        .iter()
        .zip(list(&kept, "containers"));
    let others = pairs.filter(|(before, after)| !same(before, after));
    wrong.extend(others.map(|_| refused()));
    if wrong.is_empty() && !same(was, &kept) {
        wrong.push(refused());
    }
    wrong
}

/// What kind of pods an old one is, if none of that kind changes.
fn kept_as_it_is(pod: &Value) -> Option<&'static str> {
    if !pod["metadata"]["annotations"]["kubernetes.io/config.mirror"].is_null() {
        return Some("static");
    }
    (pod["spec"]["os"]["name"] == "windows").then_some("windows")
}

/// Containers stay those that they are, in their order.
fn check_order(was: &Value, is: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for containers in LISTS {
        let (before, after) = (list(was, containers), list(is, containers));
        let path = format!("spec.{containers}");
        if before.len() != after.len() {
            let why = format!("{containers} may not be added or removed on resize");
            wrong.push(Cause::forbidden(&path, &why));
            continue;
        }
        let pairs = before.iter().zip(after).enumerate();
        let others = pairs.filter(|(_, (before, after))| before["name"] != after["name"]);
        wrong.extend(others.map(|(index, _)| {
            let why = format!("{containers} may not be renamed or reordered on resize");
            Cause::forbidden(&format!("{path}[{index}].name"), &why)
        }));
    }
    wrong
}

/// What is wrong with the resources of the pod as a whole.
fn check_of_pod(before: &Value, after: &Value) -> Vec<Cause> {
    const PATH: &str = "spec.resources";
    let mut wrong = Vec::new();
    if !before.is_null() && after.is_null() {
        let why = "pod-level resources cannot be removed";
        return vec![Cause::forbidden(PATH, why)];
    }
    let mut kept = json!({"resources": after});
    for kind in KINDS {
        if is_removed(&before[kind], &after[kind]) {
            let why = format!("pod-level resource {kind} cannot be removed");
            wrong.push(Cause::forbidden(&format!("{PATH}.{kind}"), &why));
        }
        take_over(before, &mut kept, kind);
    }
    if !same(before, &kept["resources"]) {
        let why = "only cpu and memory resources are mutable at pod-level";
        wrong.push(Cause::forbidden("spec", why));
    }
    wrong
}

/// Whether a part of what may change is not said any more.
fn is_removed(before: &Value, after: &Value) -> bool {
    MUTABLE
        .iter()
        .any(|name| before.get(name).is_some() && after.get(name).is_none())
}

/// Takes over from the old resources what may change.
fn take_over(before: &Value, container: &mut Value, kind: &str) {
    let resources = object::field_mut(container, "resources");
    let given = resources.entry(kind).or_insert_with(|| Map::new().into());
    let given = object::as_map(given);
    for name in MUTABLE {
        match before[kind].get(name) {
            Some(quantity) => given.insert(name.to_owned(), quantity.clone()),
            None => given.remove(name),
        };
    }
}
