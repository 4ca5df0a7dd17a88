//! Whatever a client sends: the server answers, loses nothing, and holds nobody else up.
//!
//! `HOSTILE_SEED` begins with another seed, `HOSTILE_REQUESTS` sends more.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how a test fails"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, Request};
use http_body_util::BodyExt;
use kube::Client;
use kube::api::PostParams;
use kube::client::Body;
use serde_json::{Value, json};
use support::*;
use tokio::sync::Notify;

const AT_ONCE: Duration = Duration::from_secs(10);

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.number() % limit as u64) as usize
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    fn happens(&mut self, in_hundred: usize) -> bool {
        self.below(100) < in_hundred
    }
}

/// What a test sends, written so that it can be sent again.
#[derive(Debug)]
struct Question {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
}

fn question(dice: &mut Dice) -> Question {
    let method = dice.one(&[
        "GET", "POST", "POST", "PUT", "PATCH", "PATCH", "PATCH", "DELETE", "HEAD", "OPTIONS",
    ]);
    let which = dice.below(KINDS.len());
    let mut path = match dice.happens(85) {
        true => path_of(dice, which, method),
        false => path(dice),
    };
    // That would take Milo's own kinds along, and with them all projects.
    let ends_all = path.ends_with("/customresourcedefinitions");
    let method = match method == "DELETE" && ends_all {
        true => "GET",
        false => method,
    };
    if dice.happens(20) {
        path.push('?');
        path.push_str(&query(dice));
    } else if method == "PATCH" {
        path.push_str("?fieldManager=me&force=true");
    }
    let content_type = match (method, dice.happens(90)) {
        ("PATCH", true) => dice.one(&[
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/strategic-merge-patch+json",
            "application/apply-patch+yaml",
        ]),
        (_, true) => "application/json",
        (_, false) => dice.one(&[
            "application/yaml",
            "application/vnd.kubernetes.protobuf",
            "text/plain",
            "application/json; charset=odd; ;;=",
        ]),
    };
    let mut headers = vec![("content-type", content_type)];
    if dice.happens(10) {
        let accept = dice.one(&[
            "application/json;as=Table;g=meta.k8s.io;v=v1",
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
            "*/*;q=odd",
            ";;;,,,",
            "application/yaml",
            "application/vnd.kubernetes.protobuf",
            "application/json;as=;g=;v=",
        ]);
        headers.push(("accept", accept));
    }
    let body = match method {
        "GET" | "HEAD" | "OPTIONS" => Vec::new(),
        "DELETE" if dice.happens(70) => Vec::new(),
        _ => body(dice, which, content_type),
    };
    Question {
        method,
        path,
        headers,
        body,
    }
}

/// Where objects of some kinds are; [`some_object`] makes one of each.
const KINDS: [&str; 10] = [
    "/api/v1/namespaces/default/configmaps",
    "/apis/apps/v1/namespaces/default/deployments",
    "/api/v1/namespaces/default/pods",
    "/api/v1/namespaces/default/services",
    "/apis/demo.example.com/v1/namespaces/default/things",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/batch/v1/namespaces/default/cronjobs",
    "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
    "/api/v1/namespaces/default/persistentvolumeclaims",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles",
];

/// Where an object of a kind is, or is to be.
fn path_of(dice: &mut Dice, which: usize, method: &str) -> String {
    let collection = KINDS[which];
    if method == "POST" || (method == "GET" && dice.happens(40)) {
        return collection.to_owned();
    }
    let name = match which {
        5 => "widgets.demo.example.com",
        _ => dice.one(&["one", "two", "three"]),
    };
    let subresource = match dice.below(12) {
        0 => "/status",
        1 => "/scale",
        _ => "",
    };
    format!("{collection}/{name}{subresource}")
}

const COLLECTIONS: [&str; 14] = [
    "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/default/secrets",
    "/api/v1/namespaces/default/pods",
    "/api/v1/namespaces/default/services",
    "/api/v1/namespaces",
    "/api/v1/nodes",
    "/api/v1/namespaces/default/persistentvolumeclaims",
    "/apis/apps/v1/namespaces/default/deployments",
    "/apis/apps/v1/namespaces/default/statefulsets",
    "/apis/batch/v1/namespaces/default/cronjobs",
    "/apis/demo.example.com/v1/namespaces/default/things",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
    "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
];

fn path(dice: &mut Dice) -> String {
    if dice.happens(10) {
        let parts = [
            "api",
            "apis",
            "v1",
            "",
            "..",
            ".",
            "%2e%2e",
            "namespaces",
            "watch",
            "default",
            "%00",
            "%ff",
            "a%2Fb",
            "projects",
            "control-plane",
            "openapi",
            "v3",
            "%",
            "apps",
            "things",
        ];
        let count = dice.below(9);
        return (0..count)
            .map(|_| format!("/{}", dice.one(&parts)))
            .collect::<String>()
            + "/";
    }
    let mut path = dice.one(&COLLECTIONS).to_owned();
    if dice.happens(70) {
        path.push('/');
        path.push_str(dice.one(&[
            "one",
            "two",
            "three",
            "UPPER",
            "a%00b",
            "%F0%9F%A6%80",
            "..",
            "x%2Fy",
            "things.demo.example.com",
        ]));
        if dice.happens(25) {
            path.push('/');
            path.push_str(dice.one(&[
                "status", "scale", "finalize", "odd", "log", "eviction", "%20",
            ]));
        }
    }
    path
}

fn query(dice: &mut Dice) -> String {
    let names = [
        "labelSelector",
        "fieldSelector",
        "limit",
        "continue",
        "resourceVersion",
        "resourceVersionMatch",
        "timeoutSeconds",
        "dryRun",
        "fieldManager",
        "fieldValidation",
        "force",
        "propagationPolicy",
        "gracePeriodSeconds",
        "pretty",
        "sendInitialEvents",
        "allowWatchBookmarks",
        "includeObject",
        "",
        "odd",
    ];
    let values = [
        "",
        "0",
        "1",
        "-1",
        "99999999999999999999",
        "true",
        "false",
        "All",
        "Strict",
        "a%3Db",
        "a%20in%20(b%2Cc",
        "%21%21",
        "metadata.name%3Done",
        "%00",
        "%ff",
        "Orphan",
        "Foreground",
        "Exact",
        "NotOlderThan",
        "eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ",
        "%F0%9F%A6%80",
        "((((((((((",
        "me",
    ];
    let count = 1 + dice.below(4);
    (0..count)
        .map(|_| format!("{}={}", dice.one(&names), dice.one(&values)))
        .collect::<Vec<_>>()
        .join("&")
}

fn body(dice: &mut Dice, which: usize, content_type: &str) -> Vec<u8> {
    if dice.happens(5) {
        return (0..dice.below(200))
            .map(|_| dice.number().to_le_bytes()[0])
            .collect();
    }
    if content_type.ends_with("protobuf") {
        let mut bytes = b"k8s\0".to_vec();
        bytes.extend((0..dice.below(100)).map(|_| dice.number().to_le_bytes()[0]));
        return bytes;
    }
    let mut value = match content_type {
        "application/json-patch+json" => json!([
            {"op": dice.one(&["add", "remove", "replace", "move", "copy", "test", "odd"]), "path": dice.one(&["/metadata/labels/a", "/spec", "/", "", "/-", "/spec/template/spec/containers/0/image", "/metadata/finalizers/-", "/a~1b/~0/~2", "/metadata/managedFields"]), "value": some_object(dice, which), "from": "/metadata/name"},
        ]),
        _ => some_object(dice, which),
    };
    // Most of it is nearly right: that gets furthest.
    for _ in 0..[0, 0, 1, 1, 1, 2, 5][dice.below(7)] {
        damage(dice, &mut value);
    }
    let mut text = value.to_string().into_bytes();
    if dice.happens(5) {
        text.truncate(dice.below(text.len().max(1)));
    }
    text
}

fn some_object(dice: &mut Dice, which: usize) -> Value {
    let name = dice.one(&["one", "two", "three"]);
    let metadata = json!({"name": name, "labels": {"a": "b"}, "annotations": {"c": "d"}});
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {
        "containers": [{"name": "a", "image": "b", "ports": [{"containerPort": 1}], "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}], "resources": {"limits": {"cpu": "1"}}, "livenessProbe": {"httpGet": {"port": 1}}}],
        "volumes": [{"name": "v", "configMap": {"name": "c"}}],
    }});
    match which {
        0 => {
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}})
        }
        1 => {
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}, "template": template}})
        }
        2 => {
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
        }
        3 => {
            json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}, "clusterIP": "None"}})
        }
        4 => {
            json!({"apiVersion": "demo.example.com/v1", "kind": "Thing", "metadata": metadata, "spec": {"size": 1, "color": "red"}, "status": {"seen": 1}})
        }
        5 => {
            let mut crd = crd("Widget");
            crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
                ["list"] = json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"], "items": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "pattern": "^a", "default": "ab"}}}});
            crd
        }
        6 => {
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}}})
        }
        7 => {
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": {"rules": [{"host": "a", "http": {"paths": [{"path": "/", "pathType": "Exact", "backend": {"service": {"name": "a", "port": {"number": 1}}}}]}}]}})
        }
        8 => json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata,
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }),
        _ => json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata,
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
        }),
    }
}

/// Replaces, removes or adds something somewhere.
fn damage(dice: &mut Dice, value: &mut Value) {
    let deeper = dice.happens(80);
    match value {
        Value::Object(fields) if deeper && !fields.is_empty() => {
            let at = dice.below(fields.len());
            let key = fields.keys().nth(at).unwrap().clone();
            if dice.happens(10) {
                fields.remove(&key);
            } else if dice.happens(10) {
                fields.insert(odd_text(dice), odd(dice));
            } else {
                damage(dice, fields.get_mut(&key).unwrap());
            }
        }
        Value::Array(elements) if deeper && !elements.is_empty() => {
            let at = dice.below(elements.len());
            if dice.happens(15) {
                let copy = elements[at].clone();
                elements.push(copy);
            } else {
                damage(dice, &mut elements[at]);
            }
        }
        other => *other = odd(dice),
    }
}

fn odd_text(dice: &mut Dice) -> String {
    dice.one(&[
        "",
        "a",
        "$patch",
        "$deleteFromPrimitiveList/finalizers",
        "$retainKeys",
        "$setElementOrder/containers",
        "\u{0}",
        "🦀",
        "a.b/c",
        "-",
        "metadata",
        "x-odd",
        "status",
    ])
    .to_owned()
}

fn odd(dice: &mut Dice) -> Value {
    match dice.below(14) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1),
        3 => json!(9_223_372_036_854_775_807_i64),
        4 => json!(1.5e300),
        5 => json!(""),
        6 => json!(odd_text(dice)),
        7 => json!([]),
        8 => json!({}),
        9 => json!([null, 1, "a", {}]),
        10 => json!({"a": {"b": [{"c": null}]}}),
        11 => json!("x".repeat(300)),
        12 => json!("replace"),
        _ => (0..50).fold(json!(1), |inner, _| json!({"deep": inner})),
    }
}

async fn send(client: &Client, question: &Question) -> Result<(u16, Value), String> {
    let mut request = Request::builder()
        .method(Method::from_bytes(question.method.as_bytes()).unwrap())
        .uri(&question.path);
    for (name, value) in &question.headers {
        request = request.header(*name, *value);
    }
    let Ok(request) = request.body(Body::from(question.body.clone())) else {
        return Ok((0, Value::Null));
    };
    let answer = async {
        let response = client
            .send(request)
            .await
            .map_err(|error| error.to_string())?;
        let code = response.status().as_u16();
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(|error| error.to_string())?
            .to_bytes();
        Ok((code, serde_json::from_slice(&body).unwrap_or_default()))
    };
    tokio::time::timeout(AT_ONCE, answer)
        .await
        .map_err(|_| "no answer".to_owned())?
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_sent_is_answered_and_harms_nobody() {
    let number =
        |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (seed, requests) = (number("HOSTILE_SEED", 1), number("HOSTILE_REQUESTS", 6_000));
    let plane = plane_with("quiet").await;
    let client = plane.client().unwrap();
    let quiet = plane.project("quiet").client().unwrap();
    namespaces(quiet.clone())
        .create(&PostParams::default(), &object_of("Namespace", "default"))
        .await
        .unwrap();
    let kept = config_maps(quiet.clone())
        .create(&PostParams::default(), &object_of("ConfigMap", "kept"))
        .await
        .unwrap();
    let answers = Arc::new(AtomicUsize::new(0));
    let counted = answers.clone();
    let turn = Arc::new(Notify::new());
    let turns = turn.clone();
    let meanwhile = tokio::spawn(async move {
        loop {
            turns.notified().await;
            let quiet = config_maps(quiet.clone());
            let still = soon("answer of another control plane", quiet.get("kept"));
            assert_eq!(still.await.unwrap(), kept);
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let mut dice = Dice(seed);
    let mut codes = std::collections::BTreeMap::new();
    for number in 0..requests {
        let question = question(&mut dice);
        turn.notify_one();
        let answered = send(&client, &question).await;
        let (code, body) = answered.unwrap_or_else(|why| {
            panic!(
                "seed {seed}, request {number}: {why}\n{question:?}\n{}",
                String::from_utf8_lossy(&question.body)
            )
        });
        *codes.entry(code).or_insert(0) += 1;
        let panicked = body["message"]
            .as_str()
            .is_some_and(|why| why.contains("the server has a fault"));
        assert!(!panicked, "seed {seed}, request {number}: {question:?}");
        let says_why = code < 400 || body.is_null() || body["kind"] == "Status";
        assert!(
            says_why,
            "seed {seed}, request {number}: {code} {body:#}\n{question:?}"
        );
        assert!(
            !meanwhile.is_finished(),
            "seed {seed}, request {number}: another control plane suffers from {question:?}"
        );
    }
    assert!(answers.load(Ordering::Relaxed) > 100);
    meanwhile.abort();
    assert!(codes.len() > 8, "too few ways to answer: {codes:?}");
    for code in [200, 201, 400, 404, 405, 409, 415, 422] {
        assert!(
            codes.contains_key(&code),
            "nothing was answered {code}: {codes:?}"
        );
    }
}

fn object_of(kind: &str, name: &str) -> kube::api::DynamicObject {
    support::object(json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}))
}
