//! Where it is said how one cluster should be, and how it is.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use futures::task::AtomicWaker;

use super::status::Standing;
use super::{Reason, Wish};

/// What a cluster's engagement and those who wish something of it have in common. It takes a fifth of the room of two
/// of tokio's watch channels, and there are as many as clusters.
pub(super) struct Seat {
    wish: Mutex<Asked>,
    asked: AtomicWaker,
    standing: Mutex<Standing>,
}

struct Asked {
    wish: Wish,
    /// Whether the engagement has yet to [see](Seat::see) it.
    is_news: bool,
}

impl Seat {
    pub(super) fn new(wish: Wish) -> Self {
        Self {
            wish: Mutex::new(Asked {
                wish,
                is_news: true,
            }),
            asked: AtomicWaker::new(),
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
            asked.is_news = true;
            drop(asked);
            self.asked.wake();
        }
    }

    /// Why the cluster is not to be worked on, if it is not.
    pub(super) fn left(&self) -> Option<Reason> {
        match self.lock().wish {
            Wish::Engaged { .. } => None,
            Wish::Disengaged(reason) => Some(reason),
        }
    }

    /// How the cluster should be now.
    pub(super) fn see(&self) -> Wish {
        let mut asked = self.lock();
        asked.is_news = false;
        asked.wish.clone()
    }

    /// Whether that has not been [seen](Self::see).
    pub(super) fn has_news(&self) -> bool {
        self.lock().is_news
    }

    /// The same, if it has not been seen.
    pub(super) fn news(&self) -> Option<Wish> {
        self.has_news().then(|| self.see())
    }

    /// Resolves once there is something that has not been [seen](Seat::see). One engagement waits for it.
    pub(super) fn asked(&self) -> impl Future<Output = ()> {
        poll_fn(|cx| {
            // Before the look, so that nothing can be asked unseen between the two.
            self.asked.register(cx.waker());
            match self.lock().is_news {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
    }

    /// How the cluster is.
    pub(super) fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
