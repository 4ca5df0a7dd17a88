//! A Lease is had when it is free, when its time is over or when it is ours, and not before.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::candidate::{Candidate, Trouble, Verb};
use super::{Fault, SECOND, Server, candidate, refusal};
use crate::transport::Failure;

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_not_there_is_created() {
    let server = Server::default();
    let begun = Instant::now();
    candidate(&server, "me")
        .acquire(&CancellationToken::new())
        .await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(server.calls(), ["get", "create"]);
    let spec = server.spec();
    assert_eq!(spec.holder_identity.as_deref(), Some("me"));
    assert_eq!(
        (spec.lease_duration_seconds, spec.lease_transitions),
        (Some(15), Some(0))
    );
    assert!(spec.acquire_time.is_some() && spec.acquire_time == spec.renew_time);
}

#[tokio::test(start_paused = true)]
async fn of_two_that_create_it_at_once_one_leads() {
    let server = Server::default();
    let (mut one, mut two) = (candidate(&server, "one"), candidate(&server, "two"));
    let won = async |candidate: &mut Candidate<Server>| {
        tokio::time::timeout(10 * SECOND, candidate.acquire(&CancellationToken::new()))
            .await
            .is_ok()
    };
    let (first, second) = tokio::join!(won(&mut one), won(&mut two));
    assert!(first != second);
    assert_eq!(
        server.holder().as_deref(),
        Some(if first { "one" } else { "two" })
    );
    assert_eq!(server.calls()[..4], ["get", "get", "create", "create"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_renewed_is_never_taken_whatever_its_clock_says() {
    let server = Server::default();
    server.held_by("other", 5);
    let mut me = candidate(&server, "me");
    let others = async {
        for _ in 0..100 {
            tokio::time::sleep(4 * SECOND).await;
            server.held_by("other", 5);
        }
    };
    let never = CancellationToken::new();
    tokio::select! {
        biased;
        () = others => {}
        _ = me.acquire(&never) => panic!("it was taken"),
    }
    assert!(server.calls().iter().all(|call| *call == "get"));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_renewed_is_taken_after_the_time_that_it_names() {
    let server = Server::default();
    server.held_by("other", 40);
    server.edit(|lease| lease.spec.as_mut().unwrap().lease_transitions = Some(7));
    // By its own clock it was over long ago, and by ours it has just been seen.
    let begun = Instant::now();
    candidate(&server, "me")
        .acquire(&CancellationToken::new())
        .await;
    let waited = begun.elapsed();
    assert!(
        waited >= 40 * SECOND && waited <= Duration::from_millis(42_500),
        "{waited:?}"
    );
    let spec = server.spec();
    assert_eq!(spec.holder_identity.as_deref(), Some("me"));
    assert_eq!(
        (spec.lease_duration_seconds, spec.lease_transitions),
        (Some(15), Some(8))
    );
    assert_eq!(spec.acquire_time, spec.renew_time);
}

#[tokio::test(start_paused = true)]
async fn a_label_is_no_sign_of_life() {
    let server = Server::default();
    server.held_by("other", 15);
    let begun = Instant::now();
    let mut me = candidate(&server, "me");
    let labels = async {
        for turn in 0.. {
            tokio::time::sleep(SECOND).await;
            let label = ("turn".to_owned(), turn.to_string());
            server.edit(|lease| lease.metadata.labels = Some([label].into()));
        }
    };
    let never = CancellationToken::new();
    tokio::select! {
        biased;
        () = labels => {}
        _ = me.acquire(&never) => {}
    }
    assert!(
        begun.elapsed() <= Duration::from_millis(17_500),
        "{:?}",
        begun.elapsed()
    );
    assert!(server.with(|inner| inner.lease.clone().unwrap().metadata.labels.is_some()));
}

#[tokio::test(start_paused = true)]
async fn one_that_was_released_or_is_our_own_is_taken_at_once() {
    for (holder, transitions) in [("", 4), ("me", 3)] {
        let server = Server::default();
        server.held_by(holder, 15);
        server.edit(|lease| lease.spec.as_mut().unwrap().lease_transitions = Some(3));
        let begun = Instant::now();
        candidate(&server, "me")
            .acquire(&CancellationToken::new())
            .await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!(
            server.spec().lease_transitions,
            Some(transitions),
            "{holder:?}"
        );
        assert_eq!(server.calls(), ["get", "update"]);
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_on_the_way_to_the_lease_is_tried_again() {
    let server = Server::default();
    let refusals = [403, 403, 500, 404].map(Fault::Refusal);
    server.fails(refusals.into_iter().chain([Fault::Silence]));
    let begun = Instant::now();
    candidate(&server, "me")
        .acquire(&CancellationToken::new())
        .await;
    // Five times a retry, give or take a quarter, and 5 s for the one that was not answered.
    let waited = begun.elapsed();
    assert!(
        waited >= Duration::from_millis(12_500) && waited <= Duration::from_millis(17_500),
        "{waited:?}"
    );
    assert_eq!(
        server.calls(),
        ["get", "get", "get", "get", "get", "get", "create"]
    );
}

#[test]
fn trouble_is_said_once_until_it_is_over() {
    let trouble = Trouble::default();
    assert!(trouble.is_new(Verb::Get, &refusal(403)));
    assert!(!trouble.is_new(Verb::Get, &refusal(403)));
    assert!(
        trouble.is_new(Verb::Create, &refusal(403)),
        "another permission"
    );
    assert!(trouble.is_new(Verb::Get, &Failure::Deadline(SECOND)));
    assert!(!trouble.is_new(Verb::Get, &refusal(403)), "in turns");
    assert!(trouble.is_over());
    assert!(!trouble.is_over());
    assert!(trouble.is_new(Verb::Get, &refusal(403)));
    assert!(!trouble.is_new(Verb::Update, &refusal(409)), "a race");
    assert!(
        trouble.is_new(Verb::Create, &refusal(404)),
        "no such namespace"
    );
}
