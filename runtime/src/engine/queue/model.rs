//! The queue does what a naive one does, whatever happens to both.

use std::time::Duration;

use super::tests::{key, pace, take, version};
use super::*;
use crate::engine::Again;

const SEEDS: u64 = 200;
const STEPS: usize = 400;
const NAMES: u64 = 6;

/// Random numbers that are the same for the same seed (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % end
    }
}

/// A queue that is a list, and looks at all of it each time.
#[derive(Default)]
struct Naive {
    /// Lanes with their controllers, how many they run, and whether they are open.
    lanes: BTreeMap<Lane, NaiveLane>,
    controllers: Vec<NaiveController>,
    first: usize,
    keys: Vec<NaiveKey>,
    clock: u64,
}

struct NaiveLane {
    controller: usize,
    running: usize,
    open: bool,
    passed: usize,
}

struct NaiveController {
    pace: Pace,
    running: usize,
    line: Vec<Lane>,
}

struct NaiveKey {
    lane: Lane,
    key: ObjectKey,
    /// How urgent, and since when.
    waiting: Option<(Priority, u64)>,
    running: bool,
    gone: bool,
    meanwhile: Vec<(Priority, Option<Version>)>,
    expected: Vec<Version>,
    due: Option<Instant>,
}

impl Naive {
    fn key(&mut self, lane: Lane, key: &ObjectKey) -> &mut NaiveKey {
        let is = |known: &NaiveKey| known.lane == lane && known.key == *key;
        let place = self.keys.iter().position(is).unwrap_or_else(|| {
            self.keys.push(NaiveKey {
                lane,
                key: key.clone(),
                waiting: None,
                running: false,
                gone: false,
                meanwhile: Vec::new(),
                expected: Vec::new(),
                due: None,
            });
            self.keys.len() - 1
        });
        &mut self.keys[place]
    }

    fn wake(&mut self, lane: Lane, key: &ObjectKey, priority: Priority, cause: Option<Version>) {
        self.clock += 1;
        let now = self.clock;
        let entry = self.key(lane, key);
        if let Some(place) = entry
            .expected
            .iter()
            .position(|one| Some(one) == cause.as_ref())
        {
            entry.expected.remove(place);
            return;
        }
        entry.gone = false;
        if entry.running {
            entry.meanwhile.push((priority, cause));
        } else if entry.waiting.is_none()
            || (priority == Priority::Change
                && matches!(entry.waiting, Some((Priority::Initial, _))))
        {
            entry.waiting = Some((priority, now));
            entry.due = None;
        }
        self.line_up(lane);
    }

    fn line_up(&mut self, lane: Lane) {
        let waits = self
            .keys
            .iter()
            .any(|key| key.lane == lane && key.waiting.is_some());
        let Some(found) = self.lanes.get(&lane) else {
            return;
        };
        let controller = &mut self.controllers[found.controller];
        let may = found.open && found.running < controller.pace.cluster_concurrency;
        if waits && may && !controller.line.contains(&lane) {
            controller.line.push(lane);
        }
    }

    fn take(&mut self, now: Instant) -> Option<(Lane, ObjectKey)> {
        let mut due: Vec<(Instant, Lane, ObjectKey)> = Vec::new();
        for key in &self.keys {
            due.extend(
                key.due
                    .filter(|at| *at <= now)
                    .map(|at| (at, key.lane, key.key.clone())),
            );
        }
        due.sort();
        for (_, lane, key) in due {
            self.key(lane, &key).due = None;
            self.wake(lane, &key, Priority::Change, None);
        }
        for offset in 0..self.controllers.len() {
            let controller = (self.first + offset) % self.controllers.len();
            let found = &mut self.controllers[controller];
            if found.running >= found.pace.concurrency || found.line.is_empty() {
                continue;
            }
            let lane = found.line.remove(0);
            found.running += 1;
            self.first = (self.first + 1) % self.controllers.len();
            let state = self.lanes.get_mut(&lane).unwrap();
            state.running += 1;
            let first = |priority: Priority| {
                let waiting = self.keys.iter().filter(|key| key.lane == lane);
                let of = waiting.filter_map(|key| {
                    key.waiting
                        .filter(|waiting| waiting.0 == priority)
                        .map(|since| (since.1, key))
                });
                of.min_by_key(|(since, _)| *since)
                    .map(|(_, key)| key.key.clone())
            };
            let (urgent, patient) = (first(Priority::Change), first(Priority::Initial));
            let key = match (urgent, patient) {
                (Some(urgent), Some(_)) if state.passed < 7 => {
                    state.passed += 1;
                    urgent
                }
                (urgent, patient) => {
                    state.passed = 0;
                    patient.or(urgent).unwrap()
                }
            };
            let entry = self.key(lane, &key);
            entry.waiting = None;
            entry.running = true;
            self.line_up(lane);
            return Some((lane, key));
        }
        None
    }

    fn finish(&mut self, lane: Lane, controller: usize, key: &ObjectKey, outcome: &Outcome) {
        self.controllers[controller].running -= 1;
        let Some(state) = self.lanes.get_mut(&lane) else {
            return;
        };
        state.running -= 1;
        let entry = self.key(lane, key);
        entry.running = false;
        entry.expected.extend(outcome.written.iter().cloned());
        let ours = entry.expected.clone();
        let mut woken = None;
        for (priority, cause) in std::mem::take(&mut entry.meanwhile) {
            let is_ours = cause.is_some_and(|cause| {
                entry.expected.retain(|one| *one != cause);
                ours.contains(&cause)
            });
            if !is_ours && woken != Some(Priority::Change) {
                woken = Some(priority);
            }
        }
        let too_many = entry.expected.len().saturating_sub(16);
        entry.expected.drain(..too_many);
        let gone = std::mem::take(&mut entry.gone);
        if gone {
            entry.expected.clear();
        }
        match (woken, outcome.again) {
            (Some(priority), _) => self.wake(lane, key, priority, None),
            (None, Again::After(delay)) if !gone => entry.due = Some(Instant::now() + delay),
            _ => {}
        }
        self.line_up(lane);
    }

    fn forget(&mut self, lane: Lane, key: &ObjectKey) {
        let entry = self.key(lane, key);
        entry.gone = entry.running;
        entry.expected.clear();
        entry.due = None;
    }
}

async fn play(seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let queue = Queue::new();
    let mut naive = Naive::default();
    for concurrency in [3, 5] {
        let pace = pace(concurrency, 2);
        let controller = queue.add_controller(pace);
        let line = Vec::new();
        naive.controllers.push(NaiveController {
            pace,
            running: 0,
            line,
        });
        for _ in 0..3 {
            let lane = queue.add_lane(controller);
            let fresh = NaiveLane {
                controller,
                running: 0,
                open: false,
                passed: 0,
            };
            naive.lanes.insert(lane, fresh);
        }
    }
    let lanes: Vec<Lane> = naive.lanes.keys().copied().collect();
    let controller_of: BTreeMap<Lane, usize> = naive
        .lanes
        .iter()
        .map(|(lane, state)| (*lane, state.controller))
        .collect();
    let mut running: Vec<Job> = Vec::new();
    let mut written = 0;
    for step in 0..STEPS {
        let lane = lanes[dice.below(lanes.len() as u64) as usize];
        let name = key(&format!("key-{}", dice.below(NAMES)));
        match dice.below(12) {
            0..=4 if naive.lanes.contains_key(&lane) => {
                let priority = match dice.below(2) {
                    0 => Priority::Change,
                    _ => Priority::Initial,
                };
                let cause = match dice.below(3) {
                    0 => None,
                    _ => Some(version(written + dice.below(4) as u32)),
                };
                queue.wake(lane, name.clone(), priority, cause.clone());
                naive.wake(lane, &name, priority, cause);
            }
            5..=7 => {
                let (job, expected) = (take(&queue), naive.take(Instant::now()));
                let found = job.as_ref().map(|job| (job.lane, job.key.clone()));
                assert_eq!(found, expected, "seed {seed}, step {step}");
                running.extend(job);
            }
            8 | 9 if !running.is_empty() => {
                let job = running.remove(dice.below(running.len() as u64) as usize);
                let again = match dice.below(3) {
                    0 => Again::After(Duration::from_millis(1 + dice.below(40))),
                    _ => Again::Never,
                };
                let mut mine = Vec::new();
                for _ in 0..dice.below(3) {
                    written += 1;
                    mine.push(version(written));
                }
                let outcome = Outcome {
                    again,
                    hiccup: false,
                    written: mine,
                };
                naive.finish(job.lane, controller_of[&job.lane], &job.key, &outcome);
                queue.finish(job, outcome);
            }
            10 => match dice.below(8) {
                0 if naive.lanes.len() > 2 => {
                    queue.close(lane);
                    naive.lanes.remove(&lane);
                    naive.keys.retain(|key| key.lane != lane);
                    naive
                        .controllers
                        .iter_mut()
                        .for_each(|one| one.line.retain(|at| *at != lane));
                }
                1 | 2 if naive.lanes.contains_key(&lane) => {
                    queue.forget(lane, &name);
                    naive.forget(lane, &name);
                }
                _ => {
                    queue.open(lane);
                    if let Some(found) = naive.lanes.get_mut(&lane) {
                        found.open = true;
                    }
                    naive.line_up(lane);
                }
            },
            _ => tokio::time::advance(Duration::from_millis(dice.below(20))).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_does_what_a_naive_queue_does() {
    for seed in 1..=SEEDS {
        play(seed).await;
    }
}
