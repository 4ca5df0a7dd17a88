//! Why a patch was not taken.

use crate::failure::MOST_BYTES;

/// Why a JSON patch or a strategic merge patch was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PatchError {
    /// It is no patch: 400.
    #[error("{0}")]
    BadRequest(String),
    /// It is a strategic merge patch that contradicts itself or the schema: 500, as the real server answers.
    #[error("{0}")]
    Internal(String),
    /// It has too many operations: 413.
    #[error("{0}")]
    TooLarge(String),
    /// It does not fit the object: 422 Invalid, with empty details, and nothing about why.
    #[error("the server rejected our request due to an error in our request")]
    Invalid,
}

/// Why a server-side apply was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApplyError {
    /// 400.
    #[error("{0}")]
    BadRequest(String),
    /// The applied object does not fit the schema: 500 without a reason, as the real server answers.
    #[error("{0}")]
    Untypable(String),
    /// Others own what it would change: 409 Conflict, a cause for each.
    #[error("{}", summary(.0))]
    Conflicts(Vec<Conflict>),
}

/// A field that another manager owns; a cause `FieldManagerConflict`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// The manager as the message names it, in quotes.
    pub(crate) manager: String,
    /// `.data.key`
    pub(crate) field: String,
}

impl Conflict {
    /// The message of the cause.
    pub(crate) fn message(&self) -> String {
        format!("conflict with {}", self.manager)
    }
}

fn summary(conflicts: &[Conflict]) -> String {
    if let [one] = conflicts {
        return format!(
            "Apply failed with 1 conflict: {}: {}",
            one.message(),
            one.field
        );
    }
    let (mut lines, mut length) = (Vec::new(), 0);
    for of_one in conflicts.chunk_by(|one, next| one.manager == next.manager) {
        lines.push(format!("conflicts with {}:", of_one[0].manager));
        for conflict in of_one {
            length += conflict.field.len();
            if length > MOST_BYTES && conflict != &conflicts[0] {
                break;
            }
            lines.push(format!("- {}", conflict.field));
        }
    }
    format!(
        "Apply failed with {} conflicts: {}",
        conflicts.len(),
        lines.join("\n")
    )
}
