//! Which key runs next: fair among clusters, then by priority, then in order; never one key twice at
//! once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::{Again, Outcome, Priority, Version};
use crate::controller::ObjectKey;
use crate::transport::jittered;

const FIRST_BACKOFF: Duration = Duration::from_millis(5);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5 * 60);
/// How many versions of its own a key remembers until the watch has delivered them.
const REMEMBERED: usize = 16;

/// The keys of one controller in one cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lane(u64);

/// A key that is to be reconciled now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Job {
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

struct State {
    lanes: BTreeMap<Lane, LaneState>,
    next_lane: u64,
    delayed: BTreeSet<(Instant, Lane, ObjectKey)>,
    controllers: Vec<Controller>,
    /// The controller that is asked first for the next key.
    first: usize,
}

struct Controller {
    running: usize,
    most: usize,
    /// Lanes that have a waiting key and may run one more, in turn.
    turns: VecDeque<Lane>,
}

struct LaneState {
    controller: usize,
    /// Closed until every cache of the controller has been filled.
    open: bool,
    in_turn: bool,
    running: usize,
    most: usize,
    urgent: VecDeque<ObjectKey>,
    patient: VecDeque<ObjectKey>,
    keys: BTreeMap<ObjectKey, KeyState>,
}

#[derive(Default)]
struct KeyState {
    waiting: Option<Priority>,
    running: bool,
    /// What woke the key while it was running.
    meanwhile: Vec<(Priority, Option<Version>)>,
    /// What we wrote and the watch has not delivered yet.
    expected: VecDeque<Version>,
    delayed: Option<Instant>,
    failures: u32,
    trouble: u32,
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

impl Queue {
    pub(crate) fn new() -> Arc<Self> {
        let state = State {
            lanes: BTreeMap::new(),
            next_lane: 0,
            delayed: BTreeSet::new(),
            controllers: Vec::new(),
            first: 0,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            ready: Notify::new(),
        })
    }

    /// Makes room for a controller that may run `most` reconciles at once in all clusters together.
    pub(crate) fn add_controller(&self, most: usize) -> usize {
        let mut state = self.lock();
        state.controllers.push(Controller {
            running: 0,
            most,
            turns: VecDeque::new(),
        });
        state.controllers.len() - 1
    }

    /// Makes room for a controller in a cluster, closed at first.
    pub(crate) fn add_lane(&self, controller: usize, most: usize) -> Lane {
        let mut state = self.lock();
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
            keys: BTreeMap::new(),
        };
        state.lanes.insert(lane, fresh);
        lane
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

    /// Drops a lane and everything that waits in it. What runs may still call [`finish`](Queue::finish).
    pub(crate) fn close(&self, lane: Lane) {
        let mut state = self.lock();
        if let Some(closed) = state.lanes.remove(&lane) {
            for (key, entry) in closed.keys {
                if let Some(at) = entry.delayed {
                    state.delayed.remove(&(at, lane, key));
                }
            }
            if let Some(controller) = state.controllers.get_mut(closed.controller) {
                controller.running = controller.running.saturating_sub(closed.running);
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

    /// Takes back a key whose reconcile has ended.
    pub(crate) fn finish(&self, job: Job, outcome: Outcome) {
        self.lock().finish(job, outcome);
        self.ready.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self, lane: Lane, key: ObjectKey, priority: Priority, cause: Option<Version>) {
        let Some(found) = self.lanes.get_mut(&lane) else {
            return;
        };
        let entry = found.keys.entry(key.clone()).or_default();
        if let Some(cause) = &cause
            && let Some(place) = entry.expected.iter().position(|expected| expected == cause)
        {
            entry.expected.remove(place);
            if entry.is_forgettable() {
                found.keys.remove(&key);
            }
            return;
        }
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
                if let Some(at) = entry.delayed.take() {
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

    fn wake_delayed(&mut self, now: Instant) {
        while let Some((at, ..)) = self.delayed.first()
            && *at <= now
        {
            let Some((_, lane, key)) = self.delayed.pop_first() else {
                return;
            };
            if let Some(entry) = self
                .lanes
                .get_mut(&lane)
                .and_then(|found| found.keys.get_mut(&key))
            {
                entry.delayed = None;
            }
            self.wake(lane, key, Priority::Change, None);
        }
    }

    /// Gives a lane its turn, if it has a key that may run and is not in line already.
    fn line_up(&mut self, lane: Lane) {
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

    fn take(&mut self) -> Option<Job> {
        let count = self.controllers.len();
        let job = (0..count).find_map(|offset| self.take_from((self.first + offset) % count))?;
        self.first = (self.first + 1) % count;
        Some(job)
    }

    fn take_from(&mut self, controller: usize) -> Option<Job> {
        let controller = self.controllers.get_mut(controller)?;
        if controller.running >= controller.most {
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
            self.line_up(lane);
            return Some(Job { lane, key, trouble });
        }
        None
    }

    fn finish(&mut self, job: Job, outcome: Outcome) {
        let lane = job.lane;
        let Some(found) = self.lanes.get_mut(&job.lane) else {
            return;
        };
        if let Some(controller) = self.controllers.get_mut(found.controller) {
            controller.running = controller.running.saturating_sub(1);
        }
        found.running = found.running.saturating_sub(1);
        let entry = found.keys.entry(job.key.clone()).or_default();
        entry.running = false;
        let mut woken = None;
        entry.expected.extend(outcome.written);
        for (priority, cause) in std::mem::take(&mut entry.meanwhile) {
            match cause.and_then(|cause| {
                entry
                    .expected
                    .iter()
                    .position(|expected| *expected == cause)
            }) {
                Some(place) => {
                    entry.expected.remove(place);
                }
                None if woken != Some(Priority::Change) => woken = Some(priority),
                None => {}
            }
        }
        while entry.expected.len() > REMEMBERED {
            entry.expected.pop_front();
        }
        entry.trouble = if outcome.hiccup {
            entry.trouble.saturating_add(1)
        } else {
            0
        };
        let delay = match outcome.again {
            Again::Never => None,
            Again::After(delay) => Some(delay),
            Again::Backoff => Some(jittered(backoff(entry.failures))),
            Again::FailedAfter(delay) => Some(delay),
            Again::FailedForGood => None,
        };
        entry.failures = match outcome.again {
            Again::Never | Again::After(_) => 0,
            Again::Backoff | Again::FailedAfter(_) | Again::FailedForGood => {
                entry.failures.saturating_add(1)
            }
        };
        match (woken, delay) {
            // News runs the key at once, also while it is failing: what changed may be the cure.
            (Some(priority), _) => self.wake(lane, job.key, priority, None),
            (None, Some(delay)) => {
                let at = Instant::now() + delay;
                entry.delayed = Some(at);
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

fn backoff(failures: u32) -> Duration {
    FIRST_BACKOFF
        .saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX))
        .min(LONGEST_BACKOFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> ObjectKey {
        ObjectKey::namespaced("shop", name)
    }

    fn version(number: u32) -> Version {
        ("uid".into(), number.to_string())
    }

    fn open_lane(queue: &Queue, controller: usize, most: usize) -> Lane {
        let lane = queue.add_lane(controller, most);
        queue.open(lane);
        lane
    }

    /// The next job, or `None` when nothing may run now.
    fn take(queue: &Queue) -> Option<Job> {
        let mut state = queue.lock();
        state.wake_delayed(Instant::now());
        state.take()
    }

    fn names(queue: &Queue, count: usize) -> Vec<String> {
        (0..count).map(|_| take(queue).unwrap().key.name).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn clusters_take_turns() {
        let queue = Queue::new();
        let controller = queue.add_controller(100);
        let busy = open_lane(&queue, controller, 100);
        let quiet = open_lane(&queue, controller, 100);
        for number in 0..50 {
            queue.wake(busy, key(&format!("busy-{number}")), Priority::Change, None);
        }
        queue.wake(quiet, key("quiet"), Priority::Change, None);
        assert_eq!(names(&queue, 3), ["busy-0", "quiet", "busy-1"]);
    }

    #[tokio::test(start_paused = true)]
    async fn changes_go_before_what_was_there() {
        let queue = Queue::new();
        let controller = queue.add_controller(100);
        let lane = open_lane(&queue, controller, 100);
        for name in ["a", "b", "c"] {
            queue.wake(lane, key(name), Priority::Initial, None);
        }
        queue.wake(lane, key("d"), Priority::Change, None);
        queue.wake(lane, key("b"), Priority::Change, None);
        assert_eq!(names(&queue, 4), ["d", "b", "a", "c"]);
        assert_eq!(take(&queue), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_never_runs_twice_at_once_and_loses_no_news() {
        let queue = Queue::new();
        let controller = queue.add_controller(100);
        let lane = open_lane(&queue, controller, 100);
        queue.wake(lane, key("a"), Priority::Change, Some(version(1)));
        let job = take(&queue).unwrap();
        queue.wake(lane, key("a"), Priority::Change, Some(version(2)));
        assert_eq!(take(&queue), None, "it is running");
        queue.finish(job, Outcome::default());
        let job = take(&queue).unwrap();
        queue.finish(job, Outcome::default());
        assert_eq!(take(&queue), None);
    }

    #[tokio::test(start_paused = true)]
    async fn our_own_writes_wake_nothing_whether_their_echo_is_early_or_late() {
        let queue = Queue::new();
        let controller = queue.add_controller(100);
        let lane = open_lane(&queue, controller, 100);
        queue.wake(lane, key("a"), Priority::Change, None);
        let job = take(&queue).unwrap();
        queue.wake(lane, key("a"), Priority::Change, Some(version(7)));
        queue.finish(
            job,
            Outcome {
                written: vec![version(7), version(8)],
                ..Outcome::default()
            },
        );
        assert_eq!(take(&queue), None, "the early echo");
        queue.wake(lane, key("a"), Priority::Change, Some(version(8)));
        assert_eq!(take(&queue), None, "the late echo");
        queue.wake(lane, key("a"), Priority::Change, Some(version(9)));
        assert!(take(&queue).is_some(), "somebody else's write");
    }

    #[tokio::test(start_paused = true)]
    async fn failures_back_off_and_a_success_resets() {
        let queue = Queue::new();
        let controller = queue.add_controller(100);
        let lane = open_lane(&queue, controller, 100);
        queue.wake(lane, key("a"), Priority::Change, None);
        let failed = || Outcome {
            again: Again::Backoff,
            ..Outcome::default()
        };
        let mut waits = Vec::new();
        for _ in 0..4 {
            let before = Instant::now();
            let job = queue.next().await;
            waits.push(before.elapsed());
            queue.finish(job, failed());
        }
        assert!(
            waits.windows(2).skip(1).all(|pair| pair[1] > pair[0]),
            "{waits:?}"
        );
        let job = queue.next().await;
        queue.finish(job, Outcome::default());
        assert!(
            queue.lock().lanes[&lane].keys.is_empty(),
            "nothing is kept of a key that is done"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn limits_hold_for_the_cluster_and_for_the_controller() {
        let queue = Queue::new();
        let controller = queue.add_controller(3);
        let first = open_lane(&queue, controller, 2);
        let second = open_lane(&queue, controller, 2);
        for name in ["a", "b", "c"] {
            queue.wake(first, key(name), Priority::Change, None);
            queue.wake(second, key(name), Priority::Change, None);
        }
        let mut running: Vec<Job> = std::iter::from_fn(|| take(&queue)).collect();
        assert_eq!(running.len(), 3);
        assert_eq!(running.iter().filter(|job| job.lane == first).count(), 2);
        queue.finish(running.remove(0), Outcome::default());
        let next = take(&queue).unwrap();
        assert_eq!(next.lane, second, "its turn: the other one is at its limit");
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_lane_drops_what_waits_and_frees_its_places() {
        let queue = Queue::new();
        let controller = queue.add_controller(1);
        let gone = open_lane(&queue, controller, 1);
        let there = open_lane(&queue, controller, 1);
        queue.wake(gone, key("running"), Priority::Change, None);
        queue.wake(gone, key("waiting"), Priority::Change, None);
        let job = take(&queue).unwrap();
        queue.wake(there, key("a"), Priority::Change, None);
        assert_eq!(take(&queue), None);
        queue.close(gone);
        assert_eq!(take(&queue).unwrap().lane, there);
        queue.finish(
            job,
            Outcome {
                again: Again::Backoff,
                ..Outcome::default()
            },
        );
        assert!(queue.lock().delayed.is_empty());
    }

    #[test]
    fn backoff_doubles_from_five_milliseconds_to_five_minutes() {
        assert_eq!(backoff(0), Duration::from_millis(5));
        assert_eq!(backoff(1), Duration::from_millis(10));
        assert_eq!(backoff(40), LONGEST_BACKOFF);
        assert_eq!(backoff(u32::MAX), LONGEST_BACKOFF);
    }
}
