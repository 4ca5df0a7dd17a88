//! Objects: what may be written, and what becomes of it.

use serde_json::{Value, json};

use super::support::{Talk, thing_crd};

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const ONE: &str = "/api/v1/namespaces/{ns}/configmaps/one";
const THINGS: &str = "/apis/{group}/v1/namespaces/{ns}/things";

fn map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "b"}})
}

fn labelled(labels: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "labels": labels}})
}

fn thing(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": name}, "spec": spec})
}

fn things_definition() -> Value {
    thing_crd(json!({
        "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {
            "spec": {"type": "object", "properties": {
                "size": {"type": "integer", "minimum": 1}, "color": {"type": "string", "default": "red"},
            }},
            "status": {"type": "object", "properties": {"seen": {"type": "integer"}}},
        }}},
    }))
}

conformance! {
    async fn a_created_object_gets_what_the_server_gives(talk: &mut Talk) {
        talk.post(MAPS, map("one")).await;
        talk.get(ONE).await;
        talk.get(&format!("{MAPS}/two")).await;
        talk.say("what a client may not decide");
        talk.post(MAPS, json!({"metadata": {
            "name": "two", "uid": "01234567-89ab-cdef-0123-456789abcdef", "creationTimestamp": "2001-01-01T00:00:00Z",
            "generation": 7, "selfLink": "/somewhere", "deletionTimestamp": "2001-01-01T00:00:00Z", "deletionGracePeriodSeconds": 5,
        }})).await;
        talk.post(MAPS, json!({"metadata": {"name": "three", "resourceVersion": "123456789"}})).await;
        talk.say("nor need say");
        talk.post(MAPS, json!({"metadata": {"name": "four"}})).await;
    }

    async fn names_are_generated_where_asked_for(talk: &mut Talk) {
        talk.post(MAPS, json!({"metadata": {"generateName": "many-"}})).await;
        talk.post(MAPS, json!({"metadata": {"generateName": "many-", "name": "one"}})).await;
        talk.post(MAPS, json!({"metadata": {}})).await;
        talk.post(MAPS, json!({})).await;
    }

    async fn what_is_created_has_no_version_yet(talk: &mut Talk) {
        let versioned = |name: &str, version: &str| json!({"metadata": {"name": name, "resourceVersion": version}});
        let dry = format!("{MAPS}?dryRun=All");
        talk.post(MAPS, versioned("one", "123456789")).await;
        talk.post(MAPS, versioned("Not_A_Name", "123456789")).await;
        talk.post(MAPS, versioned("one", "0")).await;
        talk.post(MAPS, versioned("one", "123456789")).await;
        talk.post(MAPS, versioned("two", "odd")).await;
        talk.post("/api/v1/namespaces/nowhere/configmaps", versioned("one", "123456789")).await;
        talk.say("where nothing is stored nobody minds");
        talk.post(&dry, versioned("one", "123456789")).await;
        talk.post(&dry, versioned("three", "123456789")).await;
        talk.post(&dry, versioned("three", "odd")).await;
    }

    async fn some_objects_are_there_from_the_start(talk: &mut Talk) {
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
            talk.get(&format!("/api/v1/namespaces/{name}")).await;
        }
        for name in ["system-node-critical", "system-cluster-critical"] {
            talk.get(&format!("/apis/scheduling.k8s.io/v1/priorityclasses/{name}")).await;
        }
        talk.say("the port of the service differs between servers");
        let metadata = ("accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
        talk.send("GET", "/api/v1/namespaces/default/services/kubernetes", &[metadata], None).await;
    }

    async fn an_object_exists_once(talk: &mut Talk) {
        talk.post(MAPS, map("one")).await;
        talk.post(MAPS, map("one")).await;
        talk.post("/api/v1/namespaces", json!({"metadata": {"name": "{ns}"}})).await;
    }

    async fn names_follow_the_rules_of_their_kinds(talk: &mut Talk) {
        for name in ["Not_A_Name", "", "-", "a..b", "a/b", "a%b", ".", "..", &"x".repeat(254)] {
            talk.post(MAPS, map(name)).await;
        }
        talk.post(MAPS, map(&"x".repeat(253))).await;
        talk.say("a DNS label");
        talk.post("/api/v1/namespaces", json!({"metadata": {"name": "a.b"}})).await;
        talk.post("/api/v1/namespaces", json!({"metadata": {"name": "x".repeat(64)}})).await;
        let ports = json!([{"port": 80}]);
        talk.post("/api/v1/namespaces/{ns}/services", json!({"metadata": {"name": "a.b"}, "spec": {"ports": ports}})).await;
        talk.say("a segment of a path");
        talk.post("/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles", json!({"metadata": {"name": "system:Odd_Name"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]})).await;
        talk.post("/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles", json!({"metadata": {"name": "a/b"}, "rules": []})).await;
    }

    async fn labels_and_annotations_follow_the_rules(talk: &mut Talk) {
        talk.post(MAPS, labelled(json!({"a b": "c"}))).await;
        for labels in [json!({"a": "c d"}), json!({"-x": "y"}), json!({"x": "-y"}), json!({"Example.com/a": "b"})] {
            talk.post(MAPS, labelled(labels)).await;
        }
        for labels in [json!({"example.com/": "c"}), json!({"/x": "d"}), json!({"a/b/c": "e"})] {
            talk.post(MAPS, labelled(labels)).await;
        }
        talk.post(MAPS, labelled(json!({"x".repeat(64): "y"}))).await;
        talk.post(MAPS, labelled(json!({"x": "y".repeat(64)}))).await;
        talk.post(MAPS, labelled(json!({"": ""}))).await;
        talk.post(MAPS, json!({"metadata": {"name": "one", "annotations": {"a b": "anything goes here", "UPPER.example.com/x": "y"}}})).await;
        talk.post(MAPS, json!({"metadata": {"name": "one", "annotations": {"big": "x".repeat(262_144)}}})).await;
        talk.post(MAPS, json!({"metadata": {"name": "one", "labels": {"a": 1}}})).await;
        talk.post(MAPS, labelled(json!({"example.com/a": "b", "c": ""}))).await;
    }

    async fn metadata_of_other_shapes_is_refused(talk: &mut Talk) {
        talk.post(MAPS, json!({"metadata": {"name": "one", "finalizers": ["not-qualified"]}})).await;
        talk.post(MAPS, json!({"metadata": {"name": "one", "finalizers": ["example.com/a", "a b"]}})).await;
        talk.post(MAPS, json!({"metadata": {"name": "one", "ownerReferences": [{}]}})).await;
        talk.post(MAPS, json!({"metadata": {"name": "one", "ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "1", "controller": true},
            {"apiVersion": "v1", "kind": "ConfigMap", "name": "b", "uid": "2", "controller": true},
        ]}})).await;
        talk.post(MAPS, json!({"metadata": {"name": "one", "ownerReferences": [
            {"apiVersion": "v1", "kind": "Event", "name": "a", "uid": "1"},
        ]}})).await;
        talk.post(MAPS, json!({"metadata": {"name": "one", "namespace": "another"}})).await;
        talk.post(MAPS, json!({"metadata": "one"})).await;
        talk.post(MAPS, json!({"metadata": {"name": "one", "creationTimestamp": "yesterday"}})).await;
        talk.post(MAPS, json!({"metadata": {"name": 1}})).await;
    }

    async fn content_types_are_taken_as_a_real_server_takes_them(talk: &mut Talk) {
        let body = b"{\"metadata\": {\"name\": \"one\"}}";
        talk.send_raw("POST", MAPS, &[("content-type", "text/plain")], body).await;
        talk.send_raw("POST", MAPS, &[("content-type", "application/xml; charset=utf-8")], body).await;
        talk.send_raw("POST", MAPS, &[("content-type", "application/json; charset=utf-8")], body).await;
        talk.send_raw("POST", MAPS, &[("content-type", "application/yaml")], b"metadata:\n  name: two\ndata:\n  a: b\n").await;
        talk.send_raw("POST", MAPS, &[], body).await;
        talk.send("GET", ONE, &[("accept", "text/html")], None).await;
        talk.send("GET", ONE, &[("accept", "text/html, */*;q=0.5")], None).await;
        talk.send("GET", ONE, &[("accept", "application/yaml")], None).await;
        talk.send("GET", ONE, &[("accept", "application/json;as=Nothing;g=meta.k8s.io;v=v1")], None).await;
        talk.send("GET", ONE, &[("accept", "application/json;as=Nothing;g=meta.k8s.io;v=v1, application/json")], None).await;
        talk.send("GET", &format!("{MAPS}/none"), &[("accept", "application/yaml")], None).await;
    }

    async fn a_body_that_is_too_large_is_refused(talk: &mut Talk) {
        talk.post(MAPS, json!({"metadata": {"name": "one"}, "data": {"a": "x".repeat(3 * 1024 * 1024)}})).await;
        talk.post(MAPS, json!({"metadata": {"name": "one"}, "data": {"a": "x".repeat(1024 * 1024 + 1)}})).await;
    }

    async fn generation_counts_what_is_wanted(talk: &mut Talk) {
        talk.install(things_definition()).await;
        let one = format!("{THINGS}/one");
        let mut body = thing("one", json!({"size": 1}));
        body["status"] = json!({"seen": 1});
        body["metadata"]["generation"] = 5.into();
        let mut read = talk.post(THINGS, body).await.body;
        read["metadata"]["labels"] = json!({"a": "b"});
        let mut read = talk.put(&one, read).await.body;
        read["spec"]["size"] = 2.into();
        read["status"] = json!({"seen": 2});
        let mut read = talk.put(&one, read).await.body;
        read["spec"]["size"] = 3.into();
        read["status"] = json!({"seen": 3});
        talk.put(&format!("{one}/status"), read).await;
        talk.say("built-ins");
        let deployment = json!({"metadata": {"name": "one"}, "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}},
        }});
        let deployments = "/apis/apps/v1/namespaces/{ns}/deployments";
        talk.post(deployments, deployment.clone()).await;
        talk.patch("merge", &format!("{deployments}/one"), json!({"spec": {"replicas": 2}, "status": {"replicas": 7}})).await;
        talk.patch("merge", &format!("{deployments}/one"), json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.patch("merge", &format!("{deployments}/one/status"), json!({"spec": {"replicas": 3}, "status": {"replicas": 7}})).await;
    }

    async fn a_dry_run_does_everything_but_keep_it(talk: &mut Talk) {
        talk.post(&format!("{MAPS}?dryRun=All"), map("one")).await;
        talk.get(ONE).await;
        talk.post(&format!("{MAPS}?dryRun=All"), json!({"metadata": {"generateName": "many-"}})).await;
        talk.post(&format!("{MAPS}?dryRun=Some"), map("one")).await;
        talk.post(MAPS, map("one")).await;
        talk.put(&format!("{ONE}?dryRun=All"), json!({"metadata": {"name": "one"}, "data": {"c": "d"}})).await;
        talk.patch("merge", &format!("{ONE}?dryRun=All"), json!({"data": {"c": "d"}})).await;
        talk.delete(&format!("{ONE}?dryRun=All")).await;
        talk.delete_with(ONE, json!({"dryRun": ["All"]})).await;
        talk.get(ONE).await;
        talk.delete(&format!("{MAPS}?dryRun=All")).await;
        talk.get(ONE).await;
    }

    async fn a_deletion_says_what_went(talk: &mut Talk) {
        talk.post(MAPS, map("one")).await;
        talk.delete(ONE).await;
        talk.delete(ONE).await;
        talk.install(things_definition()).await;
        talk.post(THINGS, thing("one", json!({}))).await;
        talk.delete(&format!("{THINGS}/one")).await;
        talk.post("/api/v1/namespaces/{ns}/serviceaccounts", json!({"metadata": {"name": "one"}})).await;
        talk.delete("/api/v1/namespaces/{ns}/serviceaccounts/one").await;
    }

    async fn a_deletion_may_have_preconditions(talk: &mut Talk) {
        let one = talk.post(MAPS, map("one")).await.body;
        talk.delete_with(ONE, json!({"preconditions": {"uid": "01234567-89ab-cdef-0123-456789abcdef"}})).await;
        talk.delete_with(ONE, json!({"preconditions": {"resourceVersion": "1"}})).await;
        talk.delete_with(ONE, json!({"preconditions": {"uid": one["metadata"]["uid"], "resourceVersion": one["metadata"]["resourceVersion"]}})).await;
        talk.get(ONE).await;
    }

    async fn a_deletion_with_odd_options_is_refused(talk: &mut Talk) {
        talk.post(MAPS, map("one")).await;
        talk.delete_with(ONE, json!({"propagationPolicy": "Sideways"})).await;
        talk.delete(&format!("{ONE}?propagationPolicy=Sideways")).await;
        talk.delete_with(ONE, json!({"propagationPolicy": "Orphan", "orphanDependents": true})).await;
        talk.delete_with(ONE, json!({"gracePeriodSeconds": -1})).await;
        talk.delete_with(ONE, json!({"dryRun": ["Some"]})).await;
        talk.send_raw("DELETE", ONE, &[("content-type", "application/json")], b"{").await;
        talk.send("DELETE", ONE, &[], Some(json!({"kind": "ConfigMap", "apiVersion": "v1"}))).await;
        talk.get(ONE).await;
    }

    async fn finalizers_hold_an_object_up(talk: &mut Talk) {
        talk.post(MAPS, json!({"metadata": {"name": "one", "finalizers": ["example.com/a", "example.com/b"]}, "data": {"a": "b"}})).await;
        talk.delete(ONE).await;
        talk.delete(ONE).await;
        talk.say("it may change, but take no finalizer");
        talk.patch("merge", ONE, json!({"data": {"a": "c"}})).await;
        talk.patch("merge", ONE, json!({"metadata": {"finalizers": ["example.com/a", "example.com/b", "example.com/c"]}})).await;
        talk.patch("merge", ONE, json!({"metadata": {"deletionTimestamp": null}})).await;
        talk.post(MAPS, map("one")).await;
        talk.patch("merge", ONE, json!({"metadata": {"finalizers": ["example.com/b"]}})).await;
        talk.say("the last one");
        talk.patch("merge", ONE, json!({"metadata": {"finalizers": null}})).await;
        talk.get(ONE).await;
    }

    async fn a_collection_is_deleted(talk: &mut Talk) {
        for (name, color) in [("a", "red"), ("b", "blue"), ("c", "red")] {
            talk.post(MAPS, json!({"metadata": {"name": name, "labels": {"color": color}}})).await;
        }
        talk.delete(&format!("{MAPS}?labelSelector=color%3Dred")).await;
        talk.get(MAPS).await;
        talk.delete(&format!("{MAPS}?fieldSelector=metadata.name%3Db")).await;
        talk.delete(MAPS).await;
        talk.get(MAPS).await;
        talk.say("not all of them");
        talk.delete("/api/v1/configmaps").await;
        talk.delete("/api/v1/namespaces").await;
    }

    async fn what_nobody_serves_is_not_found(talk: &mut Talk) {
        talk.get("/api/v1/namespaces/{ns}/nothings").await;
        talk.get("/apis/example.com/v1/nothings").await;
        talk.get("/apis/apps/v2/deployments").await;
        talk.get("/nowhere").await;
        talk.get("/api/v2").await;
        talk.get("/apis/apps/v1/namespaces/{ns}/deployments/one/nothing").await;
        talk.post("/nowhere", json!({})).await;
        talk.get(&format!("{ONE}/status")).await;
        talk.get("/api/v1/namespaces/{ns}/configmaps/one/two/three").await;
        talk.get("/api/v1/namespaces/{ns}/configmaps/").await;
    }

    async fn verbs_that_a_path_does_not_take_are_refused(talk: &mut Talk) {
        talk.post(ONE, map("one")).await;
        talk.put(MAPS, map("one")).await;
        talk.patch("merge", MAPS, json!({})).await;
        talk.post("/api/v1/configmaps", map("one")).await;
        talk.send("OPTIONS", MAPS, &[], None).await;
        talk.send("TRACE", MAPS, &[], None).await;
        talk.send("FETCH", MAPS, &[], None).await;
        talk.delete("/api/v1").await;
        talk.post("/version", json!({})).await;
        talk.send("HEAD", MAPS, &[], None).await;
        talk.send("HEAD", &format!("{MAPS}/none"), &[], None).await;
        talk.post("/api/v1/namespaces/none/configmaps", map("one")).await;
    }

    async fn a_status_is_a_subresource(talk: &mut Talk) {
        talk.install(things_definition()).await;
        let (one, status) = (format!("{THINGS}/one"), format!("{THINGS}/one/status"));
        let mut read = talk.post(THINGS, thing("one", json!({"size": 1}))).await.body;
        talk.get(&status).await;
        read["status"] = json!({"seen": 1});
        read["spec"]["size"] = 9.into();
        read["metadata"]["labels"] = json!({"a": "b"});
        read["metadata"]["annotations"] = json!({"a": "b"});
        read["metadata"]["finalizers"] = json!(["example.com/a"]);
        talk.put(&status, read.clone()).await;
        talk.put(&status, read).await;
        talk.patch("merge", &status, json!({"status": {"seen": "many"}})).await;
        talk.patch("merge", &status, json!({"status": null})).await;
        talk.patch("merge", &one, json!({"status": {"seen": 5}})).await;
        talk.delete(&status).await;
        talk.post(&status, json!({})).await;
        talk.put(&format!("{THINGS}/two/status"), thing("two", json!({}))).await;
    }

    async fn secrets_and_config_maps_have_rules_of_their_own(talk: &mut Talk) {
        let secrets = "/api/v1/namespaces/{ns}/secrets";
        talk.post(secrets, json!({"metadata": {"name": "one"}, "stringData": {"a": "b"}, "data": {"c": "ZA=="}})).await;
        talk.post(secrets, json!({"metadata": {"name": "two"}, "data": {"c": "not base64"}})).await;
        talk.post(secrets, json!({"metadata": {"name": "two"}, "data": {"a b": "ZA=="}})).await;
        talk.post(secrets, json!({"metadata": {"name": "two"}, "type": "kubernetes.io/tls"})).await;
        talk.patch("merge", &format!("{secrets}/one"), json!({"type": "Other"})).await;
        talk.patch("merge", &format!("{secrets}/one"), json!({"immutable": true})).await;
        talk.patch("merge", &format!("{secrets}/one"), json!({"stringData": {"a": "c"}})).await;
        talk.patch("merge", &format!("{secrets}/one"), json!({"immutable": false})).await;
        talk.patch("merge", &format!("{secrets}/one"), json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.post(MAPS, json!({"metadata": {"name": "one"}, "data": {"a": "b"}, "binaryData": {"a": "ZA=="}})).await;
        talk.post(MAPS, json!({"metadata": {"name": "one"}, "data": {"a/b": "c"}})).await;
        talk.post(MAPS, json!({"metadata": {"name": "one"}, "data": {"a": "b"}, "immutable": true})).await;
        talk.patch("merge", ONE, json!({"data": {"a": "c"}})).await;
    }

    async fn an_update_replaces_what_it_has_read(talk: &mut Talk) {
        let mut one = talk.post(MAPS, map("one")).await.body;
        one["data"] = json!({"c": "d"});
        let updated = talk.put(ONE, one.clone()).await.body;
        talk.say("what it has read is old");
        talk.put(ONE, one.clone()).await;
        talk.say("the same again changes nothing");
        talk.put(ONE, updated).await;
        talk.say("without a version it replaces what is there");
        talk.put(ONE, map("one")).await;
        talk.put(ONE, json!({"metadata": {"name": "two"}})).await;
        talk.put(&format!("{MAPS}/two"), map("two")).await;
        talk.put(&format!("{MAPS}/two"), json!({"metadata": {"name": "two", "resourceVersion": "1"}})).await;
        talk.put(ONE, json!({"metadata": {"name": "one", "uid": "01234567-89ab-cdef-0123-456789abcdef"}})).await;
        talk.put(ONE, json!({"metadata": {"name": "one", "resourceVersion": "abc"}})).await;
        talk.put(ONE, json!({"metadata": {"name": "one", "resourceVersion": "0"}})).await;
        talk.put(ONE, json!({"metadata": {}})).await;
        talk.put(ONE, json!({"metadata": {"name": "one", "namespace": "another"}})).await;
    }


    async fn some_kinds_are_updated_only_in_a_version(talk: &mut Talk) {
        const STORAGE: &str = "/apis/storage.k8s.io/v1";
        let budget = json!({"metadata": {"name": "one"}, "spec": {"maxUnavailable": 1}});
        let capacity = json!({"metadata": {"name": "one"}, "storageClassName": "one"});
        let attachment = json!({"metadata": {"name": "{ns}"}, "spec": {"attacher": "a.example.com", "nodeName": "a", "source": {"persistentVolumeName": "a"}}});
        for (path, object) in [
            ("/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets", budget),
            ("/apis/node.k8s.io/v1/runtimeclasses", json!({"metadata": {"name": "{ns}"}, "handler": "one"})),
            (&format!("{STORAGE}/csidrivers"), json!({"metadata": {"name": "{ns}"}})),
            (&format!("{STORAGE}/csinodes"), json!({"metadata": {"name": "{ns}"}, "spec": {"drivers": []}})),
            (&format!("{STORAGE}/namespaces/{{ns}}/csistoragecapacities"), capacity),
            (&format!("{STORAGE}/volumeattachments"), attachment),
            (&format!("{STORAGE}/storageclasses"), json!({"metadata": {"name": "{ns}"}, "provisioner": "example.com/a"})),
            ("/apis/scheduling.k8s.io/v1/priorityclasses", json!({"metadata": {"name": "{ns}"}, "value": 1})),
        ] {
            talk.prepare(path, object.clone()).await;
            let one = format!("{path}/{}", object["metadata"]["name"].as_str().unwrap());
            talk.put(&one, object).await;
            talk.unsaid("DELETE", &one, None).await;
        }
    }

    async fn bodies_that_are_no_object_are_refused(talk: &mut Talk) {
        let json = [("content-type", "application/json")];
        for body in ["", "{", "[]", "\"text\"", "null", "{} {}", "{\"metadata\": {\"name\": \"one\"}", "not json at all"] {
            talk.send_raw("POST", MAPS, &json, body.as_bytes()).await;
        }
        talk.send_raw("POST", MAPS, &json, &[0xff, 0xfe, 0x00]).await;
        talk.post(MAPS, json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one"}})).await;
        talk.post(MAPS, json!({"apiVersion": "v2", "kind": "ConfigMap", "metadata": {"name": "one"}})).await;
        talk.post(MAPS, json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "one"}})).await;
        talk.post(MAPS, json!({"apiVersion": "v1", "kind": "Nothing", "metadata": {"name": "one"}})).await;
        talk.post(MAPS, json!({"kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": 1}})).await;
        talk.post(MAPS, json!({"kind": "ConfigMap", "metadata": {"name": "one"}, "data": ["a"]})).await;
    }


    async fn invalid_options_of_writes_are_refused(talk: &mut Talk) {
        talk.post(&format!("{MAPS}?fieldManager={}", "x".repeat(129)), map("one")).await;
        talk.post(&format!("{MAPS}?fieldManager=a%00b"), map("one")).await;
        talk.post(&format!("{MAPS}?fieldManager=me"), map("one")).await;
        talk.post(&format!("{MAPS}?dryRun=All&dryRun=All"), map("two")).await;
        talk.post(&format!("{MAPS}?pretty=true&unknown=1"), map("two")).await;
        talk.put(&format!("{ONE}?fieldValidation=odd"), map("one")).await;
        talk.put(&format!("{ONE}?force=true"), map("one")).await;
        talk.patch("merge", &format!("{ONE}?force=true"), json!({})).await;
    }


    async fn what_is_unknown_is_dropped_warned_of_or_refused(talk: &mut Talk) {
        talk.install(things_definition()).await;
        for validation in ["Ignore", "Warn", "Strict", "Nothing"] {
            let body = thing(&validation.to_lowercase(), json!({"size": 1, "unknown": {"a": 1}}));
            talk.post(&format!("{THINGS}?fieldValidation={validation}"), body).await;
            let body = json!({"metadata": {"name": validation.to_lowercase(), "odd": 1}, "data": {}, "more": 1});
            talk.post(&format!("{MAPS}?fieldValidation={validation}"), body).await;
        }
        talk.say("twice in one body");
        let json = [("content-type", "application/json")];
        let twice = br#"{"metadata": {"name": "twice", "name": "twice"}, "data": {"a": "b", "a": "c"}}"#;
        talk.send_raw("POST", &format!("{MAPS}?fieldValidation=Strict"), &json, twice).await;
        talk.send_raw("POST", MAPS, &json, twice).await;
        let twice = br#"{"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "twice"}, "spec": {"size": 1, "size": 2}}"#;
        let twice = String::from_utf8_lossy(twice).replace("{group}", "what-is-unknown-is-dropped-warned-of-or-refused.example.com");
        talk.send_raw("POST", &format!("{THINGS}?fieldValidation=Strict"), &json, twice.as_bytes()).await;
        talk.send_raw("POST", THINGS, &json, twice.as_bytes()).await;
        talk.say("twice, and unknown");
        let map = br#"{"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a", "name": "odd", "odd": 1, "odd": 2}, "more": 1, "more": {"a": 1, "a": 2}, "data": {"a": "b", "a": "c", "a": "d"}}"#;
        let thing = br#"{"kind": "Thing", "apiVersion": "{group}/v1", "metadata": {"name": "odd", "odd": 1, "odd": 2}, "spec": {"more": 1, "more": {"a": 1, "a": 2}, "size": 1, "size": 2}}"#;
        let thing = String::from_utf8_lossy(thing).replace("{group}", "what-is-unknown-is-dropped-warned-of-or-refused.example.com");
        for (path, body) in [(MAPS, &map[..]), (THINGS, thing.as_bytes())] {
            for validation in ["Strict", "Warn"] {
                let path = format!("{path}?dryRun=All&fieldValidation={validation}");
                talk.send_raw("POST", &path, &json, body).await;
            }
        }
    }

    async fn a_collection_is_deleted_in_pages(talk: &mut Talk) {
        for name in ["a", "b", "c"] {
            talk.prepare(MAPS, json!({"metadata": {"name": name}})).await;
        }
        let some = format!("{MAPS}?limit=2&fieldSelector=metadata.name!%3Dkube-root-ca.crt");
        talk.delete(&format!("{some}&dryRun=All&limit=x")).await;
        talk.delete(&some).await;
        talk.delete(&some).await;
    }

    async fn a_body_of_a_deletion_stands_for_the_query(talk: &mut Talk) {
        for name in ["one", "two"] {
            talk.prepare(MAPS, json!({"metadata": {"name": name}})).await;
        }
        let options = json!({"kind": "DeleteOptions", "apiVersion": "v1"});
        talk.delete_with(&format!("{MAPS}/one?dryRun=All"), options).await;
        talk.get(&format!("{MAPS}/one")).await;
        talk.delete(&format!("{MAPS}/two?dryRun=All")).await;
        talk.get(&format!("{MAPS}/two")).await;
    }

    async fn an_update_creates_some_kinds(talk: &mut Talk) {
        let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles";
        for (path, object) in [
            ("/api/v1/namespaces/{ns}/services", json!({"spec": {"ports": [{"port": 80}]}})),
            ("/api/v1/namespaces/{ns}/endpoints", json!({})),
            ("/api/v1/namespaces/{ns}/limitranges", json!({"spec": {"limits": [{"type": "Pod"}]}})),
            ("/api/v1/namespaces/{ns}/events", json!({"involvedObject": {"namespace": "{ns}"}})),
            (roles, json!({"rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]})),
            (MAPS, json!({})),
            ("/api/v1/namespaces/{ns}/resourcequotas", json!({"spec": {}})),
        ] {
            let mut object = object;
            object["metadata"] = json!({"name": "one"});
            talk.put(&format!("{path}/one"), object).await;
        }
        talk.put(&format!("{roles}/two"), json!({"metadata": {"name": "two", "resourceVersion": "1"}})).await;
        talk.put(&format!("{roles}/three"), json!({"metadata": {"name": "three", "uid": "a"}})).await;
        talk.put(&format!("{roles}/four"), json!({"metadata": {"name": "other"}})).await;
        talk.put(&format!("{roles}/five"), json!({"metadata": {}})).await;
        talk.put(&format!("{roles}/six"), json!({"metadata": {"uid": "a"}})).await;
        talk.put(&format!("{roles}/seven"), json!({"metadata": {"name": "other", "uid": "a"}})).await;
    }

    async fn patches_that_forget_the_version(talk: &mut Talk) {
        const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases";
        const BUDGETS: &str = "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets";
        for all in [LEASES, BUDGETS, "/api/v1/namespaces/{ns}/configmaps"] {
            talk.prepare(all, json!({"metadata": {"name": "one"}})).await;
            let one = &format!("{all}/one");
            let remove = json!([{"op": "remove", "path": "/metadata/resourceVersion"}, {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}]);
            talk.patch("json", one, remove).await;
            talk.patch("json", one, json!([{"op": "replace", "path": "/metadata", "value": {"name": "one", "labels": {"c": "d"}}}])).await;
            for version in [Value::Null, json!(""), json!("0")] {
                talk.patch("merge", one, json!({"metadata": {"resourceVersion": version, "labels": {"e": "f"}}})).await;
                talk.patch("strategic", one, json!({"metadata": {"resourceVersion": version, "labels": {"e": "f"}}})).await;
            }
        }
        talk.patch("merge", &format!("{BUDGETS}/one/status"), json!({"metadata": {"resourceVersion": null}, "status": {"currentHealthy": 1}})).await;
    }

    async fn generations_that_are_sent(talk: &mut Talk) {
        let metadata = json!({"name": "one", "generation": -1});
        for (path, spec) in [
            ("/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies", json!({"podSelector": {}})),
            ("/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets", json!({})),
            ("/api/v1/namespaces/{ns}/configmaps", Value::Null),
            ("/api/v1/namespaces/{ns}/services", json!({"clusterIP": "None", "ports": [{"port": 80}]})),
        ] {
            talk.post(path, json!({"metadata": metadata, "spec": spec})).await;
        }
    }

    async fn bytes_one_by_one(talk: &mut Talk) {
        for (kinds, field) in [("secrets", "data"), ("configmaps", "binaryData")] {
            let path = &format!("/api/v1/namespaces/{{ns}}/{kinds}?dryRun=All");
            for bytes in [json!([97, 98]), json!([]), json!([97, null]), json!([300]), json!([-1]), json!(["a"]), json!([1.5]), json!({"a": 1})] {
                talk.post(path, json!({"metadata": {"name": "one"}, field: {"a": bytes}})).await;
            }
        }
    }
}
