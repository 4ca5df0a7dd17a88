//! How the user's code ended, and what that means for the status and for the next try.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::Again;
use crate::controller::{Action, State};
use crate::error::Retry;
use crate::object::{NotOwned, Verdict};
use crate::transport::Failure;
use crate::{Error, Result};

/// After how many API hiccups in a row an object's `Ready` becomes Unknown.
const HICCUPS: u32 = 3;
const FAILED: &str = "ReconcileFailed";
const CLEANUP_FAILED: &str = "CleanupFailed";
const CLEANING_UP: &str = "CleaningUp";
const UNAVAILABLE: &str = "ServerUnavailable";

/// Why an object is cleaned up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaving {
    /// It is being deleted.
    Deleted,
    /// It is not selected any more.
    Left,
}

/// One run of a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt {
    /// Why the object is being cleaned up, if it is.
    pub(super) leaving: Option<Leaving>,
    /// The number of API hiccups of this key in a row before this one.
    pub(super) trouble: u32,
}

/// How the user's method ended.
pub(super) enum Ended {
    Returned(Result<Action>),
    Panicked(String),
    TimedOut(Duration),
}

/// What follows from the end of the user's code.
pub(super) struct Judgement {
    /// What the status is to say; `None` leaves it as it is.
    pub(super) verdict: Option<Verdict>,
    pub(super) again: Again,
    /// True when an API hiccup ended it.
    pub(super) hiccup: bool,
}

impl Ended {
    /// `ready` is what the user said of `Ready`.
    pub(super) fn judge(
        self,
        ready: Option<(State, String, String)>,
        attempt: Attempt,
    ) -> Judgement {
        let error = match self {
            Self::Returned(Ok(action)) => {
                tracing::debug!(requeue = ?action.delay(), "reconciled");
                let verdict = match ready {
                    Some((state, reason, message)) => Verdict::Said(state, reason, message),
                    None => match attempt.leaving {
                        None => Verdict::Derived,
                        Some(leaving) => Verdict::Failed {
                            reason: CLEANING_UP,
                            message: match leaving {
                                Leaving::Deleted => {
                                    "the object is being deleted, and its cleanup has not finished"
                                }
                                Leaving::Left => {
                                    "the object is not selected any more, and its cleanup has not finished"
                                }
                            }
                            .into(),
                            stalled: false,
                        },
                    },
                };
                return Judgement {
                    verdict: Some(verdict),
                    again: action.delay().map_or(Again::Never, Again::After),
                    hiccup: false,
                };
            }
            Self::Returned(Err(error)) => error,
            Self::Panicked(message) => Error::new(format!("it panicked: {message}")),
            Self::TimedOut(limit) => Error::new(format!(
                "it did not finish within {} s",
                limit.as_secs_f32()
            )),
        };
        judge_error(&error, attempt)
    }
}

fn judge_error(error: &Error, attempt: Attempt) -> Judgement {
    let message = format!("{error:#}");
    if let Some(NotOwned::OwnerGone { .. }) = error.find() {
        tracing::info!("{message}");
        return Judgement {
            verdict: None,
            again: Again::Never,
            hiccup: false,
        };
    }
    let again = delay_of(error);
    let hiccup = again != Again::FailedForGood && is_hiccup(error);
    if again == Again::FailedForGood {
        tracing::error!(error = %message, "failed, and will not be tried again before something changes");
    } else {
        tracing::warn!(error = %message, "failed; trying again");
    }
    let verdict = match hiccup {
        true if attempt.trouble + 1 < HICCUPS => None,
        // The words of the server would differ from try to try, and so cost a write each time.
        true => Some(Verdict::Unknown {
            reason: UNAVAILABLE,
            message: "calls to the API server fail: it is overloaded, in trouble or out of reach"
                .into(),
        }),
        false => Some(Verdict::Failed {
            reason: if attempt.leaving.is_some() {
                CLEANUP_FAILED
            } else {
                FAILED
            },
            message,
            stalled: again == Again::FailedForGood,
        }),
    };
    Judgement {
        verdict,
        again,
        hiccup,
    }
}

/// When a failed reconcile is tried again: as the error says, else as the server asked.
pub(super) fn delay_of(error: &Error) -> Again {
    match error.retry() {
        Retry::Never => Again::FailedForGood,
        Retry::In(delay) => Again::FailedAfter(delay),
        Retry::Backoff => match error.find::<Failure>().and_then(Failure::retry_after) {
            Some(delay) => Again::FailedAfter(delay),
            None => Again::Backoff,
        },
    }
}

/// Whether the API server of a cluster, and not the reconcile, is in trouble.
fn is_hiccup(error: &Error) -> bool {
    match (error.find::<Failure>(), error.find::<kube::Error>()) {
        (Some(failure), _) => failure.is_hiccup(),
        (None, Some(kube::Error::Api(status))) => status.code == 429 || status.code >= 500,
        (None, Some(kube::Error::HyperError(_) | kube::Error::Service(_))) => true,
        _ => false,
    }
}

pub(super) async fn run_user_code(step: BoxFuture<'_, Result<Action>>, limit: Duration) -> Ended {
    match tokio::time::timeout(limit, AssertUnwindSafe(step).catch_unwind()).await {
        Ok(Ok(returned)) => Ended::Returned(returned),
        Ok(Err(panic)) => Ended::Panicked(message_of(&*panic)),
        Err(_elapsed) => Ended::TimedOut(limit),
    }
}

pub(super) fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "(no message)".into())
}
