//! The one error that user code sees.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// A boxed error of any origin; `anyhow::Error` converts into it too.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// What every fallible function of Kommodore returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a reconcile, opaque on purpose: `?` turns any [`std::error::Error`] into one.
///
/// What it says of the next try: by default the key is tried again with a growing backoff
/// ([`Error::new`] or `?`), [`Error::terminal`] waits until the object changes, and
/// [`Error::retry_in`] names the delay. Both `Display` (with `{:#}`) and `Debug` print the whole
/// chain of causes in a readable line or list, so that `main` may return it.
pub struct Error {
    retry: Retry,
    // Boxed, so that a `Result<Action>` stays as small as its good half.
    cause: Box<Cause>,
}

struct Cause {
    contexts: Vec<Cow<'static, str>>,
    source: BoxError,
}

/// When a failed reconcile is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// With the key's own backoff.
    Backoff,
    /// After this delay, instead of the backoff.
    In(Duration),
    /// Not before the object, or what it owns or watches, changes.
    Never,
}

impl Error {
    /// An error that is tried again with the backoff of its key.
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self::with(Retry::Backoff, error.into())
    }

    /// An error that trying again cannot mend: the key rests until its object, or something that it
    /// owns or watches, changes.
    pub fn terminal(error: impl Into<BoxError>) -> Self {
        Self::with(Retry::Never, error.into())
    }

    /// An error that is tried again after `delay`, instead of the backoff of its key.
    pub fn retry_in(delay: Duration, error: impl Into<BoxError>) -> Self {
        Self::with(Retry::In(delay), error.into())
    }

    fn with(retry: Retry, source: BoxError) -> Self {
        Self {
            retry,
            cause: Box::new(Cause {
                contexts: Vec::new(),
                source,
            }),
        }
    }

    /// When this error is tried again.
    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// Says what was being done when the error came up; the newest is printed first.
    #[must_use]
    pub fn context(mut self, what: impl Into<Cow<'static, str>>) -> Self {
        self.cause.contexts.push(what.into());
        self
    }

    /// The error itself, below every [`context`](Error::context).
    pub fn source(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.cause.source
    }

    /// The first error in the chain of causes that is an `E`.
    pub fn find<E: StdError + 'static>(&self) -> Option<&E> {
        let mut next: Option<&(dyn StdError + 'static)> = Some(&*self.cause.source);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }

    /// The chain from the newest context to the first cause, without repetitions: many libraries
    /// print their source in their own `Display`.
    fn chain(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .cause
            .contexts
            .iter()
            .rev()
            .map(ToString::to_string)
            .collect();
        let mut next: Option<&(dyn StdError + 'static)> = Some(&*self.cause.source);
        while let Some(error) = next {
            let line = error.to_string();
            if !lines.last().is_some_and(|last| last.contains(&line)) {
                lines.push(line);
            }
            next = error.source();
        }
        lines
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

impl fmt::Display for Error {
    /// `{}` prints the newest line of the chain, `{:#}` the whole chain on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chain = self.chain();
        if f.alternate() {
            f.write_str(&chain.join(": "))
        } else {
            f.write_str(chain.first().map_or("", String::as_str))
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chain = self.chain();
        let mut lines = chain.iter();
        f.write_str(lines.next().map_or("", String::as_str))?;
        lines.try_for_each(|line| write!(f, "\n  caused by: {line}"))
    }
}

/// What can be said of an error where it passes, on any `Result` whose error converts into [`Error`].
pub trait ResultExt<T> {
    /// Says what was being done; the newest context is printed first.
    fn context(self, what: impl Into<Cow<'static, str>>) -> Result<T>;

    /// Marks the error as one that trying again cannot mend; see [`Error::terminal`].
    fn terminal(self) -> Result<T>;
}

impl<T, E: Into<Error>> ResultExt<T> for std::result::Result<T, E> {
    fn context(self, what: impl Into<Cow<'static, str>>) -> Result<T> {
        self.map_err(|error| error.into().context(what))
    }

    fn terminal(self) -> Result<T> {
        self.map_err(|error| Error {
            retry: Retry::Never,
            ..error.into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn io() -> std::io::Error {
        std::io::Error::other("disk on fire")
    }

    #[test]
    fn debug_is_the_readable_chain() {
        let failed: Result<()> = Err(io())
            .context("reading the page")
            .context("serving the site");
        let error = failed.unwrap_err();
        assert_eq!(
            format!("{error:?}"),
            "serving the site\n  caused by: reading the page\n  caused by: disk on fire"
        );
        assert_eq!(
            format!("{error:#}"),
            "serving the site: reading the page: disk on fire"
        );
        assert_eq!(error.to_string(), "serving the site");
        assert!(error.find::<std::io::Error>().is_some());
    }

    #[test]
    fn terminal_and_retry_in_outlive_a_context() {
        let terminal: Result<()> = Err(io()).terminal().context("outer");
        assert_eq!(terminal.unwrap_err().retry(), Retry::Never);
        let later = Error::retry_in(Duration::from_secs(3), "busy").context("outer");
        assert_eq!(later.retry(), Retry::In(Duration::from_secs(3)));
        assert_eq!(Error::new("plain").retry(), Retry::Backoff);
    }
}
