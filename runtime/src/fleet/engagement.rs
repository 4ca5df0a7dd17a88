//! The life of one cluster in the fleet, in a task of its own: nothing here waits for another cluster.

use std::sync::Arc;
use std::time::Duration;

use kube::Config;
use tokio::sync::watch;

use super::{Cluster, ClusterName, Fleet, Health, State, Wish};
use crate::transport::Backoff;

const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

pub(super) struct Engagement {
    pub(super) name: ClusterName,
    pub(super) fleet: Fleet,
    pub(super) wish: watch::Receiver<Wish>,
    pub(super) state: watch::Sender<State>,
}

impl Engagement {
    /// Engages and disengages the cluster as it is wished, until nobody wishes for it any more.
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::new(FIRST_BACKOFF, LONGEST_BACKOFF);
        loop {
            let wish = self.wish.borrow_and_update().clone();
            match wish {
                Wish::Engaged { config, retiring } => match self.connect(*config) {
                    Ok(cluster) => {
                        backoff = Backoff::new(FIRST_BACKOFF, LONGEST_BACKOFF);
                        self.serve(cluster, retiring).await;
                    }
                    Err(error) => {
                        tracing::warn!(cluster = %self.name, %error, "cannot make a client for the cluster; trying again");
                        // A new wish may bring a configuration that works.
                        let _ = tokio::time::timeout(backoff.next(), self.wish.changed()).await;
                    }
                },
                Wish::Disengaged(_) if self.fleet.forget(&self.name) => return,
                Wish::Disengaged(_) => {}
            }
        }
    }

    fn connect(&self, config: Config) -> Result<Cluster, kube::Error> {
        let health = Arc::new(Health::new(self.name.clone(), config.cluster_url.clone()));
        let engaging = Arc::clone(&self.fleet.0.engaging);
        Ok(Cluster::new(
            self.name.clone(),
            (self.fleet.0.connect)(config)?,
            engaging,
            health,
            self.fleet.abandoned(),
            self.fleet.0.kept,
        ))
    }

    /// Works on the cluster until it is not to be worked on any more.
    async fn serve(&mut self, cluster: Cluster, mut retiring: bool) {
        cluster.set_retiring(retiring);
        self.state.send_replace(State::Connecting);
        self.fleet.0.crew.board(&cluster);
        cluster.begin();
        let mut engaged = false;
        let reason = loop {
            tokio::select! {
                biased;
                changed = self.wish.changed() => {
                    match (changed, &*self.wish.borrow_and_update()) {
                        (Ok(()), Wish::Engaged { retiring: now, .. }) => {
                            if *now && !retiring {
                                tracing::info!(cluster = %self.name, "the cluster is being deleted: cleaning up");
                            }
                            retiring = *now;
                            cluster.set_retiring(retiring);
                        }
                        (_, Wish::Disengaged(reason)) => break *reason,
                        (Err(_), _) => break super::Reason::Shutdown,
                    }
                }
                () = cluster.synced(), if !engaged => {
                    engaged = true;
                    self.state.send_replace(State::Engaged);
                    tracing::info!(cluster = %self.name, "engaged");
                }
            }
        };
        self.state.send_replace(State::Disengaging);
        self.fleet.0.crew.leave(&cluster);
        cluster.end(self.fleet.0.grace).await;
        tracing::info!(cluster = %self.name, ?reason, "disengaged");
    }
}
