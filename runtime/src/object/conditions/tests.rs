use super::*;

const DECLARED: &[&Described] = &[
    &Described::new("DnsConfigured", ""),
    &Described::new("Degraded", "").negative(),
];

fn set(name: &'static str, state: State) -> SetCondition {
    SetCondition {
        name,
        state,
        reason: format!("Its{}", state.as_str()),
        message: "because".into(),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// The conditions after a reconcile, as `type=status reason@transition/generation`.
fn run(
    before: &[Value],
    set: &[SetCondition],
    verdict: Verdict,
    generation: i64,
    now: i64,
) -> Vec<Value> {
    let ready = Ready {
        name: READY,
        declared: DECLARED,
        set,
        verdict: &verdict,
        generation: Some(generation),
        now: at(now),
    };
    next_conditions(before, &ready)
}

fn status<'a>(conditions: &'a [Value], name: &str) -> Option<(&'a str, &'a str)> {
    let condition = find(conditions, name)?;
    Some((condition["status"].as_str()?, condition["reason"].as_str()?))
}

fn good() -> [SetCondition; 2] {
    [
        set("DnsConfigured", State::True),
        set("Degraded", State::False),
    ]
}

#[test]
fn ready_follows_from_the_declared_conditions() {
    let cases = [
        (State::True, State::False, ("True", "ReconcileSucceeded")),
        (State::False, State::False, ("False", "ItsFalse")),
        (State::True, State::True, ("False", "ItsTrue")),
        (State::Unknown, State::False, ("Unknown", "ItsUnknown")),
        (State::True, State::Unknown, ("Unknown", "ItsUnknown")),
        (State::Unknown, State::True, ("False", "ItsTrue")),
    ];
    for (dns, degraded, expected) in cases {
        let after = run(
            &[],
            &[set("DnsConfigured", dns), set("Degraded", degraded)],
            Verdict::Derived,
            1,
            10,
        );
        assert_eq!(
            status(&after, READY),
            Some(expected),
            "DnsConfigured {dns:?}, Degraded {degraded:?}"
        );
    }
}

#[test]
fn a_condition_that_was_never_set_is_unknown_and_so_is_ready() {
    let after = run(
        &[],
        &[set("DnsConfigured", State::True)],
        Verdict::Derived,
        1,
        10,
    );
    assert_eq!(status(&after, "Degraded"), Some(("Unknown", "Pending")));
    assert_eq!(status(&after, READY), Some(("Unknown", "Pending")));
}

#[test]
fn a_condition_that_this_run_did_not_set_is_kept_and_counts_as_unknown_while_it_is_behind() {
    let first = run(&[], &good(), Verdict::Derived, 1, 10);
    let same_generation = run(&first, &[], Verdict::Derived, 1, 20);
    assert_eq!(same_generation, first);
    let behind = run(
        &first,
        &[set("Degraded", State::False)],
        Verdict::Derived,
        2,
        20,
    );
    assert_eq!(
        find(&behind, "DnsConfigured"),
        find(&first, "DnsConfigured")
    );
    assert_eq!(status(&behind, READY), Some(("Unknown", "ItsTrue")));
}

#[test]
fn the_transition_time_moves_only_with_the_status() {
    let first = run(&[], &good(), Verdict::Derived, 1, 10);
    let again = run(&first, &good(), Verdict::Derived, 2, 20);
    let time =
        |conditions: &[Value], name| find(conditions, name).unwrap()["lastTransitionTime"].clone();
    assert_eq!(time(&again, READY), time(&first, READY));
    assert_eq!(find(&again, READY).unwrap()["observedGeneration"], 2);
    let failed = run(
        &again,
        &[set("DnsConfigured", State::False)],
        Verdict::Derived,
        2,
        30,
    );
    assert_eq!(time(&failed, READY), json!("1970-01-01T00:00:30Z"));
    assert_eq!(time(&failed, "Degraded"), time(&first, "Degraded"));
}

#[test]
fn a_terminal_error_is_stalled_until_a_success() {
    let failed = Verdict::Failed {
        reason: "ReconcileFailed",
        message: "no such zone".into(),
        stalled: true,
    };
    let stalled = run(&[], &[], failed, 1, 10);
    assert_eq!(status(&stalled, READY), Some(("False", "ReconcileFailed")));
    assert_eq!(status(&stalled, STALLED), Some(("True", "ReconcileFailed")));
    let hiccup = Verdict::Unknown {
        reason: "ServerUnavailable",
        message: String::new(),
    };
    assert_eq!(
        status(&run(&stalled, &[], hiccup, 1, 20), STALLED),
        Some(("True", "ReconcileFailed"))
    );
    let mended = run(&stalled, &good(), Verdict::Derived, 1, 20);
    assert_eq!(status(&mended, STALLED), None);
    assert_eq!(status(&mended, READY), Some(("True", "ReconcileSucceeded")));
}

#[test]
fn what_the_user_says_of_ready_counts_more_than_the_conditions() {
    let said = Verdict::Said(State::True, "GoodEnough".into(), "one replica is up".into());
    let after = run(&[], &[set("DnsConfigured", State::False)], said, 1, 10);
    assert_eq!(status(&after, READY), Some(("True", "GoodEnough")));
}

#[test]
fn conditions_of_others_stay_with_every_field() {
    let foreign = json!({"type": "Billed", "status": "True", "reason": "Paid", "message": "", "note": 7,
        "lastTransitionTime": "2020-01-01T00:00:00Z"});
    let after = run(
        std::slice::from_ref(&foreign),
        &good(),
        Verdict::Derived,
        1,
        10,
    );
    assert_eq!(after[0], foreign);
    assert_eq!(after.len(), 4);
}

#[test]
fn reasons_and_messages_keep_to_the_limits_of_the_api() {
    assert_eq!(reason("not a reason!"), "notareason");
    assert_eq!(reason("42Things:"), "Things");
    assert_eq!(reason("…"), "Unspecified");
    assert_eq!(cut("äö", 3), "ä");
}

#[test]
fn a_condition_that_stands_apart_and_a_renamed_summary() {
    const CACHED: &Described = &Described::new("Cached", "").apart();
    let declared = [CACHED];
    let cached_is_false = [set("Cached", State::False)];
    let verdict = Verdict::Derived;
    let mut ready = Ready {
        name: "Available",
        declared: &declared,
        set: &cached_is_false,
        verdict: &verdict,
        generation: Some(1),
        now: at(0),
    };
    let conditions = next_conditions(&[], &ready);
    assert_eq!(status(&conditions, "Cached"), Some(("False", "ItsFalse")));
    assert_eq!(
        status(&conditions, "Available"),
        Some(("True", "ReconcileSucceeded"))
    );
    assert_eq!(status(&conditions, READY), None);

    // `Stalled` belongs to who writes `Ready`.
    let stalled = json!({"type": STALLED, "status": "True"});
    let failed = Verdict::Failed {
        reason: "ReconcileFailed",
        message: "no".into(),
        stalled: true,
    };
    assert!(!ready.writes(&stalled));
    assert_eq!(
        next_conditions(std::slice::from_ref(&stalled), &ready)[0],
        stalled
    );
    ready.verdict = &failed;
    assert_eq!(status(&next_conditions(&[], &ready), STALLED), None);
}
