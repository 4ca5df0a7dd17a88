//! What `#[controller]` writes down about a controller, as a constant. Named by the macro's expansion, not
//! by users.

#![allow(
    missing_docs,
    unreachable_pub,
    reason = "public for the expansion alone, through `__private`"
)]

use std::time::Duration;

use futures::future::BoxFuture;

use super::kind::Place;
use super::{Action, Context, Controller, Grant, Kind, ObjectKey, Select};
use crate::Result;
use crate::fleet::{Cluster, ClusterName};
use crate::watch::{AnyObject, On};

/// A controller whose methods can be called: what `Manager::controller` takes. The macro always
/// implements it, so that a missing `impl Reconcile` is one error, at the struct. It also asks for the
/// threads' sake what [`Controller`] does not, or a field that is not `Sync` would be an error for
/// each trait.
// What is no controller is told the same as by `Controller`, which this asks for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a controller",
    label = "has no `#[controller]`",
    note = "write `#[controller(for = YourKind)]` above the struct `{Self}`, and give the manager the controller itself, not a reference"
)]
pub trait Start: Controller + Send + Sync + 'static {
    fn start<'a>(
        &'a self,
        object: &'a Self::Object,
        cx: &'a Context<Self>,
    ) -> BoxFuture<'a, Result<Action>>;

    /// Called only where a finalizer is declared.
    fn cleanup<'a>(
        &'a self,
        _object: &'a Self::Object,
        _cx: &'a Context<Self>,
    ) -> BoxFuture<'a, Result<Action>> {
        Box::pin(std::future::ready(Ok(Action::done())))
    }

    /// The keys that an object wakes, by the mapper of the watched kind at this place of
    /// [`Declaration::watches`].
    fn map<'a>(
        &'a self,
        _watch: usize,
        _object: &'a AnyObject,
        _cluster: &'a Cluster,
    ) -> BoxFuture<'a, Vec<ObjectKey>> {
        nothing()
    }
}

/// All that the attribute declared, besides the types.
#[derive(Debug, Clone, Copy)]
pub struct Declaration {
    pub(crate) name: &'static str,
    pub(crate) select: Select,
    pub(crate) on: On,
    pub(crate) owns: &'static [Kind],
    pub(crate) watches: &'static [Kind],
    pub(crate) finalizer: Option<Finalizer>,
    /// The summary of the conditions, where conditions are declared.
    pub(crate) ready: Option<&'static str>,
    pub(crate) grants: &'static [Grant],
    pub(crate) concurrency: Option<usize>,
    pub(crate) cluster_concurrency: Option<usize>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) resync: Option<Duration>,
    pub(crate) backoff: Option<(Duration, Duration)>,
    /// Whether what leaves the selection is cleaned up and released.
    pub(crate) release: bool,
    /// Whether each reconcile deletes the children that it has not applied.
    pub(crate) prune: bool,
    engage: Engage,
}

/// In which clusters a controller works.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Engage {
    /// In that of the manager itself.
    pub(crate) local: bool,
    /// In those of the providers.
    pub(crate) provider: bool,
    /// Whether the controller says so. One that says nothing works in the host cluster where there is no provider.
    pub(crate) said: bool,
}

/// The name of a declared finalizer.
#[derive(Debug, Clone, Copy)]
pub enum Finalizer {
    Named(&'static str),
    /// The group of the kind, and the name of the controller.
    Derived,
}

impl Declaration {
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            select: Select::ALL,
            on: On::DEFAULT,
            owns: &[],
            watches: &[],
            finalizer: None,
            ready: None,
            grants: &[],
            concurrency: None,
            cluster_concurrency: None,
            timeout: None,
            resync: None,
            backoff: None,
            release: false,
            prune: false,
            engage: Engage {
                local: false,
                provider: true,
                said: false,
            },
        }
    }

    #[must_use]
    pub const fn select(mut self, select: Select) -> Self {
        self.select = select;
        self
    }

    #[must_use]
    pub const fn on(mut self, on: On) -> Self {
        self.on = on;
        self
    }

    #[must_use]
    pub const fn owns(mut self, kinds: &'static [Kind]) -> Self {
        self.owns = kinds;
        self
    }

    #[must_use]
    pub const fn watches(mut self, kinds: &'static [Kind]) -> Self {
        self.watches = kinds;
        self
    }

    #[must_use]
    pub const fn finalizer(mut self, finalizer: Finalizer) -> Self {
        self.finalizer = Some(finalizer);
        self
    }

    /// `_holds` only has to compile: it looks into the kind's status for its conditions.
    #[must_use]
    pub const fn conditions<K>(mut self, ready: &'static str, _holds: fn(&K)) -> Self {
        self.ready = Some(ready);
        self
    }

    #[must_use]
    pub const fn rbac(mut self, grants: &'static [Grant]) -> Self {
        self.grants = grants;
        self
    }

    #[must_use]
    pub const fn concurrency(mut self, most: usize) -> Self {
        self.concurrency = Some(most);
        self
    }

    #[must_use]
    pub const fn cluster_concurrency(mut self, most: usize) -> Self {
        self.cluster_concurrency = Some(most);
        self
    }

    #[must_use]
    pub const fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    #[must_use]
    pub const fn resync(mut self, interval: Duration) -> Self {
        self.resync = Some(interval);
        self
    }

    #[must_use]
    pub const fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.backoff = Some((first, longest));
        self
    }

    #[must_use]
    pub const fn release(mut self) -> Self {
        self.release = true;
        self
    }

    #[must_use]
    pub const fn prune(mut self) -> Self {
        self.prune = true;
        self
    }

    #[must_use]
    pub const fn engage(mut self, local: bool, provider: bool) -> Self {
        self.engage = Engage {
            local,
            provider,
            said: true,
        };
        self
    }

    pub(crate) fn engages(&self) -> Engage {
        self.engage
    }

    /// Whether it works in a cluster of a manager that is `alone`, without a provider, or not.
    pub(crate) fn works_in(&self, cluster: &ClusterName, alone: bool) -> bool {
        match *cluster == ClusterName::LOCAL {
            true => self.engage.local || alone && !self.engage.said,
            false => self.engage.provider,
        }
    }

    /// Whether it looks for its children of a kind in a cluster.
    pub(crate) fn keeps_in(&self, kind: &Kind, cluster: &ClusterName, alone: bool) -> bool {
        match kind.place {
            Place::Worked => self.works_in(cluster, alone),
            Place::Local => *cluster == ClusterName::LOCAL,
            Place::Provider => *cluster != ClusterName::LOCAL,
        }
    }

    /// Whether it has children in the clusters of the providers, wherever it works.
    pub(crate) fn spreads(&self) -> bool {
        self.owns.iter().any(|kind| kind.place == Place::Provider)
    }

    /// Whether it has something to do in the host cluster of a manager with providers.
    pub(crate) fn is_in_host(&self) -> bool {
        let host = &ClusterName::LOCAL;
        let mut owns = self.owns.iter();
        self.works_in(host, false) || owns.any(|kind| self.keeps_in(kind, host, false))
    }
}

/// The keys that `object` wakes, if it is a `K`; a cache has no other objects than those of its kind.
pub fn mapped<'a, K: 'static>(
    object: &'a AnyObject,
    map: impl FnOnce(&'a K) -> BoxFuture<'a, Vec<ObjectKey>>,
) -> BoxFuture<'a, Vec<ObjectKey>> {
    object.downcast_ref().map_or_else(nothing, map)
}

/// No keys.
pub fn nothing<'a>() -> BoxFuture<'a, Vec<ObjectKey>> {
    Box::pin(std::future::ready(Vec::new()))
}

/// What a mapper may return: keys, or a future of keys. `M` only tells the two apart.
#[diagnostic::on_unimplemented(
    message = "a mapper has to return the keys that it wakes, and this returns `{Self}`",
    label = "not an iterator of `ObjectKey`",
    note = "return `impl IntoIterator<Item = ObjectKey>` from a plain or an async method of `(&self, object: &Kind, cluster: &Cluster)`; the future of an async one has to be `Send`"
)]
pub trait IntoKeys<'a, M> {
    fn into_keys(self) -> BoxFuture<'a, Vec<ObjectKey>>;
}

pub struct Plain;
pub struct Async;

impl<'a, I: IntoIterator<Item = ObjectKey>> IntoKeys<'a, Plain> for I {
    fn into_keys(self) -> BoxFuture<'a, Vec<ObjectKey>> {
        Box::pin(std::future::ready(self.into_iter().collect()))
    }
}

impl<'a, F> IntoKeys<'a, Async> for F
where
    F: Future<Output: IntoIterator<Item = ObjectKey>> + Send + 'a,
{
    fn into_keys(self) -> BoxFuture<'a, Vec<ObjectKey>> {
        Box::pin(async move { self.await.into_iter().collect() })
    }
}

/// The keys that a mapper returned.
pub fn keys<'a, M>(returned: impl IntoKeys<'a, M>) -> BoxFuture<'a, Vec<ObjectKey>> {
    returned.into_keys()
}
