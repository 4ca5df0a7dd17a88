//! The body of an answer, of which the log is told.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::{Body, BoxError, RequestLog, version};

/// Writes down the end of a request, when the last of its answer is sent or the client has gone.
pub(super) struct End {
    pub(super) log: RequestLog,
    pub(super) number: u64,
}

impl Drop for End {
    fn drop(&mut self) {
        self.log.ended(self.number);
    }
}

/// Writes down which version an answer tells of, and its end.
pub(super) struct Told {
    pub(super) body: Body,
    pub(super) end: End,
    /// Whether its first frame is still to be looked at.
    pub(super) tells: bool,
}

impl HttpBody for Told {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && std::mem::take(&mut self.tells)
            && let Some(version) = frame.data_ref().and_then(|data| version::of(data))
        {
            self.end.log.told(self.end.number, version);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
