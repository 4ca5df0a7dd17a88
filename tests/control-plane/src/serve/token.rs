//! Bearer tokens, and the answer to those who have none.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderName, SEC_WEBSOCKET_PROTOCOL,
    UPGRADE,
};
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

/// What a WebSocket's protocol begins with that is a token instead, in base64 for URLs: a browser can send no other header.
const PROTOCOL_OF_A_TOKEN: &str = "base64url.bearer.authorization.k8s.io.";

/// Whether a request asks for a WebSocket.
pub(super) fn asks_for_websocket(headers: &HeaderMap) -> bool {
    let says = |name: HeaderName, word: &str| {
        let text = headers.get(name).and_then(|value| value.to_str().ok());
        let mut words = text.unwrap_or_default().split(',').map(str::trim);
        words.any(|said| said.eq_ignore_ascii_case(word))
    };
    says(UPGRADE, "websocket") && says(CONNECTION, "upgrade")
}

/// The protocols that a WebSocket may speak, and those that are tokens.
pub(super) fn websocket_protocols(headers: &HeaderMap) -> (Vec<&str>, Vec<&str>) {
    let said = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter();
    let said = said.filter_map(|value| value.to_str().ok());
    let all = said.flat_map(|value| value.split(',').map(str::trim));
    all.partition(|protocol| !protocol.starts_with(PROTOCOL_OF_A_TOKEN))
}

/// There is a token, which cannot be read.
#[derive(Debug)]
pub(crate) struct Unreadable;

/// The token that a request for a WebSocket names as a protocol, beside the one that is spoken.
pub(crate) fn websocket_token(headers: &HeaderMap) -> Result<Option<String>, Unreadable> {
    if !headers.contains_key(SEC_WEBSOCKET_PROTOCOL) || !asks_for_websocket(headers) {
        return Ok(None);
    }
    let (spoken, tokens) = websocket_protocols(headers);
    let token = match *tokens {
        [] => return Ok(None),
        [token] => token.strip_prefix(PROTOCOL_OF_A_TOKEN).unwrap_or(token),
        _ => return Err(Unreadable),
    };
    let token = URL_SAFE_NO_PAD.decode(token).map_err(|_| Unreadable)?;
    let token = String::from_utf8(token).map_err(|_| Unreadable)?;
    match spoken.is_empty() {
        _ if token.is_empty() => Ok(None),
        true => Err(Unreadable),
        false => Ok(Some(token)),
    }
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
