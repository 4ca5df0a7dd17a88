//! What is still to be done in one control plane.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::store::{Bucket, Change, What};

/// A change that something may follow from.
pub(crate) struct Chore {
    pub(crate) bucket: Bucket,
    pub(crate) change: Arc<Change>,
    pub(crate) since: Instant,
}

impl Chore {
    pub(crate) fn new(bucket: Bucket, change: Arc<Change>) -> Self {
        Self {
            bucket,
            change,
            since: Instant::now(),
        }
    }

    /// Whether something may go because of the change.
    pub(super) fn takes_away(&self) -> bool {
        let object = &self.change.object;
        self.change.what == What::Deleted || object.is_deleting || object.has_owners
    }
}

/// Those that wait, in order. While somebody works them off, nobody else has to be called.
#[derive(Default)]
pub(crate) struct Chores(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    chores: VecDeque<Chore>,
    is_worked_off: bool,
}

impl Chores {
    /// Whether somebody has to be called to work them off.
    pub(crate) fn add(&self, chore: Chore) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.chores.push_back(chore);
        !std::mem::replace(&mut waiting.is_worked_off, true)
    }

    /// The next one, for whoever works them off, who is free to go when there is none.
    pub(super) fn next(&self) -> Option<Chore> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = waiting.chores.pop_front();
        if next.is_none() {
            *waiting = Waiting::default();
        }
        next
    }
}
