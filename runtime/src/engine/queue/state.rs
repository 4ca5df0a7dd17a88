//! What waits, what runs, and whose turn it is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::time::Instant;

use super::echoes::Echoes;
pub(super) use super::key::KeyState;
use super::key::Place;
use super::{Job, Lane};
use crate::controller::ObjectKey;
use crate::engine::{Again, Outcome, Pace, Priority, Version};
use crate::transport::jittered;

/// How many versions of its own a key remembers until the watch has delivered them.
const REMEMBERED: usize = 16;
/// One in so many keys is one that has time, also where there is always one that has not.
const ONE_IN: u8 = 8;

#[derive(Default)]
pub(super) struct State {
    /// Each in a box: half of the places in a map that grows at its end stay empty.
    pub(super) lanes: BTreeMap<Lane, Box<LaneState>>,
    pub(super) next_lane: u64,
    pub(super) delayed: BTreeSet<(Instant, Lane, Arc<ObjectKey>)>,
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
    pub(super) urgent: Line,
    pub(super) patient: Line,
    /// How many urgent keys have gone before one that waits in the other line.
    pub(super) passed: u8,
    /// The number of the next place in a line.
    pub(super) next_place: u32,
    pub(super) keys: BTreeMap<Arc<ObjectKey>, KeyState>,
    /// What has been delivered of what we wrote, and may come through another watch as well.
    pub(super) echoes: Option<Echoes>,
}

/// Keys in their order, each with the number of its place; one that has another place since is skipped.
pub(super) type Line = VecDeque<(u32, Arc<ObjectKey>)>;

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
        if let Some(cause) = &cause
            && let Some(entry) = found.keys.get_mut(&key)
            && entry.take_expected(cause)
        {
            if entry.settle() {
                found.keys.remove(&key);
            }
            if let Some(echoes) = &mut found.echoes {
                echoes.add(key, cause.clone(), Instant::now());
            }
            return;
        }
        // A key is there once, however often it is named.
        let key = match found.keys.get_key_value(&key) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::new(key),
        };
        let entry = found.keys.entry(Arc::clone(&key)).or_default();
        // It is there again, under the same name.
        entry.gone = false;
        if entry.running {
            entry.wake_later(priority, cause);
            return;
        }
        let moves = match entry.waiting {
            Some(Place { priority: now, .. }) => {
                now == Priority::Initial && priority == Priority::Change
            }
            None => true,
        };
        if moves {
            if let Some((at, _)) = entry.take_delay() {
                self.delayed.remove(&(at, lane, Arc::clone(&key)));
                entry.settle();
            }
            let number = found.next_place;
            found.next_place = number.wrapping_add(1);
            entry.waiting = Some(Place { priority, number });
            match priority {
                Priority::Change => found.urgent.push_back((number, key)),
                Priority::Initial => found.patient.push_back((number, key)),
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
            .filter(|(_, entry)| !entry.gone && (entry.running || entry.is_expectant()))
            .map(|(key, entry)| {
                if let Some(more) = entry.more_mut() {
                    more.expected.clear();
                }
                ObjectKey::clone(key)
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
        entry.gone = entry.running;
        if let Some((at, _)) = entry.take_delay() {
            self.delayed.remove(&(at, lane, Arc::new(key.clone())));
        }
        if let Some(more) = entry.more_mut() {
            more.expected.clear();
            (more.failures, more.trouble) = (0, 0);
        }
        if entry.settle() {
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
                .and_then(|found| found.keys.get_mut(&key)?.take_delay());
            if let Some((_, priority)) = delayed {
                self.wake(lane, ObjectKey::clone(&key), priority, None);
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
        found.skip_left_places();
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
            let trouble = entry.more().map_or(0, |more| more.trouble);
            let key = ObjectKey::clone(&key);
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
        let key = match found.keys.get_key_value(&job.key) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::new(job.key),
        };
        let entry = found.keys.entry(Arc::clone(&key)).or_default();
        entry.running = false;
        let gone = std::mem::take(&mut entry.gone);
        let more = entry.make_more();
        let mut woken = None;
        let remembered = REMEMBERED.max(outcome.written.len());
        more.expected.extend(outcome.written);
        let mut echoed: Vec<Version> = Vec::new();
        for (priority, cause) in std::mem::take(&mut more.meanwhile) {
            let is_echo = cause.is_some_and(|cause| {
                let of = |version: &Version| *version == cause;
                match more.expected.iter().position(of) {
                    Some(place) => {
                        echoed.extend(more.expected.remove(place));
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
                echoes.add(ObjectKey::clone(&key), version, now);
            }
        }
        while more.expected.len() > remembered {
            more.expected.pop_front();
        }
        more.trouble = if outcome.hiccup {
            more.trouble.saturating_add(1)
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
            Again::Backoff => Some(pace.wait(more.failures)),
            Again::FailedAfter(delay) => Some(delay),
            Again::FailedForGood => None,
        };
        more.failures = match outcome.again {
            Again::Never | Again::After(_) | Again::Resync(_) => 0,
            Again::Backoff | Again::FailedAfter(_) | Again::FailedForGood => {
                more.failures.saturating_add(1)
            }
        };
        let delay = match gone {
            true => {
                more.expected.clear();
                (more.failures, more.trouble) = (0, 0);
                None
            }
            false => delay,
        };
        // A delay that no clock reaches is as good as none.
        let again = delay.and_then(|delay| Instant::now().checked_add(delay));
        match (woken, again) {
            // News runs the key at once, also while it is failing: what changed may be the cure.
            (Some(priority), _) => {
                entry.settle();
                self.wake(lane, ObjectKey::clone(&key), priority, None);
            }
            (None, Some(at)) => {
                more.delayed = Some((at, priority));
                self.delayed.insert((at, lane, key));
            }
            (None, None) => {
                if entry.settle() {
                    found.keys.remove(&key);
                }
            }
        }
        self.line_up(lane);
    }
}

impl LaneState {
    /// Takes the places off the lines that their keys have left.
    fn skip_left_places(&mut self) {
        let waits = |keys: &BTreeMap<Arc<ObjectKey>, KeyState>, number: u32, key: &ObjectKey| {
            let place = keys.get(key).and_then(|entry| entry.waiting);
            place.is_some_and(|place| place.number == number)
        };
        for line in [&mut self.urgent, &mut self.patient] {
            while let Some((number, key)) = line.front()
                && !waits(&self.keys, *number, key)
            {
                line.pop_front();
            }
        }
    }

    /// The next key. Urgent ones go first, but for every eighth turn, so that the others never starve.
    fn next_key(&mut self) -> Option<Arc<ObjectKey>> {
        self.skip_left_places();
        let patient_first = self.urgent.is_empty() || self.passed + 1 >= ONE_IN;
        let line = match self.patient.is_empty() {
            false if patient_first => {
                self.passed = 0;
                &mut self.patient
            }
            waits_alone => {
                self.passed = if waits_alone { 0 } else { self.passed + 1 };
                &mut self.urgent
            }
        };
        line.pop_front().map(|(_, key)| key)
    }
}
