//! How the clusters of a fleet are, for who looks at them.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use jiff::Timestamp;

use super::{Cluster, ClusterName, Fleet, Reason, Shared};
use crate::transport::now;

/// Where a cluster stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum State {
    /// A provider has named it, and nothing has been tried yet: it is not ready, or comes and goes so often that it has to
    /// wait.
    Discovered,
    /// The watches are being filled, and none has been yet.
    Connecting,
    /// Every watched kind has been listed, and can be watched.
    Engaged,
    /// A part of it cannot be watched, or all of it cannot any more. What there is goes on, and the rest is tried again.
    Degraded,
    /// The watches have been stopped, and running reconciles may finish.
    Disengaging,
    /// It has been left. Of those that were, a while is told.
    Gone,
}

/// How one cluster is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterStatus {
    /// Its name.
    pub name: ClusterName,
    /// The provider that has named it.
    pub provider: String,
    /// Where it stands.
    pub state: State,
    /// Since when it stands there.
    pub since: Timestamp,
    /// What went wrong last, and may be over: why it is [`Degraded`](State::Degraded), if it is.
    pub last_error: Option<String>,
    /// Why it has been left.
    pub left: Option<Reason>,
    /// How many kinds and selections of objects are watched there.
    pub watches: usize,
    /// How many objects wait to be reconciled or are being, of all controllers.
    pub keys: usize,
}

impl ClusterStatus {
    /// Of one that nothing is done about.
    pub(super) fn idle(name: &ClusterName, provider: &str, state: State, since: Timestamp) -> Self {
        Self {
            name: name.clone(),
            provider: provider.to_owned(),
            state,
            since,
            last_error: None,
            left: None,
            watches: 0,
            keys: 0,
        }
    }
}

/// How the clusters of a manager are, while it runs: see [`Builder::fleet`](crate::Builder::fleet). Cheap to clone.
#[derive(Clone, Default)]
pub struct Status(Arc<OnceLock<Weak<Shared>>>);

impl Status {
    /// Every cluster by name, also those that have gone in the last minutes. None before the manager works, as while
    /// another replica leads, and none after its end.
    pub fn clusters(&self) -> Vec<ClusterStatus> {
        let fleet = self.0.get().and_then(Weak::upgrade);
        fleet.map_or_else(Vec::new, |fleet| fleet.status())
    }

    /// One cluster.
    pub fn cluster(&self, name: &str) -> Option<ClusterStatus> {
        let mut clusters = self.clusters().into_iter();
        clusters.find(|cluster| cluster.name.as_str() == name)
    }

    /// From now on it is about this fleet.
    pub(crate) fn begin(&self, fleet: &Fleet) {
        // A manager runs once.
        let _ = self.0.set(Arc::downgrade(&fleet.shared));
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clusters()).finish()
    }
}

/// Where the work on a cluster stands.
pub(super) struct Standing {
    stage: State,
    since: Timestamp,
    cluster: Option<Cluster>,
    /// Why it cannot even be tried.
    error: Option<String>,
}

impl Standing {
    pub(super) fn new() -> Self {
        Self::at(State::Discovered, None)
    }

    pub(super) fn at(stage: State, cluster: Option<Cluster>) -> Self {
        Self {
            stage,
            since: now(),
            cluster,
            error: None,
        }
    }

    pub(super) fn failed(stage: State, error: String) -> Self {
        Self {
            error: Some(error),
            ..Self::at(stage, None)
        }
    }

    /// The cluster, while there is something at work in it.
    pub(super) fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }

    /// Whether every watched kind has been listed.
    pub(super) fn is_engaged(&self) -> bool {
        self.stage == State::Engaged
    }

    pub(super) fn state(&self) -> State {
        self.state_and_since().0
    }

    fn state_and_since(&self) -> (State, Timestamp) {
        let Some(cluster) = &self.cluster else {
            return (self.stage, self.since);
        };
        let condition = cluster.condition();
        let (_, some_filled) = cluster.watches();
        match self.stage {
            State::Connecting | State::Engaged if condition.in_trouble && some_filled => {
                (State::Degraded, condition.since)
            }
            State::Engaged => (State::Engaged, self.since.max(condition.since)),
            stage => (stage, self.since),
        }
    }

    pub(super) fn status<'a>(
        &self,
        name: ClusterName,
        provider: &str,
        others: impl Iterator<Item = &'a Arc<str>>,
    ) -> ClusterStatus {
        let (state, since) = self.state_and_since();
        let cluster = self.cluster.as_ref();
        let of_cluster = cluster.and_then(|cluster| cluster.condition().last_error);
        let others: Vec<&str> = others.map(|other| &**other).collect();
        let of_name = (!others.is_empty())
            .then(|| format!("the name is also given by {}", others.join(" and ")));
        ClusterStatus {
            name,
            provider: provider.to_owned(),
            state,
            since,
            last_error: self.error.clone().or(of_cluster).or(of_name),
            left: None,
            watches: cluster.map_or(0, |cluster| cluster.watches().0),
            keys: 0,
        }
    }
}
