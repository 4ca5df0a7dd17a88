//! Reviews: questions about users and what they may do.

mod access;
mod rules;
mod selectors;
mod token;

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::body::{self, Shaped, Source};
use super::create::writer;
use super::options::WriteOptions;
use super::target::Target;
use super::view::Form;
use super::{Asked, response};
use crate::auth::User;
use crate::failure::Failure;
use crate::object;
use crate::odd;
use crate::patch;
use crate::serve::Body;

/// The metadata that is the server's alone.
const NOT_READ: [&str; 5] = [
    "creationTimestamp",
    "uid",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
];

pub(crate) fn answer(target: &Target, asked: &Asked) -> Result<Response<Body>, Failure> {
    let form = Form::of(target, asked)?;
    body::check_format(target, asked)?;
    let options = WriteOptions::read(asked, "CreateOptions")?;
    let mut review = body::read(target, asked)?;
    let Shaped { warnings, .. } = body::shape(
        target,
        &mut review,
        options.unknown,
        Source::Body(body::json(asked)),
        body::said_twice(asked),
    )?;
    super::rules::place(target, &mut review)?;
    let metadata = object::metadata_mut(&mut review);
    NOT_READ
        .iter()
        .for_each(|field| drop(metadata.remove(*field)));
    let schema = target.version().schema.schema();
    let api_version = target.api_version();
    let writer = writer(target, &options.manager, &api_version);
    patch::track_update(None, &mut review, schema, &writer);
    let answered = match target.resource.kind.as_str() {
        "SelfSubjectRulesReview" => rules::answer(target, &mut review),
        "TokenReview" => token::answer(target, &mut review),
        "SelfSubjectReview" => {
            subject(target, &mut review);
            Ok(())
        }
        _ => access::answer(target, &mut review),
    };
    answered.map_err(|failure| failure.warned(warnings.clone()))?;
    let answer = response::written(StatusCode::CREATED, form.text(target, &review));
    Ok(response::warn(answer, &warnings))
}

/// Who am I?
fn subject(target: &Target, review: &mut Value) {
    review["metadata"] = json!({"creationTimestamp": object::now()});
    review["status"] = json!({"userInfo": info(target.caller.user())});
}

/// What a review says of a user.
fn info(user: &User) -> Value {
    let mut info = json!({});
    if !user.name.is_empty() {
        info["username"] = odd::told(&user.name).into();
    }
    if !user.uid.is_empty() {
        info["uid"] = user.uid.clone().into();
    }
    if !user.groups.is_empty() {
        let groups = user.groups.iter().map(|group| odd::told(group));
        info["groups"] = groups.collect();
    }
    if !user.extra.is_empty() {
        let told = user.extra.iter().map(|(key, values)| {
            let values = values.iter().map(|value| odd::told(value));
            (odd::told(key).into_owned(), values.collect())
        });
        info["extra"] = Value::Object(told.collect());
    }
    info
}
