//! The resources of a pod that runs, which may change.

use serde_json::{Map, Value};

use super::checks::list;
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
        if written.len() != list(&old["spec"], containers).len() {
            // Which is refused.
            kept["spec"][containers] = written.into();
            continue;
        }
        let of_before = kept["spec"].get_mut(containers);
        let of_before = of_before.and_then(Value::as_array_mut);
        for container in of_before.into_iter().flatten() {
            let same = written.iter().find(|new| new["name"] == container["name"]);
            let Some(Value::Object(same)) = same else {
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
    kept["metadata"] = new["metadata"].take();
    *new = kept;
}

pub(super) fn check(old: &Value, new: &Value) -> Vec<Cause> {
    let (was, is) = (&old["spec"], &new["spec"]);
    for containers in LISTS {
        if list(was, containers).len() != list(is, containers).len() {
            let why = format!("{containers} may not be added or removed on resize");
            return vec![Cause::forbidden(&format!("spec.{containers}"), &why)];
        }
    }
    let mut wrong = pods::check_spec(is);
    let quality = pods::quality(old);
    if pods::quality(new) != quality {
        let why = "Pod QOS Class may not change as a result of resizing";
        wrong.push(Cause::invalid("spec", &quality.into(), why));
    }
    let mut kept = is.clone();
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
        }
    }
    if !same(was, &kept) {
        let why = "only cpu and memory resources are mutable";
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
