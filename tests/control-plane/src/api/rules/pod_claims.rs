//! What a pod claims of the resources of a node, and which of its containers use that.

use std::collections::BTreeSet;

use serde_json::Value;

use super::checks::{list, text};
use super::fixed::invalid_struct;
use super::names;
use crate::failure::{Cause, Causes};

const ONE_OF: &str = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
const AT_MOST_ONE: &str =
    "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";

/// What is wrong with what is claimed for the whole pod.
pub(super) fn check(spec: &Value, path: &str) -> Vec<Cause> {
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for (index, claim) in list(spec, "resourceClaims").iter().enumerate() {
        let path = format!("{path}.resourceClaims[{index}]");
        let at = |field: &str| format!("{path}.{field}");
        let name = text(claim, "name");
        match name {
            "" => wrong.push(Cause::required(&at("name"), "")),
            _ if !seen.insert(name) => wrong.push(Cause::duplicate(&at("name"), &name.into())),
            _ => wrong.extend(
                names::label(name).map(|why| Cause::invalid(&at("name"), &name.into(), why)),
            ),
        }
        let fields = ["resourceClaimName", "resourceClaimTemplateName"];
        let said: Vec<&str> = fields
            .into_iter()
            .filter(|field| !claim[*field].is_null())
            .collect();
        let why = [ONE_OF, "", AT_MOST_ONE][said.len()];
        if said.len() != 1 {
            wrong.push(invalid_struct(&path, "core.PodResourceClaim", claim, why));
        }
        for field in said {
            let why = names::subdomain(text(claim, field));
            wrong.extend(why.map(|why| Cause::invalid(&at(field), &claim[field], why)));
        }
    }
    wrong
}

/// The names of what is claimed.
pub(super) fn all(spec: &Value) -> BTreeSet<&str> {
    let claims = list(spec, "resourceClaims").iter();
    let names = claims.map(|claim| text(claim, "name"));
    names.filter(|name| !name.is_empty()).collect()
}

/// What is wrong with what is used of that.
pub(super) fn check_used(resources: &Value, known: &BTreeSet<&str>, path: &str) -> Vec<Cause> {
    let mut wrong = Causes::default();
    let mut used: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (index, claim) in list(resources, "claims").iter().enumerate() {
        let path = format!("{path}.claims[{index}]");
        let (name, request) = (text(claim, "name"), text(claim, "request"));
        let mut twice = |key: String| wrong.add(|| Cause::duplicate(&path, &key.into()));
        if name.is_empty() {
            wrong.add(|| Cause::required(&path, ""));
            continue;
        }
        if used.contains(&(name, "")) {
            // All of it is used already.
            twice(name.to_owned());
        } else if used.contains(&(name, request)) {
            twice(format!("{name}/{request}"));
        } else {
            let parts = used.range((name, "")..);
            let parts = parts.take_while(|(of, _)| request.is_empty() && *of == name);
            parts.for_each(|_| twice(name.to_owned()));
            let why = names::label(request).filter(|_| !request.is_empty());
            let field = format!("{path}.request");
            if let Some(why) = why {
                wrong.add(|| Cause::invalid(&field, &request.into(), why));
            }
        }
        used.insert((name, request));
        if !known.contains(name) {
            wrong.add(|| unknown(name, known, &path));
        }
    }
    wrong.made()
}

fn unknown(name: &str, known: &BTreeSet<&str>, path: &str) -> Cause {
    let known: Vec<&str> = known.iter().copied().collect();
    let among = match known.is_empty() {
        true => " which is empty".to_owned(),
        false => format!(": {}", known.join(", ")),
    };
    let why = format!("must be one of the names in pod.spec.resourceClaims{among}");
    Cause::not_found(path, &name.into(), &why)
}
