//! Which objects have left the selection of a controller in a cluster, and may have to be released.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::controller::ObjectKey;

/// Those that nobody has looked after yet.
#[derive(Default)]
pub(crate) struct Left(Mutex<BTreeSet<ObjectKey>>);

impl Left {
    pub(crate) fn add(&self, key: ObjectKey) {
        self.lock().insert(key);
    }

    pub(crate) fn contains(&self, key: &ObjectKey) -> bool {
        self.lock().contains(key)
    }

    /// It is gone, released, or selected again.
    pub(crate) fn settle(&self, key: &ObjectKey) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<ObjectKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
