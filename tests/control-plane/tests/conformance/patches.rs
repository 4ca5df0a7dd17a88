//! JSON patches, merge patches and strategic merge patches.

use serde_json::{Value, json};

use super::support::{Talk, map};

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const SERVICES: &str = "/api/v1/namespaces/{ns}/services";
const SECRETS: &str = "/api/v1/namespaces/{ns}/secrets";
const WIDGETS: &str = "/apis/{group}/v1/namespaces/{ns}/widgets";

/// A service without an address, as those are given by chance.
fn service(name: &str, ports: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"clusterIP": "None", "selector": {"app": "web", "tier": "front"}, "ports": ports},
    })
}

fn widget(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "{group}/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec})
}

async fn install_widgets(talk: &Talk) {
    talk.install(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.{group}"},
        "spec": {
            "group": "{group}", "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "properties": {
                        "size": {"type": "integer", "minimum": 1, "default": 3},
                        "color": {"type": "string", "enum": ["red", "green"]},
                        "note": {"type": "string", "nullable": true},
                        "tags": {"type": "array", "items": {"type": "string"}},
                        "parts": {
                            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                            "items": {"type": "object", "required": ["name"], "properties": {
                                "name": {"type": "string"}, "count": {"type": "integer"},
                            }},
                        },
                    }},
                    "status": {"type": "object", "properties": {
                        "phase": {"type": "string"}, "ready": {"type": "integer"},
                    }},
                }}},
            }],
        },
    }))
    .await;
}

conformance! {
    async fn json_patches_do_all_operations(talk: &mut Talk) {
        talk.post(MAPS, map("one", json!({"a": "1", "b": "2"}))).await;
        let one = &format!("{MAPS}/one");
        talk.patch("json", one, json!([{"op": "add", "path": "/data/c", "value": "3"}])).await;
        talk.patch("json", one, json!([{"op": "add", "path": "/data/a", "value": "again"}])).await;
        talk.patch("json", one, json!([{"op": "replace", "path": "/data/b", "value": "two"}])).await;
        talk.patch("json", one, json!([{"op": "remove", "path": "/data/c"}])).await;
        talk.patch("json", one, json!([{"op": "move", "from": "/data/a", "path": "/data/moved"}])).await;
        talk.patch("json", one, json!([{"op": "copy", "from": "/data/b", "path": "/data/copied"}])).await;
        talk.patch("json", one, json!([{"op": "test", "path": "/data/b", "value": "two"}])).await;
        talk.patch("json", one, json!([
            {"op": "test", "path": "/data/moved", "value": "again"},
            {"op": "replace", "path": "/data/moved", "value": "changed"},
            {"op": "copy", "from": "/data/moved", "path": "/data/last"},
            {"op": "remove", "path": "/data/copied"},
        ])).await;
        talk.patch("json", one, json!([{"op": "replace", "path": "/data", "value": {"only": "this"}}])).await;
        talk.patch("json", one, json!([{"op": "remove", "path": "/data"}])).await;
        talk.get(one).await;
    }

    async fn json_patches_of_lists(talk: &mut Talk) {
        install_widgets(talk).await;
        talk.post(WIDGETS, widget("one", json!({"tags": ["a", "b", "c"]}))).await;
        let one = &format!("{WIDGETS}/one");
        for (path, value) in [
            ("/spec/tags/-", "at the end"),
            ("/spec/tags/0", "at the beginning"),
            ("/spec/tags/2", "in the middle"),
            ("/spec/tags/6", "after the last"),
            ("/spec/tags/9", "too far"),
            ("/spec/tags/-1", "from the end"),
            ("/spec/tags/-20", "too far from the end"),
            ("/spec/tags/x", "no number"),
            ("/spec/tags/01", "with a zero"),
        ] {
            talk.patch("json", one, json!([{"op": "add", "path": path, "value": value}])).await;
        }
        talk.patch("json", one, json!([{"op": "replace", "path": "/spec/tags/0", "value": "other"}])).await;
        talk.patch("json", one, json!([{"op": "replace", "path": "/spec/tags/-", "value": "other"}])).await;
        talk.patch("json", one, json!([{"op": "replace", "path": "/spec/tags/50", "value": "other"}])).await;
        talk.patch("json", one, json!([{"op": "remove", "path": "/spec/tags/0"}])).await;
        talk.patch("json", one, json!([{"op": "remove", "path": "/spec/tags/-1"}])).await;
        talk.patch("json", one, json!([{"op": "remove", "path": "/spec/tags/50"}])).await;
        talk.patch("json", one, json!([{"op": "remove", "path": "/spec/tags/-"}])).await;
        talk.patch("json", one, json!([{"op": "move", "from": "/spec/tags/0", "path": "/spec/tags/2"}])).await;
        talk.patch("json", one, json!([{"op": "copy", "from": "/spec/tags/1", "path": "/spec/tags/-"}])).await;
        talk.patch("json", one, json!([{"op": "copy", "from": "/spec/tags/40", "path": "/spec/tags/-"}])).await;
        talk.patch("json", one, json!([{"op": "test", "path": "/spec/tags/0", "value": "b"}])).await;
        talk.patch("json", one, json!([{"op": "add", "path": "/spec/parts/-", "value": {"name": "wheel"}}])).await;
        talk.patch("json", one, json!([{"op": "add", "path": "/spec/parts", "value": [{"name": "wheel"}]}])).await;
        talk.patch("json", one, json!([{"op": "add", "path": "/spec/parts/0/count", "value": 4}])).await;
        talk.patch("json", one, json!([{"op": "add", "path": "/spec/parts/-", "value": {"name": "wheel"}}])).await;
        talk.get(one).await;
    }

    async fn json_patches_escape_slashes_and_tildes(talk: &mut Talk) {
        talk.post(MAPS, json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "one", "annotations": {"example.com/a": "1", "b": "2"}},
        })).await;
        let one = &format!("{MAPS}/one");
        for patch in [
            json!([{"op": "add", "path": "/metadata/annotations/example.com~1new", "value": "x"}]),
            json!([{"op": "replace", "path": "/metadata/annotations/example.com~1a", "value": "y"}]),
            json!([{"op": "test", "path": "/metadata/annotations/example.com~1a", "value": "y"}]),
            json!([{"op": "remove", "path": "/metadata/annotations/example.com~1new"}]),
            json!([{"op": "remove", "path": "/metadata/annotations/example.com/a"}]),
            json!([{"op": "add", "path": "/metadata/annotations/til~0de", "value": "z"}]),
            json!([{"op": "add", "path": "/metadata/annotations/a~01b", "value": "z"}]),
            json!([{"op": "add", "path": "/metadata/annotations/", "value": "empty"}]),
            json!([{"op": "add", "path": "metadata/annotations/c", "value": "no slash"}]),
            json!([{"op": "add", "path": "/metadata/annotations/c/", "value": "slash after"}]),
            json!([{"op": "add", "path": "/metadata/annotations/c d", "value": "space"}]),
            json!([{"op": "add", "path": "/metadata/labels/c", "value": "no parent"}]),
            json!([{"op": "add", "path": "/metadata/labels", "value": {"example.com/c": "d"}}]),
        ] {
            talk.patch("json", one, patch).await;
        }
        talk.get(one).await;
    }

    async fn tests_of_json_patches_fail(talk: &mut Talk) {
        install_widgets(talk).await;
        talk.post(WIDGETS, widget("one", json!({"size": 5, "tags": ["a"], "parts": [{"name": "x", "count": 1}]}))).await;
        let one = &format!("{WIDGETS}/one");
        for (path, value) in [
            ("/spec/size", json!(5)),
            ("/spec/size", json!(5.0)),
            ("/spec/size", json!(6)),
            ("/spec/size", json!("5")),
            ("/spec/color", json!("red")),
            ("/spec/color", json!(null)),
            ("/spec/size", json!(null)),
            ("/spec/tags", json!(["a"])),
            ("/spec/tags", json!(["a", "b"])),
            ("/spec/tags/3", json!("a")),
            ("/spec/parts/0", json!({"count": 1, "name": "x"})),
            ("/spec/parts/0", json!({"name": "x"})),
            ("/nothing/at/all", json!(null)),
            ("/metadata/name", json!("one")),
            ("/metadata/uid", json!("another")),
        ] {
            talk.patch("json", one, json!([{"op": "test", "path": path, "value": value}])).await;
        }
        talk.patch("json", one, json!([
            {"op": "replace", "path": "/spec/size", "value": 7},
            {"op": "test", "path": "/spec/color", "value": "blue"},
        ])).await;
        talk.get(one).await;
    }

    async fn json_patches_that_are_none(talk: &mut Talk) {
        talk.post(MAPS, map("one", json!({"a": "1"}))).await;
        let one = &format!("{MAPS}/one");
        for patch in [
            json!([]),
            json!(null),
            json!({}),
            json!({"op": "add", "path": "/data/b", "value": "2"}),
            json!("text"),
            json!(7),
            json!([{"op": "increment", "path": "/data/a", "value": "2"}]),
            json!([{"path": "/data/a", "value": "2"}]),
            json!([{"op": "add", "value": "2"}]),
            json!([{"op": "add", "path": "/data/b"}]),
            json!([{"op": "add", "path": "/data/b", "value": null}]),
            json!([{"op": "replace", "path": "/data/a"}]),
            json!([{"op": "replace", "path": "/data/missing", "value": "2"}]),
            json!([{"op": "remove", "path": "/data/missing"}]),
            json!([{"op": "remove", "path": "/nothing/at/all"}]),
            json!([{"op": "move", "path": "/data/b"}]),
            json!([{"op": "move", "from": "/data/missing", "path": "/data/b"}]),
            json!([{"op": "copy", "path": "/data/b"}]),
            json!([{"op": "copy", "from": "/data/missing", "path": "/data/b"}]),
            json!([{"op": "test", "path": "/data/a"}]),
            json!([{"op": "remove", "path": ""}]),
            json!([{"op": "add", "path": "/", "value": "x"}]),
            json!([{"op": "add", "path": "/data/a/b", "value": "below a text"}]),
            json!([{"op": 7, "path": "/data/a", "value": "x"}]),
            json!([{"op": "add", "path": 7, "value": "x"}]),
            json!(["text"]),
            json!([null]),
            json!([{"op": "Add", "path": "/data/c", "value": "x"}]),
            json!([{"op": "add", "path": "/data/c", "value": "x", "extra": true}]),
        ] {
            talk.patch("json", one, patch).await;
        }
        let headers = [("content-type", "application/json-patch+json")];
        talk.send_raw("PATCH", one, &headers, b"").await;
        talk.send_raw("PATCH", one, &headers, b"[{").await;
        talk.send_raw("PATCH", one, &headers, b"[] []").await;
        talk.send_raw("PATCH", one, &headers, b"not json").await;
        talk.get(one).await;
    }

    async fn json_patches_have_limits(talk: &mut Talk) {
        talk.post(MAPS, map("one", json!({"a": "1"}))).await;
        let one = &format!("{MAPS}/one");
        let tests = |count| Value::from(vec![json!({"op": "test", "path": "/data/a", "value": "1"}); count]);
        talk.patch("json", one, tests(10_000)).await;
        talk.patch("json", one, tests(10_001)).await;
        talk.patch("json", one, json!([{"op": "add", "path": "/data/b", "value": "x".repeat(3 * 1024 * 1024)}])).await;
        talk.patch("merge", one, json!({"data": {"b": "x".repeat(3 * 1024 * 1024)}})).await;
    }

    async fn json_patches_of_metadata(talk: &mut Talk) {
        talk.post(MAPS, map("one", json!({"a": "1"}))).await;
        let one = &format!("{MAPS}/one");
        for patch in [
            json!([{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}]),
            json!([{"op": "add", "path": "/metadata/labels/c", "value": "d"}]),
            json!([{"op": "add", "path": "/metadata/labels/c", "value": "not a label!"}]),
            json!([{"op": "add", "path": "/metadata/labels/c", "value": 7}]),
            json!([{"op": "add", "path": "/metadata/finalizers", "value": ["example.com/held"]}]),
            json!([{"op": "add", "path": "/metadata/finalizers/-", "value": "held"}]),
            json!([{"op": "remove", "path": "/metadata/finalizers"}]),
            json!([{"op": "replace", "path": "/metadata/name", "value": "two"}]),
            json!([{"op": "remove", "path": "/metadata/name"}]),
            json!([{"op": "replace", "path": "/metadata/namespace", "value": "default"}]),
            json!([{"op": "remove", "path": "/metadata/namespace"}]),
            json!([{"op": "replace", "path": "/metadata/uid", "value": "another"}]),
            json!([{"op": "remove", "path": "/metadata/uid"}]),
            json!([{"op": "replace", "path": "/metadata/creationTimestamp", "value": "2001-02-03T04:05:06Z"}]),
            json!([{"op": "remove", "path": "/metadata/creationTimestamp"}]),
            json!([{"op": "add", "path": "/metadata/deletionTimestamp", "value": "2001-02-03T04:05:06Z"}]),
            json!([{"op": "add", "path": "/metadata/deletionGracePeriodSeconds", "value": 5}]),
            json!([{"op": "add", "path": "/metadata/generation", "value": 5}]),
            json!([{"op": "add", "path": "/metadata/generateName", "value": "one-"}]),
            json!([{"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}]),
            json!([{"op": "remove", "path": "/metadata/resourceVersion"}]),
            json!([{"op": "replace", "path": "/metadata/resourceVersion", "value": "many"}]),
            json!([{"op": "replace", "path": "/kind", "value": "Gadget"}]),
            json!([{"op": "replace", "path": "/apiVersion", "value": "v2"}]),
            json!([{"op": "remove", "path": "/kind"}]),
            json!([{"op": "remove", "path": "/metadata"}]),
            json!([{"op": "replace", "path": "/metadata", "value": "text"}]),
            json!([{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]),
            json!([{"op": "add", "path": "/data/b", "value": "2"}]),
        ] {
            talk.patch("json", one, patch).await;
        }
        talk.get(one).await;
    }

    async fn merge_patches_merge(talk: &mut Talk) {
        talk.post(MAPS, map("one", json!({"a": "1", "b": "2"}))).await;
        let one = &format!("{MAPS}/one");
        for patch in [
            json!({"data": {"c": "3"}}),
            json!({"data": {"a": null, "b": "two"}}),
            json!({"data": {"missing": null}}),
            json!({"metadata": {"labels": {"x": "y"}, "annotations": {"k": "v"}}}),
            json!({"metadata": {"labels": {"x": null}}}),
            json!({"metadata": {"annotations": null}}),
            json!({"data": null}),
            json!({"data": {"new": {"a": null}}}),
            json!({"data": ["a"]}),
            json!({"data": "text"}),
            json!({"data": {"a": 7}}),
            json!({"data": {"a": true}}),
            json!({"binaryData": {"a": "not base64"}}),
            json!({"binaryData": {"a": "YQ=="}}),
            json!({"immutable": "yes"}),
            json!({"data": {"a": "duplicate"}}),
            json!({"metadata": {"finalizers": ["example.com/a", "example.com/b"]}}),
            json!({"metadata": {"finalizers": ["example.com/b"]}}),
            json!({"metadata": {"finalizers": []}}),
        ] {
            talk.patch("merge", one, patch).await;
        }
        talk.get(one).await;
    }

    async fn merge_patches_that_are_none(talk: &mut Talk) {
        talk.post(MAPS, map("one", json!({"a": "1"}))).await;
        let one = &format!("{MAPS}/one");
        for kind in ["merge", "strategic-merge"] {
            for body in ["{}", "null", "[]", "[{\"op\": \"add\"}]", "\"text\"", "7", "true", "", "{", "{\"data\": }", "{} {}", "{\"data\": {\"b\": \"2\"},}", "data: {}"] {
                let header = format!("application/{kind}-patch+json");
                talk.send_raw("PATCH", one, &[("content-type", &header)], body.as_bytes()).await;
            }
        }
        talk.get(one).await;
    }

    async fn patches_of_another_version_conflict(talk: &mut Talk) {
        let created = talk.post(MAPS, map("one", json!({"a": "1"}))).await;
        let old = created.body["metadata"]["resourceVersion"].clone();
        let one = &format!("{MAPS}/one");
        let changed = talk.patch("merge", one, json!({"data": {"a": "2"}})).await;
        let new = changed.body["metadata"]["resourceVersion"].clone();
        for kind in ["merge", "strategic-merge"] {
            talk.patch(kind, one, json!({"metadata": {"resourceVersion": old}, "data": {"a": kind}})).await;
            talk.patch(kind, one, json!({"metadata": {"resourceVersion": "0"}, "data": {"a": kind}})).await;
            talk.patch(kind, one, json!({"metadata": {"resourceVersion": ""}, "data": {"b": kind}})).await;
            talk.patch(kind, one, json!({"metadata": {"resourceVersion": null}, "data": {"c": kind}})).await;
            talk.patch(kind, one, json!({"metadata": {"resourceVersion": "x"}, "data": {"a": kind}})).await;
        }
        talk.patch("merge", one, json!({"metadata": {"resourceVersion": new}, "data": {"a": "3"}})).await;
        let now = talk.get(one).await.body["metadata"]["resourceVersion"].clone();
        talk.patch("merge", one, json!({"metadata": {"resourceVersion": now}, "data": {"a": "4"}})).await;
        talk.patch("json", one, json!([
            {"op": "test", "path": "/metadata/resourceVersion", "value": now},
            {"op": "replace", "path": "/data/a", "value": "5"},
        ])).await;
        talk.patch("json", one, json!([
            {"op": "replace", "path": "/metadata/resourceVersion", "value": now},
            {"op": "replace", "path": "/data/a", "value": "6"},
        ])).await;
    }

    async fn patches_of_what_is_not_there(talk: &mut Talk) {
        install_widgets(talk).await;
        let (map, widget) = (&format!("{MAPS}/one"), &format!("{WIDGETS}/one"));
        talk.patch("json", map, json!([{"op": "add", "path": "/data", "value": {"a": "b"}}])).await;
        talk.patch("merge", map, json!({"data": {"a": "b"}})).await;
        talk.patch("strategic-merge", map, json!({"data": {"a": "b"}})).await;
        talk.patch("json", widget, json!([])).await;
        talk.patch("merge", widget, json!({"spec": {"size": 4}})).await;
        talk.patch("merge", &format!("{widget}/status"), json!({"status": {"phase": "x"}})).await;
        talk.patch("merge", "/api/v1/namespaces/nowhere/configmaps/one", json!({"data": {"a": "b"}})).await;
        talk.patch("merge", "/api/v1/namespaces/{ns}/gadgets/one", json!({})).await;
        talk.patch("merge", &format!("{map}/status"), json!({})).await;
        talk.patch("merge", MAPS, json!({"data": {"a": "b"}})).await;
        talk.patch("merge", &format!("{MAPS}/not_a_name!"), json!({"data": {}})).await;
    }

    async fn merge_patches_of_what_names_an_object(talk: &mut Talk) {
        install_widgets(talk).await;
        talk.post(WIDGETS, widget("one", json!({}))).await;
        talk.post(MAPS, map("one", json!({}))).await;
        for path in [format!("{MAPS}/one"), format!("{WIDGETS}/one")] {
            for patch in [
                json!({"kind": "Other"}),
                json!({"kind": null}),
                json!({"apiVersion": "example.com/v9"}),
                json!({"metadata": {"name": "two"}}),
                json!({"metadata": {"name": null}}),
                json!({"metadata": {"namespace": "default"}}),
                json!({"metadata": {"namespace": null}}),
                json!({"metadata": {"uid": "another"}}),
                json!({"metadata": {"uid": null}}),
                json!({"metadata": {"creationTimestamp": null}}),
                json!({"metadata": {"creationTimestamp": "2001-02-03T04:05:06Z"}}),
                json!({"metadata": {"creationTimestamp": "yesterday"}}),
                json!({"metadata": {"deletionTimestamp": "2001-02-03T04:05:06Z"}}),
                json!({"metadata": {"generation": 70}}),
                json!({"metadata": {"selfLink": "/a"}}),
                json!({"metadata": null}),
                json!({"metadata": []}),
            ] {
                talk.patch("merge", &path, patch).await;
            }
            talk.get(&path).await;
        }
    }

    async fn strategic_merge_of_ports(talk: &mut Talk) {
        talk.post(SERVICES, service("web", json!([
            {"name": "http", "port": 80}, {"name": "https", "port": 443, "targetPort": "tls"},
        ]))).await;
        let web = &format!("{SERVICES}/web");
        for spec in [
            json!({"ports": [{"port": 443, "targetPort": 8443}]}),
            json!({"ports": [{"name": "metrics", "port": 9090}]}),
            json!({"ports": [{"name": "first", "port": 1}, {"name": "https", "port": 443, "targetPort": null}]}),
            json!({"ports": [{"name": "no-key"}]}),
            json!({"ports": [{"port": 1, "$patch": "delete"}]}),
            json!({"ports": [{"port": 2, "$patch": "delete"}]}),
            json!({"ports": [{"$patch": "delete"}]}),
            json!({"ports": ["text"]}),
            json!({"ports": {"port": 7}}),
            json!({"$setElementOrder/ports": [{"port": 9090}, {"port": 443}, {"port": 80}]}),
            json!({"$setElementOrder/ports": [{"port": 80}, {"port": 8080}, {"port": 443}, {"port": 9090}], "ports": [{"name": "alt", "port": 8080}]}),
            json!({"$setElementOrder/ports": [{"port": 80}], "ports": [{"name": "other", "port": 8081}]}),
            json!({"$setElementOrder/ports": "text"}),
            json!({"$setElementOrder/nothing": [{"port": 80}]}),
            json!({"ports": [{"$patch": "replace"}, {"name": "only", "port": 7777}]}),
            json!({"ports": [{"port": 7777, "$patch": "replace"}]}),
            json!({"ports": [{"port": 7777, "$patch": "merge"}]}),
            json!({"ports": [{"port": 7777, "$patch": "unheard"}]}),
            json!({"ports": []}),
            json!({"ports": null}),
        ] {
            talk.patch("strategic-merge", web, json!({"spec": spec})).await;
        }
        talk.get(web).await;
    }

    async fn strategic_merge_of_owner_references(talk: &mut Talk) {
        let owner = |name: &str, uid: u32| json!({
            "apiVersion": "v1", "kind": "Namespace", "name": name,
            "uid": format!("00000000-0000-0000-0000-00000000000{uid}"),
        });
        talk.post(MAPS, json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            // Held, as its owners are not there.
            "metadata": {"name": "one", "finalizers": ["example.com/held"]},
        })).await;
        let one = &format!("{MAPS}/one?dryRun=All");
        let mut controller = owner("two", 2);
        controller["controller"] = true.into();
        let gone = json!({"uid": owner("", 1)["uid"], "$patch": "delete"});
        for references in [
            json!([owner("one", 1)]),
            json!([owner("one", 1), controller]),
            json!([owner("one", 1), owner("one", 1)]),
            json!([gone]),
            json!([{"uid": "1"}]),
            json!([{"name": "no uid"}]),
            json!([{"$patch": "replace"}]),
        ] {
            talk.patch("strategic-merge", one, json!({"metadata": {"ownerReferences": references}})).await;
            talk.patch("merge", one, json!({"metadata": {"ownerReferences": references}})).await;
        }
    }

    async fn strategic_merge_of_finalizers(talk: &mut Talk) {
        talk.post(MAPS, json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "finalizers": ["example.com/a"]},
        })).await;
        let one = &format!("{MAPS}/one");
        for metadata in [
            json!({"finalizers": ["example.com/b"]}),
            json!({"finalizers": ["example.com/b", "example.com/a"]}),
            json!({"finalizers": ["example.com/c", "example.com/c"]}),
            json!({"$deleteFromPrimitiveList/finalizers": ["example.com/b"]}),
            json!({"$deleteFromPrimitiveList/finalizers": ["example.com/missing"]}),
            json!({"$deleteFromPrimitiveList/finalizers": ["example.com/a"], "finalizers": ["example.com/d"]}),
            json!({"$setElementOrder/finalizers": ["example.com/d", "example.com/c"]}),
            json!({"$setElementOrder/finalizers": ["example.com/d", "example.com/e", "example.com/c"], "finalizers": ["example.com/e"]}),
            json!({"$setElementOrder/finalizers": ["example.com/d"], "finalizers": ["example.com/f"]}),
            json!({"$deleteFromPrimitiveList/finalizers": "example.com/d"}),
            json!({"$deleteFromPrimitiveList/labels": ["a"]}),
            json!({"finalizers": []}),
            json!({"finalizers": null}),
            json!({"finalizers": ["example.com/z"]}),
            json!({"finalizers": "text"}),
        ] {
            talk.patch("strategic-merge", one, json!({"metadata": metadata})).await;
        }
        talk.get(one).await;
    }

    async fn strategic_merge_of_conditions(talk: &mut Talk) {
        talk.post(SERVICES, service("web", json!([{"port": 80}]))).await;
        let status = &format!("{SERVICES}/web/status");
        let condition = |kind: &str, status: &str| json!({
            "type": kind, "status": status, "reason": "Because", "message": "so", "lastTransitionTime": "2020-01-01T00:00:00Z",
        });
        for conditions in [
            json!([condition("Ready", "False")]),
            json!([condition("Bound", "True")]),
            json!([{"type": "Ready", "status": "True"}]),
            json!([{"type": "Bound", "$patch": "delete"}]),
            json!([{"type": "Incomplete"}]),
            json!([{"status": "True"}]),
            json!([{"$patch": "replace"}, condition("Other", "Unknown")]),
        ] {
            talk.patch("strategic-merge", status, json!({"status": {"conditions": conditions}})).await;
        }
        talk.patch("strategic-merge", status, json!({"spec": {"selector": {"other": "x"}}, "metadata": {"labels": {"a": "b"}}})).await;
        talk.patch("merge", status, json!({"status": {"conditions": null}})).await;
        talk.patch("strategic-merge", &format!("{SERVICES}/web"), json!({"status": {"conditions": [condition("Ignored", "True")]}})).await;
    }

    async fn strategic_merge_retains_keys(talk: &mut Talk) {
        talk.post(SERVICES, service("web", json!([{"name": "a", "port": 80}]))).await;
        let web = &format!("{SERVICES}/web");
        for spec in [
            json!({"selector": {"$retainKeys": ["app"], "app": "kept"}}),
            json!({"selector": {"$retainKeys": ["app", "new"], "new": "added"}}),
            json!({"selector": {"$retainKeys": ["app"], "other": "not listed"}}),
            json!({"selector": {"$retainKeys": "app"}}),
            json!({"selector": {"$retainKeys": [7]}}),
            json!({"ports": [{"$retainKeys": ["port", "name"], "port": 80, "name": "b"}]}),
            json!({"selector": {"$retainKeys": []}}),
        ] {
            talk.patch("strategic-merge", web, json!({"spec": spec})).await;
        }
        talk.get(web).await;
    }

    async fn strategic_merge_has_directives(talk: &mut Talk) {
        talk.post(MAPS, map("one", json!({"a": "1", "b": "2"}))).await;
        let one = &format!("{MAPS}/one");
        for patch in [
            json!({"data": {"$patch": "replace", "c": "3"}}),
            json!({"data": {"$patch": "merge", "d": "4"}}),
            json!({"data": {"$patch": "delete", "d": "4"}}),
            json!({"data": {"e": "5"}}),
            json!({"data": {"$patch": "unheard"}}),
            json!({"data": {"$patch": 7}}),
            json!({"data": {"$patch": "delete"}}),
            json!({"data": {"$patch": "delete"}}),
            json!({"data": {"$patch": "replace", "f": "6"}}),
            json!({"data": {"$patch": "replace", "g": null}}),
            json!({"data": {"a": "1", "$other": "x"}}),
            json!({"metadata": {"labels": {"a": "b", "$patch": "replace"}}}),
            json!({"metadata": {"labels": {"$patch": "delete"}}}),
            json!({"$patch": "replace", "metadata": {"name": "one"}, "data": {"z": "9"}}),
            json!({"$patch": "replace", "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"z": "9"}}),
            json!({"$patch": "delete"}),
            json!({"unknown": {"$patch": "delete"}}),
        ] {
            talk.patch("strategic-merge", one, patch).await;
        }
        talk.get(one).await;
    }

    async fn strategic_merge_is_not_for_custom_resources(talk: &mut Talk) {
        install_widgets(talk).await;
        talk.post(WIDGETS, widget("one", json!({}))).await;
        let one = &format!("{WIDGETS}/one");
        talk.patch("strategic-merge", one, json!({"spec": {"size": 4}})).await;
        talk.patch("strategic-merge", &format!("{one}/status"), json!({"status": {"phase": "x"}})).await;
        talk.patch("strategic-merge", &format!("{WIDGETS}/two"), json!({"spec": {"size": 4}})).await;
    }

    async fn patches_have_a_content_type(talk: &mut Talk) {
        install_widgets(talk).await;
        talk.post(WIDGETS, widget("one", json!({}))).await;
        talk.post(MAPS, map("one", json!({}))).await;
        for path in [format!("{MAPS}/one"), format!("{WIDGETS}/one")] {
            for kind in [
                "application/json", "text/plain", "application/yaml", "application/json-patch", "nonsense",
                "application/vnd.kubernetes.protobuf", "application/merge-patch+yaml", "APPLICATION/MERGE-PATCH+JSON",
                "application/merge-patch+json; charset=utf-8", " application/merge-patch+json ",
                "application/merge-patch+json;charset", "application/apply-patch+json",
            ] {
                talk.patch(kind, &path, json!({"metadata": {"labels": {"a": "b"}}})).await;
            }
            talk.send_raw("PATCH", &path, &[], b"{}").await;
        }
    }

    async fn patches_of_the_status_change_it_alone(talk: &mut Talk) {
        install_widgets(talk).await;
        talk.post(WIDGETS, widget("one", json!({"size": 2}))).await;
        let (one, status) = (&format!("{WIDGETS}/one"), &format!("{WIDGETS}/one/status"));
        talk.patch("json", status, json!([{"op": "add", "path": "/status/phase", "value": "x"}])).await;
        talk.patch("json", status, json!([{"op": "add", "path": "/status", "value": {"phase": "x"}}])).await;
        talk.patch("merge", status, json!({"status": {"ready": 1}, "spec": {"size": 9}, "metadata": {"labels": {"a": "b"}}})).await;
        talk.patch("merge", status, json!({"status": {"ready": "many"}})).await;
        talk.patch("merge", status, json!({"status": {"unknown": 7}})).await;
        talk.patch("merge", status, json!({"status": "text"})).await;
        talk.patch("merge", status, json!({"metadata": {"finalizers": ["example.com/a"]}})).await;
        talk.patch("merge", status, json!({"metadata": {"name": "other"}})).await;
        talk.patch("merge", one, json!({"status": {"phase": "ignored"}, "spec": {"size": 4}})).await;
        talk.patch("merge", one, json!({"status": null})).await;
        talk.patch("merge", status, json!({"status": {"ready": null}})).await;
        talk.patch("merge", status, json!({"status": null})).await;
        talk.get(status).await;
        talk.patch("strategic-merge", "/api/v1/namespaces/{ns}/status", json!({"metadata": {"labels": {"through": "status"}}})).await;
    }

    async fn patches_can_run_dry(talk: &mut Talk) {
        install_widgets(talk).await;
        talk.post(WIDGETS, widget("one", json!({"size": 2}))).await;
        talk.post(MAPS, map("one", json!({"a": "1"}))).await;
        talk.patch("merge", &format!("{MAPS}/one?dryRun=All"), json!({"data": {"a": "2"}})).await;
        talk.patch("strategic-merge", &format!("{MAPS}/one?dryRun=All"), json!({"data": {"a": "2"}})).await;
        talk.patch("json", &format!("{MAPS}/one?dryRun=All"), json!([{"op": "remove", "path": "/data"}])).await;
        talk.patch("merge", &format!("{MAPS}/one?dryRun=Some"), json!({"data": {"a": "2"}})).await;
        talk.patch("merge", &format!("{MAPS}/one?dryRun="), json!({"data": {"dry": "no"}})).await;
        talk.patch("merge", &format!("{WIDGETS}/one?dryRun=All"), json!({"spec": {"size": 5}})).await;
        talk.patch("merge", &format!("{WIDGETS}/one?dryRun=All"), json!({"spec": {"size": 0}})).await;
        talk.patch("merge", &format!("{WIDGETS}/one/status?dryRun=All"), json!({"status": {"phase": "x"}})).await;
        talk.patch("merge", &format!("{WIDGETS}/two?dryRun=All"), json!({"spec": {"size": 5}})).await;
        talk.get(&format!("{MAPS}/one")).await;
        talk.get(&format!("{WIDGETS}/one")).await;
    }

    async fn patches_validate_fields(talk: &mut Talk) {
        install_widgets(talk).await;
        talk.post(WIDGETS, widget("one", json!({"parts": [{"name": "a"}]}))).await;
        talk.post(MAPS, map("one", json!({"a": "1"}))).await;
        for validation in ["", "&fieldValidation=Warn", "&fieldValidation=Ignore", "&fieldValidation=Strict"] {
            let map = &format!("{MAPS}/one?fieldManager=x{validation}");
            let widget = &format!("{WIDGETS}/one?fieldManager=x{validation}");
            talk.patch("merge", map, json!({"unknown": 1, "metadata": {"more": true}})).await;
            talk.patch("strategic-merge", map, json!({"unknown": {"a": 1}})).await;
            talk.patch("json", map, json!([{"op": "add", "path": "/unknown", "value": 7}])).await;
            talk.patch("merge", widget, json!({"spec": {"unknown": 1, "parts": [{"name": "a", "other": 2}]}, "more": {}, "metadata": {"odd": 1}})).await;
            talk.patch("json", widget, json!([{"op": "add", "path": "/spec/unknown", "value": 7}])).await;
            let merge = [("content-type", "application/merge-patch+json")];
            talk.send_raw("PATCH", map, &merge, br#"{"data": {"a": "2", "a": "3"}, "data": {"b": "4"}}"#).await;
            talk.send_raw("PATCH", widget, &merge, br#"{"spec": {"size": 2, "size": 5}}"#).await;
            let strategic = [("content-type", "application/strategic-merge-patch+json")];
            talk.send_raw("PATCH", map, &strategic, br#"{"data": {"a": "5", "a": "6"}}"#).await;
            let json = [("content-type", "application/json-patch+json")];
            talk.send_raw("PATCH", map, &json, br#"[{"op": "add", "path": "/data/a", "value": "7", "value": "8", "foo": "bar"}]"#).await;
        }
        talk.patch("merge", &format!("{MAPS}/one?fieldValidation=Loose"), json!({})).await;
    }

    async fn patches_that_change_nothing_keep_the_version(talk: &mut Talk) {
        install_widgets(talk).await;
        talk.post(WIDGETS, widget("one", json!({"size": 2, "tags": ["a"]}))).await;
        talk.post(MAPS, map("one", json!({"a": "1"}))).await;
        let mut watch = talk.watch(&format!("{MAPS}?watch=true&resourceVersion=0&fieldSelector=metadata.name%3Done")).await;
        talk.events(&mut watch, 1).await;
        let one = &format!("{MAPS}/one");
        talk.patch("merge", one, json!({})).await;
        talk.patch("strategic-merge", one, json!({})).await;
        talk.patch("json", one, json!([])).await;
        talk.patch("merge", one, json!({"data": {"a": "1"}})).await;
        talk.patch("strategic-merge", &format!("{one}?fieldManager=other"), json!({"data": {"a": "1"}})).await;
        talk.patch("merge", one, json!({"data": {"missing": null}, "metadata": {"labels": {}}})).await;
        talk.patch("json", one, json!([
            {"op": "add", "path": "/data/b", "value": "x"}, {"op": "remove", "path": "/data/b"},
        ])).await;
        let widget = &format!("{WIDGETS}/one");
        talk.patch("merge", widget, json!({})).await;
        talk.patch("merge", widget, json!({"spec": {"size": 2, "color": null}})).await;
        talk.patch("merge", widget, json!({"spec": {"tags": ["a"]}, "status": {"phase": "ignored"}})).await;
        talk.patch("merge", &format!("{widget}/status"), json!({"spec": {"size": 9}})).await;
        talk.patch("merge", one, json!({"data": {"a": "2"}})).await;
        talk.events(&mut watch, 1).await;
    }

    async fn patches_of_what_is_being_deleted(talk: &mut Talk) {
        talk.post(MAPS, json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "one", "finalizers": ["example.com/a", "example.com/b"]},
        })).await;
        let one = &format!("{MAPS}/one");
        talk.delete(one).await;
        talk.patch("merge", one, json!({"data": {"a": "1"}})).await;
        talk.patch("merge", one, json!({"metadata": {"finalizers": ["example.com/a", "example.com/b", "example.com/c"]}})).await;
        talk.patch("strategic-merge", one, json!({"metadata": {"finalizers": ["example.com/c"]}})).await;
        talk.patch("json", one, json!([{"op": "add", "path": "/metadata/finalizers/0", "value": "example.com/z"}])).await;
        talk.patch("merge", one, json!({"metadata": {"deletionTimestamp": null}})).await;
        talk.patch("merge", one, json!({"metadata": {"deletionGracePeriodSeconds": 60}})).await;
        talk.patch("strategic-merge", one, json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a"]}})).await;
        talk.patch("json", one, json!([{"op": "remove", "path": "/metadata/finalizers"}])).await;
        talk.get(one).await;
        talk.patch("merge", one, json!({"data": {"a": "1"}})).await;
    }

    async fn patches_of_custom_resources_are_validated(talk: &mut Talk) {
        install_widgets(talk).await;
        talk.post(WIDGETS, widget("one", json!({"color": "red", "note": "x"}))).await;
        let one = &format!("{WIDGETS}/one");
        for spec in [
            json!({"size": 10}),
            json!({"size": 0}),
            json!({"size": null}),
            json!({"size": "large"}),
            json!({"size": 4.5}),
            json!({"color": "blue"}),
            json!({"color": null}),
            json!({"note": null}),
            json!({"tags": {"a": "b"}}),
            json!({"tags": ["a", 7, null]}),
            json!({"parts": [{"count": 1}]}),
            json!({"parts": [{"name": "a"}, {"name": "a"}]}),
            json!({"parts": [{"name": "a"}, {"name": "b", "count": "x"}], "color": "blue", "size": -1}),
            json!({"unknown": "pruned", "size": 11}),
            json!("text"),
            json!(null),
        ] {
            talk.patch("merge", one, json!({"spec": spec})).await;
        }
        talk.patch("json", one, json!([{"op": "add", "path": "/spec", "value": {"note": null}}])).await;
        talk.patch("json", one, json!([{"op": "add", "path": "/spec/size", "value": null}])).await;
        talk.patch("merge", one, json!({"metadata": {"labels": {"a b": "c"}, "finalizers": ["short"]}})).await;
        talk.patch("merge", one, json!({"metadata": {"labels": {"a": 7}}})).await;
        talk.patch("merge", one, json!({"apiVersion": null})).await;
        talk.get(one).await;
    }

    async fn patches_have_options(talk: &mut Talk) {
        talk.post(MAPS, map("one", json!({"a": "1"}))).await;
        let one = &format!("{MAPS}/one");
        talk.patch("merge", &format!("{one}?force=true"), json!({})).await;
        talk.patch("merge", &format!("{one}?force=false"), json!({})).await;
        talk.patch("json", &format!("{one}?force=true"), json!([])).await;
        talk.patch("strategic-merge", &format!("{one}?force=perhaps"), json!({})).await;
        talk.patch("merge", &format!("{one}?fieldManager=someone"), json!({"data": {"b": "2"}})).await;
        talk.patch("merge", &format!("{one}?fieldManager="), json!({"data": {"c": "3"}})).await;
        talk.patch("merge", &format!("{one}?fieldManager=a%0Ab"), json!({"data": {"d": "4"}})).await;
        talk.patch("merge", &format!("{one}?fieldManager={}", "x".repeat(129)), json!({"data": {"e": "5"}})).await;
        talk.patch("merge", &format!("{one}?unheard=of&pretty=false"), json!({"data": {"f": "6"}})).await;
        talk.get(one).await;
    }

    async fn patches_of_secrets(talk: &mut Talk) {
        talk.post(SECRETS, json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one"}, "stringData": {"a": "plain"},
        })).await;
        let one = &format!("{SECRETS}/one");
        for patch in [
            json!({"stringData": {"b": "more"}}),
            json!({"data": {"c": "!!"}}),
            json!({"data": {"c": "Yw=="}}),
            json!({"data": {"a": null}}),
            json!({"data": {"d": null}, "stringData": {"d": "both"}}),
            json!({"type": "other"}),
            json!({"type": null}),
            json!({"immutable": true}),
            json!({"immutable": false}),
            json!({"data": {"e": "ZQ=="}}),
            json!({"metadata": {"labels": {"a": "b"}}}),
        ] {
            talk.patch("merge", one, patch.clone()).await;
            talk.patch("strategic-merge", one, patch).await;
        }
    }

    async fn patches_of_a_missing_list_make_it(talk: &mut Talk) {
        talk.post(MAPS, map("one", json!({}))).await;
        let one = &format!("{MAPS}/one");
        for metadata in [
            json!({"finalizers": ["example.com/a", "example.com/a"]}),
            json!({"finalizers": null}),
            json!({"$setElementOrder/finalizers": ["example.com/b", "example.com/a"], "finalizers": ["example.com/b", "example.com/a"]}),
            json!({"finalizers": null}),
            json!({"$setElementOrder/finalizers": ["example.com/b"]}),
            json!({"$deleteFromPrimitiveList/finalizers": ["example.com/b"]}),
            json!({"$setElementOrder/finalizers": [], "finalizers": []}),
            json!({"ownerReferences": [{"uid": "1", "$patch": "delete"}]}),
            json!({"labels": {"$patch": "replace", "a": "b"}}),
            json!({"annotations": {"$retainKeys": ["a"], "a": "b"}}),
        ] {
            talk.patch("strategic-merge", one, json!({"metadata": metadata})).await;
        }
        talk.get(one).await;
    }

    async fn the_kind_of_a_built_in_object_is_what_it_is(talk: &mut Talk) {
        talk.post(MAPS, map("one", json!({"a": "1"}))).await;
        let one = &format!("{MAPS}/one");
        for patch in [
            json!({"kind": null}),
            json!({"kind": ""}),
            json!({"apiVersion": null}),
        ] {
            talk.patch("merge", one, patch).await;
        }
        for patch in [
            json!({"apiVersion": "apps/v1", "kind": "Deployment"}),
            json!({"apiVersion": "a/b/c"}),
            json!({"apiVersion": null, "kind": null}),
            json!({"kind": 5}),
        ] {
            talk.patch("strategic-merge", one, patch).await;
        }
    }

    async fn a_namespace_does_not_end_by_saying_so(talk: &mut Talk) {
        let status = "/api/v1/namespaces/{ns}/status";
        for phase in [json!("Terminating"), json!("Gone"), json!(""), json!(null)] {
            talk.patch("merge", status, json!({"status": {"phase": phase}})).await;
        }
        talk.patch("merge", status, json!({"status": null})).await;
        talk.say("nor by saying since when");
        for phase in ["Terminating", "Active"] {
            let ending = json!({"metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z"}, "status": {"phase": phase}});
            talk.patch("merge", status, ending).await;
        }
    }

    async fn copies_that_double_a_document(talk: &mut Talk) {
        let maps = "/api/v1/namespaces/{ns}/configmaps";
        talk.post(maps, json!({"metadata": {"name": "one"}, "data": {"a": "x"}})).await;
        let copies = (0..24).map(|at| json!({"op": "copy", "from": "/data", "path": format!("/data/z{at}")}));
        talk.patch("json", &format!("{maps}/one"), copies.collect()).await;
        talk.get(&format!("{maps}/one")).await;
    }

    async fn strategic_patches_with_odd_directives(talk: &mut Talk) {
        const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/{ns}/deployments";
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "b", "args": ["x", "y"]}]}});
        talk.prepare(DEPLOYMENTS, json!({"metadata": {"name": "one", "finalizers": ["example.com/a", "example.com/b"]}, "spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": template}})).await;
        let one = &format!("{DEPLOYMENTS}/one?dryRun=All");
        for within in [
            json!({"$setElementOrder$containers": []}), json!({"$setElementOrder": []}), json!({"$setElementOrder/containers": []}), json!({"$setElementOrder/containers": "a"}),
            json!({"$setElementOrder/": []}), json!({"$setElementOrder/containers/a": [{"name": "a"}]}), json!({"$setElementOrder/containers": [{"name": "a"}, {"name": "b"}]}),
            json!({"$deleteFromPrimitiveList/containers": ["x"]}), json!({"$deleteFromPrimitiveList$containers": ["x"]}), json!({"$deleteFromPrimitiveList/none": ["x"]}),
            json!({"$deleteFromPrimitiveList/containers": "x"}), json!({"$retainKeys": "a"}), json!({"$retainKeys": ["containers"], "hostNetwork": true}), json!({"$odd": 1}),
            json!({"$patch": "odd"}), json!({"containers": [{"$patch": "odd"}]}), json!({"containers": [{"name": "a", "$patch": "odd"}]}), json!({"containers": [{"$patch": "delete"}]}),
            json!({"containers": [{"name": "a", "$deleteFromPrimitiveList/args": ["x"]}]}), json!({"containers": [{"name": "a", "$setElementOrder/args": ["y", "x"]}]}),
        ] {
            talk.patch("strategic-merge", one, json!({"spec": {"template": {"spec": within}}})).await;
        }
        for metadata in [json!({"$deleteFromPrimitiveList/finalizers": ["example.com/a"]}), json!({"$setElementOrder/finalizers": ["example.com/b", "example.com/a"]}), json!({"$deleteFromPrimitiveList/finalizers": [1]}), json!({"$setElementOrder/finalizers": ["example.com/b"], "finalizers": ["example.com/c"]})] {
            talk.patch("strategic-merge", one, json!({"metadata": metadata})).await;
        }
        talk.patch_unsaid("merge", &format!("{DEPLOYMENTS}/one"), json!({"metadata": {"finalizers": null}})).await;
    }

    async fn nothing_is_merged_beside_what_has_no_name(talk: &mut Talk) {
        let path = "/api/v1/namespaces/{ns}/serviceaccounts";
        talk.post(path, json!({"metadata": {"name": "nameless"}, "secrets": [{"namespace": "a"}, {"name": "b"}]})).await;
        let one = &format!("{path}/nameless");
        for secrets in [json!([{"name": "c"}]), json!([{"name": "b", "$patch": "delete"}]), json!([]), json!([{"$patch": "replace"}, {"name": "d"}])] {
            talk.patch("strategic", one, json!({"secrets": secrets})).await;
        }
    }

    async fn operations_that_say_null(talk: &mut Talk) {
        talk.post("/api/v1/namespaces/{ns}/configmaps", json!({"metadata": {"name": "nulls"}, "data": {"a": "b"}})).await;
        for operation in [
            json!({"op": "add", "path": "/data/c", "from": null, "value": "d"}), json!({"op": "remove", "path": "/data/a", "from": null}), json!({"op": "move", "path": "/data/e", "from": null}), json!({"op": "copy", "path": "/data/e"}),
            json!({"op": "replace", "path": null, "value": {}}), json!({"op": "replace", "value": {}}), json!({"op": "test", "value": {}}), json!({"op": null, "path": "/data/a"}), json!({"path": "/data/a", "value": "x"}), json!({"op": "add", "path": "/data/f", "value": null}),
        ] {
            talk.patch("json", "/api/v1/namespaces/{ns}/configmaps/nulls?dryRun=All", json!([operation])).await;
        }
    }
}
