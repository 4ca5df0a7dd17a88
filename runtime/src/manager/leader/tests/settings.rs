//! What a user may choose.

use std::time::Duration;

use super::super::LeaderElection;
use super::SECOND;

fn election() -> LeaderElection {
    LeaderElection::new("operator")
}

#[test]
fn the_defaults_are_those_of_client_go() {
    let election = election().check("ops").unwrap();
    assert_eq!(
        (election.name.as_str(), election.namespace.as_str()),
        ("operator", "ops")
    );
    assert_eq!(election.lease_seconds, 15);
    assert_eq!(
        (election.renew_deadline, election.retry),
        (10 * SECOND, 2 * SECOND)
    );
    let (host, number) = election.identity.rsplit_once('_').unwrap();
    assert!(
        !host.is_empty() && number.len() == 16,
        "{}",
        election.identity
    );
    let other = LeaderElection::new("operator").check("ops").unwrap();
    assert_ne!(other.identity, election.identity);
}

#[test]
fn what_can_work_is_taken() {
    let short = election()
        .lease(SECOND)
        .renew_deadline(Duration::from_millis(700));
    assert_eq!(
        short
            .retry(Duration::from_millis(500))
            .check("ops")
            .unwrap()
            .lease_seconds,
        1
    );
    let named = LeaderElection::new("a.b-1.c")
        .namespace("other")
        .identity("pod-0");
    let named = named.check("Not used").unwrap();
    assert_eq!(
        (named.namespace.as_str(), named.identity.as_str()),
        ("other", "pod-0")
    );
}

#[test]
fn what_cannot_work_is_refused_with_its_name() {
    let millis = Duration::from_millis;
    for (election, words) in [
        (
            LeaderElection::new(""),
            "\"\" cannot be the name of a Lease",
        ),
        (
            LeaderElection::new("Operator"),
            "\"Operator\" cannot be the name of a Lease",
        ),
        (LeaderElection::new("a..b"), "beside each '.'"),
        (
            LeaderElection::new("a/../b"),
            "cannot be the name of a Lease",
        ),
        (LeaderElection::new("x".repeat(254)), "at most 253"),
        (
            election().namespace("a.b"),
            "\"a.b\" cannot be a namespace: it has to be a DNS label",
        ),
        (election().namespace(""), "cannot be a namespace"),
        (election().namespace("x".repeat(64)), "at most 63"),
        (election().identity(""), "the identity is empty"),
        (election().lease(millis(15_500)), "whole seconds"),
        (election().lease(Duration::ZERO), "whole seconds"),
        (election().lease(Duration::MAX), "whole seconds"),
        (
            election().lease(10 * SECOND),
            "the lease (10s) has to be longer than the renew deadline (10s)",
        ),
        (
            election().renew_deadline(Duration::MAX),
            "has to be longer than the renew deadline",
        ),
        (
            election().renew_deadline(millis(2_400)),
            "the renew deadline (2.4s) has to be longer than 1.2 times the retry (2s)",
        ),
        (election().retry(Duration::MAX), "1.2 times the retry"),
        (election().retry(Duration::ZERO), "longer than nothing"),
    ] {
        let error = election.check("ops").unwrap_err();
        assert!(error.contains(words), "{error}");
    }
    let error = election().check("Ops").unwrap_err();
    assert!(
        error.contains("\"Ops\"") && error.contains("`.namespace(..)`"),
        "{error}"
    );
}
