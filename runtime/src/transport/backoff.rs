//! How long to wait before the next try.

use std::time::Duration;

use super::chance::random_bits;

/// Doubling delays with jitter, so that a fleet does not come back all at once.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self {
            next: first,
            longest,
        }
    }

    /// The delay before the next try.
    pub(crate) fn next(&mut self) -> Duration {
        let delay = self.next;
        self.next = delay.saturating_mul(2).min(self.longest);
        jittered(delay)
    }
}

/// Between 75 and 125 percent of `delay`.
pub(crate) fn jittered(delay: Duration) -> Duration {
    let share = f64::from((random_bits() >> 40) as u32) / f64::from(1 << 24);
    delay.mul_f64(0.75 + share / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_its_cap() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(350));
        for expected in [100, 200, 350, 350] {
            let delay = backoff.next().as_millis();
            assert!(
                (expected * 3 / 4..=expected * 5 / 4).contains(&delay),
                "{delay} ms for {expected} ms"
            );
        }
    }
}
