//! What the garbage collector of one control plane remembers of owners.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::{Bucket, Key};

/// How many of those that are gone are remembered. A real garbage collector remembers 500.
const REMEMBERED: usize = 10_000;

/// An object of a control plane.
type Place = (Bucket, Key);

#[derive(Default)]
pub(crate) struct Owners(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// The uids of those that were named when they went, and the order in which they did: their kind may be gone as well.
    gone: BTreeSet<String>,
    order: VecDeque<String>,
    /// The objects that name an owner of a kind that nobody serves.
    of_unknown_kinds: BTreeSet<Place>,
    /// Those that wait for their dependents, by uid, and where they are. References may say the latter wrongly.
    waiting: BTreeMap<String, Place>,
}

impl Owners {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that somebody names is gone.
    pub(super) fn went(&self, uid: &str) {
        let mut known = self.lock();
        if known.gone.insert(uid.to_owned()) {
            known.order.push_back(uid.to_owned());
        }
        if known.order.len() > REMEMBERED
            && let Some(oldest) = known.order.pop_front()
        {
            known.gone.remove(&oldest);
        }
    }

    pub(super) fn is_gone(&self, uid: &str) -> bool {
        self.lock().gone.contains(uid)
    }

    /// An object names an owner of which nothing can be known before its kind is served.
    pub(super) fn await_kind(&self, bucket: &Bucket, key: &Key) {
        let mut known = self.lock();
        known.of_unknown_kinds.insert((bucket.clone(), key.clone()));
    }

    /// An object is gone: its place is not to be looked at on its account.
    pub(super) fn forget(&self, bucket: &Bucket, key: &Key) {
        let mut known = self.lock();
        if !known.of_unknown_kinds.is_empty() {
            known
                .of_unknown_kinds
                .remove(&(bucket.clone(), key.clone()));
        }
    }

    /// Those objects, which are to be looked at again.
    pub(super) fn take_of_unknown_kinds(&self) -> BTreeSet<Place> {
        std::mem::take(&mut self.lock().of_unknown_kinds)
    }

    /// An owner waits for its dependents.
    pub(super) fn waits(&self, uid: &str, bucket: &Bucket, key: &Key) {
        let place = (bucket.clone(), key.clone());
        self.lock().waiting.insert(uid.to_owned(), place);
    }

    pub(super) fn waits_no_more(&self, uid: &str) {
        self.lock().waiting.remove(uid);
    }

    /// Where an owner is that waits for its dependents.
    pub(super) fn waiting(&self, uid: &str) -> Option<Place> {
        self.lock().waiting.get(uid).cloned()
    }
}
