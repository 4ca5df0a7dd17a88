//! What time it is: that of the machine, or, for a server that begins with a seed, one that the seed and tokio's clock
//! decide.

use std::cell::Cell;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// The clock of a server that begins with a seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    began: Instant,
    epoch: Timestamp,
}

impl Clock {
    /// It begins now, on a day of the year 2020 that is the seed's.
    pub(crate) fn seeded(seed: u64) -> Self {
        const YEAR_2020: i64 = 1_577_836_800;
        const SECONDS_OF_A_YEAR: u64 = 31_536_000;
        let second = i64::try_from(seed % SECONDS_OF_A_YEAR).unwrap_or(0);
        Self {
            began: Instant::now(),
            epoch: Timestamp::from_second(YEAR_2020 + second).unwrap_or_default(),
        }
    }

    fn now(self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.began.elapsed()).unwrap_or_default();
        self.epoch.checked_add(elapsed).unwrap_or(self.epoch)
    }
}

thread_local! {
    /// The clock of the server that this thread works for.
    static OURS: Cell<Option<Clock>> = const { Cell::new(None) };
}

/// Works for a server; what it does must not wait for anything.
pub(crate) fn within<T>(clock: Option<Clock>, work: impl FnOnce() -> T) -> T {
    struct Back(Option<Clock>);
    impl Drop for Back {
        fn drop(&mut self) {
            OURS.set(self.0);
        }
    }
    let _back = Back(OURS.replace(clock));
    work()
}

/// Now, for the server that this thread works for.
pub(crate) fn now() -> Timestamp {
    OURS.get().map_or_else(Timestamp::now, Clock::now)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_seeded_clock_goes_with_tokios() {
        let clock = Clock::seeded(7);
        let at = || within(Some(clock), now);
        let begun = at();
        assert_eq!(begun, Clock::seeded(7).epoch);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(at().duration_since(begun), SignedDuration::from_secs(3));
        assert_ne!(now(), at(), "the machine has a clock of its own");
    }
}
