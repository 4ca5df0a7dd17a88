//! What is being deleted, with all that is of it: it, and none that has its name since.

use serde_json::Value;

use crate::object;
use crate::plane::Plane;
use crate::store::{Bucket, Key};

pub(super) struct Ending<'a> {
    plane: &'a Plane,
    bucket: Bucket,
    pub(super) key: Key,
    uid: String,
}

impl<'a> Ending<'a> {
    /// That of an object, as it was told of.
    pub(super) fn of(plane: &'a Plane, bucket: Bucket, object: &Value) -> Self {
        Self {
            plane,
            bucket,
            key: Key::of(object),
            uid: object::uid(object).to_owned(),
        }
    }

    /// The object as it is now, if it is still there.
    pub(super) fn now(&self) -> Option<Value> {
        let now = self.plane.store.get(&self.bucket, &self.key);
        now.filter(|now| object::is_deleting(now) && object::uid(now) == self.uid)
    }

    /// What is of the object. Another of its name could have something only once this one is gone, and so it is looked for
    /// it afterwards.
    pub(super) fn having<T>(&self, what: impl FnOnce() -> T) -> Option<T> {
        let what = what();
        self.now().map(|_| what)
    }
}
