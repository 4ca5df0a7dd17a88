//! Why an object is refused.

/// One reason why an object is refused; a cause of a `Status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) reason: Reason,
    pub(crate) field: String,
    pub(crate) message: String,
    /// The value that has to be left alone for this to be told no more, if that is not the one at the field.
    pub(super) place: Option<String>,
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
            place: None,
        }
    }
}
