//! OpenAPI, in its third version and its second: what Kubernetes says of its own kinds, and what CRDs say of theirs.

mod definition;
mod document;
mod gnostic;
mod gnostic_third;
mod last;
mod recorded;
mod second;
mod shared;

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, ETAG, EXPIRES, HeaderValue, LOCATION, VARY};
use http::{Response, StatusCode};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use last::Last;
use serde_json::{Map, Value, json};

use super::compression::Packed;
use super::content::Content;
use super::negotiation::{names_nothing, preferred, ranges};
use super::{Asked, response};
use crate::clock;
use crate::plane::{Plane, World};
use crate::serve::Body;

/// Where types are.
const REFERENCE: &str = "#/components/schemas/";
const IN_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
/// How the third version in protobuf is called, and how it was.
const THIRD: &str = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";
const THIRD_OF_OLD: &str = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf";

/// What is kept of what was said last.
#[derive(Default)]
pub(crate) struct Kept {
    index: Last<Bytes>,
    second: Last<Second>,
    /// By what each document of the third version was known last, and since when.
    documents: Mutex<BTreeMap<String, (String, Timestamp)>>,
}

impl Kept {
    /// Since when a document is as it is.
    fn since(&self, name: &str, hash: &str) -> Timestamp {
        let mut documents = self
            .documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match documents.get(name) {
            Some((known, since)) if known == hash => *since,
            _ => {
                let now = clock::now();
                documents.insert(name.to_owned(), (hash.to_owned(), now));
                now
            }
        }
    }
}

/// The second version as it is told.
struct Second {
    json: Bytes,
    hash: String,
    protobuf: OnceLock<Bytes>,
}

impl Second {
    fn new(document: &Value) -> Self {
        let json = Bytes::from(document.to_string());
        Self {
            hash: hash(&json),
            json,
            protobuf: OnceLock::new(),
        }
    }

    fn in_protobuf(&self) -> Bytes {
        // It was written from a value.
        let write = || gnostic::write(&serde_json::from_slice(&self.json).unwrap_or_default());
        self.protobuf.get_or_init(|| write().into()).clone()
    }
}

/// What there is, a document for each group and version.
pub(crate) fn index(world: &World, plane: &Plane, asked: &Asked) -> Response<Body> {
    let (index, modified) = world.openapi.index.of(world.resources(plane), || {
        let mut paths = Map::new();
        for (name, document) in document::all(world, plane) {
            let url = format!("/openapi/v3/{name}?hash={}", hash(document.as_bytes()));
            paths.insert(name, json!({"serverRelativeURL": url}));
        }
        json!({"paths": paths}).to_string().into()
    });
    let content = Content {
        content_type: "text/plain; charset=utf-8",
        body: Bytes::clone(&index),
        tag: None,
        modified,
    };
    content.answer(asked)
}

/// The document of a group and version, or of another part of the server.
pub(crate) fn document(world: &World, plane: &Plane, asked: &Asked) -> Response<Body> {
    let name = asked.path.strip_prefix("/openapi/v3/").unwrap_or_default();
    let Some(document) = document::named(world, plane, name) else {
        return response::nothing(StatusCode::NOT_FOUND);
    };
    if names_nothing(&asked.headers) {
        return response::nothing(StatusCode::OK);
    }
    let known = ["application/json", THIRD, THIRD_OF_OLD];
    let Some((format, _)) = preferred(&asked.headers, &known, |_, _| true) else {
        let mut answer = response::nothing(StatusCode::NOT_ACCEPTABLE);
        let headers = answer.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("Accept"));
        return answer;
    };
    let content_type = match format {
        THIRD_OF_OLD => THIRD,
        format => format,
    };
    let hash = hash(document.as_bytes());
    let wanted = asked.query.get("hash").filter(|wanted| !wanted.is_empty());
    let current = format!("/openapi/v3/{name}?hash={hash}");
    let moved = wanted.is_some_and(|wanted| *wanted != *hash);
    let mut answer = if moved {
        let mut answer = response::bytes(StatusCode::MOVED_PERMANENTLY, content_type, "");
        for (name, value) in [(LOCATION, current), (ETAG, format!("\"{hash}\""))] {
            if let Ok(value) = HeaderValue::try_from(value) {
                answer.headers_mut().insert(name, value);
            }
        }
        answer
    } else {
        let body = match content_type {
            THIRD => in_protobuf(&document),
            _ => document.into_bytes(),
        };
        let content = Content {
            content_type,
            body: body.into(),
            tag: Some(format!("\"{hash}\"")),
            modified: world.openapi.since(name, &hash),
        };
        content.answer(asked)
    };
    let headers = answer.headers_mut();
    if wanted.is_some() && !moved {
        let forever = HeaderValue::from_static("public, immutable");
        headers.insert(CACHE_CONTROL, forever);
        let in_a_year = clock::now()
            .to_zoned(TimeZone::UTC)
            .saturating_add(1.year());
        let expires = in_a_year.strftime("%a, %d %b %Y %H:%M:%S UTC").to_string();
        headers.extend(HeaderValue::try_from(expires).map(|at| (EXPIRES, at)));
    }
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    answer
}

fn in_protobuf(document: &str) -> Vec<u8> {
    // It was written from a value.
    let document = serde_json::from_str(document).unwrap_or_default();
    gnostic_third::write(&document)
}

/// The second version, all of it in one document.
pub(crate) fn second(world: &World, plane: &Plane, asked: &Asked) -> Response<Body> {
    let accepts = |media: &str| ranges(&asked.headers).any(|range| range == media);
    let in_json = ["application/json", "application/*", "*/*"]
        .into_iter()
        .any(accepts);
    let in_protobuf = accepts(IN_PROTOBUF)
        && !asked
            .header(ACCEPT)
            .is_some_and(|accept| accept.starts_with("application/json"));
    let mut answer = if in_protobuf || in_json {
        let put_together = || Second::new(&document::in_second_version(world, plane));
        let kinds = world.resources(plane);
        let (second, modified) = world.openapi.second.of(kinds, put_together);
        let (content_type, body) = match in_protobuf {
            true => (
                "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
                second.in_protobuf(),
            ),
            false => ("application/json", second.json.clone()),
        };
        let content = Content {
            content_type,
            body,
            tag: Some(format!("\"{}\"", second.hash)),
            modified,
        };
        content.answer(asked)
    } else {
        response::nothing(StatusCode::NOT_ACCEPTABLE)
    };
    if answer.status() != StatusCode::PARTIAL_CONTENT {
        answer.extensions_mut().insert(Packed::ALWAYS);
    }
    for varies in ["Accept-Encoding", "Accept"] {
        answer
            .headers_mut()
            .append(VARY, HeaderValue::from_static(varies));
    }
    answer
}

/// By which a client sees that a document is another one.
pub(super) fn hash(document: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA512, document);
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect()
}
