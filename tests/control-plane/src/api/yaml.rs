//! Answers in YAML, for those who would rather have that.

use http::Response;
use http_body_util::BodyExt;
use serde_json::Value;

use super::response::retype;
use crate::serve::{Body, full};

/// The media type.
pub(crate) const MEDIA_TYPE: &str = "application/yaml";

/// The same answer in YAML; what is no JSON stays as it is.
pub(crate) async fn answer(response: Response<Body>) -> Response<Body> {
    let (parts, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        // Cannot be: the body is all there.
        Err(_) => return Response::from_parts(parts, full("")),
    };
    let yaml = serde_json::from_slice::<Value>(&body)
        .ok()
        .and_then(|value| serde_saphyr::to_string(&value).ok());
    let mut response = Response::from_parts(parts, full(""));
    *response.body_mut() = match yaml {
        Some(yaml) if retype(&mut response, MEDIA_TYPE, "") => full(yaml),
        _ => full(body),
    };
    response
}
