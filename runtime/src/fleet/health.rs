//! What is said of a cluster that is in trouble: once, and once more when it is over.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use http::Uri;
use kube::api::ApiResource;

use super::ClusterName;
use crate::controller::ObjectKey;
use crate::transport::Failure;
use crate::watch::Report;

const HTTP_NOT_FOUND: u16 = 404;

/// The trouble of one cluster, by kind.
pub(crate) struct Health {
    cluster: ClusterName,
    server: Uri,
    trouble: Mutex<BTreeMap<String, String>>,
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
    fn failed(&self, kind: &ApiResource, failure: &Failure) {
        let message = match failure.code() {
            Some(HTTP_NOT_FOUND) => format!(
                "the server has no kind {} in {}",
                kind.kind, kind.api_version
            ),
            _ => failure.to_string(),
        };
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.get(&key_of(kind)) != Some(&message) {
            tracing::warn!(
                cluster = %self.cluster, server = %self.server, kind = %kind.kind, error = %message,
                "cannot watch; trying again until it works"
            );
            trouble.insert(key_of(kind), message);
        }
    }

    fn misfit(&self, kind: &ApiResource, object: &ObjectKey, error: &str) {
        tracing::error!(
            cluster = %self.cluster, kind = %kind.kind, %object, error,
            "an object does not fit its type and is left out, until it does"
        );
    }

    fn works(&self, kind: &ApiResource) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.remove(&key_of(kind)).is_some() {
            tracing::info!(cluster = %self.cluster, server = %self.server, kind = %kind.kind, "watching again");
        }
    }
}

fn key_of(kind: &ApiResource) -> String {
    format!("{}/{}", kind.api_version, kind.plural)
}
