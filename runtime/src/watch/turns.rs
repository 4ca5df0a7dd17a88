//! Something that happens again and again.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Tells of a new turn. It takes a tenth of the room of tokio's watch channel, and there are as many as watches.
#[derive(Default)]
pub(super) struct Turns {
    count: AtomicUsize,
    waiting: Notify,
}

impl Turns {
    pub(super) fn now(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    pub(super) fn next(&self) {
        self.count.fetch_add(1, Ordering::AcqRel);
        self.waiting.notify_waiters();
    }

    /// Resolves once it is another turn than this one.
    pub(super) async fn after(&self, turn: usize) {
        // Made before the look, so that nothing can happen unseen between the two.
        let woken = self.waiting.notified();
        if self.now() == turn {
            woken.await;
        }
    }
}
