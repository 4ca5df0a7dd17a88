//! A port that can be closed from outside of the task that accepts there, at once.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use tokio::net::{TcpListener, TcpStream};

/// Clones are the same port.
#[derive(Clone, Debug)]
pub(super) struct Port(Arc<Mutex<Option<TcpListener>>>);

impl Port {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self(Arc::new(Mutex::new(Some(listener))))
    }

    pub(super) fn close(&self) {
        self.lock().take();
    }

    pub(super) fn open(&self, listener: TcpListener) {
        *self.lock() = Some(listener);
    }

    /// The next connection; while the port is closed none comes.
    pub(super) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        poll_fn(|context| match self.lock().as_ref() {
            Some(listener) => listener.poll_accept(context),
            None => Poll::Pending,
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, Option<TcpListener>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
