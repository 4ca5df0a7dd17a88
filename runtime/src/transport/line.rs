//! A cluster, as its calls reach it.

use std::sync::{Arc, OnceLock};

use futures::{AsyncBufRead, TryStreamExt as _};
use http::header::{LOCATION, RETRY_AFTER};
use http::uri::PathAndQuery;
use http::{Request, Response};
use http_body_util::{BodyDataStream, BodyExt as _};
use kube::client::{Body, ConfigExt as _};
use kube::core::Status;
use kube::core::response::StatusDetails;
use kube::{Client, Config};
use serde::de::DeserializeOwned;
use tower::{Layer as _, ServiceExt as _};

use super::BoxError;
use super::answers::Answers;
use super::pool::Shared;
use super::received::Received;

/// That of a client which is asked for none.
const DEFAULT_NAMESPACE: &str = "default";

/// How much is told of an answer that no API server has given, but something on the way.
const MOST_SAID: usize = 500;

/// The way to a cluster: what all clusters of its endpoint share, and its own path. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Line(Arc<Inner>);

enum Inner {
    Shared {
        shared: Arc<Shared>,
        /// Where it begins at the endpoint.
        path: PathAndQuery,
        /// Unless it is kube's own.
        namespace: Option<Box<str>>,
        /// A client of its own, where somebody wants one: it takes more memory than everything else of a cluster.
        client: OnceLock<Box<Client>>,
    },
    Own(Box<Client>),
}

impl From<Client> for Line {
    fn from(client: Client) -> Self {
        Self(Arc::new(Inner::Own(Box::new(client))))
    }
}

impl Line {
    pub(super) fn new(shared: Arc<Shared>, config: &Config) -> Self {
        Self(Arc::new(Inner::Shared {
            shared,
            path: match config.cluster_url.path_and_query() {
                Some(path) => path.clone(),
                None => PathAndQuery::from_static("/"),
            },
            namespace: Some(config.default_namespace.as_str())
                .filter(|namespace| *namespace != DEFAULT_NAMESPACE)
                .map(Into::into),
            client: OnceLock::new(),
        }))
    }

    /// Whether one is a clone of the other.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Those of its endpoint, unless nothing is known but a client.
    pub(crate) fn answers(&self) -> Option<&Answers> {
        match &*self.0 {
            Inner::Shared { shared, .. } => Some(&shared.answers),
            Inner::Own(_) => None,
        }
    }

    /// kube's client of the cluster.
    pub(crate) fn client(&self) -> Client {
        let (shared, path, namespace, client) = match &*self.0 {
            Inner::Own(client) => return Client::clone(client),
            Inner::Shared {
                shared,
                path,
                namespace,
                client,
            } => (shared, path, namespace, client),
        };
        let make = || {
            let base = Config::new(shared.at(path)).base_uri_layer();
            let service = base.layer(shared.service.clone());
            let shared = Arc::clone(shared);
            // It is found again by others for as long as the client is there.
            let service = service.map_result(move |answer| {
                let _shared = &shared;
                answer
            });
            let namespace = namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
            Box::new(Client::new(service, namespace))
        };
        Client::clone(client.get_or_init(make))
    }

    /// As [`Client::request`].
    pub(crate) async fn request<T: DeserializeOwned>(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<T, kube::Error> {
        let text = self.request_text(request).await?;
        serde_json::from_str(&text).map_err(kube::Error::SerdeError)
    }

    /// As [`Client::request_text`].
    pub(crate) async fn request_text(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<String, kube::Error> {
        text_of(self.answered(request).await?).await
    }

    /// As [`Client::request_stream`].
    pub(crate) async fn request_stream(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<impl AsyncBufRead + use<>, kube::Error> {
        let body = BodyDataStream::new(self.answered(request).await?.into_body());
        let failed = |error| std::io::Error::other(kube::Error::Service(error));
        Ok(body.map_err(failed).into_async_read())
    }

    /// The answer to a request, or what the server has against it.
    ///
    /// As kube's client says it, with the delay that it was asked for besides: a server that has too much to do says that
    /// in a header, and not in a `Status`.
    async fn answered(&self, request: Request<Vec<u8>>) -> Result<Response<Received>, kube::Error> {
        let answer = self.send(request).await?;
        let code = answer.status();
        if code.is_redirection() {
            return Err(elsewhere(&answer));
        }
        if !code.is_client_error() && !code.is_server_error() {
            return Ok(answer);
        }
        let header = answer.headers().get(RETRY_AFTER);
        let seconds = header.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        let body = answer.into_body().collect().await;
        let bytes = body.map_err(kube::Error::Service)?.to_bytes();
        // What is on the way writes its pages in whatever it likes, also in JSON of its own.
        let text = String::from_utf8_lossy(&bytes);
        let is_status = |status: &Status| status.is_failure() || status.code != 0;
        let status = serde_json::from_str(&text).ok().filter(is_status);
        let mut status = status.unwrap_or_else(|| {
            let said: String = text.trim().chars().take(MOST_SAID).collect();
            Status::failure(&said, "Failed to parse error data")
        });
        if status.code == 0 {
            status.code = code.as_u16();
        }
        if let Some(seconds) = seconds {
            let details = status.details.get_or_insert_with(|| StatusDetails {
                name: String::new(),
                group: String::new(),
                kind: String::new(),
                uid: String::new(),
                causes: Vec::new(),
                retry_after_seconds: 0,
            });
            details.retry_after_seconds = details.retry_after_seconds.max(seconds);
        }
        Err(kube::Error::Api(Box::new(status)))
    }

    /// As [`Client::send`], and where the line is shared without a client between: that has a queue of its own, in which
    /// every request would change hands twice more.
    async fn send(&self, mut request: Request<Vec<u8>>) -> Result<Response<Received>, kube::Error> {
        let (shared, path) = match &*self.0 {
            Inner::Own(client) => {
                let answer = client.send(request.map(Body::from)).await?;
                return Ok(answer.map(Received::of_client));
            }
            Inner::Shared { shared, path, .. } => (shared, path),
        };
        let base = path.path().trim_end_matches('/');
        if !base.is_empty() {
            let path = format!("{base}{}", request.uri());
            let path = PathAndQuery::try_from(path).map_err(http::Error::from);
            *request.uri_mut() = path.map_err(kube::Error::HttpError)?.into();
        }
        let answer = shared.rooted.clone().oneshot(request.map(Body::from));
        let answer = answer.await.map_err(failed)?;
        shared.answers.came();
        Ok(answer)
    }
}

/// What is said of an answer that leads elsewhere, as that of a proxy does where somebody has to log in: whoever went there
/// would show the credentials to somebody else. What is behind the `?` may be a secret.
fn elsewhere<B>(answer: &Response<B>) -> kube::Error {
    let location = answer.headers().get(LOCATION);
    let location = location.and_then(|location| location.to_str().ok());
    let place = location.and_then(|location| location.split(['?', '#']).next());
    let place: String = place.unwrap_or_default().chars().take(MOST_SAID).collect();
    let said = format!("it is no API server, but leads elsewhere: {place:?}");
    let status = Status::failure(&said, "Redirect").with_code(answer.status().as_u16());
    kube::Error::Api(Box::new(status))
}

/// As kube's client says why there is no answer.
fn failed(error: BoxError) -> kube::Error {
    let error = match error.downcast::<kube::Error>() {
        Ok(error) => return *error,
        Err(other) => other,
    };
    match error.downcast::<hyper::Error>() {
        Ok(error) => kube::Error::HyperError(*error),
        Err(other) => kube::Error::Service(other),
    }
}

async fn text_of(answer: Response<Received>) -> Result<String, kube::Error> {
    let body = answer.into_body().collect().await;
    let bytes = body.map_err(kube::Error::Service)?.to_bytes();
    String::from_utf8(bytes.into()).map_err(kube::Error::FromUtf8)
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::super::Failure;
    use super::*;

    /// What is said of an answer that something on the way has given.
    async fn refused(page: Vec<u8>) -> kube::Error {
        let proxy = tower::service_fn(move |_: Request<Body>| {
            let mut answer = Response::new(Body::from(page.clone()));
            *answer.status_mut() = StatusCode::BAD_GATEWAY;
            std::future::ready(Ok::<_, BoxError>(answer))
        });
        let line = Line::from(Client::new(proxy, DEFAULT_NAMESPACE));
        let request = Request::get("/api").body(Vec::new()).unwrap();
        line.request_text(request).await.unwrap_err()
    }

    #[tokio::test]
    async fn of_an_answer_that_is_no_status_only_the_beginning_is_told() {
        let page = format!("<html>no upstream{}", "-".repeat(1 << 20));
        let error = refused(page.into_bytes()).await.to_string();
        assert!(error.contains("<html>no upstream-"), "{error}");
        assert!(error.len() < 2000, "{} bytes", error.len());
    }

    #[tokio::test]
    async fn whatever_is_answered_in_trouble_it_is_known_with_which_code() {
        for page in [
            &b"{\"message\": \"no upstream\"}"[..],
            b"{\"error\": \"no upstream\"}",
            b"{\"status\": \"Failure\", \"message\": \"no upstream\"}",
            b"<html>D\xe9sol\xe9: no upstream",
        ] {
            let failure = Failure::from(refused(page.to_vec()).await);
            assert_eq!(failure.code(), Some(502), "{failure}");
            assert!(failure.is_hiccup(), "{failure}");
            assert!(failure.to_string().contains("no upstream"), "{failure}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_leads_elsewhere_says_where_and_no_secret() {
        let proxy = tower::service_fn(|_: Request<Body>| {
            let login = "https://login.example.com/authorize?state=secret";
            let answer = Response::builder().status(StatusCode::FOUND);
            let answer = answer.header(LOCATION, login).body(Body::empty());
            std::future::ready(Ok::<_, BoxError>(answer.unwrap()))
        });
        let line = Line::from(Client::new(proxy, DEFAULT_NAMESPACE));
        let request = Request::get("/api").body(Vec::new()).unwrap();
        let watched = line.request_stream(request).await.err();
        let failure = Failure::from(watched.unwrap());
        assert_eq!(failure.code(), Some(302));
        let said = failure.to_string();
        assert!(
            said.contains("https://login.example.com/authorize"),
            "{said}"
        );
        assert!(!said.contains("secret"), "{said}");
    }
}
