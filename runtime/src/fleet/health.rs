//! What is said of a cluster that is in trouble: once, and once more when it is over.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use http::Uri;
use kube::api::ApiResource;

use super::ClusterName;
use crate::controller::ObjectKey;
use crate::transport::Failure;
use crate::watch::{Report, Verb};

const HTTP_NOT_FOUND: u16 = 404;

/// The trouble of one cluster: by kind what failed and with which HTTP status, and nothing under no kind where
/// there is no answer.
pub(crate) struct Health {
    cluster: ClusterName,
    server: Uri,
    trouble: Mutex<BTreeMap<String, Option<(Verb, u16)>>>,
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
    fn failed(&self, kind: &ApiResource, verb: Verb, failure: &Failure) {
        // Without an answer it is the cluster that is in trouble, and not one of its kinds; and the
        // same trouble comes in many words.
        let class = failure.code().map(|code| (verb, code));
        let what = match class {
            Some(_) => format!("{}/{}", kind.api_version, kind.plural),
            None => String::new(),
        };
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

    fn misfit(&self, kind: &ApiResource, object: &ObjectKey, error: &str) {
        tracing::error!(
            cluster = %self.cluster, kind = %kind.kind, %object, error,
            "an object does not fit its type and is left out, until it does"
        );
    }

    fn works(&self, kind: &ApiResource) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let of_kind = trouble.remove(&format!("{}/{}", kind.api_version, kind.plural));
        let of_cluster = trouble.remove("");
        if of_kind.or(of_cluster).is_some() {
            tracing::info!(cluster = %self.cluster, server = %self.server, kind = %kind.kind, "watching again");
        }
    }
}
