//! Bearer tokens, and the answer to those who have none.

use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::json;

use super::{Body, full};
use crate::json;
use crate::structs::Typed;

/// The token of an `Authorization: Bearer ..` header; after two spaces it is empty, and what is behind it is ignored.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let mut words = value.trim().splitn(3, ' ');
    let (scheme, token) = (words.next()?, words.next()?);
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// Whether a token stands behind more than one space, where nobody looks for it.
pub(crate) fn is_token_ignored(headers: &HeaderMap) -> bool {
    let value = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let is_behind = |value: &str| value.trim().splitn(3, ' ').count() == 3;
    bearer_token(headers) == Some("") && value.is_some_and(is_behind)
}

/// What an API server answers to a request without a token that it knows.
pub(crate) fn unauthorized() -> Response<Body> {
    failure(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
}

/// A `Status` that says what failed.
pub(crate) fn failure(code: StatusCode, reason: &str, message: &str) -> Response<Body> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {},
        "status": "Failure", "message": message, "reason": reason, "code": code.as_u16(),
    });
    let mut text = Vec::new();
    json::write(&Typed(&status), &mut text);
    text.push(b'\n');
    let mut response = Response::new(full(text));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_what_follows_bearer() {
        let mut headers = HeaderMap::new();
        assert_eq!(bearer_token(&headers), None);
        headers.insert(AUTHORIZATION, HeaderValue::from_static("bearer abc"));
        assert_eq!(bearer_token(&headers), Some("abc"));
        assert!(!is_token_ignored(&headers));
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer  abc"));
        assert_eq!(bearer_token(&headers), Some(""));
        assert!(is_token_ignored(&headers));
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic abc"));
        assert_eq!(bearer_token(&headers), None);
    }
}
