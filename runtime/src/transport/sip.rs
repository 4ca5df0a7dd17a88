//! A wire that is read in sips: what one connection carries for many readers is not to pile up before they come to it, as
//! HTTP/2 keeps the room that this once took.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much is read before everybody else has a turn.
const SIP: usize = 2 * 1024;

/// A wire that is read in sips.
pub(super) struct Sips<W> {
    wire: W,
    /// How much has been read since the others had a turn.
    read: usize,
    heard: Heard,
}

/// Whether something has come over a wire.
#[derive(Clone, Default)]
pub(super) struct Heard(Arc<AtomicBool>);

impl Heard {
    /// Whether something has come since this was asked last.
    pub(super) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl<W> Sips<W> {
    pub(super) fn of(wire: W) -> Self {
        Self {
            wire,
            read: 0,
            heard: Heard::default(),
        }
    }

    pub(super) fn heard(&self) -> Heard {
        self.heard.clone()
    }
}

impl<W: AsyncRead + Unpin> AsyncRead for Sips<W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read >= SIP {
            self.read = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let most = buffer.remaining().min(SIP - self.read);
        let mut sip = ReadBuf::new(buffer.initialize_unfilled_to(most));
        let polled = Pin::new(&mut self.wire).poll_read(cx, &mut sip);
        let read = sip.filled().len();
        buffer.advance(read);
        if read > 0 {
            self.heard.0.store(true, Ordering::Relaxed);
        }
        self.read = if polled.is_ready() {
            self.read + read
        } else {
            0
        };
        polled
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Sips<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn others_have_a_turn_between_two_sips() {
        let (mut server, client) = tokio::io::duplex(1 << 20);
        let sent = vec![7; 5 * SIP];
        server.write_all(&sent).await.unwrap();
        drop(server);
        let (mut client, mut all, mut turns) = (Sips::of(client), Vec::new(), 0);
        let mut reading = pin!(client.read_to_end(&mut all));
        while futures::poll!(&mut reading).is_pending() {
            turns += 1;
        }
        assert_eq!((turns, all), (5, sent));
    }
}
