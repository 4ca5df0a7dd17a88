//! What `#[controller]` writes down about a controller. Named by the macro's expansion, not by users.

#![allow(
    missing_docs,
    unreachable_pub,
    reason = "public for the expansion alone, through `__private`"
)]

use std::sync::Arc;

use futures::future::BoxFuture;
use kube::api::ApiResource;

use super::{Action, ConditionType, Context, Controller, Object, ObjectKey, Polarity};
use crate::Result;
use crate::fleet::Cluster;
use crate::watch::{AnyObject, Selector};

/// A controller whose `reconcile` can be called: what `Manager::controller` takes. The macro always
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
}

/// Calls a method of the controller with an object and its context.
pub type Step<C> = for<'a> fn(
    &'a C,
    &'a <C as Controller>::Object,
    &'a Context<C>,
) -> BoxFuture<'a, Result<Action>>;

/// Calls a mapper of the controller: from a watched object to the keys that it wakes.
pub type Mapper<C, K> = for<'a> fn(&'a C, &'a K, &'a Cluster) -> BoxFuture<'a, Vec<ObjectKey>>;

/// All that the attribute declared, besides the types.
pub struct Declaration<C: Controller> {
    pub(crate) name: &'static str,
    pub(crate) finalizer: Option<FinalizerDeclaration<C>>,
    pub(crate) owns: Vec<ApiResource>,
    pub(crate) watches: Vec<WatchDeclaration<C>>,
    pub(crate) conditions: Conditions,
}

pub(crate) struct FinalizerDeclaration<C: Controller> {
    pub(crate) name: &'static str,
    pub(crate) cleanup: Step<C>,
}

pub(crate) struct WatchDeclaration<C> {
    /// Opens the cache of the watched kind in a cluster.
    pub(crate) open: fn(&Cluster, Selector) -> Arc<dyn crate::watch::Source>,
    /// The mapper, behind a type that does not name the watched kind.
    pub(crate) map: ErasedMapper<C>,
}

pub(crate) type ErasedMapper<C> = Arc<
    dyn for<'a> Fn(&'a C, &'a AnyObject, &'a Cluster) -> BoxFuture<'a, Vec<ObjectKey>>
        + Send
        + Sync,
>;

/// Which conditions a controller writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conditions {
    /// None: status is not touched but through `cx.status`.
    None,
    /// `Ready`, and those of `Controller::Condition`.
    Declared,
}

impl<C: Controller> Declaration<C> {
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            finalizer: None,
            owns: Vec::new(),
            watches: Vec::new(),
            conditions: Conditions::None,
        }
    }

    #[must_use]
    pub fn owns<K: Object>(mut self) -> Self {
        self.owns.push(ApiResource::erase::<K>(&()));
        self
    }

    #[must_use]
    pub fn watches<K: Object>(mut self, map: Mapper<C, K>) -> Self
    where
        C: 'static,
    {
        self.watches.push(WatchDeclaration {
            open: |cluster, selector| cluster.cache::<K>(selector),
            map: Arc::new(
                move |this, object, cluster| match object.downcast_ref::<K>() {
                    Some(object) => map(this, object, cluster),
                    None => Box::pin(std::future::ready(Vec::new())),
                },
            ),
        });
        self
    }

    #[must_use]
    pub fn finalizer(mut self, name: &'static str, cleanup: Step<C>) -> Self {
        self.finalizer = Some(FinalizerDeclaration { name, cleanup });
        self
    }

    #[must_use]
    pub fn conditions(mut self) -> Self {
        self.conditions = Conditions::Declared;
        self
    }
}

/// The condition type of controllers that declare none of their own.
#[derive(Debug, Clone, Copy)]
pub enum NoConditions {}

impl ConditionType for NoConditions {
    const ALL: &'static [Self] = &[];

    fn name(&self) -> &'static str {
        match *self {}
    }

    fn polarity(&self) -> Polarity {
        match *self {}
    }
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
