//! Long lists in protobuf, which their readers take piece by piece.

use std::sync::Arc;

use http::Response;
use serde_json::Value;

use super::MEDIA_TYPE;
use super::encode::{begin_envelope, end_envelope, list_item, list_metadata};
use crate::api::response;
use crate::api::target::Target;
use crate::api::view::{in_pieces, present};
use crate::serve::Body;
use crate::store::Kept;
use crate::structs;

/// The answer with a list of whole objects, of which no more than a piece is held for a reader who is slow. How long it is
/// stands at its beginning, so that all of it is written twice. None for kinds that have no protobuf.
pub(crate) fn list(
    target: &Target,
    objects: &[Arc<Kept>],
    metadata: &Value,
) -> Option<Response<Body>> {
    let api_version = target.api_version();
    let known = structs::of_kind(&api_version, &target.resource.kind)?;
    let of = target.clone();
    let write = move |object: &Kept| list_item(known, &present(&of, &object.value()));
    let metadata = list_metadata(metadata);
    let items: usize = objects.iter().map(|object| write(object).len()).sum();
    let kind = &target.resource.list_kind;
    let mut begin = begin_envelope(&api_version, kind, metadata.len() + items);
    begin.extend(metadata);
    let body = in_pieces(
        target,
        begin,
        objects.to_vec(),
        move |object, piece, _| piece.extend(write(object)),
        end_envelope(),
    );
    Some(response::in_parts(MEDIA_TYPE, body))
}
