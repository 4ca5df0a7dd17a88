//! The users of a control plane, and how they reach it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kube::config::{
    AuthInfo, Cluster, Context, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext,
};
use kube::{Client, Config};

use crate::auth::{MASTERS, User};
use crate::control_plane::{ControlPlane, Error};
use crate::in_process::InProcess;
use crate::project::{Project, path_of};
use crate::shared::Shared;

/// The user that may do everything.
pub(crate) const ADMIN: &str = "admin";

/// A user that a control plane is to know.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
    /// None is one that the server makes.
    pub(crate) token: Option<String>,
}

impl Known {
    pub(crate) fn new(
        name: impl Into<String>,
        groups: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            name: name.into(),
            groups: groups.into_iter().map(Into::into).collect(),
            token: None,
        }
    }
}

impl Shared {
    /// Knows the admin, by a token of its own and by that of the server itself.
    pub(crate) fn know_admin(&self) {
        let tokens = &self.world.auth.tokens;
        let admin = User::known(ADMIN, [MASTERS.to_owned()]);
        tokens.add_own(&self.token, admin.clone());
        tokens.add(&self.world.ids.token(), admin);
    }

    /// Knows a user from now on.
    pub(crate) fn know(&self, known: Known) -> Result<(), Error> {
        let why = match known.name.as_str() {
            "" => "a user has a name",
            ADMIN => "it is always there",
            _ => "",
        };
        if !why.is_empty() {
            return Err(Error::Refused {
                what: format!("the user {:?}", known.name),
                why: why.to_owned(),
            });
        }
        let user = User::known(&known.name, known.groups);
        let token = known.token.unwrap_or_else(|| self.world.ids.token());
        self.world.auth.tokens.add(&token, user);
        Ok(())
    }

    /// A client with the token of a user, without a socket.
    fn in_process(self: &Arc<Self>, user: &str, path: &str) -> Client {
        let token = self.world.auth.tokens.token_of(user);
        InProcess::new(self.clone(), path)
            .with_token(Some(token.unwrap_or_default()))
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

    /// Lets the token of a user expire after so long, by tokio's clock: requests with it are then answered 401, and what
    /// is open goes on. `admin` has one too.
    pub fn expire_token(&self, user: &str, after: Duration) -> Result<(), Error> {
        let expired = self.shared.world.auth.tokens.expire(user, after);
        expired.map_err(|_| Error::UnknownUser(user.to_owned()))
    }

    /// Gives a user a new token, and says how the user reaches the root with it; [`config_as`](Self::config_as) and
    /// whatever else is made for the user from now on has it too. The old one stays as valid as it was.
    pub fn renew_token(&self, user: &str) -> Result<Config, Error> {
        let world = &self.shared.world;
        let renewed = world.auth.tokens.renew(user, &world.ids.token());
        renewed.map_err(|_| Error::UnknownUser(user.to_owned()))?;
        self.config_as(user)
    }

    /// How a user reaches the root with a certificate and no token. Each call makes a new certificate.
    pub fn config_with_certificate(&self, user: &str) -> Result<Config, Error> {
        let mut config = self.config_as(user)?;
        let (auth_info, shown) = self.shared.authority.client_auth(user)?;
        self.shared.world.auth.tokens.certify(user, &shown);
        config.auth_info = auth_info;
        Ok(config)
    }

    /// Lets the certificates that a user has now expire after so long, by tokio's clock: requests with them are then
    /// answered 401, as a real server does, and what is open goes on. A new one is as good as ever.
    pub fn expire_certificates(&self, user: &str, after: Duration) {
        self.shared
            .world
            .auth
            .tokens
            .expire_certificates(user, after);
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
