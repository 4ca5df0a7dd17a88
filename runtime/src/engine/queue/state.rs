//! What waits, what runs, and whose turn it is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tokio::time::Instant;

use super::echoes::Echoes;
use super::{Job, Lane};
use crate::controller::ObjectKey;
use crate::engine::{Again, Outcome, Pace, Priority, Version};
use crate::transport::jittered;

/// How many versions of its own a key remembers until the watch has delivered them.
const REMEMBERED: usize = 16;

#[derive(Default)]
pub(super) struct State {
    pub(super) lanes: BTreeMap<Lane, LaneState>,
    pub(super) next_lane: u64,
    pub(super) delayed: BTreeSet<(Instant, Lane, ObjectKey)>,
    pub(super) controllers: Vec<Controller>,
    /// The controller that is asked first for the next key.
    pub(super) first: usize,
}

pub(super) struct Controller {
    pub(super) running: usize,
    pub(super) pace: Pace,
    /// Lanes that have a waiting key and may run one more, in turn.
    pub(super) turns: VecDeque<Lane>,
}

pub(super) struct LaneState {
    pub(super) controller: usize,
    /// Closed until every cache of the controller has been filled.
    pub(super) open: bool,
    pub(super) in_turn: bool,
    pub(super) running: usize,
    pub(super) most: usize,
    pub(super) urgent: VecDeque<ObjectKey>,
    pub(super) patient: VecDeque<ObjectKey>,
    pub(super) keys: BTreeMap<ObjectKey, KeyState>,
    /// What has been delivered of what we wrote, and may come through another watch as well.
    pub(super) echoes: Option<Echoes>,
}

#[derive(Default)]
pub(super) struct KeyState {
    pub(super) waiting: Option<Priority>,
    pub(super) running: bool,
    /// What woke the key while it was running.
    pub(super) meanwhile: Vec<(Priority, Option<Version>)>,
    /// What we wrote and no watch has delivered yet.
    pub(super) expected: VecDeque<Version>,
    /// When it runs again by itself, and how urgent that is.
    pub(super) delayed: Option<(Instant, Priority)>,
    /// Its object went while it was running: nothing is to be kept of it.
    pub(super) gone: bool,
    pub(super) failures: u32,
    pub(super) trouble: u32,
}

impl KeyState {
    fn is_forgettable(&self) -> bool {
        self.waiting.is_none()
            && !self.running
            && self.expected.is_empty()
            && self.delayed.is_none()
            && self.failures == 0
            && self.trouble == 0
    }
}

impl State {
    pub(super) fn wake(
        &mut self,
        lane: Lane,
        key: ObjectKey,
        priority: Priority,
        cause: Option<Version>,
    ) {
        let Some(found) = self.lanes.get_mut(&lane) else {
            return;
        };
        if let (Some(echoes), Some(cause)) = (&found.echoes, &cause)
            && echoes.contains(&key, cause)
        {
            return;
        }
        let entry = found.keys.entry(key.clone()).or_default();
        if let Some(cause) = &cause
            && let Some(place) = entry.expected.iter().position(|expected| expected == cause)
        {
            entry.expected.remove(place);
            if entry.is_forgettable() {
                found.keys.remove(&key);
            }
            if let Some(echoes) = &mut found.echoes {
                echoes.add(key, cause.clone(), Instant::now());
            }
            return;
        }
        // It is there again, under the same name.
        entry.gone = false;
        if entry.running {
            entry.meanwhile.push((priority, cause));
            return;
        }
        match entry.waiting {
            Some(Priority::Initial) if priority == Priority::Change => {
                // It moves to the other line; the place in the old one is skipped when its turn comes.
                entry.waiting = Some(Priority::Change);
                found.urgent.push_back(key);
            }
            Some(_) => {}
            None => {
                entry.waiting = Some(priority);
                if let Some((at, _)) = entry.delayed.take() {
                    self.delayed.remove(&(at, lane, key.clone()));
                }
                match priority {
                    Priority::Change => found.urgent.push_back(key),
                    Priority::Initial => found.patient.push_back(key),
                }
            }
        }
        self.line_up(lane);
    }

    pub(super) fn wake_expectant(&mut self, lane: Lane) {
        let Some(found) = self.lanes.get_mut(&lane) else {
            return;
        };
        // One that is running may have written already.
        let expectant: Vec<ObjectKey> = found
            .keys
            .iter_mut()
            .filter(|(_, entry)| !entry.gone && (entry.running || !entry.expected.is_empty()))
            .map(|(key, entry)| {
                entry.expected.clear();
                key.clone()
            })
            .collect();
        for key in expectant {
            self.wake(lane, key, Priority::Change, None);
        }
    }

    pub(super) fn forget(&mut self, lane: Lane, key: &ObjectKey) {
        let Some(found) = self.lanes.get_mut(&lane) else {
            return;
        };
        let Some(entry) = found.keys.get_mut(key) else {
            return;
        };
        entry.expected.clear();
        entry.failures = 0;
        entry.trouble = 0;
        entry.gone = entry.running;
        if let Some((at, _)) = entry.delayed.take() {
            self.delayed.remove(&(at, lane, key.clone()));
        }
        if entry.is_forgettable() {
            found.keys.remove(key);
        }
    }

    pub(super) fn wake_delayed(&mut self, now: Instant) {
        while let Some((at, ..)) = self.delayed.first()
            && *at <= now
        {
            let Some((_, lane, key)) = self.delayed.pop_first() else {
                return;
            };
            let delayed = self
                .lanes
                .get_mut(&lane)
                .and_then(|found| found.keys.get_mut(&key)?.delayed.take());
            if let Some((_, priority)) = delayed {
                self.wake(lane, key, priority, None);
            }
        }
    }

    /// Gives a lane its turn, if it has a key that may run and is not in line already.
    pub(super) fn line_up(&mut self, lane: Lane) {
        let Some(found) = self.lanes.get_mut(&lane) else {
            return;
        };
        let Some(controller) = self.controllers.get_mut(found.controller) else {
            return;
        };
        let has_key = !(found.urgent.is_empty() && found.patient.is_empty());
        if found.open && !found.in_turn && has_key && found.running < found.most {
            found.in_turn = true;
            controller.turns.push_back(lane);
        }
    }

    pub(super) fn take(&mut self) -> Option<Job> {
        let count = self.controllers.len();
        let job = (0..count).find_map(|offset| self.take_from((self.first + offset) % count))?;
        self.first = (self.first + 1) % count;
        Some(job)
    }

    fn take_from(&mut self, controller: usize) -> Option<Job> {
        let controller = self.controllers.get_mut(controller)?;
        if controller.running >= controller.pace.concurrency {
            return None;
        }
        while let Some(lane) = controller.turns.pop_front() {
            let Some(found) = self.lanes.get_mut(&lane) else {
                continue;
            };
            found.in_turn = false;
            let Some(key) = found.next_key() else {
                continue;
            };
            let Some(entry) = found.keys.get_mut(&key) else {
                continue;
            };
            entry.waiting = None;
            entry.running = true;
            let trouble = entry.trouble;
            found.running += 1;
            controller.running += 1;
            let controller = found.controller;
            self.line_up(lane);
            return Some(Job {
                controller,
                lane,
                key,
                trouble,
            });
        }
        None
    }

    pub(super) fn finish(&mut self, job: Job, outcome: Outcome) {
        let lane = job.lane;
        // Also of a lane that has been closed since: until now it has kept its place.
        let Some(controller) = self.controllers.get_mut(job.controller) else {
            return;
        };
        controller.running = controller.running.saturating_sub(1);
        let pace = controller.pace;
        let Some(found) = self.lanes.get_mut(&lane) else {
            return;
        };
        found.running = found.running.saturating_sub(1);
        let entry = found.keys.entry(job.key.clone()).or_default();
        entry.running = false;
        let mut woken = None;
        let remembered = REMEMBERED.max(outcome.written.len());
        entry.expected.extend(outcome.written);
        let mut echoed: Vec<Version> = Vec::new();
        for (priority, cause) in std::mem::take(&mut entry.meanwhile) {
            let is_echo = cause.is_some_and(|cause| {
                let of = |version: &Version| *version == cause;
                match entry.expected.iter().position(of) {
                    Some(place) => {
                        echoed.extend(entry.expected.remove(place));
                        true
                    }
                    None => echoed.iter().any(of),
                }
            });
            match is_echo {
                true => {}
                false if woken != Some(Priority::Change) => woken = Some(priority),
                false => {}
            }
        }
        if let Some(echoes) = &mut found.echoes {
            let now = Instant::now();
            for version in echoed {
                echoes.add(job.key.clone(), version, now);
            }
        }
        while entry.expected.len() > remembered {
            entry.expected.pop_front();
        }
        entry.trouble = if outcome.hiccup {
            entry.trouble.saturating_add(1)
        } else {
            0
        };
        let priority = match outcome.again {
            Again::Resync(_) => Priority::Initial,
            _ => Priority::Change,
        };
        let delay = match outcome.again {
            Again::Never => None,
            Again::After(delay) => Some(delay),
            Again::Resync(interval) => Some(jittered(interval)),
            Again::Backoff => Some(jittered(pace.backoff(entry.failures))),
            Again::FailedAfter(delay) => Some(delay),
            Again::FailedForGood => None,
        };
        entry.failures = match outcome.again {
            Again::Never | Again::After(_) | Again::Resync(_) => 0,
            Again::Backoff | Again::FailedAfter(_) | Again::FailedForGood => {
                entry.failures.saturating_add(1)
            }
        };
        let delay = match std::mem::take(&mut entry.gone) {
            true => {
                entry.expected.clear();
                (entry.failures, entry.trouble) = (0, 0);
                None
            }
            false => delay,
        };
        // A delay that no clock reaches is as good as none.
        let again = delay.and_then(|delay| Instant::now().checked_add(delay));
        match (woken, again) {
            // News runs the key at once, also while it is failing: what changed may be the cure.
            (Some(priority), _) => self.wake(lane, job.key, priority, None),
            (None, Some(at)) => {
                entry.delayed = Some((at, priority));
                self.delayed.insert((at, lane, job.key));
            }
            (None, None) => {
                if entry.is_forgettable() {
                    found.keys.remove(&job.key);
                }
            }
        }
        self.line_up(lane);
    }
}

impl LaneState {
    fn next_key(&mut self) -> Option<ObjectKey> {
        while let Some(key) = self.urgent.pop_front() {
            if self
                .keys
                .get(&key)
                .is_some_and(|entry| entry.waiting == Some(Priority::Change))
            {
                return Some(key);
            }
        }
        while let Some(key) = self.patient.pop_front() {
            if self
                .keys
                .get(&key)
                .is_some_and(|entry| entry.waiting == Some(Priority::Initial))
            {
                return Some(key);
            }
        }
        None
    }
}
