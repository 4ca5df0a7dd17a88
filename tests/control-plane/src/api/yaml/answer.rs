//! Answers in YAML, for those who would rather have that.

use http::Response;
use serde_json::Value;

use crate::api::response::{retype, take_body};
use crate::serve::{Body, full};

/// The media type.
pub(crate) const MEDIA_TYPE: &str = "application/yaml";

/// The same answer in YAML; what is no JSON stays as it is.
pub(crate) async fn answer(response: Response<Body>) -> Response<Body> {
    let (mut response, body) = take_body(response).await;
    let yaml = serde_json::from_slice::<Value>(&body)
        .ok()
        .and_then(|value| serde_saphyr::to_string(&value).ok());
    *response.body_mut() = match yaml {
        Some(yaml) if retype(&mut response, MEDIA_TYPE, "") => full(yaml),
        _ => full(body),
    };
    response
}
