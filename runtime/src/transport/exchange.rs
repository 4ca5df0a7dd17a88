//! A request and the head of its answer: which connection it takes, when it is sent again, and how long all that may
//! take.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use h2::{Reason, RecvStream};
use http::request::Parts;
use http::{Request, Response, StatusCode, Uri, header};
use hyper_util::client::legacy::connect::capture_connection;
use kube::Config;
use kube::client::Body;
use tokio::time::Instant;
use tower::Service;
use tracing::{Instrument as _, Span};

use super::client::CALL_DEADLINE;
use super::credentials::Credentials;
use super::dial::{self, Dial};
use super::failure::NoAnswer;
use super::received::Received;
use super::share::{NoPlace, Place, Share};
use super::{BoxError, http_1};

/// How often a request is sent again that a server has refused to begin with.
const MOST_TRIES: u32 = 10;
/// How long it waits for that, growing with each try.
const BETWEEN_TRIES: Duration = Duration::from_millis(10);
/// How long a watch may wait on its connection to be sent: for longer only where the server has lowered its limit meanwhile,
/// and there behind other watches, which do not end.
const UNSENT: Duration = Duration::from_secs(1);

/// An endpoint, as one identity is seen there. Clones share its connections.
#[derive(Clone)]
pub(super) struct Endpoint(Arc<Shared>);

struct Shared {
    /// Of watches, and whatever else ends when it wants.
    endless: Arc<Share>,
    /// Of everything else, so that no call waits behind a watch.
    calls: Arc<Share>,
    http_1: http_1::Client,
    /// The server had no HTTP/2 when it was asked last.
    only_http_1: Arc<AtomicBool>,
    /// Each connection is opened with a certificate of its own.
    renews: bool,
}

impl Endpoint {
    pub(super) fn new(config: &Config, shown: &Credentials) -> Result<Self, kube::Error> {
        Ok(Self::over(
            Dial::new(config, shown)?,
            dial::deadline(config),
        ))
    }

    pub(super) fn over(dial: Dial, deadline: Duration) -> Self {
        let dial = Arc::new(dial);
        let share = || Arc::new(Share::new(Arc::clone(&dial), deadline));
        let only_http_1 = Arc::new(AtomicBool::new(!dial.may_be_http_2()));
        Self(Arc::new(Shared {
            endless: share(),
            calls: share(),
            renews: dial.renews(),
            only_http_1: Arc::clone(&only_http_1),
            http_1: http_1::client(dial, deadline, only_http_1),
        }))
    }
}

impl Service<Request<Body>> for Endpoint {
    type Response = Response<Received>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let shared = Arc::clone(&self.0);
        let span = span(&request);
        let outer = span.clone();
        let kind = Kind::of(&request);
        // In a box of its own, as what is handed on by value has two places.
        let answer = Box::pin(async move { shared.answer(request, kind).await });
        let answered = async move {
            let deadline = Instant::now() + CALL_DEADLINE;
            let answer = match kind {
                Kind::Follow => answer.await,
                Kind::Call | Kind::Watch => match tokio::time::timeout_at(deadline, answer).await {
                    Ok(Ok(answer)) if kind == Kind::Call => {
                        Ok(answer.map(|body| body.until(deadline)))
                    }
                    Ok(answer) => answer,
                    Err(_elapsed) => Err(NoAnswer(CALL_DEADLINE).into()),
                },
            };
            match &answer {
                Ok(answer) => {
                    span.record("http.status_code", answer.status().as_u16());
                    if answer.status().is_client_error() || answer.status().is_server_error() {
                        span.record("otel.status_code", "ERROR");
                    }
                }
                Err(error) => {
                    span.record("otel.status_code", "ERROR");
                    tracing::debug!(%error, "no answer");
                }
            }
            answer
        };
        Box::pin(answered.instrument(outer))
    }
}

/// As kube's own client has it.
fn span(request: &Request<Body>) -> Span {
    tracing::debug_span!(
        "HTTP",
        http.method = %request.method(),
        http.url = %request.uri(),
        http.status_code = tracing::field::Empty,
        otel.name = request.extensions().get::<&'static str>().unwrap_or(&"HTTP"),
        otel.kind = "client",
        otel.status_code = tracing::field::Empty,
    )
}

impl Shared {
    async fn answer(
        &self,
        request: Request<Body>,
        kind: Kind,
    ) -> Result<Response<Received>, BoxError> {
        let upgrades = request.headers().contains_key(header::UPGRADE);
        let (head, body) = request.into_parts();
        let body = body.collect_bytes().await?;
        let share = match kind {
            Kind::Call => &self.calls,
            Kind::Watch | Kind::Follow => &self.endless,
        };
        let mut tries = 0;
        loop {
            if upgrades || self.only_http_1.load(Ordering::Relaxed) {
                let mut request = Request::from_parts(head.clone(), body.clone().into());
                let connection = self.renews.then(|| capture_connection(&mut request));
                let answer = match self.http_1.request(request).await {
                    Err(error) if http_1::has_learned(&error) => continue,
                    answer => answer?,
                };
                if let (Some(connection), StatusCode::UNAUTHORIZED) = (connection, answer.status())
                    && let Some(connection) = &*connection.connection_metadata()
                {
                    // As below.
                    connection.poison();
                }
                return Ok(answer.map(Received::http_1));
            }
            let (place, mut requests) = match share.place().await {
                Ok(granted) => granted,
                Err(NoPlace::Http1) => {
                    self.only_http_1.store(true, Ordering::Relaxed);
                    continue;
                }
                Err(NoPlace::Unreachable(error)) => return Err(error.into()),
            };
            let unsent = (kind == Kind::Watch).then_some(UNSENT);
            let Unanswered { error, again } =
                match send(&mut requests, &head, body.clone(), unsent).await {
                    Ok(answer) => {
                        if self.renews && answer.status() == StatusCode::UNAUTHORIZED {
                            // With what the connection was opened with, which may be over by now.
                            place.leave_connection();
                        }
                        let endless = kind != Kind::Call;
                        return Ok(answer.map(|stream| Received::http_2(stream, place, endless)));
                    }
                    Err(unanswered) => unanswered,
                };
            tries += 1;
            match again {
                Some(again) if tries < MOST_TRIES => again.wait(place, tries).await,
                _ => return Err(error.into()),
            }
        }
    }
}

/// A request without an answer.
struct Unanswered {
    error: h2::Error,
    /// If the server has done nothing of it.
    again: Option<Again>,
}

/// When a request may be sent again.
enum Again {
    /// On another connection, as this one ends.
    Elsewhere,
    /// When the server has had a little time.
    Later,
    /// Wherever there is a place now.
    Now,
}

impl Again {
    async fn wait(self, place: Place, tries: u32) {
        match self {
            Self::Elsewhere => place.leave_connection(),
            Self::Later => {
                drop(place);
                tokio::time::sleep(BETWEEN_TRIES * tries).await;
            }
            Self::Now => drop(place),
        }
    }
}

impl Unanswered {
    /// It could not even be sent.
    fn refused_here(error: h2::Error) -> Self {
        // Otherwise it is the request that cannot be sent.
        let is_over = error.is_go_away() || error.is_io();
        let again = is_over.then_some(Again::Elsewhere);
        Self { error, again }
    }

    /// It has waited for too long to be sent.
    fn unsent() -> Self {
        Self {
            error: Reason::REFUSED_STREAM.into(),
            again: Some(Again::Now),
        }
    }

    fn refused_there(error: h2::Error) -> Self {
        let again = match error.is_reset() {
            false => Again::Elsewhere,
            true => Again::Later,
        };
        Self {
            again: is_unprocessed(&error).then_some(again),
            error,
        }
    }
}

/// Sends a request on a connection that has a place for it, or gives it up if it is still unsent after a while.
async fn send(
    requests: &mut h2::client::SendRequest<Bytes>,
    head: &Parts,
    body: Bytes,
    unsent: Option<Duration>,
) -> Result<Response<RecvStream>, Unanswered> {
    let mut request = Request::new(());
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = head.uri.clone();
    *request.version_mut() = http::Version::HTTP_2;
    *request.headers_mut() = head.headers.clone();
    if !body.is_empty() {
        let length = body.len().into();
        request.headers_mut().insert(header::CONTENT_LENGTH, length);
    }
    let sent = requests.send_request(request, body.is_empty());
    let (answer, mut stream) = sent.map_err(Unanswered::refused_here)?;
    if !body.is_empty()
        && let Err(error) = stream.send_data(body, true)
    {
        // A stream that has ended has a reason, which its answer tells.
        tracing::debug!(%error, "the body of a request was not sent");
    }
    if let Some(unsent) = unsent {
        // If the connection has ended, the answer tells why.
        let sent = poll_fn(|cx| requests.poll_ready(cx));
        let sent = tokio::time::timeout(unsent, sent).await;
        sent.map_err(|_elapsed| Unanswered::unsent())?.ok();
    }
    answer.await.map_err(Unanswered::refused_there)
}

/// Whether the server has said that it did nothing of a request.
fn is_unprocessed(error: &h2::Error) -> bool {
    error.is_remote() && (error.is_go_away() || error.reason() == Some(Reason::REFUSED_STREAM))
}

/// What a request is, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Call,
    /// The answer begins at once, and ends when it wants.
    Watch,
    /// It may begin late too.
    Follow,
}

impl Kind {
    fn of(request: &Request<Body>) -> Self {
        let uri: &Uri = request.uri();
        let asks = |what: &str| {
            let query = uri.query().unwrap_or_default();
            query.split('&').any(|asked| asked == what)
        };
        if asks("watch=true") || asks("watch=1") {
            return Self::Watch;
        }
        let segments: Vec<&str> = uri.path().split('/').collect();
        let streams = |of: &[&str]| match of {
            ["pods", _, "log"] => asks("follow=true") || asks("follow=1"),
            ["pods", _, "exec" | "attach" | "portforward"] => true,
            ["pods" | "services" | "nodes", _, "proxy"] => true,
            _ => false,
        };
        let upgrades = request.headers().contains_key(header::UPGRADE);
        match upgrades || segments.windows(3).any(streams) {
            true => Self::Follow,
            false => Self::Call,
        }
    }
}
