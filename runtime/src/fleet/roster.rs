//! The clusters that can be reached now, by name.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Cluster, ClusterName};

/// The engaged clusters, and the host cluster.
#[derive(Default)]
pub(crate) struct Roster(Mutex<BTreeMap<ClusterName, Entry>>);

struct Entry {
    cluster: Cluster,
    /// Whether the controllers work in it.
    engaged: bool,
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
        let entry = Entry {
            cluster: cluster.clone(),
            engaged,
        };
        self.lock().insert(cluster.name().clone(), entry);
    }

    pub(crate) fn leave(&self, name: &ClusterName) {
        self.lock().remove(name);
    }

    pub(crate) fn find(&self, name: &ClusterName) -> Option<Cluster> {
        self.lock().get(name).map(|entry| entry.cluster.clone())
    }

    pub(crate) fn is_engaged(&self, name: &ClusterName) -> bool {
        self.lock().get(name).is_some_and(|entry| entry.engaged)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ClusterName, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
