//! What goes wrong, with which requests, and how often.

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;

use super::faults::Asked;
use super::latency::Latency;
use super::paths::ResourcePath;
use super::record::Verb;

/// Something that goes wrong with some requests: all of them, unless it is said of which.
///
/// ```
/// use kommodore_control_plane::{Fault, Verb};
///
/// let busy = Fault::status(429).retry_after(1).in_project("red").verb(Verb::List).of("websites").times(2);
/// let slow = Fault::latency(std::time::Duration::from_millis(200)).at_root();
/// let unsaid = Fault::lost_answer().group("apps").of("deployments").subresource("status").namespace("shop");
/// ```
///
/// [`ControlPlane::inject`](crate::ControlPlane::inject) lets it happen. What the controllers do that this crate plays,
/// always goes well.
#[derive(Clone, Debug)]
#[must_use = "nothing goes wrong before it is injected"]
pub struct Fault {
    pub(super) what: What,
    project: Option<Option<String>>,
    verbs: Vec<Verb>,
    group: Option<String>,
    plural: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    subresource: Option<String>,
    pub(super) times: Option<usize>,
}

/// What happens to a request.
#[derive(Clone, Debug)]
pub(super) enum What {
    Late(Latency),
    Refused {
        code: StatusCode,
        message: Option<String>,
        retry_after: Option<u32>,
    },
    /// The connection ends, and nothing was done.
    Reset,
    Silent,
    /// It was done, and the connection ends before the answer.
    AnswerLost,
    /// It is answered as if what happened lately had not.
    Stale(Staleness),
    /// The first read of a kind in a project is answered 429.
    Initializing,
    /// Nothing comes through, and no connection ends.
    Partitioned,
    WatchDropped,
    WatchHung,
    WatchExpired,
    WithoutBookmarks,
    /// Each bookmark comes after the event that should come after it.
    BookmarksLate,
    /// No connection comes to be.
    PortClosed,
    /// The server shows a certificate of yesterday.
    CertificateExpired,
}

impl What {
    /// Whether it happens to what is told by a watch that is open, and not to a request.
    pub(super) fn is_of_watches(&self) -> bool {
        matches!(
            self,
            Self::WatchDropped
                | Self::WatchHung
                | Self::WatchExpired
                | Self::WithoutBookmarks
                | Self::BookmarksLate
        )
    }

    /// Whether a request to which this happens comes to nothing else.
    pub(super) fn ends_the_request(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. } | Self::Reset | Self::PortClosed | Self::Silent
        )
    }

    /// Whether it happens to a request when it comes, and is over with that.
    pub(super) fn is_of_requests(&self) -> bool {
        !self.is_of_watches() && !matches!(self, Self::Partitioned | Self::CertificateExpired)
    }
}

/// How old the answer to a read is.
#[derive(Clone, Debug)]
pub(crate) enum Staleness {
    /// By so many revisions.
    By(u64),
    /// Of that moment.
    Since(Moment),
}

impl Staleness {
    /// The revision that counts as the newest of a control plane.
    pub(crate) fn newest(&self, project: Option<&str>, newest: u64) -> u64 {
        let old = match self {
            Self::By(revisions) => newest.saturating_sub(*revisions),
            Self::Since(moment) => {
                let known = moment.0.iter().find(|(name, _)| name.as_deref() == project);
                known.map_or(1, |(_, revision)| *revision)
            }
        };
        old.clamp(1, newest.max(1))
    }
}

/// What was newest in every control plane when [`ControlPlane::moment`](crate::ControlPlane::moment) was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment(pub(crate) BTreeMap<Option<String>, u64>);

impl Fault {
    fn new(what: What) -> Self {
        Self {
            what,
            project: None,
            verbs: Vec::new(),
            group: None,
            plural: None,
            namespace: None,
            name: None,
            subresource: None,
            times: None,
        }
    }

    /// Answers come later by so much.
    pub fn latency(delay: Duration) -> Self {
        Self::new(What::Late(Latency::fixed(delay)))
    }

    /// Answers come later, each by something from `least` to `most`.
    pub fn latency_between(least: Duration, most: Duration) -> Self {
        Self::new(What::Late(Latency::between(least, most)))
    }

    /// Answers come later as these quantiles say, and evenly between one and the next.
    ///
    /// ```
    /// use std::time::Duration;
    /// use kommodore_control_plane::Fault;
    ///
    /// // Half of the answers within 20 ms, 99 of 100 within 300 ms, and all within 2 s.
    /// let quantiles = [(0.5, 20), (0.99, 300), (1.0, 2_000)];
    /// let slow = Fault::latency_quantiles(quantiles.map(|(share, ms)| (share, Duration::from_millis(ms))));
    /// ```
    pub fn latency_quantiles(quantiles: impl IntoIterator<Item = (f64, Duration)>) -> Self {
        Self::new(What::Late(Latency::quantiles(quantiles)))
    }

    /// Requests are answered with this code and a `Status` of its reason, and not done: 409, 429, 500 and 503 are what
    /// a server in trouble says. A number that is no code of an error counts as 500.
    pub fn status(code: u16) -> Self {
        let code = StatusCode::from_u16(code)
            .ok()
            .filter(|code| code.is_client_error() || code.is_server_error());
        Self::new(What::Refused {
            code: code.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            message: None,
            retry_after: None,
        })
    }

    /// The first list or watch of each kind in each project is answered 429 `storage is (re)initializing` with
    /// `Retry-After: 1`, as Milo does while it sets up the kind's storage; once more whenever it is injected anew.
    pub fn storage_initializes() -> Self {
        Self::new(What::Initializing)
    }

    /// The port is closed while this lasts: whoever connects is refused, and what is open ends. It is that of the root,
    /// with all projects, and the projects' own addresses; [`at_root`](Self::at_root) and
    /// [`in_project`](Self::in_project) choose. A port that is closed stays so until this is over, however often it was to
    /// happen. Of requests of one verb, kind or name those are reset, and the port stays open. Without a socket each
    /// request fails as a refused connection does.
    pub fn refused_connection() -> Self {
        Self::new(What::PortClosed)
    }

    /// The request is reset without an answer, and nothing is done. HTTP/1.1 knows that as the end of the connection; with
    /// HTTP/2 the others on it go on, which [`refused_connection`](Self::refused_connection) ends.
    pub fn reset() -> Self {
        Self::new(What::Reset)
    }

    /// Requests are accepted and never answered, and nothing is done.
    pub fn silence() -> Self {
        Self::new(What::Silent)
    }

    /// Nothing comes through and no connection ends: requests wait, what was done is not answered, and streams that are
    /// open say nothing. When it is over, all of that goes on where it was.
    pub fn partition() -> Self {
        Self::new(What::Partitioned)
    }

    /// What was asked for is done, and the connection ends without an answer.
    pub fn lost_answer() -> Self {
        Self::new(What::AnswerLost)
    }

    /// Gets, lists, and what a watch begins with, are as of so many revisions ago (or of the oldest that is known), as
    /// a replica answers that lags behind: objects and lists have the resourceVersions of then, and who asks for a newer
    /// one is told 504. What a watch tells after that is what really happened since.
    pub fn stale_by(revisions: u64) -> Self {
        Self::new(What::Stale(Staleness::By(revisions)))
    }

    /// The same as of a [moment](crate::ControlPlane::moment). What was not there then, is not there.
    pub fn stale_since(moment: &Moment) -> Self {
        Self::new(What::Stale(Staleness::Since(moment.clone())))
    }

    /// Watches, also those that are open, end as a broken connection does.
    pub fn dropped_watch() -> Self {
        Self::new(What::WatchDropped)
    }

    /// Watches, also those that are open, say nothing more, though they do not end; afterwards they go on where they
    /// were.
    pub fn hung_watch() -> Self {
        Self::new(What::WatchHung)
    }

    /// Watches, also those that are open, end with the error that their history is gone, code 410.
    pub fn expired_watch() -> Self {
        Self::new(What::WatchExpired)
    }

    /// Watches, also those that are open, tell no bookmarks.
    pub fn without_bookmarks() -> Self {
        Self::new(What::WithoutBookmarks)
    }

    /// Watches, also those that are open, tell each bookmark only after the next event, which is newer. That at the end of
    /// a streamed list comes in its place.
    pub fn late_bookmarks() -> Self {
        Self::new(What::BookmarksLate)
    }

    /// The server shows a certificate that is no longer valid: whoever connects fails in the handshake, and connections
    /// that are open go on. When it is over, the certificate is a valid one. It counts connections, and as
    /// [`refused_connection`](Self::refused_connection) it is of ports.
    pub fn expired_certificate() -> Self {
        Self::new(What::CertificateExpired)
    }

    /// Says in `Retry-After` after how many seconds the client is to ask again; of [`status`](Self::status) alone.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        if let What::Refused { retry_after, .. } = &mut self.what {
            *retry_after = Some(seconds);
        }
        self
    }

    /// The message of a [`status`](Self::status).
    pub fn message(mut self, text: impl Into<String>) -> Self {
        if let What::Refused { message, .. } = &mut self.what {
            *message = Some(text.into());
        }
        self
    }

    /// Only in the control plane of a project.
    pub fn in_project(mut self, name: impl Into<String>) -> Self {
        self.project = Some(Some(name.into()));
        self
    }

    /// Only in the root.
    pub fn at_root(mut self) -> Self {
        self.project = Some(None);
        self
    }

    /// Only requests of this verb; said more than once, of any of them.
    pub fn verb(mut self, verb: Verb) -> Self {
        self.verbs.push(verb);
        self
    }

    /// Only requests for the resource that is called so, by its plural.
    pub fn of(mut self, plural: impl Into<String>) -> Self {
        self.plural = Some(plural.into());
        self
    }

    /// Only requests for resources of this group; the core group is `""`.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Only requests whose path is in this namespace. Those for the namespace itself are not: they are
    /// `of("namespaces")`.
    pub fn namespace(mut self, name: impl Into<String>) -> Self {
        self.namespace = Some(name.into());
        self
    }

    /// Only requests for this subresource, `"status"` or `"scale"`; `""` is the object itself.
    pub fn subresource(mut self, name: impl Into<String>) -> Self {
        self.subresource = Some(name.into());
        self
    }

    /// Only requests for objects of this name. That of a new object is read off the request's body, and that of a list or
    /// a watch of one object off its field selector.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// So many times, and then no more.
    pub fn times(mut self, count: usize) -> Self {
        self.times = Some(count);
        self
    }

    pub(super) fn has_name(&self) -> bool {
        self.name.is_some()
    }

    pub(super) fn fits(&self, asked: &Asked) -> bool {
        let resource = asked.resource.as_ref();
        // What is said of a resource is said of no request that is for none.
        let says = |wanted: &Option<String>, is: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| is == Some(wanted))
        };
        let subresource = |path: &ResourcePath| path.subresource.clone().unwrap_or_default();
        let namespace = resource.and_then(|path| path.namespace.as_deref());
        self.times != Some(0)
            && self
                .project
                .as_ref()
                .is_none_or(|project| *project == asked.project)
            && (self.verbs.is_empty() || self.verbs.contains(&asked.verb))
            && says(&self.group, resource.map(|path| &*path.group))
            && says(&self.plural, resource.map(|path| &*path.resource))
            && says(&self.namespace, namespace)
            && says(&self.name, asked.name.as_deref())
            && says(&self.subresource, resource.map(subresource).as_deref())
    }
}
