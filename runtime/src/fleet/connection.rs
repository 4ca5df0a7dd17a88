//! How a cluster is reached.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Weak};

use http::Uri;
use kube::config::AuthInfo;
use kube::{Client, Config};

use crate::transport::{Connect, Line, written_user};

/// How a cluster is reached, made [from](From) kube's [`Config`] or [`Client`].
///
/// A configuration can be told from another, so that a provider may name the same one as often as it likes. A client
/// cannot: each is taken for a new one.
#[derive(Clone)]
pub struct Connection {
    via: Via,
    namespace: Option<Arc<str>>,
}

#[derive(Clone)]
enum Via {
    Config(Box<Config>),
    /// The same in common with others, and an address of its own.
    Shared(Arc<(Uri, Arc<Config>)>),
    Client(Box<Client>),
}

/// How many configurations are remembered that others may have in common.
const REMEMBERED: usize = 8;

/// The configurations of late: a fleet at one endpoint keeps one, whatever number of clusters there are.
#[derive(Default)]
pub(crate) struct Recent(VecDeque<Weak<Config>>);

impl Recent {
    fn share(&mut self, config: Config) -> Arc<Config> {
        let mut known = self.0.iter().filter_map(Weak::upgrade);
        if let Some(known) = known.find(|known| is_same(known, &config)) {
            return known;
        }
        let config = Arc::new(config);
        self.0.truncate(REMEMBERED - 1);
        self.0.push_front(Arc::downgrade(&config));
        config
    }
}

impl From<Config> for Connection {
    fn from(config: Config) -> Self {
        Self {
            via: Via::Config(Box::new(config)),
            namespace: None,
        }
    }
}

impl From<Client> for Connection {
    fn from(client: Client) -> Self {
        Self {
            via: Via::Client(Box::new(client)),
            namespace: None,
        }
    }
}

impl Connection {
    /// Only this namespace is the cluster: nothing is listed, watched or found in others. Kinds that are in no
    /// namespace are not there.
    #[must_use]
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// The configuration, unless it is a client.
    pub fn config_mut(&mut self) -> Option<&mut Config> {
        if let Via::Shared(shared) = &self.via {
            self.via = Via::Config(Box::new(whole(shared)));
        }
        match &mut self.via {
            Via::Config(config) => Some(config),
            Via::Shared(_) | Via::Client(_) => None,
        }
    }

    /// The same, with what it has in common with others kept once.
    pub(crate) fn shared(self, recent: &mut Recent) -> Self {
        let via = match self.via {
            Via::Config(config) => {
                let url = config.cluster_url.clone();
                Via::Shared(Arc::new((url, recent.share(*config))))
            }
            via @ (Via::Shared(_) | Via::Client(_)) => via,
        };
        Self { via, ..self }
    }

    pub(super) fn namespace(&self) -> Option<&Arc<str>> {
        self.namespace.as_ref()
    }

    /// Whether one is as good as the other.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.namespace == other.namespace
            && match (self.config(), other.config()) {
                (Some((url, one)), Some((other_url, other))) => {
                    url == other_url && (std::ptr::eq(one, other) || is_same(one, other))
                }
                _ => false,
            }
    }

    /// The address, and what there is besides.
    fn config(&self) -> Option<(&Uri, &Config)> {
        match &self.via {
            Via::Config(config) => Some((&config.cluster_url, config)),
            Via::Shared(shared) => Some((&shared.0, &shared.1)),
            Via::Client(_) => None,
        }
    }

    /// The way to the cluster.
    pub(super) async fn line(&self, connect: &Connect) -> Result<Line, kube::Error> {
        match &self.via {
            Via::Config(config) => connect(Config::clone(config)).await,
            Via::Shared(shared) => connect(whole(shared)).await,
            Via::Client(client) => Ok(Client::clone(client).into()),
        }
    }

    /// Where it leads, for the log.
    pub(super) fn server(&self) -> String {
        match self.config() {
            Some((url, _)) => url.to_string(),
            None => "that of its client".into(),
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("server", &self.server())
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

fn whole(shared: &(Uri, Arc<Config>)) -> Config {
    let mut config = Config::clone(&shared.1);
    config.cluster_url = shared.0.clone();
    config
}

/// Whether only the addresses may differ.
fn is_same(one: &Config, other: &Config) -> bool {
    one.default_namespace == other.default_namespace
        && one.root_cert == other.root_cert
        && one.root_cert_file == other.root_cert_file
        && one.connect_timeout == other.connect_timeout
        && one.read_timeout == other.read_timeout
        && one.write_timeout == other.write_timeout
        && one.reset_reader_on_write == other.reset_reader_on_write
        && one.accept_invalid_certs == other.accept_invalid_certs
        && one.disable_compression == other.disable_compression
        && one.proxy_url == other.proxy_url
        && one.tls_server_name == other.tls_server_name
        && one.headers == other.headers
        && one.default_retry == other.default_retry
        && is_same_user(&one.auth_info, &other.auth_info)
}

fn is_same_user(one: &AuthInfo, other: &AuthInfo) -> bool {
    match (written_user(one), written_user(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use kube::config::{ExecAuthCluster, ExecConfig};

    use super::*;

    #[test]
    fn what_a_program_is_told_of_one_cluster_is_not_told_of_another() {
        let told = |server: &str, provide_cluster_info| {
            let mut config = Config::new("https://gateway.example.com".parse().unwrap());
            config.auth_info.exec = Some(ExecConfig {
                provide_cluster_info,
                cluster: Some(ExecAuthCluster {
                    server: Some(server.to_owned()),
                    ..ExecAuthCluster::default()
                }),
                ..ExecConfig::default()
            });
            config
        };
        let mut recent = Recent::default();
        let mut shared = |config: Config| Connection::from(config).shared(&mut recent);
        let red = shared(told("red", true));
        let blue = shared(told("blue", true));
        assert!(!red.is(&blue), "it is run again when that changes");
        let server = |connection: &Connection| {
            let (_, config) = connection.config().unwrap();
            let program = config.auth_info.exec.as_ref();
            program.unwrap().cluster.as_ref().unwrap().server.clone()
        };
        assert_eq!(
            [&red, &blue].map(server),
            ["red", "blue"].map(|name| Some(name.to_owned()))
        );
        assert!(shared(told("red", false)).is(&shared(told("blue", false))));
    }

    #[test]
    fn another_credential_endpoint_or_namespace_is_another_connection() {
        let config = || Config::new("https://red.example.com".parse().unwrap());
        let plain = Connection::from(config());
        assert!(plain.is(&config().into()));
        assert!(!plain.is(&plain.clone().in_namespace("shop")));
        let mut moved = config();
        moved.cluster_url = "https://blue.example.com".parse().unwrap();
        assert!(!plain.is(&moved.clone().into()));
        let mut recent = Recent::default();
        let shared =
            [config(), moved.clone()].map(|config| Connection::from(config).shared(&mut recent));
        assert!(shared[0].is(&plain) && !shared[0].is(&shared[1]));
        assert_eq!(shared[1].server(), moved.cluster_url.to_string());
        let with_token = |token: &str| {
            let mut config = config();
            config.auth_info.token = Some(token.to_owned().into());
            Connection::from(config)
        };
        assert!(with_token("one").is(&with_token("one")));
        assert!(!with_token("one").is(&with_token("two")));
    }
}
