//! Conditions as apimachinery sets them, and the `Ready` that follows from them.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::controller::{ConditionType, Polarity, State};

/// A condition as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SetCondition {
    pub(crate) name: &'static str,
    pub(crate) state: State,
    pub(crate) reason: String,
    pub(crate) message: String,
}

/// What a reconcile says about the object as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It went well: `Ready` follows from the declared conditions.
    Derived,
    /// It went well, and `cx.ready` or `cx.not_ready` said more.
    Said(State, String, String),
    /// It failed. `stalled`: trying again cannot mend it.
    Failed {
        reason: &'static str,
        message: String,
        stalled: bool,
    },
    /// The server has been in trouble for several tries.
    Unknown {
        reason: &'static str,
        message: String,
    },
}

pub(crate) const READY: &str = "Ready";
pub(crate) const STALLED: &str = "Stalled";

/// The API's own limits on a condition's reason and message:
/// <https://github.com/kubernetes/apimachinery/blob/master/pkg/apis/meta/v1/types.go> (`type Condition`).
const LONGEST_REASON: usize = 1024;
const LONGEST_MESSAGE: usize = 32768;

/// What the conditions of an object become.
pub(crate) struct Ready<'a> {
    /// Name and polarity of every declared condition.
    pub(crate) declared: &'a [(&'static str, Polarity)],
    /// What this reconcile set.
    pub(crate) set: &'a [SetCondition],
    pub(crate) verdict: &'a Verdict,
    /// `metadata.generation` of the object that was reconciled.
    pub(crate) generation: Option<i64>,
    pub(crate) now: Timestamp,
}

/// Name and polarity of every variant.
pub(crate) fn declared<T: ConditionType>() -> Vec<(&'static str, Polarity)> {
    T::ALL
        .iter()
        .map(|condition| (condition.name(), condition.polarity()))
        .collect()
}

/// The list of conditions after this reconcile. Those of other writers stay as they are, in their place.
pub(crate) fn next_conditions(before: &[Value], ready: &Ready<'_>) -> Vec<Value> {
    let mut conditions = before.to_vec();
    for set in ready.set {
        ready.put(&mut conditions, set.clone());
    }
    for (name, _) in ready.declared {
        if find(&conditions, name).is_none() {
            let reason = "Pending".into();
            let unset = SetCondition {
                name,
                state: State::Unknown,
                reason,
                message: "not known yet".into(),
            };
            ready.put(&mut conditions, unset);
        }
    }
    let summary = ready.summary(&conditions);
    ready.put(&mut conditions, summary);
    match ready.verdict {
        Verdict::Failed {
            reason,
            message,
            stalled: true,
        } => {
            let reason = (*reason).into();
            ready.put(
                &mut conditions,
                SetCondition {
                    name: STALLED,
                    state: State::True,
                    reason,
                    message: message.clone(),
                },
            );
        }
        // While nothing is known, what was known stays.
        Verdict::Unknown { .. } => {}
        _ => conditions.retain(|condition| name_of(condition) != Some(STALLED)),
    }
    conditions
}

impl Ready<'_> {
    fn summary(&self, conditions: &[Value]) -> SetCondition {
        let ready = |state, reason: String, message: String| SetCondition {
            name: READY,
            state,
            reason,
            message,
        };
        match self.verdict {
            Verdict::Said(state, reason, message) => ready(*state, reason.clone(), message.clone()),
            Verdict::Failed {
                reason, message, ..
            } => ready(State::False, (*reason).into(), message.clone()),
            Verdict::Unknown { reason, message } => {
                ready(State::Unknown, (*reason).into(), message.clone())
            }
            Verdict::Derived => self.derived(conditions),
        }
    }

    /// The first condition that is as it should not be decides; else the first that is unknown; else all is well.
    fn derived(&self, conditions: &[Value]) -> SetCondition {
        let mut unknown = None;
        for (name, polarity) in self.declared {
            let Some(condition) = find(conditions, name) else {
                continue;
            };
            let text = |field: &str| {
                condition
                    .get(field)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let summary = |state| SetCondition {
                name: READY,
                state,
                reason: text("reason"),
                message: format!("{name}: {}", text("message")),
            };
            let behind = match (
                condition.get("observedGeneration").and_then(Value::as_i64),
                self.generation,
            ) {
                (Some(observed), Some(generation)) => observed < generation,
                _ => false,
            };
            match (text("status").as_str(), polarity) {
                _ if behind => unknown = unknown.or(Some(summary(State::Unknown))),
                ("False", Polarity::Positive) | ("True", Polarity::Negative) => {
                    return summary(State::False);
                }
                ("True", Polarity::Positive) | ("False", Polarity::Negative) => {}
                _ => unknown = unknown.or(Some(summary(State::Unknown))),
            }
        }
        unknown.unwrap_or_else(|| SetCondition {
            name: READY,
            state: State::True,
            reason: "ReconcileSucceeded".into(),
            message: String::new(),
        })
    }

    /// Sets one condition by the rules of apimachinery's `meta.SetStatusCondition`: the transition time
    /// moves only when the status does.
    /// <https://github.com/kubernetes/apimachinery/blob/master/pkg/api/meta/conditions.go>
    fn put(&self, conditions: &mut Vec<Value>, set: SetCondition) {
        let status = set.state.as_str();
        let place = conditions
            .iter()
            .position(|condition| name_of(condition) == Some(set.name));
        let since = place.and_then(|place| {
            let condition = &conditions[place];
            let same = condition.get("status").and_then(Value::as_str) == Some(status);
            condition
                .get("lastTransitionTime")
                .filter(|_| same)
                .cloned()
        });
        let fresh = || {
            json!(
                self.now
                    .round(jiff::Unit::Second)
                    .unwrap_or(self.now)
                    .to_string()
            )
        };
        let mut condition = Map::new();
        condition.insert("type".into(), json!(set.name));
        condition.insert("status".into(), json!(status));
        if let Some(generation) = self.generation {
            condition.insert("observedGeneration".into(), json!(generation));
        }
        condition.insert("lastTransitionTime".into(), since.unwrap_or_else(fresh));
        condition.insert("reason".into(), json!(reason(&set.reason)));
        condition.insert("message".into(), json!(cut(&set.message, LONGEST_MESSAGE)));
        match place {
            Some(place) => conditions[place] = Value::Object(condition),
            None => conditions.push(Value::Object(condition)),
        }
    }
}

fn find<'a>(conditions: &'a [Value], name: &str) -> Option<&'a Value> {
    conditions
        .iter()
        .find(|condition| name_of(condition) == Some(name))
}

fn name_of(condition: &Value) -> Option<&str> {
    condition.get("type")?.as_str()
}

/// A reason that the API takes (`^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$`): what does not fit is left out,
/// so that a wrong reason never costs the whole status.
fn reason(given: &str) -> String {
    let kept: String = given
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ',' | ':'))
        .collect();
    let kept = kept.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    let kept = cut(kept, LONGEST_REASON).trim_end_matches([',', ':']);
    if kept.is_empty() {
        "Unspecified".into()
    } else {
        kept.into()
    }
}

fn cut(text: &str, longest: usize) -> &str {
    let end = (0..=longest.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARED: &[(&str, Polarity)] = &[
        ("DnsConfigured", Polarity::Positive),
        ("Degraded", Polarity::Negative),
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
        let time = |conditions: &[Value], name| {
            find(conditions, name).unwrap()["lastTransitionTime"].clone()
        };
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
}
