//! Answers in protobuf, made of those in JSON.

use bytes::Bytes;
use http::Response;
use http_body_util::BodyExt;
use serde_json::Value;

use super::MEDIA_TYPE;
use super::encode::{write, write_event};
use crate::api::response::{is_json, retype, take_body};
use crate::serve::{Body, full};

/// The same answer in protobuf; what is no JSON, or of a kind that has no protobuf, stays as it is.
pub(crate) async fn answer(mut response: Response<Body>, is_watch: bool) -> Response<Body> {
    if is_watch {
        if retype(&mut response, MEDIA_TYPE, ";stream=watch") {
            return response.map(|body| {
                body.map_frame(|frame| frame.map_data(|lines| events(&lines)))
                    .boxed()
            });
        }
        return response;
    }
    if !is_json(&response) {
        return response;
    }
    let (mut response, body) = take_body(response).await;
    let written = serde_json::from_slice::<Value>(&body)
        .ok()
        .and_then(|value| write(&value));
    *response.body_mut() = match written {
        Some(written) if retype(&mut response, MEDIA_TYPE, "") => full(written),
        _ => full(body),
    };
    response
}

/// The events of some lines, each of which is whole.
pub(crate) fn events(lines: &[u8]) -> Bytes {
    let mut events = Vec::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let event = serde_json::from_slice::<Value>(line).ok();
        events.extend(
            event
                .and_then(|event| write_event(&event))
                .unwrap_or_default(),
        );
    }
    events.into()
}
