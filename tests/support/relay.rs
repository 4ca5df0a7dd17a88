//! A relay of bytes in front of a server, which knows how many connections there are, and can let them go dead.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kube::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// It ends, with all of its connections, when it is dropped.
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

#[derive(Default)]
struct Shared {
    open: AtomicUsize,
    opened: AtomicUsize,
    /// How often connections have gone dead.
    deaths: watch::Sender<usize>,
    /// Where they lead.
    server: Mutex<String>,
}

impl Shared {
    fn lead_to(&self, config: &Config) {
        let authority = config.cluster_url.authority().expect("an authority");
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        *server = authority.to_string();
    }

    fn server(&self) -> String {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        server.clone()
    }
}

impl Relay {
    /// Passes everything on to the server of `config`.
    pub async fn start(config: &Config) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        shared.lead_to(config);
        let accepting = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                let mut connections = JoinSet::new();
                while let Ok((client, _)) = listener.accept().await {
                    let (server, shared) = (shared.server(), Arc::clone(&shared));
                    let deaths = shared.deaths.subscribe();
                    connections.spawn(async move {
                        let _open = Open::new(shared);
                        // However it ends, both sides learn of it.
                        let _ = relay(client, &server, deaths).await;
                    });
                    while connections.try_join_next().is_some() {}
                }
            }
        });
        Self {
            address,
            shared,
            accepting: accepting.abort_handle(),
        }
    }

    /// The way of `config` through the relay.
    pub fn config(&self, mut config: Config) -> Config {
        let mut parts = config.cluster_url.into_parts();
        parts.authority = Some(self.address.to_string().parse().unwrap());
        config.cluster_url = parts.try_into().unwrap();
        config
    }

    /// Passes new connections on to the server of `config` from now on.
    pub fn lead_to(&self, config: &Config) {
        self.shared.lead_to(config);
    }

    /// How many connections there are.
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }

    /// How many there have ever been.
    pub fn opened(&self) -> usize {
        self.shared.opened.load(Ordering::Relaxed)
    }

    /// Nothing passes any more on the connections that there are, and none of them ends. New ones work.
    pub fn let_connections_die(&self) {
        self.shared.deaths.send_modify(|deaths| *deaths += 1);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A connection, as long as it is counted.
struct Open(Arc<Shared>);

impl Open {
    fn new(shared: Arc<Shared>) -> Self {
        shared.open.fetch_add(1, Ordering::Relaxed);
        shared.opened.fetch_add(1, Ordering::Relaxed);
        Self(shared)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn relay(
    client: TcpStream,
    server: &str,
    mut deaths: watch::Receiver<usize>,
) -> io::Result<()> {
    let server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::select! {
        biased;
        died = deaths.changed() => {
            if died.is_ok() {
                // Until the client gives it up: what comes from it is lost.
                tokio::io::copy(&mut from_client, &mut tokio::io::sink()).await?;
            }
            Ok(())
        }
        passed = pass(&mut from_client, &mut to_server) => passed,
        passed = pass(&mut from_server, &mut to_client) => passed,
    }
}

async fn pass(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
) -> io::Result<()> {
    tokio::io::copy(from, to).await?;
    to.shutdown().await
}
