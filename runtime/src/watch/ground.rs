//! What a watch stands on.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::listing::Lists;
use super::subject::{Subject, Subjects};
use super::usual::Usual;
use super::{Kept, Latch};
use crate::controller::ObjectKey;
use crate::transport::{Failure, Line};

/// What a watch asks of the server, each of which may be allowed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    List,
    Watch,
}

/// A cluster, as its watches see it, and how they tell at each change for better or worse how they fare.
pub(crate) trait Ground: Send + Sync {
    /// The newest one.
    fn line(&self) -> Line;
    /// How the cluster is asked for lists.
    fn lists(&self) -> &Lists;
    fn common(&self) -> &Common;
    fn failed(&self, subject: &Arc<Subject>, verb: Verb, failure: &Failure);
    fn works(&self, subject: &Arc<Subject>);
    /// An object does not fit its type and is left out.
    fn misfit(&self, subject: &Subject, object: &ObjectKey, error: &str);
}

/// What all clusters have in common.
pub(crate) struct Common {
    /// How many clusters may fill their caches at once; waiting for a retry holds no place.
    pub(crate) engaging: Semaphore,
    /// The same for those that have had no answer the last time, or whose endpoint answers nobody: where a whole region does
    /// not answer, they are to wait for each other alone.
    pub(crate) unanswered: Semaphore,
    /// How long the lists take that come in so.
    pub(super) usual: Usual,
    /// How much of an object is kept in the caches.
    pub(crate) kept: Kept,
    pub(crate) subjects: Subjects,
    /// Everything is to end in all of them, without a grace.
    pub(crate) abandoned: Latch,
}

impl Common {
    pub(crate) fn new(engaging: usize, kept: Kept) -> Self {
        Self {
            engaging: Semaphore::new(engaging),
            unanswered: Semaphore::new(engaging),
            usual: Usual::default(),
            kept,
            subjects: Subjects::default(),
            abandoned: Latch::default(),
        }
    }
}
