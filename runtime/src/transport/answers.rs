//! Whether an endpoint answers.

use std::sync::atomic::{AtomicU32, Ordering};

/// The answers of an endpoint, as far as it matters whether there are any.
#[derive(Default)]
pub(crate) struct Answers {
    /// Twice the number of those that came, and one more where the next is missed.
    state: AtomicU32,
}

/// When somebody began to wait for an answer.
#[derive(Clone, Copy)]
pub(crate) struct Since(u32);

impl Answers {
    pub(super) fn came(&self) {
        let next = |state: u32| Some((state | 1).wrapping_add(1));
        let _ = self
            .state
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    pub(crate) fn now(&self) -> Since {
        Since(self.state.load(Ordering::Relaxed))
    }

    /// Takes in that somebody waits for longer than answers usually take. Nothing is missed if others had one meanwhile.
    pub(crate) fn missed(&self, Since(then): Since) {
        let _ = self
            .state
            .compare_exchange(then, then | 1, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Whether somebody waits in vain, and nobody has had an answer since.
    pub(crate) fn are_missed(&self) -> bool {
        self.state.load(Ordering::Relaxed) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_missed_until_the_next_one_and_not_where_others_came_meanwhile() {
        let answers = Answers::default();
        let first = answers.now();
        assert!(!answers.are_missed());
        answers.missed(first);
        answers.missed(answers.now());
        assert!(answers.are_missed());
        answers.came();
        answers.missed(first);
        assert!(!answers.are_missed());
        let second = answers.now();
        answers.came();
        answers.missed(second);
        assert!(!answers.are_missed());
    }
}
