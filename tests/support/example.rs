//! The examples as processes of their own.

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use kube::config::Kubeconfig;

use super::log::Log;

/// A shell stands guard over the operator, and kills it when the pipe from us closes, in whatever way we end.
const GUARD: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
operator=$!
{ cat <&3 >/dev/null; kill -9 "$operator"; } 2>/dev/null &
exec 3<&-
wait
"#;

/// An example as a process of its own, which ends when this is dropped.
pub struct Example {
    guard: Child,
    /// What it has logged.
    pub log: Log,
}

impl Example {
    /// Runs it with `--kubeconfig`.
    pub fn start(program: &Path, kubeconfig: &Path) -> Self {
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(program)
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the example starts");
        let log = Log::default();
        let (mut from, mut to) = (guard.stderr.take().expect("a pipe"), log.clone());
        std::thread::spawn(move || io::copy(&mut from, &mut to));
        Self { guard, log }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // Only so that it does nothing more when the next one begins; the guard does its work in any case.
        let _ = self.guard.wait();
        if std::thread::panicking() {
            eprintln!("the log of the operator:\n{}", self.log.text());
        }
    }
}

/// The binary of an example, as its sources are now.
pub fn built(example: &str) -> PathBuf {
    // This test is target/debug/deps/side_by_side-0123456789abcdef.
    let test = std::env::current_exe().expect("the path of this test");
    let profile = test.ancestors().nth(2).expect("the folder of the profile");
    let name = match profile.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let mut cargo = Command::new(env!("CARGO"));
    // With the features of the whole workspace, as `cargo test` builds it, which leaves nothing to be done here.
    cargo
        .args([
            "build",
            "--quiet",
            "--workspace",
            "--profile",
            name,
            "--example",
            example,
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    // What cargo says of this package makes build scripts run again that look at it.
    for (variable, _) in std::env::vars_os() {
        let ours = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_"];
        if ours
            .iter()
            .any(|ours| variable.to_string_lossy().starts_with(ours))
        {
            cargo.env_remove(variable);
        }
    }
    let built = cargo.status().expect("cargo runs");
    assert!(built.success(), "the example {example} does not build");
    profile
        .join("examples")
        .join(format!("{example}{EXE_SUFFIX}"))
}

/// A kubeconfig in a file, which is removed when this is dropped.
pub struct KubeconfigFile(pub PathBuf);

impl KubeconfigFile {
    /// Writes it, for nobody else to read.
    pub fn write(kubeconfig: &Kubeconfig, case: &str) -> Self {
        let name = format!("{case}-{}.kubeconfig", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(&path);
        serde_json::to_writer(file.expect("a new file"), kubeconfig)
            .expect("the kubeconfig is written");
        Self(path)
    }
}

impl Drop for KubeconfigFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
