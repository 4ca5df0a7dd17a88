//! Chance and the time of day, which a seed may decide.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// What SplitMix64 counts by.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Both, for a thread whose work is to go the same way each time.
#[derive(Clone, Copy)]
struct Seeded {
    state: u64,
    began: Instant,
    epoch: Timestamp,
}

thread_local! {
    static SEEDED: Cell<Option<Seeded>> = const { Cell::new(None) };
}

/// Lets a seed decide all chance of this thread from now on. Its time goes with tokio's clock, and begins on a day of
/// the year 2020.
pub(crate) fn seed(seed: u64) {
    const YEAR_2020: i64 = 1_577_836_800;
    const SECONDS_OF_A_YEAR: u64 = 31_536_000;
    let second = i64::try_from(seed % SECONDS_OF_A_YEAR).unwrap_or(0);
    SEEDED.set(Some(Seeded {
        state: seed,
        began: Instant::now(),
        epoch: Timestamp::from_second(YEAR_2020 + second).unwrap_or_default(),
    }));
}

/// Now, as the API writes it.
pub(crate) fn now() -> Timestamp {
    let Some(seeded) = SEEDED.get() else {
        return Timestamp::now();
    };
    let elapsed = SignedDuration::try_from(seeded.began.elapsed()).unwrap_or_default();
    seeded.epoch.checked_add(elapsed).unwrap_or(seeded.epoch)
}

/// Bits for spread and for names that no other process is likely to choose; not for secrets.
pub(crate) fn random_bits() -> u64 {
    // SplitMix64 over a counter that begins anywhere.
    static STATE: LazyLock<AtomicU64> =
        LazyLock::new(|| AtomicU64::new(RandomState::new().hash_one(0)));
    let mut bits = match SEEDED.get() {
        Some(seeded) => {
            let state = seeded.state.wrapping_add(STEP);
            SEEDED.set(Some(Seeded { state, ..seeded }));
            seeded.state
        }
        None => STATE.fetch_add(STEP, Ordering::Relaxed),
    };
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_seed_decides_chance_and_time() {
        let draw = || [random_bits(), random_bits()];
        let before = draw();
        assert_ne!(before, draw());
        seed(7);
        let (drawn, begun) = (draw(), now());
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(now().duration_since(begun), SignedDuration::from_secs(3));
        seed(7);
        assert_eq!((drawn, begun), (draw(), now()));
        seed(8);
        assert_ne!((drawn, begun), (draw(), now()));
    }
}
