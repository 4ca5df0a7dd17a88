//! Who takes part, and how each is started.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::peers::WORKERS;
use crate::process::Other;

/// In so long every operator is ready to begin.
const START: Duration = Duration::from_secs(60);
/// All that there are.
pub(crate) const NAMES: [&str; 5] = ["kommodore", "kube-rs", "go", "go-waiting", "go-at-once"];
/// Those that have to be asked for.
const MORE: [&str; 2] = ["go-waiting", "go-at-once"];

/// One of those that are compared.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    /// Another program than this one.
    program: Option<PathBuf>,
    arguments: Vec<String>,
}

impl Contender {
    /// All that can be had, of those that are wanted.
    pub(crate) fn all(wanted: &[String]) -> Vec<Self> {
        let is_wanted = |name: &str| match wanted {
            [] => !MORE.contains(&name),
            wanted => wanted.iter().any(|one| one == name),
        };
        let mut all = Vec::new();
        for name in ["kommodore", "kube-rs"] {
            if is_wanted(name) {
                all.push(Self {
                    name,
                    program: None,
                    arguments: Vec::new(),
                });
            }
        }
        let go: Vec<&'static str> = NAMES
            .into_iter()
            .filter(|name| name.starts_with("go"))
            .filter(|name| is_wanted(name))
            .collect();
        if go.is_empty() {
            return all;
        }
        println!("Go's peer is built");
        match build_go() {
            Ok(program) => all.extend(go.into_iter().map(|name| Self {
                name,
                program: Some(program.clone()),
                arguments: match name {
                    "go-waiting" => vec!["-wait-for-caches".to_owned()],
                    "go-at-once" => vec![format!("-engage-at-once={WORKERS}")],
                    _ => Vec::new(),
                },
            })),
            Err(why) => println!("without Go's controller-runtime: {why}"),
        }
        all
    }

    /// Starts it; every object that is as it should be is looked at again after `resync`, in seconds.
    pub(crate) fn start(&self, kubeconfig: &str, resync: Option<u64>) -> Result<Other, String> {
        let mut command = match &self.program {
            None => {
                let mut command = Command::new(std::env::current_exe().unwrap());
                command.args(["operate", self.name, kubeconfig]);
                command.args(resync.map(|resync| resync.to_string()));
                command
            }
            Some(program) => {
                let mut command = Command::new(program);
                command.arg(format!("-kubeconfig={kubeconfig}"));
                command.arg(format!("-workers={WORKERS}"));
                command.args(resync.map(|resync| format!("-resync={resync}s")));
                command.args(&self.arguments);
                command
            }
        };
        let log = folder().join(format!("{}.log", self.name));
        let errors = Stdio::from(File::create(&log).unwrap());
        let mut other = Other::start(command.stderr(errors));
        match &*other.line_within(START) {
            "ready" => Ok(other),
            _ => Err(format!("did not start; see {}", log.display())),
        }
    }
}

/// Builds the peer in Go.
fn build_go() -> Result<PathBuf, String> {
    let program = folder().join("go-peer");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/go");
    let mut go = Command::new("go");
    go.current_dir(source)
        .args(["build", "-trimpath", "-ldflags=-s -w", "-o"]);
    let output = go.arg(&program).arg(".").output();
    let output = output.map_err(|error| format!("`go` does not run: {error}"))?;
    match output.status.success() {
        true => Ok(program),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

/// A folder for what the bench makes.
pub(crate) fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-fleet");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
