//! `--kubeconfig`: the file that says how to get in.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use kube::config::Kubeconfig;
use serde_json::Value;

use super::Error;

/// The root's URL and the token of its user.
pub(crate) fn way_in(config: &Kubeconfig) -> (String, String) {
    // Written down it shows the token, which is kept from view otherwise.
    let config = serde_json::to_value(config).unwrap_or_default();
    let text = |pointer| {
        let value = config.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    (
        text("/clusters/0/cluster/server"),
        text("/users/0/user/token"),
    )
}

/// Writes it, and says where it lies. It holds a token, so nobody else may read it; and whoever waits for the file
/// never sees half of it.
pub(crate) fn write(config: &Kubeconfig, path: &Path) -> Result<PathBuf, Error> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let written = text(config).and_then(|text| replace(&path, &text));
    match written {
        Ok(()) => Ok(path),
        Err(source) => Err(Error::Kubeconfig { path, source }),
    }
}

fn text(config: &Kubeconfig) -> io::Result<String> {
    serde_saphyr::to_string(config).map_err(io::Error::other)
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    let mut new = name.to_owned();
    new.push(format!(".{}", std::process::id()));
    let new = path.with_file_name(new);
    let written = create(&new, text).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // It is a leftover; what matters is the error.
        let _ = fs::remove_file(&new);
    }
    written
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
