//! The clusters that can be reached now, by name.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Cluster, ClusterName};

/// The engaged clusters, and the host cluster.
#[derive(Default)]
pub(crate) struct Roster(Mutex<State>);

#[derive(Default)]
struct State {
    clusters: BTreeMap<ClusterName, Entry>,
    /// Counts those that have come.
    moment: Moment,
}

/// When something was, among the comings of clusters.
pub(crate) type Moment = u64;

struct Entry {
    cluster: Cluster,
    /// Whether the controllers work in it.
    engaged: bool,
    since: Moment,
}

impl Roster {
    /// A cluster that the controllers work in.
    pub(crate) fn enter(&self, cluster: &Cluster) {
        self.insert(cluster, true);
    }

    /// A cluster that can be reached, where the controllers do not work.
    pub(crate) fn enter_as_host(&self, cluster: &Cluster) {
        self.insert(cluster, false);
    }

    fn insert(&self, cluster: &Cluster, engaged: bool) {
        let mut state = self.lock();
        state.moment += 1;
        let entry = Entry {
            cluster: cluster.clone(),
            engaged,
            since: state.moment,
        };
        state.clusters.insert(cluster.name().clone(), entry);
    }

    pub(crate) fn now(&self) -> Moment {
        self.lock().moment
    }

    pub(crate) fn leave(&self, name: &ClusterName) {
        self.lock().clusters.remove(name);
    }

    pub(crate) fn find(&self, name: &ClusterName) -> Option<Cluster> {
        let state = self.lock();
        state.clusters.get(name).map(|entry| entry.cluster.clone())
    }

    /// All, each with whether the controllers work in it.
    pub(crate) fn all(&self) -> Vec<(Cluster, bool)> {
        let state = self.lock();
        let entries = state.clusters.values();
        entries
            .map(|entry| (entry.cluster.clone(), entry.engaged))
            .collect()
    }

    /// Those that the controllers work in and that are to stay, besides the host cluster.
    pub(crate) fn fleet(&self) -> Vec<Cluster> {
        let state = self.lock();
        let entries = state.clusters.iter();
        let engaged = entries.filter(|(name, entry)| entry.engaged && **name != ClusterName::LOCAL);
        let clusters = engaged.map(|(_, entry)| entry.cluster.clone());
        clusters.filter(|cluster| !cluster.is_retiring()).collect()
    }

    /// Whether a cluster has been there all the time since.
    pub(crate) fn has_been_there(&self, name: &ClusterName, since: Moment) -> bool {
        let state = self.lock();
        let entry = state.clusters.get(name);
        entry.is_some_and(|entry| entry.since <= since)
    }

    pub(crate) fn is_engaged(&self, name: &ClusterName) -> bool {
        let state = self.lock();
        state.clusters.get(name).is_some_and(|entry| entry.engaged)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
