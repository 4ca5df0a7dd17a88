//! How many events there may be about one object.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// About one object so many new events are sent at once, and one more in every [`REFILL`]. As in client-go's spam filter:
/// <https://github.com/kubernetes/client-go/blob/master/tools/record/events_cache.go>
const BURST: u32 = 25;
const REFILL: Duration = Duration::from_secs(5 * 60);
/// Of how many objects it is known at most.
const REMEMBERED: usize = 4096;

/// What objects have had of their allowance of events.
#[derive(Default)]
pub(super) struct Allowance {
    /// When an object has all of its allowance again, by its uid.
    whole: BTreeMap<String, Instant>,
}

impl Allowance {
    /// Takes one event from the allowance of an object; false when there is none left.
    pub(super) fn take(&mut self, uid: &str, now: Instant) -> bool {
        let whole = self.whole.get(uid).map_or(now, |whole| now.max(*whole));
        if whole > now + REFILL * (BURST - 1) {
            return false;
        }
        if self.whole.len() >= REMEMBERED {
            self.make_room(now);
        }
        self.whole.insert(uid.to_owned(), whole + REFILL);
        true
    }

    /// Forgets those who have all of it, or else who will have it first.
    fn make_room(&mut self, now: Instant) {
        self.whole.retain(|_, whole| *whole > now);
        if self.whole.len() >= REMEMBERED {
            let first = self.whole.iter().min_by_key(|(_, whole)| **whole);
            if let Some(uid) = first.map(|(uid, _)| uid.clone()) {
                self.whole.remove(&uid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn there_are_25_at_once_and_then_one_in_five_minutes() {
        let mut allowance = Allowance::default();
        let mut taken = |uid: &str| {
            let all = std::iter::from_fn(|| allowance.take(uid, Instant::now()).then_some(()));
            all.take(100).count()
        };
        assert_eq!(taken("one"), 25);
        assert_eq!(taken("two"), 25, "each object has its own");
        tokio::time::advance(REFILL - Duration::from_secs(1)).await;
        assert_eq!(taken("one"), 0);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(taken("one"), 1);
        tokio::time::advance(REFILL * 7).await;
        assert_eq!(taken("one"), 7);
        tokio::time::advance(REFILL * 100).await;
        assert_eq!(taken("one"), 25, "no more than at first");
    }

    #[tokio::test(start_paused = true)]
    async fn it_does_not_grow_and_those_who_have_had_least_are_forgotten() {
        let mut allowance = Allowance::default();
        let now = Instant::now();
        while allowance.take("loud", now) {}
        for number in 0..2 * REMEMBERED {
            assert!(allowance.take(&number.to_string(), now));
        }
        assert_eq!(allowance.whole.len(), REMEMBERED);
        assert!(!allowance.take("loud", now));
        assert!(allowance.take("late", now + REFILL));
        assert_eq!(allowance.whole.len(), 2, "all others have all of it again");
    }
}
