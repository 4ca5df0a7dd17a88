//! Objects by something that they have: the values that a function finds in them.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use kube::Resource;

use crate::controller::ObjectKey;

/// How objects are found by a value.
pub(crate) struct Index<K> {
    /// Whose it is, and how it is called there.
    id: (TypeId, &'static str),
    values: fn(&K) -> Vec<String>,
}

impl<K> Clone for Index<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Index<K> {}

impl<K> Index<K> {
    /// An index of the type `C`.
    pub(super) fn new<C: 'static>(name: &'static str, values: fn(&K) -> Vec<String>) -> Self {
        Self {
            id: (TypeId::of::<C>(), name),
            values,
        }
    }

    /// The values of an object. It is found by none if the function panics: a cache has more to do than this.
    fn values(&self, object: &K) -> Vec<String> {
        let values = std::panic::catch_unwind(AssertUnwindSafe(|| (self.values)(object)));
        values.unwrap_or_else(|_panic| {
            tracing::error!(
                index = self.id.1,
                "the function of an index panicked: an object is not found by it"
            );
            Vec::new()
        })
    }

    /// Whether the object has this value.
    pub(super) fn has(&self, object: &K, value: &str) -> bool {
        self.values(object).iter().any(|found| found == value)
    }
}

impl<K: Resource> Index<K> {
    /// By the uids of the owners.
    pub(super) fn by_owner() -> Self {
        struct Owners;
        Self::new::<Owners>("owners", |object| {
            let owners = object.meta().owner_references.iter().flatten();
            owners.map(|owner| owner.uid.clone()).collect()
        })
    }
}

/// The objects of a cache by one index.
pub(super) struct Indexed<K> {
    index: Index<K>,
    found: BTreeSet<(String, ObjectKey)>,
}

impl<K> Indexed<K> {
    pub(super) fn new(index: Index<K>) -> Self {
        Self {
            index,
            found: BTreeSet::new(),
        }
    }

    pub(super) fn is(&self, index: &Index<K>) -> bool {
        self.index.id == index.id
    }

    pub(super) fn add(&mut self, key: &ObjectKey, object: &K) {
        let values = self.index.values(object).into_iter();
        self.found.extend(values.map(|value| (value, key.clone())));
    }

    pub(super) fn remove(&mut self, key: &ObjectKey, object: &K) {
        for value in self.index.values(object) {
            self.found.remove(&(value, key.clone()));
        }
    }

    pub(super) fn keys<'a>(&'a self, value: &'a str) -> impl Iterator<Item = &'a ObjectKey> {
        // The least key of all.
        let first = (value.to_owned(), ObjectKey::cluster_scoped(""));
        self.found
            .range(first..)
            .take_while(move |(found, _)| found == value)
            .map(|(_, key)| key)
    }
}
