//! A project of a user, with as many kinds and controllers as are wanted: those of the example `website`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const WEBSITE: &str = include_str!("../../examples/website.rs");

const DEPENDENCIES: &str = r#"
[dependencies]
k8s-openapi = { workspace = true, features = ["latest", "schemars"] }
kube = { workspace = true, features = ["derive"] }
schemars.workspace = true
serde.workspace = true
serde_json.workspace = true
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
"#;

/// A package in a folder of its own.
pub(crate) struct Project {
    pub(crate) folder: PathBuf,
}

impl Project {
    /// One that already uses kube.
    pub(crate) fn with_kube() -> Self {
        Self::new("with-kube", "")
    }

    /// The same, and Kommodore.
    pub(crate) fn with_kommodore() -> Self {
        Self::new("with-kommodore", "kommodore.workspace = true\n")
    }

    /// One with other dependencies too.
    pub(crate) fn new(name: &str, more: &str) -> Self {
        let folder = folder(name);
        std::fs::create_dir_all(folder.join("src")).unwrap();
        // The same versions as in this workspace, and nothing is resolved anew.
        std::fs::copy(
            Path::new(ROOT).join("Cargo.lock"),
            folder.join("Cargo.lock"),
        )
        .unwrap();
        let workspace = std::fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
        let (_, rest) = workspace.split_once("[workspace.dependencies]").unwrap();
        let (versions, _) = rest.split_once("\n[").unwrap();
        let versions = versions.replace("path = \"", &format!("path = \"{ROOT}/"));
        let manifest = format!(
            "[package]\nname = \"website\"\nedition = \"2024\"\n{DEPENDENCIES}{more}\n[workspace]\n\n\
             [workspace.dependencies]{versions}"
        );
        std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        Self { folder }
    }

    /// A kind for each number, and so many controllers for it.
    pub(crate) fn write(&self, kinds: &[usize]) -> String {
        let source = source(kinds);
        self.write_source(&source);
        source
    }

    pub(crate) fn write_source(&self, source: &str) {
        std::fs::write(self.folder.join("src/main.rs"), source).unwrap();
    }
}

/// What a call of cargo took.
pub(crate) struct Cost {
    pub(crate) seconds: f64,
    /// Of the processors, where the system tells.
    pub(crate) cpu: f64,
    /// How many crates were compiled or checked.
    pub(crate) crates: i64,
}

impl Cost {
    pub(crate) fn minus(&self, other: &Self) -> Self {
        Self {
            seconds: self.seconds - other.seconds,
            cpu: self.cpu - other.cpu,
            crates: self.crates - other.crates,
        }
    }
}

/// Runs cargo in the folder `project`.
pub(crate) fn cargo(project: &Path, target: &Path, arguments: &[&str], incremental: bool) -> Cost {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(arguments)
        .current_dir(project)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_INCREMENTAL", if incremental { "1" } else { "0" });
    let (begin, cpu) = (Instant::now(), cpu_of_children());
    let output = cargo.output().unwrap();
    let (seconds, cpu) = (begin.elapsed().as_secs_f64(), cpu_of_children() - cpu);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{cargo:?}: {said}");
    let compiled = said.lines().filter(|line| {
        ["Compiling", "Checking"]
            .iter()
            .any(|word| line.trim().starts_with(word))
    });
    let crates = i64::try_from(compiled.count()).unwrap();
    assert!(crates > 0, "{cargo:?} had nothing to do: {said}");
    Cost {
        seconds,
        cpu,
        crates,
    }
}

/// Seconds of the processors that ended children have taken.
fn cpu_of_children() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let (_, fields) = stat.rsplit_once(") ").unwrap_or_default();
    // `cutime` and `cstime`, in hundredths of a second.
    let ticks = fields.split(' ').skip(13).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

/// A folder for what the bench makes.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("bench-macros")
        .join(name)
}

/// The example, taken apart and put together anew: a module for each kind, and in it one for each controller.
fn source(kinds: &[usize]) -> String {
    let between = |from: &str, to: &str| {
        let (_, rest) = WEBSITE.split_once(from).unwrap();
        rest.split_once(to).unwrap().0
    };
    let kind = between("in website_by_hand.rs.\n", "// The operator.\n");
    let operator = between("// The operator.\n", "#[tokio::main]");
    let (mut modules, mut lists, mut controllers) = (String::new(), String::new(), String::new());
    for (place, count) in kinds.iter().enumerate() {
        modules += &format!("mod kind{place} {{ {KIND_USES} {kind} {LIST}");
        lists += &format!("kind{place}::list(&client).await?;");
        for nth in 0..*count {
            modules += &format!("pub(crate) mod controller{nth} {{ {USES} {operator} {ADD} }}");
            controllers +=
                &format!("let manager = kind{place}::controller{nth}::add(manager, &dns);");
        }
        modules += "}";
    }
    let run = if controllers.is_empty() {
        String::new()
    } else {
        modules += &format!("#[path = \"{ROOT}/examples/dns.rs\"] mod dns;");
        RUN.replace("CONTROLLERS", &controllers)
    };
    format!(
        "#![allow(unused)]
        {modules}
        #[tokio::main]
        async fn main() -> Result<(), Box<dyn std::error::Error>> {{
            let client = kube::Client::try_default().await?;
            {lists}
            {run}
            Ok(())
        }}"
    )
}

const KIND_USES: &str = "
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, ResourceExt as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
";

/// What a project does with a kind that has no controller.
const LIST: &str = r#"
pub(crate) async fn list(client: &kube::Client) -> kube::Result<()> {
    let sites = kube::Api::<Website>::all(client.clone());
    for site in sites.list(&kube::api::ListParams::default()).await? {
        println!("{} {}", site.name_any(), site.spec.host);
    }
    Ok(())
}
"#;

const USES: &str = "
use std::collections::BTreeMap;
use super::*;
use crate::dns::Dns;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kommodore::prelude::*;
";

const ADD: &str = "
pub(crate) fn add(manager: kommodore::Builder, dns: &Dns) -> kommodore::Builder {
    manager.controller(WebsiteController { dns: dns.clone() })
}
";

const RUN: &str = "
let dns = dns::Dns::default();
let manager = kommodore::Manager::builder(kube::Config::infer().await?).provider(kommodore::Milo::external());
CONTROLLERS
manager.run().await.map_err(|error| error.to_string())?;
";
