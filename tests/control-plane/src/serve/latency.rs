//! How much later an answer comes.

use std::time::Duration;

use crate::ids::Ids;

/// A distribution of delays, by its quantiles: in order, and evenly from one to the next.
#[derive(Clone, Debug)]
pub(super) struct Latency(Vec<(f64, Duration)>);

impl Latency {
    pub(super) fn fixed(delay: Duration) -> Self {
        Self::between(delay, delay)
    }

    pub(super) fn between(least: Duration, most: Duration) -> Self {
        Self(vec![(0.0, least), (1.0, most.max(least))])
    }

    /// Without a word on the shortest delay there may be none.
    pub(super) fn quantiles(quantiles: impl IntoIterator<Item = (f64, Duration)>) -> Self {
        let mut all = vec![(0.0, Duration::ZERO)];
        all.extend(quantiles);
        all.retain(|(share, _)| (0.0..=1.0).contains(share));
        all.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        // What is said of one share last, counts; and no quantile is below one of a smaller share.
        for at in 1..all.len() {
            all[at].1 = all[at].1.max(all[at - 1].1);
        }
        Self(all)
    }

    pub(super) fn draw(&self, ids: &Ids) -> Duration {
        let share = (ids.number() >> 11) as f64 / (1_u64 << 53) as f64;
        self.at(share)
    }

    fn at(&self, share: f64) -> Duration {
        let next = self.0.partition_point(|(known, _)| *known <= share);
        let Some((from, least)) = next.checked_sub(1).and_then(|at| self.0.get(at)) else {
            return Duration::ZERO;
        };
        let Some((to, most)) = self.0.get(next) else {
            return *least;
        };
        let room = most.saturating_sub(*least);
        *least + room.mul_f64(((share - from) / (to - from)).clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn delays_are_distributed_as_their_quantiles_say() {
        let latency = Latency::quantiles([(0.99, 300 * MS), (0.5, 20 * MS), (1.0, 2_000 * MS)]);
        for (share, expected) in [
            (0.0, Duration::ZERO),
            (0.25, 10 * MS),
            (0.5, 20 * MS),
            (0.99, 300 * MS),
            (0.995, 1_150 * MS),
        ] {
            let off = latency.at(share).abs_diff(expected);
            assert!(off < MS / 100, "{share}: {:?}", latency.at(share));
        }
        let ids = Ids::seeded(7);
        let drawn: Vec<Duration> = (0..10_000).map(|_| latency.draw(&ids)).collect();
        let within = |limit: Duration| drawn.iter().filter(|delay| **delay <= limit).count();
        assert!((4_800..5_200).contains(&within(20 * MS)));
        assert!((9_850..9_950).contains(&within(300 * MS)));
        assert_eq!(within(2_000 * MS), 10_000);
    }

    #[test]
    fn a_fixed_delay_is_always_the_same_and_odd_quantiles_hurt_nobody() {
        let ids = Ids::seeded(7);
        assert_eq!(Latency::fixed(7 * MS).draw(&ids), 7 * MS);
        let odd = [(f64::NAN, MS), (7.0, MS), (0.5, 9 * MS), (0.6, MS)];
        assert_eq!(Latency::quantiles(odd).at(0.9), 9 * MS);
        assert_eq!(Latency::quantiles([]).draw(&ids), Duration::ZERO);
    }
}
