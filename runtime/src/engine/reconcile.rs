//! One reconcile of one object, from start to finish.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use kube::Resource as _;
use kube::api::ApiResource;
use serde_json::{Value, json};
use tracing::Instrument as _;

use super::verdict::{Ended, Judgement, delay_of, run_user_code};
use super::wake::{AskMapper, WakeItself, WakeOwner};
use super::{Again, Handler, Outcome, Waker};
use crate::controller::{
    Conditions, Context, Controller, Declaration, Object, ObjectKey, RunState, Start,
};
use crate::fleet::Cluster;
use crate::object::{
    Finalizer, Owner, Ready, Remote, Scope, Secured, StatusChange, Verdict, declared, holds,
    write_status,
};
use crate::transport::Failure;
use crate::watch::{Cache, Selector, Source};
use crate::{Error, Result};

/// What the manager sets for all its controllers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// How long one `reconcile` or `cleanup` may take.
    pub(crate) timeout: Duration,
}

/// A controller at work.
pub(crate) struct Handled<C: Controller> {
    controller: C,
    declaration: Declaration<C>,
    name: Arc<str>,
    kind: ApiResource,
    settings: Settings,
    /// Whether the status type has an `observedGeneration`, once that is known.
    observes_generation: OnceLock<bool>,
}

impl<C: Start> Handled<C> {
    pub(crate) fn new(controller: C, settings: Settings) -> Self {
        let declaration = C::declare();
        Self {
            controller,
            name: declaration.name.into(),
            kind: ApiResource::erase::<C::Object>(&()),
            declaration,
            settings,
            observes_generation: OnceLock::new(),
        }
    }

    /// Whether the controller writes conditions, and to which kind.
    pub(crate) fn writes_conditions(&self) -> Option<&ApiResource> {
        (self.declaration.conditions == Conditions::Declared).then_some(&self.kind)
    }

    async fn run(&self, cluster: Cluster, key: ObjectKey, trouble: u32) -> Outcome {
        let cache = cluster.cache::<C::Object>(Selector::default());
        let Some(object) = cache.get(&key) else {
            return Outcome::default();
        };
        let remote = Remote::new(cluster.client(), &self.kind, key.clone());
        let leaving = object.meta().deletion_timestamp.is_some();
        let finalizer = self.declaration.finalizer.as_ref();
        let held = finalizer.is_some_and(|finalizer| holds(object.meta(), finalizer.name));
        if leaving && !held {
            return Outcome::default();
        }
        // What is created in a cluster that is being deleted goes with it: it is not begun.
        if cluster.is_retiring() && finalizer.is_some() && !held {
            return Outcome::default();
        }
        let scope = Scope::new(
            cluster,
            Owner {
                kind: self.kind.clone(),
                key,
                uid: object.meta().uid.clone().unwrap_or_default(),
            },
            Arc::clone(&self.name),
        );
        let seen = Arc::clone(&object);
        let context = Context::new(
            scope,
            Box::new(move || json_of(&*seen).get("status").cloned().unwrap_or_default()),
        );
        let object = match finalizer {
            Some(finalizer) if !held => {
                match self
                    .secure(&cache, &remote, &object, finalizer.name, &context)
                    .await
                {
                    Ok(Some(secured)) => secured,
                    Ok(None) => return self.done(&context, Again::Never),
                    Err(failure) => {
                        let error = Error::new(failure).context("adding the finalizer");
                        let ended = Ended::Returned(Err(error));
                        return self
                            .conclude(&cache, &remote, &object, &context, ended, trouble)
                            .await;
                    }
                }
            }
            _ => object,
        };
        let step = match finalizer {
            Some(finalizer) if leaving => (finalizer.cleanup)(&self.controller, &object, &context),
            _ => self.controller.start(&object, &context),
        };
        let mut ended = run_user_code(step, self.settings.timeout).await;
        if leaving
            && let (Ended::Returned(Ok(action)), Some(finalizer)) = (&ended, finalizer)
            && action.delay().is_none()
        {
            let guard = Finalizer {
                name: finalizer.name,
                manager: &self.name,
                remote: &remote,
            };
            match guard.remove(object.meta()).await {
                Ok(returned) => {
                    // The end of the object has no echo; a finalizer that is left does.
                    if let Some(returned) =
                        returned.filter(|left| left.pointer("/metadata/finalizers/0").is_some())
                    {
                        context.wrote(&returned);
                    }
                    cache.release(&object, finalizer.name);
                    tracing::info!("cleaned up");
                    return self.done(&context, Again::Never);
                }
                Err(failure) => {
                    let error = Error::new(failure).context("removing the finalizer");
                    ended = Ended::Returned(Err(error));
                }
            }
        }
        self.conclude(&cache, &remote, &object, &context, ended, trouble)
            .await
    }

    /// Adds the finalizer. Returns the object with it, `None` when it is gone or being deleted.
    async fn secure(
        &self,
        cache: &Cache<C::Object>,
        remote: &Remote,
        object: &C::Object,
        finalizer: &str,
        scope: &Scope,
    ) -> Result<Option<Arc<C::Object>>, Failure> {
        let guard = Finalizer {
            name: finalizer,
            manager: &self.name,
            remote,
        };
        match guard.add(object.meta()).await? {
            Secured::Ours(returned) => {
                scope.wrote(&returned);
                Ok(Some(take_in(cache, returned)?))
            }
            Secured::Leaving => Ok(None),
        }
    }

    /// Writes the status, and says what comes next.
    async fn conclude(
        &self,
        cache: &Cache<C::Object>,
        remote: &Remote,
        object: &Arc<C::Object>,
        context: &Context<C>,
        ended: Ended,
        trouble: u32,
    ) -> Outcome {
        let mut run = context.take_run();
        let ended = match (ended, run.unreadable.take()) {
            (Ended::Returned(Ok(_)), Some(error)) => Ended::Returned(Err(
                Error::terminal(error).context("reading the status into its type")
            )),
            (ended, _) => ended,
        };
        let leaving = object.meta().deletion_timestamp.is_some();
        let Judgement {
            verdict,
            again,
            hiccup,
        } = ended.judge(run.ready.take(), leaving, trouble);
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
        let conditions = self.declaration.conditions == Conditions::Declared;
        if !conditions && run.status.is_none() {
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
            conditions: conditions.then(|| Ready {
                declared: &declared,
                set: &run.conditions,
                verdict,
                generation,
                now: Timestamp::now(),
            }),
            observed_generation: None,
        };
        let observes = match self.observes_generation.get() {
            Some(known) => *known,
            None => self.probe(&before, &change)?,
        };
        // A reconcile that failed has seen this generation all the same; kstatus reads it together with
        // the conditions.
        change.observed_generation = generation.filter(|_| observes);
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
                // Where there is a generation, a status write wakes nothing and so has no echo to expect.
                if generation.is_none() {
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

    fn done(&self, scope: &Scope, again: Again) -> Outcome {
        Outcome {
            again,
            hiccup: false,
            written: scope.take_written(),
        }
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

/// Reads what a write of ours returned, and lets the cache show it at once.
fn take_in<K: Object>(cache: &Cache<K>, returned: Value) -> Result<Arc<K>, Failure> {
    let mut object: K = serde_json::from_value(returned).map_err(kube::Error::SerdeError)?;
    object.meta_mut().managed_fields = None;
    let object = Arc::new(object);
    cache.overlay(Arc::clone(&object));
    Ok(object)
}

/// The object as JSON. A type that cannot be written is taken as empty: it came from JSON.
fn json_of<K: Object>(object: &K) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}

impl<C: Start> Handler for Handled<C> {
    fn name(&self) -> &str {
        &self.name
    }

    fn watch(self: Arc<Self>, cluster: &Cluster, waker: Waker) -> Vec<Arc<dyn Source>> {
        let itself: Arc<dyn Source> = cluster.cache::<C::Object>(Selector::default());
        itself.observe(Arc::new(WakeItself(waker.clone())));
        let mut sources = vec![itself];
        for kind in &self.declaration.owns {
            let source: Arc<dyn Source> = cluster.metadata(kind);
            source.observe(Arc::new(WakeOwner {
                waker: waker.clone(),
                owner: self.kind.clone(),
                owner_namespaced: C::Object::namespaced(),
            }));
            sources.push(source);
        }
        for watched in &self.declaration.watches {
            let source = (watched.open)(cluster, Selector::default());
            let (map, this) = (Arc::clone(&watched.map), Arc::clone(&self));
            let observer = AskMapper::start(
                cluster,
                waker.clone(),
                Arc::new(move |object, cluster| {
                    let (map, this) = (Arc::clone(&map), Arc::clone(&this));
                    Box::pin(async move { map(&this.controller, object.as_any(), cluster).await })
                }),
            );
            source.observe(observer);
            sources.push(source);
        }
        sources
    }

    fn reconcile(
        self: Arc<Self>,
        cluster: Cluster,
        key: ObjectKey,
        trouble: u32,
    ) -> BoxFuture<'static, Outcome> {
        let span = tracing::info_span!(
            "reconcile",
            controller = %self.name,
            cluster = %cluster.name(),
            namespace = key.namespace.as_deref().unwrap_or_default(),
            name = key.name,
        );
        Box::pin(async move { self.run(cluster, key, trouble).await }.instrument(span))
    }
}
