//! What of our own writes has come back already, where it may come a second time.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::controller::ObjectKey;
use crate::engine::Version;

/// How long another watch may be later than the first. One that is later still costs a reconcile.
const LATER: Duration = Duration::from_secs(60);
/// How many echoes are remembered at most.
const REMEMBERED: usize = 4096;

/// What has come back through one of several watches of a kind.
#[derive(Default)]
pub(super) struct Echoes {
    known: BTreeSet<(ObjectKey, Version)>,
    in_order: VecDeque<(Instant, (ObjectKey, Version))>,
}

impl Echoes {
    pub(super) fn contains(&self, key: &ObjectKey, version: &Version) -> bool {
        // Nearly always it is empty, and the copies are not made.
        !self.known.is_empty() && self.known.contains(&(key.clone(), version.clone()))
    }

    pub(super) fn add(&mut self, key: ObjectKey, version: Version, now: Instant) {
        while let Some((since, oldest)) = self.in_order.front()
            && (*since + LATER <= now || self.in_order.len() >= REMEMBERED)
        {
            self.known.remove(oldest);
            self.in_order.pop_front();
        }
        let echo = (key, version);
        if self.known.insert(echo.clone()) {
            self.in_order.push_back((now, echo));
        }
    }
}
