//! The macros in the edition before that of this workspace: what `lints` is, clippy says nothing of it there either.

use std::path::Path;
use std::process::Command;

const SOURCE: &str = include_str!("lints.rs");

const MANIFEST: &str = r#"
[workspace]

[package]
name = "editions"
version = "0.0.0"
edition = "2021"

[lib]
path = "lib.rs"

[dependencies]
k8s-openapi = { version = "0.29", default-features = false, features = ["latest", "schemars"] }
kommodore = { path = "RUNTIME" }
"#;

#[test]
fn clippy_has_nothing_to_say_in_the_edition_of_2021() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join("editions");
    std::fs::create_dir_all(&project).expect("a folder");
    let runtime = tests.join("../runtime");
    let manifest = MANIFEST.replace("RUNTIME", &runtime.display().to_string());
    std::fs::write(project.join("Cargo.toml"), manifest).expect("a manifest");
    std::fs::write(project.join("lib.rs"), SOURCE).expect("a source");
    // With the versions of this workspace.
    std::fs::copy(tests.join("../Cargo.lock"), project.join("Cargo.lock")).expect("a lock file");
    let output = Command::new(env!("CARGO"))
        .args(["clippy", "--all-targets", "--target-dir"])
        .arg(project.join("target"))
        .args(["--", "-D", "warnings"])
        .current_dir(&project)
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
