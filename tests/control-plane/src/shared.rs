//! What all listeners of a server have in common, and how each answers.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body::Body as HttpBody;
use hyper::body::Incoming;
use kube::Config;

use crate::api;
use crate::clock;
use crate::control_plane::Error;
use crate::plane::World;
use crate::serve::{
    Authority, Body, BoxError, Door, Edge, Listener, ListenerOptions, Peeked, PeerCertificate, Who,
    project_and_path, unauthorized,
};
use crate::users::ADMIN;

/// How a client, or else the server, calls one request.
const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");

/// What every listener needs.
pub(crate) struct Shared {
    pub(crate) world: Arc<World>,
    pub(crate) edge: Edge,
    pub(crate) authority: Authority,
    /// The server's own token, which may do everything and never expires.
    pub(crate) token: String,
}

impl Shared {
    pub(crate) fn token_of_admin(&self) -> String {
        let token = self.world.auth.tokens.token_of(ADMIN);
        token.unwrap_or_else(|| self.token.clone())
    }

    /// Answers a request; `direct` is the project of a listener that serves it alone.
    pub(crate) async fn answer<B>(
        &self,
        mut request: Request<B>,
        direct: Option<&str>,
    ) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin,
        B::Error: Into<BoxError>,
    {
        let audit_id = request.headers().get(AUDIT_ID).cloned();
        let auth = &self.world.auth;
        let certificate = request.extensions_mut().remove::<PeerCertificate>();
        let project = direct.or_else(|| project_and_path(request.uri().path()).0);
        let plane = self.world.plane(project);
        // Of a project that is not there nobody is known but who is everywhere.
        let plane = plane.unwrap_or_else(|| self.world.root.clone());
        let user = clock::within(self.world.clock, || {
            auth.tokens
                .identify(&plane, request.headers(), certificate.as_ref())
        });
        if let Ok(user) = &user {
            request.extensions_mut().insert(Who(user.name.clone()));
        }
        let answer = |project: Option<String>, request: Request<Peeked<B>>| async move {
            let Ok(user) = user else {
                return api::failed(request.uri(), request.headers(), unauthorized()).await;
            };
            // Without roles nobody is anonymous, but for those who ask whether the server is there.
            let is_open =
                ["/healthz", "/readyz", "/livez", "/version"].contains(&request.uri().path());
            if !auth.rbac && !is_open && user.is_anonymous() {
                return api::failed(request.uri(), request.headers(), unauthorized()).await;
            }
            api::answer(&self.world, project.as_deref(), user, request).await
        };
        let mut answer = self.edge.handle(request, direct, answer).await;
        let audit_id = audit_id
            .filter(|said| !said.is_empty())
            .or_else(|| HeaderValue::try_from(self.world.ids.uid()).ok());
        if let Some(audit_id) = audit_id {
            answer.headers_mut().insert(AUDIT_ID, audit_id);
        }
        answer
    }

    pub(crate) fn config(&self, address: SocketAddr, path: &str) -> Config {
        let mut config = self.config_of_nobody(address, path);
        config.auth_info.token = Some(self.token_of_admin().into());
        config
    }

    /// How to reach a path without a token.
    pub(crate) fn config_of_nobody(&self, address: SocketAddr, path: &str) -> Config {
        // An address and a path of URL characters make a URL; the fallback is never seen.
        let url = format!("https://{address}{path}")
            .parse()
            .unwrap_or_default();
        let mut config = Config::new(url);
        config.root_cert = Some(vec![self.authority.der().to_vec()]);
        config
    }
}

pub(crate) async fn listen(
    shared: &Arc<Shared>,
    direct: Option<String>,
    port: u16,
) -> Result<Listener, Error> {
    let door = Door::new(&shared.edge.faults, direct.clone());
    let mut tls = shared.authority.server_tls()?;
    let asked = &shared.world.options;
    if asked.without_http_2 {
        tls = tls.without_http_2();
    }
    let mut options = ListenerOptions {
        port,
        door,
        ..ListenerOptions::default()
    };
    if let Some(streams) = asked.max_streams {
        options.max_concurrent_streams = streams;
    }
    let shared = shared.clone();
    let handler = move |request: Request<Incoming>| {
        let (shared, direct) = (shared.clone(), direct.clone());
        async move { shared.answer(request, direct.as_deref()).await }
    };
    Ok(Listener::start(tls, options, handler).await?)
}
