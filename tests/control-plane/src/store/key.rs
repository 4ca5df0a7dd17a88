//! Under what objects are stored.

use std::cmp::Ordering;
use std::iter::once;
use std::sync::Arc;

use serde_json::Value;

use crate::object;

/// The resource that an object is stored under: group and plural.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Bucket {
    /// The API group; empty for the core one.
    pub(crate) group: Arc<str>,
    /// The plural, in lower case.
    pub(crate) plural: Arc<str>,
}

/// Which object in a bucket; the namespace is empty for cluster-scoped ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// In the order of paths, `namespace/name`, as lists have it.
impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.namespace == other.namespace {
            true => self.name.cmp(&other.name),
            false => {
                let ours = self.namespace.bytes().chain(once(b'/'));
                ours.cmp(other.namespace.bytes().chain(once(b'/')))
            }
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Key {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    pub(crate) fn of(object: &Value) -> Self {
        Self::new(object::namespace(object), object::name(object))
    }
}
