//! Whether an open watch works: servers open some that tell nothing, or the same again and again.

/// What is known of an open watch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Nothing,
    /// It has said something, as one does that says the same again and again, and ends each time.
    Speaking,
    /// It has been open for a while.
    Open,
    /// It has been open for a while and has said something, or has told what was not known.
    Working,
}

impl Seen {
    /// With what it says now, which may be new, or with a while in which it has said nothing.
    pub(super) fn with(self, said: Option<bool>) -> Self {
        match (self, said) {
            (Self::Nothing, Some(false)) => Self::Speaking,
            (Self::Nothing, None) => Self::Open,
            (Self::Speaking, Some(false)) => Self::Speaking,
            _ => Self::Working,
        }
    }

    /// Whether it is known that the watch works, and not just that it was opened.
    pub(super) fn is_settled(self) -> bool {
        matches!(self, Self::Open | Self::Working)
    }
}
