//! Something that happens once.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Wakes those who wait for it in the order in which they came, so that two runs with one seed take the same way:
/// tokio's watch channel wakes them in a random one.
#[derive(Default)]
pub(crate) struct Latch {
    has_happened: AtomicBool,
    waiting: Notify,
}

impl Latch {
    pub(crate) fn has_happened(&self) -> bool {
        self.has_happened.load(Ordering::Acquire)
    }

    pub(crate) fn happens(&self) {
        if !self.has_happened.swap(true, Ordering::AcqRel) {
            self.waiting.notify_waiters();
        }
    }

    /// Resolves once it has happened.
    pub(crate) async fn wait(&self) {
        // Made before the look, so that nothing can happen unseen between the two.
        let woken = self.waiting.notified();
        if !self.has_happened() {
            woken.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test]
    async fn those_who_wait_are_woken_in_their_order_and_who_comes_later_does_not_wait() {
        let (latch, order) = (Arc::new(Latch::default()), Arc::new(Mutex::new(Vec::new())));
        let waits = |place: usize| {
            let (latch, order) = (Arc::clone(&latch), Arc::clone(&order));
            tokio::spawn(async move {
                latch.wait().await;
                order.lock().unwrap().push(place);
            })
        };
        // More than the places among which tokio's watch channel draws.
        let mut waiting: Vec<_> = (0..32).map(waits).collect();
        tokio::task::yield_now().await;
        assert!(!latch.has_happened());
        latch.happens();
        waiting.push(waits(32));
        for task in waiting {
            task.await.unwrap();
        }
        let expected: Vec<usize> = (0..33).collect();
        assert_eq!(*order.lock().unwrap(), expected);
    }
}
