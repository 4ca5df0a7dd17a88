//! Server-side apply to one certain object, and to none that has come in its place.

use kube::api::ObjectMeta;
use serde_json::Value;

use super::apply::look;
use super::ownership::NotOwned;
use super::remote::Remote;
use crate::transport::Failure;

const HTTP_CONFLICT: u16 = 409;
const HTTP_INVALID: u16 = 422;

/// Sends an apply to the child that was `known`, or to none, and to no other one that has come in its place: that one is
/// looked at first.
pub(super) async fn apply_exactly(
    remote: &Remote,
    mut object: Value,
    manager: &str,
    force: bool,
    known: Option<&ObjectMeta>,
    check: impl Fn(&ObjectMeta) -> Result<(), NotOwned>,
) -> Result<Result<Value, Failure>, NotOwned> {
    set_uid(&mut object, known);
    // What we do not know may have come this very moment, from somebody else: unforced, the server says
    // so instead of overwriting it.
    let failure = match remote
        .apply(&object, manager, force && known.is_some())
        .await
    {
        Err(failure) if is_of_another(&failure, known) => failure,
        answer => return Ok(answer),
    };
    let live = match look(remote).await {
        Ok(live) => live,
        Err(failure) => return Ok(Err(failure)),
    };
    if let Some(live) = &live {
        check(live)?;
        // It is the one that was meant, and refused for something else.
        if known.is_some_and(|known| known.uid == live.uid) {
            return Ok(Err(failure));
        }
    }
    set_uid(&mut object, live.as_ref());
    Ok(remote
        .apply(&object, manager, force && live.is_some())
        .await)
}

/// Names the one object that is meant. The server keeps it from all others, also from a new one, and for no field of ours.
fn set_uid(object: &mut Value, meta: Option<&ObjectMeta>) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        match meta.and_then(|meta| meta.uid.clone()) {
            Some(uid) => metadata.insert("uid".into(), uid.into()),
            None => metadata.remove("uid"),
        };
    }
}

/// Whether a refusal may mean that another object is there than was known: the server calls it a conflict where there is
/// none, and its uid immutable where there is another.
fn is_of_another(failure: &Failure, known: Option<&ObjectMeta>) -> bool {
    match failure.code() {
        Some(HTTP_CONFLICT) => true,
        Some(HTTP_INVALID) => known.is_some() && failure.to_string().contains("metadata.uid"),
        _ => false,
    }
}
