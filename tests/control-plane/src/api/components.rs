//! What the server says of its parts. It is found out when it is asked for, and so has no versions.

use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::json;

use super::target::Target;
use super::view::Form;
use super::{Asked, read, response};
use crate::failure::Failure;
use crate::first;
use crate::serve::Body;
use crate::store::{Kept, Key};

pub(crate) fn get(target: &Target, name: &str, asked: &Asked) -> Result<Response<Body>, Failure> {
    let form = Form::of(target, asked)?;
    let mut all = first::components();
    let (_, component) = all
        .find(|(known, _)| *known == name)
        .ok_or_else(|| unknown(name))?;
    Ok(response::written(
        StatusCode::OK,
        form.text(target, &component),
    ))
}

/// Those that are selected, and never a page of them.
pub(crate) fn list(target: &Target, asked: &Asked) -> Result<Response<Body>, Failure> {
    let form = Form::of(target, asked)?.of_list(target)?;
    let selector = read::said(asked)?.of(&target.resource, target.version())?;
    let all = first::components()
        .map(|(name, component)| Arc::new(Kept::new(Key::new("", name), 0, &component)));
    let selected: Vec<_> = all.filter(|object| selector.selects(object)).collect();
    Ok(response::written(
        StatusCode::OK,
        form.list(target, &selected, json!({})),
    ))
}

/// It is called as one, not as many.
fn unknown(name: &str) -> Failure {
    let message = format!("componentstatus {name:?} not found");
    Failure::new(StatusCode::NOT_FOUND, "NotFound", message)
        .with_details(json!({"name": name, "kind": "componentstatus"}))
}
