//! Who a configuration is, and where: what two clusters need to have in common to share their connections.

use kube::Config;
use kube::config::AuthInfo;
use serde_json::Value;

/// Everything of a configuration on which a connection depends, and what it says of itself on it. Only the path may
/// differ, and what a client does before it sends anything.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity(Vec<u8>);

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
        let mut identity = Self(Vec::new());
        let mut who = written_user(auth_info)?;
        who.sort_all_objects();
        identity.has(&serde_json::to_vec(&who)?);
        identity.has(cluster_url.scheme_str().unwrap_or_default().as_bytes());
        let authority = cluster_url.authority();
        identity.has(
            authority
                .map_or("", |authority| authority.as_str())
                .as_bytes(),
        );
        for certificate in root_cert.iter().flatten() {
            identity.has(certificate);
        }
        let rest = (
            (root_cert.is_some(), root_cert_file, connect_timeout),
            (accept_invalid_certs, proxy_url, tls_server_name),
        );
        identity.has(format!("{rest:?}").as_bytes());
        for (name, value) in headers {
            identity.has(name.as_str().as_bytes());
            identity.has(value.as_bytes());
        }
        Ok(identity)
    }

    /// Adds a part, which ends where it ends.
    fn has(&mut self, part: &[u8]) {
        self.0.extend(part.len().to_be_bytes());
        self.0.extend(part);
    }
}

/// A user, with what kube does not write down: what the program for the credentials is told of the cluster, and what of the
/// environment it does not see. Secrets of kube's cannot be compared, but written down.
pub(crate) fn written_user(user: &AuthInfo) -> Result<Value, serde_json::Error> {
    let program = user.exec.as_ref();
    let told = program.filter(|program| program.provide_cluster_info);
    let told = told.map(|program| &program.cluster);
    let hidden = program.map(|program| &program.drop_env);
    serde_json::to_value((user, told, hidden))
}

#[cfg(test)]
mod tests {
    use kube::config::{ExecAuthCluster, ExecConfig};

    use super::*;

    fn with(change: impl FnOnce(&mut Config)) -> Identity {
        let mut config = Config::new("https://milo:6443/projects/red".parse().unwrap());
        config.root_cert = Some(vec![b"authority".to_vec()]);
        config.auth_info.token = Some("secret".to_owned().into());
        change(&mut config);
        Identity::of(&config).unwrap()
    }

    /// One that is told what the cluster is.
    fn program(told: &str) -> ExecConfig {
        ExecConfig {
            provide_cluster_info: true,
            cluster: Some(ExecAuthCluster {
                server: Some(told.to_owned()),
                insecure_skip_tls_verify: None,
                certificate_authority_data: None,
                proxy_url: None,
                tls_server_name: None,
                config: None,
            }),
            ..ExecConfig::default()
        }
    }

    #[test]
    fn only_the_path_may_differ() {
        let plain = with(|_| {});
        let same = with(|config| {
            config.cluster_url = "https://milo:6443/projects/blue".parse().unwrap();
            config.default_namespace = "shop".into();
        });
        assert!(plain == same);
        let others = [
            with(|config| config.cluster_url = "https://milo:6444/projects/red".parse().unwrap()),
            with(|config| config.cluster_url = "http://milo:6443/projects/red".parse().unwrap()),
            with(|config| config.root_cert = Some(vec![b"other".to_vec()])),
            with(|config| config.root_cert = None),
            with(|config| config.root_cert_file = Some("ca.crt".into())),
            with(|config| config.accept_invalid_certs = true),
            with(|config| config.tls_server_name = Some("milo".into())),
            with(|config| config.auth_info.exec = Some(program("red"))),
            with(|config| config.auth_info.exec = Some(program("blue"))),
            with(|config| {
                let drop_env = Some(vec!["AWS_PROFILE".to_owned()]);
                let program = ExecConfig {
                    drop_env,
                    ..program("blue")
                };
                config.auth_info.exec = Some(program);
            }),
            with(|config| config.proxy_url = Some("http://proxy:3128".parse().unwrap())),
            with(|config| config.connect_timeout = None),
            with(|config| config.auth_info.token = Some("other".to_owned().into())),
            with(|config| config.auth_info.token_file = Some("token".into())),
            with(|config| config.auth_info.client_certificate = Some("tls.crt".into())),
            with(|config| config.auth_info.client_key_data = Some("key".to_owned().into())),
            with(|config| config.auth_info.impersonate = Some("somebody".into())),
            with(|config| config.auth_info.impersonate_groups = Some(vec!["group".into()])),
            with(|config| {
                let header = (http::header::USER_AGENT, "other".parse().unwrap());
                config.headers.push(header);
            }),
        ];
        for (place, other) in others.iter().enumerate() {
            assert!(*other != plain, "{place}");
            let twins = others.iter().filter(|twin| *twin == other).count();
            assert_eq!(twins, 1, "{place}");
        }
    }
}
