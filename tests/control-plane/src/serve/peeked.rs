//! A body of which the beginning has been read before it is answered.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use serde::Deserialize;

/// No object is larger.
const MOST: usize = 4 * 1024 * 1024;

/// What has been read of a body, and then the rest of it.
pub(crate) struct Peeked<B> {
    read: VecDeque<Frame<Bytes>>,
    rest: B,
}

impl<B> Peeked<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    /// A body of which nothing has been read.
    pub(super) fn unread(body: B) -> Self {
        Self {
            read: VecDeque::new(),
            rest: body,
        }
    }

    /// Reads ahead for the name of the object. There is none if the server is to choose it.
    pub(super) async fn name(&mut self) -> Option<String> {
        let mut text = Vec::new();
        while text.len() < MOST
            && let Some(Ok(frame)) = self.rest.frame().await
        {
            text.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
            self.read.push_back(frame);
        }
        name_in(&text)
    }
}

#[derive(Deserialize)]
struct Named {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

fn name_in(body: &[u8]) -> Option<String> {
    let named = match serde_json::from_slice::<Named>(body) {
        Ok(named) => named,
        Err(_) => {
            let object = crate::api::read_protobuf(body)
                .or_else(|_| crate::api::read_yaml(body))
                .ok()?;
            serde_json::from_value(object).ok()?
        }
    };
    Some(named.metadata.name).filter(|name| !name.is_empty())
}

impl<B> Body for Peeked<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.read.pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.read.is_empty() {
            self.rest.size_hint()
        } else {
            SizeHint::default()
        }
    }
}
