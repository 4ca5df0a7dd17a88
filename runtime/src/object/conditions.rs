//! Conditions as apimachinery sets them, and the `Ready` that follows from them.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::controller::{ConditionType, Described, LONGEST_REASON, Polarity, State};

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

/// The API's own limit on a condition's message:
/// <https://github.com/kubernetes/apimachinery/blob/master/pkg/apis/meta/v1/types.go> (`type Condition`).
const LONGEST_MESSAGE: usize = 32768;

/// What the conditions of an object become.
pub(crate) struct Ready<'a> {
    /// What the summary is called; `Ready`, but for controllers that leave `Ready` to another.
    pub(crate) name: &'static str,
    /// Every declared condition.
    pub(crate) declared: &'a [&'static Described],
    /// What this reconcile set.
    pub(crate) set: &'a [SetCondition],
    pub(crate) verdict: &'a Verdict,
    /// `metadata.generation` of the object that was reconciled.
    pub(crate) generation: Option<i64>,
    pub(crate) now: Timestamp,
}

/// What stands about every variant.
pub(crate) fn declared<T: ConditionType>() -> Vec<&'static Described> {
    T::ALL.iter().map(|(_, described)| described).collect()
}

/// The list of conditions after this reconcile. Those of other writers stay as they are, in their place.
pub(crate) fn next_conditions(before: &[Value], ready: &Ready<'_>) -> Vec<Value> {
    let mut conditions = before.to_vec();
    for set in ready.set {
        ready.put(&mut conditions, set.clone());
    }
    for Described { name, .. } in ready.declared {
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
        _ if !ready.is_whole() => {}
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
        // Only a success shows that it is over.
        Verdict::Failed { .. } | Verdict::Unknown { .. } => {}
        Verdict::Derived | Verdict::Said(..) => {
            conditions.retain(|condition| name_of(condition) != Some(STALLED));
        }
    }
    conditions
}

impl Ready<'_> {
    /// Whether `condition` is one of those that the controller writes.
    pub(crate) fn writes(&self, condition: &Value) -> bool {
        let name = name_of(condition);
        let stalled = self.is_whole() && name == Some(STALLED);
        let own = stalled || name == Some(self.name);
        own || self
            .declared
            .iter()
            .any(|declared| Some(declared.name) == name)
    }

    /// Whether the summary is that of the object as a whole. `Stalled` goes with it: kstatus reads the two
    /// together, and another controller may write them.
    fn is_whole(&self) -> bool {
        self.name == READY
    }

    fn summary(&self, conditions: &[Value]) -> SetCondition {
        let ready = |state, reason: String, message: String| SetCondition {
            name: self.name,
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
        for Described { name, polarity, .. } in self.declared.iter().filter(|one| one.counts) {
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
                name: self.name,
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
            name: self.name,
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
            let second = Timestamp::from_second(self.now.as_second()).unwrap_or(self.now);
            json!(second.to_string())
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
