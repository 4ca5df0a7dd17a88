//! May somebody do something? `SelfSubjectAccessReview`, `SubjectAccessReview` and `LocalSubjectAccessReview`.

use serde_json::{Value, json};

use super::selectors;
use crate::api::Target;
use crate::api::rules::metadata_in_go;
use crate::auth::{Attributes, Caller, User};
use crate::failure::{Cause, Failure};
use crate::odd;

const GROUP: &str = "authorization.k8s.io";

pub(super) fn answer(target: &Target, review: &mut Value) -> Result<(), Failure> {
    let is_about_self = target.resource.kind == "SelfSubjectAccessReview";
    check(target, review, is_about_self)?;
    let spec = review.get("spec").unwrap_or(&Value::Null);
    let asked = attributes(spec);
    let user = match is_about_self {
        true => target.caller.user().clone(),
        false => user(spec),
    };
    let caller = Caller::new(&target.world, &target.plane, user, &asked.namespace);
    let decision = caller.decide(&asked);
    review["status"] = json!({"allowed": decision.allowed});
    if !decision.reason.is_empty() {
        review["status"]["reason"] = decision.reason.into();
    }
    let ignored = selectors::ignored(&review["spec"]["resourceAttributes"]);
    if !ignored.is_empty() {
        review["status"]["evaluationError"] = ignored.into();
    }
    Ok(())
}

fn check(target: &Target, review: &Value, is_about_self: bool) -> Result<(), Failure> {
    let given = |field: &str| {
        review
            .pointer(&format!("/spec/{field}"))
            .filter(|value| !value.is_null())
    };
    let is_empty = |field: &str| match given(field) {
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(list)) => list.is_empty(),
        _ => true,
    };
    let (resource, path) = (given("resourceAttributes"), given("nonResourceAttributes"));
    let mut wrong = Vec::new();
    let invalid = |field: &str, value: &Value, must: &str| {
        Cause::invalid(&format!("spec.{field}"), value, must)
    };
    if resource.is_some() == path.is_some() {
        let must = match resource.is_some() {
            true => "cannot be specified in combination with resourceAttributes",
            false => "exactly one of nonResourceAttributes or resourceAttributes must be specified",
        };
        wrong.push(match path {
            Some(path) => invalid("nonResourceAttributes", &in_go(path), must),
            None => invalid("resourceAttributes", &Value::Null, must),
        });
    }
    if !is_about_self && is_empty("user") && is_empty("groups") {
        let must = "at least one of user or group must be specified";
        wrong.push(invalid("user", &"".into(), must));
    }
    wrong.extend(resource.into_iter().flat_map(selectors::check));
    wrong.extend(check_metadata(target, review));
    if target.resource.kind == "LocalSubjectAccessReview" {
        let own = target.namespace.as_deref().unwrap_or_default();
        let asked = resource.map(|resource| resource["namespace"].as_str().unwrap_or_default());
        if let Some(other) = asked.filter(|asked| *asked != own) {
            let must = "must match metadata.namespace";
            wrong.push(invalid("resourceAttributes.namespace", &other.into(), must));
        }
        if let Some(path) = path {
            let must = "disallowed on this kind of request";
            wrong.push(invalid("nonResourceAttributes", &in_go(path), must));
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Failure::invalid(GROUP, "", "", wrong)),
    }
}

/// A review has no metadata, but where it is asked for, and what the server adds itself.
fn check_metadata(target: &Target, review: &Value) -> Option<Cause> {
    let metadata = review["metadata"].as_object()?;
    let is_local = target.resource.kind == "LocalSubjectAccessReview";
    let must = match is_local {
        true => "must be empty except for namespace",
        false => "must be empty",
    };
    let may_be = |name: &str| name == "managedFields" || is_local && name == "namespace";
    let is_empty = metadata.keys().all(|name| may_be(name));
    (!is_empty).then(|| {
        let shown = metadata_in_go(metadata);
        let message = format!("Invalid value: {shown}: {must}");
        Cause::new("FieldValueInvalid", "metadata", message)
    })
}

/// The attributes of a path, as Go writes them.
fn in_go(attributes: &Value) -> Value {
    let text = |field: &str| attributes[field].as_str().unwrap_or_default();
    json!({"Path": text("path"), "Verb": text("verb")})
}

fn attributes(spec: &Value) -> Attributes {
    let text = |of: &str, field: &str| odd::read_text(spec[of][field].as_str().unwrap_or_default());
    if spec
        .get("nonResourceAttributes")
        .is_some_and(Value::is_object)
    {
        let of = "nonResourceAttributes";
        return Attributes::of_path(&text(of, "verb"), &text(of, "path"));
    }
    let text = |field: &str| text("resourceAttributes", field);
    Attributes {
        verb: text("verb"),
        path: None,
        group: text("group"),
        resource: text("resource"),
        subresource: text("subresource"),
        namespace: text("namespace"),
        name: text("name"),
    }
}

/// The user that a review is about: nothing is added to what it says.
fn user(spec: &Value) -> User {
    let text = |field: &str| odd::read_text(spec[field].as_str().unwrap_or_default());
    let groups = spec["groups"].as_array().into_iter().flatten();
    User {
        name: text("user"),
        uid: text("uid"),
        groups: groups
            .filter_map(|group| group.as_str().map(odd::read_text))
            .collect(),
        ..User::default()
    }
}
