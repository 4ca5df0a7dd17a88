//! One reconcile of one object, from start to finish.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::BoxFuture;
use kube::Resource as _;
use kube::api::ApiResource;
use serde_json::Value;
use tracing::Instrument as _;

use super::absent::Absent;
use super::verdict::{Attempt, Ended, Leaving, run_user_code};
use super::wake::{AskMapper, Marks, WakeItself, WakeOwner};
use super::{Again, Handler, Outcome, Pace, Waker};
use crate::controller::{
    Context, Controller, Declaration, Finalizer as Declared, Kind, Object, ObjectKey, Place, Start,
};
use crate::fleet::{Cluster, ClusterName};
use crate::object::{Desk, Finalizer, Owner, Remote, Scope, Secured, declared, holds};
use crate::transport::Failure;
use crate::watch::{Cache, Source};
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
    pub(super) declaration: &'static Declaration,
    pub(super) kind: Arc<ApiResource>,
    /// The kinds that are owned, in the order of the declaration.
    owned: Vec<Arc<ApiResource>>,
    pub(super) finalizer: Option<String>,
    pub(super) settings: Settings,
    /// Whether the status type has an `observedGeneration`, once that is known.
    pub(super) observes_generation: OnceLock<bool>,
}

impl<C: Start> Handled<C> {
    /// Refuses a finalizer that no name can be derived for.
    pub(crate) fn new(controller: C, settings: Settings) -> Result<Self> {
        let declaration = const { &C::DECLARATION };
        let kind = Arc::new(ApiResource::erase::<C::Object>(&()));
        let owned = declaration.owns.iter();
        let finalizer = match declaration.finalizer {
            Some(Declared::Named(name)) => Some(name.to_owned()),
            Some(Declared::Derived) if kind.group.is_empty() => {
                return Err(Error::terminal(format!(
                    "the controller `{}` needs a name for its finalizer: {} is of the core group, from which none follows, \
                     so write `finalizer = \"your.domain/{}\"`",
                    declaration.name, kind.kind, declaration.name
                )));
            }
            Some(Declared::Derived) => Some(format!("{}/{}", kind.group, declaration.name)),
            None => None,
        };
        Ok(Self {
            controller,
            kind,
            owned: owned.map(|kind| Arc::new(kind.resource())).collect(),
            finalizer,
            settings: Settings {
                timeout: declaration.timeout.unwrap_or(settings.timeout),
            },
            declaration,
            observes_generation: OnceLock::new(),
        })
    }

    /// The kind that it is for, and its finalizer there.
    pub(crate) fn finalizes(&self) -> Option<(&ApiResource, &str)> {
        Some((&self.kind, self.finalizer.as_deref()?))
    }

    /// The kind that it is for, and the conditions that it writes there.
    pub(crate) fn writes_conditions(&self) -> Option<(&ApiResource, Vec<&'static str>)> {
        let ready = self.declaration.ready?;
        let declared = declared::<C::Condition>();
        let names = declared.iter().map(|condition| condition.name);
        Some((&self.kind, names.chain([ready]).collect()))
    }

    async fn run(
        &self,
        cache: &Cache<C::Object>,
        cluster: Cluster,
        desk: Desk,
        key: ObjectKey,
        trouble: u32,
    ) -> Outcome {
        let remote = Remote::new(&cluster, &self.kind, key.clone());
        let seen = match self.see(cache, &remote).await {
            Ok(seen) => seen,
            Err(outcome) => return outcome,
        };
        let (object, selected) = match seen {
            Some(object) => {
                if self.releases().is_some() {
                    desk.notes.left.settle(&key);
                }
                (object, true)
            }
            None => match self.run_absent(&cluster, &desk, &remote).await {
                Absent::Left(object) => (object, false),
                Absent::Done(outcome) => return outcome,
            },
        };
        let leaving = match object.meta().deletion_timestamp {
            Some(_) => Some(Leaving::Deleted),
            None => (!selected).then_some(Leaving::Left),
        };
        let attempt = Attempt { leaving, trouble };
        let finalizer = self.finalizer.as_deref();
        let held = finalizer.is_some_and(|finalizer| holds(object.meta(), finalizer));
        if leaving.is_some() && !held {
            return Outcome::default();
        }
        // What is created in a cluster that is being deleted goes with it: it is not begun.
        if cluster.is_retiring() && finalizer.is_some() && !held {
            return Outcome::default();
        }
        let scope = Scope::new(
            cluster,
            Owner {
                kind: ApiResource::clone(&self.kind),
                key,
                uid: object.meta().uid.clone().unwrap_or_default(),
            },
            self.declaration,
            desk,
        );
        let seen = Arc::clone(&object);
        let context = Context::new(
            scope,
            Box::new(move || json_of(&*seen).get("status").cloned().unwrap_or_default()),
        );
        let object = match finalizer {
            Some(finalizer) if !held => {
                match self
                    .secure(cache, &remote, &object, finalizer, &context)
                    .await
                {
                    Ok(Some(secured)) => secured,
                    Ok(None) => return self.done(&context, Again::Never),
                    Err(failure) => {
                        let error = Error::new(failure).context("adding the finalizer");
                        let ended = Ended::Returned(Err(error));
                        return self
                            .conclude(cache, &remote, &object, &context, ended, attempt)
                            .await;
                    }
                }
            }
            _ => object,
        };
        let step = match finalizer {
            Some(_) if leaving.is_some() => self.controller.cleanup(&object, &context),
            _ => self.controller.start(&object, &context),
        };
        let mut ended = run_user_code(step, self.settings.timeout).await;
        if let Ended::Returned(Ok(action)) = &ended
            && leaving.is_none()
        {
            context.forget_other_children();
            if self.declaration.prune
                && action.delay().is_none()
                && let Err(error) = context.remove_others().await
            {
                ended = Ended::Returned(Err(error));
            }
        }
        if let Some(leaving) = leaving
            && let (Ended::Returned(Ok(action)), Some(finalizer)) = (&ended, finalizer)
            && action.delay().is_none()
        {
            let guard = Finalizer {
                name: finalizer,
                manager: self.declaration.name,
                remote: &remote,
            };
            let released = match remove_children(&context, leaving).await {
                Ok(()) => guard
                    .remove(object.meta())
                    .await
                    .map_err(|failure| Error::new(failure).context("removing the finalizer")),
                Err(error) => Err(error.context("cleaning up its children")),
            };
            match released {
                Ok(returned) => {
                    let stays = |left: &Value| left.pointer("/metadata/finalizers/0").is_some();
                    match returned {
                        // No watch delivers what is not selected.
                        _ if !selected => {}
                        Some(returned) if stays(&returned) => context.wrote(&returned),
                        // The end of an object wakes nobody who does not look for those that have left.
                        _ if self.releases().is_some() => context.ended(),
                        _ => {}
                    }
                    cache.release(&object, finalizer);
                    context.settle();
                    tracing::info!("cleaned up");
                    return self.done(&context, Again::Never);
                }
                Err(error) => ended = Ended::Returned(Err(error)),
            }
        }
        self.conclude(cache, &remote, &object, &context, ended, attempt)
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
            manager: self.declaration.name,
            remote,
        };
        let selector = self.declaration.select.selector();
        match guard.add(object.meta(), &selector).await? {
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

/// Deletes the children that nobody else would.
async fn remove_children(scope: &Scope, leaving: Leaving) -> Result<()> {
    if leaving == Leaving::Left {
        scope.remove_owned().await?;
    }
    scope.remove_marked().await
}

/// Reads what a write of ours returned, and lets the cache show it at once.
pub(super) fn take_in<K: Object>(cache: &Cache<K>, returned: Value) -> Result<Arc<K>, Failure> {
    let object = serde_json::from_value(returned).map_err(kube::Error::SerdeError)?;
    let object = cache.keep(object);
    cache.overlay(Arc::clone(&object), false);
    Ok(object)
}

/// The object as JSON. A type that cannot be written is taken as empty: it came from JSON.
pub(super) fn json_of<K: Object>(object: &K) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}

impl<C: Start> Handler for Handled<C> {
    fn name(&self) -> &str {
        self.declaration.name
    }

    fn pace(&self) -> Pace {
        Pace::of(self.declaration)
    }

    fn declaration(&self) -> &'static Declaration {
        self.declaration
    }

    fn keys(&self, cluster: &Cluster) -> Vec<ObjectKey> {
        let cache = cluster.cache::<C::Object>(self.declaration.select.selector());
        let objects = cache.list().into_iter();
        objects.map(|object| ObjectKey::of(&*object)).collect()
    }

    fn open(&self, cluster: &Cluster, alone: bool) {
        let declared = self.declaration;
        let works = declared.works_in(cluster.name(), alone);
        if works {
            cluster.cache::<C::Object>(declared.select.selector());
        }
        let kept = |kind: &&Kind| kind.full && declared.keeps_in(kind, cluster.name(), alone);
        let full = declared.owns.iter().filter(kept);
        let watched = declared.watches.iter();
        let watched = watched.filter(|kind| works && kind.place == Place::Worked);
        for kind in full.chain(watched) {
            kind.open(cluster);
        }
    }

    fn watch(
        self: Arc<Self>,
        cluster: &Cluster,
        host: &Cluster,
        waker: Waker,
        desk: &Desk,
    ) -> Vec<Arc<dyn Source>> {
        let Declaration {
            select,
            on,
            owns,
            watches,
            ..
        } = *self.declaration;
        let works = self.declaration.works_in(cluster.name(), desk.alone);
        let mut sources = Vec::new();
        if works {
            let itself: Arc<dyn Source> = cluster.cache::<C::Object>(select.selector());
            itself.observe(Arc::new(WakeItself {
                waker: waker.clone(),
                notes: Arc::clone(&desk.notes),
                marked: Arc::clone(&desk.marked),
                home: cluster.name().clone(),
                on,
                releases: self.releases().map(Into::into),
            }));
            sources.push(itself);
        }
        let kinds = || owns.iter().chain(watches).map(Kind::resource);
        let repeats = |(place, kind): (usize, ApiResource)| {
            let is_it =
                |other: ApiResource| (&other.group, &other.plural) == (&kind.group, &kind.plural);
            is_it(ApiResource::clone(&self.kind)) || kinds().skip(place + 1).any(is_it)
        };
        if kinds().enumerate().any(repeats) {
            waker.expect_repetitions();
        }
        for (kind, owned) in owns.iter().zip(&self.owned) {
            let open = |cluster: &Cluster| match kind.full {
                true => kind.open(cluster),
                false => cluster.metadata(owned, kind.select.selector()),
            };
            if !self.declaration.keeps_in(kind, cluster.name(), desk.alone) {
                // What is known of the children there has to be known before the work here begins.
                if kind.place == Place::Local {
                    sources.push(open(host));
                }
                continue;
            }
            let source = open(cluster);
            source.observe(Arc::new(WakeOwner {
                waker: waker.clone(),
                works,
                owner: Arc::clone(&self.kind),
                owner_namespaced: C::Object::namespaced(),
                marks: self.finalizer.as_ref().map(|_| Marks {
                    marked: Arc::clone(&desk.marked),
                    controller: self.declaration.name,
                    home: cluster.name().clone(),
                    kind: Arc::clone(owned),
                }),
            }));
            sources.push(source);
        }
        for (watch, kind) in watches.iter().enumerate().filter(|_| works) {
            let source = kind.open(match kind.place {
                Place::Local => host,
                Place::Worked | Place::Provider => cluster,
            });
            let this = Arc::clone(&self);
            let observer = AskMapper::start(
                cluster,
                waker.clone(),
                Arc::new(move |object, cluster| {
                    let this = Arc::clone(&this);
                    Box::pin(
                        async move { this.controller.map(watch, object.as_any(), cluster).await },
                    )
                }),
            );
            source.observe(observer);
            sources.push(source);
        }
        sources
    }

    fn clear(
        self: Arc<Self>,
        cluster: Cluster,
        desk: Desk,
        gone: ClusterName,
    ) -> BoxFuture<'static, ()> {
        Box::pin(async move { self.clear_after(&cluster, &desk, &gone).await })
    }

    fn find_left(
        self: Arc<Self>,
        cluster: Cluster,
        desk: Desk,
        waker: Waker,
    ) -> BoxFuture<'static, ()> {
        Box::pin(async move { self.wake_left(&cluster, &desk, &waker).await })
    }

    fn reconcile(
        self: Arc<Self>,
        cluster: Cluster,
        desk: Desk,
        key: ObjectKey,
        trouble: u32,
    ) -> BoxFuture<'static, Outcome> {
        let span = tracing::info_span!(
            "reconcile",
            controller = %self.declaration.name,
            cluster = %cluster.name(),
            namespace = key.namespace.as_deref().unwrap_or_default(),
            name = key.name,
        );
        let run = async move {
            let cache = cluster.cache::<C::Object>(self.declaration.select.selector());
            let notes = Arc::clone(&desk.notes);
            let outcome = self.run(&cache, cluster, desk, key.clone(), trouble);
            let outcome = outcome.await;
            // It may have gone meanwhile, before its last apply.
            if cache.get(&key).is_none() {
                notes.applied.forget(&key);
            }
            outcome
        };
        Box::pin(run.instrument(span))
    }
}
