//! What is kept of one key.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::engine::{Priority, Version};

/// How many causes are remembered of what wakes a key while it runs. Who is woken more often is woken in any case.
const CAUSES: usize = 64;

/// A key that waits, runs, or is to be remembered. There may be a million that wait: what few of them need is apart.
#[derive(Default)]
pub(super) struct KeyState {
    pub(super) waiting: Option<Place>,
    pub(super) running: bool,
    /// Its object went while it was running: nothing is to be kept of it.
    pub(super) gone: bool,
    more: Option<Box<More>>,
}

/// The place of a key in one of the lines of its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) priority: Priority,
    /// Tells it from places that the key has left.
    pub(super) number: u32,
}

/// What few of the keys need.
#[derive(Default)]
pub(super) struct More {
    /// What woke the key while it was running.
    pub(super) meanwhile: Vec<(Priority, Option<Version>)>,
    /// What we wrote and no watch has delivered yet.
    pub(super) expected: VecDeque<Version>,
    /// When it runs again by itself, and how urgent that is.
    pub(super) delayed: Option<(Instant, Priority)>,
    pub(super) failures: u32,
    pub(super) trouble: u32,
}

impl KeyState {
    pub(super) fn more(&self) -> Option<&More> {
        self.more.as_deref()
    }

    pub(super) fn more_mut(&mut self) -> Option<&mut More> {
        self.more.as_deref_mut()
    }

    pub(super) fn make_more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// Whether a watch is to deliver something that we wrote.
    pub(super) fn is_expectant(&self) -> bool {
        self.more().is_some_and(|more| !more.expected.is_empty())
    }

    /// Takes out a version that we wrote, if this is one.
    pub(super) fn take_expected(&mut self, cause: &Version) -> bool {
        let Some(more) = self.more_mut() else {
            return false;
        };
        let place = more.expected.iter().position(|expected| expected == cause);
        place.is_some_and(|place| more.expected.remove(place).is_some())
    }

    /// Takes it off the keys that run again by themselves.
    pub(super) fn take_delay(&mut self) -> Option<(Instant, Priority)> {
        self.more_mut()?.delayed.take()
    }

    /// Something woke it while it is running.
    pub(super) fn wake_later(&mut self, priority: Priority, cause: Option<Version>) {
        let meanwhile = &mut self.make_more().meanwhile;
        match meanwhile.get_mut(CAUSES - 1) {
            Some(last) => *last = (Priority::Change, None),
            None => meanwhile.push((priority, cause)),
        }
    }

    /// Gives back what is not needed any more; true when nothing has to be remembered.
    pub(super) fn settle(&mut self) -> bool {
        let is_empty = |more: &More| {
            more.meanwhile.is_empty()
                && more.expected.is_empty()
                && more.delayed.is_none()
                && more.failures == 0
                && more.trouble == 0
        };
        if self.more().is_some_and(is_empty) {
            self.more = None;
        }
        self.waiting.is_none() && !self.running && self.more.is_none()
    }
}
