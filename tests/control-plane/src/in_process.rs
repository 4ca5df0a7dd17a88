//! The server without a socket: a service that kube's client can be built on.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{AUTHORIZATION, HeaderValue, USER_AGENT};
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use kube::client::{ClientBuilder, ConfigExt};
use kube::{Client, Config};
use tower_service::Service;

use crate::api::OnCallersTask;
use crate::control_plane::ControlPlane;
use crate::serve::{Body, BoxError, Broken, PLAYED_USER_AGENT};
use crate::shared::Shared;

/// A control plane inside the process, as a service: what it is called with is answered on the caller's task, and no
/// byte goes over a socket.
///
/// ```no_run
/// # async fn example(plane: kommodore_control_plane::ControlPlane) {
/// let client = kube::Client::new(plane.service(), "default");
/// # }
/// ```
#[derive(Clone)]
pub struct InProcess {
    shared: Arc<Shared>,
    /// What comes before the path of a request.
    prefix: String,
    /// A controller that this crate plays.
    is_played: bool,
    /// Whose requests these are that name nobody.
    token: Option<String>,
}

impl InProcess {
    pub(crate) fn new(shared: Arc<Shared>, prefix: impl Into<String>) -> Self {
        Self {
            token: Some(shared.token_of_admin()),
            shared,
            prefix: prefix.into(),
            is_played: false,
        }
    }

    /// The same, for another user than the admin.
    pub(crate) fn with_token(mut self, token: Option<String>) -> Self {
        self.token = token;
        self
    }

    /// The same, for the controllers that this crate plays.
    pub(crate) fn played(mut self) -> Self {
        self.is_played = true;
        self.token = Some(self.shared.token.clone());
        self
    }

    pub(crate) fn client(self) -> Client {
        Client::new(self, "default")
    }
}

impl ControlPlane {
    /// The service for those who bring a token of their own.
    pub(crate) fn nobodys_service(&self) -> InProcess {
        InProcess::new(self.shared.clone(), "").with_token(None)
    }

    /// Makes a client without a socket of a [`config`](Self::config), or of that of a user or a project: what
    /// `kommodore::Builder::connect` asks for.
    ///
    /// ```no_run
    /// # async fn example(plane: kommodore_control_plane::ControlPlane) -> kube::Result<()> {
    /// let client = plane.connector()(plane.project("red").config())?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn connector(
        &self,
    ) -> impl Fn(Config) -> kube::Result<Client> + Clone + Send + Sync + use<> {
        let service = self.nobodys_service();
        move |config| client_of(service.clone(), &config)
    }
}

/// A client with the path, the credentials and the headers of a configuration.
pub(crate) fn client_of<S>(service: S, config: &Config) -> kube::Result<Client>
where
    S: Service<Request<kube::client::Body>, Response = Response<Body>, Error = BoxError>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    let client = ClientBuilder::new(service, config.default_namespace.clone())
        .with_layer(&config.extra_headers_layer()?)
        .with_layer(&config.base_uri_layer());
    Ok(match config.auth_layer()? {
        Some(auth) => client.with_layer(&auth).build(),
        None => client.build(),
    })
}

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InProcess")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl Service<Request<kube::client::Body>> for InProcess {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<kube::client::Body>) -> Self::Future {
        let (shared, prefix) = (self.shared.clone(), self.prefix.clone());
        let token = self.token.clone();
        if self.is_played {
            let agent = HeaderValue::from_static(PLAYED_USER_AGENT);
            request.headers_mut().insert(USER_AGENT, agent);
        }
        Box::pin(async move {
            if let Some(token) = token
                && !request.headers().contains_key(AUTHORIZATION)
            {
                let token = HeaderValue::try_from(format!("Bearer {token}"))?;
                request.headers_mut().insert(AUTHORIZATION, token);
            }
            let path = request
                .uri()
                .path_and_query()
                .map_or("/", PathAndQuery::as_str);
            *request.uri_mut() = Uri::try_from(format!("{prefix}{path}"))?;
            request.extensions_mut().insert(OnCallersTask);
            let answer = shared.answer(request, None).await;
            match answer.extensions().get::<Broken>() {
                Some(broken) => Err(broken.error().into()),
                None => Ok(answer),
            }
        })
    }
}
