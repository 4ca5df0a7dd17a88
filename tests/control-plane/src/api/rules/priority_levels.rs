//! The rules of priority levels: how much is served at once, and what waits for it.

use serde_json::Value;

use super::checks::{number, one_of, text};
use super::mandatory;
use crate::failure::Cause;
use crate::object;

const MOST_QUEUES: i64 = 10_000_000;
/// How many bits of a hash may be used to deal a hand of queues.
const MOST_BITS: f64 = 60.0;
const EXEMPT: &str = "Exempt";

pub(super) fn check(level: &Value) -> Vec<Cause> {
    let spec = &level["spec"];
    let kind = text(spec, "type");
    let mut wrong = Vec::new();
    if (object::name(level) == "exempt") != (kind == EXEMPT) {
        let why = "must be 'Exempt' if and only if `name` is 'exempt'";
        wrong.push(Cause::invalid("spec.type", &kind.into(), why));
    }
    let (limited, exempt) = (&spec["limited"], &spec["exempt"]);
    match kind {
        EXEMPT => {
            if !limited.is_null() {
                let why = "must be nil if the type is not Limited";
                wrong.push(Cause::forbidden("spec.limited", why));
            }
            wrong.extend(check_shares(exempt, "spec.exempt"));
            wrong.extend(check_lent(exempt, "spec.exempt"));
        }
        "Limited" => {
            if !exempt.is_null() {
                let why = "must be nil if the type is Limited";
                wrong.push(Cause::forbidden("spec.exempt", why));
            }
            wrong.extend(check_limited(limited));
        }
        "" => wrong.push(Cause::required("spec.type", "")),
        _ => wrong.extend(one_of(kind, "spec.type", &[EXEMPT, "Limited"])),
    }
    wrong.extend(mandatory::check("PriorityLevelConfiguration", level));
    wrong
}

fn check_limited(limited: &Value) -> Vec<Cause> {
    const PATH: &str = "spec.limited";
    if limited.is_null() {
        let why = "must not be empty when type is Limited";
        return vec![Cause::required(PATH, why)];
    }
    let mut wrong: Vec<Cause> = check_shares(limited, PATH).into_iter().collect();
    wrong.extend(check_response(&limited["limitResponse"]));
    wrong.extend(check_lent(limited, PATH));
    let borrowed = number(limited, "borrowingLimitPercent").filter(|percent| *percent < 0);
    wrong.extend(borrowed.map(|percent| {
        let why = "if specified, must be a non-negative integer";
        Cause::invalid("spec.limited.borrowingLimitPercent", &percent.into(), why)
    }));
    wrong
}

fn check_shares(level: &Value, path: &str) -> Option<Cause> {
    let shares = number(level, "nominalConcurrencyShares").filter(|shares| *shares < 0)?;
    let path = format!("{path}.nominalConcurrencyShares");
    let why = "must be a non-negative integer";
    Some(Cause::invalid(&path, &shares.into(), why))
}

fn check_lent(level: &Value, path: &str) -> Option<Cause> {
    let is_unfit = |percent: &i64| !(0..=100).contains(percent);
    let percent = number(level, "lendablePercent").filter(is_unfit)?;
    let path = format!("{path}.lendablePercent");
    let why = "must be between 0 and 100, inclusive";
    Some(Cause::invalid(&path, &percent.into(), why))
}

fn check_response(response: &Value) -> Vec<Cause> {
    const QUEUING: &str = "spec.limited.limitResponse.queuing";
    const TYPE: &str = "spec.limited.limitResponse.type";
    let queuing = &response["queuing"];
    let cause = match text(response, "type") {
        "Queue" if queuing.is_null() => {
            let why = "must not be empty if limited.limitResponse.type is Limited";
            Some(Cause::required(QUEUING, why))
        }
        "Queue" => return check_queues(queuing, QUEUING),
        "Reject" => (!queuing.is_null()).then(|| {
            let why = "must be nil if limited.limitResponse.type is not Limited";
            Cause::forbidden(QUEUING, why)
        }),
        "" => Some(Cause::required(TYPE, "")),
        kind => one_of(kind, TYPE, &["Queue", "Reject"]),
    };
    cause.into_iter().collect()
}

/// A flow has a hand of the queues, dealt by a hash that is only so long.
fn check_queues(queuing: &Value, path: &str) -> Vec<Cause> {
    let of = |field: &str| number(queuing, field).unwrap_or(0);
    let invalid =
        |field: &str, why: &str| Cause::invalid(&format!("{path}.{field}"), &of(field).into(), why);
    let (queues, hand) = (of("queues"), of("handSize"));
    let mut wrong = Vec::new();
    if of("queueLengthLimit") <= 0 {
        wrong.push(invalid("queueLengthLimit", "must be positive"));
    }
    if queues <= 0 {
        wrong.push(invalid("queues", "must be positive"));
    } else if queues > MOST_QUEUES {
        let why = format!("must not be greater than {MOST_QUEUES}");
        wrong.push(invalid("queues", &why));
    }
    if hand <= 0 {
        wrong.push(invalid("handSize", "must be positive"));
    } else if hand > queues {
        let why = format!("should not be greater than queues ({queues})");
        wrong.push(invalid("handSize", &why));
    } else if bits(queues, hand) > MOST_BITS {
        let why = format!(
            "required entropy bits of deckSize {queues} and handSize {hand} should not be greater than {MOST_BITS}"
        );
        wrong.push(invalid("handSize", &why));
    }
    wrong
}

#[allow(
    clippy::cast_precision_loss,
    reason = "both are of 32 bits, which a float holds"
)]
fn bits(queues: i64, hand: i64) -> f64 {
    ((queues as f64).log2() * hand as f64).ceil()
}
