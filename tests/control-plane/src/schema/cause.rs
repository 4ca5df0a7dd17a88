//! Why an object is refused.

/// One reason why an object is refused; a cause of a `Status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) reason: Reason,
    pub(crate) field: String,
    pub(crate) message: String,
}

/// How many reasons are told at most. A real server tells all, as long as it has memory and time.
pub(crate) const MOST_CAUSES: usize = 10_000;

/// Whether one more message of so many bytes is told whole: messages that say a whole `enum` of each element are soon
/// more than anybody reads.
pub(super) fn has_room(causes: &[Cause], length: usize) -> bool {
    const MOST_TEXT: usize = 4 << 20;
    causes.len().saturating_mul(length) <= MOST_TEXT
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
