//! The users of a control plane, and how they reach it.

use std::net::SocketAddr;
use std::sync::Arc;

use kube::config::{
    AuthInfo, Cluster, Context, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext,
};
use kube::{Client, Config};

use crate::auth::{MASTERS, User};
use crate::control_plane::{ControlPlane, Error, Project, Shared, path_of};
use crate::ids::Ids;
use crate::in_process::InProcess;

/// The user that may do everything.
pub(crate) const ADMIN: &str = "admin";

/// A user that a control plane is to know.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
    pub(crate) token: String,
}

impl Known {
    pub(crate) fn new(
        name: impl Into<String>,
        groups: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            name: name.into(),
            groups: groups.into_iter().map(Into::into).collect(),
            token: Ids::token(),
        }
    }

    pub(crate) fn admin() -> Self {
        Self::new(ADMIN, [MASTERS])
    }
}

impl Shared {
    /// Knows a user from now on. There is one admin, whose token the server itself uses.
    pub(crate) fn know(&self, known: Known) -> Result<(), Error> {
        let why = match known.name.as_str() {
            "" => "a user has a name",
            ADMIN if known.token != self.token => "it is always there",
            _ => "",
        };
        if !why.is_empty() {
            return Err(Error::Refused {
                what: format!("the user {:?}", known.name),
                why: why.to_owned(),
            });
        }
        let user = User::known(&known.name, known.groups);
        self.world.auth.tokens.add(&known.token, user);
        Ok(())
    }

    /// A client with the token of a user, without a socket.
    fn in_process(self: &Arc<Self>, user: &str, path: &str) -> Client {
        let token = self.world.auth.tokens.token_of(user);
        InProcess::new(self.clone(), path)
            .with_token(token.unwrap_or_default())
            .client()
    }

    pub(crate) fn config_as(
        &self,
        user: &str,
        address: SocketAddr,
        path: &str,
    ) -> Result<Config, Error> {
        let token = self.world.auth.tokens.token_of(user);
        let token = token.ok_or_else(|| Error::UnknownUser(user.to_owned()))?;
        let mut config = self.config_of_nobody(address, path);
        config.auth_info.token = Some(token.into());
        Ok(config)
    }
}

impl ControlPlane {
    /// Knows one more user from now on, and how that user reaches the root. Whoever has the name already gets a new
    /// token, and these groups.
    pub fn add_user(
        &self,
        name: impl Into<String>,
        groups: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Config, Error> {
        let known = Known::new(name, groups);
        let name = known.name.clone();
        self.shared.know(known)?;
        self.config_as(&name)
    }

    /// How a user reaches the root.
    pub fn config_as(&self, user: &str) -> Result<Config, Error> {
        self.shared.config_as(user, self.address(), "")
    }

    /// A client of the root, with the token of a user.
    pub fn client_as(&self, user: &str) -> Result<Client, Error> {
        let config = self.config_as(user)?;
        match self.has_socket() {
            true => Ok(Client::try_from(config)?),
            false => Ok(self.shared.in_process(user, "")),
        }
    }

    /// How somebody reaches the root who shows no token.
    pub fn config_anonymous(&self) -> Config {
        self.shared.config_of_nobody(self.address(), "")
    }

    /// A kubeconfig with a context for the root (`root`, the current one) and one for each project that exists. It
    /// knows the tokens of all users, for `kubectl --user`; the contexts are those of `admin`.
    pub fn kubeconfig(&self) -> Kubeconfig {
        self.kubeconfig_of(ADMIN)
    }

    /// The same kubeconfig, whose contexts are those of a user, and which knows no other.
    pub fn kubeconfig_as(&self, user: &str) -> Result<Kubeconfig, Error> {
        self.config_as(user)?;
        let mut config = self.kubeconfig_of(user);
        config.auth_infos.retain(|known| known.name == user);
        Ok(config)
    }

    fn kubeconfig_of(&self, user: &str) -> Kubeconfig {
        let projects = self.shared.world.project_names();
        let paths = projects.iter().map(|name| (name.clone(), path_of(name)));
        let all: Vec<(String, String)> = std::iter::once(("root".to_owned(), String::new()))
            .chain(paths)
            .collect();
        let authority = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            self.shared.authority.pem(),
        );
        let cluster = |path: &str| Cluster {
            server: Some(format!("https://{}{path}", self.address())),
            certificate_authority_data: Some(authority.clone()),
            ..Cluster::default()
        };
        let context = |name: &str| Context {
            cluster: name.to_owned(),
            user: Some(user.to_owned()),
            ..Context::default()
        };
        let clusters = all.iter().map(|(name, path)| NamedCluster {
            name: name.clone(),
            cluster: Some(cluster(path)),
            ..NamedCluster::default()
        });
        let contexts = all.iter().map(|(name, _)| NamedContext {
            name: name.clone(),
            context: Some(context(name)),
            ..NamedContext::default()
        });
        Kubeconfig {
            api_version: Some("v1".to_owned()),
            kind: Some("Config".to_owned()),
            current_context: Some("root".to_owned()),
            auth_infos: self.auth_infos(),
            clusters: clusters.collect(),
            contexts: contexts.collect(),
            ..Kubeconfig::default()
        }
    }

    /// All users with their tokens, the admin first.
    fn auth_infos(&self) -> Vec<NamedAuthInfo> {
        let mut all: Vec<_> = self.shared.world.auth.tokens.all().into_iter().collect();
        all.sort_by_key(|(name, _)| name != ADMIN);
        let infos = all.into_iter().map(|(name, token)| NamedAuthInfo {
            name,
            auth_info: Some(AuthInfo {
                token: Some(token.into()),
                ..AuthInfo::default()
            }),
            ..NamedAuthInfo::default()
        });
        infos.collect()
    }
}

impl Project<'_> {
    /// How a user reaches the project's control plane, at Milo's path.
    pub fn config_as(&self, user: &str) -> Result<Config, Error> {
        let address = self.plane.address();
        self.plane
            .shared
            .config_as(user, address, &path_of(&self.name))
    }

    /// A client of the project's control plane, with the token of a user.
    pub fn client_as(&self, user: &str) -> Result<Client, Error> {
        let config = self.config_as(user)?;
        match self.plane.has_socket() {
            true => Ok(Client::try_from(config)?),
            false => Ok(self.plane.shared.in_process(user, &path_of(&self.name))),
        }
    }
}
