//! Why an object is refused.

use std::cell::Cell;
use std::fmt::{self, Write as _};

use crate::failure::MOST_BYTES;

/// One reason why an object is refused; a cause of a `Status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) reason: Reason,
    pub(crate) field: String,
    pub(crate) message: String,
}

/// How many reasons are told at most. A real server tells all, as long as it has memory and time.
pub(crate) const MOST_CAUSES: usize = 10_000;

/// The causes that were found. All are counted, and as many are worded as there is room for: names and messages can be as
/// long as a whole body, and there can be one for each field of it.
pub(super) struct Causes<'w> {
    found: Vec<Cause>,
    /// The bytes of all that was worded, be it told in the end or not.
    worded: &'w Cell<usize>,
}

impl<'w> Causes<'w> {
    pub(super) fn new(worded: &'w Cell<usize>) -> Self {
        Self {
            found: Vec::new(),
            worded,
        }
    }

    /// None, which share their room with these.
    pub(super) fn none(&self) -> Self {
        Self::new(self.worded)
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn truncate(&mut self, count: usize) {
        self.found.truncate(count);
    }

    pub(super) fn add(
        &mut self,
        reason: Reason,
        field: impl fmt::Display,
        message: impl fmt::Display,
    ) {
        let (field, message) = if self.found.len() >= MOST_CAUSES {
            // It is not told, whatever else comes.
            Default::default()
        } else if self.worded.get() <= MOST_BYTES {
            (field.to_string(), message.to_string())
        } else {
            (beginning(field), beginning(message))
        };
        let length = field.len() + message.len();
        self.worded.set(self.worded.get().saturating_add(length));
        self.found.push(Cause {
            reason,
            field,
            message,
        });
    }

    /// Those that are told, as they are read.
    pub(super) fn sort(&mut self) {
        self.found.truncate(MOST_CAUSES);
        let told = |cause: &Cause| format!("{}: {}", cause.field, cause.message);
        self.found.sort_by_cached_key(told);
    }

    pub(super) fn append(&mut self, mut others: Self) {
        self.found.append(&mut others.found);
    }

    /// Those that are told.
    pub(super) fn into_told(mut self) -> Vec<Cause> {
        self.found.truncate(MOST_CAUSES);
        self.found
    }
}

/// What is left of a text for which there is no room.
fn beginning(text: impl fmt::Display) -> String {
    struct Beginning(String);
    impl fmt::Write for Beginning {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            const BYTES: usize = 64;
            for character in text.chars() {
                if self.0.len() >= BYTES {
                    return Err(fmt::Error);
                }
                self.0.push(character);
            }
            Ok(())
        }
    }
    let mut beginning = Beginning(String::new());
    // An error says that there is more.
    let _ = write!(beginning, "{text}");
    beginning.0
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Required,
    Forbidden,
    TypeInvalid,
    Invalid,
    NotSupported,
    Duplicate,
    TooLong,
    TooMany,
}

impl Reason {
    /// As `details.causes[].reason` has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Required => "FieldValueRequired",
            Self::Forbidden => "FieldValueForbidden",
            Self::TypeInvalid => "FieldValueTypeInvalid",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Duplicate => "FieldValueDuplicate",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
        }
    }
}

impl Cause {
    pub(crate) fn new(reason: Reason, field: &str, message: &str) -> Self {
        Self {
            reason,
            field: field.to_owned(),
            message: message.to_owned(),
        }
    }
}
