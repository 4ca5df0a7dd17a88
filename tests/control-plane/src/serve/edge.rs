//! What every request goes through before a server answers it.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Empty};

use super::faults::{Asked, Distortion, Faults};
use super::paths::project_and_path;
use super::told::{End, Told};
use super::{Body, Peeked, RequestLog, Verb};
use crate::api::Query;
use crate::auth::selected_name;
use crate::ids::Ids;

/// The log and the faults of a server. Clones share both.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edge {
    /// The requests, in order.
    pub(crate) log: RequestLog,
    /// What goes wrong.
    pub(crate) faults: Faults,
    /// Draws what is not said of a fault.
    ids: Arc<Ids>,
}

impl Edge {
    pub(crate) fn new(seed: Option<u64>) -> Self {
        let ids = seed.map_or_else(Ids::new, |seed| Ids::seeded(!seed));
        Self {
            ids: Arc::new(ids),
            ..Self::default()
        }
    }

    /// Reads the project off the path (or takes `direct`, on a listener that serves one project alone), logs the
    /// request, and lets it through to `answer` with a path that is the control plane's own.
    pub(crate) async fn handle<B, H, F>(
        &self,
        request: Request<B>,
        direct: Option<&str>,
        answer: H,
    ) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Unpin,
        H: FnOnce(Option<String>, Request<Peeked<B>>) -> F,
        F: Future<Output = Response<Body>>,
    {
        let (mut parts, body) = request.into_parts();
        let (project, path) = match direct {
            Some(project) => (Some(project), parts.uri.path()),
            None => project_and_path(parts.uri.path()),
        };
        let project = project.map(String::from);
        let uri = with_path(&parts.uri, path);
        let head = parts.method == http::Method::HEAD;
        let begun = self.log.begin(project.as_deref(), &parts, &uri);
        parts.uri = uri;
        let end = End {
            log: self.log.clone(),
            number: begun.number,
        };
        let mut asked = Asked {
            project: project.clone(),
            verb: begun.verb,
            name: begun.resource.as_ref().and_then(|path| path.name.clone()),
            resource: begun.resource,
        };
        let mut body = Peeked::unread(body);
        if asked.name.is_none() {
            asked.name = match begun.verb {
                Verb::Create if self.faults.look_at_names() => body.name().await,
                // What happens to a watch may be said while it is open.
                Verb::List | Verb::Watch | Verb::DeleteCollection => name_selected(&parts.uri),
                _ => None,
            };
        }
        let answer = |distortion: Distortion| {
            parts.extensions.insert(distortion);
            answer(project, Request::from_parts(parts, body))
        };
        // What goes wrong does so for those who are tested; the controllers that are played go on with their work.
        let response = if begun.played {
            answer(Distortion::default()).await
        } else {
            self.faults.pass(asked, &self.ids, answer).await
        };
        self.log.answered(begun.number, response.status());
        let tells = begun.verb != Verb::Watch && is_json(&response);
        if head {
            // HTTP/2 clients take a body here for a protocol error.
            return response.map(|_| Empty::new().map_err(|never| match never {}).boxed());
        }
        response.map(|body| Told { body, end, tells }.boxed())
    }
}

fn name_selected(uri: &Uri) -> Option<String> {
    let query = uri
        .query()
        .filter(|query| query.contains("fieldSelector"))?;
    Some(selected_name(&Query::parse(query))).filter(|name| !name.is_empty())
}

fn is_json(response: &Response<Body>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

/// The path and query alone: what a server of HTTP/1.1 is sent, whatever the client's protocol was.
fn with_path(uri: &Uri, path: &str) -> Uri {
    let whole = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.into(),
    };
    match PathAndQuery::try_from(whole) {
        Ok(whole) => Uri::from(whole),
        // Cannot be: it is a part of a URI that was read.
        Err(_) => uri.clone(),
    }
}
