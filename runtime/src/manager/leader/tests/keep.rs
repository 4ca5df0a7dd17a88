//! A Lease is renewed, lost or given back.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::LeaseSpec;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::Leadership;
use super::{Fault, SECOND, Server, after_calls, candidate, leader};

#[tokio::test(start_paused = true)]
async fn renewals_keep_everything_but_the_time() {
    let server = Server::default();
    let mut me = leader(&server).await;
    let before = server.spec();
    let begun = Instant::now();
    tokio::select! {
        biased;
        lost = me.hold() => panic!("{lost}"),
        () = after_calls(&server, 3) => {}
    }
    assert!(begun.elapsed() >= 6 * SECOND && begun.elapsed() < 7 * SECOND);
    assert_eq!(server.calls(), ["update"; 3]);
    let after = server.spec();
    assert!(after.renew_time.as_ref().unwrap().0 > before.renew_time.as_ref().unwrap().0);
    assert_eq!(
        LeaseSpec {
            renew_time: None,
            ..after
        },
        LeaseSpec {
            renew_time: None,
            ..before
        }
    );
}

#[tokio::test(start_paused = true)]
async fn it_outlives_edits_deletions_and_lost_answers() {
    let server = Server::default();
    let mut me = leader(&server).await;
    let trouble = async {
        server.edit(|lease| lease.metadata.labels = Some([("a".into(), "b".into())].into()));
        after_calls(&server, 3).await;
        assert_eq!(server.calls(), ["update", "get", "update"], "a label");
        server.with(|inner| inner.lease = None);
        after_calls(&server, 3).await;
        assert_eq!(server.calls(), ["update", "get", "create"], "a deletion");
        server.edit(|lease| lease.spec.as_mut().unwrap().holder_identity = Some("".into()));
        after_calls(&server, 3).await;
        assert_eq!(
            server.calls(),
            ["update", "get", "update"],
            "an emptied holder"
        );
        assert_eq!(server.spec().lease_transitions, Some(1));
        server.fails([Fault::Lost]);
        after_calls(&server, 4).await;
        assert_eq!(
            server.calls(),
            ["update", "update", "get", "update"],
            "no answer"
        );
        server.fails([
            Fault::Refusal(503),
            Fault::Refusal(500),
            Fault::Refusal(429),
        ]);
        after_calls(&server, 4).await;
        assert_eq!(server.calls(), ["update"; 4], "a server in trouble");
    };
    tokio::select! {
        biased;
        lost = me.hold() => panic!("{lost}"),
        () = trouble => {}
    }
    assert_eq!(server.holder().as_deref(), Some("me"));
}

#[tokio::test(start_paused = true)]
async fn it_is_lost_when_it_cannot_be_renewed_in_time() {
    for (fault, words) in [
        (
            refused as fn() -> Fault,
            "the server says no (403 Whatever)",
        ),
        (silent, "no answer within 5 s"),
    ] {
        let server = Server::default();
        let mut me = leader(&server).await;
        // It is the last renewal that counts.
        tokio::select! {
            biased;
            lost = me.hold() => panic!("{lost}"),
            () = after_calls(&server, 1) => {}
        }
        let renewed = Instant::now();
        server.with(|inner| inner.always = Some(fault));
        let lost = me.hold().await.to_string();
        let held = renewed.elapsed();
        // The renewal was at most the interval of looking at it before.
        assert!(
            held <= 10 * SECOND && held >= Duration::from_millis(9_980),
            "{held:?}"
        );
        for part in ["the Lease ops/operator was not renewed within 10s", words] {
            assert!(lost.contains(part), "{lost}");
        }
    }
}

fn refused() -> Fault {
    Fault::Refusal(403)
}

fn silent() -> Fault {
    Fault::Silence
}

#[tokio::test(start_paused = true)]
async fn it_is_lost_at_the_next_look_when_somebody_else_has_it() {
    let server = Server::default();
    let mut me = leader(&server).await;
    // One that is over already: it may be somebody who works.
    server.held_by("other", 0);
    let begun = Instant::now();
    let lost = me.hold().await.to_string();
    assert_eq!(begun.elapsed(), 2 * SECOND);
    assert!(
        lost.contains("the Lease ops/operator was taken by \"other\""),
        "{lost}"
    );
    assert_eq!(server.holder().as_deref(), Some("other"));
    assert_eq!(server.calls(), ["update", "get"]);
    me.release().await;
    assert_eq!(server.calls(), [""; 0], "it is not ours to give");
}

#[tokio::test(start_paused = true)]
async fn what_is_released_is_free_at_once_for_the_next() {
    let server = Server::default();
    leader(&server).await.release().await;
    let spec = server.spec();
    assert_eq!(spec.holder_identity.as_deref(), Some(""));
    assert_eq!(
        (spec.lease_duration_seconds, spec.lease_transitions),
        (Some(1), Some(0))
    );
    assert_eq!(server.calls(), ["update"]);
    let begun = Instant::now();
    candidate(&server, "next")
        .acquire(&CancellationToken::new())
        .await;
    assert_eq!(
        (begun.elapsed(), server.spec().lease_transitions),
        (Duration::ZERO, Some(1))
    );
}

#[tokio::test(start_paused = true)]
async fn a_release_looks_again_and_gives_back_only_what_is_ours() {
    let server = Server::default();
    let mut me = leader(&server).await;
    server.edit(|lease| lease.metadata.labels = Some([("a".into(), "b".into())].into()));
    me.release().await;
    assert_eq!(server.calls(), ["update", "get", "update"]);
    assert_eq!(server.holder().as_deref(), Some(""));

    let server = Server::default();
    let mut me = leader(&server).await;
    server.held_by("other", 15);
    me.release().await;
    assert_eq!(server.calls(), ["update", "get"]);
    assert_eq!(server.holder().as_deref(), Some("other"));
}

#[tokio::test(start_paused = true)]
async fn a_release_that_nobody_answers_ends() {
    let server = Server::default();
    let mut me = leader(&server).await;
    server.with(|inner| inner.always = Some(silent));
    let begun = Instant::now();
    me.release().await;
    assert_eq!(begun.elapsed(), 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_leadership_is_renewed_until_it_ends_and_released_then() {
    let server = Server::default();
    let leadership = Leadership::of(leader(&server).await);
    after_calls(&server, 2).await;
    leadership.end().await.unwrap();
    assert_eq!(server.calls(), ["update"; 3]);
    assert_eq!(server.holder().as_deref(), Some(""));
    tokio::time::sleep(100 * SECOND).await;
    assert_eq!(server.calls(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_leadership_says_that_it_is_lost() {
    let server = Server::default();
    let leadership = Leadership::of(leader(&server).await);
    server.held_by("other", 15);
    leadership.lost().await;
    let lost = leadership.end().await.unwrap_err().to_string();
    assert!(
        lost.contains("\"other\"") && lost.contains("start the process anew"),
        "{lost}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_leadership_that_is_dropped_is_neither_renewed_nor_released() {
    let server = Server::default();
    let leadership = Leadership::of(leader(&server).await);
    after_calls(&server, 1).await;
    drop(leadership);
    server.calls();
    tokio::time::sleep(100 * SECOND).await;
    assert_eq!(server.calls(), [""; 0]);
    assert_eq!(server.holder().as_deref(), Some("me"));
}
