//! A stream whose small writes are gathered: answers that are ready together leave in one packet.
//!
//! HTTP/2 sends off each answer as soon as it is there, and a packet costs the kernel more than what is in it. So
//! whoever wants to send off lets all others that are ready go first, once, who may have more for this stream.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is gathered at most, in bytes.
const MOST: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Gathered<S> {
    stream: S,
    /// Nothing, and no memory, while nothing is under way.
    waiting: Vec<u8>,
    /// How much of it has gone.
    sent: usize,
    gave_way: bool,
}

impl<S: AsyncWrite + Unpin> Gathered<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            waiting: Vec::new(),
            sent: 0,
            gave_way: false,
        }
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest @ [_, ..]) = self.waiting.get(self.sent..) {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += sent;
        }
        self.waiting = Vec::new();
        self.sent = 0;
        self.gave_way = false;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gathered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathered<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let more: usize = parts.iter().map(|part| part.len()).sum();
        if self.waiting.len() + more > MOST {
            ready!(self.poll_send(context))?;
        }
        if more > MOST {
            return Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        }
        self.waiting.reserve(more);
        for part in parts {
            self.waiting.extend_from_slice(part);
        }
        Poll::Ready(Ok(more))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.waiting.is_empty() && !self.gave_way {
            self.gave_way = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use futures::task::noop_waker_ref;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn writes_leave_together_once_everybody_has_had_a_turn() {
        let (near, mut far) = tokio::io::duplex(1024 * 1024);
        let mut gathered = Gathered::new(near);
        let mut context = Context::from_waker(noop_waker_ref());
        let mut read = [0; 16];
        for word in [b"one ", b"two "] {
            gathered.write_all(word).await.unwrap();
        }
        assert!(
            Pin::new(&mut gathered)
                .poll_flush(&mut context)
                .is_pending()
        );
        let mut nothing = ReadBuf::new(&mut read);
        assert!(
            Pin::new(&mut far)
                .poll_read(&mut Context::from_waker(Waker::noop()), &mut nothing)
                .is_pending()
        );
        gathered.write_all(b"three").await.unwrap();
        assert!(Pin::new(&mut gathered).poll_flush(&mut context).is_ready());
        let count = far.read(&mut read).await.unwrap();
        assert_eq!(&read[..count], b"one two three");
        assert_eq!(gathered.waiting.capacity(), 0);
    }

    #[tokio::test]
    async fn whatever_is_written_arrives_whole() {
        let (near, mut far) = tokio::io::duplex(1000);
        let mut gathered = Gathered::new(near);
        let parts: Vec<Vec<u8>> = (1..60usize)
            .map(|at| vec![at as u8; at * at * at % (3 * MOST)])
            .collect();
        let sent = parts.concat();
        let writing = tokio::spawn(async move {
            for part in parts {
                gathered.write_all(&part).await.unwrap();
                if part.len() % 3 == 0 {
                    gathered.flush().await.unwrap();
                }
            }
            gathered.shutdown().await.unwrap();
        });
        let mut received = Vec::new();
        far.read_to_end(&mut received).await.unwrap();
        writing.await.unwrap();
        assert!(received == sent);
    }
}
