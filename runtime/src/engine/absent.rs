//! What is to be done for objects that are not there any more, and for clusters.

use std::time::Duration;

use super::Outcome;
use super::reconcile::Handled;
use super::verdict::delay_of;
use crate::Error;
use crate::controller::Start;
use crate::fleet::{Cluster, ClusterName};
use crate::object::{Desk, Marker, Remote, remove_marked};
use crate::transport::Backoff;

/// How soon it is tried again to clean up after a cluster that is gone.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

impl<C: Start> Handled<C> {
    /// What is left to do for an object that the cache does not have: what it has marked goes with it, if it is gone
    /// indeed.
    pub(super) async fn run_absent(
        &self,
        cluster: &Cluster,
        desk: &Desk,
        remote: &Remote,
    ) -> Outcome {
        let owner = Marker {
            cluster: cluster.name().clone(),
            key: remote.key().clone(),
        };
        if !desk.marked.has(&owner) {
            return Outcome::default();
        }
        let removed = match remote.get().await {
            Ok(Some(_not_selected)) => return Outcome::default(),
            Ok(None) => {
                let home = Some(cluster);
                remove_marked(self.declaration, desk, home, &owner, None).await
            }
            Err(failure) => Err(Error::new(failure).context("looking whether it is gone")),
        };
        match removed {
            Ok(written) => {
                tracing::info!("cleaned up what an object has left that is gone");
                Outcome {
                    written,
                    ..Outcome::default()
                }
            }
            Err(error) => {
                tracing::warn!(error = %format!("{error:#}"), "cannot clean up what an object has left that is gone; trying again");
                Outcome {
                    again: delay_of(&error),
                    ..Outcome::default()
                }
            }
        }
    }

    /// Deletes in `cluster` what the objects of one that is gone have marked there.
    pub(super) async fn clear_after(&self, cluster: &Cluster, desk: &Desk, gone: &ClusterName) {
        let mut backoff = Backoff::new(FIRST_BACKOFF, LONGEST_BACKOFF);
        let owners = desk.marked.owners_of(cluster.name());
        for owner in owners.iter().filter(|owner| owner.cluster == *gone) {
            // One of this name that is there again has its own to say.
            while desk.marked.is_gone(gone) {
                let only = Some(cluster.name());
                match remove_marked(self.declaration, desk, None, owner, only).await {
                    Ok(_) => break,
                    Err(error) => tracing::warn!(
                        controller = %self.declaration.name, cluster = %cluster.name(), %gone, owner = %owner.key,
                        error = %format!("{error:#}"),
                        "cannot clean up what a cluster has left that is gone; trying again"
                    ),
                }
                tokio::time::sleep(backoff.next()).await;
            }
        }
    }
}
