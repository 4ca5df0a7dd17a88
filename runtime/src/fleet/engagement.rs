//! The life of one cluster in the fleet, in a task of its own: nothing here waits for another cluster.

use std::mem::Discriminant;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::damping::Damping;
use super::seat::Seat;
use super::status::Standing;
use super::{Cluster, ClusterName, Connection, Reason, Shared, State, Wish};
use crate::transport::{Backoff, Line};

const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// How long a client may be in the making before that is said.
const PATIENCE: Duration = Duration::from_secs(10);

/// There are as many of these as clusters, and nearly all of them wait for the next wish nearly all the time: whatever
/// is not needed meanwhile is in a box of its own.
pub(super) struct Engagement {
    pub(super) name: ClusterName,
    pub(super) fleet: Arc<Shared>,
    pub(super) seat: Arc<Seat>,
    pub(super) damping: Damping,
    /// How often its connection has become another one.
    pub(super) moves: Damping,
    /// There is another connection by now, which has to wait.
    pub(super) moves_later: bool,
    /// Since when it is engaged.
    pub(super) began: Instant,
}

/// What comes of a wish.
enum Next {
    Again,
    Serve(Cluster),
    Out,
}

/// A client that could not be made, and is tried again.
struct Failed {
    backoff: Backoff,
    /// The kind of what has been said of it. The words may be others each time: those of a program have the time in them.
    said: Option<Discriminant<kube::Error>>,
}

impl Failed {
    fn new() -> Self {
        Self {
            backoff: Backoff::new(FIRST_BACKOFF, LONGEST_BACKOFF),
            said: None,
        }
    }

    /// Whether it has yet to be said.
    fn is_news(&mut self, error: &kube::Error) -> bool {
        let kind = std::mem::discriminant(error);
        self.said.replace(kind) != Some(kind)
    }
}

impl Engagement {
    /// Engages and disengages the cluster as it is wished, until nobody wishes for it any more.
    pub(super) async fn run(&mut self) {
        loop {
            let engaged = Box::pin(self.engage()).await;
            let Some(cluster) = &engaged else {
                return;
            };
            let reason = loop {
                let pause = self.moves.pause();
                if self.moves_later || !pause.is_zero() {
                    // Then it may move again, at once if that has come just now.
                    let waits = Box::pin(self.connect(cluster));
                    let _ = Box::pin(tokio::time::timeout(pause, waits)).await;
                } else if self.seat.standing().is_engaged() {
                    self.seat.asked().await;
                } else {
                    Box::pin(self.connect(cluster)).await;
                }
                if let Some(reason) = Box::pin(self.heed(cluster)).await {
                    break reason;
                }
            };
            Box::pin(self.leave(cluster, reason)).await;
        }
    }

    /// The cluster once it is worked on, unless nobody wishes for it any more.
    async fn engage(&mut self) -> Option<Cluster> {
        let mut failed = Failed::new();
        loop {
            match self.begin(&mut failed).await {
                Next::Again => {}
                Next::Serve(cluster) => return Some(cluster),
                Next::Out => return None,
            }
        }
    }

    /// Does what is wished for a cluster that is not worked on.
    async fn begin(&mut self, failed: &mut Failed) -> Next {
        let (connection, retiring) = match self.seat.see() {
            Wish::Engaged {
                connection,
                retiring,
            } => (connection, retiring),
            Wish::Disengaged(_) => {
                let is_out = self.fleet.forget(&self.name, &self.damping);
                return if is_out { Next::Out } else { Next::Again };
            }
        };
        let pause = self.damping.pause();
        if !pause.is_zero() {
            self.pause(pause).await;
            return Next::Again;
        }
        let tells = |error: &str| {
            let standing = Standing::failed(State::Connecting, error.to_owned());
            *self.seat.standing() = standing;
        };
        let Some(line) = self.line(&connection, tells).await else {
            return Next::Again;
        };
        match line {
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
                if failed.is_news(&error) {
                    tracing::warn!(cluster = %self.name, %error, "cannot make a client for the cluster; trying again");
                }
                let standing = Standing::failed(State::Connecting, error.to_string());
                *self.seat.standing() = standing;
                // A new wish may bring a configuration that works.
                let _ = tokio::time::timeout(failed.backoff.next(), self.seat.asked()).await;
                Next::Again
            }
        }
    }

    /// The way to the cluster, unless something else is wished before it is made. `tells` of one that is long in the making:
    /// it is still waited for, as the next would begin with the same program.
    async fn line(
        &self,
        connection: &Connection,
        tells: impl Fn(&str),
    ) -> Option<Result<Line, kube::Error>> {
        let is_slow = async {
            tokio::time::sleep(PATIENCE).await;
            let error = "the program that gives the credentials has yet to end";
            tracing::warn!(cluster = %self.name, "{error}");
            tells(error);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            line = connection.line(&self.fleet.connect) => Some(line),
            () = self.seat.asked() => None,
            // It only tells.
            () = is_slow => None,
        }
    }

    /// Waits for a cluster that comes and goes all the time, unless it goes again.
    async fn pause(&self, pause: Duration) {
        let what = "the cluster comes and goes all the time, and has to wait";
        tracing::warn!(cluster = %self.name, ?pause, "{what}");
        *self.seat.standing() = Standing::failed(State::Discovered, what.to_owned());
        let gone = async {
            while let Wish::Engaged { .. } = self.seat.see() {
                self.seat.asked().await;
            }
        };
        let _ = tokio::time::timeout(pause, gone).await;
    }

    /// Waits until something is asked, or everything has been listed for the first time.
    async fn connect(&self, cluster: &Cluster) {
        let is_engaged = self.seat.standing().is_engaged();
        let is_synced = tokio::select! {
            biased;
            () = self.seat.asked() => false,
            () = cluster.synced(), if !is_engaged => true,
        };
        if is_synced {
            self.stand_at(State::Engaged, cluster);
            tracing::info!(cluster = %self.name, "engaged");
        }
    }

    /// Does what is newly wished for a cluster that is worked on. Says why it is not to be any more.
    async fn heed(&mut self, cluster: &Cluster) -> Option<Reason> {
        let wish = match self.moves_later {
            true => self.seat.see(),
            false => self.seat.news()?,
        };
        let (connection, retiring) = match wish {
            Wish::Disengaged(reason) => return Some(reason),
            Wish::Engaged {
                connection,
                retiring,
            } => (connection, retiring),
        };
        if retiring && !cluster.is_retiring() {
            tracing::info!(cluster = %self.name, "the cluster is being deleted: cleaning up");
        }
        cluster.set_retiring(retiring);
        if connection.namespace().map(|namespace| &**namespace) != cluster.namespace() {
            return Some(Reason::Changed);
        }
        let moves = !cluster.is_reached_by(&connection);
        self.moves_later = moves && !self.moves.pause().is_zero();
        if moves && !self.moves_later {
            self.reconnect(cluster, connection).await;
        }
        None
    }

    async fn leave(&mut self, cluster: &Cluster, reason: Reason) {
        self.moves_later = false;
        self.stand_at(State::Disengaging, cluster);
        self.fleet.crew.leave(cluster);
        cluster.end(self.fleet.grace).await;
        tracing::info!(cluster = %self.name, ?reason, "disengaged");
        self.damping.left(self.began);
    }

    /// Goes on through another connection. One that makes no client leaves the cluster with the one that it has, and is
    /// tried again until something else is wished: the server may have moved, or the credentials may be over.
    async fn reconnect(&mut self, cluster: &Cluster, connection: Connection) {
        let server = connection.server();
        self.moves.moved();
        let pause = self.moves.pause();
        if !pause.is_zero() {
            let error = "the connection becomes another one all the time, and the next has to wait";
            tracing::warn!(cluster = %self.name, ?pause, "{error}");
            cluster.note(error.to_owned());
        }
        let tells = |error: &str| cluster.note(error.to_owned());
        let mut failed = Failed::new();
        while let Some(line) = self.line(&connection, tells).await {
            match line {
                Ok(line) => {
                    tracing::info!(cluster = %self.name, %server, "the connection is another one");
                    return cluster.reconnect(connection, line);
                }
                Err(error) => {
                    let is_news = failed.is_news(&error);
                    let error = format!("cannot make a client of the new connection: {error}");
                    if is_news {
                        tracing::warn!(cluster = %self.name, %server, error, "the cluster keeps the connection that it has; trying again");
                    }
                    cluster.note(error);
                }
            }
            // Meanwhile it may be listed through the one that it has.
            let pause = failed.backoff.next();
            let _ = tokio::time::timeout(pause, self.connect(cluster)).await;
            if self.seat.has_news() {
                return;
            }
        }
    }

    fn stand_at(&self, stage: State, cluster: &Cluster) {
        *self.seat.standing() = Standing::at(stage, Some(cluster.clone()));
    }
}
