//! What the queue costs; `tests/benches/README.md` says how to run it and what came out.

use std::hint::black_box;

use super::tests::{pace, take};
use super::*;

const CLUSTERS: usize = 10_000;
const KEYS: usize = 100;

fn key(number: usize) -> ObjectKey {
    ObjectKey::namespaced("default", format!("site-{number:05}"))
}

/// Resident memory in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.unwrap().split_whitespace().nth(1).unwrap();
    number.parse::<usize>().unwrap() * 1024
}

#[test]
#[ignore = "it measures, on a quiet machine and optimized"]
fn a_million_keys_in_ten_thousand_clusters() {
    let all = CLUSTERS * KEYS;
    let before = resident();
    let names: Vec<ObjectKey> = (0..all).map(|number| key(number % KEYS)).collect();
    let of_names = (resident() - before) / all;
    drop(black_box(names));

    let queue = Queue::new();
    let controller = queue.add_controller(pace(64, 8));
    let lanes: Vec<Lane> = (0..CLUSTERS)
        .map(|_| {
            let lane = queue.add_lane(controller);
            queue.open(lane);
            lane
        })
        .collect();
    let before = resident();
    let begun = std::time::Instant::now();
    for number in 0..KEYS {
        for lane in &lanes {
            queue.wake(*lane, key(number), Priority::Initial, None);
        }
    }
    let woken = begun.elapsed();
    let held = (resident() - before) / all;
    let begun = std::time::Instant::now();
    for _ in 0..all {
        let job = take(&queue).unwrap();
        queue.finish(job, Outcome::default());
    }
    let drained = begun.elapsed();
    assert!(take(&queue).is_none(), "all have run");
    let rate =
        |operations: usize, time: std::time::Duration| operations as f64 / time.as_secs_f64() / 1e6;
    println!("wakes: {:.2} million a second", rate(all, woken));
    println!(
        "takes and finishes: {:.2} million a second",
        rate(2 * all, drained)
    );
    println!(
        "altogether: {:.2} million a second",
        rate(3 * all, woken + drained)
    );
    println!("a waiting key: {held} bytes, of which a key with its names is {of_names}");
}
