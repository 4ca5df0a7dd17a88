//! Something that happens again and again.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;

/// What is counted when there are no more turns.
const OVER: u32 = u32::MAX;

/// Tells of a new turn. It takes a tenth of the room of tokio's watch channel, and there are as many as watches.
#[derive(Default)]
pub(super) struct Turns {
    count: AtomicU32,
    waiting: Notify,
}

impl Turns {
    pub(super) fn now(&self) -> u32 {
        self.count.load(Ordering::Acquire)
    }

    pub(super) fn next(&self) {
        let next = |count| (count != OVER).then(|| (count + 1) % OVER);
        let turned = self
            .count
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
        if turned.is_ok() {
            self.waiting.notify_waiters();
        }
    }

    /// After this there is none.
    pub(super) fn end(&self) {
        self.count.store(OVER, Ordering::Release);
        self.waiting.notify_waiters();
    }

    pub(super) fn are_over(&self) -> bool {
        self.now() == OVER
    }

    /// Resolves once it is another turn than this one.
    pub(super) async fn after(&self, turn: u32) {
        // Made before the look, so that nothing can happen unseen between the two.
        let woken = self.waiting.notified();
        if self.now() == turn {
            woken.await;
        }
    }
}
