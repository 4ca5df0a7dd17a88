//! Answers in YAML, for those who would rather have that.

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Response};
use http_body_util::BodyExt;
use serde_json::Value;

use super::accept;
use crate::serve::{Body, full};

/// The media type.
pub(crate) const MEDIA_TYPE: &str = "application/yaml";

/// Whether YAML comes before anything else that is answered.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let mut ranges = accept::ranges(headers);
    ranges.find(|range| accept::answers(range)) == Some(MEDIA_TYPE)
}

/// The same answer in YAML; what is no JSON stays as it is.
pub(crate) async fn answer(response: Response<Body>) -> Response<Body> {
    let json = HeaderValue::from_static("application/json");
    if response.headers().get(CONTENT_TYPE) != Some(&json) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        // Cannot be: the body is all there.
        Err(_) => return Response::from_parts(parts, full("")),
    };
    let yaml = serde_json::from_slice::<Value>(&body)
        .ok()
        .and_then(|value| serde_saphyr::to_string(&value).ok());
    let Some(yaml) = yaml else {
        return Response::from_parts(parts, full(body));
    };
    parts
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    Response::from_parts(parts, full(yaml))
}
