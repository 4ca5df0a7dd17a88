//! Which API server a request is for, and the way there and back.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use kube::api::{Api, DynamicObject};
use kube::client::Body as Answer;
use kube::{Client, ResourceExt};
use tokio::time::Instant;

use super::RealError;
use crate::milo::{PROJECT, PROJECT_CONTROL_PLANE, Purge};
use crate::serve::{Body, BoxError, Edge, Peeked, bearer_token, failure, unauthorized};

/// So many projects may exist at a time.
pub(super) const PROJECTS: usize = 2;

/// How long emptying a control plane may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Serves the root and the projects of all API servers as one.
pub(super) struct Router {
    pub(super) edge: Edge,
    admin: Access,
    operator: Access,
    /// Who has which of the projects' API servers. One that nobody has is empty.
    holders: tokio::sync::Mutex<[Option<Holder>; PROJECTS]>,
}

/// How somebody who shows a token reaches the API servers.
pub(super) struct Access {
    pub(super) token: String,
    pub(super) root: Client,
    pub(super) projects: [Client; PROJECTS],
}

struct Holder {
    name: String,
    uid: String,
}

/// Why a project has no API server.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("there is no such project")]
    Unknown,
    #[error("there are API servers for {PROJECTS} projects at a time only")]
    Full,
    #[error(transparent)]
    Api(#[from] kube::Error),
    #[error(transparent)]
    Wipe(#[from] RealError),
}

impl From<Refusal> for RealError {
    fn from(refusal: Refusal) -> Self {
        Self::Server(refusal.to_string())
    }
}

impl Router {
    pub(super) fn new(admin: Access, operator: Access) -> Self {
        Self {
            edge: Edge::default(),
            admin,
            operator,
            holders: Default::default(),
        }
    }

    /// Answers one request; `direct` is the project of a listener that serves it alone.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        direct: Option<&str>,
    ) -> Response<Body> {
        let there = async |project: Option<String>, request: Request<Peeked<Incoming>>| {
            let shown = bearer_token(request.headers());
            let mut known = [&self.admin, &self.operator].into_iter();
            let Some(access) = known.find(|access| shown == Some(&access.token)) else {
                return unauthorized();
            };
            let client = match &project {
                None => &access.root,
                Some(name) => match self.project(name).await {
                    Ok(at) => &access.projects[at],
                    Err(refusal) => return refusal,
                },
            };
            forward(client, request).await
        };
        self.edge.handle(request, direct, there).await
    }

    async fn project(&self, name: &str) -> Result<usize, Response<Body>> {
        match self.place_of(name).await {
            Ok(at) => Ok(at),
            Err(Refusal::Unknown) => {
                let message = format!("projects.resourcemanager.miloapis.com \"{name}\" not found");
                Err(failure(StatusCode::NOT_FOUND, "NotFound", &message))
            }
            Err(other) => Err(failure(
                StatusCode::SERVICE_UNAVAILABLE,
                "ServiceUnavailable",
                &other.to_string(),
            )),
        }
    }

    /// Which API server a project that exists has; it gets one when it is asked for the first time.
    pub(super) async fn place_of(&self, name: &str) -> Result<usize, Refusal> {
        let uids = self.uids(name).await?;
        let Some(uid) = uids.first() else {
            return Err(Refusal::Unknown);
        };
        let mut holders = self.holders.lock().await;
        let of_that_name = holders
            .iter()
            .enumerate()
            .find_map(|(at, holder)| Some((at, holder.as_ref().filter(|h| h.name == name)?)));
        let at = match of_that_name {
            Some((at, holder)) if uids.contains(&holder.uid) => return Ok(at),
            // An earlier project of the same name.
            Some((at, _)) => at,
            None => self.vacant(&holders[..]).await?.ok_or(Refusal::Full)?,
        };
        if holders[at].take().is_some() {
            wipe(&self.admin.projects[at]).await?;
        }
        holders[at] = Some(Holder {
            name: name.into(),
            uid: uid.clone(),
        });
        Ok(at)
    }

    /// One that nobody has, or whose project is gone.
    async fn vacant(&self, holders: &[Option<Holder>]) -> kube::Result<Option<usize>> {
        for (at, holder) in holders.iter().enumerate() {
            match holder {
                Some(holder) if self.uids(&holder.name).await?.contains(&holder.uid) => {}
                _ => return Ok(Some(at)),
            }
        }
        Ok(None)
    }

    /// Of all objects that stand for a project of this name.
    async fn uids(&self, name: &str) -> kube::Result<Vec<String>> {
        let mut uids = Vec::new();
        for kind in [PROJECT, PROJECT_CONTROL_PLANE] {
            let api: Api<DynamicObject> =
                Api::all_with(self.admin.root.clone(), &kind.api_resource());
            uids.extend(
                api.get_metadata_opt(name)
                    .await?
                    .and_then(|object| object.uid()),
            );
        }
        Ok(uids)
    }

    /// Empties all API servers, and nobody has one any more.
    pub(super) async fn reset(&self) -> Result<(), RealError> {
        self.edge.faults.unsilence_all();
        // First the projects, so that nothing is put into service again.
        wipe(&self.admin.root).await?;
        let mut holders = self.holders.lock().await;
        let used = self
            .admin
            .projects
            .iter()
            .zip(&*holders)
            .filter(|(_, holder)| holder.is_some());
        futures::future::try_join_all(used.map(|(client, _)| wipe(client))).await?;
        *holders = Default::default();
        self.edge.log.clear();
        Ok(())
    }
}

/// Deletes all that tests put into an API server, whoever wants to hold it.
async fn wipe(client: &Client) -> Result<(), RealError> {
    let started = Instant::now();
    loop {
        let purge = Purge {
            finalize_namespaces: true,
            strip_finalizers: true,
        };
        let outcome = purge.pass(client).await;
        if matches!(outcome, Ok(true)) {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            outcome.map_err(RealError::api("emptying an API server"))?;
            return Err(RealError::Server("an API server does not get empty".into()));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn forward(client: &Client, request: Request<Peeked<Incoming>>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return failure(StatusCode::BAD_REQUEST, "BadRequest", &error.to_string()),
    };
    let mut onward = Request::new(Answer::from(body));
    *onward.method_mut() = parts.method;
    *onward.uri_mut() = parts.uri;
    *onward.headers_mut() = parts.headers;
    // What belongs to the client's own connection.
    for header in [
        AUTHORIZATION,
        CONNECTION,
        CONTENT_LENGTH,
        HOST,
        TRANSFER_ENCODING,
    ] {
        onward.headers_mut().remove(header);
    }
    match client.send(onward).await {
        Ok(mut response) => {
            for header in [CONNECTION, TRANSFER_ENCODING] {
                response.headers_mut().remove(header);
            }
            response.map(|body| Shareable(Mutex::new(body)).boxed())
        }
        Err(error) => failure(StatusCode::BAD_GATEWAY, "InternalError", &error.to_string()),
    }
}

/// kube's bodies are `Send` alone; only one task ever polls this one.
struct Shareable(Mutex<Answer>);

impl http_body::Body for Shareable {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let body = self
            .get_mut()
            .0
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        Pin::new(body).poll_frame(cx).map_err(BoxError::from)
    }

    fn is_end_stream(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .size_hint()
    }
}
