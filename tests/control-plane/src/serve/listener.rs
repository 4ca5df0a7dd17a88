//! A port on loopback: accept, TLS, HTTP/1.1 or HTTP/2, and a handler for each request.

use std::collections::BTreeSet;
use std::future::{Future, ready};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures::future::Either;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::certificates::PeerCertificate;
use super::faulty::Broken;
use super::gathered::Gathered;
use super::port::Port;
use super::websocket::{Handshake, Next};
use super::{Body, Door, ServerTls, early};

/// How long a connection of HTTP/1.1 stays open that asks for nothing, as in a kube-apiserver.
const IDLE: Duration = Duration::from_secs(90);

/// How much a request may say before its body, in bytes, as in a kube-apiserver: a mebibyte and some.
const LARGEST_HEAD: u32 = (1 << 20) + 4096;
/// A number of headers of HTTP/1.1 that nobody sends: a kube-apiserver counts their bytes alone.
const MOST_HEADERS: usize = 4096;

/// How many streams of HTTP/2 may be given up at once before their connection is cut. A kube-apiserver bears hundreds.
const MOST_RESETS: usize = 1000;

/// How a [`Listener`] speaks HTTP.
#[derive(Clone, Debug)]
pub(crate) struct ListenerOptions {
    /// How many requests one HTTP/2 connection may have open. A real kube-apiserver allows 100.
    pub(crate) max_concurrent_streams: u32,
    /// The port; 0 takes a free one.
    pub(crate) port: u16,
    /// What goes wrong there.
    pub(crate) door: Door,
}

impl Default for ListenerOptions {
    fn default() -> Self {
        Self {
            max_concurrent_streams: 100,
            port: 0,
            door: Door::default(),
        }
    }
}

/// An HTTPS server on loopback. It ends when this is dropped, and its port is free at once.
pub(crate) struct Listener {
    address: SocketAddr,
    port: Port,
    closing: CancellationToken,
    accepting: JoinHandle<()>,
}

impl Listener {
    /// Opens the port and answers every request with `handler`, on tasks of the current runtime.
    pub(crate) async fn start<H, F>(
        tls: ServerTls,
        options: ListenerOptions,
        handler: H,
    ) -> io::Result<Self>
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let closing = CancellationToken::new();
        let port = Port::new(listener);
        let serving = serve(
            port.clone(),
            address,
            tls,
            options,
            handler,
            closing.clone(),
        );
        let accepting = tokio::spawn(serving);
        Ok(Self {
            address,
            port,
            closing,
            accepting,
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the port, lets the answers that are under way finish for at most `grace`, and cuts the rest.
    pub(crate) async fn shutdown(mut self, grace: Duration) {
        self.closing.cancel();
        if tokio::time::timeout(grace, &mut self.accepting)
            .await
            .is_err()
        {
            self.accepting.abort();
            // An aborted task that has ended is what is waited for: its error says no more than that.
            let _ = (&mut self.accepting).await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.accepting.abort();
        self.port.close();
    }
}

/// Serves the port, which a fault may close for a while.
async fn serve<H, F>(
    port: Port,
    address: SocketAddr,
    tls: ServerTls,
    options: ListenerOptions,
    handler: H,
    closing: CancellationToken,
) where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let door = options.door.clone();
    let mut known = BTreeSet::new();
    loop {
        tokio::select! {
            biased;
            () = accept(&port, &tls, &options, &handler, &closing) => return,
            () = door.closed(&mut known) => port.close(),
        }
        loop {
            let opened = async {
                door.open(&mut known).await;
                TcpListener::bind(address).await
            };
            tokio::select! {
                biased;
                () = closing.cancelled() => return,
                opened = opened => match opened {
                    Ok(opened) => break port.open(opened),
                    Err(error) => {
                        // Somebody else may have taken the port, and may give it back.
                        tracing::warn!(%error, "a port could not be opened again");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
            }
        }
    }
}

/// The connections live in a set that this future owns, so that they end with it.
async fn accept<H, F>(
    port: &Port,
    tls: &ServerTls,
    options: &ListenerOptions,
    handler: &H,
    closing: &CancellationToken,
) where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = closing.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = port.accept() => match accepted {
                Ok((stream, _)) => {
                    let (tls, options) = (tls.clone(), options.clone());
                    connections.spawn(connection(stream, tls, options, handler.clone(), closing.clone()));
                }
                Err(error) => {
                    // Out of file descriptors, say: the loop would spin on it.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    port.close();
    while connections.join_next().await.is_some() {}
}

async fn connection<H, F>(
    stream: TcpStream,
    tls: ServerTls,
    options: ListenerOptions,
    handler: H,
    closing: CancellationToken,
) where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    let tls = match options.door.shows_an_expired_certificate() {
        true => tls.expired,
        false => tls.valid,
    };
    let stream = tokio::select! {
        biased;
        () = closing.cancelled() => return,
        accepted = tls.accept(Gathered::new(stream)) => match accepted {
            Ok(stream) => stream,
            Err(error) => return tracing::debug!(%error, "a TLS handshake failed"),
        },
    };
    let peer = PeerCertificate::of(&stream);
    let next = Next::default();
    let after = next.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(peer) = peer.clone() {
            request.extensions_mut().insert(peer);
        }
        let (handshake, next) = (Handshake::of(&mut request), next.clone());
        let answer = match early::answer(&request) {
            Some(answer) => Either::Left(ready(answer)),
            None => Either::Right(handler(request)),
        };
        // In a box, which is gone with the answer: the task of a stream lives as long as its body, and a watch's long.
        Box::pin(async move {
            let answer = answer.await;
            match answer.extensions().get::<Broken>() {
                Some(broken) => Err(broken.error()),
                None => Ok(match handshake {
                    Some(handshake) => handshake.answer(answer, &next),
                    None => answer,
                }),
            }
        })
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .max_headers(MOST_HEADERS)
        .header_read_timeout(IDLE);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(LARGEST_HEAD)
        .max_pending_accept_reset_streams(MOST_RESETS)
        .max_concurrent_streams(options.max_concurrent_streams);
    let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let ended = tokio::select! {
        biased;
        () = closing.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
        ended = serving.as_mut() => ended,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
    if let Some(talk) = after.take() {
        tokio::select! {
            biased;
            () = closing.cancelled() => {}
            () = talk => {}
        }
    }
}
