//! What is said of a cluster that is in trouble: once, and once more when it is over.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use http::Uri;

use super::ClusterName;
use crate::controller::ObjectKey;
use crate::transport::Failure;
use crate::watch::{Report, Selector, Subject, Verb};

const HTTP_NOT_FOUND: u16 = 404;

/// The trouble of one cluster: of each watch what failed and with which HTTP status, and under no watch that
/// there is no answer.
pub(crate) struct Health {
    cluster: ClusterName,
    server: Uri,
    trouble: Mutex<BTreeMap<Option<Watch>, Trouble>>,
}

/// What failed, and with which HTTP status; `None` where there is no answer.
type Trouble = Option<(Verb, u16)>;

/// The version and the plural of a kind, and which of its objects.
type Watch = (String, String, Selector);

fn watch(Subject { kind, selector }: &Subject) -> Watch {
    (
        kind.api_version.clone(),
        kind.plural.clone(),
        selector.clone(),
    )
}

impl Health {
    pub(crate) fn new(cluster: ClusterName, server: Uri) -> Self {
        Self {
            cluster,
            server,
            trouble: Mutex::default(),
        }
    }
}

impl Report for Health {
    fn failed(&self, subject: &Subject, verb: Verb, failure: &Failure) {
        // Without an answer it is the cluster that is in trouble, and not one of its kinds; and the
        // same trouble comes in many words.
        let class = failure.code().map(|code| (verb, code));
        let what = class.map(|_| watch(subject));
        let kind = &subject.kind;
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.insert(what, class) == Some(class) {
            return;
        }
        let error = match class {
            Some((_, HTTP_NOT_FOUND)) => format!(
                "the server has no kind {} in {}",
                kind.kind, kind.api_version
            ),
            _ => failure.to_string(),
        };
        tracing::warn!(
            cluster = %self.cluster, server = %self.server, kind = %kind.kind, %error,
            "cannot watch; trying again until it works"
        );
    }

    fn misfit(&self, subject: &Subject, object: &ObjectKey, error: &str) {
        tracing::error!(
            cluster = %self.cluster, kind = %subject.kind.kind, %object, error,
            "an object does not fit its type and is left out, until it does"
        );
    }

    fn works(&self, subject: &Subject) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let of_watch = trouble.remove(&Some(watch(subject)));
        let of_cluster = trouble.remove(&None);
        if of_watch.or(of_cluster).is_some() {
            tracing::info!(cluster = %self.cluster, server = %self.server, kind = %subject.kind.kind, "watching again");
        }
    }
}
