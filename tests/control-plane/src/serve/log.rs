//! The requests that a server was sent, in order.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderName, Method, StatusCode, Uri, request};

use super::paths::ResourcePath;
use super::record::{RequestRecord, Verb};

/// How the `User-Agent` of the controllers begins that this crate plays; they are no part of
/// [`RequestLog::entries`].
pub(crate) const PLAYED_USER_AGENT: &str = "kommodore-control-plane";

/// So many requests are remembered; the oldest go first.
const REMEMBERED: usize = 100_000;

/// So many different users, `User-Agent`s and `Content-Type`s are kept once for all requests.
const WORDS: usize = 1_000;

/// Who shows a token, in the extensions of a request.
#[derive(Clone, Debug)]
pub(crate) struct Who(pub(crate) String);

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
    records: VecDeque<Noted>,
    words: BTreeSet<Arc<str>>,
}

/// What is remembered of a request. There are many, so that what follows from the rest is left out.
#[derive(Debug)]
struct Noted {
    number: u64,
    project: Option<Box<str>>,
    method: Method,
    path: Box<str>,
    query: Box<str>,
    verb: Verb,
    is_played: bool,
    is_open: bool,
    user: Option<Arc<str>>,
    user_agent: Option<Arc<str>>,
    content_type: Option<Arc<str>>,
    status: Option<StatusCode>,
    resource_version: Option<Box<str>>,
}

impl Noted {
    fn record(&self) -> RequestRecord {
        RequestRecord {
            number: self.number,
            project: self.project.as_deref().map(String::from),
            method: self.method.clone(),
            path: self.path.to_string(),
            query: self.query.to_string(),
            verb: self.verb,
            resource: ResourcePath::of_sent(&self.path),
            user: self.user.as_deref().map(String::from),
            user_agent: self.user_agent.as_deref().map(String::from),
            content_type: self.content_type.as_deref().map(String::from),
            status: self.status,
            resource_version: self.resource_version.as_deref().map(String::from),
            open: self.is_open,
        }
    }
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
        self.select(|record| record.number >= mark.0 && !record.is_played)
    }

    /// Those after `mark` that write.
    pub fn writes(&self, mark: Mark) -> Vec<RequestRecord> {
        self.select(|record| record.number >= mark.0 && !record.is_played && !record.verb.reads())
    }

    /// Those after `mark` that read.
    pub fn reads(&self, mark: Mark) -> Vec<RequestRecord> {
        self.select(|record| record.number >= mark.0 && !record.is_played && record.verb.reads())
    }

    /// The watches that are open now.
    pub fn open_watches(&self) -> Vec<RequestRecord> {
        self.select(|record| record.is_open && record.verb == Verb::Watch && !record.is_played)
    }

    /// Those of the controllers that this crate plays.
    pub fn played(&self) -> Vec<RequestRecord> {
        self.select(|record| record.is_played)
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
        let resource = ResourcePath::of_sent(uri.path());
        let query = uri.query().unwrap_or_default();
        let verb = Verb::of(&request.method, uri.path(), query, resource.as_ref());
        let header = |name: HeaderName| request.headers.get(name)?.to_str().ok();
        let user = request.extensions.get::<Who>();
        let user_agent = header(USER_AGENT);
        let played = user_agent.is_some_and(is_played);
        let mut inner = self.lock();
        let number = inner.next;
        inner.next += 1;
        let noted = Noted {
            number,
            project: project.map(Box::from),
            method: request.method.clone(),
            path: uri.path().into(),
            query: query.into(),
            verb,
            is_played: played,
            is_open: true,
            user: inner.word(user.map(|Who(user)| user.as_str())),
            user_agent: inner.word(user_agent),
            content_type: inner.word(header(CONTENT_TYPE)),
            status: None,
            resource_version: None,
        };
        inner.push(noted);
        Begun {
            number,
            verb,
            resource,
            played,
        }
    }

    pub(crate) fn answered(&self, number: u64, status: StatusCode) {
        self.change(number, |record| record.status = Some(status));
    }

    pub(crate) fn told(&self, number: u64, version: String) {
        self.change(number, |record| {
            record.resource_version = Some(version.into())
        });
    }

    pub(crate) fn ended(&self, number: u64) {
        self.change(number, |record| record.is_open = false);
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Noted)) {
        let mut inner = self.lock();
        if let Ok(at) = inner
            .records
            .binary_search_by_key(&number, |record| record.number)
        {
            change(&mut inner.records[at]);
        }
    }

    fn select(&self, wanted: impl Fn(&Noted) -> bool) -> Vec<RequestRecord> {
        self.lock()
            .records
            .iter()
            .filter(|record| wanted(record))
            .map(Noted::record)
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn push(&mut self, noted: Noted) {
        if self.records.len() == REMEMBERED {
            self.records.pop_front();
        } else if self.records.len() == self.records.capacity() {
            // Twice as much as ever, but no more than will be used.
            let more = self.records.len().max(64);
            let more = more.min(REMEMBERED - self.records.len());
            self.records.reserve_exact(more);
        }
        self.records.push_back(noted);
    }

    /// A text that many requests have, which is kept once.
    fn word(&mut self, text: Option<&str>) -> Option<Arc<str>> {
        let text = text?;
        if let Some(known) = self.words.get(text) {
            return Some(known.clone());
        }
        let word: Arc<str> = text.into();
        if self.words.len() < WORDS {
            self.words.insert(word.clone());
        }
        Some(word)
    }
}

/// Whether a request with this `User-Agent` comes from a controller that this crate plays.
fn is_played(user_agent: &str) -> bool {
    user_agent.starts_with(PLAYED_USER_AGENT)
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
