//! What few clients send, and a real server has an answer to.

use serde_json::{Value, json};

use super::support::{PORTS_OF_NODES, Talk, extend, thing_crd};

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const SERVICES: &str = "/api/v1/namespaces/{ns}/services?dryRun=All";

fn map(name: &str) -> Value {
    json!({"metadata": {"name": name}})
}

fn definition(schema: Value) -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "edges.{group}"}, "spec": {
        "group": "{group}", "scope": "Namespaced", "names": {"plural": "edges", "singular": "edge", "kind": "Edge"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
    }})
}

conformance! {
    async fn one_object_of_a_version_that_is_not_there_yet(talk: &mut Talk) {
        talk.prepare(MAPS, map("one")).await;
        for name in ["one", "two"] {
            let path = format!("{MAPS}/{name}?resourceVersion=9999999");
            talk.get_picked(&path, &[], |status| {
                let mut status = status.clone();
                // How far the server has come is its own.
                let message = status["message"].as_str().unwrap_or_default();
                status["message"] = message.split(", current").next().into();
                status
            }).await;
        }
    }

    async fn what_begins_with_a_version_that_is_not_there_yet(talk: &mut Talk) {
        let newest = |mut status: Value| {
            let message = status["message"].as_str().unwrap_or_default();
            status["message"] = message.split(", current").next().into();
            status
        };
        for query in ["", "&limit=1", "&resourceVersionMatch=NotOlderThan"] {
            talk.get_picked(&format!("{MAPS}?resourceVersion=9999999{query}"), &[], |status| newest(status.clone())).await;
        }
        for (version, ends) in [("9999999", "1"), ("9999999", "5"), ("1", "1")] {
            let query = format!("watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds={ends}");
            talk.get_lines(&format!("{MAPS}?{query}"), &[], |line| {
                let event: Value = serde_json::from_str(line).ok()?;
                (event["type"] == "ERROR").then(|| newest(event["object"].clone()).to_string())
            }).await;
        }
    }

    async fn tables_and_metadata_of_an_older_version(talk: &mut Talk) {
        let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles";
        talk.prepare(roles, map("one")).await;
        let accept = |kind: &str| format!("application/json;as={kind};v=v1beta1;g=meta.k8s.io");
        for kind in ["PartialObjectMetadata", "PartialObjectMetadataList"] {
            for path in [roles.to_owned(), format!("{roles}/one")] {
                talk.send("GET", &path, &[("accept", &accept(kind))], None).await;
            }
        }
        let without_words = |table: &Value| json!([table["apiVersion"], table["kind"], table["rows"][0]["object"]["apiVersion"], table["rows"][0]["object"]["kind"]]);
        for path in [roles.to_owned(), format!("{roles}/one")] {
            talk.get_picked(&path, &[("accept", &accept("Table"))], without_words).await;
        }
        talk.send("GET", roles, &[("accept", "application/json;as=PartialObjectMetadata;v=v1alpha1;g=meta.k8s.io")], None).await;
    }

    async fn finalizers_at_odds_and_of_any_name(talk: &mut Talk) {
        let both = |name: &str| json!({"metadata": {"name": name, "finalizers": ["orphan", "plain", "foregroundDeletion"]}});
        talk.prepare(MAPS, map("one")).await;
        talk.post(MAPS, both("two")).await;
        talk.patch("merge", &format!("{MAPS}/one"), both("one")).await;
        talk.install(definition(json!({"type": "object"}))).await;
        let edges = "/apis/{group}/v1/namespaces/{ns}/edges";
        let edge = |mut of: Value| { of["apiVersion"] = "{group}/v1".into(); of["kind"] = "Edge".into(); of };
        talk.prepare(edges, edge(map("one"))).await;
        talk.post(edges, edge(both("two"))).await;
        talk.patch("merge", &format!("{edges}/one"), both("one")).await;
        let leases = "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases";
        talk.post(leases, both("two")).await;
        let plain = json!({"metadata": {"name": "one", "finalizers": ["plain"]}});
        talk.post(leases, plain.clone()).await;
        talk.patch("merge", &format!("{leases}/one"), json!({"metadata": {"finalizers": ["plain", "as well"]}})).await;
        talk.patch("merge", &format!("{leases}/one"), json!({"metadata": {"finalizers": null}})).await;
        let mut event = plain.clone();
        event["involvedObject"] = json!({"namespace": "{ns}"});
        talk.post("/api/v1/namespaces/{ns}/events", event).await;
        talk.patch("merge", "/api/v1/namespaces/{ns}/events/one", json!({"metadata": {"finalizers": null}})).await;
        talk.post("/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles", plain).await;
    }

    async fn field_selectors_with_escapes(talk: &mut Talk) {
        talk.prepare("/api/v1/namespaces/{ns}/secrets", map("one")).await;
        for selector in [
            "metadata.name%3Done", "metadata.name%3D%3Done", "metadata.name%21%3Done", "metadata.name%21%3D%3Done", "metadata.name%3D%21one",
            "metadata.name%3Da%5C%2C1", "metadata.name%3Da%5C%3D1", "metadata.name%3Da%5C%5C1", "metadata.name%3Da%5Cx", "metadata.name%3Da%5C",
            "metadata.name%21%3Da%5C%2C1", "metadata.name%3Da%3D1", "metadata.name%3Done%2C", "metadata.name", "%3Done", "%20metadata.name%20%3D%20one",
        ] {
            talk.get(&format!("/api/v1/namespaces/{{ns}}/secrets?fieldSelector={selector}")).await;
        }
    }

    async fn watches_that_continue(talk: &mut Talk) {
        for query in [
            "watch=1&continue=x", "watch=1&continue=x&resourceVersion=0", "watch=1&continue=x&resourceVersionMatch=Exact",
            "watch=1&continue=x&resourceVersionMatch=NotOlderThan", "watch=1&continue=x&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
            "continue=x", "continue=xx", "continue=x.y", "continue=x&resourceVersionMatch=Exact",
        ] {
            talk.get(&format!("{MAPS}?timeoutSeconds=1&{query}")).await;
        }
    }

    async fn strings_that_are_no_text(talk: &mut Talk) {
        talk.prepare(MAPS, map("one")).await;
        let json = [("content-type", "application/json")];
        let path = format!("{MAPS}?dryRun=All");
        for value in [
            &br"\ud800"[..], br"\ud800\u0041", br"a\udc00b", br"\ud800\ud800\udc00", br"\uD83D\uDE00", br"\\ud800", b"\xff", b"a\xc3(b", b"\xed\xa0\x80",
            b"\xf0\x9f\x98", b"\xe2\x82",
        ] {
            let body = [&br#"{"metadata": {"name": "two"}, "data": {"a": ""#[..], value, br#""}}"#].concat();
            talk.send_raw("POST", &path, &json, &body).await;
        }
        for (kind, body) in [
            ("application/merge-patch+json", &b"{\"data\": {\"a\": \"\xff\\ud800\"}}"[..]),
            ("application/strategic-merge-patch+json", b"{\"data\": {\"a\": \"\xff\\ud800\"}}"),
            ("application/json-patch+json", b"[{\"op\": \"add\", \"path\": \"/data\", \"value\": {\"a\": \"\xff\\ud800\"}}]"),
        ] {
            talk.send_raw("PATCH", &format!("{MAPS}/one?dryRun=All"), &[("content-type", kind)], body).await;
        }
    }

    async fn paths_with_percent_signs(talk: &mut Talk) {
        talk.prepare(MAPS, map("one")).await;
        for path in [
            "/%zz", "/api/v1/namespaces/%zz/configmaps", "/api/v1/%7a%6", "/api/v1/namespaces/a%2Fb/configmaps", "/api/v1/namespaces/{ns}/configmaps/a%2Fb",
            "/api/v1/namespaces/{ns}%2Fconfigmaps%2Fone", "/api/v1/namespaces/{ns}/configmap%73/%6fne", "/api/v1/namespaces/%2F/configmaps",
            "/api/v1/namespaces/{ns}/configmaps/%2e%2e", "/api/v1/namespaces/{ns}/configmaps/.", "/api/v1/namespaces/{ns}/configmaps/a%25b",
        ] {
            talk.get(path).await;
        }
        talk.delete("/api/v1/namespaces/{ns}/configmaps/a%25b").await;
        talk.post("/api/v1/namespaces/a%2Fb/configmaps", map("one")).await;
    }

    async fn schemas_at_the_root_and_unknown_formats(talk: &mut Talk) {
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All";
        let field = |field: Value| json!({"type": "object", "properties": {"a": field}});
        for schema in [
            json!({"type": "object", "additionalProperties": false}),
            json!({"type": "object", "additionalProperties": true}),
            field(json!({"type": "array", "items": {"type": "string"}, "additionalItems": false})),
            field(json!({"type": "string", "format": "odd"})),
            field(json!({"type": "integer", "format": "float"})),
            field(json!({"type": "string", "format": "odd", "anyOf": [{"format": "other"}], "allOf": [{"format": "odd"}]})),
            field(json!({"type": "string", "format": "date-time"})),
            field(json!({"type": "array", "items": {"type": "object", "additionalProperties": {"type": "number", "format": "int32"}}})),
        ] {
            talk.post(path, definition(schema)).await;
        }
        talk.say("conversion");
        let webhook = |webhook: Value| {
            let mut crd = definition(json!({"type": "object"}));
            crd["spec"]["conversion"] = json!({"strategy": "Webhook", "webhook": webhook});
            crd
        };
        let service = json!({"service": {"name": "a", "namespace": "b"}});
        for spec in [
            Value::Null,
            json!({}),
            json!({"clientConfig": {}, "conversionReviewVersions": ["v2"]}),
            json!({"clientConfig": {"url": "http://a"}, "conversionReviewVersions": ["v1"]}),
            json!({"clientConfig": {"service": {"name": "", "namespace": ""}}, "conversionReviewVersions": ["v1"]}),
            json!({"clientConfig": service, "conversionReviewVersions": ["v1"]}),
        ] {
            talk.post(path, webhook(spec)).await;
        }
    }

    async fn rules_about_urls_and_updates_of_what_is_not_there(talk: &mut Talk) {
        let rules = json!([{"verbs": ["get"], "nonResourceURLs": ["/x"]}, {"verbs": ["get"], "nonResourceURLs": ["/x"], "apiGroups": [""], "resources": ["pods"]}]);
        for kind in ["namespaces/{ns}/roles", "clusterroles"] {
            let path = format!("/apis/rbac.authorization.k8s.io/v1/{kind}?dryRun=All");
            talk.post(&path, json!({"metadata": {"name": "{ns}"}, "rules": rules})).await;
        }
        for path in ["/api/v1/namespaces/{ns}/pods/none", "/api/v1/namespaces/{ns}/pods/none/status", "/apis/apps/v1/namespaces/{ns}/deployments/none/status"] {
            for metadata in [json!({"name": "other"}), json!({"name": "none", "namespace": "other"}), json!({}), json!({"name": "other", "namespace": "other"})] {
                talk.put(path, json!({"metadata": metadata})).await;
            }
        }
        talk.put("/apis/apps/v1/namespaces/{ns}/deployments/none/scale", json!({"metadata": {"name": "other"}})).await;
    }

    async fn ports_of_nodes_are_given_away_once(talk: &mut Talk) {
        let _alone = PORTS_OF_NODES.lock().await;
        let path = "/api/v1/namespaces/{ns}/services";
        let service = |name: &str, kind: &str, ports: Value| json!({"metadata": {"name": name}, "spec": {"type": kind, "ports": ports}});
        let port = |number: u16, node: u16| json!({"name": format!("p{number}"), "port": number, "nodePort": node});
        talk.prepare(path, service("one", "NodePort", json!([port(1, 30_011)]))).await;
        for dry in ["?dryRun=All", ""] {
            let path = format!("{path}{dry}");
            talk.post(&path, service("two", "NodePort", json!([port(1, 30_011)]))).await;
            talk.post(&path, service("two", "NodePort", json!([port(1, 30_012), port(2, 30_012)]))).await;
            let mut udp = port(2, 30_012);
            udp["protocol"] = "UDP".into();
            talk.post(&path, service("two", "NodePort", json!([port(1, 30_012), udp]))).await;
            let one = format!("/api/v1/namespaces/{{ns}}/services/one{dry}");
            let two = json!({"spec": {"ports": [port(1, 30_013), port(2, 30_013)]}});
            talk.patch("merge", &one, two).await;
        }
        talk.say("out of range, which nobody looks at who only tries");
        talk.post(&format!("{path}?dryRun=All"), service("two", "NodePort", json!([port(1, 22)]))).await;
        talk.post(&format!("{path}?dryRun=All"), service("two", "NodePort", json!([{"name": "a", "port": 1}, {"name": "b", "port": 2}]))).await;
        talk.post(path, service("two", "NodePort", json!([port(1, 22)]))).await;
        talk.patch("merge", "/api/v1/namespaces/{ns}/services/one", json!({"spec": {"ports": [port(1, 22)]}})).await;
        talk.say("for checks of health");
        let mut balanced = service("two", "LoadBalancer", json!([port(1, 30_014)]));
        balanced["spec"]["externalTrafficPolicy"] = "Local".into();
        for health in [80, 30_011, 30_014] {
            balanced["spec"]["healthCheckNodePort"] = health.into();
            talk.post(path, balanced.clone()).await;
        }
        talk.say("more than there are");
        let many: Vec<Value> = (1..3_000).map(|number| json!({"name": format!("p{number}"), "port": number})).collect();
        talk.post(path, service("two", "NodePort", many.into())).await;
    }

    async fn what_is_taken_and_warned_of(talk: &mut Talk) {
        for spec in [
            json!({"ports": [{"port": 1}], "externalIPs": ["1.2.3.4"], "clusterIP": "None", "sessionAffinity": "ClientIP"}),
            json!({"ports": [{"port": 1}], "clusterIP": "None"}),
        ] {
            talk.post(SERVICES, json!({"metadata": {"name": "one"}, "spec": spec})).await;
        }
        let path = "/api/v1/namespaces/{ns}/secrets?dryRun=All";
        let pem = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1BPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=";
        for (crt, key) in [("eA==", "eA=="), ("", ""), (pem, "eA==")] {
            talk.post(path, json!({"metadata": {"name": "one"}, "type": "kubernetes.io/tls", "data": {"tls.crt": crt, "tls.key": key}})).await;
        }
        talk.post("/apis/storage.k8s.io/v1/csidrivers?dryRun=All", json!({"metadata": {"name": "{ns}"}, "spec": {}})).await;
        talk.say("indented, where the client says so");
        talk.prepare(MAPS, map("one")).await;
        for pretty in ["1", "true"] {
            let accept = format!("application/json;pretty={pretty}");
            let answer = talk.send("GET", &format!("{MAPS}/one"), &[("accept", &accept)], None).await;
            assert_eq!(answer.bytes.starts_with(b"{\n  \""), pretty == "1");
        }
    }

    async fn scales_of_the_wrong_type(talk: &mut Talk) {
        talk.install({
            let mut crd = definition(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}));
            crd["spec"]["versions"][0]["subresources"] = json!({"scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}});
            crd
        }).await;
        let edges = "/apis/{group}/v1/namespaces/{ns}/edges";
        let edge = |replicas: Value| json!({"apiVersion": "{group}/v1", "kind": "Edge", "metadata": {"name": "one"}, "spec": {"replicas": replicas}});
        for wrong in [json!("3"), json!(3.5), json!(true), json!([1]), json!(-1)] {
            talk.post(edges, edge(wrong)).await;
        }
        talk.prepare(edges, edge(json!(1))).await;
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}});
        let spec = json!({"selector": {"matchLabels": {"a": "b"}}, "template": template});
        talk.prepare("/apis/apps/v1/namespaces/{ns}/deployments", json!({"metadata": {"name": "one"}, "spec": spec})).await;
        for path in ["/apis/apps/v1/namespaces/{ns}/deployments/one/scale?dryRun=All", "/apis/{group}/v1/namespaces/{ns}/edges/one/scale?dryRun=All"] {
            for spec in [json!({"replicas": "3"}), json!({"replicas": 3.5}), json!({"replicas": 1_099_511_627_776_u64}), json!("x"), json!({"replicas": 2}), Value::Null] {
                talk.put(path, json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "one"}, "spec": spec})).await;
            }
            talk.put(path, json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": 5}})).await;
            talk.put(path, json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}})).await;
            talk.put(path, json!({"metadata": {"name": "one"}, "spec": {"replicas": 2}})).await;
            for body in ["[1]", "{\"a\""] {
                talk.send_raw("PUT", path, &[("content-type", "application/json")], body.as_bytes()).await;
            }
        }
    }

    async fn much_that_is_unknown_is_told_in_part(talk: &mut Talk) {
        const THINGS: &str = "/apis/{group}/v1/namespaces/{ns}/things";
        talk.install(thing_crd(json!({
            "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}},
        }))).await;
        let thing = json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}});
        for (path, object) in [(MAPS, map("one")), (THINGS, thing)] {
            for (count, long) in [(120, 1), (30, 200), (2, 5_000)] {
                let mut much = object.clone();
                for number in 0..count {
                    much[format!("odd{number:03}{}", "x".repeat(long))] = 1.into();
                }
                talk.post(&format!("{path}?dryRun=All&fieldValidation=Strict"), much.clone()).await;
                // Clients take a hundred headers at most.
                if count < 100 {
                    talk.post(&format!("{path}?dryRun=All&fieldValidation=Warn"), much).await;
                }
            }
        }
    }

    async fn yaml_that_is_no_text(talk: &mut Talk) {
        let head = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata:\n  a: x";
        let odd: [&[u8]; 13] = [b"\xff", b"\xc3(", b"\xe2\x82", b"\xe2\x82\n", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\xaf", b"\xf0\x80\x80\xaf", b"\x01", b"\x7f", b"\xef\xbf\xbe", b"\x01\xff", b"\xff\x01"];
        for odd in odd {
            let body = [head, odd].concat();
            talk.send_raw("POST", MAPS, &[("content-type", "application/yaml")], &body).await;
            let apply = [("content-type", "application/apply-patch+yaml")];
            talk.send_raw("PATCH", &format!("{MAPS}/one?fieldManager=me"), &apply, &body).await;
        }
    }

    async fn objects_of_a_version_that_is_stored_in_no_longer(talk: &mut Talk) {
        let version = |name: &str, storage: bool, fields: Value| {
            let spec = json!({"type": "object", "properties": fields});
            let schema = json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}});
            json!({"name": name, "served": true, "storage": storage, "schema": schema})
        };
        let wide = json!({"a": {"type": "string"}, "b": {"type": "string"}});
        let narrow = json!({"a": {"type": "string"}, "d": {"type": "string", "default": "given"}});
        let mut crd = definition(json!({}));
        crd["spec"]["versions"] = json!([version("v1", true, wide.clone()), version("v2", false, narrow.clone())]);
        talk.install(crd).await;
        let (one, two) = ("/apis/{group}/v1/namespaces/{ns}/edges", "/apis/{group}/v2/namespaces/{ns}/edges");
        let edge = |name: &str| json!({"apiVersion": "{group}/v1", "kind": "Edge", "metadata": {"name": name}, "spec": {"a": "a", "b": "b"}});
        talk.prepare(one, edge("old")).await;
        let moved = json!([version("v1", false, wide), version("v2", true, narrow)]);
        let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/edges.{group}";
        talk.patch_unsaid("merge", crds, json!({"spec": {"versions": moved}})).await;
        talk.until(crds, |_, crd| crd["status"]["storedVersions"].as_array().is_some_and(|versions| versions.len() == 2)).await;
        for path in [one, two] {
            talk.get_until(&format!("{path}/old"), |code, _| code == 200).await;
            // What is kept for lists comes after it.
            talk.get_until(path, |code, _| code == 200).await;
        }
    }

    async fn objects_of_a_version_that_is_gone(talk: &mut Talk) {
        if !talk.has_controllers() {
            return talk.skip();
        }
        let version = |name: &str, served: bool, storage: bool| {
            let fields = json!({"spec": {"type": "object", "properties": {"a": {"type": "string"}}}, "status": {"type": "object"}});
            let schema = json!({"openAPIV3Schema": {"type": "object", "properties": fields}});
            json!({"name": name, "served": served, "storage": storage, "schema": schema, "subresources": {"status": {}}})
        };
        let mut crd = definition(json!({}));
        crd["spec"]["versions"] = json!([version("v1", true, true)]);
        talk.install(crd).await;
        let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/edges.{group}";
        let edges = |version: &str| format!("/apis/{{group}}/{version}/namespaces/{{ns}}/edges");
        let edge = |version: &str, name: &str| json!({"apiVersion": format!("{{group}}/{version}"), "kind": "Edge", "metadata": {"name": name}, "spec": {"a": "a"}});
        talk.prepare(&edges("v1"), edge("v1", "old")).await;
        talk.prepare("/api/v1/namespaces", json!({"metadata": {"name": "{ns}-2"}})).await;
        talk.prepare("/apis/{group}/v1/namespaces/{ns}-2/edges", edge("v1", "old")).await;
        let both = json!([version("v1", false, false), version("v2", true, true), version("v3", true, false)]);
        talk.patch_unsaid("merge", crds, json!({"spec": {"versions": both}})).await;
        talk.until(crds, |_, crd| crd["status"]["storedVersions"].as_array().is_some_and(|versions| versions.len() == 2)).await;
        talk.patch_unsaid("merge", &format!("{crds}/status"), json!({"status": {"storedVersions": ["v2"]}})).await;
        let gone = json!({"spec": {"versions": [version("v2", true, true), version("v3", true, false)]}});
        let back = json!({"spec": {"versions": [version("v1", false, false), version("v2", true, true)]}});
        let is_unread = |_, status: &Value| status["message"].as_str().is_some_and(|message| message.contains("failed to list"));
        talk.patch_unsaid("merge", crds, gone.clone()).await;
        talk.until(&edges("v2"), is_unread).await;
        talk.say("a namespace cannot go until they can be read");
        let namespace = "/api/v1/namespaces/{ns}-2";
        talk.delete(namespace).await;
        talk.get_until(namespace, |_, namespace| namespace["status"]["conditions"].is_array()).await;
        talk.patch_unsaid("merge", crds, back.clone()).await;
        talk.get_until_gone(namespace).await;
        talk.say("nor does anything else happen to them");
        talk.patch_unsaid("merge", crds, gone).await;
        for one in ["v2", "v3"] {
            let (path, all) = (edges(one), format!("/apis/{{group}}/{one}/edges"));
            talk.until(&path, is_unread).await;
            for query in ["", "?resourceVersion=0", "?limit=1", "?limit=5&resourceVersion=0", "?labelSelector=a", "?limit=1&labelSelector=a", "?limit=1&fieldSelector=metadata.name%3Dold", "?resourceVersionMatch=Exact&resourceVersion=1", "?watch=true&timeoutSeconds=1", "?watch=true&resourceVersion=1&timeoutSeconds=1"] {
                talk.get(&format!("{path}{query}")).await;
            }
            talk.get(&all).await;
            talk.get(&format!("/apis/{{group}}/{one}/namespaces/default/edges")).await;
            talk.get(&format!("/apis/{{group}}/{one}/namespaces/default/edges?limit=1")).await;
            let old = &format!("{path}/old");
            talk.get(old).await;
            talk.get(&format!("{old}/status")).await;
            talk.patch("merge", old, json!({"spec": {"a": "b"}})).await;
            talk.patch("merge", &format!("{old}/status"), json!({"status": {}})).await;
            talk.patch("apply", &format!("{old}?fieldManager=me&force=true"), edge(one, "old")).await;
            talk.put(old, edge(one, "old")).await;
            talk.post(&path, edge(one, "old")).await;
            talk.delete(old).await;
            talk.delete(&path).await;
            talk.delete(&format!("{path}?labelSelector=a")).await;
        }
        talk.say("beside it there may be others");
        let path = edges("v2");
        talk.post(&path, edge("v2", "aaa")).await;
        talk.get(&format!("{path}/aaa")).await;
        talk.get(&format!("{path}?limit=1")).await;
        talk.get(&format!("{path}?limit=2")).await;
        talk.say("the definition cannot go until it can be read");
        talk.unsaid("DELETE", crds, None).await;
        talk.get_until(crds, |_, crd| crd["status"]["conditions"].as_array().is_some_and(|all| {
            all.iter().any(|one| one["reason"] == "InstanceDeletionFailed" && one["message"].as_str().is_some_and(|why| why.contains("failed to list")))
        })).await;
        talk.get(&format!("{path}/aaa")).await;
        talk.patch_unsaid("merge", crds, back).await;
        talk.get_until_gone(crds).await;
    }

    async fn watches_begin_no_earlier_than_their_kind(talk: &mut Talk) {
        let first = talk.prepare(MAPS, map("one")).await;
        talk.install(definition(json!({"type": "object"}))).await;
        let edges = "/apis/{group}/v1/namespaces/{ns}/edges";
        let edge = |name: &str| json!({"apiVersion": "{group}/v1", "kind": "Edge", "metadata": {"name": name}});
        let version = |object: &Value| object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
        let one = talk.prepare(edges, edge("one")).await;
        let two = talk.prepare(edges, edge("two")).await;
        // The second number is how far the server was when it was asked for the kind first.
        let newest = |mut status: Value| {
            let message = status["message"].as_str().unwrap_or_default();
            status["message"] = message.split(": ").next().into();
            status
        };
        let told = |line: &str| {
            let event: Value = serde_json::from_str(line).ok()?;
            Some(match event["type"] == "ERROR" {
                true => newest(event["object"].clone()).to_string(),
                false => format!("{} {}", event["type"], event["object"]["metadata"]["name"]),
            })
        };
        talk.say("of its beginning, and since");
        for version in ["1".to_owned(), version(&first), version(&one), version(&two)] {
            talk.get_lines(&format!("{edges}?watch=true&timeoutSeconds=1&resourceVersion={version}"), &[], told).await;
        }
        talk.say("of another beginning");
        let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/edges.{group}";
        let column = json!([{"name": "A", "type": "string", "jsonPath": ".a"}]);
        talk.patch_unsaid("json", crds, json!([{"op": "add", "path": "/spec/versions/0/additionalPrinterColumns", "value": column}])).await;
        talk.until_as(edges, "application/json;as=Table;v=v1;g=meta.k8s.io", |table| table["columnDefinitions"][1]["name"] == "A").await;
        let three = talk.prepare(edges, edge("three")).await;
        for version in [version(&two), version(&three)] {
            talk.get_lines(&format!("{edges}?watch=true&timeoutSeconds=1&resourceVersion={version}"), &[], told).await;
        }
        talk.say("lists may be older");
        talk.get_picked(&format!("{edges}?resourceVersionMatch=Exact&resourceVersion={}", version(&one)), &[], |list| {
            let names = list["items"].as_array().into_iter().flatten();
            names.map(|item| item["metadata"]["name"].clone()).collect()
        }).await;
    }

    async fn words_for_what_is_unknown_mistyped_or_misnamed(talk: &mut Talk) {
        talk.prepare(MAPS, map("one")).await;
        let json = [("content-type", "application/json")];
        let unknown = br#"{"zeta": 1, "alpha": 2, "metadata": {"zz": 1, "name": "two", "aa": [{"b": 1}]}, "beta": 3}"#;
        for validation in ["Strict", "Warn"] {
            talk.send_raw("POST", &format!("{MAPS}?dryRun=All&fieldValidation={validation}"), &json, unknown).await;
        }
        talk.say("a strategic merge patch");
        for body in [
            json!({"metadata": {"labels": {"a": 1}}}), json!({"data": {"a": 1}}), json!({"data": {"a": true}}), json!({"metadata": "x"}), json!({"metadata": [1]}),
            json!({"metadata": {"finalizers": [1]}}), json!({"immutable": "x"}), json!({"metadata": {"deletionGracePeriodSeconds": "x"}}),
        ] {
            talk.patch("strategic-merge", &format!("{MAPS}/one?dryRun=All"), body).await;
        }
        talk.say("names that begin so");
        for prefix in ["x.", "A_b", "a-", "a.-", "-"] {
            let named = json!({"metadata": {"generateName": prefix, "name": "two"}});
            talk.post(&format!("{MAPS}?dryRun=All"), named).await;
        }
        talk.post("/api/v1/namespaces?dryRun=All", json!({"metadata": {"generateName": "a.b", "name": "{ns}-two"}})).await;
        talk.say("events as tables");
        let events = "/api/v1/namespaces/{ns}/events";
        for (name, event) in [
            ("a", json!({"source": {"component": "c", "host": "h"}, "message": "  two words ", "count": 3, "firstTimestamp": "2020-01-01T00:00:00Z"})),
            ("b", json!({"source": {"host": "h"}, "count": 0})),
            ("c", json!({"reportingComponent": "example.com/c", "reportingInstance": "i"})),
        ] {
            let mut whole = json!({"metadata": {"name": name}, "involvedObject": {"namespace": "{ns}", "kind": "Pod", "name": "one"}});
            extend(&mut whole, &event);
            talk.prepare(events, whole).await;
            let table = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
            talk.get_picked(&format!("{events}/{name}"), &table, |table| {
                let mut cells = table["rows"][0]["cells"].clone();
                // What is long ago gets older.
                for age in [0, 7] {
                    cells[age] = (cells[age] == "<unknown>").into();
                }
                cells
            }).await;
        }
    }

    async fn finalizers_without_a_domain(talk: &mut Talk) {
        let of = |finalizers: &[&str]| json!({"apiVersion": "{group}/v1", "kind": "Edge", "metadata": {"name": "one", "finalizers": finalizers}});
        talk.install(definition(json!({"type": "object"}))).await;
        let edges = "/apis/{group}/v1/namespaces/{ns}/edges";
        for finalizers in [&["b", "a", "b", "example.com/a", "orphan", "kubernetes"][..], &["a b"], &["a/b/c"], &[""], &["/a"], &["a.example.com", "example.com/b", "."]] {
            talk.post(&format!("{edges}?dryRun=All"), of(finalizers)).await;
            talk.patch("apply", &format!("{edges}/one?dryRun=All&fieldManager=me"), of(finalizers)).await;
        }
        talk.prepare(edges, of(&["a"])).await;
        for finalizers in [&["a"][..], &["c", "a", "b"], &["c", "a b"], &["example.com/a"]] {
            talk.patch("merge", &format!("{edges}/one?dryRun=All"), of(finalizers)).await;
            talk.patch("apply", &format!("{edges}/one?dryRun=All&fieldManager=me"), of(finalizers)).await;
        }
        talk.patch("merge", &format!("{edges}/one"), of(&[])).await;
        talk.say("some other kinds take any, without a word");
        for path in ["node.k8s.io/v1/runtimeclasses", "admissionregistration.k8s.io/v1/validatingwebhookconfigurations", "policy/v1/namespaces/{ns}/poddisruptionbudgets"] {
            let object = json!({"metadata": {"name": "one", "finalizers": ["a"]}, "handler": "a", "spec": {"selector": {}}});
            talk.post(&format!("/apis/{path}?dryRun=All&fieldValidation=Ignore"), object).await;
        }
    }

    async fn keys_of_data_that_are_paths(talk: &mut Talk) {
        for path in [MAPS, "/api/v1/namespaces/{ns}/secrets"] {
            for key in [".", "..", "..a", "...", ".a", "a..", ""] {
                let mut data = map("one");
                data["data"] = json!({key: "YQ=="});
                talk.post(&format!("{path}?dryRun=All"), data).await;
            }
        }
    }

    async fn owners_of_no_version(talk: &mut Talk) {
        for version in ["v1/2/3", "a/b", "/v1", "a/", "/"] {
            let mut owned = map("one");
            owned["metadata"]["ownerReferences"] = json!([{"apiVersion": version, "kind": "A", "name": "a", "uid": "b"}]);
            talk.post(&format!("{MAPS}?dryRun=All"), owned).await;
        }
    }

    async fn roles_that_gather_nothing(talk: &mut Talk) {
        const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles?dryRun=All";
        for rule in [json!({}), json!({"clusterRoleSelectors": []}), json!({"clusterRoleSelectors": [{}]}), json!({"clusterRoleSelectors": [{"matchLabels": {"a b": "c"}}]}), json!({"clusterRoleSelectors": [{"matchExpressions": [{"key": "a", "operator": "Odd"}]}]})] {
            talk.post(ROLES, json!({"metadata": {"name": "{ns}"}, "aggregationRule": rule, "rules": []})).await;
        }
    }

    async fn jobs_that_select_by_themselves(talk: &mut Talk) {
        const JOBS: &str = "/apis/batch/v1/namespaces/{ns}/jobs";
        let spec = json!({"restartPolicy": "Never", "containers": [{"name": "a", "image": "b"}]});
        for (selector, labels) in [
            (json!({"matchLabels": {"a": "b"}}), json!({"a": "b"})), (json!({"matchLabels": {"a": "b"}}), json!({})), (json!({}), json!({"job-name": "other"})),
            (json!({"matchLabels": {"batch.kubernetes.io/controller-uid": "other"}}), json!({})), (Value::Null, json!({"controller-uid": "other"})),
        ] {
            let template = json!({"metadata": {"labels": labels}, "spec": spec});
            talk.post(&format!("{JOBS}?dryRun=All"), json!({"metadata": {"name": "one", "labels": {"own": "a"}}, "spec": {"selector": selector, "template": template}})).await;
        }
        talk.get(&format!("{JOBS}?fieldSelector=x%3D1")).await;
    }

    async fn pods_that_nobody_runs_are_not_deleted(talk: &mut Talk) {
        const PODS: &str = "/api/v1/namespaces/{ns}/pods";
        talk.post(PODS, json!({"metadata": {"name": "one"}, "spec": {"containers": [{"name": "a", "image": "b"}]}})).await;
        talk.delete(&format!("{PODS}/one?dryRun=All")).await;
        talk.get(&format!("{PODS}/one")).await;
        talk.delete(&format!("{PODS}/one")).await;
    }

    async fn namespaces_that_are_others(talk: &mut Talk) {
        for preconditions in [json!({"uid": "x"}), json!({"resourceVersion": "1"}), json!({"uid": "x", "resourceVersion": "1"})] {
            talk.delete_with("/api/v1/namespaces/{ns}", json!({"preconditions": preconditions})).await;
        }
    }

    async fn addresses_of_balancers(talk: &mut Talk) {
        const ALL: &str = "/api/v1/namespaces/{ns}/services";
        talk.prepare(ALL, json!({"metadata": {"name": "one"}, "spec": {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": false, "ports": [{"port": 80}]}})).await;
        let status = &format!("{ALL}/one/status");
        let places = |places: Value| json!({"status": {"loadBalancer": {"ingress": places}}});
        for place in [json!([{"ip": "192.0.2.1"}]), json!([{"ip": "192.0.2.1", "ipMode": "Proxy"}, {"ip": "192.0.2.2"}, {"hostname": "a"}]), json!([{"hostname": "a", "ipMode": "VIP"}]), json!([{"ip": "192.0.2.1", "ipMode": ""}])] {
            talk.patch("merge", status, places(place)).await;
        }
        let mut whole = places(json!([{"ip": "192.0.2.3"}]));
        whole["metadata"] = json!({"name": "one"});
        talk.put(status, whole).await;
        let mut applied = places(json!([{"ip": "192.0.2.1"}]));
        applied["apiVersion"] = "v1".into();
        applied["kind"] = "Service".into();
        talk.patch("apply", &format!("{status}?fieldManager=other"), applied).await;
    }

    async fn since_when_a_volume_is_what_it_is(talk: &mut Talk) {
        const VOLUMES: &str = "/api/v1/persistentvolumes";
        talk.prepare(VOLUMES, json!({"metadata": {"name": "{ns}"}, "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/a"}}})).await;
        let status = &format!("{VOLUMES}/{{ns}}/status");
        let told = "2020-01-01T00:00:00Z";
        for status_of in [
            json!({"phase": "Available", "lastPhaseTransitionTime": told}), json!({"phase": "Available", "lastPhaseTransitionTime": null}), json!({"message": "a"}),
            json!({"phase": "Bound"}), json!({"phase": "Bound", "lastPhaseTransitionTime": null}),
        ] {
            talk.patch("merge", status, json!({"status": status_of})).await;
        }
        talk.unsaid("DELETE", &format!("{VOLUMES}/{{ns}}"), None).await;
    }

    async fn formats_of_patches_before_those_of_answers(talk: &mut Talk) {
        talk.post("/api/v1/namespaces/{ns}/configmaps", json!({"metadata": {"name": "formats"}})).await;
        let path = "/api/v1/namespaces/{ns}/configmaps/formats";
        for (content_type, accept) in [("application/json", "text/html"), ("application/merge-patch+json", "text/html"), ("application/json", "application/json")] {
            talk.send_raw("PATCH", path, &[("content-type", content_type), ("accept", accept)], b"{}").await;
        }
    }
}
