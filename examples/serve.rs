//! A fleet that stays, for kubectl.

use std::path::{Path, PathBuf};

use kommodore::kube::Config;
use kommodore::{Result, ResultExt as _};
use serde::Serialize;

use crate::fleet::{PROJECTS, start};
use crate::{Operator, Projects};

/// Serves until Ctrl-C.
pub(crate) async fn serve<O: Operator>(
    crd: &impl Serialize,
    operator: impl FnOnce(Config, Projects) -> O,
) -> Result<()> {
    let plane = start(crd).await?.plane;
    let file = std::env::temp_dir().join(format!(
        "kommodore-website-{}.kubeconfig",
        std::process::id()
    ));
    let text = serde_json::to_string_pretty(&plane.kubeconfig())?;
    write_private(&file, &text).context(format!("writing the kubeconfig {}", file.display()))?;
    let kubeconfig = Temporary(file);
    println!("A control plane answers at {}.", plane.config().cluster_url);
    println!(
        "Its kubeconfig is {}, with the contexts root, {}.",
        kubeconfig.0.display(),
        PROJECTS.join(", ")
    );
    println!(
        "  kubectl --kubeconfig {} --context alpha get websites",
        kubeconfig.0.display()
    );
    println!("Ctrl-C ends it.");
    let ended = operator(plane.config(), Projects::default()).run().await;
    plane.shutdown().await;
    ended
}

/// A file with a token in it is for its owner alone.
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    // Never a file, or a link, that somebody else has put there.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}

/// Removed when the program ends.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Nothing is left to be done about a file that cannot be removed.
        let _ = std::fs::remove_file(&self.0);
    }
}
