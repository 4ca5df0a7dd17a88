//! How a cluster is reached.

use std::fmt;
use std::sync::Arc;

use kube::config::AuthInfo;
use kube::{Client, Config};

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
pub(super) enum Via {
    Config(Box<Config>),
    Client(Client),
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
            via: Via::Client(client),
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
        match &mut self.via {
            Via::Config(config) => Some(config),
            Via::Client(_) => None,
        }
    }

    pub(super) fn namespace(&self) -> Option<&Arc<str>> {
        self.namespace.as_ref()
    }

    /// Whether one is as good as the other.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.namespace == other.namespace
            && match (&self.via, &other.via) {
                (Via::Config(one), Via::Config(other)) => is_same(one, other),
                _ => false,
            }
    }

    pub(super) fn into_via(self) -> Via {
        self.via
    }

    /// Where it leads, for the log.
    pub(super) fn server(&self) -> String {
        match &self.via {
            Via::Config(config) => config.cluster_url.to_string(),
            Via::Client(_) => "that of its client".into(),
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

fn is_same(one: &Config, other: &Config) -> bool {
    one.cluster_url == other.cluster_url
        && one.default_namespace == other.default_namespace
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

/// Secrets of kube's cannot be compared, but written down.
fn is_same_user(one: &AuthInfo, other: &AuthInfo) -> bool {
    match (serde_json::to_value(one), serde_json::to_value(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_credential_endpoint_or_namespace_is_another_connection() {
        let config = || Config::new("https://red.example.com".parse().unwrap());
        let plain = Connection::from(config());
        assert!(plain.is(&config().into()));
        assert!(!plain.is(&plain.clone().in_namespace("shop")));
        let mut moved = config();
        moved.cluster_url = "https://blue.example.com".parse().unwrap();
        assert!(!plain.is(&moved.into()));
        let with_token = |token: &str| {
            let mut config = config();
            config.auth_info.token = Some(token.to_owned().into());
            Connection::from(config)
        };
        assert!(with_token("one").is(&with_token("one")));
        assert!(!with_token("one").is(&with_token("two")));
    }
}
