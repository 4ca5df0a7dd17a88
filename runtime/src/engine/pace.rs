//! How much of a controller runs at once, and how soon after a failure.

use std::time::Duration;

use crate::controller::Declaration;
use crate::transport::jittered;

/// What a controller may use of the manager.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// How many reconciles run at once in all clusters together.
    pub(crate) concurrency: usize,
    /// How many of them in one cluster.
    pub(crate) cluster_concurrency: usize,
    /// The first backoff of a key that fails, which doubles from failure to failure.
    pub(super) first_backoff: Duration,
    pub(super) longest_backoff: Duration,
}

impl Pace {
    /// What a controller gets that asks for nothing.
    pub(crate) const DEFAULT: Self = Self {
        concurrency: 64,
        cluster_concurrency: 8,
        first_backoff: Duration::from_millis(5),
        longest_backoff: Duration::from_secs(5 * 60),
    };

    pub(crate) fn of(declared: &Declaration) -> Self {
        let default = Self::DEFAULT;
        let backoff = (default.first_backoff, default.longest_backoff);
        let (first_backoff, longest_backoff) = declared.backoff.unwrap_or(backoff);
        let concurrency = declared.concurrency.unwrap_or(default.concurrency);
        Self {
            concurrency,
            cluster_concurrency: declared
                .cluster_concurrency
                .unwrap_or(default.cluster_concurrency),
            first_backoff,
            longest_backoff,
        }
    }

    /// How long a key waits after so many failures before this one: its backoff with some jitter, and never longer than
    /// the cap.
    pub(crate) fn wait(&self, failures: u32) -> Duration {
        let (wait, longest) = (jittered(self.backoff(failures)), self.longest_backoff);
        // Turned down where it would be above, so that not half of those who are at the cap come back together.
        longest
            .saturating_sub(wait.saturating_sub(longest))
            .min(wait)
    }

    /// The backoff of a key after so many failures before this one.
    fn backoff(&self, failures: u32) -> Duration {
        self.first_backoff
            .saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX))
            .min(self.longest_backoff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backoff_doubles_up_to_its_cap() {
        let pace = Pace::DEFAULT;
        let delays: Vec<u128> = (0..4).map(|n| pace.backoff(n).as_millis()).collect();
        assert_eq!(delays, [5, 10, 20, 40]);
        assert_eq!(pace.backoff(40), Duration::from_secs(300));
        assert_eq!(pace.backoff(u32::MAX), Duration::from_secs(300));
        let declared =
            Declaration::new("slow").backoff(Duration::from_secs(1), Duration::from_secs(3));
        let delays: Vec<u64> = (0..4)
            .map(|n| Pace::of(&declared).backoff(n).as_secs())
            .collect();
        assert_eq!(delays, [1, 2, 3, 3]);
    }

    #[test]
    fn the_jitter_keeps_to_the_cap_and_spreads_there_too() {
        let longest = Pace::DEFAULT.longest_backoff;
        let waits: std::collections::BTreeSet<Duration> =
            (0..100).map(|_| Pace::DEFAULT.wait(40)).collect();
        let least = longest * 3 / 4;
        assert!(waits.iter().all(|wait| (least..=longest).contains(wait)));
        assert!(waits.len() > 90, "{}", waits.len());
        let short = Pace::DEFAULT.wait(0).as_micros();
        assert!((3_750..=6_250).contains(&short), "{short}");
    }
}
