//! Requests of HTTP/1.1 as bytes, for what no client would send.

use std::sync::Arc;

use kube::Config;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, crypto};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Sends bytes on a connection of their own, and reads until the server closes it.
pub(super) async fn exchange(config: &Config, bytes: &[u8]) -> String {
    let mut stream = connect(config).await;
    stream.write_all(bytes).await.unwrap();
    rest(stream).await
}

/// Sends a request, waits until the server asks for its body, and then for something else before that is sent.
pub(super) async fn exchange_late(
    config: &Config,
    request: &str,
    body: &[u8],
    meanwhile: impl Future<Output = ()>,
) -> String {
    const GO_ON: &str = "HTTP/1.1 100 Continue\r\n\r\n";
    let mut stream = connect(config).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut said = vec![0; GO_ON.len()];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&said), GO_ON);
    meanwhile.await;
    stream.write_all(body).await.unwrap();
    rest(stream).await
}

async fn rest(mut stream: TlsStream<TcpStream>) -> String {
    let mut answer = Vec::new();
    // A server may close a connection without saying so in TLS.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn connect(config: &Config) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    for certificate in config.root_cert.iter().flatten() {
        let certificate = CertificateDer::from(certificate.clone());
        roots.add(certificate).unwrap();
    }
    let tls = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let authority = config.cluster_url.authority().unwrap();
    let stream = TcpStream::connect(authority.as_str()).await.unwrap();
    let host = ServerName::try_from(authority.host().to_owned()).unwrap();
    let connector = TlsConnector::from(Arc::new(tls));
    connector.connect(host, stream).await.unwrap()
}
