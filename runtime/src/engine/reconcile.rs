//! One reconcile of one object, from start to finish.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::BoxFuture;
use kube::Resource as _;
use kube::api::ApiResource;
use serde_json::Value;
use tracing::Instrument as _;

use super::verdict::{Ended, run_user_code};
use super::wake::{AskMapper, WakeItself, WakeOwner};
use super::{Again, Handler, Outcome, Waker};
use crate::controller::{Conditions, Context, Controller, Declaration, Object, ObjectKey, Start};
use crate::fleet::Cluster;
use crate::object::{Finalizer, Owner, Remote, Scope, Secured, holds};
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
    pub(super) controller: C,
    pub(super) declaration: Declaration<C>,
    pub(super) name: Arc<str>,
    pub(super) kind: ApiResource,
    pub(super) settings: Settings,
    /// Whether the status type has an `observedGeneration`, once that is known.
    pub(super) observes_generation: OnceLock<bool>,
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

    pub(super) fn done(&self, scope: &Scope, again: Again) -> Outcome {
        Outcome {
            again,
            hiccup: false,
            written: scope.take_written(),
        }
    }
}

/// Reads what a write of ours returned, and lets the cache show it at once.
pub(super) fn take_in<K: Object>(cache: &Cache<K>, returned: Value) -> Result<Arc<K>, Failure> {
    let mut object: K = serde_json::from_value(returned).map_err(kube::Error::SerdeError)?;
    object.meta_mut().managed_fields = None;
    let object = Arc::new(object);
    cache.overlay(Arc::clone(&object));
    Ok(object)
}

/// The object as JSON. A type that cannot be written is taken as empty: it came from JSON.
pub(super) fn json_of<K: Object>(object: &K) -> Value {
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
