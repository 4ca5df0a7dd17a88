//! The life of one cluster in the fleet, in a task of its own: nothing here waits for another cluster.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::damping::Damping;
use super::seat::Seat;
use super::status::Standing;
use super::{Cluster, ClusterName, Connection, Reason, Shared, State, Wish};
use crate::transport::Backoff;

const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// There are as many of these as clusters, and nearly all of them wait for the next wish nearly all the time: whatever
/// is not needed meanwhile is in a box of its own.
pub(super) struct Engagement {
    pub(super) name: ClusterName,
    pub(super) fleet: Arc<Shared>,
    pub(super) seat: Arc<Seat>,
    pub(super) damping: Damping,
    /// Which wish has been seen last.
    pub(super) seen: u32,
    /// Since when it is engaged.
    pub(super) began: Instant,
}

/// What comes of a wish.
enum Next {
    Again,
    Serve(Cluster),
    Out,
}

impl Engagement {
    /// Engages and disengages the cluster as it is wished, until nobody wishes for it any more.
    pub(super) async fn run(&mut self) {
        let mut failed = None;
        loop {
            let next = Box::pin(self.begin(&mut failed)).await;
            let cluster = match next {
                Next::Again => continue,
                Next::Serve(cluster) => cluster,
                Next::Out => return,
            };
            failed = None;
            let reason = self.serve(&cluster).await;
            Box::pin(self.leave(cluster, reason)).await;
        }
    }

    /// Does what is wished for a cluster that is not worked on.
    async fn begin(&mut self, failed: &mut Option<Box<Backoff>>) -> Next {
        let (connection, retiring) = match self.seat.see(&mut self.seen) {
            Wish::Engaged {
                connection,
                retiring,
            } => (connection, retiring),
            Wish::Disengaged(_) => {
                let (reason, is_out) = self.fleet.lock().forget(&self.name, self.damping);
                if reason == Some(Reason::Gone) {
                    self.fleet.crew.gone(&self.name);
                }
                return if is_out { Next::Out } else { Next::Again };
            }
        };
        let pause = self.damping.pause();
        if !pause.is_zero() {
            self.pause(pause).await;
            return Next::Again;
        }
        match connection.line(&self.fleet.connect) {
            Ok(line) => {
                let name = self.name.clone();
                let cluster = Cluster::new(name, connection, line, &self.fleet.common);
                cluster.set_retiring(retiring);
                self.stand_at(State::Connecting, &cluster);
                self.fleet.crew.board(&cluster);
                cluster.begin();
                self.began = Instant::now();
                Next::Serve(cluster)
            }
            Err(error) => {
                tracing::warn!(cluster = %self.name, %error, "cannot make a client for the cluster; trying again");
                let standing = Standing::failed(State::Connecting, error.to_string());
                *self.seat.standing() = standing;
                let first = || Box::new(Backoff::new(FIRST_BACKOFF, LONGEST_BACKOFF));
                let backoff = failed.get_or_insert_with(first);
                // A new wish may bring a configuration that works.
                let _ = tokio::time::timeout(backoff.next(), self.seat.asked(self.seen)).await;
                Next::Again
            }
        }
    }

    /// Waits for a cluster that comes and goes all the time, unless it goes again.
    async fn pause(&mut self, pause: Duration) {
        let what = "the cluster comes and goes all the time, and has to wait";
        tracing::warn!(cluster = %self.name, ?pause, "{what}");
        *self.seat.standing() = Standing::failed(State::Discovered, what.to_owned());
        let gone = async {
            while let Wish::Engaged { .. } = self.seat.see(&mut self.seen) {
                self.seat.asked(self.seen).await;
            }
        };
        let _ = tokio::time::timeout(pause, gone).await;
    }

    /// Works on the cluster until it is not to be worked on any more.
    async fn serve(&mut self, cluster: &Cluster) -> Reason {
        let mut engaged = false;
        loop {
            if engaged {
                self.seat.asked(self.seen).await;
            } else {
                engaged = Box::pin(self.is_synced(cluster)).await;
                if engaged {
                    self.stand_at(State::Engaged, cluster);
                    tracing::info!(cluster = %self.name, "engaged");
                    continue;
                }
            }
            match self.seat.see(&mut self.seen) {
                Wish::Disengaged(reason) => return reason,
                Wish::Engaged {
                    connection,
                    retiring,
                } => {
                    if retiring && !cluster.is_retiring() {
                        tracing::info!(cluster = %self.name, "the cluster is being deleted: cleaning up");
                    }
                    cluster.set_retiring(retiring);
                    if connection.namespace().map(|namespace| &**namespace) != cluster.namespace() {
                        return Reason::Changed;
                    }
                    if !cluster.is_reached_by(&connection) {
                        self.reconnect(cluster, connection);
                    }
                }
            }
        }
    }

    /// Resolves once everything has been listed, or with false if something is asked before.
    async fn is_synced(&self, cluster: &Cluster) -> bool {
        tokio::select! {
            biased;
            () = self.seat.asked(self.seen) => false,
            () = cluster.synced() => true,
        }
    }

    async fn leave(&mut self, cluster: Cluster, reason: Reason) {
        self.stand_at(State::Disengaging, &cluster);
        self.fleet.crew.leave(&cluster);
        cluster.end(self.fleet.grace).await;
        tracing::info!(cluster = %self.name, ?reason, "disengaged");
        if reason != Reason::Changed {
            self.damping.left(self.began);
        }
    }

    /// Goes on through another connection. One that makes no client leaves the cluster with the one that it has.
    fn reconnect(&self, cluster: &Cluster, connection: Connection) {
        let server = connection.server();
        match connection.line(&self.fleet.connect) {
            Ok(line) => {
                tracing::info!(cluster = %self.name, %server, "the connection is another one");
                cluster.reconnect(connection, line);
            }
            Err(error) => {
                let error = format!("cannot make a client of the new connection: {error}");
                tracing::warn!(cluster = %self.name, %server, %error, "the cluster keeps the connection that it has");
                cluster.note(error);
            }
        }
    }

    fn stand_at(&self, stage: State, cluster: &Cluster) {
        *self.seat.standing() = Standing::at(stage, Some(cluster.clone()));
    }
}
