//! The oldest Rust that the workspace promises is not older than what its dependencies need.

use std::process::Command;

use serde_json::Value;

/// `1.89` or `1.89.0`, as numbers.
fn version(text: &str) -> Vec<u64> {
    let mut numbers: Vec<u64> = text.split('.').map(|part| part.parse().unwrap()).collect();
    numbers.resize(3, 0);
    numbers
}

#[test]
fn every_dependency_works_with_the_oldest_rust_that_we_promise() {
    let promised = version(env!("CARGO_PKG_RUST_VERSION"));
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "that is not the whole tree");
    let newer: Vec<String> = packages
        .iter()
        .filter_map(|package| {
            let needed = package["rust_version"].as_str()?;
            (version(needed) > promised).then(|| format!("{} needs {needed}", package["name"]))
        })
        .collect();
    assert_eq!(newer, Vec::<String>::new(), "newer than {promised:?}");
}
