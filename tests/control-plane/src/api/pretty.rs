//! Answers in JSON with indentation, for people who read them.

use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, Response};

use super::discovery::AGGREGATED;
use super::negotiation;
use super::query::Query;
use super::response::take_body;
use crate::json;
use crate::serve::{Body, full};

/// Who is taken for somebody who reads, unless the query says otherwise.
const READERS: [&str; 3] = ["curl", "Wget", "Mozilla/5.0"];

pub(crate) fn is_wanted(query: &Query, headers: &HeaderMap) -> bool {
    match query.get("pretty") {
        Some(said) if !said.is_empty() => ["1", "t", "T", "true", "TRUE", "True"].contains(&said),
        _ if negotiation::wants_pretty(headers) => true,
        _ => {
            let agent = headers
                .get(USER_AGENT)
                .and_then(|agent| agent.to_str().ok());
            agent.is_some_and(|agent| READERS.iter().any(|reader| agent.starts_with(reader)))
        }
    }
}

/// The same answer, indented; what is no JSON stays as it is.
pub(crate) async fn answer(response: Response<Body>) -> Response<Body> {
    let kind = response.headers().get(CONTENT_TYPE);
    let is_whole = |kind: &str| kind == "application/json" || kind == AGGREGATED;
    if !kind.is_some_and(|kind| kind.to_str().is_ok_and(is_whole)) {
        return response;
    }
    let (mut response, body) = take_body(response).await;
    *response.body_mut() = json::indent(&body).map_or_else(|_| full(body), full);
    response
}
