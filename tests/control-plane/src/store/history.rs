//! What happened to the objects of one resource, as far back as it is kept.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Kept, Key, Objects, Slot};

/// What is kept of the changes of one resource: how many, and how long their objects may be together, in bytes as they
/// are sent.
struct Most {
    changes: usize,
    bytes: usize,
}

/// However old they are.
const KEPT: Most = Most {
    changes: 10_000,
    bytes: 256 << 20,
};
/// While lists can be read as they were before them. Small objects that change often are remembered for as long as that;
/// large fleets are not to pay for it.
const KEPT_WHILE_YOUNG: Most = Most {
    changes: 200_000,
    bytes: 24 << 20,
};

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Added,
    Modified,
    Deleted,
}

/// One write.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) what: What,
    /// The object after the write; for a deletion its last state, under the revision of the deletion.
    pub(crate) object: Arc<Kept>,
    /// The object before the write.
    pub(crate) previous: Option<Arc<Kept>>,
}

impl Change {
    pub(crate) fn revision(&self) -> u64 {
        self.object.revision
    }

    pub(crate) fn key(&self) -> &Key {
        &self.object.key
    }
}

/// What was asked for is older than what is kept.
#[derive(Debug)]
pub(crate) struct Compacted {
    /// The oldest revision that could have been asked for.
    pub(crate) oldest: u64,
}

pub(super) struct History {
    /// Nothing can be read from before this revision.
    oldest: u64,
    /// The newest change that is no longer kept: who has seen it misses nothing.
    lost: u64,
    changes: VecDeque<Arc<Change>>,
    /// The length of their objects together.
    bytes: usize,
}

impl History {
    pub(super) fn new(oldest: u64) -> Self {
        Self {
            oldest,
            lost: 0,
            changes: VecDeque::new(),
            bytes: 0,
        }
    }

    /// No list can be read as it was before the revision `expired`.
    pub(super) fn push(&mut self, change: Arc<Change>, expired: u64) {
        self.bytes += change.object.text().len();
        self.changes.push_back(change);
        while let Some(first) = self.changes.front() {
            let are_few =
                |most: &Most| self.changes.len() <= most.changes && self.bytes <= most.bytes;
            let is_young = first.revision() > expired;
            if are_few(&KEPT) || is_young && are_few(&KEPT_WHILE_YOUNG) {
                break;
            }
            self.bytes -= first.object.text().len();
            self.oldest = first.revision();
            self.lost = first.revision();
            self.changes.pop_front();
        }
    }

    pub(super) fn forget(&mut self, revision: u64) {
        self.oldest = revision;
        if let Some(last) = self.changes.back() {
            self.lost = last.revision();
        }
        self.changes.clear();
        self.bytes = 0;
    }

    fn check(&self, revision: u64) -> Result<(), Compacted> {
        if revision < self.oldest {
            Err(Compacted {
                oldest: self.oldest,
            })
        } else {
            Ok(())
        }
    }

    /// What came after a revision. A watch that is open already (`live`) has seen all up to there, and
    /// is too late only if it missed something.
    pub(super) fn since(&self, revision: u64, live: bool) -> Result<Vec<Arc<Change>>, Compacted> {
        if !live || revision < self.lost {
            self.check(revision)?;
        }
        let from = self
            .changes
            .partition_point(|change| change.revision() <= revision);
        Ok(self.changes.range(from..).cloned().collect())
    }

    /// Takes the objects back to what they were at a revision.
    pub(super) fn undo(&self, objects: &mut Objects, revision: u64) -> Result<(), Compacted> {
        self.check(revision)?;
        for change in self
            .changes
            .iter()
            .rev()
            .take_while(|change| change.revision() > revision)
        {
            match &change.previous {
                Some(previous) => drop(objects.replace(Slot(previous.clone()))),
                None => drop(objects.take(change.key())),
            }
        }
        Ok(())
    }
}
