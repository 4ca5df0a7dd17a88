//! A cluster that comes and goes all the time, or changes its connection all the time, is waited for.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{ClusterName, Reason};
use crate::transport::now;

/// Who stays for so long comes and goes no more often than it may.
const STEADY: Duration = Duration::from_secs(60);
/// So often a cluster may come and go without being waited for.
const FREE: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long, and how many at most, those that have left are remembered.
const REMEMBERED: Duration = Duration::from_secs(300);
const MOST: usize = 1_000;

/// How often a cluster has come and gone, or moved, and until when it is waited for.
#[derive(Debug, Clone, Default)]
pub(super) struct Damping(
    /// Of one that has not, as nearly all have not, there is nothing to be kept.
    Option<Box<Flaps>>,
);

#[derive(Debug, Clone)]
struct Flaps {
    count: u32,
    /// Since when it is as it is.
    since: Instant,
    until: Option<Instant>,
}

impl Damping {
    /// Takes in that the cluster has been left, in which the work began then.
    pub(super) fn left(&mut self, began: Instant) {
        match began.elapsed() >= STEADY {
            true => *self = Self::default(),
            false => self.flap(),
        }
    }

    /// Takes in that the cluster is reached in another way from now on.
    pub(super) fn moved(&mut self) {
        let steady = |flaps: &Flaps| flaps.until.unwrap_or(flaps.since).elapsed() >= STEADY;
        if self.0.as_deref().is_some_and(steady) {
            *self = Self::default();
        }
        self.flap();
    }

    fn flap(&mut self) {
        let flaps = self.0.get_or_insert_with(|| {
            Box::new(Flaps {
                count: 0,
                since: Instant::now(),
                until: None,
            })
        });
        flaps.since = Instant::now();
        flaps.count = flaps.count.saturating_add(1);
        flaps.until = flaps.count.checked_sub(FREE + 1).and_then(|over| {
            let pause = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(over).unwrap_or(u32::MAX));
            Instant::now().checked_add(pause.min(LONGEST_PAUSE))
        });
    }

    /// How long to wait before the cluster is engaged, or moves.
    pub(super) fn pause(&self) -> Duration {
        let until = self.0.as_ref().and_then(|flaps| flaps.until);
        let until = until.unwrap_or_else(Instant::now);
        until.saturating_duration_since(Instant::now())
    }
}

/// Clusters that have left, for a while.
#[derive(Default)]
pub(super) struct Departed(BTreeMap<ClusterName, Departure>);

/// How a cluster left.
pub(super) struct Departure {
    damping: Damping,
    left: Instant,
    pub(super) since: Timestamp,
    pub(super) reason: Reason,
    pub(super) source: std::sync::Arc<str>,
}

impl Departed {
    pub(super) fn add(
        &mut self,
        name: ClusterName,
        damping: Damping,
        reason: Reason,
        source: std::sync::Arc<str>,
    ) {
        self.0
            .retain(|_, departure| departure.left.elapsed() < REMEMBERED);
        if self.0.len() >= MOST {
            let longest_ago = self.0.iter().min_by_key(|(_, departure)| departure.left);
            if let Some(name) = longest_ago.map(|(name, _)| name.clone()) {
                self.0.remove(&name);
            }
        }
        let departure = Departure {
            damping,
            left: Instant::now(),
            since: now(),
            reason,
            source,
        };
        self.0.insert(name, departure);
    }

    /// What is remembered of a cluster that is there again.
    pub(super) fn take(&mut self, name: &ClusterName) -> Damping {
        let departure = self.0.remove(name);
        departure.map_or_else(Damping::default, |departure| departure.damping)
    }

    /// Those that are remembered.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&ClusterName, &Departure)> {
        let recent =
            |(_, departure): &(&ClusterName, &Departure)| departure.left.elapsed() < REMEMBERED;
        self.0.iter().filter(recent)
    }
}
