//! What a seed decides.

use std::time::Duration;

use crate::ids::Ids;

/// Draws numbers: always the same from one seed.
#[derive(Debug)]
pub struct Dice(Ids);

impl Dice {
    /// Dice of their own for each `name`, so that what one draws changes nothing for another.
    pub(super) fn new(seed: u64, name: &str) -> Self {
        let mixed = name.bytes().fold(seed, |mixed, byte| {
            (mixed ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(Ids::seeded(mixed))
    }

    /// A number below a limit; 0 if that is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0.number().checked_rem(limit).unwrap_or(0)
    }

    /// A time below a limit, to the millisecond.
    pub fn time(&mut self, limit: Duration) -> Duration {
        let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.below(limit))
    }
}
