//! The end of a reconcile: what it says in the status, and what comes next.

use std::sync::Arc;

use kube::Resource as _;
use serde_json::{Value, json};

use super::reconcile::{Handled, json_of, take_in};
use super::verdict::{Attempt, Ended, Judgement, delay_of};
use super::{Again, Outcome};
use crate::controller::{Context, RunState, Start};
use crate::object::{READY, Ready, Remote, StatusChange, Verdict, declared, write_status};
use crate::transport::Failure;
use crate::watch::Cache;
use crate::{Error, Result};

impl<C: Start> Handled<C> {
    /// Writes the status, and says what comes next.
    pub(super) async fn conclude(
        &self,
        cache: &Cache<C::Object>,
        remote: &Remote,
        object: &Arc<C::Object>,
        context: &Context<C>,
        ended: Ended,
        attempt: Attempt,
    ) -> Outcome {
        let mut run = context.take_run();
        let ended = match (ended, run.unreadable.take()) {
            (Ended::Returned(Ok(_)), Some(error)) => Ended::Returned(Err(
                Error::terminal(error).context("reading the status into its type")
            )),
            (ended, _) => ended,
        };
        let Judgement {
            verdict,
            again,
            hiccup,
        } = ended.judge(run.ready.take(), attempt);
        let again = match (again, self.declaration.resync) {
            (Again::Never, Some(interval)) if attempt.leaving.is_none() => Again::Resync(interval),
            // Its spread does not make it later than what was asked for.
            (Again::After(delay), Some(interval)) if interval.saturating_mul(5) / 4 <= delay => {
                Again::Resync(interval)
            }
            (again, _) => again,
        };
        match self
            .write(cache, remote, object, context, &run, verdict.as_ref())
            .await
        {
            Ok(()) => Outcome {
                hiccup,
                ..self.done(context, again)
            },
            Err(error) if error.find::<Failure>().is_some_and(Failure::is_hiccup) => {
                tracing::warn!(error = %format!("{error:#}"), "cannot write the status; trying again");
                Outcome {
                    hiccup: true,
                    ..self.done(context, delay_of(&error))
                }
            }
            Err(error) => {
                tracing::error!(error = %format!("{error:#}"), "cannot write the status");
                self.done(context, delay_of(&error))
            }
        }
    }

    async fn write(
        &self,
        cache: &Cache<C::Object>,
        remote: &Remote,
        object: &Arc<C::Object>,
        context: &Context<C>,
        run: &RunState,
        verdict: Option<&Verdict>,
    ) -> Result<()> {
        if self.declaration.ready.is_none() && run.status.is_none() {
            return Ok(());
        }
        // A hiccup leaves the status alone.
        let Some(verdict) = verdict else {
            return Ok(());
        };
        let before = json_of(&**object);
        let declared = declared::<C::Condition>();
        let generation = object.meta().generation;
        let mut change = StatusChange {
            fields: run.status.as_ref(),
            conditions: self.declaration.ready.map(|name| Ready {
                name,
                declared: &declared,
                set: &run.conditions,
                verdict,
                generation,
                now: crate::transport::now(),
            }),
            observed_generation: None,
        };
        let observes = match self.observes_generation.get() {
            Some(known) => *known,
            None => self.probe(&before, &change)?,
        };
        // A reconcile that failed has seen this generation all the same; kstatus reads it together with
        // `Ready`, so that it belongs to who writes that.
        let leaves_ready = self.declaration.ready.is_some_and(|name| name != READY);
        change.observed_generation = generation.filter(|_| observes && !leaves_ready);
        if self.is_kept_already(&before, &change) {
            return Ok(());
        }
        // A condition of somebody else may have more fields than its Rust type: the list is sent as a
        // whole, so it has to be the server's own.
        let raw = match has_foreign_conditions(&before, &change) {
            true => remote.get().await.map_err(|failure| {
                Error::new(failure).context("reading the conditions of other writers")
            })?,
            false => None,
        };
        let before = raw
            .filter(|raw| raw.pointer("/metadata/uid") == before.pointer("/metadata/uid"))
            .unwrap_or(before);
        match write_status(remote, context.manager(), &before, &change).await {
            Ok(None) => Ok(()),
            Ok(Some(returned)) => {
                // Where there is a generation, a status write usually wakes nothing and so has no echo to expect.
                if generation.is_none() || self.declaration.on.any_change() {
                    context.wrote(&returned);
                }
                take_in(cache, returned)?;
                Ok(())
            }
            Err(failure) if failure.code() == Some(404) => {
                Err(Error::terminal(failure).context(format!(
                    "{} has no status subresource, which conditions and `cx.status` need",
                    self.kind.kind
                )))
            }
            Err(failure) => Err(Error::new(failure).context("writing the status")),
        }
    }

    /// Whether the status type keeps `observedGeneration`; an error if it does not keep the conditions.
    fn probe(&self, before: &Value, change: &StatusChange<'_>) -> Result<bool> {
        // A status that cannot be read back says nothing; the server has the last word on it.
        let Some(kept) = self.as_kept(before, change, Some(1)) else {
            return Ok(false);
        };
        if change.conditions.is_some() && kept.get("conditions").is_none_or(|kept| !kept.is_array())
        {
            return Err(Error::terminal(format!(
                "the status of {} cannot hold conditions: give its status type a field `conditions: Vec<Condition>`",
                self.kind.kind
            )));
        }
        let observes = kept.get("observedGeneration") == Some(&json!(1));
        Ok(*self.observes_generation.get_or_init(|| observes))
    }

    /// True when the change makes no difference that the status type could hold: a condition type
    /// without `observedGeneration`, for one.
    fn is_kept_already(&self, before: &Value, change: &StatusChange<'_>) -> bool {
        let same = |kept: Value| before.get("status").is_some_and(|status| *status == kept);
        self.as_kept(before, change, None).is_some_and(same)
    }

    /// The status after `change`, as its type keeps it.
    fn as_kept(
        &self,
        before: &Value,
        change: &StatusChange<'_>,
        observed: Option<i64>,
    ) -> Option<Value> {
        let mut status = before
            .get("status")
            .filter(|status| status.is_object())
            .cloned()
            .unwrap_or_else(|| json!({}));
        if let Some(patch) = change.patch(&status) {
            json_patch::merge(&mut status, &patch);
        }
        if let Some(observed) = observed {
            status["observedGeneration"] = json!(observed);
        }
        let mut trial = before.clone();
        trial["status"] = status;
        let read: C::Object = serde_json::from_value(trial).ok()?;
        json_of(&read).get("status").cloned()
    }
}

/// Whether the status has conditions that this controller does not write.
fn has_foreign_conditions(before: &Value, change: &StatusChange<'_>) -> bool {
    let Some(ready) = &change.conditions else {
        return false;
    };
    let conditions = before
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    conditions
        .into_iter()
        .flatten()
        .any(|condition| !ready.writes(condition))
}
