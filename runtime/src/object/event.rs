//! What a controller tells people about an object.

/// The limits of the API on the texts of an event, in bytes:
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/core/validation/events.go>
const LONGEST_NOTE: usize = 1024;
pub(super) const LONGEST_WORD: usize = 128;

/// Something that happened to an object, for the people who look at it with `kubectl describe` or
/// `kubectl events`. Given to [`Scope::event`](crate::Scope::event).
///
/// The reason is one CamelCase word for programs, of at most 128 bytes; the note a sentence for people, of at most
/// 1024. What is longer is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "give it to `cx.event(..)`"]
pub struct Event {
    pub(super) warns: bool,
    pub(super) reason: String,
    pub(super) note: String,
    pub(super) action: String,
}

impl Event {
    /// Something that is as it should be.
    pub fn normal(reason: impl Into<String>, note: impl Into<String>) -> Self {
        Self::new(false, reason.into(), note.into())
    }

    /// Something that somebody may have to look at.
    pub fn warning(reason: impl Into<String>, note: impl Into<String>) -> Self {
        Self::new(true, reason.into(), note.into())
    }

    /// What was being done, as one CamelCase word; `Reconcile` by default.
    pub fn action(mut self, action: impl Into<String>) -> Self {
        self.action = word(action.into(), "Reconcile");
        self
    }

    fn new(warns: bool, reason: String, mut note: String) -> Self {
        cut(&mut note, LONGEST_NOTE);
        Self {
            warns,
            reason: word(reason, "Unspecified"),
            note,
            action: "Reconcile".into(),
        }
    }
}

/// The API refuses an event with an empty word.
fn word(mut given: String, otherwise: &str) -> String {
    cut(&mut given, LONGEST_WORD);
    match given.is_empty() {
        true => otherwise.into(),
        false => given,
    }
}

pub(super) fn cut(text: &mut String, longest: usize) {
    while text.len() > longest {
        text.pop();
    }
}
