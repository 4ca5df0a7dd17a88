//! Which objects of a kind somebody asks for.

use std::collections::BTreeMap;

use kube::Resource;
use kube::core::{Expression, Selector, SelectorExt as _};

use super::index::Index;

/// The labels of an object that has none.
static NONE: BTreeMap<String, String> = BTreeMap::new();

/// Which objects of the kind `K` are listed by [`cx.list`](crate::Scope::list) and
/// [`cluster.find`](crate::Cluster::find): those with some labels (kube's `Selector` and `Expression` are such
/// lookups), those of an owner, or those that an index has under a value.
///
/// An index is declared by [`#[controller]`](macro@crate::controller) with `index(name => path)`, and makes its lookups
/// by `Self::name(value)`.
///
/// A cache keeps an index up to date from the first lookup on, in a few hundred bytes for each object; one that
/// nobody asks costs nothing.
pub struct Lookup<K>(By<K>);

enum By<K> {
    Labels(Selector),
    Index(Index<K>, String),
}

impl<K: Resource> Lookup<K> {
    /// Those that name `owner` among their owners, by its uid. An owner that has none, as it was never at a server,
    /// owns nothing.
    pub fn owned_by(owner: &impl Resource) -> Self {
        Self::owned_by_uid(owner.meta().uid.as_deref().unwrap_or_default())
    }

    pub(crate) fn owned_by_uid(uid: &str) -> Self {
        Self(By::Index(Index::by_owner(), uid.to_owned()))
    }
}

impl<K> Lookup<K> {
    /// Those that the index `name` of the controller `C` has under `value`.
    #[doc(hidden)]
    pub fn indexed<C: 'static>(
        name: &'static str,
        values: fn(&K) -> Vec<String>,
        value: impl Into<String>,
    ) -> Self {
        Self(By::Index(Index::new::<C>(name, values), value.into()))
    }

    pub(crate) fn labels(&self) -> Option<&Selector> {
        match &self.0 {
            By::Labels(labels) => Some(labels),
            By::Index(..) => None,
        }
    }

    pub(crate) fn index(&self) -> Option<(&Index<K>, &str)> {
        match &self.0 {
            By::Labels(_) => None,
            By::Index(index, value) => Some((index, value)),
        }
    }
}

impl<K: Resource> Lookup<K> {
    /// Whether it is one of them.
    pub(crate) fn has(&self, object: &K) -> bool {
        match &self.0 {
            By::Labels(labels) => labels.matches(object.meta().labels.as_ref().unwrap_or(&NONE)),
            By::Index(index, value) => index.has(object, value),
        }
    }
}

impl<K> From<Selector> for Lookup<K> {
    fn from(labels: Selector) -> Self {
        Self(By::Labels(labels))
    }
}

impl<K> From<Expression> for Lookup<K> {
    fn from(labels: Expression) -> Self {
        Self(By::Labels(labels.into()))
    }
}

/// What the function of an index may return.
#[diagnostic::on_unimplemented(
    message = "the function of an index has to return the values of the object, and this returns `{Self}`",
    label = "not an iterator of strings",
    note = "return `Option<String>`, `Vec<String>` or another `impl IntoIterator<Item = impl Into<String>>` from a function of `(object: &YourKind)`"
)]
#[allow(
    unreachable_pub,
    missing_docs,
    reason = "public for the expansion alone, through `__private`"
)]
pub trait IntoValues {
    fn into_values(self) -> Vec<String>;
}

#[diagnostic::do_not_recommend]
impl<I: IntoIterator<Item: Into<String>>> IntoValues for I {
    fn into_values(self) -> Vec<String> {
        self.into_iter().map(Into::into).collect()
    }
}

/// The values that the function of an index returned.
#[allow(
    unreachable_pub,
    reason = "public for the expansion alone, through `__private`"
)]
pub fn values(returned: impl IntoValues) -> Vec<String> {
    returned.into_values()
}
