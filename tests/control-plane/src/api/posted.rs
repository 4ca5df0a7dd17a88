//! Subresources that are done by posting an object to them, of which nothing is kept.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::body::{media_type, parse_json};
use super::target::Target;
use super::{Asked, protobuf, response, yaml};
use crate::failure::Failure;
use crate::object;
use crate::serve::Body;

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

/// Reads what was posted, which is about the object that the path names.
pub(super) fn read(target: &Target, asked: &Asked, posted: &Posted) -> Result<Value, Failure> {
    let object = read_any(asked, posted)?;
    if target.name.as_deref() != Some(object::name(&object)) {
        return Err(Failure::bad_request(format!(
            "name in URL does not match name in {} object",
            posted.kind
        )));
    }
    Ok(object)
}

/// Reads what was posted, whatever it is about.
pub(super) fn read_any(asked: &Asked, posted: &Posted) -> Result<Value, Failure> {
    let object = match media_type(asked) {
        protobuf::MEDIA_TYPE => protobuf::read(&asked.body),
        "application/yaml" => yaml::read(&asked.body),
        _ => parse_json(&asked.body),
    };
    let object = object.map_err(Failure::bad_request)?;
    let text = |field: &str| {
        let value = object.get(field).and_then(Value::as_str);
        value.filter(|value| !value.is_empty())
    };
    let Posted { group, kind, .. } = *posted;
    let expected = match group {
        "" => posted.version.to_owned(),
        group => format!("{group}/{}", posted.version),
    };
    let said = text("kind").unwrap_or(kind);
    let version = text("apiVersion").unwrap_or(&expected);
    if (version, said) != (&expected, kind) {
        return Err(Failure::bad_request(format!(
            "{said} in version \"{version}\" cannot be handled as a {kind}: no kind \"{said}\" is registered for \
             version \"{version}\" in scheme \"pkg/runtime/scheme.go:111\""
        )));
    }
    Ok(object)
}

/// That it was done.
pub(super) fn done() -> Response<Body> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201,
    });
    response::json(StatusCode::CREATED, &response::Typed(&status))
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
