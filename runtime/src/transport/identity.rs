//! Who a configuration is, and where: what two clusters need to have in common to share their connections.

use std::fmt::Write as _;

use http::Uri;
use kube::Config;
use serde_json::Value;

/// Everything of a configuration on which a connection depends, and what it says of itself on it. Only the path may
/// differ, and what a client does before it sends anything.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity(String);

impl Identity {
    pub(super) fn of(config: &Config) -> Result<Self, serde_json::Error> {
        let Config {
            cluster_url,
            root_cert,
            root_cert_file,
            connect_timeout,
            accept_invalid_certs,
            auth_info,
            proxy_url,
            tls_server_name,
            headers,
            ..
        } = config;
        let endpoint = (cluster_url.scheme_str(), cluster_url.authority());
        let mut who: Value = serde_json::to_value(auth_info)?;
        who.sort_all_objects();
        let mut text = who.to_string();
        // It cannot fail, as it only fills a string.
        let _ = write!(
            text,
            "{endpoint:?}{root_cert:?}{root_cert_file:?}{connect_timeout:?}{accept_invalid_certs}{tls_server_name:?}"
        );
        let _ = write!(text, "{:?}", proxy_url.as_ref().map(Uri::to_string));
        for (name, value) in headers {
            let _ = write!(text, "{name}: {:?}", value.as_bytes());
        }
        Ok(Self(text))
    }
}
