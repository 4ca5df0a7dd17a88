//! What a real server said.

use std::fs;
use std::path::{Path, PathBuf};

/// The recording of a case.
pub(super) struct Recording(PathBuf);

impl Recording {
    /// Of a case in a module `..::area::server`.
    pub(super) fn of(module: &str, case: &str) -> Self {
        let area = module.rsplit("::").nth(1).unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/recordings");
        Self(folder.join(area).join(format!("{case}.http")))
    }

    /// Writes it anew.
    pub(super) fn write(&self, said: &str) {
        fs::create_dir_all(self.0.parent().unwrap()).unwrap();
        fs::write(&self.0, said).unwrap();
    }

    /// Fails at the first line that is another.
    pub(super) fn compare(&self, said: &str) {
        let path = self.0.display();
        let recorded = fs::read_to_string(&self.0).unwrap_or_else(|error| {
            panic!("{path}: {error}; `CONFORMANCE=record` writes it, on a real server")
        });
        if said == recorded {
            return;
        }
        let (mut ours, mut theirs) = (said.lines(), recorded.lines());
        let mut number = 0;
        let (at, ours_at) = loop {
            number += 1;
            let (one, other) = (ours.next(), theirs.next());
            if one != other {
                break (number, one);
            }
        };
        let context: Vec<&str> = recorded.lines().skip(at - 1).collect();
        let before: Vec<&str> = recorded.lines().take(at - 1).collect();
        let begin = before
            .iter()
            .rposition(|line| line.starts_with("> "))
            .unwrap_or(0);
        let common = before[begin..].join("\n");
        let rest = |lines: Vec<&str>| lines.into_iter().take(12).collect::<Vec<_>>().join("\n");
        panic!(
            "{path}:{at}: another answer than that of a real server\n{common}\n--- recorded\n{}\n--- said\n{}\n",
            rest(context),
            rest(ours_at.into_iter().chain(ours).collect()),
        );
    }
}
