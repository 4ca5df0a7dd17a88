//! What the caches of a cluster know.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::Resource;
use kube::api::ApiResource;

use super::Cluster;
use crate::controller::{Object, ObjectKey};
use crate::watch::{Cache, Lookup, Selector, Source, Watched};

impl Cluster {
    /// All objects of a kind, from the cache of a kind that a controller is `for` or `watches`, or owns as
    /// `full`. Where they only select some of its objects, it is those.
    ///
    /// Of a kind of which there is no such cache here the list is empty (which is logged as an error): read it
    /// through [`client`](Cluster::client).
    pub fn list<K: Object>(&self) -> impl Iterator<Item = Arc<K>> + Send + use<K> {
        self.in_caches(Cache::list).into_iter()
    }

    /// The objects of a kind that a lookup finds, in all namespaces: those with some labels, those of an owner, or
    /// those that a declared index has under a value. They come from the same caches as those of
    /// [`list`](Cluster::list), and never from the server.
    ///
    /// ```
    /// # use kommodore::{Action, Cluster, Context, ObjectKey, Reconcile, Result, controller};
    /// # use kommodore::k8s_openapi::api::core::v1::{ConfigMap, Secret};
    /// #[controller(
    ///     for = ConfigMap,
    ///     watches(Secret => Self::using),
    ///     index(by_secret => Self::secret),
    /// )]
    /// struct Pages;
    ///
    /// impl Pages {
    ///     fn secret(page: &ConfigMap) -> Option<&String> {
    ///         page.data.as_ref()?.get("secret")
    ///     }
    ///
    ///     fn using(&self, secret: &Secret, cluster: &Cluster) -> impl IntoIterator<Item = ObjectKey> {
    ///         let name = secret.metadata.name.as_deref().unwrap_or_default();
    ///         cluster.find(Self::by_secret(name)).map(ObjectKey::of)
    ///     }
    /// }
    /// # impl Reconcile for Pages {
    /// #     async fn reconcile(&self, _: &ConfigMap, _: &Context<Self>) -> Result<Action> {
    /// #         Ok(Action::done())
    /// #     }
    /// # }
    /// ```
    pub fn find<K: Object>(&self, lookup: impl Into<Lookup<K>>) -> std::vec::IntoIter<Arc<K>> {
        let lookup = lookup.into();
        self.in_caches(|cache| cache.find(&lookup)).into_iter()
    }

    /// What the caches of a kind have, each object once.
    fn in_caches<K: Object>(&self, list: impl Fn(&Cache<K>) -> Vec<Arc<K>>) -> Vec<Arc<K>> {
        let kind = ApiResource::erase::<K>(&());
        let caches = self.caches::<K>(&kind);
        if caches.is_empty() {
            tracing::error!(
                cluster = %self.name(),
                kind = %kind.kind,
                "listed a kind that no controller is `for` or `watches`: there is no cache of it"
            );
        }
        // That of everything comes first, and the others have nothing to add to it.
        let all = caches
            .first()
            .is_some_and(|(selector, _)| *selector == Selector::default());
        let mut lists = caches
            .iter()
            .take(if all { 1 } else { usize::MAX })
            .map(|(_, cache)| list(cache));
        let mut objects = lists.next().unwrap_or_default();
        let others: Vec<Arc<K>> = lists.flatten().collect();
        if !others.is_empty() {
            let mut seen: BTreeSet<ObjectKey> = objects
                .iter()
                .map(|object| ObjectKey::of(&**object))
                .collect();
            let new = |object: &Arc<K>| seen.insert(ObjectKey::of(&**object));
            objects.extend(others.into_iter().filter(new));
        }
        objects
    }

    /// The objects of a kind in a namespace, or in all of them, that a lookup finds, if a cache has all of these.
    pub(crate) fn known_list<K>(
        &self,
        namespace: Option<&str>,
        lookup: &Lookup<K>,
    ) -> Option<Vec<Arc<K>>>
    where
        K: Object,
    {
        let caches = self.caches::<K>(&ApiResource::erase::<K>(&()));
        let (_, cache) = caches
            .into_iter()
            .find(|(selector, cache)| cache.is_current() && selector.covers_namespace(namespace))?;
        let mut objects = cache.find(lookup);
        if namespace.is_some() {
            objects.retain(|object| object.meta().namespace.as_deref() == namespace);
        }
        Some(objects)
    }

    /// What the caches know of an object of a kind that is read as `K`.
    pub(crate) fn known<K>(&self, kind: &ApiResource, key: &ObjectKey) -> Known<Arc<K>>
    where
        K: Resource + Send + Sync + 'static,
    {
        let caches = self.caches::<K>(kind);
        let caches = caches.iter().map(|(selector, cache)| {
            let source: &dyn Source = &**cache;
            (selector, source, cache.get(key))
        });
        known(key, caches)
    }

    /// The same for an object of which only the metadata is asked for.
    pub(crate) fn known_metadata(
        &self,
        kind: &ApiResource,
        key: &ObjectKey,
    ) -> Known<Arc<dyn Watched>> {
        let feeds = self.feeds_of(kind);
        let sources: Vec<_> = feeds
            .iter()
            .filter_map(|(selector, feed)| Some((selector, feed.any()?)))
            .collect();
        let sources = sources
            .iter()
            .map(|(selector, source)| (*selector, &**source, source.look(key)));
        known(key, sources)
    }

    /// The objects of a kind that name this uid among their owners, as far as caches have them.
    pub(crate) fn known_owned_by(&self, kind: &ApiResource, uid: &str) -> BTreeSet<ObjectKey> {
        let feeds = self.feeds_of(kind).into_iter();
        let sources = feeds.filter_map(|(_, feed)| feed.any());
        let owned = sources.flat_map(|source| source.owned_by(uid));
        owned
            .map(|object| ObjectKey::of_meta(object.metadata()))
            .collect()
    }
}

/// What the caches know of an object.
pub(crate) enum Known<O> {
    There(O),
    /// It does not exist.
    Missing,
    /// Only the server can tell.
    Unknown,
}

/// What some caches know of an object, each with what it selects and the object that it has.
fn known<'a, O>(
    key: &ObjectKey,
    caches: impl Iterator<Item = (&'a Selector, &'a dyn Source, Option<O>)>,
) -> Known<O> {
    let mut known = Known::Unknown;
    for (selector, source, object) in caches {
        match object {
            _ if !source.is_current() || source.is_in_doubt(key) => {}
            Some(object) => return Known::There(object),
            None if selector.covers(key) && !source.leaves_out(key) => known = Known::Missing,
            None => {}
        }
    }
    known
}
