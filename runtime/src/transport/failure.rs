//! What can come back instead of an answer, and what it means.

use std::error::Error as StdError;
use std::time::Duration;

use kube::core::Status;

/// How long a server is let alone at most that asks for it: one that asks for days does not mean it, or is not to be believed.
const LONGEST_ASKED: Duration = Duration::from_secs(300);

/// A call to an API server that failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server answered with an error.
    #[error("{} ({} {})", .0.message, .0.code, .0.reason)]
    Refused(Box<Status>),
    /// There was no complete answer in time.
    #[error("no answer within {} s", .0.as_secs_f32())]
    Deadline(Duration),
    /// The connection failed, or what came over it could not be read.
    #[error("{}", innermost(.0))]
    Broken(#[source] Box<kube::Error>),
}

/// What the transport gives up with when a call takes too long.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {} s", .0.as_secs_f32())]
pub(super) struct NoAnswer(pub(super) Duration);

impl From<kube::Error> for Failure {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Refused(status),
            kube::Error::Service(error) if error.is::<NoAnswer>() => {
                Self::Deadline(super::client::CALL_DEADLINE)
            }
            error => Self::Broken(Box::new(error)),
        }
    }
}

/// The cause that a person can act on: hyper and tower wrap it several times without adding to it.
fn innermost(error: &kube::Error) -> String {
    if let kube::Error::SerdeError(error) = error {
        // It names a place in a text that nobody sees.
        return format!("what was answered cannot be read: {error}");
    }
    let mut cause: &dyn StdError = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    // The only timer below a call is that of the connection.
    if cause.is::<tokio::time::error::Elapsed>() {
        return "the server takes no connection in time".into();
    }
    cause.to_string()
}

impl Failure {
    /// The HTTP status of the answer, where there was one.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Refused(status) => Some(status.code),
            _ => None,
        }
    }

    /// The object named in the answer, of a 404 that is about an object and not about the kind.
    pub(crate) fn names_an_object(&self) -> bool {
        match self {
            Self::Refused(status) => status
                .details
                .as_ref()
                .is_some_and(|details| !details.name.is_empty()),
            _ => false,
        }
    }

    /// True when the server, or the way to it, is in trouble and the request itself may be fine:
    /// 429, 5xx, no answer in time, a broken connection.
    pub fn is_hiccup(&self) -> bool {
        match self {
            Self::Refused(status) => status.code == 429 || status.code >= 500,
            Self::Deadline(_) => true,
            Self::Broken(error) => matches!(
                **error,
                kube::Error::HyperError(_) | kube::Error::Service(_) | kube::Error::ReadEvents(_)
            ),
        }
    }

    /// How long the server asked to wait, of which five minutes are the most.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(status) => {
                let seconds = status.details.as_ref()?.retry_after_seconds;
                (seconds > 0).then(|| Duration::from_secs(seconds.into()).min(LONGEST_ASKED))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_something_else_is_said_to_be_that() {
        let page = serde_json::from_str::<Status>("<html>").unwrap_err();
        let failure = Failure::from(kube::Error::SerdeError(page));
        let said = "what was answered cannot be read: expected value at line 1 column 1";
        assert_eq!(failure.to_string(), said);
    }
}
