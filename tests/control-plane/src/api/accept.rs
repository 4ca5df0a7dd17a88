//! The `Accept` header: what may be answered, and what is said when nothing may.

use http::header::ACCEPT;
use http::{HeaderMap, Method, StatusCode};

use super::target::Target;
use super::{Asked, body, protobuf, yaml};
use crate::failure::Failure;

const JSON: &str = "application/json";

/// The media types of the header, without their parameters; anything, if there is no header.
pub(crate) fn ranges(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    accept
        .unwrap_or("*/*")
        .split(',')
        .map(|range| range.split(';').next().unwrap_or_default().trim())
}

/// Whether a media type is one in which there are answers.
pub(crate) fn answers(range: &str) -> bool {
    [JSON, "application/*", "*/*", "", yaml::MEDIA_TYPE].contains(&range)
}

/// The answer to a request that accepts nothing that there is. It is worded as by a server that answers in protobuf
/// too. Built-in resources refuse a media type that nobody knows before they look at what else was asked for, and in
/// other words.
pub(crate) fn nothing(target: &Target, asked: &Asked) -> Failure {
    const KNOWN: [&str; 3] = [JSON, yaml::MEDIA_TYPE, protobuf::MEDIA_TYPE];
    let streams = [JSON, protobuf::MEDIA_TYPE].map(|media| format!("{media};stream=watch"));
    let is_known = ranges(&asked.headers).any(|range| KNOWN.contains(&range));
    if !is_known && !target.resource.is_crd() {
        let mut known = KNOWN.map(str::to_owned).to_vec();
        if asked.method == Method::GET && target.name.is_none() {
            known.extend(streams);
        }
        let message = format!(
            "406: Not Acceptable\n\nAvailable representations: {}",
            known.join(", ")
        );
        return failure(message).with_empty_details();
    }
    let known = if is_known && asked.query.flag("watch") {
        streams.join(", ")
    } else {
        KNOWN.join(", ")
    };
    failure(format!(
        "only the following media types are accepted: {known}"
    ))
}

/// The metadata of a list is no list of metadata.
pub(super) fn not_of_that_kind(target: &Target, wanted: &str, is_list: bool) -> Failure {
    let kind = match (target.resource.is_crd(), is_list) {
        (true, true) => "unstructured.UnstructuredList".to_owned(),
        (true, false) => "unstructured.Unstructured".to_owned(),
        (false, true) => format!(
            "{}.{}",
            body::internal(&target.resource.group),
            target.resource.list_kind
        ),
        (false, false) => format!(
            "{}.{}",
            body::internal(&target.resource.group),
            target.resource.kind
        ),
    };
    let is = if is_list {
        "is a list"
    } else {
        "is not a list"
    };
    failure(format!(
        "you requested {wanted}, but the requested object {is} (*{kind})"
    ))
}

fn failure(message: String) -> Failure {
    Failure::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message)
}
