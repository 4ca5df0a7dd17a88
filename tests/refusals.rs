//! A server that refuses, says different things or nothing: it is not pestered, it is told of where users look,
//! and no other project waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kommodore_tests::{
    Asked, Fault, Fleet, Operator, Point, Sites, WATCHED, eventually, no_streams, run, status_of,
};
use tokio::sync::watch;

/// How many requests a rule has seen.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Count {
    fn one_more(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    async fn comes_to(&self, count: usize) {
        let what = format!("{count} requests are seen");
        eventually(&what, async || match self.0.load(Ordering::Relaxed) {
            seen if seen >= count => Ok(()),
            seen => Err(seen),
        })
        .await;
    }
}

/// An operator whose requests a proxy treats as `rule` says.
async fn operate(
    fleet: &Fleet,
    rule: impl Fn(&Asked<'_>) -> Fault + Send + Sync + 'static,
) -> (Sites, Operator) {
    let sites = Sites::default();
    let manager = fleet.manager_behind(rule).await;
    (sites.clone(), Operator::start(manager.controller(sites)))
}

/// Watches of websites fail so, and the lists before them succeed: the next list has to come later and later.
async fn lists_ever_more_rarely(code: u16, reason: &'static str) {
    let fleet = run::embedded().await;
    fleet.create_shop("red").await;
    let tries = Count::default();
    let count = tries.clone();
    let _operator = operate(&fleet, move |asked| {
        if !asked.watches("websites") {
            return Fault::None;
        }
        if asked.streams() {
            return no_streams();
        }
        count.one_more();
        Fault::Refusal(code, reason, "the watch is refused".into())
    })
    .await;
    tries.comes_to(1).await;
    let started = Instant::now();
    tries.comes_to(5).await;
    // Doubling from a quarter of a second they take almost four, and one if it never grew.
    let elapsed = started.elapsed();
    assert!(elapsed > Duration::from_secs(2), "four more in {elapsed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_that_may_be_listed_and_not_watched_is_listed_ever_more_rarely() {
    lists_ever_more_rarely(403, "Forbidden").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_whose_history_is_always_gone_is_listed_ever_more_rarely() {
    lists_ever_more_rarely(410, "Expired").await;
}

/// Every write of the finalizer fails so.
async fn finalizer_fails(code: u16, reason: &'static str, ready: &str) {
    let fleet = run::embedded().await;
    fleet.create_shop("red").await;
    let (sites, _operator) = operate(&fleet, move |asked| match asked.patches("websites/one") {
        true => Fault::Refusal(code, reason, "a webhook denied it".into()),
        false => Fault::None,
    })
    .await;
    fleet.create_website("red", "one").await;
    let what = format!("Ready is {ready}");
    fleet
        .website_is("red", "one", &what, |one| {
            status_of(one, "Ready").is_some_and(|(status, _)| status == ready)
        })
        .await;
    assert_eq!(sites.probe.count(Point::Begin, "one"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finalizer_that_is_refused_makes_it_not_ready() {
    finalizer_fails(403, "Forbidden", "False").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finalizer_that_a_server_in_trouble_does_not_write_makes_ready_unknown() {
    finalizer_fails(503, "ServiceUnavailable", "Unknown").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trouble_in_ever_other_words_is_written_once() {
    let fleet = run::embedded().await;
    fleet.create_shop("red").await;
    let tries = Count::default();
    let count = tries.clone();
    let _operator = operate(&fleet, move |asked| {
        if !asked.patches("configmaps/one") {
            return Fault::None;
        }
        let message = format!("etcdserver: request {} timed out", count.one_more());
        Fault::Refusal(500, "InternalError", message)
    })
    .await;
    let mark = fleet.requests().mark();
    fleet.create_website("red", "one").await;
    // A run begins when the one before has written, and a run may try more than once.
    tries.comes_to(7).await;
    fleet
        .website_is("red", "one", "Ready is Unknown", |one| {
            status_of(one, "Ready").is_some_and(|(status, _)| status == "Unknown")
        })
        .await;
    let all = ["patch websites/one", "patch websites/one/status"];
    assert_eq!(fleet.wrote("red", mark), all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_projects_that_answer_nothing_delay_no_other() {
    let fleet = run::embedded().await;
    for number in 0..40 {
        fleet.create_project(&format!("dead-{number}")).await;
    }
    let hung = Count::default();
    let count = hung.clone();
    let _operator = operate(&fleet, move |asked| {
        if !asked.is_in("dead-") {
            return Fault::None;
        }
        count.one_more();
        Fault::Silence
    })
    .await;
    hung.comes_to(64).await;
    fleet.create_shop("blue").await;
    fleet.create_website("blue", "one").await;
    let started = Instant::now();
    fleet.website_ready("blue", "one").await;
    // Less than a request is given until it is taken for lost.
    let elapsed = started.elapsed();
    assert!(elapsed < Duration::from_secs(10), "after {elapsed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_that_does_not_know_projects_for_a_moment_loses_none() {
    let fleet = run::embedded().await;
    fleet.create_shop("red").await;
    let (switch, unknown) = watch::channel(false);
    let refused = Count::default();
    let count = refused.clone();
    let (_, _operator) = operate(&fleet, move |asked| {
        if !(asked.is_of("projects") && *unknown.borrow()) {
            return Fault::None;
        }
        count.one_more();
        let message = "the server could not find the requested resource";
        Fault::Refusal(404, "NotFound", message.into())
    })
    .await;
    fleet.engaged("red", &WATCHED).await;
    let mark = fleet.requests().mark();
    switch.send_replace(true);
    fleet.drop_watches(None);
    refused.comes_to(3).await;
    fleet.create_website("red", "one").await;
    fleet.website_ready("red", "one").await;
    switch.send_replace(false);
    fleet.create_shop("blue").await;
    fleet.engaged("blue", &WATCHED).await;
    let listed = fleet.listed("red", mark);
    assert_eq!(listed, [""; 0], "it was engaged all the time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_that_was_deleted_and_created_unseen_is_worked_on() {
    let fleet = run::embedded().await;
    fleet.create_shop("red").await;
    let (switch, lags) = watch::channel(false);
    let (_, _operator) = operate(&fleet, move |asked| match asked.watches("projects") {
        true => Fault::Lag(lags.clone()),
        false => Fault::None,
    })
    .await;
    fleet.engaged("red", &WATCHED).await;
    for turn in ["one", "two", "three"] {
        switch.send_replace(true);
        fleet.delete_project("red").await;
        fleet.project_gone("red").await;
        fleet.create_shop("red").await;
        switch.send_replace(false);
        fleet.create_website("red", turn).await;
        fleet.website_ready("red", turn).await;
        // What is left would hold up the project's deletion, which is not to be seen.
        fleet.delete_website("red", turn).await;
        fleet.website_gone("red", turn).await;
    }
}
