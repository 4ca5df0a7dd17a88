//! Whose token is this? `TokenReview`.

use serde_json::{Value, json};

use crate::api::Target;
use crate::auth::AUDIENCE;
use crate::failure::Failure;
use crate::object;

pub(super) fn answer(target: &Target, review: &mut Value) -> Result<(), Failure> {
    let text = review.pointer("/spec/token").and_then(Value::as_str);
    let Some(token) = text.filter(|token| !token.is_empty()) else {
        return Err(Failure::bad_request(
            "token is required for TokenReview in authentication",
        ));
    };
    let list = review.pointer("/spec/audiences").and_then(Value::as_array);
    let mut audiences: Vec<String> = list
        .into_iter()
        .flatten()
        .filter_map(|audience| audience.as_str().map(str::to_owned))
        .collect();
    if audiences.is_empty() {
        audiences.push(AUDIENCE.to_owned());
    }
    let reviewed = target
        .world
        .auth
        .tokens
        .review(&target.plane, token, &audiences);
    // What was sent stays where nothing else is known.
    let status = object::field_mut(review, "status");
    match reviewed {
        Ok((user, audiences)) => {
            status.insert("authenticated".to_owned(), true.into());
            status.insert("user".to_owned(), super::info(&user));
            status.insert("audiences".to_owned(), audiences.into());
        }
        Err(why) => {
            status.remove("authenticated");
            status.insert("error".to_owned(), why.into());
            status.entry("user").or_insert_with(|| json!({}));
        }
    }
    Ok(())
}
