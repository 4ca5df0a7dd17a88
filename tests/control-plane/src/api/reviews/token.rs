//! Whose token is this? `TokenReview`.

use serde_json::{Value, json};

use crate::api::Target;
use crate::auth::AUDIENCE;
use crate::failure::Failure;

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
    review["status"] = match target.world.auth.tokens.review(token, &audiences) {
        Ok((user, audiences)) => {
            json!({"authenticated": true, "user": super::info(&user), "audiences": audiences})
        }
        Err(why) => json!({"user": {}, "error": why}),
    };
    Ok(())
}
