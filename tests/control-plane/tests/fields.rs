//! Every field of the built-in kinds with odd values: an embedded server and a real one answer alike.
//!
//! Each field of the schema of a kind is set to each of a handful of values of its type in a small object, which is posted
//! to both servers, as a dry run. Their answers are compared whole.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how a test fails"
)]

use std::collections::BTreeMap;

use http::{Method, Request};
use http_body_util::BodyExt;
use kommodore_control_plane::{Assets, ControlPlane, RealControlPlane};
use kube::Client;
use kube::client::Body;
use regex::Regex;
use serde_json::{Map, Value, json};

/// What differs, and is known to: see the text of each.
const KNOWN: [(&str, &str, &str); 1] = [
    // It is judged by what is kept of it.
    ("Pod", "/spec/overhead", "{}"),
];

/// The kinds, each with an object to begin with: its version, its resource, whether it is in a namespace, and how deep its
/// fields are looked at. Those of templates of pods are those of pods.
fn kinds() -> Vec<(&'static str, &'static str, bool, usize, Value)> {
    let pod = json!({"containers": [{"name": "c", "image": "i"}]});
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": pod});
    let never =
        json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}});
    let selector = json!({"matchLabels": {"a": "b"}});
    let subject = |kind: &str| json!({"roleRef": {"kind": kind, "name": "r", "apiGroup": "rbac.authorization.k8s.io"}});
    let deployment = json!({"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"});
    let claim =
        json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    vec![
        ("v1", "ConfigMap configmaps", true, 7, json!({})),
        ("v1", "Secret secrets", true, 7, json!({})),
        (
            "v1",
            "Service services",
            true,
            7,
            json!({"spec": {"ports": [{"port": 80}]}}),
        ),
        ("v1", "ServiceAccount serviceaccounts", true, 7, json!({})),
        ("v1", "Namespace namespaces", false, 7, json!({})),
        (
            "v1",
            "Event events",
            true,
            7,
            json!({"involvedObject": {"namespace": "default"}}),
        ),
        (
            "coordination.k8s.io/v1",
            "Lease leases",
            true,
            7,
            json!({"spec": {}}),
        ),
        (
            "apps/v1",
            "Deployment deployments",
            true,
            4,
            json!({"spec": {"selector": selector, "template": template}}),
        ),
        (
            "apps/v1",
            "StatefulSet statefulsets",
            true,
            5,
            json!({"spec": {"selector": selector, "template": template, "serviceName": "s"}}),
        ),
        (
            "apps/v1",
            "DaemonSet daemonsets",
            true,
            4,
            json!({"spec": {"selector": selector, "template": template}}),
        ),
        (
            "apps/v1",
            "ReplicaSet replicasets",
            true,
            4,
            json!({"spec": {"selector": selector, "template": template}}),
        ),
        (
            "batch/v1",
            "Job jobs",
            true,
            5,
            json!({"spec": {"template": never}}),
        ),
        (
            "batch/v1",
            "CronJob cronjobs",
            true,
            5,
            json!({"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": never}}}}),
        ),
        (
            "networking.k8s.io/v1",
            "Ingress ingresses",
            true,
            9,
            json!({"spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}}),
        ),
        (
            "networking.k8s.io/v1",
            "NetworkPolicy networkpolicies",
            true,
            9,
            json!({"spec": {"podSelector": {}}}),
        ),
        (
            "networking.k8s.io/v1",
            "IngressClass ingressclasses",
            false,
            7,
            json!({"spec": {"controller": "a.b/c"}}),
        ),
        (
            "rbac.authorization.k8s.io/v1",
            "Role roles",
            true,
            7,
            json!({"rules": []}),
        ),
        (
            "rbac.authorization.k8s.io/v1",
            "RoleBinding rolebindings",
            true,
            7,
            subject("Role"),
        ),
        (
            "rbac.authorization.k8s.io/v1",
            "ClusterRole clusterroles",
            false,
            7,
            json!({}),
        ),
        (
            "rbac.authorization.k8s.io/v1",
            "ClusterRoleBinding clusterrolebindings",
            false,
            7,
            subject("ClusterRole"),
        ),
        (
            "v1",
            "PersistentVolumeClaim persistentvolumeclaims",
            true,
            7,
            json!({"spec": claim}),
        ),
        (
            "v1",
            "PersistentVolume persistentvolumes",
            false,
            7,
            json!({"spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/x"}}}),
        ),
        ("v1", "Pod pods", true, 8, json!({"spec": pod})),
        (
            "autoscaling/v2",
            "HorizontalPodAutoscaler horizontalpodautoscalers",
            true,
            9,
            json!({"spec": {"maxReplicas": 2, "scaleTargetRef": deployment}}),
        ),
        (
            "policy/v1",
            "PodDisruptionBudget poddisruptionbudgets",
            true,
            7,
            json!({"spec": {}}),
        ),
        ("v1", "ResourceQuota resourcequotas", true, 7, json!({})),
        (
            "v1",
            "LimitRange limitranges",
            true,
            7,
            json!({"spec": {"limits": []}}),
        ),
        ("v1", "Endpoints endpoints", true, 7, json!({})),
        (
            "v1",
            "PodTemplate podtemplates",
            true,
            4,
            json!({"template": template}),
        ),
        (
            "v1",
            "ReplicationController replicationcontrollers",
            true,
            4,
            json!({"spec": {"template": template}}),
        ),
        (
            "discovery.k8s.io/v1",
            "EndpointSlice endpointslices",
            true,
            7,
            json!({"addressType": "IPv4", "endpoints": []}),
        ),
        (
            "storage.k8s.io/v1",
            "StorageClass storageclasses",
            false,
            7,
            json!({"provisioner": "p"}),
        ),
        (
            "storage.k8s.io/v1",
            "CSIDriver csidrivers",
            false,
            7,
            json!({"spec": {}}),
        ),
        (
            "storage.k8s.io/v1",
            "CSINode csinodes",
            false,
            7,
            json!({"spec": {"drivers": []}}),
        ),
        (
            "scheduling.k8s.io/v1",
            "PriorityClass priorityclasses",
            false,
            7,
            json!({"value": 5}),
        ),
        (
            "node.k8s.io/v1",
            "RuntimeClass runtimeclasses",
            false,
            7,
            json!({"handler": "h"}),
        ),
        (
            "certificates.k8s.io/v1",
            "CertificateSigningRequest certificatesigningrequests",
            false,
            7,
            json!({"spec": {"signerName": "a.b/c", "usages": ["client auth"], "request": "eA=="}}),
        ),
        (
            "flowcontrol.apiserver.k8s.io/v1",
            "FlowSchema flowschemas",
            false,
            8,
            json!({"spec": {"priorityLevelConfiguration": {"name": "p"}}}),
        ),
    ]
}

/// The schemas of all kinds, by name.
type Schemas = BTreeMap<String, Value>;

async fn ask(
    client: &Client,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> (u16, Vec<String>, String) {
    let body = body.map_or(Body::empty(), |body| body.to_string().into_bytes().into());
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("Content-Type", "application/json")
        .header("User-Agent", "fields")
        .body(body)
        .unwrap();
    let answer = client.send(request).await.unwrap();
    let code = answer.status().as_u16();
    let warnings = answer.headers().get_all("warning").iter();
    let warnings = warnings
        .map(|warning| warning.to_str().unwrap().to_owned())
        .collect();
    let text = answer.into_body().collect().await.unwrap().to_bytes();
    (code, warnings, String::from_utf8(text.to_vec()).unwrap())
}

async fn schemas(client: &Client, api_version: &str) -> Schemas {
    let group = match api_version {
        "v1" => "api/v1".to_owned(),
        version => format!("apis/{version}"),
    };
    let (_, _, text) = ask(client, Method::GET, &format!("/openapi/v3/{group}"), None).await;
    let mut all: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(all["components"]["schemas"].take()).unwrap()
}

/// The name of the type of a schema, if it has one, and what it says.
fn target<'s>(schemas: &'s Schemas, schema: &'s Value) -> (&'s str, &'s Value) {
    let within = schema["allOf"]
        .as_array()
        .and_then(|all| all.first())
        .unwrap_or(schema);
    match within["$ref"].as_str() {
        Some(reference) => {
            let name = reference.rsplit('/').next().unwrap();
            (name, &schemas[name])
        }
        None => ("", schema),
    }
}

/// Calls `visit` with the way to each field, its type and its schema.
fn walk<'s>(
    schemas: &'s Schemas,
    schema: &'s Value,
    way: &mut Vec<String>,
    depth: usize,
    above: &mut Vec<&'s str>,
    visit: &mut impl FnMut(&[String], &str, &Value),
) {
    let (name, schema) = target(schemas, schema);
    if !name.is_empty() && above.contains(&name) {
        return;
    }
    above.push(name);
    if !way.is_empty() {
        visit(way, name, schema);
    }
    let mut below: Vec<(&str, &Value)> = Vec::new();
    if let Some(properties) = schema["properties"].as_object() {
        below.extend(
            properties
                .iter()
                .map(|(field, schema)| (field.as_str(), schema)),
        );
    } else if schema["additionalProperties"].is_object() {
        below.push(("k", &schema["additionalProperties"]));
    } else if schema["items"].is_object() {
        below.push(("0", &schema["items"]));
    }
    // The metadata is the same of all, and the status is written elsewhere.
    let elsewhere = ["kind", "apiVersion", "status", "managedFields"];
    let is_whole =
        |field: &str| way.is_empty() && (elsewhere.contains(&field) || field == "metadata");
    let below: Vec<_> = below
        .into_iter()
        .filter(|(field, _)| !is_whole(field))
        .collect();
    if depth > 0 {
        for (field, schema) in below {
            way.push(field.to_owned());
            walk(schemas, schema, way, depth - 1, above, visit);
            way.pop();
        }
    }
    above.pop();
}

/// Values for a field of a type.
fn values(name: &str, schema: &Value) -> Vec<Value> {
    let many = |values: Value| values.as_array().unwrap().clone();
    if name.ends_with("Quantity") {
        return many(json!([
            "", "0", "-1", "1.5", "x", "1Gi", 5, "100m", "1e3", true
        ]));
    }
    if name.ends_with("IntOrString") {
        return many(json!([
            0, -1, 65_536, "", "x", "50%", "101%", "-1%", "http", 1.5
        ]));
    }
    if name.ends_with("Time") {
        return many(json!(["2020-01-01T00:00:00Z", "x", 5]));
    }
    match schema["type"].as_str() {
        Some("string") => {
            let mut all = many(json!(["", "a", "A b", "x".repeat(300), "-", "a/b", "é", 5]));
            let known = schema["enum"].as_array();
            all.extend(known.into_iter().flatten().take(3).cloned());
            all
        }
        Some("integer") => many(json!([
            0,
            -1,
            1,
            70_000,
            1_i64 << 31,
            1_i64 << 40,
            1.5,
            "5"
        ])),
        Some("number") => many(json!([0, -1, 1.5, "x"])),
        Some("boolean") => many(json!([true, false, "x"])),
        Some("array") => many(json!([[], [null], {}, null, "x"])),
        Some("object") if schema["properties"].is_object() => many(json!([{}, [], null, "x"])),
        Some("object") => many(json!([{}, {"": ""}, {"a b": "c d"}, {"a": "b"}, [], null])),
        _ => many(json!([{}, 5, "x"])),
    }
}

/// The object with a value where the way leads.
fn with(mut object: Value, way: &[String], value: Value) -> Value {
    let mut place = &mut object;
    for step in way {
        place = match step.as_str() {
            "0" => {
                if place.as_array().is_none_or(Vec::is_empty) {
                    *place = json!([null]);
                }
                &mut place[0]
            }
            field => {
                if !place.is_object() {
                    *place = Map::new().into();
                }
                &mut place[field]
            }
        };
    }
    *place = value;
    object
}

/// Answers without what is another on every server.
struct Mask(Vec<(Regex, &'static str)>);

impl Mask {
    fn new() -> Self {
        let all = [
            (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uid>"),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
            (r#"resourceVersion(\\*)":(\\*)"\d+"#, "<version>"),
            (r"10\.0\.\d+\.\d+", "<address>"),
            (r#"odePort":\d+"#, "<port>"),
        ];
        Self(
            all.map(|(pattern, name)| (Regex::new(pattern).unwrap(), name))
                .into(),
        )
    }

    fn answer(&self, (code, mut warnings, text): (u16, Vec<String>, String)) -> String {
        // What this server does not do it says.
        warnings.retain(|warning| !warning.contains("by this server"));
        let mut object: Value = serde_json::from_str(&text).unwrap_or_default();
        let is_status = object["kind"] == "Status";
        let mut text = match object["details"]["causes"].as_array_mut() {
            Some(causes) if is_status => {
                // In an order that a real server changes.
                causes.sort_by_key(Value::to_string);
                object.to_string()
            }
            _ => text,
        };
        for (pattern, name) in &self.0 {
            text = pattern.replace_all(&text, *name).into_owned();
        }
        format!("{code} {warnings:?} {text}")
    }
}

#[tokio::test]
async fn each_field_with_odd_values_is_answered_as_by_a_real_server() {
    let Some(assets) = Assets::from_env().unwrap() else {
        eprintln!("skipped: it needs KUBEBUILDER_ASSETS, a folder with etcd and kube-apiserver");
        return;
    };
    let server = RealControlPlane::start(&assets).await.unwrap();
    let real = Client::try_from(server.config().unwrap()).unwrap();
    let plane = ControlPlane::builder().start().await.unwrap();
    let ours = plane.client().unwrap();
    let mask = Mask::new();
    let (mut asked, mut differ) = (0, Vec::new());
    for (api_version, names, namespaced, depth, mut base) in kinds() {
        let (kind, plural) = names.split_once(' ').unwrap();
        base["metadata"] = json!({"name": "one"});
        let all = schemas(&ours, api_version).await;
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let of_kind = all.iter().find(|(_, schema)| {
            let kinds = schema["x-kubernetes-group-version-kind"].as_array();
            kinds
                .into_iter()
                .flatten()
                .any(|of| of["kind"] == kind && of["group"] == group)
        });
        let prefix = if group.is_empty() { "/api" } else { "/apis" };
        let namespace = if namespaced {
            "/namespaces/default"
        } else {
            ""
        };
        let path = format!("{prefix}/{api_version}{namespace}/{plural}");
        let dry = format!("{path}?dryRun=All");
        let mut objects = Vec::new();
        walk(
            &all,
            of_kind.unwrap().1,
            &mut Vec::new(),
            depth,
            &mut Vec::new(),
            &mut |way, name, schema| {
                for value in values(name, schema) {
                    let way_text = format!("/{}", way.join("/"));
                    let is_known = KNOWN.contains(&(kind, &way_text, &value.to_string()));
                    if !is_known {
                        objects.push((way_text, with(base.clone(), way, value)));
                    }
                }
            },
        );
        for (way, object) in objects {
            let [real, ours] =
                [&real, &ours].map(|client| ask(client, Method::POST, &dry, Some(&object)));
            let (real, ours) = tokio::join!(real, ours);
            let (real, ours) = (mask.answer(real), mask.answer(ours));
            asked += 1;
            if real != ours {
                differ.push(format!(
                    "{kind} {way}: {object}\n  real {real}\n  ours {ours}"
                ));
            }
        }
    }
    eprintln!("{asked} objects");
    assert!(asked > 10_000, "the fields are found");
    let first: Vec<&String> = differ.iter().take(20).collect();
    assert!(
        differ.is_empty(),
        "{} of {asked} differ; the first: {first:#?}",
        differ.len()
    );
}
