//! Something that happens again and again.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;

use futures::task::AtomicWaker;

/// What is counted when there are no more turns.
const OVER: u32 = u32::MAX;

/// Tells one who waits of a new turn. It takes a tenth of the room of tokio's watch channel, and there are as many as
/// watches.
#[derive(Default)]
pub(super) struct Turns {
    count: AtomicU32,
    waiting: AtomicWaker,
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
            self.waiting.wake();
        }
    }

    /// After this there is none.
    pub(super) fn end(&self) {
        self.count.store(OVER, Ordering::Release);
        self.waiting.wake();
    }

    pub(super) fn are_over(&self) -> bool {
        self.now() == OVER
    }

    /// Resolves once it is another turn than this one. One reflector waits for it.
    pub(super) fn after(&self, turn: u32) -> impl Future<Output = ()> {
        poll_fn(move |cx| {
            // Before the look, so that nothing can happen unseen between the two.
            self.waiting.register(cx.waker());
            match self.now() == turn {
                true => Poll::Pending,
                false => Poll::Ready(()),
            }
        })
    }
}
