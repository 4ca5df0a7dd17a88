//! Sends the events of one controller in one cluster. Nobody waits for them, and they never fail a reconcile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::ApiResource;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::allowance::Allowance;
use super::event::{Event, LONGEST_WORD, cut};
use super::remote::Remote;
use super::scope::Owner;
use crate::controller::ObjectKey;
use crate::fleet::Cluster;
use crate::transport::{self, Failure, random_bits};

/// Where events about cluster-scoped objects are: the API takes no other namespace for them but `kube-system`.
const OF_CLUSTER_SCOPED: &str = "default";
/// The same about the same object is the same event, until it has not come for so long. As in client-go:
/// <https://github.com/kubernetes/client-go/blob/master/tools/events/event_broadcaster.go>
const SERIES: Duration = Duration::from_secs(6 * 60);
/// How often the count of a series is written at most; the first repetition is written at once.
const INTERVAL: Duration = Duration::from_secs(30);
/// How many events are sent at once.
const AT_ONCE: usize = 4;
/// How many series there are at most: the oldest that rest make room, and while all of them are on their way to a
/// server that does not take them, new ones are dropped.
const REMEMBERED: usize = 1024;
/// Why an event is dropped.
const SLOW: &str = "the server does not take the events as fast as they come";
const SPAM: &str = "there are too many different events about one object";
const HTTP_NOT_FOUND: u16 = 404;

/// Who reports, of several replicas: the host, which in a cluster is the pod.
static INSTANCE: LazyLock<String> = LazyLock::new(|| {
    let mut host = gethostname::gethostname().to_string_lossy().into_owned();
    cut(&mut host, LONGEST_WORD);
    match host.is_empty() {
        true => "unknown".into(),
        false => host,
    }
});

/// Sends events, from wherever a reconcile is.
pub(crate) struct Recorder {
    cluster: Cluster,
    controller: String,
    /// What may be on its way at once: a server that does not answer is not asked more and more.
    places: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    series: BTreeMap<Same, Series>,
    allowance: Allowance,
    /// What has been said of failures: by the verb, and the HTTP status.
    said: BTreeSet<(&'static str, Option<u16>)>,
    /// Why events are dropped, of what has been said.
    refused: BTreeSet<&'static str>,
}

/// What two events that are one have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Same {
    uid: String,
    warns: bool,
    reason: String,
    action: String,
}

struct Series {
    event: Remote,
    count: u32,
    last: Timestamp,
    /// When it came last, for its end.
    seen: Instant,
    /// How much of the count the server knows, and since when.
    written: Option<(u32, Instant)>,
    /// A task sends it.
    busy: bool,
}

/// What is to be sent next.
enum Next {
    Create(Remote, Timestamp),
    Count(Remote, u32, Timestamp),
    Wait(Instant),
}

impl Recorder {
    pub(crate) fn new(cluster: Cluster, controller: &str) -> Arc<Self> {
        Arc::new(Self {
            cluster,
            controller: reporter(controller),
            places: Semaphore::new(AT_ONCE),
            state: Mutex::default(),
        })
    }

    /// Sends an event about `regarding`, or counts it where the same was sent a short while ago.
    pub(crate) fn record(self: &Arc<Self>, regarding: &Owner, event: Event) {
        let same = Same {
            uid: regarding.uid.clone(),
            warns: event.warns,
            reason: event.reason.clone(),
            action: event.action.clone(),
        };
        let (now, last) = (Instant::now(), transport::now());
        let mut state = self.lock();
        state.forget_before(now);
        if let Some(why) = state.refusal(&same, now) {
            let first = state.refused.insert(why);
            drop(state);
            if first {
                tracing::warn!(
                    cluster = %self.cluster.name(), controller = self.controller,
                    "{why}; new ones are dropped as long as that is so"
                );
            }
            return;
        }
        let series = state.series.entry(same.clone()).or_insert_with(|| Series {
            event: self.place(&regarding.key),
            count: 0,
            last,
            seen: now,
            written: None,
            busy: false,
        });
        series.count = series.count.saturating_add(1);
        (series.last, series.seen) = (last, now);
        if std::mem::replace(&mut series.busy, true) {
            return;
        }
        drop(state);
        let (this, regarding) = (Arc::clone(self), regarding.clone());
        self.cluster
            .spawn(async move { this.send(&same, &regarding, &event).await });
    }

    /// Sends what there is of a series, until there is no more.
    async fn send(&self, same: &Same, regarding: &Owner, event: &Event) {
        while let Some(next) = self.next(same) {
            let sent = match next {
                Next::Wait(until) => {
                    // What is left is written at the end, too.
                    tokio::select! {
                        biased;
                        () = self.cluster.stopped() => {}
                        () = tokio::time::sleep_until(until) => continue,
                    }
                    match self.rest(same) {
                        Some((remote, count, last)) => self.count(&remote, count, last).await,
                        None => return,
                    }
                }
                Next::Create(remote, first) => {
                    let object = self.object(&remote, regarding, event, first);
                    let _place = self.places.acquire().await;
                    self.sent("create", same, 1, remote.create(&object).await)
                }
                Next::Count(remote, count, last) => {
                    let answer = self.count_of(&remote, count, last).await;
                    self.sent("patch", same, count, answer)
                }
            };
            if !sent {
                return;
            }
        }
    }

    async fn count(&self, remote: &Remote, count: u32, last: Timestamp) -> bool {
        if let Err(failure) = self.count_of(remote, count, last).await {
            self.complain("patch", &failure);
        }
        false
    }

    async fn count_of(
        &self,
        remote: &Remote,
        count: u32,
        last: Timestamp,
    ) -> Result<Value, Failure> {
        let _place = self.places.acquire().await;
        let series = json!({"series": {"count": count, "lastObservedTime": MicroTime(last)}});
        remote.merge(&series, &self.controller).await
    }

    /// What is to be done now; `None` when everything is, and then the series rests.
    fn next(&self, same: &Same) -> Option<Next> {
        let mut state = self.lock();
        let series = state.series.get_mut(same)?;
        let event = || series.event.clone();
        match series.written {
            None => Some(Next::Create(event(), series.last)),
            Some((count, _)) if count == series.count => {
                series.busy = false;
                None
            }
            Some((1, _)) => Some(Next::Count(event(), series.count, series.last)),
            Some((_, at)) if at + INTERVAL > Instant::now() => Some(Next::Wait(at + INTERVAL)),
            Some(_) => Some(Next::Count(event(), series.count, series.last)),
        }
    }

    /// What the server does not know yet of a series.
    fn rest(&self, same: &Same) -> Option<(Remote, u32, Timestamp)> {
        let state = self.lock();
        let series = state.series.get(same)?;
        Some((series.event.clone(), series.count, series.last))
    }

    /// Takes in an answer; false when the series is to end with it.
    fn sent(
        &self,
        verb: &'static str,
        same: &Same,
        count: u32,
        answer: Result<Value, Failure>,
    ) -> bool {
        let failure = match answer {
            Ok(_) => {
                let mut state = self.lock();
                if let Some(series) = state.series.get_mut(same) {
                    series.written = Some((count, Instant::now()));
                }
                return true;
            }
            Err(failure) => failure,
        };
        // The next of its kind begins anew: an event lives for an hour, or its namespace may have come.
        self.lock().series.remove(same);
        let expired = verb == "patch" && failure.code() == Some(HTTP_NOT_FOUND);
        if !expired {
            self.complain(verb, &failure);
        }
        false
    }

    /// Says once what is wrong.
    fn complain(&self, verb: &'static str, failure: &Failure) {
        if self.lock().said.insert((verb, failure.code())) {
            tracing::warn!(
                cluster = %self.cluster.name(), controller = self.controller, error = %failure,
                "cannot {verb} events; they are dropped as long as that is so"
            );
        }
    }

    /// Where a new event about an object is to be.
    fn place(&self, regarding: &ObjectKey) -> Remote {
        let namespace = regarding.namespace.as_deref();
        let name = subdomain(&regarding.name);
        let dot = if name.is_empty() { "" } else { "." };
        let name = format!("{name}{dot}{:016x}", random_bits());
        let kind = ApiResource {
            group: "events.k8s.io".into(),
            version: "v1".into(),
            api_version: "events.k8s.io/v1".into(),
            kind: "Event".into(),
            plural: "events".into(),
        };
        let key = ObjectKey::namespaced(namespace.unwrap_or(OF_CLUSTER_SCOPED), name);
        Remote::new(&self.cluster, &kind, key)
    }

    fn object(&self, remote: &Remote, regarding: &Owner, event: &Event, time: Timestamp) -> Value {
        json!({
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": remote.key().name, "namespace": remote.key().namespace},
            "eventTime": MicroTime(time),
            "type": if event.warns { "Warning" } else { "Normal" },
            "reason": event.reason,
            "action": event.action,
            "note": event.note,
            "reportingController": self.controller,
            "reportingInstance": *INSTANCE,
            "regarding": {
                "apiVersion": regarding.kind.api_version,
                "kind": regarding.kind.kind,
                "name": regarding.key.name,
                "namespace": regarding.key.namespace,
                "uid": regarding.uid,
            },
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a controller as the API takes it for a reporter: a qualified name, whose last part has at most 63
/// characters. What is none is made into one.
fn reporter(controller: &str) -> String {
    let (domain, name) = controller.rsplit_once('/').unwrap_or(("", controller));
    let mut name = name.to_owned();
    cut(&mut name, 63);
    let ends = |c: char| !c.is_ascii_alphanumeric();
    let name = name.trim_matches(ends);
    let domain = domain.to_lowercase().replace(['/', '_'], ".");
    match subdomain(&domain) {
        _ if name.is_empty() => "kommodore".into(),
        domain if domain.is_empty() => name.into(),
        domain => format!("{domain}/{name}"),
    }
}

/// What of a name can be the beginning of a DNS subdomain: the names of some kinds, such as those of RBAC, are less
/// strict.
fn subdomain(name: &str) -> String {
    let good = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9' | '.') => c,
        _ => '-',
    };
    let mut name: String = name.chars().map(good).collect();
    // A name has at most 253 characters, and there is more to come.
    cut(&mut name, 253 - 64);
    let labels = name.split('.').map(|label| label.trim_matches('-'));
    let labels: Vec<&str> = labels.filter(|label| !label.is_empty()).collect();
    labels.join(".")
}

impl State {
    /// Forgets the series that have ended.
    fn forget_before(&mut self, now: Instant) {
        self.series
            .retain(|_, series| series.busy || series.seen + SERIES > now);
    }

    /// Why an event is not sent, if so. What is counted only is always taken.
    fn refusal(&mut self, same: &Same, now: Instant) -> Option<&'static str> {
        if self.series.contains_key(same) {
            return None;
        }
        if !self.allowance.take(&same.uid, now) {
            return Some(SPAM);
        }
        if !self.make_room() {
            return Some(SLOW);
        }
        self.refused.remove(SLOW);
        None
    }

    /// Makes room for one more series; false when there is none.
    fn make_room(&mut self) -> bool {
        while self.series.len() >= REMEMBERED {
            let idle = self.series.iter().filter(|(_, series)| !series.busy);
            let oldest = idle.min_by_key(|(_, series)| series.seen);
            let Some(oldest) = oldest.map(|(same, _)| same.clone()) else {
                return false;
            };
            self.series.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::ClusterName;
    use crate::watch::{Common, Kept};

    #[test]
    fn reporters_are_qualified_names() {
        let long = format!("{}-x", "w".repeat(62));
        for (controller, expected) in [
            ("websites", "websites"),
            ("demo.kommodore.dev/sites", "demo.kommodore.dev/sites"),
            ("Example.org/Greeter", "example.org/Greeter"),
            ("a/b/c", "a.b/c"),
            (long.as_str(), &"w".repeat(62)),
        ] {
            assert_eq!(reporter(controller), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_never_too_many_series_and_there_is_room_again_when_some_rest() {
        let config = kube::Config::new("http://127.0.0.1:9".parse().unwrap());
        let client = kube::Client::try_from(config).unwrap();
        let common = Arc::new(Common::new(1, Kept::default()));
        let line = client.clone().into();
        let cluster = Cluster::new(ClusterName::LOCAL, client.into(), line, &common);
        let event = Remote::new(
            &cluster,
            &ApiResource::erase::<k8s_openapi::api::events::v1::Event>(&()),
            "x".into(),
        );
        let now = Instant::now();
        let mut state = State::default();
        let same = |number: usize| Same {
            uid: number.to_string(),
            warns: false,
            reason: String::new(),
            action: String::new(),
        };
        for number in 0..REMEMBERED {
            assert!(state.make_room());
            let series = Series {
                event: event.clone(),
                count: 1,
                last: Timestamp::UNIX_EPOCH,
                seen: now + Duration::from_millis(number as u64),
                written: None,
                busy: true,
            };
            state.series.insert(same(number), series);
        }
        assert!(!state.make_room(), "all are on their way");
        for number in [7, 9] {
            state.series.get_mut(&same(number)).unwrap().busy = false;
        }
        assert!(state.make_room());
        assert!(!state.series.contains_key(&same(7)), "the oldest");
        assert!(state.series.contains_key(&same(9)));
    }

    #[test]
    fn the_names_of_events_are_subdomains() {
        assert_eq!(subdomain("system:Zone.a"), "system-zone.a");
        assert_eq!(subdomain(":a.-b-..c"), "a.b.c");
        assert_eq!(subdomain(":"), "");
    }
}
