//! The life of one cluster in the fleet, in a task of its own: nothing here waits for another cluster.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::damping::Damping;
use super::status::Standing;
use super::{Cluster, ClusterName, Connection, Fleet, Health, Reason, State, Wish};
use crate::transport::{Backoff, Line};

const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

pub(super) struct Engagement {
    pub(super) name: ClusterName,
    pub(super) fleet: Fleet,
    pub(super) wish: watch::Receiver<Wish>,
    pub(super) state: watch::Sender<Standing>,
    pub(super) damping: Damping,
}

impl Engagement {
    /// Engages and disengages the cluster as it is wished, until nobody wishes for it any more.
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::new(FIRST_BACKOFF, LONGEST_BACKOFF);
        loop {
            let wish = self.wish.borrow_and_update().clone();
            match wish {
                Wish::Engaged {
                    connection,
                    retiring,
                } => {
                    let pause = self.damping.pause();
                    if !pause.is_zero() {
                        Box::pin(self.pause(pause)).await;
                        continue;
                    }
                    match self.connect(&connection) {
                        Ok(line) => {
                            backoff = Backoff::new(FIRST_BACKOFF, LONGEST_BACKOFF);
                            let cluster = self.cluster(&connection, line);
                            let began = Instant::now();
                            let reason = self.serve(cluster, connection, retiring).await;
                            if reason != Reason::Changed {
                                self.damping.left(began);
                            }
                        }
                        Err(error) => {
                            tracing::warn!(cluster = %self.name, %error, "cannot make a client for the cluster; trying again");
                            let failed = Standing::failed(State::Connecting, error.to_string());
                            self.state.send_replace(failed);
                            // A new wish may bring a configuration that works.
                            let _ = tokio::time::timeout(backoff.next(), self.wish.changed()).await;
                        }
                    }
                }
                Wish::Disengaged(_) => {
                    let (reason, is_out) = self.fleet.lock().forget(&self.name, self.damping);
                    if reason == Some(Reason::Gone) {
                        self.fleet.shared.crew.gone(&self.name);
                    }
                    if is_out {
                        return;
                    }
                }
            }
        }
    }

    /// Waits for a cluster that comes and goes all the time, unless it goes again.
    async fn pause(&mut self, pause: Duration) {
        let what = "the cluster comes and goes all the time, and has to wait";
        tracing::warn!(cluster = %self.name, ?pause, "{what}");
        let waits = Standing::failed(State::Discovered, what.to_owned());
        self.state.send_replace(waits);
        let is_over = |wish: &Wish| matches!(wish, Wish::Disengaged(_));
        let _ = tokio::time::timeout(pause, self.wish.wait_for(is_over)).await;
    }

    fn connect(&self, connection: &Connection) -> Result<Line, kube::Error> {
        connection.line(&self.fleet.shared.connect)
    }

    fn cluster(&self, connection: &Connection, line: Line) -> Cluster {
        Cluster::new(
            self.name.clone(),
            connection.namespace().cloned(),
            line,
            Arc::clone(&self.fleet.shared.engaging),
            Arc::new(Health::new(self.name.clone(), connection.server())),
            self.fleet.abandoned(),
            self.fleet.shared.kept,
        )
    }

    /// Works on the cluster until it is not to be worked on any more.
    async fn serve(
        &mut self,
        cluster: Cluster,
        mut connection: Connection,
        mut retiring: bool,
    ) -> Reason {
        cluster.set_retiring(retiring);
        self.stand_at(State::Connecting, &cluster);
        self.fleet.shared.crew.board(&cluster);
        cluster.begin();
        let mut engaged = false;
        let reason = loop {
            tokio::select! {
                biased;
                changed = self.wish.changed() => {
                    let wish = self.wish.borrow_and_update().clone();
                    match (changed, wish) {
                        (Ok(()), Wish::Engaged { retiring: now, connection: newest }) => {
                            if now && !retiring {
                                tracing::info!(cluster = %self.name, "the cluster is being deleted: cleaning up");
                            }
                            retiring = now;
                            cluster.set_retiring(retiring);
                            if newest.namespace() != connection.namespace() {
                                break Reason::Changed;
                            }
                            if !newest.is(&connection) {
                                self.reconnect(&cluster, &newest);
                                connection = newest;
                            }
                        }
                        (_, Wish::Disengaged(reason)) => break reason,
                        (Err(_), _) => break Reason::Shutdown,
                    }
                }
                () = cluster.synced(), if !engaged => {
                    engaged = true;
                    self.stand_at(State::Engaged, &cluster);
                    tracing::info!(cluster = %self.name, "engaged");
                }
            }
        };
        self.stand_at(State::Disengaging, &cluster);
        self.fleet.shared.crew.leave(&cluster);
        Box::pin(cluster.end(self.fleet.shared.grace)).await;
        tracing::info!(cluster = %self.name, ?reason, "disengaged");
        reason
    }

    /// Goes on through another connection. One that makes no client leaves the cluster with the one that it has.
    fn reconnect(&self, cluster: &Cluster, connection: &Connection) {
        let server = connection.server();
        match self.connect(connection) {
            Ok(line) => {
                tracing::info!(cluster = %self.name, %server, "the connection is another one");
                cluster.health().moved(server);
                cluster.reconnect(line);
            }
            Err(error) => {
                let error = format!("cannot make a client of the new connection: {error}");
                tracing::warn!(cluster = %self.name, %server, %error, "the cluster keeps the connection that it has");
                cluster.health().note(error);
            }
        }
    }

    fn stand_at(&self, stage: State, cluster: &Cluster) {
        let standing = Standing::at(stage, Some(cluster.clone()));
        self.state.send_replace(standing);
    }
}
