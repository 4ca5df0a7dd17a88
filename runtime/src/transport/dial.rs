//! The way to an endpoint, as kube's configuration describes it: TCP, perhaps through a proxy, and TLS.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use futures::future::BoxFuture;
use http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use kube::Config;
use kube::client::{ConfigExt as _, RustlsTlsError};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tower::{Service, ServiceExt as _};

use super::BoxError;
use super::aside::aside;
use super::client::CONNECT_DEADLINE;
use super::credentials::Credentials;

const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

/// After how long without a word the system asks whether a peer is still there, how often, and how many times. HTTP/1.1 has
/// nothing else for that.
const SILENT: Duration = Duration::from_secs(10);
const PROBE_EVERY: Duration = Duration::from_secs(5);
const PROBES: u32 = 2;

/// Bytes to and from a server.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<W: AsyncRead + AsyncWrite + Send + Unpin> Wire for W {}

/// How TCP reaches an endpoint.
type Reach = Box<dyn Fn(Uri) -> BoxFuture<'static, Result<Box<dyn Wire>, BoxError>> + Send + Sync>;

/// Opens connections to one endpoint as one identity.
pub(super) struct Dial {
    endpoint: Uri,
    reach: Reach,
    speaks: Speaks,
    /// From where each connection gets a certificate of its own: a program or a file gives it, and for a while only.
    renewed: Option<Box<Config>>,
}

enum Speaks {
    /// One protocol, in the clear.
    Plain(Protocol),
    /// What the server chooses.
    Tls(Tls),
}

#[derive(Clone)]
struct Tls {
    name: ServerName<'static>,
    any: TlsConnector,
    http_1: TlsConnector,
}

/// What a server speaks on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// How long it may take to open a connection.
pub(super) fn deadline(config: &Config) -> Duration {
    config
        .connect_timeout
        .map_or(CONNECT_DEADLINE, |set| set.min(CONNECT_DEADLINE))
}

impl Dial {
    /// `shown` are the credentials of the configuration.
    pub(super) fn new(config: &Config, shown: &Credentials) -> Result<Self, kube::Error> {
        let speaks = match config.cluster_url.scheme_str() {
            Some("https") => Speaks::Tls(Tls::new(&shown.config)?),
            _ => Speaks::Plain(Protocol::Http1),
        };
        Ok(Self {
            endpoint: config.cluster_url.clone(),
            reach: reach(config)?,
            renewed: speaks
                .has_others_later(shown)
                .then(|| Box::new(config.clone())),
            speaks,
        })
    }

    /// HTTP/2 over wires that come from elsewhere.
    #[cfg(test)]
    pub(super) fn over(wires: impl Fn() -> Option<Box<dyn Wire>> + Send + Sync + 'static) -> Self {
        Self {
            endpoint: Uri::from_static("http://server"),
            reach: Box::new(move |_| {
                let wire = wires();
                Box::pin(async move { wire.ok_or_else(|| "refused".into()) })
            }),
            speaks: Speaks::Plain(Protocol::Http2),
            renewed: None,
        }
    }

    /// The same as if each connection had a certificate of its own.
    #[cfg(test)]
    pub(super) fn renewing(mut self) -> Self {
        self.renewed = Some(Box::new(Config::new(self.endpoint.clone())));
        self
    }

    /// Whether the server is asked if it speaks HTTP/2.
    pub(super) fn may_be_http_2(&self) -> bool {
        !matches!(self.speaks, Speaks::Plain(Protocol::Http1))
    }

    /// Opens a connection of either protocol.
    pub(super) async fn open(&self) -> Result<(Box<dyn Wire>, Protocol), BoxError> {
        let wire = (self.reach)(self.endpoint.clone()).await?;
        let tls = match &self.speaks {
            Speaks::Plain(protocol) => return Ok((wire, *protocol)),
            Speaks::Tls(tls) => self.renewed(tls).await?,
        };
        let stream = tls.any.connect(tls.name.clone(), wire).await?;
        let protocol = match stream.get_ref().1.alpn_protocol() {
            Some(HTTP_2) => Protocol::Http2,
            _ => Protocol::Http1,
        };
        Ok((Box::new(stream), protocol))
    }

    /// Opens a connection for HTTP/1.1.
    pub(super) async fn open_http_1(&self) -> Result<Box<dyn Wire>, BoxError> {
        let wire = (self.reach)(self.endpoint.clone()).await?;
        let Speaks::Tls(tls) = &self.speaks else {
            return Ok(wire);
        };
        let tls = self.renewed(tls).await?;
        let stream = tls.http_1.connect(tls.name.clone(), wire).await?;
        Ok(Box::new(stream))
    }
}

impl Dial {
    /// Whether each connection has credentials of its own.
    pub(super) fn renews(&self) -> bool {
        self.renewed.is_some()
    }

    async fn renewed<'a>(&self, tls: &'a Tls) -> Result<Cow<'a, Tls>, BoxError> {
        let Some(config) = self.renewed.clone() else {
            return Ok(Cow::Borrowed(tls));
        };
        let shown = Credentials::of(&config).await?.config;
        // Files are read, and waited for.
        let renewed = aside(move || Tls::new(&shown)).await??;
        Ok(Cow::Owned(renewed))
    }
}

impl Speaks {
    /// Whether the client certificate is one that a program gives, or is in a file, where there may be another one.
    fn has_others_later(&self, shown: &Credentials) -> bool {
        let who = &shown.config.auth_info;
        let in_file = who.client_certificate.is_some() && who.client_certificate_data.is_none()
            || who.client_key.is_some() && who.client_key_data.is_none();
        match self {
            Self::Plain(_) => false,
            Self::Tls(tls) => {
                let resolver = &tls.any.config().client_auth_cert_resolver;
                resolver.has_certs() && (in_file || shown.are_certificate)
            }
        }
    }
}

impl Tls {
    fn new(config: &Config) -> Result<Self, kube::Error> {
        let name = match &config.tls_server_name {
            Some(name) => name.clone(),
            None => {
                let host = config.cluster_url.host().unwrap_or_default();
                host.trim_matches(['[', ']']).to_owned()
            }
        };
        let name = name
            .try_into()
            .map_err(|error| kube::Error::RustlsTls(RustlsTlsError::InvalidServerName(error)))?;
        let mut settings = config.rustls_client_config()?;
        settings.alpn_protocols = vec![HTTP_1.to_vec()];
        let http_1 = Arc::new(settings.clone()).into();
        settings.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
        Ok(Self {
            name,
            any: Arc::new(settings).into(),
            http_1,
        })
    }
}

/// `resolver` finds the addresses of a name, among which the time until the deadline is divided.
fn tcp<R: Clone>(resolver: R, deadline: Duration) -> HttpConnector<R> {
    let mut tcp = HttpConnector::new_with_resolver(resolver);
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(SILENT));
    tcp.set_keepalive_interval(Some(PROBE_EVERY));
    tcp.set_keepalive_retries(Some(PROBES));
    tcp.set_connect_timeout(Some(deadline));
    tcp
}

fn reach(config: &Config) -> Result<Reach, kube::Error> {
    let tcp = tcp(GaiResolver::new(), deadline(config));
    let Some(proxy) = &config.proxy_url else {
        return Ok(through(tcp));
    };
    Ok(match proxy.scheme_str() {
        Some("socks5") => through(SocksV5::new(proxy.clone(), tcp)),
        Some("http") => through(tunnel(proxy, tcp)),
        Some("https") => through(tunnel(
            proxy,
            config.rustls_https_connector_with_connector(tcp)?,
        )),
        _ => {
            return Err(kube::Error::ProxyProtocolUnsupported {
                proxy_url: Box::new(without_user(proxy)?),
            });
        }
    })
}

fn through<C>(connector: C) -> Reach
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
    C::Future: Send,
    C::Error: Into<BoxError> + Send,
{
    Box::new(move |endpoint| {
        let connector = connector.clone();
        Box::pin(async move {
            let wire = connector.oneshot(endpoint).await.map_err(Into::into)?;
            let wire: Box<dyn Wire> = Box::new(TokioIo::new(wire));
            Ok(wire)
        })
    })
}

/// A proxy that is asked with CONNECT, as the user that its address names.
fn tunnel<C>(proxy: &Uri, connector: C) -> Tunnel<C> {
    let tunnel = Tunnel::new(proxy.clone(), connector);
    let user = proxy.authority().and_then(|authority| {
        let (user, _) = authority.as_str().split_once('@')?;
        let user: Vec<u8> = percent_encoding::percent_decode_str(user).collect();
        let user = base64::engine::general_purpose::STANDARD.encode(user);
        HeaderValue::from_str(&format!("Basic {user}")).ok()
    });
    match user {
        Some(user) => tunnel.with_auth(user),
        None => tunnel,
    }
}

/// The address of a proxy as it may be told: its user has a password.
fn without_user(proxy: &Uri) -> Result<Uri, kube::Error> {
    let mut parts = proxy.clone().into_parts();
    let authority = parts.authority.as_ref();
    let host = authority.and_then(|authority| authority.as_str().rsplit('@').next());
    let host = host.map(str::parse).transpose();
    parts.authority = host.map_err(|error| kube::Error::HttpError(http::Error::from(error)))?;
    Uri::from_parts(parts).map_err(|error| kube::Error::HttpError(http::Error::from(error)))
}

/// An error that several requests have in common.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no connection to the server")]
pub(super) struct Unreachable(#[source] Arc<dyn StdError + Send + Sync>);

impl From<BoxError> for Unreachable {
    fn from(error: BoxError) -> Self {
        Self(error.into())
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use hyper_util::client::legacy::connect::dns::Name;
    use tokio::net::{TcpListener, TcpSocket, TcpStream};

    use super::*;

    /// An address that takes no more connections, and those that it has taken.
    async fn full() -> (SocketAddr, TcpListener, Vec<TcpStream>) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut taken = Vec::new();
        let more = Duration::from_millis(100);
        while let Ok(stream) = tokio::time::timeout(more, TcpStream::connect(address)).await {
            taken.push(stream.unwrap());
        }
        (address, listener, taken)
    }

    #[tokio::test]
    async fn an_address_that_takes_no_connection_leaves_time_for_the_next_of_its_name() {
        let (dead, _full, _taken) = full().await;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addresses = [dead, listener.local_addr().unwrap()];
        let resolver = tower::service_fn(move |_: Name| {
            std::future::ready(Ok::<_, std::io::Error>(addresses.into_iter()))
        });
        let deadline = Duration::from_millis(500);
        let reach = through(tcp(resolver, deadline));
        let reached = reach(Uri::from_static("http://server.example.com"));
        let reached = tokio::time::timeout(deadline, reached).await;
        assert!(reached.unwrap().is_ok());
    }
}
