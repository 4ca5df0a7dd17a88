//! What is to be done for objects that are not there any more, and for clusters.

use std::sync::Arc;
use std::time::Duration;

use kube::api::ObjectMeta;
use serde_json::Value;

use super::reconcile::Handled;
use super::verdict::delay_of;
use super::{Outcome, Waker};
use crate::controller::{ObjectKey, Start};
use crate::fleet::{Cluster, ClusterName};
use crate::object::{Child, Desk, Marker, Remote, holds, list_metadata, remove_marked};
use crate::transport::{Backoff, Failure};
use crate::{Error, Result};

/// How soon it is tried again to clean up after a cluster that is gone.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// What is to be done for an object that the cache does not have.
pub(super) enum Absent<K> {
    /// It is to be cleaned up and released.
    Left(Arc<K>),
    Done(Outcome),
}

/// How an object is that the cache does not have.
enum Found<K> {
    Gone,
    There,
    /// It has our finalizer, and is not selected any more.
    Left(Arc<K>),
}

impl<C: Start> Handled<C> {
    /// The finalizer of which an object is released that leaves the selection.
    pub(super) fn releases(&self) -> Option<&str> {
        self.finalizer
            .as_deref()
            .filter(|_| self.declaration.release)
    }

    /// What is left to do for an object that the cache does not have: what it has marked goes with it, if it is gone
    /// indeed, and if it has only left the selection it may have to be released.
    pub(super) async fn run_absent(
        &self,
        cluster: &Cluster,
        desk: &Desk,
        remote: &Remote,
    ) -> Absent<C::Object> {
        let owner = Marker {
            cluster: cluster.name().clone(),
            key: remote.key().clone(),
        };
        if !desk.notes.left.contains(remote.key()) && !desk.marked.has(&owner) {
            return Absent::Done(Outcome::default());
        }
        let removed = match self.look(remote).await {
            Ok(Found::Left(object)) => return Absent::Left(object),
            Ok(Found::There) => {
                desk.notes.left.settle(remote.key());
                return Absent::Done(Outcome::default());
            }
            Ok(Found::Gone) => {
                desk.notes.left.settle(remote.key());
                let home = Some(cluster);
                remove_marked(self.declaration, desk, home, &owner, |_| true).await
            }
            Err(error) => Err(error),
        };
        Absent::Done(match removed {
            Ok(written) => {
                if !written.is_empty() {
                    tracing::info!("cleaned up what an object has left that is gone");
                }
                Outcome {
                    written,
                    ..Outcome::default()
                }
            }
            Err(error) => {
                tracing::warn!(error = %format!("{error:#}"), "cannot clean up after an object that is not watched any more; trying again");
                Outcome {
                    again: delay_of(&error),
                    ..Outcome::default()
                }
            }
        })
    }

    /// How an object is that no watch delivers.
    async fn look(&self, remote: &Remote) -> Result<Found<C::Object>> {
        let failed =
            |failure: Failure| Error::new(failure).context("looking whether it is still there");
        let Some(object) = remote.get().await.map_err(failed)? else {
            return Ok(Found::Gone);
        };
        let Some(finalizer) = self.releases() else {
            return Ok(Found::There);
        };
        let finalizers = object.pointer("/metadata/finalizers");
        let mut finalizers = finalizers.and_then(Value::as_array).into_iter().flatten();
        if !finalizers.any(|other| other == finalizer) {
            return Ok(Found::There);
        }
        // If it is selected again, the watch will say so.
        let selector = self.declaration.select.selector();
        match remote.get_selected(&selector).await.map_err(failed)? {
            Some(_) => Ok(Found::There),
            None => {
                let read = serde_json::from_value(object).map_err(Error::terminal);
                Ok(Found::Left(Arc::new(read?)))
            }
        }
    }

    /// Wakes what has left the selection while nobody looked, and still has our finalizer.
    pub(super) async fn wake_left(&self, cluster: &Cluster, desk: &Desk, waker: &Waker) {
        let Some(finalizer) = self.releases() else {
            return;
        };
        let mut selector = self.declaration.select.selector();
        if let Some(namespace) = cluster.namespace() {
            selector.confine(namespace);
        }
        let namespace = selector.namespace.as_deref();
        let mut backoff = Backoff::new(FIRST_BACKOFF, LONGEST_BACKOFF);
        let mut is_said = false;
        let held = loop {
            let held = |meta: &ObjectMeta| holds(meta, finalizer);
            match list_metadata(&cluster.line(), &self.kind, namespace, held).await {
                Ok(held) => break held,
                Err(failure) => {
                    if !std::mem::replace(&mut is_said, true) {
                        tracing::warn!(
                            controller = %self.declaration.name, cluster = %cluster.name(), error = %failure,
                            "cannot look for objects that are not selected any more; trying again until it works"
                        );
                    }
                    tokio::time::sleep(backoff.next()).await;
                }
            }
        };
        let cache = cluster.cache::<C::Object>(selector.clone());
        let held = held.iter().map(ObjectKey::of_meta);
        for key in held.filter(|key| cache.get(key).is_none()) {
            desk.notes.left.add(key.clone());
            waker.wake_first([key]);
        }
    }

    /// Deletes in `cluster` what the objects of one that is gone have marked there.
    pub(super) async fn clear_after(&self, cluster: &Cluster, desk: &Desk, gone: &ClusterName) {
        let mut backoff = Backoff::new(FIRST_BACKOFF, LONGEST_BACKOFF);
        let owners = desk.marked.owners_of(cluster.name());
        let mut is_said = false;
        for owner in owners.iter().filter(|owner| owner.cluster == *gone) {
            // One of this name that is there again has its own to say.
            while desk.marked.is_gone(gone) {
                let here = |child: &Child| child.cluster == *cluster.name();
                match remove_marked(self.declaration, desk, None, owner, here).await {
                    Ok(_) => break,
                    Err(error) if !std::mem::replace(&mut is_said, true) => tracing::warn!(
                        controller = %self.declaration.name, cluster = %cluster.name(), %gone, owner = %owner.key,
                        error = %format!("{error:#}"),
                        "cannot clean up what a cluster has left that is gone; trying again until it works"
                    ),
                    Err(_) => {}
                }
                tokio::time::sleep(backoff.next()).await;
            }
        }
    }
}
