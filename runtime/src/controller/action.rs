//! What a reconcile answers when nothing went wrong.

use std::time::Duration;

/// What happens after a successful `reconcile` or `cleanup`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "return it from `reconcile` or `cleanup`"]
pub struct Action {
    requeue: Option<Duration>,
}

impl Action {
    /// Nothing more to do until something changes. From `cleanup`: the finalizer goes.
    pub const fn done() -> Self {
        Self { requeue: None }
    }

    /// Run again after `delay`, or sooner if something changes. From `cleanup`: not finished, the
    /// finalizer stays. It does not count as a failure and leaves the backoff alone.
    pub const fn requeue(delay: Duration) -> Self {
        Self {
            requeue: Some(delay),
        }
    }

    /// The delay after which it runs again; `None` when it is done.
    pub const fn delay(&self) -> Option<Duration> {
        self.requeue
    }
}
