//! Long answers are packed for clients that can unpack them.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue, VARY};
use http::{HeaderMap, Response};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, StreamBody};

use super::response;
use crate::serve::{Body, BoxError, full};

/// What is shorter is sent as it is.
const LONG: usize = 128 * 1024;

/// Whether a client can unpack what is packed with gzip. That it would rather not is not looked at, and only a bare
/// `gzip` is understood.
pub(super) fn is_accepted(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT_ENCODING);
    let accepted = accepted.and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.split(',').any(|one| one.trim() == "gzip"))
}

/// From what length on an answer is packed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed(usize);

impl Packed {
    pub(super) const IF_LONG: Self = Self(LONG);
    pub(super) const ALWAYS: Self = Self(0);

    /// An answer as it is sent.
    pub(super) async fn answer(self, response: Response<Body>) -> Response<Body> {
        if response.body().size_hint().exact().is_none() {
            // It is long, and written as it is taken: so it is packed.
            return said_to_be_packed(response.map(packed));
        }
        let (mut response, body) = response::take_body(response).await;
        if body.len() > self.0
            && let Ok(packed) = gzip(&body).await
        {
            *response.body_mut() = full(packed);
            return said_to_be_packed(response);
        }
        *response.body_mut() = full(body);
        response
    }
}

fn said_to_be_packed(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    let varies = HeaderValue::from_static("Accept-Encoding");
    if headers.get_all(VARY).iter().all(|known| known != varies) {
        headers.append(VARY, varies);
    }
    response
}

/// A body, packed piece by piece.
fn packed(body: Body) -> Body {
    let packer = GzEncoder::new(Vec::new(), Compression::fast());
    let pieces = stream::try_unfold((body, Some(packer)), async |(mut body, packer)| {
        let Some(mut packer) = packer else {
            return Ok::<_, BoxError>(None);
        };
        while let Some(frame) = body.frame().await {
            packer.write_all(&frame?.into_data().unwrap_or_default())?;
            let piece = std::mem::take(packer.get_mut());
            if !piece.is_empty() {
                return Ok(Some((Frame::data(piece.into()), (body, Some(packer)))));
            }
        }
        let last = packer.finish()?;
        Ok(Some((Frame::data(last.into()), (body, None))))
    });
    StreamBody::new(pieces).boxed()
}

/// Packs for speed, not for the last byte, and lets others have their turn meanwhile.
async fn gzip(body: &[u8]) -> std::io::Result<Bytes> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    for part in body.chunks(LONG) {
        packed.write_all(part)?;
        tokio::task::yield_now().await;
    }
    Ok(packed.finish()?.into())
}
