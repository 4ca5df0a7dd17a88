//! A process that answers questions.

use std::io::Write as _;
use std::time::Duration;

use crate::process::Other;

impl Other {
    /// Asks for an answer of one line; nothing if it has ended, or says nothing for so long.
    pub(crate) fn ask(&mut self, question: &str, limit: Duration) -> String {
        let told = self.told.as_mut().unwrap();
        if writeln!(told, "{question}").is_err() {
            return String::new();
        }
        self.line_within(limit)
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}
