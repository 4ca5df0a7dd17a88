//! How long an old version of a list can be read: what a kube-apiserver has etcd compact every five minutes.
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks>

use std::time::Duration;

use tokio::time::Instant;

/// kube-apiserver's `--etcd-compaction-interval`.
const INTERVAL: Duration = Duration::from_secs(5 * 60);

/// Revisions expire when they are one to two intervals old. Nobody waits for that: who reads or writes looks at the clock.
pub(super) struct Age {
    /// When the last interval began.
    since: Instant,
    /// The newest revision at that moment.
    newest_then: u64,
    expired: u64,
}

impl Age {
    pub(super) fn new() -> Self {
        Self {
            since: Instant::now(),
            newest_then: 0,
            expired: 0,
        }
    }

    /// What had expired when that was last looked at.
    pub(super) fn known(&self) -> u64 {
        self.expired
    }

    /// What is older than this has expired. `newest` has been the newest revision since this was last asked.
    pub(super) fn expired(&mut self, newest: u64) -> u64 {
        let intervals = self.since.elapsed().as_secs() / INTERVAL.as_secs();
        if intervals > 0 {
            self.expired = match intervals {
                1 => self.newest_then,
                _ => newest,
            };
            self.newest_then = newest;
            self.since += Duration::from_secs(intervals * INTERVAL.as_secs());
        }
        self.expired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_revision_expires_when_an_interval_has_passed_since_it_was_seen_at_the_end_of_one() {
        let mut age = Age::new();
        let mut after = async |seconds, newest| {
            tokio::time::advance(Duration::from_secs(seconds)).await;
            age.expired(newest)
        };
        assert_eq!(after(299, 7).await, 0);
        assert_eq!(after(1, 7).await, 0, "7 is the newest at the first end");
        assert_eq!(after(299, 9).await, 0);
        assert_eq!(after(1, 9).await, 7);
        assert_eq!(after(600, 9).await, 9, "nothing was written for long");
        assert_eq!(after(250, 12).await, 9);
        assert_eq!(after(60, 12).await, 9);
    }
}
