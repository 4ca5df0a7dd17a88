//! What is said of a cluster that is in trouble: once, and once more when it is over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::ClusterName;
use crate::transport::{Failure, now};
use crate::watch::{Subject, Verb};

const HTTP_NOT_FOUND: u16 = 404;
const HTTP_TOO_MANY_REQUESTS: u16 = 429;
const HTTP_INTERNAL_SERVER_ERROR: u16 = 500;

/// The trouble of one cluster.
pub(super) struct Health(Mutex<Record>);

struct Record {
    /// Of each watch what failed and with which HTTP status, and besides that there is no answer.
    trouble: BTreeMap<(IsSilent, Arc<Subject>), Trouble>,
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

/// Whether there is no answer.
type IsSilent = bool;

/// What failed, and with which HTTP status; `None` where there is no answer.
type Trouble = Option<(Verb, u16)>;

/// What stands for an HTTP status: a server in trouble, or what is before it, says that now with one and now with another.
fn class_of(code: u16) -> u16 {
    match code {
        HTTP_TOO_MANY_REQUESTS => HTTP_INTERNAL_SERVER_ERROR,
        code => code.min(HTTP_INTERNAL_SERVER_ERROR),
    }
}

impl Record {
    /// Whether one of the watches has no answer.
    fn is_silent(&self) -> bool {
        self.trouble.keys().any(|(is_silent, _)| *is_silent)
    }
}

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
        let class = failure.code().map(|code| (verb, class_of(code)));
        let what = (class.is_none(), Arc::clone(subject));
        let Subject { kind, selector } = &**subject;
        let mut record = self.lock();
        if record.trouble.get(&what) == Some(&class) {
            return;
        }
        if record.trouble.is_empty() {
            record.since = now();
        }
        let is_said = class.is_none() && record.is_silent();
        record.trouble.insert(what, class);
        if is_said {
            return;
        }
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
        let mut ended = |is_silent| {
            let ended = record.trouble.remove(&(is_silent, Arc::clone(subject)));
            ended.is_some()
        };
        let (was_refused, was_silent) = (ended(false), ended(true));
        if (was_refused || was_silent) && record.trouble.is_empty() {
            record.since = now();
        }
        // What was said of one watch for all that have no answer is over with the last of them.
        if was_refused || was_silent && !record.is_silent() {
            tracing::info!(
                %cluster, server = server(), kind = %subject.kind.kind,
                "watching again"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use k8s_openapi::api::core::v1::{ConfigMap, Secret};
    use kube::Resource;
    use kube::api::ApiResource;

    use super::*;
    use crate::watch::Selector;

    fn subject<K: Resource<DynamicType = ()>>() -> Arc<Subject> {
        Arc::new(Subject {
            kind: ApiResource::erase::<K>(&()),
            selector: Selector::default(),
        })
    }

    #[test]
    fn a_kind_that_gets_no_answer_is_in_trouble_though_another_works() {
        let (health, red) = (Health::new(), ClusterName::new("red").unwrap());
        let (pages, secrets) = (subject::<ConfigMap>(), subject::<Secret>());
        let server = || "https://red.example.com".to_owned();
        let fails = |subject| {
            let failure = Failure::Deadline(Duration::from_secs(30));
            health.failed(&red, server, subject, Verb::Watch, &failure);
        };
        let works = |subject| health.works(&red, server, subject);
        fails(&pages);
        works(&secrets);
        assert!(health.condition().in_trouble, "nothing answers for pages");
        fails(&secrets);
        works(&pages);
        assert!(health.condition().in_trouble);
        works(&secrets);
        assert!(!health.condition().in_trouble);
    }
}
