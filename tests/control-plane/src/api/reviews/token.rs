//! Whose token is this? `TokenReview`.

use serde_json::{Value, json};

use crate::api::Target;
use crate::failure::Failure;

/// For whom all tokens are.
const AUDIENCE: &str = "https://kubernetes.default.svc";

pub(super) fn answer(target: &Target, review: &mut Value) -> Result<(), Failure> {
    let text = review.pointer("/spec/token").and_then(Value::as_str);
    let Some(token) = text.filter(|token| !token.is_empty()) else {
        return Err(Failure::bad_request(
            "token is required for TokenReview in authentication",
        ));
    };
    let audiences = review.pointer("/spec/audiences").and_then(Value::as_array);
    let is_for_us = audiences.is_none_or(|list| list.is_empty() || list.contains(&AUDIENCE.into()));
    let user = target.world.auth.tokens.user(token);
    review["status"] = match user.filter(|_| is_for_us) {
        Some(user) => {
            json!({"authenticated": true, "user": super::info(&user), "audiences": [AUDIENCE]})
        }
        None => json!({"user": {}, "error": "invalid bearer token"}),
    };
    Ok(())
}
