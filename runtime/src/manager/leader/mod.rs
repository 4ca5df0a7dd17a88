//! Leader election: of several replicas of an operator, the one that holds a Lease works.

mod api;
mod candidate;
mod settings;
#[cfg(test)]
mod tests;

use kube::Client;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

pub(crate) use self::settings::Election;
pub use self::settings::LeaderElection;

use self::api::HostLeases;
use self::candidate::Candidate;

/// This process led, and does not any more: it has stopped all work, and has to be started anew to stand
/// for election again.
///
/// It is what [`Builder::run`](crate::Builder::run) returns then;
/// [`Error::find`](crate::Error::find) finds it.
#[derive(Debug, thiserror::Error)]
#[error(
    "the leadership is lost, and all work is stopped: the Lease {lease} {why}; start the process anew to stand for \
     election again"
)]
pub struct LeadershipLost {
    lease: String,
    why: String,
}

impl Election {
    /// Waits until this process is the leader; from then on the Lease is renewed in the background. `None` when the
    /// `shutdown` comes first.
    pub(super) async fn won(
        self,
        client: Client,
        shutdown: impl Future<Output = ()>,
    ) -> Option<Leadership> {
        let patience = self.retry;
        let leases = HostLeases::new(client, &self);
        let mut candidate = Candidate::new(leases, self);
        let stop = CancellationToken::new();
        let (won, stopped) = {
            let mut acquiring = std::pin::pin!(candidate.acquire(&stop));
            tokio::select! {
                biased;
                () = shutdown => {
                    stop.cancel();
                    // A claim that was cut off might come through all the same, and hold the others up.
                    let last = tokio::time::timeout(patience, acquiring).await;
                    (last.unwrap_or(false), true)
                }
                won = &mut acquiring => (won, false),
            }
        };
        if won && !stopped {
            return Some(Leadership::of(candidate));
        }
        if won {
            candidate.release().await;
        }
        None
    }
}

/// The Lease while it is ours. Dropped, it is not renewed any more, and not released.
pub(super) struct Leadership {
    release: CancellationToken,
    lost: CancellationToken,
    renewal: AbortOnDropHandle<Result<(), LeadershipLost>>,
}

impl Leadership {
    fn of<L: api::Leases>(mut candidate: Candidate<L>) -> Self {
        let release = CancellationToken::new();
        let lost = CancellationToken::new();
        let (released, over) = (release.clone(), lost.clone().drop_guard());
        let renewal = tokio::spawn(async move {
            // However this task ends, the work may not go on without it.
            let _over = over;
            tokio::select! {
                biased;
                lost = candidate.hold() => Err(lost),
                () = released.cancelled() => {
                    candidate.release().await;
                    Ok(())
                }
            }
        });
        Self {
            release,
            lost,
            renewal: AbortOnDropHandle::new(renewal),
        }
    }

    /// Resolves when the leadership is lost.
    pub(super) async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// Releases the Lease, if it is still ours. Nothing may work any more when this is called.
    pub(super) async fn end(self) -> Result<(), LeadershipLost> {
        self.release.cancel();
        // Nothing aborts the renewal but dropping this, and nothing in it panics on what comes from outside.
        self.renewal.await.unwrap_or(Ok(()))
    }
}
