use std::time::Duration;

use super::*;
use crate::engine::Again;

pub(super) fn key(name: &str) -> ObjectKey {
    ObjectKey::namespaced("shop", name)
}

pub(super) fn version(number: u32) -> Version {
    ("uid".into(), number.to_string())
}

pub(super) fn pace(concurrency: usize, cluster_concurrency: usize) -> Pace {
    Pace {
        concurrency,
        cluster_concurrency,
        ..Pace::DEFAULT
    }
}

fn open_lane(queue: &Queue, controller: usize) -> Lane {
    let lane = queue.add_lane(controller);
    queue.open(lane);
    lane
}

/// The next job, or `None` when nothing may run now.
pub(super) fn take(queue: &Queue) -> Option<Job> {
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
    let controller = queue.add_controller(pace(100, 100));
    let busy = open_lane(&queue, controller);
    let quiet = open_lane(&queue, controller);
    for number in 0..50 {
        queue.wake(busy, key(&format!("busy-{number}")), Priority::Change, None);
    }
    queue.wake(quiet, key("quiet"), Priority::Change, None);
    assert_eq!(names(&queue, 3), ["busy-0", "quiet", "busy-1"]);
}

#[tokio::test(start_paused = true)]
async fn changes_go_before_what_was_there() {
    let queue = Queue::new();
    let controller = queue.add_controller(pace(100, 100));
    let lane = open_lane(&queue, controller);
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
    let controller = queue.add_controller(pace(100, 100));
    let lane = open_lane(&queue, controller);
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
    let controller = queue.add_controller(pace(100, 100));
    let lane = open_lane(&queue, controller);
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
async fn an_echo_that_comes_through_two_watches_wakes_nothing_twice() {
    let queue = Queue::new();
    let controller = queue.add_controller(pace(100, 100));
    let lane = open_lane(&queue, controller);
    queue.expect_repetitions(lane);
    queue.wake(lane, key("a"), Priority::Change, None);
    let job = take(&queue).unwrap();
    let echo = |number| queue.wake(lane, key("a"), Priority::Change, Some(version(number)));
    for number in [7, 7, 8] {
        echo(number);
    }
    let written = vec![version(7), version(8), version(9)];
    queue.finish(
        job,
        Outcome {
            written,
            ..Outcome::default()
        },
    );
    for number in [8, 9, 9] {
        echo(number);
    }
    assert_eq!(take(&queue), None);
    assert!(queue.lock().lanes[&lane].keys.is_empty());
    tokio::time::advance(Duration::from_secs(61)).await;
    echo(10);
    let job = take(&queue).unwrap();
    queue.finish(
        job,
        Outcome {
            written: vec![version(11)],
            ..Outcome::default()
        },
    );
    echo(11);
    echo(9);
    assert!(take(&queue).is_some(), "what is long ago is forgotten");
}

#[tokio::test(start_paused = true)]
async fn keys_that_wait_for_an_echo_or_run_are_woken_when_it_may_never_come() {
    let queue = Queue::new();
    let controller = queue.add_controller(pace(100, 100));
    let lane = open_lane(&queue, controller);
    let wrote = |number| Outcome {
        written: vec![version(number)],
        ..Outcome::default()
    };
    for name in ["waits", "content", "runs"] {
        queue.wake(lane, key(name), Priority::Change, None);
    }
    let waits = take(&queue).unwrap();
    queue.finish(waits, wrote(7));
    let content = take(&queue).unwrap();
    queue.finish(content, Outcome::default());
    let runs = take(&queue).unwrap();
    queue.wake_expectant(lane);
    assert_eq!(take(&queue).unwrap().key.name, "waits");
    assert_eq!(take(&queue), None);
    queue.finish(runs, wrote(8));
    assert_eq!(take(&queue).unwrap().key.name, "runs");
    assert_eq!(take(&queue), None);
    queue.wake(lane, key("waits"), Priority::Change, Some(version(7)));
    assert_eq!(
        queue.lock().lanes[&lane].keys[&key("waits")]
            .more()
            .unwrap()
            .meanwhile
            .len(),
        1,
        "no longer expected"
    );
}

#[tokio::test(start_paused = true)]
async fn failures_back_off_and_a_success_resets() {
    let queue = Queue::new();
    let controller = queue.add_controller(pace(100, 100));
    let lane = open_lane(&queue, controller);
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
    let controller = queue.add_controller(pace(3, 2));
    let first = open_lane(&queue, controller);
    let second = open_lane(&queue, controller);
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
    let controller = queue.add_controller(pace(1, 1));
    let gone = open_lane(&queue, controller);
    let there = open_lane(&queue, controller);
    queue.wake(gone, key("running"), Priority::Change, None);
    queue.wake(gone, key("waiting"), Priority::Change, None);
    let job = take(&queue).unwrap();
    queue.wake(there, key("a"), Priority::Change, None);
    assert_eq!(take(&queue), None);
    queue.close(gone);
    assert_eq!(take(&queue), None, "what runs keeps its place");
    queue.finish(
        job,
        Outcome {
            again: Again::Backoff,
            ..Outcome::default()
        },
    );
    assert!(queue.lock().delayed.is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_of_an_object_that_is_gone() {
    let queue = Queue::new();
    let controller = queue.add_controller(pace(1, 1));
    let lane = open_lane(&queue, controller);
    queue.wake(lane, key("a"), Priority::Change, None);
    let job = take(&queue).unwrap();
    let failed = Outcome {
        again: Again::Backoff,
        written: vec![version(7)],
        ..Outcome::default()
    };
    queue.finish(job, failed);
    queue.forget(lane, &key("a"));
    let state = queue.lock();
    assert!(state.lanes[&lane].keys.is_empty() && state.delayed.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_resync_comes_in_its_time_and_behind_what_is_news() {
    let queue = Queue::new();
    let controller = queue.add_controller(pace(100, 100));
    let lane = open_lane(&queue, controller);
    queue.wake(lane, key("a"), Priority::Change, None);
    let outcome = Outcome {
        again: Again::Resync(Duration::from_secs(100)),
        ..Outcome::default()
    };
    queue.finish(take(&queue).unwrap(), outcome);
    tokio::time::advance(Duration::from_secs(74)).await;
    assert_eq!(take(&queue), None);
    tokio::time::advance(Duration::from_secs(52)).await;
    queue.lock().wake_delayed(Instant::now());
    queue.wake(lane, key("b"), Priority::Change, None);
    assert_eq!(names(&queue, 2), ["b", "a"]);
}

#[tokio::test(start_paused = true)]
async fn what_has_time_never_starves() {
    let queue = Queue::new();
    let controller = queue.add_controller(pace(100, 100));
    let lane = open_lane(&queue, controller);
    queue.wake(lane, key("old"), Priority::Initial, None);
    for number in 0..50 {
        queue.wake(lane, key(&format!("new-{number}")), Priority::Change, None);
    }
    assert_eq!(names(&queue, 8).last().map(String::as_str), Some("old"));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_woken_without_end_while_it_runs_remembers_little_and_runs_again() {
    let queue = Queue::new();
    let controller = queue.add_controller(pace(100, 100));
    let lane = open_lane(&queue, controller);
    queue.wake(lane, key("a"), Priority::Change, None);
    let job = take(&queue).unwrap();
    for number in 0..10_000 {
        queue.wake(lane, key("a"), Priority::Change, Some(version(number)));
    }
    let remembered = |queue: &Queue| {
        let state = queue.lock();
        state.lanes[&lane].keys[&key("a")]
            .more()
            .unwrap()
            .meanwhile
            .len()
    };
    assert_eq!(remembered(&queue), 64);
    let written = (0..64).map(version).collect();
    queue.finish(
        job,
        Outcome {
            written,
            ..Outcome::default()
        },
    );
    assert!(take(&queue).is_some());
}

#[test]
fn a_key_that_waits_is_small() {
    // Its entry in the map, its place in a line, and the counts and the texts' headers of its name.
    let entry = size_of::<Arc<ObjectKey>>() + size_of::<state::KeyState>();
    let place = size_of::<(u32, Arc<ObjectKey>)>();
    let name = 2 * size_of::<usize>() + size_of::<ObjectKey>();
    assert!(entry + place + name <= 120, "{entry} + {place} + {name}");
}
