//! Reviews: what a user asks about itself. There is one user, who may do everything.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::body::{self, Source};
use super::create::writer;
use super::options::WriteOptions;
use super::target::Target;
use super::view::Form;
use super::{Asked, response};
use crate::failure::{Cause, Failure};
use crate::object;
use crate::patch;
use crate::serve::Body;

/// The user of everybody who has the token.
const USER: &str = "admin";
const GROUPS: [&str; 2] = ["system:masters", "system:authenticated"];

pub(crate) fn answer(target: &Target, asked: &Asked) -> Result<Response<Body>, Failure> {
    let form = Form::of(target, asked)?;
    let options = WriteOptions::read(asked, "CreateOptions")?;
    let mut review = body::read(target, asked)?;
    let warnings = body::shape(
        target,
        &mut review,
        options.unknown,
        Source::Body,
        body::said_twice(asked),
    )?;
    let schema = target.version().schema.schema();
    let api_version = target.api_version();
    let writer = writer(target, &options.manager, &api_version);
    patch::track_update(None, &mut review, schema, &writer);
    match target.resource.kind.as_str() {
        "SelfSubjectAccessReview" => access(&mut review)?,
        "SelfSubjectRulesReview" => rules(&mut review)?,
        _ => subject(&mut review),
    }
    let answer = response::json(StatusCode::CREATED, &form.object(target, &review));
    Ok(response::warn(answer, &warnings))
}

/// May I? Yes.
fn access(review: &mut Value) -> Result<(), Failure> {
    let asks = |what: &str| review.pointer(&format!("/spec/{what}")).is_some();
    if asks("resourceAttributes") == asks("nonResourceAttributes") {
        let field = "spec.resourceAttributes";
        let given = review.pointer("/spec/resourceAttributes");
        let must = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
        let cause = Cause::invalid(field, given.unwrap_or(&Value::Null), must);
        return Err(Failure::invalid("", "", "", vec![cause]));
    }
    review["status"] = json!({"allowed": true});
    Ok(())
}

/// What may I? Everything; and what everybody may.
fn rules(review: &mut Value) -> Result<(), Failure> {
    let namespace = review.pointer("/spec/namespace").and_then(Value::as_str);
    if namespace.is_none_or(str::is_empty) {
        return Err(Failure::bad_request("no namespace on request"));
    }
    let resources = |group: &str, resources: &[&str], verb: &str| json!({"verbs": [verb], "apiGroups": [group], "resources": resources});
    let paths = |verb: &str, paths: &[&str]| json!({"verbs": [verb], "nonResourceURLs": paths});
    let public = ["/healthz", "/livez", "/readyz", "/version", "/version/"];
    let discovery = [
        "/api",
        "/api/*",
        "/apis",
        "/apis/*",
        "/healthz",
        "/livez",
        "/openapi",
        "/openapi/*",
        "/readyz",
        "/version",
        "/version/",
    ];
    let access = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"];
    review["metadata"] = json!({});
    review["spec"] = json!({});
    review["status"] = json!({
        "resourceRules": [
            resources("authorization.k8s.io", &access, "create"),
            resources("authentication.k8s.io", &["selfsubjectreviews"], "create"),
            resources("*", &["*"], "*"),
        ],
        "nonResourceRules": [paths("get", &public), paths("get", &discovery), paths("*", &["*"])],
        "incomplete": false,
    });
    Ok(())
}

/// Who am I?
fn subject(review: &mut Value) {
    object::set_meta(review, "creationTimestamp", object::now());
    review["status"] = json!({"userInfo": {"username": USER, "uid": USER, "groups": GROUPS}});
}
