//! Which key runs next: fair among clusters, then by priority, then in order; never one key twice at
//! once.

mod echoes;
mod key;
#[cfg(test)]
mod measured;
#[cfg(test)]
mod model;
mod state;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use self::state::{Controller, LaneState, State};
use super::{Outcome, Pace, Priority, Version};
use crate::controller::ObjectKey;

/// The keys of one controller in one cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lane(u64);

/// A key that is to be reconciled now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Job {
    controller: usize,
    pub(crate) lane: Lane,
    pub(crate) key: ObjectKey,
    /// API hiccups of this key in a row.
    pub(crate) trouble: u32,
}

/// The keys of every controller in every cluster.
pub(crate) struct Queue {
    state: Mutex<State>,
    /// Something may have become ready.
    ready: Notify,
}

impl Queue {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            ready: Notify::new(),
        })
    }

    /// Makes room for a controller.
    pub(crate) fn add_controller(&self, pace: Pace) -> usize {
        let mut state = self.lock();
        state.controllers.push(Controller {
            running: 0,
            pace,
            turns: VecDeque::new(),
        });
        state.controllers.len() - 1
    }

    /// Makes room for a controller in a cluster, closed at first.
    pub(crate) fn add_lane(&self, controller: usize) -> Lane {
        let mut state = self.lock();
        let most = match state.controllers.get(controller) {
            Some(controller) => controller.pace.cluster_concurrency,
            None => 0,
        };
        let lane = Lane(state.next_lane);
        state.next_lane += 1;
        let fresh = LaneState {
            controller,
            open: false,
            in_turn: false,
            running: 0,
            most,
            urgent: VecDeque::new(),
            patient: VecDeque::new(),
            passed: 0,
            next_place: 0,
            keys: BTreeMap::new(),
            echoes: None,
        };
        state.lanes.insert(lane, Box::new(fresh));
        lane
    }

    /// Says that one version of an object may come to a lane through several watches.
    pub(crate) fn expect_repetitions(&self, lane: Lane) {
        if let Some(found) = self.lock().lanes.get_mut(&lane) {
            found.echoes.get_or_insert_default();
        }
    }

    /// Lets the keys of a lane run.
    pub(crate) fn open(&self, lane: Lane) {
        let mut state = self.lock();
        if let Some(found) = state.lanes.get_mut(&lane) {
            found.open = true;
        }
        state.line_up(lane);
        drop(state);
        self.ready.notify_one();
    }

    /// Drops a lane and everything that waits in it. What runs keeps its place until it calls
    /// [`finish`](Queue::finish).
    pub(crate) fn close(&self, lane: Lane) {
        let mut state = self.lock();
        if let Some(closed) = state.lanes.remove(&lane) {
            for (key, mut entry) in closed.keys {
                if let Some((at, _)) = entry.take_delay() {
                    state.delayed.remove(&(at, lane, key));
                }
            }
            if let Some(controller) = state.controllers.get_mut(closed.controller) {
                controller.turns.retain(|other| *other != lane);
            }
        }
        drop(state);
        self.ready.notify_one();
    }

    /// Wakes a key. `cause` is the version that woke it; if that is one that the key wrote itself,
    /// nothing happens.
    pub(crate) fn wake(
        &self,
        lane: Lane,
        key: ObjectKey,
        priority: Priority,
        cause: Option<Version>,
    ) {
        let mut state = self.lock();
        state.wake(lane, key, priority, cause);
        drop(state);
        self.ready.notify_one();
    }

    /// Wakes the keys of a lane that wait for an echo of what they wrote. It may never come, and what
    /// somebody did to the object since may have gone by unseen.
    pub(crate) fn wake_expectant(&self, lane: Lane) {
        self.lock().wake_expectant(lane);
        self.ready.notify_one();
    }

    /// How many keys of a lane wait for their turn or run.
    pub(crate) fn pending(&self, lane: Lane) -> usize {
        let state = self.lock();
        let keys = state.lanes.get(&lane).into_iter();
        let keys = keys.flat_map(|found| found.keys.values());
        keys.filter(|key| key.running || key.waiting.is_some())
            .count()
    }

    /// Forgets what is kept of a key whose object is gone.
    pub(crate) fn forget(&self, lane: Lane, key: &ObjectKey) {
        self.lock().forget(lane, key);
    }

    /// The next key to reconcile, as soon as there is one that may run.
    pub(crate) async fn next(&self) -> Job {
        loop {
            let wait = {
                let mut state = self.lock();
                let now = Instant::now();
                state.wake_delayed(now);
                if let Some(job) = state.take() {
                    return job;
                }
                state.delayed.first().map(|(at, ..)| *at)
            };
            match wait {
                None => self.ready.notified().await,
                // Whichever is first: the timer, or news.
                Some(at) => {
                    let _ = tokio::time::timeout_at(at, self.ready.notified()).await;
                }
            }
        }
    }

    /// Takes back a key whose reconcile has ended, in whatever way.
    pub(crate) fn finish(&self, job: Job, outcome: Outcome) {
        self.lock().finish(job, outcome);
        self.ready.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
