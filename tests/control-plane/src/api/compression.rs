//! Long answers are packed for clients that can unpack them.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue, VARY};
use http::{HeaderMap, Response};

use super::response;
use crate::serve::{Body, full};

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

    /// An answer that is all there, as it is sent.
    pub(super) async fn answer(self, response: Response<Body>) -> Response<Body> {
        let (mut response, body) = response::take_body(response).await;
        let packed = if body.len() > self.0 {
            gzip(&body).await.ok()
        } else {
            None
        };
        if packed.is_some() {
            let headers = response.headers_mut();
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            let varies = HeaderValue::from_static("Accept-Encoding");
            if headers.get_all(VARY).iter().all(|known| known != varies) {
                headers.append(VARY, varies);
            }
        }
        *response.body_mut() = full(packed.unwrap_or(body));
        response
    }
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
