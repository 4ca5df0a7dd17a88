//! The requests that a server was sent, in order.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, Method, StatusCode, Uri, request};

use super::paths::ResourcePath;

/// How the `User-Agent` of the controllers begins that this crate plays; they are no part of
/// [`RequestLog::entries`].
pub(crate) const PLAYED_USER_AGENT: &str = "kommodore-control-plane";

/// So many requests are remembered; the oldest go first.
const REMEMBERED: usize = 100_000;

/// Who shows a token, in the extensions of a request.
#[derive(Clone, Debug)]
pub(crate) struct Who(pub(crate) String);

/// What a request does, as Kubernetes names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// One object, or something that is no resource.
    Get,
    /// A collection.
    List,
    /// A stream of changes.
    Watch,
    /// A new object.
    Create,
    /// A whole object, replaced.
    Update,
    /// A part of an object, server-side apply too.
    Patch,
    /// One object.
    Delete,
    /// All objects of a collection.
    DeleteCollection,
    /// Something else.
    Other,
}

impl Verb {
    /// Whether it only reads.
    pub fn reads(self) -> bool {
        matches!(self, Self::Get | Self::List | Self::Watch)
    }

    fn of(method: &Method, query: &str, resource: Option<&ResourcePath>) -> Self {
        let named = resource.is_none_or(|resource| resource.name.is_some());
        let watches = || {
            query.split('&').any(|pair| {
                matches!(
                    pair,
                    "watch" | "watch=" | "watch=1" | "watch=true" | "watch=True"
                )
            })
        };
        match method.as_str() {
            "GET" | "HEAD" if resource.is_some() && watches() => Self::Watch,
            "GET" | "HEAD" if named => Self::Get,
            "GET" | "HEAD" => Self::List,
            "POST" => Self::Create,
            "PUT" => Self::Update,
            "PATCH" => Self::Patch,
            "DELETE" if named => Self::Delete,
            "DELETE" => Self::DeleteCollection,
            _ => Self::Other,
        }
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct RequestRecord {
    /// Counts all requests, from 0.
    pub number: u64,
    /// The project whose control plane was asked; none is the root.
    pub project: Option<String>,
    /// The method.
    pub method: Method,
    /// The path in that control plane.
    pub path: String,
    /// The query as it was sent, without the question mark.
    pub query: String,
    /// What the request does.
    pub verb: Verb,
    /// The resource, unless the path names none.
    pub resource: Option<ResourcePath>,
    /// The user whose token or certificate was shown, where it is known; not the one on whose behalf it is done.
    pub user: Option<String>,
    /// The `User-Agent`.
    pub user_agent: Option<String>,
    /// The `Content-Type` of what was sent; it tells the kinds of patches apart.
    pub content_type: Option<String>,
    /// The status of the answer; none until there is one.
    pub status: Option<StatusCode>,
    /// The resourceVersion of the object or the list that was answered in JSON.
    pub resource_version: Option<String>,
    /// Whether the client is still waiting for the answer, or for the end of it: so it is with a watch.
    pub open: bool,
}

impl RequestRecord {
    /// The plural of the resource, empty where there is none.
    pub fn plural(&self) -> &str {
        self.resource
            .as_ref()
            .map_or("", |resource| resource.resource.as_str())
    }

    /// The API group, empty for the core group.
    pub fn group(&self) -> &str {
        self.resource
            .as_ref()
            .map_or("", |resource| resource.group.as_str())
    }

    /// The namespace, where the path has one.
    pub fn namespace(&self) -> Option<&str> {
        self.resource.as_ref()?.namespace.as_deref()
    }

    /// The name, where the path has one.
    pub fn name(&self) -> Option<&str> {
        self.resource.as_ref()?.name.as_deref()
    }

    /// The subresource, where the path has one.
    pub fn subresource(&self) -> Option<&str> {
        self.resource.as_ref()?.subresource.as_deref()
    }

    /// The resourceVersion that a read asks for.
    pub fn asked_version(&self) -> Option<&str> {
        let pairs = self.query.split('&');
        let mut versions = pairs.filter_map(|pair| pair.strip_prefix("resourceVersion="));
        versions.next().filter(|version| !version.is_empty())
    }

    fn is_played(&self) -> bool {
        self.user_agent.as_deref().is_some_and(is_played)
    }
}

/// One line, for the message of a failed test.
impl fmt::Display for RequestRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let project = self.project.as_deref().unwrap_or("root");
        write!(
            f,
            "#{} {project}: {} {}",
            self.number, self.method, self.path
        )?;
        if !self.query.is_empty() {
            write!(f, "?{}", self.query)?;
        }
        match self.status {
            Some(status) => write!(f, " -> {}", status.as_u16()),
            None => f.write_str(" -> (no answer yet)"),
        }
    }
}

/// A moment in a [`RequestLog`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

/// A request that has just been written down.
pub(crate) struct Begun {
    pub(crate) number: u64,
    pub(crate) verb: Verb,
    pub(crate) resource: Option<ResourcePath>,
    pub(crate) played: bool,
}

/// The requests of a server, in the order in which they came. Clones share one log.
#[derive(Clone, Debug, Default)]
pub struct RequestLog {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    records: VecDeque<RequestRecord>,
}

impl RequestLog {
    /// Now.
    pub fn mark(&self) -> Mark {
        Mark(self.lock().next)
    }

    /// Every request of those who are tested.
    pub fn entries(&self) -> Vec<RequestRecord> {
        self.since(Mark(0))
    }

    /// Those that came after `mark`.
    pub fn since(&self, mark: Mark) -> Vec<RequestRecord> {
        self.select(|record| record.number >= mark.0 && !record.is_played())
    }

    /// Those after `mark` that write.
    pub fn writes(&self, mark: Mark) -> Vec<RequestRecord> {
        self.select(|record| record.number >= mark.0 && !record.is_played() && !record.verb.reads())
    }

    /// Those after `mark` that read.
    pub fn reads(&self, mark: Mark) -> Vec<RequestRecord> {
        self.select(|record| record.number >= mark.0 && !record.is_played() && record.verb.reads())
    }

    /// The watches that are open now.
    pub fn open_watches(&self) -> Vec<RequestRecord> {
        self.select(|record| record.open && record.verb == Verb::Watch && !record.is_played())
    }

    /// Those of the controllers that this crate plays.
    pub fn played(&self) -> Vec<RequestRecord> {
        self.select(RequestRecord::is_played)
    }

    /// Forgets all; numbers go on, so that marks stay good.
    pub fn clear(&self) {
        self.lock().records.clear();
    }

    pub(crate) fn begin(
        &self,
        project: Option<&str>,
        request: &request::Parts,
        uri: &Uri,
    ) -> Begun {
        let resource = ResourcePath::parse(uri.path());
        let query = uri.query().unwrap_or_default();
        let verb = Verb::of(&request.method, query, resource.as_ref());
        let user_agent = text(&request.headers, USER_AGENT);
        let played = user_agent.as_deref().is_some_and(is_played);
        let told = resource.clone();
        let mut inner = self.lock();
        let number = inner.next;
        inner.next += 1;
        if inner.records.len() == REMEMBERED {
            inner.records.pop_front();
        }
        inner.records.push_back(RequestRecord {
            number,
            project: project.map(String::from),
            method: request.method.clone(),
            path: uri.path().into(),
            query: query.into(),
            verb,
            resource,
            user: request.extensions.get().map(|Who(user)| user.clone()),
            user_agent,
            content_type: text(&request.headers, CONTENT_TYPE),
            status: None,
            resource_version: None,
            open: true,
        });
        Begun {
            number,
            verb,
            resource: told,
            played,
        }
    }

    pub(crate) fn answered(&self, number: u64, status: StatusCode) {
        self.change(number, |record| record.status = Some(status));
    }

    pub(crate) fn told(&self, number: u64, version: String) {
        self.change(number, |record| record.resource_version = Some(version));
    }

    pub(crate) fn ended(&self, number: u64) {
        self.change(number, |record| record.open = false);
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut RequestRecord)) {
        let mut inner = self.lock();
        if let Ok(at) = inner
            .records
            .binary_search_by_key(&number, |record| record.number)
        {
            change(&mut inner.records[at]);
        }
    }

    fn select(&self, wanted: impl Fn(&RequestRecord) -> bool) -> Vec<RequestRecord> {
        self.lock()
            .records
            .iter()
            .filter(|record| wanted(record))
            .cloned()
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a request with this `User-Agent` comes from a controller that this crate plays.
fn is_played(user_agent: &str) -> bool {
    user_agent.starts_with(PLAYED_USER_AGENT)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(log: &RequestLog, method: &str, uri: &str, agent: &str) -> u64 {
        let (parts, ()) = http::Request::builder()
            .method(method)
            .uri(uri)
            .header(USER_AGENT, agent)
            .body(())
            .unwrap()
            .into_parts();
        let uri = parts.uri.clone();
        log.begin(None, &parts, &uri).number
    }

    #[test]
    fn the_verb_follows_from_method_path_and_query() {
        let log = RequestLog::default();
        for (method, uri) in [
            ("GET", "/api/v1/configmaps"),
            ("GET", "/api/v1/configmaps?limit=5&watch=true"),
            ("GET", "/api/v1/namespaces/a"),
            ("POST", "/api/v1/namespaces"),
            ("PUT", "/api/v1/namespaces/a/finalize"),
            ("PATCH", "/api/v1/namespaces/a"),
            ("DELETE", "/api/v1/namespaces/a"),
            ("DELETE", "/api/v1/namespaces/a/secrets"),
            ("GET", "/version"),
        ] {
            sent(&log, method, uri, "test");
        }
        let verbs: Vec<Verb> = log.entries().iter().map(|record| record.verb).collect();
        use Verb::*;
        assert_eq!(
            verbs,
            [
                List,
                Watch,
                Get,
                Create,
                Update,
                Patch,
                Delete,
                DeleteCollection,
                Get
            ]
        );
    }

    #[test]
    fn what_is_played_is_no_entry_and_an_answer_finds_its_request() {
        let log = RequestLog::default();
        sent(
            &log,
            "GET",
            "/api/v1/secrets",
            "kommodore-control-plane/0.1",
        );
        log.clear();
        let mark = log.mark();
        sent(
            &log,
            "GET",
            "/api/v1/secrets",
            "kommodore-control-plane/0.1",
        );
        let read = sent(&log, "GET", "/api/v1/secrets", "test");
        let write = sent(&log, "POST", "/api/v1/namespaces/a/secrets", "test");
        log.answered(write, StatusCode::CREATED);
        let numbers = |records: Vec<RequestRecord>| {
            records
                .iter()
                .map(|record| record.number)
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers(log.since(mark)), [read, write]);
        assert_eq!(numbers(log.reads(mark)), [read]);
        assert_eq!(numbers(log.played()), [1]);
        let writes = log.writes(mark);
        assert_eq!(writes[0].status, Some(StatusCode::CREATED));
        assert_eq!(
            (writes[0].plural(), writes[0].namespace()),
            ("secrets", Some("a"))
        );
    }
}
