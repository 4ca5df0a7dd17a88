//! The reason of a condition or an event.

use std::fmt;

/// The most that the API takes for the reason of a condition:
/// <https://github.com/kubernetes/apimachinery/blob/master/pkg/apis/meta/v1/types.go> (`type Condition`).
pub(crate) const LONGEST: usize = 1024;

/// A reason that the API takes: one word for programs, such as `Upserted`.
///
/// Reasons may be given as plain strings; what the API would refuse is then left out of them. One that
/// is made as a constant is checked at compile time:
///
/// ```
/// use kommodore::ConditionReason;
///
/// const UPSERTED: ConditionReason = ConditionReason::new("Upserted");
/// ```
///
/// ```compile_fail
/// # use kommodore::ConditionReason;
/// const UPSERTED: ConditionReason = ConditionReason::new("the record is there");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConditionReason(&'static str);

impl ConditionReason {
    /// The reason `word`: at most 1024 of `A-Z`, `a-z`, `0-9`, `_`, `,` and `:`, the first of them a letter and the
    /// last none of `,` and `:`.
    ///
    /// # Panics
    /// When `word` is not like that; in a constant, that is an error of the compiler.
    pub const fn new(word: &'static str) -> Self {
        assert!(
            is_reason(word.as_bytes()),
            "a reason is one word of at most 1024 of A-Z, a-z, 0-9, `_`, `,` and `:`, which begins with a letter and ends with none of `,` and `:`"
        );
        Self(word)
    }

    /// The word.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

const fn is_reason(word: &[u8]) -> bool {
    let [first, ..] = word else { return false };
    let [.., last] = word else { return false };
    if word.len() > LONGEST || !first.is_ascii_alphabetic() || matches!(last, b',' | b':') {
        return false;
    }
    let mut rest = word;
    while let [byte, after @ ..] = rest {
        if !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b',' | b':')) {
            return false;
        }
        rest = after;
    }
    true
}

impl fmt::Display for ConditionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl From<ConditionReason> for String {
    fn from(reason: ConditionReason) -> Self {
        reason.0.into()
    }
}
