//! The claims of a pod that a container uses.

use std::collections::BTreeSet;

use serde_json::Value;

use super::checks::{list, text};
use super::names;
use crate::failure::Cause;

/// What is wrong with the claims that `resources` name, of those of a spec.
pub(super) fn check(spec: &Value, resources: &Value, path: &str) -> Vec<Cause> {
    let known: BTreeSet<&str> = list(spec, "resourceClaims")
        .iter()
        .map(|claim| text(claim, "name"))
        .collect();
    let mut used: BTreeSet<String> = BTreeSet::new();
    let mut wrong = Vec::new();
    for (index, claim) in list(resources, "claims").iter().enumerate() {
        let path = format!("{path}.claims[{index}]");
        let (name, request) = (text(claim, "name"), text(claim, "request"));
        if name.is_empty() {
            wrong.push(Cause::required(&path, ""));
            continue;
        }
        let key = match request {
            "" => name.to_owned(),
            request => format!("{name}/{request}"),
        };
        if used.contains(name) {
            wrong.push(Cause::duplicate(&path, &name.into()));
        } else {
            let why = names::label(request).filter(|_| !request.is_empty());
            let at = format!("{path}.request");
            wrong.extend(why.map(|why| Cause::invalid(&at, &request.into(), why)));
            let of_claim = format!("{name}/");
            let is_part = |used: &&String| request.is_empty() && used.starts_with(&of_claim);
            let twice = usize::from(used.contains(&key)) + used.iter().filter(is_part).count();
            let cause = Cause::duplicate(&path, &key.as_str().into());
            wrong.extend(std::iter::repeat_n(cause, twice));
            used.insert(key);
        }
        if !known.contains(name) {
            wrong.push(unknown(&path, name, &known));
        }
    }
    wrong
}

fn unknown(path: &str, name: &str, known: &BTreeSet<&str>) -> Cause {
    let known: Vec<&str> = known.iter().copied().collect();
    let among = match known.is_empty() {
        true => " which is empty".to_owned(),
        false => format!(": {}", known.join(", ")),
    };
    let why = format!("must be one of the names in pod.spec.resourceClaims{among}");
    let message = format!("Not found: {}: {why}", Value::from(name));
    Cause::new("FieldValueNotFound", path, message)
}
