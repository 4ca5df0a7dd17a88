//! What a controller has marked, in all clusters: as its watches see it, and as it applied it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::applied::Child;
use super::mark::Marker;
use crate::controller::ObjectKey;
use crate::fleet::ClusterName;

/// How many clusters that are gone are remembered. What they left in clusters that come back later than that many
/// others go, stays.
const GONE: usize = 4096;

/// What one controller has marked.
#[derive(Default)]
pub(crate) struct Marked(Mutex<State>);

#[derive(Default)]
struct State {
    by_owner: BTreeMap<Marker, BTreeSet<Child>>,
    by_child: BTreeMap<Child, Marker>,
    gone: BTreeSet<ClusterName>,
}

impl Marked {
    /// Takes in whose mark a child bears now.
    pub(crate) fn note(&self, child: Child, owner: Option<Marker>) {
        let mut state = self.lock();
        if state.by_child.get(&child) == owner.as_ref() {
            return;
        }
        state.forget(&child);
        if let Some(owner) = owner {
            state
                .by_owner
                .entry(owner.clone())
                .or_default()
                .insert(child.clone());
            state.by_child.insert(child, owner);
        }
    }

    /// What an owner has marked.
    pub(crate) fn of(&self, owner: &Marker) -> Vec<Child> {
        let state = self.lock();
        let children = state.by_owner.get(owner);
        children.into_iter().flatten().cloned().collect()
    }

    pub(crate) fn has(&self, owner: &Marker) -> bool {
        self.lock().by_owner.contains_key(owner)
    }

    /// The owners in a cluster.
    pub(crate) fn owners_in(&self, cluster: &ClusterName) -> Vec<ObjectKey> {
        let state = self.lock();
        let owners = state.owners_in(cluster);
        owners.map(|(owner, _)| owner.key.clone()).collect()
    }

    /// The clusters in which the owners in a cluster have marked something.
    pub(crate) fn reached_from(&self, cluster: &ClusterName) -> BTreeSet<ClusterName> {
        let state = self.lock();
        let owners = state.owners_in(cluster);
        let children = owners.flat_map(|(_, children)| children);
        children.map(|child| child.cluster.clone()).collect()
    }

    /// The owners of what lies in a cluster.
    pub(crate) fn owners_of(&self, cluster: &ClusterName) -> BTreeSet<Marker> {
        let state = self.lock();
        let owners = state.in_cluster(cluster).map(|(_, owner)| owner.clone());
        owners.collect()
    }

    /// The clusters that are gone and have left something in this one.
    pub(crate) fn gone_of(&self, cluster: &ClusterName) -> BTreeSet<ClusterName> {
        let state = self.lock();
        let homes = state.in_cluster(cluster).map(|(_, owner)| &owner.cluster);
        homes
            .filter(|home| state.gone.contains(*home))
            .cloned()
            .collect()
    }

    /// Forgets what lies in a cluster that is left: it is seen again when that comes back.
    pub(crate) fn leave(&self, cluster: &ClusterName) {
        let mut state = self.lock();
        let children = state.in_cluster(cluster).map(|(child, _)| child.clone());
        for child in children.collect::<Vec<_>>() {
            state.forget(&child);
        }
    }

    /// A cluster is gone, and with it the owners in it.
    pub(crate) fn set_gone(&self, cluster: &ClusterName) {
        let mut state = self.lock();
        if state.gone.len() >= GONE {
            state.gone.pop_first();
        }
        state.gone.insert(cluster.clone());
    }

    /// A cluster of this name is there.
    pub(crate) fn set_there(&self, cluster: &ClusterName) {
        self.lock().gone.remove(cluster);
    }

    pub(crate) fn is_gone(&self, cluster: &ClusterName) -> bool {
        self.lock().gone.contains(cluster)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn owners_in(
        &self,
        cluster: &ClusterName,
    ) -> impl Iterator<Item = (&Marker, &BTreeSet<Child>)> {
        let first = Marker {
            cluster: cluster.clone(),
            key: ObjectKey::cluster_scoped(""),
        };
        let owners = self.by_owner.range(first..);
        owners.take_while(move |(owner, _)| owner.cluster == *cluster)
    }

    fn in_cluster(&self, cluster: &ClusterName) -> impl Iterator<Item = (&Child, &Marker)> {
        let children = self.by_child.range(Child::first_in(cluster)..);
        children.take_while(move |(child, _)| child.cluster == *cluster)
    }

    fn forget(&mut self, child: &Child) {
        let Some(owner) = self.by_child.remove(child) else {
            return;
        };
        if let Some(children) = self.by_owner.get_mut(&owner) {
            children.remove(child);
            if children.is_empty() {
                self.by_owner.remove(&owner);
            }
        }
    }
}
