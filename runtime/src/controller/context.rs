//! What a reconcile has at hand.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use kube::core::object::HasStatus;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ConditionType, ConditionValue, Controller, DeclaresConditions, State};
use crate::object::{Scope, SetCondition};

/// Everything that a reconcile needs besides its object: the cluster, the API, conditions and status.
///
/// Derefs to [`Scope`], which has no type parameters: helper functions take a `&Scope`.
pub struct Context<C> {
    scope: Scope,
    /// The status as it was when the reconcile began.
    status: LazyLock<Value, Box<dyn FnOnce() -> Value + Send>>,
    run: Mutex<Run>,
    controller: PhantomData<fn() -> C>,
}

/// What one reconcile asked to have written into the status.
#[derive(Default)]
pub(crate) struct Run {
    /// Conditions by type, the last one wins.
    pub(crate) conditions: Vec<SetCondition>,
    /// `cx.ready` or `cx.not_ready`.
    pub(crate) ready: Option<(State, String, String)>,
    /// The status before and after `cx.status`, once that was called.
    pub(crate) status: Option<(Value, Value)>,
    /// The status that is there does not fit its type.
    pub(crate) unreadable: Option<serde_json::Error>,
}

impl<C> Context<C> {
    pub(crate) fn new(scope: Scope, status: Box<dyn FnOnce() -> Value + Send>) -> Self {
        Self {
            scope,
            status: LazyLock::new(status),
            run: Mutex::default(),
            controller: PhantomData,
        }
    }

    pub(crate) fn take_run(&self) -> Run {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says why the object is Ready, whatever its conditions say. The reason is one CamelCase word.
    ///
    /// Has an effect where the controller declares `conditions`, and only if the reconcile succeeds.
    pub fn ready(&self, reason: impl Into<String>, message: impl Into<String>) {
        self.lock().ready = Some((State::True, reason.into(), message.into()));
    }

    /// Says why the object is not Ready, whatever its conditions say. The reason is one CamelCase word.
    ///
    /// Has an effect where the controller declares `conditions`, and only if the reconcile succeeds.
    pub fn not_ready(&self, reason: impl Into<String>, message: impl Into<String>) {
        self.lock().ready = Some((State::False, reason.into(), message.into()));
    }
}

impl<C: Controller> Context<C> {
    /// Sets one of the declared conditions. It is written with the status, once, when the reconcile
    /// ends; of several calls for one condition the last counts.
    pub fn set<T: ConditionType>(&self, value: ConditionValue<T>)
    where
        C: DeclaresConditions<T>,
    {
        let set = SetCondition {
            name: value.condition.name(),
            state: value.state,
            reason: value.reason,
            message: value.message,
        };
        let mut run = self.lock();
        run.conditions.retain(|other| other.name != set.name);
        run.conditions.push(set);
    }

    /// Changes the status. It is written once, when the reconcile ends, and not at all if nothing
    /// changed; what other writers put into the status stays.
    ///
    /// `change` gets the status as it is, or the default where there is none yet. Conditions are set
    /// with [`set`](Context::set). Where another writer changed the status meanwhile, the fields that
    /// `change` changed are written into theirs, a list as a whole.
    pub fn status<S>(&self, change: impl FnOnce(&mut S))
    where
        C::Object: HasStatus<Status = S>,
        S: Default + Serialize + DeserializeOwned,
    {
        // The user's code runs without the lock: it may set conditions as well.
        let known = self.lock().status.take();
        let current = known.as_ref().map_or(&*self.status, |(_, after)| after);
        let outcome = changed(current, change);
        let mut run = self.lock();
        match (outcome, known) {
            (Ok((_, after)), Some((before, _))) => run.status = Some((before, after)),
            (Ok(both), None) => run.status = Some(both),
            (Err(error), known) => {
                run.status = known;
                run.unreadable = Some(error);
            }
        }
    }
}

/// The status before and after `change`, both as the type writes it: fields that it does not know are
/// in neither, and so stay as they are.
fn changed<S>(current: &Value, change: impl FnOnce(&mut S)) -> serde_json::Result<(Value, Value)>
where
    S: Default + Serialize + DeserializeOwned,
{
    let (before, mut status) = match current {
        Value::Null => (Value::Null, S::default()),
        current => {
            let status = S::deserialize(current)?;
            (serde_json::to_value(&status)?, status)
        }
    };
    change(&mut status);
    Ok((before, serde_json::to_value(status)?))
}

impl<C> Deref for Context<C> {
    type Target = Scope;

    fn deref(&self) -> &Scope {
        &self.scope
    }
}
