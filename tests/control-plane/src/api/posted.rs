//! Subresources that are done by posting an object to them, of which nothing is kept.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::target::Target;
use super::view::Form;
use super::{Asked, body, response, rules};
use crate::failure::Failure;
use crate::object;
use crate::serve::Body;
use crate::structs::Typed;

/// What is posted to a subresource.
pub(super) struct Posted {
    pub(super) subresource: &'static str,
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) kind: &'static str,
}

pub(super) const BINDING: Posted = Posted {
    subresource: "binding",
    group: "",
    version: "v1",
    kind: "Binding",
};
pub(super) const EVICTION: Posted = Posted {
    subresource: "eviction",
    group: "policy",
    version: "v1",
    kind: "Eviction",
};
pub(super) const TOKEN: Posted = Posted {
    subresource: "token",
    group: "authentication.k8s.io",
    version: "v1",
    kind: "TokenRequest",
};
const OF_PODS: &[Posted] = &[BINDING, EVICTION];

/// What may be posted to the objects of a resource.
pub(super) fn of(group: &str, plural: &str) -> &'static [Posted] {
    match (group, plural) {
        ("", "pods") => OF_PODS,
        ("", "serviceaccounts") => &[TOKEN],
        _ => &[],
    }
}

/// Reads what was posted, and what is to be warned of.
pub(super) fn read(target: &Target, asked: &Asked) -> Result<(Value, Vec<String>), Failure> {
    Form::negotiate(target, asked)?;
    let (_, mut object, shaped) = body::written(target, asked, "CreateOptions")?;
    match rules::place(target, &mut object) {
        Ok(()) => Ok((object, shaped.warnings)),
        Err(failure) => Err(failure.warned(shaped.warnings)),
    }
}

/// What was posted is about the object that the path names.
pub(super) fn check_name(target: &Target, object: &Value) -> Result<(), Failure> {
    if target.name.as_deref() == Some(object::name(object)) {
        return Ok(());
    }
    Err(Failure::bad_request(format!(
        "name in URL does not match name in {} object",
        target.resource.kind
    )))
}

/// That it was done.
pub(super) fn done(warnings: &[String]) -> Response<Body> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201,
    });
    let answer = response::json(StatusCode::CREATED, &Typed(&status));
    response::warn(answer, warnings)
}

/// Sets a condition in a status; when it came to be so is written down where it was not so before.
pub(super) fn set_condition(object: &mut Value, mut condition: Value) {
    let status = object::field_mut(object, "status");
    let conditions = status.entry("conditions").or_insert_with(|| json!([]));
    let Some(conditions) = conditions.as_array_mut() else {
        return;
    };
    let known = conditions
        .iter_mut()
        .find(|known| known["type"] == condition["type"]);
    let since = known
        .as_ref()
        .filter(|known| known["status"] == condition["status"])
        .map(|known| known["lastTransitionTime"].clone());
    condition["lastTransitionTime"] = since.unwrap_or_else(|| object::now().into());
    match known {
        Some(known) => *known = condition,
        None => conditions.push(condition),
    }
}
