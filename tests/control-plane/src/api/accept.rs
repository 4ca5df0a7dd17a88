//! What may be answered, and what is said when nothing may.

use http::{HeaderMap, Method, StatusCode};

use super::negotiation::{Media, negotiate, ranges};
use super::target::Target;
use super::{Asked, body};
use crate::failure::Failure;

/// In what the server tells about itself. What is always there refuses a media type that nobody knows before it looks at
/// what else was asked for, and in other words.
pub(crate) fn discovery(asked: &Asked, built_in: bool) -> Result<Media, Failure> {
    if built_in && !names_one(&asked.headers) {
        return Err(no_representation(&names()));
    }
    negotiate(&asked.headers, |_, convert| convert.is_none().then_some(()))
        .map(|(media, ())| media)
        .ok_or_else(|| not_accepted(&names()))
}

/// Refuses who does not take the one format that there is.
pub(crate) fn this_alone(asked: &Asked, media_type: &str) -> Result<(), Failure> {
    if ranges(&asked.headers).any(|range| [media_type, "*/*"].contains(&range)) {
        return Ok(());
    }
    Err(no_representation(&[media_type.to_owned()]))
}

/// Refuses who accepts nothing that there is of a built-in resource, even before all else.
pub(crate) fn something(target: &Target, asked: &Asked) -> Result<(), Failure> {
    if target.resource.is_crd() || names_one(&asked.headers) {
        return Ok(());
    }
    let mut known = names();
    if asked.method == Method::GET && target.name.is_none() {
        known.extend(streams());
    }
    Err(no_representation(&known))
}

/// The answer to a request that accepts nothing that there is.
pub(crate) fn nothing() -> Failure {
    not_accepted(&names())
}

/// The answer to who takes none of some formats.
pub(crate) fn only(known: &[&str]) -> Failure {
    let known: Vec<String> = known.iter().map(|known| (*known).to_owned()).collect();
    not_accepted(&known)
}

/// The answer to a watch in a format that has no streams.
pub(crate) fn no_stream() -> Failure {
    not_accepted(&streams())
}

fn names() -> Vec<String> {
    Media::ALL.map(|media| media.name().to_owned()).to_vec()
}

fn streams() -> Vec<String> {
    [Media::Json, Media::Protobuf]
        .map(|media| format!("{};stream=watch", media.name()))
        .to_vec()
}

/// Whether the header names a media type that there is, or any.
pub(super) fn names_one(headers: &HeaderMap) -> bool {
    ranges(headers)
        .any(|range| range == "*/*" || Media::ALL.iter().any(|media| media.name() == range))
}

fn no_representation(known: &[String]) -> Failure {
    let known = known.join(", ");
    failure(format!(
        "406: Not Acceptable\n\nAvailable representations: {known}"
    ))
    .with_empty_details()
}

fn not_accepted(known: &[String]) -> Failure {
    failure(format!(
        "only the following media types are accepted: {}",
        known.join(", ")
    ))
}

/// The metadata of one object is asked for, and this is a list.
pub(super) fn is_a_list(target: &Target) -> Failure {
    let kind = match target.resource.is_crd() {
        true => "unstructured.UnstructuredList".to_owned(),
        false => internal(target, &target.resource.list_kind),
    };
    failure(format!(
        "you requested PartialObjectMetadata, but the requested object is a list (*{kind})"
    ))
}

/// What a type of the server's own is called.
pub(super) fn internal(target: &Target, kind: &str) -> String {
    format!("{}.{kind}", body::internal(&target.resource.group))
}

/// A list of metadata is asked for, and this is none, but of another type.
pub(super) fn is_no_list(kind: &str) -> Failure {
    failure(format!(
        "you requested PartialObjectMetadataList, but the requested object is not a list (*{kind})"
    ))
}

fn failure(message: String) -> Failure {
    Failure::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message)
}
