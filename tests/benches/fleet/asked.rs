//! A process that answers questions.

use std::io::Write as _;

use crate::process::Other;

impl Other {
    /// Asks for an answer of one line.
    pub(crate) fn ask(&mut self, question: &str) -> String {
        let told = self.told.as_mut().unwrap();
        if writeln!(told, "{question}").is_err() {
            return String::new();
        }
        self.line()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}
