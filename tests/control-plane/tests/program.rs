//! The program `kommodore-control-plane`: its arguments, its kubeconfig and its end.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#[allow(dead_code, reason = "a part of it is for other tests")]
mod served;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ApiResource, DynamicObject, ListParams};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kube::core::GroupVersionKind;
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use served::{Folder, Served, run};

const THINGS: &str = r#"
# The first document says nothing.
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.demo.example.com}
spec:
  group: demo.example.com
  scope: Namespaced
  names: {kind: Thing, plural: things, singular: thing}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"#;

/// The names that the `plural` of a context has.
async fn names(kubeconfig: &Kubeconfig, context: &str, kind: GroupVersionKind) -> Vec<String> {
    let options = KubeConfigOptions {
        context: Some(context.to_owned()),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(kubeconfig.clone(), &options)
        .await
        .unwrap();
    let api: Api<DynamicObject> = Api::all_with(
        Client::try_from(config).unwrap(),
        &ApiResource::from_gvk(&kind),
    );
    let list = api.list(&ListParams::default()).await.unwrap();
    list.iter().map(ResourceExt::name_any).collect()
}

#[tokio::test]
async fn everything_can_be_used_when_it_says_so() {
    let folder = Folder::new("ready");
    let crds = folder.path("crds");
    fs::create_dir(&crds).unwrap();
    fs::write(
        crds.join("things.yaml"),
        format!("{THINGS}---\n{}", THINGS.replace("hing", "oy")),
    )
    .unwrap();
    fs::write(crds.join("README.md"), "no CRD").unwrap();
    let file = folder.path("kubeconfig");
    fs::write(&file, "what was there before").unwrap();
    let mut served = Served::start([
        "--kubeconfig",
        file.to_str().unwrap(),
        "--crds",
        crds.to_str().unwrap(),
        "--projects=red,blue",
    ]);
    assert!(
        served
            .ready
            .ends_with(&format!(" KUBECONFIG={}", file.display())),
        "{}",
        served.ready
    );
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let kubeconfig = Kubeconfig::read_from(&file).unwrap();
    let contexts: Vec<&str> = kubeconfig
        .contexts
        .iter()
        .map(|context| context.name.as_str())
        .collect();
    assert_eq!(contexts, ["root", "blue", "red"]);
    let project = GroupVersionKind::gvk("resourcemanager.miloapis.com", "v1alpha1", "Project");
    assert_eq!(names(&kubeconfig, "root", project).await, ["blue", "red"]);
    for kind in ["Thing", "Toy"] {
        let kind = GroupVersionKind::gvk("demo.example.com", "v1", kind);
        assert!(names(&kubeconfig, "red", kind).await.is_empty());
    }
    let left: Vec<_> = fs::read_dir(file.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(served.end("TERM"), Some(0));
}

#[test]
fn without_a_file_the_flags_are_printed() {
    let mut served = Served::start([]);
    let url = served.ready.split(' ').nth(1).unwrap();
    assert!(
        url.starts_with("https://127.0.0.1:")
            && served.ready.contains(&format!(" --server={url} --token=")),
        "{}",
        served.ready
    );
    let port = url.rsplit(':').next().unwrap().to_owned();
    let (code, _, complaint) = run(["--port", &port]);
    assert_eq!(code, Some(1));
    assert!(
        complaint.contains(&format!("port {port} (--port)")),
        "{complaint}"
    );
    assert_eq!(served.end("INT"), Some(0));
    // The port is free again.
    let mut served = Served::start(["--port", &port]);
    assert_eq!(served.end("TERM"), Some(0));
}

#[test]
fn what_is_wrong_is_named() {
    let folder = Folder::new("wrong");
    let file = |name: &str, content: &str| {
        let crds = folder.path(name);
        fs::create_dir(&crds).unwrap();
        fs::write(crds.join("it.yaml"), content).unwrap();
        crds.to_str().unwrap().to_owned()
    };
    let pod = file(
        "pod",
        &format!("{THINGS}---\n{{apiVersion: v1, kind: Pod}}"),
    );
    let broken = file("broken", "{");
    let twice = file("twice", &format!("{THINGS}{THINGS}"));
    let missing = folder.path("missing").to_str().unwrap().to_owned();
    for (arguments, code, says) in [
        (["--prot", "1"], 2, "\"--prot\" is unknown".to_owned()),
        (["--port", "x"], 2, "--port: \"x\" is no port".to_owned()),
        (
            ["--crds", &missing],
            1,
            format!("--crds: {missing}: No such file"),
        ),
        (
            ["--crds", &pod],
            1,
            format!(
                "--crds: {pod}/it.yaml: document 2: expected a CustomResourceDefinition of \
                 apiextensions.k8s.io/v1, found Pod of v1"
            ),
        ),
        (
            ["--crds", &broken],
            1,
            format!("--crds: {broken}/it.yaml: "),
        ),
        (
            ["--crds", &twice],
            1,
            format!(
                "--crds: {twice}/it.yaml: customresourcedefinitions.apiextensions.k8s.io \
                 \"things.demo.example.com\" already exists"
            ),
        ),
        (
            ["--projects", "Red"],
            1,
            "--projects: the project Red was refused: ".to_owned(),
        ),
        (
            ["--kubeconfig", &format!("{missing}/kubeconfig")],
            1,
            format!("--kubeconfig: {missing}/kubeconfig: No such file"),
        ),
    ] {
        let (ended, said, complaint) = run(arguments);
        assert_eq!((ended, said.as_str()), (Some(code), ""), "{arguments:?}");
        assert!(complaint.contains(&says), "{arguments:?}: {complaint}");
    }
}

#[tokio::test]
async fn users_may_do_what_roles_allow() {
    let folder = Folder::new("users");
    let file = folder.path("kubeconfig");
    let _served = Served::start([
        "--rbac",
        "--user=alice=devs,ops",
        "--user=bob",
        "--kubeconfig",
        file.to_str().unwrap(),
    ]);
    let kubeconfig = Kubeconfig::read_from(&file).unwrap();
    let client_of = async |user: &str| {
        let options = KubeConfigOptions {
            user: Some(user.to_owned()),
            ..KubeConfigOptions::default()
        };
        let config = Config::from_custom_kubeconfig(kubeconfig.clone(), &options).await;
        Client::try_from(config.unwrap()).unwrap()
    };
    let review = || {
        let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let request = http::Request::post("/apis/authentication.k8s.io/v1/selfsubjectreviews");
        let request = request.header("content-type", "application/json");
        request.body(review.to_string().into_bytes()).unwrap()
    };
    for (user, groups) in [
        ("admin", json!(["system:masters", "system:authenticated"])),
        ("alice", json!(["devs", "ops", "system:authenticated"])),
        ("bob", json!(["system:authenticated"])),
    ] {
        let client = client_of(user).await;
        let answer: Value = client.request(review()).await.unwrap();
        let who = json!({"username": user, "uid": user, "groups": groups});
        assert_eq!(answer["status"]["userInfo"], who);
        let namespaces: Api<Namespace> = Api::all(client);
        let listed = namespaces.list(&ListParams::default()).await;
        assert_eq!(listed.is_ok(), user == "admin", "{user}: {listed:?}");
    }
}

#[test]
fn help_and_version_go_to_standard_output() {
    let (code, help, _) = run(["--help"]);
    assert_eq!(code, Some(0));
    for option in [
        "--port",
        "--kubeconfig",
        "--crds",
        "--projects",
        "--rbac",
        "--user",
    ] {
        assert!(help.contains(option), "{help}");
    }
    let version = format!("kommodore-control-plane {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(["--version"]), (Some(0), version, String::new()));
}

#[test]
fn rules_that_are_not_evaluated_are_said_of_a_folder_too() {
    let folder = Folder::new("rules");
    let schema = json!({
        "type": "object", "x-kubernetes-validations": [{"rule": "true"}], "x-kubernetes-preserve-unknown-fields": true,
    });
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.demo.example.com"},
        "spec": {
            "group": "demo.example.com", "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    });
    let file = folder.path("thing.json");
    fs::write(&file, definition.to_string()).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_kommodore-control-plane"))
        .args(["--crds", file.parent().unwrap().to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut complaint = String::new();
    BufReader::new(child.stderr.take().unwrap())
        .read_line(&mut complaint)
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        complaint.contains(&format!("--crds: {}: 299", file.display())),
        "{complaint}"
    );
    assert!(
        complaint.contains("x-kubernetes-validations"),
        "{complaint}"
    );
}

/// Of each request a small multiple is needed: it grew with the square of some, and with a power of two of others.
#[tokio::test]
async fn no_request_needs_much_memory() {
    const ENTRIES: usize = 1_500;
    const MOST: usize = 512 << 20;
    let folder = Folder::new("memory");
    let file = folder.path("kubeconfig");
    let served = Served::start(["--kubeconfig", file.to_str().unwrap()]);
    let config = Kubeconfig::read_from(&file).unwrap();
    let config = Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await;
    let client = Client::try_from(config.unwrap()).unwrap();
    let send = async |method: &str, path: &str, headers: &[(&str, &str)], body: &Value| {
        let mut request = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(kube::client::Body::from(body.to_string().into_bytes()));
        client
            .send(request.unwrap())
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const THINGS: &str = "/apis/demo.example.com/v1/things";
    let as_json = [("content-type", "application/json")];
    let below_a_long_name = |entry: Value| {
        let entries = (0..ENTRIES).map(|index| (format!("e{index}"), entry.clone()));
        let entries: serde_json::Map<String, Value> = entries.collect();
        Value::from(serde_json::Map::from_iter([(
            "k".repeat(1 << 20),
            entries.into(),
        )]))
    };
    let objects = |fields: Value| json!({"type": "object", "properties": fields});
    let map = |values: Value| json!({"type": "object", "additionalProperties": values});
    let number = json!({"type": "integer", "minimum": 5});
    let definition = |schema: Value| {
        let column = json!({"name": "C", "type": "string", "jsonPath": format!(".deep{}", "['a','a']".repeat(27))});
        json!({
            "metadata": {"name": "things.demo.example.com"},
            "spec": {
                "group": "demo.example.com", "scope": "Cluster", "names": {"kind": "Thing", "plural": "things"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}, "additionalPrinterColumns": [column]}],
            },
        })
    };
    for schema in [
        json!({"type": "string", "required": []}),
        json!({}),
        json!({"type": "string", "pattern": "("}),
        json!({"type": "string", "default": 1}),
    ] {
        let fields = below_a_long_name(schema);
        let (name, fields) = fields.as_object().unwrap().iter().next().unwrap();
        let schema = objects(json!({name: objects(fields.clone())}));
        send(
            "POST",
            &format!("{CRDS}?dryRun=All"),
            &as_json,
            &definition(schema),
        )
        .await;
    }
    let deep = (0..30).fold(json!(1), |within, _| json!({"a": within}));
    let default: serde_json::Map<String, Value> = (0..300)
        .map(|index| (format!("k{index}"), json!("v")))
        .collect();
    let element = json!({
        "x": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "default": default},
        "y".repeat(1 << 17): {"type": "integer", "default": 1},
    });
    let fields = json!({
        "list": {"type": "array", "items": objects(element)},
        "spec": map(map(objects(json!({"n": number})))),
        "deep": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    });
    assert_eq!(
        send("POST", CRDS, &as_json, &definition(objects(fields))).await,
        201
    );
    let thing = |spec: Value| json!({"apiVersion": "demo.example.com/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": spec, "deep": deep});
    while send("POST", THINGS, &as_json, &thing(json!({}))).await != 201 {
        tokio::task::yield_now().await;
    }
    let one = &format!("{THINGS}/one?fieldManager=other");
    let as_apply = [("content-type", "application/apply-patch+yaml")];
    for entry in [json!({"n": 1}), json!({"x": 1}), json!({"n": 1.0})] {
        let odd = thing(below_a_long_name(entry));
        send("POST", THINGS, &as_json, &odd).await;
        send("PATCH", one, &as_apply, &odd).await;
    }
    let mut long = thing(json!({}));
    long["list"] = vec![json!({}); 100_000].into();
    assert_eq!(send("POST", THINGS, &as_json, &long).await, 500);
    let table = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
    assert_eq!(send("GET", THINGS, &table, &Value::Null).await, 200);
    let scopes = vec!["odd"; ENTRIES];
    let quota =
        json!({"metadata": {"name": "odd"}, "spec": {"hard": {"pods": "1"}, "scopes": scopes}});
    send(
        "POST",
        "/api/v1/namespaces/default/resourcequotas",
        &as_json,
        &quota,
    )
    .await;
    let most = served.most_memory();
    assert!(most.is_none_or(|most| most < MOST), "{most:?}");
}
