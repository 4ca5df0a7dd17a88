//! What of an object is kept.

use kube::Resource;
use kube::api::ObjectMeta;

/// What `kubectl apply` remembers in an object: the object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// How much of what is watched is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Kept {
    Everything,
    /// All but what no controller reads, and what makes up half of many objects.
    #[default]
    WhatIsRead,
}

impl Kept {
    pub(super) fn of<K: Resource>(self, mut object: K) -> K {
        let meta = object.meta_mut();
        if self == Self::WhatIsRead {
            slim(meta);
        }
        // What is read from JSON has room for four of each.
        if let Some(finalizers) = &mut meta.finalizers {
            finalizers.shrink_to_fit();
        }
        if let Some(owners) = &mut meta.owner_references {
            owners.shrink_to_fit();
        }
        object
    }

    /// The metadata as it is kept, for who compares it with what is in a cache.
    pub(crate) fn of_meta(self, meta: &mut ObjectMeta) {
        if self == Self::WhatIsRead {
            slim(meta);
        }
    }
}

fn slim(meta: &mut ObjectMeta) {
    meta.managed_fields = None;
    if let Some(annotations) = &mut meta.annotations
        && annotations.remove(LAST_APPLIED).is_some()
        && annotations.is_empty()
    {
        meta.annotations = None;
    }
}
