//! The judge: it reads the request log, of which the server remembers the newest alone.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kommodore_control_plane::{Mark, RequestLog, RequestRecord, Verb};

use super::talk::Requests;

/// How often it looks.
const PERIOD: Duration = Duration::from_millis(50);
/// Nobody has asked for anything for so long: then all is done.
const QUIET: Duration = Duration::from_millis(1_500);

#[derive(Clone)]
pub(crate) struct Judge {
    log: RequestLog,
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    /// What is before it has been counted.
    until: Mark,
    /// When it looked last, and the number of the first request that was not there yet: what is older than that has been
    /// answered by now, if it ever is.
    looked: Mark,
    young: u64,
    /// The number of the first that has not been counted.
    next: u64,
    requests: Requests,
    /// Project and plural of each watch that was begun to be answered.
    watched: BTreeSet<(String, String)>,
    /// The numbers of watches that had no answer when they were counted, and from where on they are in the log.
    unanswered: BTreeSet<u64>,
    unanswered_since: Option<Mark>,
    /// Projects that are never answered: their watches do not count, and nobody waits until it is quiet there.
    ignored: BTreeSet<String>,
    newest: Instant,
}

impl Judge {
    pub(crate) fn start(log: RequestLog) -> Self {
        let seen = Seen {
            until: log.mark(),
            looked: log.mark(),
            young: 0,
            next: 0,
            requests: Requests::default(),
            watched: BTreeSet::new(),
            unanswered: BTreeSet::new(),
            unanswered_since: None,
            ignored: BTreeSet::new(),
            newest: Instant::now(),
        };
        let judge = Self {
            log,
            seen: Arc::new(Mutex::new(seen)),
        };
        let this = judge.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(PERIOD).await;
                this.read(false);
            }
        });
        judge
    }

    /// Counts what was there when it looked before, or all.
    fn read(&self, all: bool) {
        let mut seen = self.seen.lock().unwrap();
        let now = self.log.mark();
        if let Some(since) = seen.unanswered_since {
            seen.look_again(&self.log.since(since));
        }
        let records = self.log.since(seen.until);
        for record in &records {
            if record.number >= seen.next && (all || record.number < seen.young) {
                seen.next = record.number + 1;
                seen.count(record);
            }
        }
        if let Some(newest) = records.last() {
            seen.young = newest.number + 1;
        }
        seen.until = seen.looked;
        seen.looked = now;
    }

    pub(crate) fn begin(&self) {
        self.read(true);
        let mut seen = self.seen.lock().unwrap();
        seen.requests = Requests::default();
        seen.watched.clear();
        seen.unanswered.clear();
        seen.newest = Instant::now();
    }

    pub(crate) fn ignore(&self, projects: impl Iterator<Item = String>) {
        self.seen.lock().unwrap().ignored = projects.collect();
    }

    pub(crate) fn requests(&self) -> Requests {
        self.read(true);
        self.seen.lock().unwrap().requests.clone()
    }

    /// Waits until websites and pages are watched in so many projects; how many watches are missing.
    pub(crate) async fn engaged(&self, projects: usize, limit: Duration) -> usize {
        let deadline = Instant::now() + limit;
        loop {
            let missing = (2 * projects).saturating_sub(self.seen.lock().unwrap().watched.len());
            if missing == 0 || Instant::now() > deadline {
                return missing;
            }
            tokio::time::sleep(PERIOD / 5).await;
        }
    }

    /// For how long nobody has asked for anything, in seconds.
    pub(crate) fn quiet(&self) -> f64 {
        self.seen.lock().unwrap().newest.elapsed().as_secs_f64()
    }

    /// Waits until nobody asks for anything; whether that came.
    pub(crate) async fn settled(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            if self.seen.lock().unwrap().newest.elapsed() > QUIET {
                return true;
            }
            if Instant::now() > deadline {
                return false;
            }
            tokio::time::sleep(PERIOD).await;
        }
    }
}

impl Seen {
    fn count(&mut self, record: &RequestRecord) {
        let project = record.project.as_ref();
        let is_ignored = project.is_some_and(|project| self.ignored.contains(project));
        if !is_ignored {
            self.newest = Instant::now();
        }
        let verb = format!("{:?}", record.verb).to_lowercase();
        *self.requests.verbs.entry(verb).or_default() += 1;
        if record.verb.reads() {
            self.requests.reads += 1;
        } else {
            self.requests.writes += 1;
            let status = record.status;
            self.requests.refused += usize::from(status.is_some_and(|it| !it.is_success()));
        }
        if record.verb == Verb::Watch && !is_ignored {
            self.watch(record);
        }
    }

    /// A watch counts once it is answered: whatever it streams comes behind its status.
    fn watch(&mut self, record: &RequestRecord) {
        match (record.status, &record.project) {
            (None, _) => {
                self.unanswered.insert(record.number);
                self.unanswered_since.get_or_insert(self.until);
            }
            (Some(status), Some(project)) if status.is_success() => {
                let watch = (project.clone(), record.plural().to_owned());
                self.watched.insert(watch);
            }
            _ => {}
        }
    }

    fn look_again(&mut self, records: &[RequestRecord]) {
        for record in records {
            if record.status.is_some() && self.unanswered.remove(&record.number) {
                self.watch(record);
            }
        }
        if self.unanswered.is_empty() {
            self.unanswered_since = None;
        }
    }
}
