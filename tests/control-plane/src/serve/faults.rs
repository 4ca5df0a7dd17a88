//! What goes wrong, with which requests, and how often.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::watch;

use super::log::Verb;

/// Something that goes wrong with some requests: all of them, unless it is said of which.
///
/// ```
/// use kommodore_control_plane::{Fault, Verb};
///
/// let busy = Fault::status(429).retry_after(1).in_project("red").verb(Verb::List).of("websites").times(2);
/// let slow = Fault::latency(std::time::Duration::from_millis(200)).at_root();
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
    plural: Option<String>,
    name: Option<String>,
    times: Option<usize>,
}

/// What happens to a request.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// The answer takes longer, from the one to the other.
    Late(Duration, Duration),
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
    WatchDropped,
    WatchHung,
    WatchExpired,
    WithoutBookmarks,
}

impl What {
    /// Whether it happens to what is told by a watch that is open, and not to a request.
    pub(super) fn is_of_watches(&self) -> bool {
        matches!(
            self,
            Self::WatchDropped | Self::WatchHung | Self::WatchExpired | Self::WithoutBookmarks
        )
    }
}

impl Fault {
    fn new(what: What) -> Self {
        Self {
            what,
            project: None,
            verbs: Vec::new(),
            plural: None,
            name: None,
            times: None,
        }
    }

    /// Answers come later by so much.
    pub fn latency(delay: Duration) -> Self {
        Self::new(What::Late(delay, delay))
    }

    /// Answers come later, each by something from `least` to `most`.
    pub fn latency_between(least: Duration, most: Duration) -> Self {
        Self::new(What::Late(least, most.max(least)))
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

    /// The connection ends without an answer, and nothing is done.
    pub fn reset() -> Self {
        Self::new(What::Reset)
    }

    /// Requests are accepted and never answered, and nothing is done.
    pub fn silence() -> Self {
        Self::new(What::Silent)
    }

    /// What was asked for is done, and the connection ends without an answer.
    pub fn lost_answer() -> Self {
        Self::new(What::AnswerLost)
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

    /// Only requests for objects of this name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// So many times, and then no more.
    pub fn times(mut self, count: usize) -> Self {
        self.times = Some(count);
        self
    }

    fn fits(&self, asked: &Asked) -> bool {
        self.times != Some(0)
            && self
                .project
                .as_ref()
                .is_none_or(|project| *project == asked.project)
            && (self.verbs.is_empty() || self.verbs.contains(&asked.verb))
            && self
                .plural
                .as_ref()
                .is_none_or(|plural| Some(plural) == asked.plural.as_ref())
            && self
                .name
                .as_ref()
                .is_none_or(|name| Some(name) == asked.name.as_ref())
    }
}

/// A fault that is happening. It ends when this is dropped.
#[must_use = "the fault ends when this is dropped"]
#[derive(Debug)]
pub struct Injected {
    faults: Faults,
    id: u64,
}

impl Injected {
    /// How often it has happened.
    pub fn hits(&self) -> usize {
        let state = self.faults.lock();
        let active = state.active.iter().find(|active| active.id == self.id);
        active.map_or(0, |active| active.hits)
    }
}

impl Drop for Injected {
    fn drop(&mut self) {
        self.faults
            .change(|state| state.active.retain(|active| active.id != self.id));
    }
}

/// A request, as far as a fault needs to know it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) project: Option<String>,
    pub(super) verb: Verb,
    pub(super) plural: Option<String>,
    pub(super) name: Option<String>,
}

/// The faults of a server. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    state: Arc<Mutex<State>>,
    /// Counts the changes, for watches that are open.
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    active: Vec<Active>,
}

#[derive(Debug)]
struct Active {
    id: u64,
    fault: Fault,
    hits: usize,
}

impl Active {
    fn happens(&mut self) -> What {
        self.hits += 1;
        if let Some(times) = &mut self.fault.times {
            *times = times.saturating_sub(1);
        }
        self.fault.what.clone()
    }
}

impl Faults {
    pub(crate) fn inject(&self, fault: Fault) -> Injected {
        let id = self.change(|state| {
            state.next += 1;
            let id = state.next;
            state.active.push(Active { id, fault, hits: 0 });
            id
        });
        Injected {
            faults: self.clone(),
            id,
        }
    }

    /// What happens to a request, in the order in which it was injected.
    pub(super) fn of_request(&self, asked: &Asked) -> Vec<What> {
        let mut state = self.lock();
        let fitting = state
            .active
            .iter_mut()
            .filter(|active| !active.fault.what.is_of_watches() && active.fault.fits(asked));
        fitting.map(Active::happens).collect()
    }

    /// What happens to a watch that is open. Each counts once for a watch: `known` are those that did.
    pub(super) fn of_watch(&self, asked: &Asked, known: &mut BTreeSet<u64>) -> Vec<What> {
        let mut state = self.lock();
        let mut happening = Vec::new();
        for active in &mut state.active {
            if !active.fault.what.is_of_watches() {
                continue;
            }
            if known.contains(&active.id) {
                happening.push(active.fault.what.clone());
            } else if active.fault.fits(asked) {
                known.insert(active.id);
                happening.push(active.happens());
            }
        }
        happening
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changes.send_modify(|count| *count += 1);
        changed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
