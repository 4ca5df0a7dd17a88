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
        // All of it, to be compared at leisure.
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(self.0.file_name().unwrap());
        fs::write(&kept, said).unwrap();
        let at = said
            .lines()
            .zip(recorded.lines())
            .position(|(ours, theirs)| ours != theirs)
            .unwrap_or_else(|| said.lines().count().min(recorded.lines().count()));
        let recorded: Vec<&str> = recorded.lines().collect();
        let question = recorded[..at]
            .iter()
            .rposition(|line| line.starts_with("> "));
        let common = recorded[question.unwrap_or(0)..at].join("\n");
        let rest = |lines: &[&str]| lines[..lines.len().min(12)].join("\n");
        let ours: Vec<&str> = said.lines().skip(at).collect();
        panic!(
            "{path}:{}: another answer than that of a real server\n{common}\n--- recorded\n{}\n--- said, all of it in {}\n{}\n",
            at + 1,
            rest(&recorded[at..]),
            kept.display(),
            rest(&ours),
        );
    }
}
