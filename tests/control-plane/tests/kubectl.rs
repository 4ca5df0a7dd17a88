//! An unchanged kubectl on the program, and on a real Kubernetes: both are to make it say the same.
//!
//! Each file of `kubectl/*.cases` is a list of shell commands, which run in order in a namespace of their own and in a
//! folder with what is in `kubectl/files`. `$ command` is to end with code 0, `1$ command` with 1. A line that begins
//! with `#` is a comment, and one that begins with a blank goes on with the command above.
//!
//! `KUBEBUILDER_ASSETS` says where kubectl is. If kube-apiserver and kube-controller-manager are there too, whatever the
//! commands write is compared with what they write on a real one; ages, uids, versions and the like are masked.
//! `KUBECTL_CASES=get` runs one file alone.
#![allow(
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

#[allow(dead_code, reason = "a part of it is for other tests")]
mod served;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use kommodore_control_plane::{Assets, RealControlPlane};
use regex::Regex;
use serde_json::{Value, json};
use served::{Folder, Served};

/// A command of a file, and the code that it ends with.
struct Case {
    command: String,
    code: i32,
}

/// What a command did.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    code: Option<i32>,
    out: String,
    err: String,
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/kubectl")
        .join(name)
}

/// The files of cases, by name.
fn cases() -> Vec<(String, Vec<Case>)> {
    let mut files: Vec<PathBuf> = fs::read_dir(source(""))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "cases")
        })
        .collect();
    files.sort();
    let only = std::env::var("KUBECTL_CASES").unwrap_or_default();
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let read = files.iter().map(|path| (name(path), read(path)));
    read.filter(|(name, _)| only.is_empty() || *name == only)
        .collect()
}

fn read(path: &Path) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        if line.starts_with(' ') {
            let last = cases.last_mut().unwrap();
            last.command.push('\n');
            last.command.push_str(line.trim_start());
        } else if let Some((code, command)) = line.split_once("$ ")
            && !line.starts_with('#')
        {
            cases.push(Case {
                command: command.to_owned(),
                code: if code.is_empty() {
                    0
                } else {
                    code.parse().unwrap()
                },
            });
        }
    }
    cases
}

/// Where kubectl runs: a server, and a folder of its own.
struct Place {
    folder: Folder,
    bin: PathBuf,
    kubeconfig: Value,
}

impl Place {
    /// `url` and `token` are the server's.
    fn new(name: &str, bin: &Path, url: &str, token: &str) -> Self {
        let folder = Folder::new(&format!("kubectl-{name}"));
        for entry in fs::read_dir(source("files")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(
                &path,
                folder.path(path.file_name().unwrap().to_str().unwrap()),
            )
            .unwrap();
        }
        let cluster = json!({"server": url, "insecure-skip-tls-verify": true});
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "clusters": [{"name": "it", "cluster": cluster}],
            "users": [{"name": "it", "user": {"token": token}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it", "namespace": "default"}}],
        });
        fs::write(folder.path("kubeconfig"), kubeconfig.to_string()).unwrap();
        Self {
            folder,
            bin: bin.to_owned(),
            kubeconfig,
        }
    }

    /// Runs all commands of a file.
    fn run(&self, namespace: &str, cases: &[Case]) -> Vec<Outcome> {
        let mut kubeconfig = self.kubeconfig.clone();
        kubeconfig["contexts"][0]["context"]["namespace"] = namespace.into();
        fs::write(self.folder.path("kubeconfig"), kubeconfig.to_string()).unwrap();
        let created = self.sh(&format!("kubectl create namespace {namespace}"));
        assert_eq!(created.code, Some(0), "{created:?}");
        cases.iter().map(|case| self.sh(&case.command)).collect()
    }

    fn sh(&self, command: &str) -> Outcome {
        let folder = self.folder.path("");
        let path = format!(
            "{}:{}",
            self.bin.display(),
            std::env::var("PATH").unwrap_or_default()
        );
        let output = Command::new("sh")
            .args(["-c", &format!(". ./functions.sh\n{command}")])
            .current_dir(&folder)
            .env("PATH", path)
            .env("HOME", &folder)
            .env("TMPDIR", &folder)
            .env("KUBECACHEDIR", folder.join("cache"))
            .env("KUBECONFIG", folder.join("kubeconfig"))
            .output()
            .unwrap();
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            // The order of fields says nothing.
            let sorted = serde_json::from_str::<Value>(&text).map(|value| format!("{value:#}"));
            mask(&sorted.unwrap_or(text.into_owned()), &folder)
        };
        Outcome {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }
}

/// What is different each time, and what stands for it.
static MASKS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let masks = [
        // What kubectl's own log says of how a watch ended, which is another every time.
        (r"(?m)^[IWE]\d{4} \d\d:\d\d:\d\d\.\d+ .*\n", ""),
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UID"),
        (
            r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( \+0000|Z)",
            "TIME",
        ),
        (
            r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000",
            "TIME",
        ),
        (r#"([rR]esource ?[vV]ersion"?: *)"?\d+"?"#, "${1}VERSION"),
        (r"https://127\.0\.0\.1:\d+", "SERVER"),
        (r"\b10\.\d+\.\d+\.\d+\b", "ADDRESS"),
        (r"\b(\d+h)?(\d+m)?\d+s\b", "AGE"),
        (r"\b(LIVE|MERGED)-\d+", "$1"),
        (r"Server Version: .*", "Server Version: IT"),
        // The widths of columns follow from all that.
        (r"[ \t]+", " "),
    ];
    let compiled = masks.map(|(pattern, by)| (Regex::new(pattern).unwrap(), by));
    compiled.into()
});

fn mask(text: &str, folder: &Path) -> String {
    let folder = folder.to_str().unwrap_or_default().trim_end_matches('/');
    let mut text = text.replace(folder, "FOLDER");
    for (mask, by) in MASKS.iter() {
        text = mask.replace_all(&text, *by).into_owned();
    }
    text
}

/// The differences that matter, in words.
fn compare(cases: &[Case], ours: &[Outcome], real: Option<&[Outcome]>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (index, (case, ours)) in cases.iter().zip(ours).enumerate() {
        let Case { command, code } = case;
        if let Some(real) = real.map(|real| &real[index]) {
            if ours != real {
                wrong.push(format!(
                    "$ {command}\n--- ours: {ours:#?}\n--- real: {real:#?}"
                ));
            } else if real.code != Some(*code) {
                wrong.push(format!(
                    "$ {command}\n--- ends with another code: {real:#?}"
                ));
            }
        } else if ours.code != Some(*code) {
            wrong.push(format!(
                "$ {command}\n--- ends with another code: {ours:#?}"
            ));
        }
    }
    wrong
}

/// The folder of the binaries, if kubectl is one of them.
fn bin() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("KUBEBUILDER_ASSETS")?);
    folder.join("kubectl").is_file().then_some(folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_cannot_tell_it_from_a_real_one() {
    let Some(bin) = bin() else {
        eprintln!("skipped: there is no kubectl in KUBEBUILDER_ASSETS");
        return;
    };
    let served = Served::start(["--crds", source("crds").to_str().unwrap()]);
    let flag = |name: &str| {
        let mut words = served.ready.split(' ');
        let value = words.find_map(|word| word.strip_prefix(name));
        value.unwrap().to_owned()
    };
    let ours = Place::new("ours", &bin, &flag("--server="), &flag("--token="));
    let real = real(&bin).await;
    let cases = cases();
    let wrong = tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            let all = |place: &Place| -> Vec<Vec<Outcome>> {
                cases
                    .iter()
                    .map(|(name, cases)| place.run(name, cases))
                    .collect()
            };
            let real = real
                .as_ref()
                .map(|(_, place)| scope.spawn(move || all(place)));
            let ours = all(&ours);
            let real = real.map(|real| real.join().unwrap());
            let mut wrong = Vec::new();
            for (index, (_, cases)) in cases.iter().enumerate() {
                let real = real.as_ref().map(|real| real[index].as_slice());
                wrong.extend(compare(cases, &ours[index], real));
            }
            wrong
        })
    });
    assert!(
        wrong.is_empty(),
        "{} differences:\n\n{}",
        wrong.len(),
        wrong
            .join("\n\n")
            .replace("\\n", "\n")
            .replace("\\\"", "\"")
    );
}

#[test]
fn every_project_is_a_context_of_its_own() {
    let Some(bin) = bin() else {
        eprintln!("skipped: there is no kubectl in KUBEBUILDER_ASSETS");
        return;
    };
    let mut place = Place::new("projects", &bin, "", "");
    let file = place.folder.path("kubeconfig");
    let _served = Served::start([
        "--projects",
        "red,blue",
        "--kubeconfig",
        file.to_str().unwrap(),
    ]);
    place.kubeconfig = Value::Null;
    let says = |command: &str| {
        let Outcome { code, out, err } = place.sh(command);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{command}: {out}");
        out
    };
    assert_eq!(says("kubectl config current-context"), "root\n");
    assert_eq!(
        says("kubectl get projects"),
        "NAME OWNER READY AGE\nblue organization True AGE\nred organization True AGE\n"
    );
    says("kubectl --context red create namespace default");
    says("kubectl --context red apply -f config.yaml");
    let settings = "get configmaps -o name --ignore-not-found -l app=web";
    assert_eq!(
        says(&format!("kubectl --context red {settings}")),
        "configmap/settings\n"
    );
    for elsewhere in ["root", "blue"] {
        assert_eq!(
            says(&format!("kubectl --context {elsewhere} {settings}")),
            ""
        );
    }
    assert_eq!(
        says("kubectl delete project red"),
        "project.resourcemanager.miloapis.com \"red\" deleted\n"
    );
    let gone = place.sh("kubectl --context red get namespaces");
    assert_eq!(gone.code, Some(1), "{gone:?}");
}

/// A real server with the same CRDs, where there is one.
async fn real(bin: &Path) -> Option<(RealControlPlane, Place)> {
    for name in ["kube-apiserver", "kube-controller-manager"] {
        if !bin.join(name).is_file() {
            eprintln!("there is no {name} in KUBEBUILDER_ASSETS: nothing is compared");
            return None;
        }
    }
    let assets = Assets::from_env().unwrap().unwrap();
    let server = RealControlPlane::start(&assets).await.unwrap();
    let config = server.config().unwrap();
    let login = serde_json::to_value(&config.auth_info).unwrap();
    let token = login["token"].as_str().unwrap();
    let url = config.cluster_url.to_string();
    let place = Place::new("real", bin, url.trim_end_matches('/'), token);
    for command in [
        format!("kubectl create -f {}", source("crds").display()),
        "kubectl wait crd --all --for=condition=Established".to_owned(),
    ] {
        let done = tokio::task::block_in_place(|| place.sh(&command));
        assert_eq!(done.code, Some(0), "{done:?}");
    }
    Some((server, place))
}
