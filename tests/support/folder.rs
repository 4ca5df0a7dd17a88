//! A folder of a test's own.

use std::fs;
use std::path::{Path, PathBuf};

/// A folder that goes when this is dropped.
pub struct Folder(PathBuf);

impl Folder {
    /// One for a test, or for a case of it.
    ///
    /// # Panics
    /// Where there can be none.
    pub fn new(case: &str) -> Self {
        let name = format!("kommodore-{case}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where something in it is, or would be.
    pub fn place_of(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// Writes a file; returns where it is.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn file(&self, name: &str, text: &str) -> String {
        let place = self.place_of(name);
        fs::write(&place, text).unwrap();
        place
    }

    /// The lines of a file; none where there is no file.
    pub fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.0.join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
