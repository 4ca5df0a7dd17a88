//! Proxies, through which a server is reached: asked with CONNECT, in the clear or not, or SOCKS5.

use std::io::{Error, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// It ends, with all that goes through it, when it is dropped.
pub struct Tunnel {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    accepting: AbortHandle,
}

impl Tunnel {
    /// One that speaks HTTP.
    pub async fn http() -> Self {
        Self::start(|stream, asked| Box::pin(connect(stream, asked))).await
    }

    /// One that speaks HTTP over TLS, and its certificate.
    pub async fn https() -> (Self, Vec<u8>) {
        let address = Ipv4Addr::LOCALHOST.to_string();
        let made = rcgen::generate_simple_self_signed([address]).expect("a certificate");
        let certificate = made.cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the versions of the provider")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.into())
            .expect("the certificate of the key");
        let tls = TlsAcceptor::from(Arc::new(config));
        let tunnel = Self::start(move |stream, asked| {
            let tls = tls.clone();
            Box::pin(async move { connect(tls.accept(stream).await?, asked).await })
        });
        (tunnel.await, certificate.to_vec())
    }

    /// One that speaks SOCKS5.
    pub async fn socks5() -> Self {
        Self::start(|stream, asked| Box::pin(socks5(stream, asked))).await
    }

    async fn start(
        serve: impl Fn(TcpStream, Asked) -> BoxFuture<'static, Result<()>> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Asked::default();
        let accepting = tokio::spawn({
            let asked = Arc::clone(&asked);
            async move {
                let mut connections = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    connections.spawn(serve(stream, Arc::clone(&asked)));
                }
            }
        });
        Self {
            address,
            asked,
            accepting: accepting.abort_handle(),
        }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it was asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.clone()
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

type Asked = Arc<Mutex<Vec<String>>>;

fn note(asked: &Asked, what: String) {
    let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    asked.push(what);
}

async fn pass(mut client: impl AsyncRead + AsyncWrite + Unpin, server: &str) -> Result<()> {
    let mut server = TcpStream::connect(server).await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

async fn connect(mut client: impl AsyncRead + AsyncWrite + Unpin, asked: Asked) -> Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let server = lines.next().and_then(|line| line.split(' ').nth(1));
    let server = server.unwrap_or_default().to_owned();
    let user = lines.find_map(|line| line.strip_prefix("Proxy-Authorization: "));
    note(&asked, format!("{server} {}", user.unwrap_or_default()));
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    pass(client, &server).await
}

async fn socks5(mut client: TcpStream, asked: Asked) -> Result<()> {
    let [_, methods] = bytes::<2>(&mut client).await?;
    client.read_exact(&mut vec![0; methods.into()]).await?;
    client.write_all(&[5, 0]).await?;
    let [_, _, _, kind] = bytes::<4>(&mut client).await?;
    let host = match kind {
        1 => Ipv4Addr::from(bytes::<4>(&mut client).await?).to_string(),
        3 => {
            let mut name = vec![0; client.read_u8().await?.into()];
            client.read_exact(&mut name).await?;
            String::from_utf8(name).map_err(Error::other)?
        }
        _ => return Err(Error::other("no address of this kind")),
    };
    let server = format!("{host}:{}", client.read_u16().await?);
    note(&asked, server.clone());
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    pass(client, &server).await
}

async fn bytes<const N: usize>(client: &mut TcpStream) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}
