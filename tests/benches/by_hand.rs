//! What cargo takes for the operator of the fleet benchmark: with Kommodore, and written by hand on kube-rs.

use std::path::Path;

use crate::builds::{rounds, row};
use crate::project::{Project, ROOT, cargo, folder};

/// What the operators share: their kind, and what they make of it.
const SHARED: &str = r#"
mod kinds;
pub use kinds::{Website, WebsiteSpec, WebsiteStatus};

pub fn condition<'a>(site: &'a Website, name: &str) -> Option<&'a k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition> {
    site.status.as_ref()?.conditions.iter().find(|condition| condition.type_ == name)
}

pub fn page(site: &Website) -> k8s_openapi::api::core::v1::ConfigMap {
    let mut page = k8s_openapi::api::core::v1::ConfigMap::default();
    page.data = Some([("index.html".into(), site.spec.host.clone())].into());
    page.metadata.name = site.metadata.name.clone();
    page
}
"#;

const MAIN: &str = r#"
mod peers;

#[tokio::main]
async fn main() {
    let kubeconfig = std::env::args().nth(1).unwrap();
    peers::PEER::run(std::path::Path::new(&kubeconfig), None).await;
}
"#;

/// The two ways, by the names of their modules.
const PEERS: [&str; 2] = ["kube_rs", "kommodore"];

pub(crate) fn measure() {
    println!("| Build of the fleet's operator | crates | s | s of CPU |\n|---|--:|--:|--:|");
    let projects = PEERS.map(write);
    let targets = PEERS.map(|peer| folder(&format!("target-{peer}")));
    let names = ["by hand on kube-rs", "with Kommodore"];
    let build = |nth: usize, more: &[&str]| {
        let arguments = [&["build", "-j2"], more].concat();
        cargo(&projects[nth].folder, &targets[nth], &arguments, true)
    };
    for target in &targets {
        let _ = std::fs::remove_dir_all(target);
    }
    for (nth, name) in names.iter().enumerate() {
        row(&format!("{name}, from nothing"), &build(nth, &[]));
    }
    let again = rounds(|round| {
        [0, 1].map(|nth| {
            let file = projects[nth]
                .folder
                .join(format!("src/peers/{}.rs", PEERS[nth]));
            let source = std::fs::read_to_string(original(PEERS[nth])).unwrap();
            let mark = "    super::count();\n";
            assert!(source.contains(mark));
            let change = format!("{mark}    println!(\"change {round}\");\n");
            std::fs::write(file, source.replacen(mark, &change, 1)).unwrap();
            build(nth, &[])
        })
    });
    for (name, cost) in names.iter().zip(&again) {
        row(&format!("{name}, after a change of `reconcile`"), cost);
    }
    for (nth, name) in names.iter().enumerate() {
        let cost = build(nth, &["--release"]);
        row(&format!("{name}, optimized, from nothing"), &cost);
    }
    println!();
    for (name, target) in names.iter().zip(&targets) {
        let size = |profile: &str| {
            let program = std::fs::metadata(target.join(profile).join("website")).unwrap();
            program.len() as f64 / 1024.0 / 1024.0
        };
        let (debug, release) = (size("debug"), size("release"));
        println!("{name}: a program of {debug:.1} MiB, optimized of {release:.1} MiB");
    }
    println!();
    for target in targets {
        std::fs::remove_dir_all(target).unwrap();
    }
}

fn original(peer: &str) -> String {
    format!("{ROOT}/tests/benches/peers/{peer}.rs")
}

/// A package of the operator, beside one of what the benchmark shares.
fn write(peer: &str) -> Project {
    let more = match peer {
        "kommodore" => "kommodore.workspace = true\n",
        _ => "futures.workspace = true\nhttp.workspace = true\nthiserror.workspace = true\n",
    };
    let shared = "kommodore-tests = { path = \"shared\" }\n";
    let project = Project::new(&format!("fleet-{peer}"), &format!("{shared}{more}"));
    let write = |path: &str, text: &str| {
        let path = project.folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let manifest = std::fs::read_to_string(project.folder.join("Cargo.toml")).unwrap();
    let (head, _) = manifest.split_once("[workspace]").unwrap();
    let (_, dependencies) = head.split_once("[dependencies]").unwrap();
    let (dependencies, _) = dependencies.split_once(shared).unwrap();
    write(
        "shared/Cargo.toml",
        &format!(
            "[package]\nname = \"kommodore-tests\"\nedition = \"2024\"\n[dependencies]{dependencies}"
        ),
    );
    if peer == "kube_rs" {
        let with_runtime = "\"derive\", \"unstable-runtime\"] }\nschemars";
        let manifest = manifest.replacen("\"derive\"] }\nschemars", with_runtime, 1);
        assert!(manifest.contains(with_runtime));
        write("Cargo.toml", &manifest);
    }
    write("shared/src/lib.rs", SHARED);
    let read = |path: &str| std::fs::read_to_string(Path::new(ROOT).join(path)).unwrap();
    write("shared/src/kinds.rs", &read("tests/support/kinds.rs"));
    let other = PEERS.iter().find(|other| **other != peer).unwrap();
    let module = read("tests/benches/peers/mod.rs");
    let without = module.replace(&format!("pub(crate) mod {other};\n"), "");
    assert_ne!(module, without);
    write("src/peers/mod.rs", &without);
    write(
        &format!("src/peers/{peer}.rs"),
        &read(&format!("tests/benches/peers/{peer}.rs")),
    );
    project.write_source(&MAIN.replace("PEER", peer));
    project
}
