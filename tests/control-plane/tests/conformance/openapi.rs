//! OpenAPI: what a server says of all its kinds, word for word.

use serde_json::{Map, Value, json};

use super::support::Talk;

const SECOND: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// A CRD that says much, for both versions of OpenAPI.
fn crd(scope: &str) -> Value {
    let spec = json!({
        "type": "object", "required": ["replicas", "maybe"], "oneOf": [{"required": ["replicas"]}],
        "properties": {
            "replicas": {"type": "integer", "format": "int32", "default": 3, "enum": [1, 2, 3], "minimum": 0, "exclusiveMinimum": true},
            "port": {"x-kubernetes-int-or-string": true},
            "either": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            "maybe": {"type": "object", "nullable": true, "properties": {"a": {"type": "string"}}},
            "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"a": {"type": "string"}}},
            "list": {
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"], "maxItems": 7,
                "items": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "pattern": "^a", "maxLength": 5}}},
            },
            "map": {"type": "object", "additionalProperties": {"type": "string", "format": "date-time"}},
            "template": {
                "type": "object", "x-kubernetes-embedded-resource": true, "required": ["spec"],
                "properties": {"spec": {"type": "object"}, "metadata": {"type": "object"}},
            },
            "any": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
        },
    });
    let version = |name: &str, subresources: Value| {
        json!({
            "name": name, "served": true, "storage": name == "v1", "subresources": subresources,
            "selectableFields": [{"jsonPath": ".spec.replicas"}],
            "schema": {"openAPIV3Schema": {
                "type": "object", "description": "A thing <of> many & more.", "required": ["spec"],
                "properties": {"spec": spec, "status": {"type": "object", "properties": {"replicas": {"type": "integer"}}}},
            }},
        })
    };
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.{group}"},
        "spec": {
            "group": "{group}", "scope": scope, "names": {"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList"},
            "versions": [
                version("v1", json!({"status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}})),
                version("v1beta1", json!({})),
            ],
        },
    })
}

/// By which two long texts are seen to be the same.
fn digest(value: &Value) -> String {
    let text = value.to_string();
    let fold = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!(
        "{} bytes: {:016x}",
        text.len(),
        text.bytes().fold(0xcbf2_9ce4_8422_2325, fold)
    )
}

/// The parts of a map that are of one case, or of none.
fn parts(map: &Value, is_own: impl Fn(&str) -> bool) -> Value {
    let all = map.as_object().cloned().unwrap_or_default();
    all.into_iter()
        .filter(|(name, _)| is_own(name))
        .collect::<Map<_, _>>()
        .into()
}

/// The groups that a server has always.
const GROUPS: [&str; 20] = [
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Whether a path, a document or a type is of Kubernetes itself, and not of the CRD of any case.
fn is_of_kubernetes(name: &str) -> bool {
    if name.starts_with("io.k8s.") {
        let packages = [
            "api",
            "apimachinery",
            "apiextensions-apiserver",
            "kube-aggregator",
        ];
        return packages.contains(&name.split('.').nth(2).unwrap_or_default());
    }
    match name.trim_start_matches('/').strip_prefix("apis/") {
        Some(rest) => {
            rest.is_empty() || GROUPS.contains(&rest.split('/').next().unwrap_or_default())
        }
        None => !name.starts_with("com.") && !name.starts_with("dev."),
    }
}

conformance! {
    async fn what_kubernetes_says_of_its_kinds(talk: &mut Talk) {
        // The hash of a document is that of all its bytes.
        talk.get_picked("/openapi/v3", &[], |index| parts(&index["paths"], is_of_kubernetes)).await;
        for path in ["/openapi/v3/version", "/openapi/v3/apis/apps", "/openapi/v3/openid/v1/jwks"] {
            talk.get(path).await;
        }
        for path in ["/openapi/v3/", "/openapi/v3/api/v1/", "/openapi/v3/apis/apps/v2", "/openapi/v3/version?hash=ABC", "/openapi/v3/apis/nothing/v1?hash=ABC"] {
            talk.get(path).await;
        }
        talk.send("HEAD", "/openapi/v3/version", &[], None).await;
        talk.get_tagged("/openapi/v3/version", "application/json").await;
    }

    async fn what_a_definition_says_of_its_kind(talk: &mut Talk) {
        talk.install(crd("Namespaced")).await;
        for version in ["v1", "v1beta1"] {
            let path = format!("/openapi/v3/apis/{{group}}/{version}");
            talk.until(&path, |code, _| code == 200).await;
            talk.get_picked(&path, &[], |document| {
                let names: Vec<&String> = document["paths"].as_object().into_iter().flatten().map(|(name, _)| name).collect();
                json!({
                    "info": document["info"], "paths": names, "digest": digest(document),
                    "schemas": parts(&document["components"]["schemas"], |name| name.starts_with("com.example.")),
                })
            }).await;
        }
    }

    async fn what_a_definition_of_clusters_says_of_its_kind(talk: &mut Talk) {
        talk.install(crd("Cluster")).await;
        let path = "/openapi/v3/apis/{group}/v1";
        talk.until(path, |code, _| code == 200).await;
        talk.get_picked(path, &[], |document| json!([digest(&document["paths"]), digest(&document["components"])])).await;
    }

    async fn articles_of_kinds(talk: &mut Talk) {
        for kind in ["Ear", "Buses", "Boss", "Hour", "S"] {
            let plural = format!("{}z", kind.to_lowercase());
            talk.install(json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("{plural}.{{group}}")}, "spec": {
                "group": "{group}", "scope": "Namespaced", "names": {"plural": plural, "kind": kind},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}],
            }})).await;
            let (path, at) = ("/openapi/v3/apis/{group}/v1", format!("namespaces/{{namespace}}/{plural}"));
            let of = |document: &Value| {
                let paths = document["paths"].as_object().into_iter().flatten();
                parts(&paths.map(|(name, path)| (name.clone(), path.clone())).collect(), |name| name.contains(&at))
            };
            talk.until(path, |_, document| of(document).as_object().is_some_and(|found| !found.is_empty())).await;
            talk.get_picked(path, &[], |document| {
                let paths = of(document);
                let operations = paths.as_object().into_iter().flatten().flat_map(|(_, path)| path.as_object().into_iter().flatten());
                operations.filter_map(|(_, operation)| operation.get("description").cloned()).collect()
            }).await;
        }
    }

    async fn all_kinds_in_the_second_version(talk: &mut Talk) {
        talk.install(crd("Namespaced")).await;
        let own = "com.example.all-kinds-in-the-second-version.";
        talk.until("/openapi/v2", |_, document| document["definitions"].as_object().is_some_and(|all| all.keys().any(|name| name.starts_with(own)))).await;
        talk.get_picked("/openapi/v2", &[], |document| {
            let (paths, parameters) = (&document["paths"], &document["parameters"]);
            let schemas = &document["definitions"];
            json!({
                "swagger": document["swagger"], "info": document["info"], "security": [document["security"], document["securityDefinitions"]],
                "paths of kubernetes": digest(&parts(paths, is_of_kubernetes)), "parameters": parameters, "schemas of kubernetes": digest(&parts(schemas, |name| name.starts_with("io.k8s.") && is_of_kubernetes(name))),
                "paths": parts(paths, |path| path.contains("all-kinds-in-the-second-version") && path.ends_with("things/{name}")),
                "all paths": digest(&parts(paths, |path| path.contains("all-kinds-in-the-second-version"))),
                "schemas": parts(schemas, |name| name.starts_with(own)),
            })
        }).await;
        for (accept, path) in [("text/html", "/openapi/v2"), ("application/yaml", "/openapi/v2")] {
            talk.send("GET", path, &[("accept", accept)], None).await;
        }
        for accept in [SECOND, "application/json, application/com.github.proto-openapi.spec.v2@v1.0+protobuf"] {
            talk.get_picked("/openapi/v2", &[("accept", accept)], |document| json!(document.is_object())).await;
        }
        // What is said of a type besides OpenAPI is in YAML.
        for name in ["com.example.all-kinds-in-the-second-version.v1.Thing", "io.k8s.api.core.v1.ServiceSpec"] {
            talk.get_message("/openapi/v2", SECOND, name).await;
        }
    }

    async fn parts_of_documents_and_those_that_did_not_change(talk: &mut Talk) {
        const LATER: &str = "Fri, 01 Jan 2100 00:00:00 GMT";
        const BEFORE: &str = "Tue, 01 Jan 2019 00:00:00 GMT";
        for path in ["/openapi/v3", "/openapi/v3/apis/apps/v1", "/openapi/v2"] {
            for headers in [
                &[("if-modified-since", LATER)][..], &[("if-unmodified-since", BEFORE)], &[("if-match", "\"x\"")], &[("if-match", "\"x\", *"), ("range", "bytes=0-1")],
                &[("range", "bytes=0-1")], &[("range", "bytes=1-1")], &[("range", "bytes=99999999-")], &[("range", "lines=1-2")], &[("range", "bytes=5-4")], &[("range", "bytes=-")],
                &[("range", "bytes=0-1"), ("accept-encoding", "gzip")], &[("range", "bytes=0-1"), ("if-range", LATER), ("if-modified-since", LATER)],
                &[("if-none-match", "*")], &[("if-none-match", "\"x\""), ("if-modified-since", LATER), ("range", "bytes=0-0")],
            ] {
                talk.send("GET", path, headers, None).await;
            }
            talk.send("POST", path, &[("if-none-match", "*")], None).await;
            talk.send("POST", path, &[("range", "bytes=0-1"), ("if-range", "x")], None).await;
            for headers in [
                &[("range", "")][..], &[("if-match", "")], &[("if-none-match", ""), ("if-modified-since", LATER)], &[("if-match", "x, *")], &[("if-none-match", "\"a\"\"b\" *")],
                &[("range", "bytes=-9223372036854775808")], &[("range", "bytes=0-1"), ("if-range", "Wed, 01 Jan 2020 00:00:00 GMT")], &[("range", "bytes=0-1"), ("if-range", "x")],
            ] {
                talk.send("HEAD", path, headers, None).await;
            }
            for unchanged in ["if-unmodified-since", "if-none-match"] {
                talk.send("HEAD", path, &[(unchanged, LATER)], None).await;
            }
            talk.send("HEAD", path, &[("if-modified-since", BEFORE)], None).await;
        }
    }

    async fn documents_that_a_client_has_already(talk: &mut Talk) {
        talk.get_tagged("/openapi/v3/apis/apps/v1", "application/json").await;
        talk.get_tagged("/api", AGGREGATED).await;
    }

    async fn the_third_version_in_protobuf(talk: &mut Talk) {
        const THIRD: &str = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";
        const OF_OLD: &str = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf";
        talk.install(crd("Namespaced")).await;
        talk.until("/openapi/v3/apis/{group}/v1", |code, _| code == 200).await;
        for document in ["version", "api/v1", "apis/apps/v1", "apis/autoscaling/v2", "apis/apiextensions.k8s.io/v1", "apis/{group}/v1", "none"] {
            talk.get_picked(&format!("/openapi/v3/{document}"), &[("accept", THIRD)], |body| digest(body).into()).await;
        }
        for accept in [
            OF_OLD, "text/html", "application/yaml", "application/vnd.kubernetes.protobuf", "text/*", "", "odd",
            "text/html, application/com.github.proto-openapi.spec.v3.v1.0+protobuf;q=0.5", "application/*;q=0.1, text/html",
            "application/json;q=0.5,application/com.github.proto-openapi.spec.v3.v1.0+protobuf",
        ] {
            talk.get_picked("/openapi/v3/version", &[("accept", accept)], |body| digest(body).into()).await;
        }
        talk.send("GET", "/openapi/v3/none", &[("accept", "text/html")], None).await;
        talk.get_picked("/openapi/v3", &[("accept", "text/html")], |index| json!(index["paths"].is_object() || index.is_string())).await;
        talk.send("GET", "/openapi/v3/version?hash=odd", &[("accept", "text/html")], None).await;
    }
}
