//! Where it is said how one cluster should be, and how it is.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::status::Standing;
use super::{Reason, Wish};

/// What a cluster's engagement and those who wish something of it have in common. It takes a fifth of the room of two
/// of tokio's watch channels, and there are as many as clusters.
pub(super) struct Seat {
    wish: Mutex<Asked>,
    asked: Notify,
    standing: Mutex<Standing>,
}

struct Asked {
    wish: Wish,
    /// Counts those that the engagement is told of.
    count: u32,
}

impl Seat {
    pub(super) fn new(wish: Wish) -> Self {
        Self {
            wish: Mutex::new(Asked { wish, count: 1 }),
            asked: Notify::new(),
            standing: Mutex::new(Standing::new()),
        }
    }

    /// Says how the cluster should be, if that is something else than before.
    pub(super) fn ask(&self, wish: Wish) {
        self.ask_if(|was| {
            let changes = !was.is(&wish);
            if changes {
                *was = wish;
            }
            changes
        });
    }

    /// Says how the cluster should be, where `change` has changed it; tells the engagement where that returns true.
    pub(super) fn ask_if(&self, change: impl FnOnce(&mut Wish) -> bool) {
        let mut asked = self.lock();
        if change(&mut asked.wish) {
            asked.count = asked.count.wrapping_add(1);
            drop(asked);
            self.asked.notify_one();
        }
    }

    /// Why the cluster is not to be worked on, if it is not.
    pub(super) fn left(&self) -> Option<Reason> {
        match self.lock().wish {
            Wish::Engaged { .. } => None,
            Wish::Disengaged(reason) => Some(reason),
        }
    }

    /// How the cluster should be now. `seen` counts along.
    pub(super) fn see(&self, seen: &mut u32) -> Wish {
        let asked = self.lock();
        *seen = asked.count;
        asked.wish.clone()
    }

    /// Resolves once there is something that has not been [seen](Seat::see). One engagement waits for it.
    pub(super) async fn asked(&self, seen: u32) {
        while self.lock().count == seen {
            self.asked.notified().await;
        }
    }

    /// How the cluster is.
    pub(super) fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
