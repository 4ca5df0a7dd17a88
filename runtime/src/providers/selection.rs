//! What all providers have in common that find clusters in objects of the host cluster.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kube::api::ObjectMeta;

use super::follow::Patience;
use crate::watch::Selector;

/// How long a cluster may be not ready before it is disengaged.
const GRACE: Duration = Duration::from_secs(10);
/// How long a cluster that is being deleted stays engaged at most.
const CLEANUP_DEADLINE: Duration = Duration::from_secs(10 * 60);

type Name = dyn Fn(&ObjectMeta) -> String + Send + Sync;

/// Which objects stand for clusters, and how these are called.
#[derive(Clone)]
pub(super) struct Selection {
    pub(super) labels: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<Arc<Name>>,
    pub(super) patience: Patience,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            labels: None,
            namespace: None,
            name: None,
            patience: Patience {
                grace: GRACE,
                cleanup: CLEANUP_DEADLINE,
            },
        }
    }
}

impl Selection {
    pub(super) fn selector(&self) -> Selector {
        Selector {
            labels: self.labels.clone().map(Cow::Owned),
            namespace: self.namespace.clone().map(Cow::Owned),
            ..Selector::default()
        }
    }

    /// The name of the cluster that an object stands for.
    pub(super) fn name_of(&self, meta: &ObjectMeta) -> String {
        match &self.name {
            Some(name) => name(meta),
            None => meta.name.clone().unwrap_or_default(),
        }
    }
}

impl fmt::Debug for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selection")
            .field("labels", &self.labels)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

/// The methods by which all of them are told which objects they are to look at. They have a field `selection`.
macro_rules! selects {
    ($($more:ident),*) => {
        /// Only those that match this label selector (`"tier=gold,region in (eu, us)"`). It is applied by the server;
        /// the cluster of one that loses the label is disengaged.
        #[must_use]
        pub fn labels(mut self, selector: impl Into<String>) -> Self {
            self.selection.labels = Some(selector.into());
            self
        }

        $(selects!(@ $more);)*
    };
    (@ namespaced) => {
        /// Only those in this namespace.
        #[must_use]
        pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
            self.selection.namespace = Some(namespace.into());
            self
        }

        /// How the cluster of an object is called, by its metadata: as the object by default. Where objects of several
        /// namespaces have one name, the first keeps it, and the log has an error that names both.
        #[must_use]
        pub fn named(
            mut self,
            name: impl Fn(&kube::api::ObjectMeta) -> String + Send + Sync + 'static,
        ) -> Self {
            self.selection.name = Some(std::sync::Arc::new(name));
            self
        }
    };
    (@ grace) => {
        /// How long a cluster may be not ready before it is disengaged; 10 s by default.
        #[must_use]
        pub fn grace(mut self, grace: std::time::Duration) -> Self {
            self.selection.patience.grace = grace;
            self
        }
    };
    (@ deadline) => {
        /// How long a cluster that is being deleted stays engaged at most; 10 min by default.
        #[must_use]
        pub fn cleanup_deadline(mut self, deadline: std::time::Duration) -> Self {
            self.selection.patience.cleanup = deadline;
            self
        }
    };
}
pub(super) use selects;
