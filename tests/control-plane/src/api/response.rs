//! Answers.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WARNING, X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode, Uri};
use http_body_util::{BodyExt, Collected};
use serde::Serialize;

use crate::failure::Failure;
use crate::patch::go;
use crate::serve::{Body, full};
use crate::structs::Typed;

/// A body of JSON.
pub(crate) fn json(code: StatusCode, value: &impl Serialize) -> Response<Body> {
    let mut text = Vec::new();
    crate::json::write(value, &mut text);
    text.push(b'\n');
    bytes(code, "application/json", text)
}

/// A body of JSON for people to read.
pub(crate) fn indented(value: &impl Serialize) -> Response<Body> {
    // Values and structs of texts always serialize.
    let text = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes(StatusCode::OK, "application/json", text)
}

/// An answer that is JSON already.
pub(crate) fn written(code: StatusCode, mut json: Vec<u8>) -> Response<Body> {
    json.push(b'\n');
    bytes(code, "application/json", json)
}

pub(crate) fn bytes(
    code: StatusCode,
    content_type: &'static str,
    body: impl Into<bytes::Bytes>,
) -> Response<Body> {
    let mut response = in_parts(content_type, full(body));
    *response.status_mut() = code;
    response
}

/// An answer whose body comes bit by bit.
pub(crate) fn in_parts(content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

/// Whether an answer is in JSON.
pub(crate) fn is_json(response: &Response<Body>) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE);
    content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

/// Says that an answer in JSON is one in another media type; of what is no JSON nothing is said, and it is not done.
pub(crate) fn retype(response: &mut Response<Body>, media_type: &str, more: &str) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE);
    let parameters = content_type
        .and_then(|value| value.to_str().ok()?.strip_prefix("application/json"))
        .filter(|rest| rest.is_empty() || rest.starts_with(';'));
    let other =
        parameters.and_then(|rest| HeaderValue::try_from(format!("{media_type}{rest}{more}")).ok());
    match other {
        Some(other) => response.headers_mut().insert(CONTENT_TYPE, other).is_some(),
        None => false,
    }
}

/// An answer that is no more than its code.
pub(crate) fn nothing(code: StatusCode) -> Response<Body> {
    let mut response = Response::new(full(bytes::Bytes::new()));
    *response.status_mut() = code;
    let private = HeaderValue::from_static("no-cache, private");
    response.headers_mut().insert(CACHE_CONTROL, private);
    response
}

pub(crate) fn text(body: impl Into<bytes::Bytes>) -> Response<Body> {
    bytes(StatusCode::OK, "text/plain; charset=utf-8", body)
}

pub(crate) fn failure(failure: &Failure) -> Response<Body> {
    if failure.plain {
        let text = format!("{}\n", failure.message());
        return unsniffed(bytes(failure.code, "text/plain; charset=utf-8", text));
    }
    let mut response = json(failure.code, &Typed(&failure.status()));
    if failure.no_sniff {
        response = unsniffed(response);
    }
    if let Some(seconds) = failure.retry_after {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    warn(response, &failure.warnings)
}

/// Nobody is to guess that an answer is of another type, as Go says of what it answers by itself.
pub(super) fn unsniffed(mut response: Response<Body>) -> Response<Body> {
    let value = HeaderValue::from_static("nosniff");
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, value);
    response
}

/// The answer to a path that is of a resource and names none.
pub(super) fn unreadable(uri: &Uri, path: &str) -> Response<Body> {
    let asked = uri.path_and_query().map_or(path, |asked| asked.as_str());
    let text = format!(
        "Internal Server Error: {}: failed to create RequestInfo: unable to determine kind and namespace from url, {asked}\n",
        go::quoted(asked)
    );
    let text = text.replace('&', "&amp;");
    unsniffed(before_all(StatusCode::INTERNAL_SERVER_ERROR, text))
}

/// The answer to a path that cannot be read, before anything is asked of it.
pub(super) fn bad_path() -> Response<Body> {
    before_all(StatusCode::BAD_REQUEST, "400 Bad Request")
}

/// A text of which nobody has said yet that it is not to be kept.
fn before_all(code: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut answer = bytes(code, "text/plain; charset=utf-8", text);
    answer.headers_mut().remove(CACHE_CONTROL);
    answer
}

/// How many characters all warnings have before each is cut, and how many one of those has at most.
const MOST_OF_ALL: usize = 4096;
const MOST_OF_ONE: usize = 256;

/// Adds a `Warning` header for each; long ones are cut where all together are too long, and those are left out that are
/// too many even then.
pub(crate) fn warn(mut response: Response<Body>, warnings: &[impl AsRef<str>]) -> Response<Body> {
    let lengths = warnings.iter().map(|text| text.as_ref().chars().count());
    let most = match lengths.sum::<usize>() > MOST_OF_ALL {
        true => MOST_OF_ONE,
        false => MOST_OF_ALL,
    };
    let mut said = 0;
    for warning in warnings {
        if said >= MOST_OF_ALL {
            break;
        }
        // What cannot be said in a header is not said.
        if warning.as_ref().contains(char::is_control) {
            continue;
        }
        let told: String = warning.as_ref().chars().take(most).collect();
        said += told.chars().count();
        let quoted = told.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::try_from(format!("299 - \"{quoted}\"")) {
            response.headers_mut().append(WARNING, value);
        }
    }
    response
}

/// The same before what the answer warns of already.
pub(crate) fn warn_first(mut response: Response<Body>, warnings: &[String]) -> Response<Body> {
    let headers = response.headers_mut();
    let later: Vec<HeaderValue> = headers.get_all(WARNING).iter().cloned().collect();
    headers.remove(WARNING);
    response = warn(response, warnings);
    for warning in later {
        response.headers_mut().append(WARNING, warning);
    }
    response
}

/// An answer without its body, and the body, all of which is there.
pub(crate) async fn take_body(response: Response<Body>) -> (Response<Body>, Bytes) {
    let (parts, body) = response.into_parts();
    let body = body.collect().await;
    let body = body.map_or_else(|_| Bytes::new(), Collected::to_bytes);
    (Response::from_parts(parts, full("")), body)
}
