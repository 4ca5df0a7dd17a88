//! How long lists usually take to come in, and so how long others wait for one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Until it is known, and at most.
const LONGEST: Duration = Duration::from_millis(250);
const LEAST: Duration = Duration::from_millis(150);
/// A list that takes so many times as long as others is not waited for.
const TIMES: u32 = 8;
/// How many lists before count for as much as the last one.
const BEFORE: u32 = 7;

/// What the lists of a fleet usually take. Servers that never answer are not to hold up the others, also where they are
/// thousands: a place is kept for them for little longer than others need it.
#[derive(Default)]
pub(crate) struct Usual {
    /// In microseconds, and one more: 0 as long as no list has come in.
    micros: AtomicU32,
}

impl Usual {
    /// How long a server may take for a list before its place goes to the next.
    pub(super) fn patience(&self) -> Duration {
        match self.micros.load(Ordering::Relaxed) {
            0 => LONGEST,
            micros => Duration::from_micros(micros.into())
                .saturating_mul(TIMES)
                .clamp(LEAST, LONGEST),
        }
    }

    /// Takes in what a list has taken. Those that were not waited for count as well: all may have become slower.
    pub(super) fn took(&self, time: Duration) {
        let last = u32::try_from(time.min(LONGEST).as_micros()).unwrap_or(u32::MAX - 1) + 1;
        let usual = match self.micros.load(Ordering::Relaxed) {
            0 => last,
            before => (before * BEFORE + last) / (BEFORE + 1),
        };
        // One that is lost to another at the same time is no loss.
        self.micros.store(usual.max(1), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_waited_for_much_longer_than_others_take() {
        let usual = Usual::default();
        assert_eq!(usual.patience(), LONGEST, "nothing is known yet");
        usual.took(Duration::ZERO);
        assert_eq!(usual.patience(), LEAST);
        for _ in 0..100 {
            usual.took(Duration::from_millis(20));
        }
        let patience = usual.patience().as_millis();
        assert!((155..=160).contains(&patience), "{patience}");
        for _ in 0..100 {
            usual.took(Duration::from_secs(3_600));
        }
        assert_eq!(usual.patience(), LONGEST, "all have become slow");
        for _ in 0..100 {
            usual.took(Duration::from_millis(1));
        }
        assert_eq!(usual.patience(), LEAST);
    }
}
