//! What is said of a cluster that is in trouble: once, and once more when it is over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::ClusterName;
use crate::transport::{Failure, now};
use crate::watch::{Subject, Verb};

const HTTP_NOT_FOUND: u16 = 404;

/// The trouble of one cluster.
pub(super) struct Health(Mutex<Record>);

struct Record {
    /// Of each watch what failed and with which HTTP status, and under no watch that there is no answer.
    trouble: BTreeMap<Option<Arc<Subject>>, Trouble>,
    /// When the trouble began, or ended.
    since: Timestamp,
    last: Option<Box<str>>,
}

/// How a cluster fares.
pub(super) struct Condition {
    /// Whether something of it cannot be watched.
    pub(super) in_trouble: bool,
    /// Since when that is so.
    pub(super) since: Timestamp,
    /// What went wrong last, if ever something did.
    pub(super) last_error: Option<String>,
}

/// What failed, and with which HTTP status; `None` where there is no answer.
type Trouble = Option<(Verb, u16)>;

impl Health {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Record {
            trouble: BTreeMap::new(),
            since: now(),
            last: None,
        }))
    }

    /// Takes in that it is reached in another way, of which no trouble is known yet.
    pub(super) fn moved(&self) {
        let mut record = self.lock();
        if !std::mem::take(&mut record.trouble).is_empty() {
            record.since = now();
        }
    }

    /// Takes in what is said of it elsewhere.
    pub(super) fn note(&self, error: String) {
        self.lock().last = Some(error.into());
    }

    pub(super) fn condition(&self) -> Condition {
        let record = self.lock();
        Condition {
            in_trouble: !record.trouble.is_empty(),
            since: record.since,
            last_error: record.last.as_deref().map(str::to_owned),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in that a watch failed.
    pub(super) fn failed(
        &self,
        cluster: &ClusterName,
        server: impl FnOnce() -> String,
        subject: &Arc<Subject>,
        verb: Verb,
        failure: &Failure,
    ) {
        // Without an answer it is the cluster that is in trouble, and not one of its kinds; and the
        // same trouble comes in many words.
        let class = failure.code().map(|code| (verb, code));
        let what = class.map(|_| Arc::clone(subject));
        let Subject { kind, selector } = &**subject;
        let mut record = self.lock();
        if record.trouble.get(&what) == Some(&class) {
            return;
        }
        if record.trouble.is_empty() {
            record.since = now();
        }
        record.trouble.insert(what, class);
        let error = match (class, &selector.namespace) {
            (Some((_, HTTP_NOT_FOUND)), None) => format!(
                "the server has no kind {} in {}",
                kind.kind, kind.api_version
            ),
            (Some((_, HTTP_NOT_FOUND)), Some(_)) => format!(
                "the server has no kind {} in {} whose objects are in namespaces",
                kind.kind, kind.api_version
            ),
            _ => failure.to_string(),
        };
        record.last = Some(format!("watching {}: {error}", kind.plural).into());
        tracing::warn!(
            %cluster, server = server(), kind = %kind.kind, %error,
            "cannot watch; trying again until it works"
        );
    }

    /// Takes in that a watch works.
    pub(super) fn works(
        &self,
        cluster: &ClusterName,
        server: impl FnOnce() -> String,
        subject: &Arc<Subject>,
    ) {
        let mut record = self.lock();
        let of_watch = record.trouble.remove(&Some(Arc::clone(subject)));
        let of_cluster = record.trouble.remove(&None);
        if of_watch.or(of_cluster).is_some() {
            if record.trouble.is_empty() {
                record.since = now();
            }
            tracing::info!(
                %cluster, server = server(), kind = %subject.kind.kind,
                "watching again"
            );
        }
    }
}
