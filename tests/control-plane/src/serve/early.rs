//! What a server of HTTP/1.1 answers itself, as Go's does, before anybody looks at what a request asks for.

use http::header::{CONNECTION, CONTENT_TYPE, EXPECT, HOST, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::ext::ReasonPhrase;

use super::{Body, full};

pub(super) fn answer<B>(request: &Request<B>) -> Option<Response<Body>> {
    if request.method() == Method::OPTIONS && request.uri().path() == "*" {
        return Some(closing(StatusCode::OK));
    }
    if request.version() > Version::HTTP_11 {
        return None;
    }
    refuse_encoding(request)
        .or_else(|| refuse_host(request))
        .or_else(|| refuse_expectation(request))
}

/// A body is sent in chunks or whole, and in no other way.
fn refuse_encoding<B>(request: &Request<B>) -> Option<Response<Body>> {
    let mut said = request.headers().get_all(TRANSFER_ENCODING).iter();
    let first = said.next()?;
    let is_known = first.as_bytes().eq_ignore_ascii_case(b"chunked") && said.next().is_none();
    let why = "Unsupported transfer encoding";
    (!is_known).then(|| told(StatusCode::NOT_IMPLEMENTED, why))
}

/// A request says once which host it is for.
fn refuse_host<B>(request: &Request<B>) -> Option<Response<Body>> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let needs_one = request.version() == Version::HTTP_11 && request.method() != Method::CONNECT;
    match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => Some(told(StatusCode::BAD_REQUEST, "400 Bad Request")),
        (None, _) if needs_one => Some(bad_request("missing required Host header")),
        (Some(host), None) if !host.as_bytes().iter().all(is_of_host) => {
            Some(bad_request("malformed Host header"))
        }
        _ => None,
    }
}

fn is_of_host(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!$%&()*+,-.:;=[']_~".contains(byte)
}

/// Nothing is expected but to be told that the body is wanted.
fn refuse_expectation<B>(request: &Request<B>) -> Option<Response<Body>> {
    let expected = request.headers().get(EXPECT)?.to_str().ok()?;
    let mut words = expected.split(',').map(str::trim);
    let is_known =
        expected.is_empty() || words.any(|word| word.eq_ignore_ascii_case("100-continue"));
    (!is_known).then(|| closing(StatusCode::EXPECTATION_FAILED))
}

fn bad_request(why: &'static str) -> Response<Body> {
    let phrase = format!("Bad Request: {why}");
    let mut answer = told(StatusCode::BAD_REQUEST, &format!("400 {phrase}"));
    if let Ok(phrase) = ReasonPhrase::try_from(phrase) {
        answer.extensions_mut().insert(phrase);
    }
    answer
}

fn told(code: StatusCode, text: &str) -> Response<Body> {
    let mut answer = closing(code).map(|_| full(text.to_owned()));
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, plain);
    answer
}

/// An answer without a body, behind which nothing more is read.
fn closing(code: StatusCode) -> Response<Body> {
    let mut answer = Response::new(full(""));
    *answer.status_mut() = code;
    let close = HeaderValue::from_static("close");
    answer.headers_mut().insert(CONNECTION, close);
    answer
}
