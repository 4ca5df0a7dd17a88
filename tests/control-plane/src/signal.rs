//! That something is new, to all who wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Wakes everybody in the order in which they began to wait, and so each time in the same; tokio's watch channel does in
/// one of chance. Clones are one signal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signal(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    sent: AtomicU64,
    waiting: Notify,
}

impl Signal {
    pub(crate) fn send(&self) {
        self.0.sent.fetch_add(1, Ordering::AcqRel);
        self.0.waiting.notify_waiters();
    }

    /// Hears what is sent from now on.
    pub(crate) fn subscribe(&self) -> Ear {
        Ear {
            heard: self.sent(),
            signal: self.clone(),
        }
    }

    fn sent(&self) -> u64 {
        self.0.sent.load(Ordering::Acquire)
    }
}

/// What has been heard of a signal.
#[derive(Debug)]
pub(crate) struct Ear {
    signal: Signal,
    heard: u64,
}

impl Ear {
    /// All that was sent has been looked at.
    pub(crate) fn mark_unchanged(&mut self) {
        self.heard = self.signal.sent();
    }

    /// There is something to look at, whether it was sent or not.
    pub(crate) fn mark_changed(&mut self) {
        self.heard = self.signal.sent().wrapping_sub(1);
    }

    /// Resolves when something was sent that has not been heard.
    pub(crate) async fn changed(&mut self) {
        loop {
            // It waits before it looks, so that nothing falls between.
            let mut waiting = std::pin::pin!(self.signal.0.waiting.notified());
            waiting.as_mut().enable();
            let sent = self.signal.sent();
            if sent != self.heard {
                self.heard = sent;
                return;
            }
            waiting.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn what_is_sent_is_heard_once_and_in_order() {
        let signal = Signal::default();
        let mut ear = signal.subscribe();
        assert!(ear.changed().now_or_never().is_none());
        signal.send();
        signal.send();
        assert!(ear.changed().now_or_never().is_some());
        assert!(ear.changed().now_or_never().is_none());
        ear.mark_changed();
        assert!(ear.changed().now_or_never().is_some());
        signal.send();
        ear.mark_unchanged();
        assert!(ear.changed().now_or_never().is_none());

        let (told, mut hear) = tokio::sync::mpsc::unbounded_channel();
        for number in 0..20 {
            let (mut ear, told) = (signal.subscribe(), told.clone());
            tokio::spawn(async move {
                ear.changed().await;
                told.send(number)
            });
        }
        tokio::task::yield_now().await;
        signal.send();
        for number in 0..20 {
            assert_eq!(hear.recv().await, Some(number));
        }
    }
}
