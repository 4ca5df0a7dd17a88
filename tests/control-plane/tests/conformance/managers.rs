//! Who owns the fields of kinds that are written in more than one way.

use serde_json::{Value, json};

use super::support::{Talk, thing_crd};

const CORE: &str = "/api/v1/namespaces/{ns}/events";
const NEWER: &str = "/apis/events.k8s.io/v1/namespaces/{ns}/events";
const THINGS: &str = "/apis/{group}/v1/namespaces/{ns}/things";

async fn apply(talk: &mut Talk, path: &str, manager: &str, object: Value) {
    talk.patch("apply", &format!("{path}?fieldManager={manager}"), object)
        .await;
}

fn scale(replicas: Value) -> Value {
    json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "one", "namespace": "{ns}"}, "spec": {"replicas": replicas}})
}

conformance! {
    async fn of_events_in_two_groups(talk: &mut Talk) {
        talk.post(CORE, json!({"metadata": {"name": "one"}, "involvedObject": {"kind": "Pod", "name": "a", "namespace": "{ns}"}, "reason": "R", "message": "m", "type": "Normal", "count": 1})).await;
        talk.patch("merge", &format!("{NEWER}/one?fieldManager=newer"), json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.patch("merge", &format!("{CORE}/one?fieldManager=core"), json!({"count": 2})).await;
        let event = |more: Value| {
            let mut event = json!({
                "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "two"}, "regarding": {"kind": "Pod", "name": "a", "namespace": "{ns}"}, "reason": "R", "note": "m", "type": "Normal",
                "eventTime": "2024-01-01T00:00:00.000000Z", "reportingController": "k8s.io/c", "reportingInstance": "i", "action": "A",
            });
            if let (Some(event), Some(more)) = (event.as_object_mut(), more.as_object()) {
                event.extend(more.clone());
            }
            event
        };
        let two = format!("{NEWER}/two");
        apply(talk, &two, "one", event(json!({}))).await;
        apply(talk, &two, "one", event(json!({"series": {"count": 2, "lastObservedTime": "2024-01-01T00:00:00.000000Z"}}))).await;
        let core = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "two"}, "message": "m", "involvedObject": {"kind": "Pod", "name": "a", "namespace": "{ns}"}});
        apply(talk, &format!("{CORE}/two"), "one", core).await;
        apply(talk, &two, "two", event(json!({}))).await;
    }

    async fn of_the_finalizers_of_namespaces(talk: &mut Talk) {
        const ONE: &str = "/api/v1/namespaces/{ns}-more";
        talk.post("/api/v1/namespaces", json!({"metadata": {"name": "{ns}-more"}, "spec": {"finalizers": ["kubernetes", "x.io/y"]}})).await;
        talk.patch("merge", &format!("{ONE}?fieldManager=one"), json!({"spec": {"finalizers": ["kubernetes"]}, "metadata": {"labels": {"a": "b"}}})).await;
        talk.patch("merge", &format!("{ONE}?fieldManager=two"), json!({"spec": {"finalizers": null}, "metadata": {"labels": {"a": "c"}}})).await;
        let applied = |finalizers: Value| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "{ns}-more"}, "spec": {"finalizers": finalizers}});
        for finalizers in [json!(["kubernetes"]), json!(["kubernetes", "x.io/y"]), json!(null)] {
            apply(talk, ONE, "three", applied(finalizers)).await;
        }
        talk.get(ONE).await;
    }

    async fn of_secrets_without_a_name(talk: &mut Talk) {
        let pod = |name: &str, secrets: Value| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [{"name": "a", "image": "b"}], "imagePullSecrets": secrets}});
        for (name, secrets) in [("one", json!([{}])), ("two", json!([{"name": ""}, {"name": "a"}])), ("three", json!([{}, {}]))] {
            talk.post("/api/v1/namespaces/{ns}/pods", pod(name, secrets)).await;
        }
        apply(talk, "/api/v1/namespaces/{ns}/pods/four", "one", pod("four", json!([{}]))).await;
    }

    async fn of_numbers_that_are_applied(talk: &mut Talk) {
        let number = json!({"type": "object", "properties": {"replicas": {"type": "integer"}}});
        let spec = json!({"type": "object", "properties": {"replicas": {"type": "integer"}, "a": {"type": "string"}}});
        talk.install(thing_crd(json!({
            "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": number}}},
            "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
        }))).await;
        let one = format!("{THINGS}/one");
        let scaled = format!("{one}/scale");
        let thing = |part: &str, value: Value| json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, part: value});
        apply(talk, &one, "main", thing("spec", json!({"replicas": 1, "a": "x"}))).await;
        apply(talk, &format!("{one}/status"), "status", thing("status", json!({"replicas": 1}))).await;
        apply(talk, &scaled, "first", scale(json!(1))).await;
        talk.get(&one).await;
        apply(talk, &scaled, "first", scale(json!(2))).await;
        talk.patch("apply", &format!("{scaled}?fieldManager=first&force=true"), scale(json!(2))).await;
        talk.say("what says more than the number");
        let mut labelled = scale(json!(1));
        labelled["metadata"]["labels"] = json!({"a": "b"});
        apply(talk, &scaled, "second", labelled).await;
        let mut said = scale(json!(1));
        said["status"] = json!({"replicas": 4});
        apply(talk, &scaled, "second", said).await;
        talk.get(&one).await;
        apply(talk, &scaled, "main", scale(json!(1))).await;
        talk.get(&one).await;
    }

    async fn of_elements_that_numbers_name(talk: &mut Talk) {
        let list = |keys: Value, properties: Value| json!({
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys,
            "items": {"type": "object", "required": ["k"], "properties": properties},
        });
        let text = json!({"type": "string"});
        let spec = json!({"type": "object", "properties": {
            "one": list(json!(["k"]), json!({"k": {"type": "number"}, "v": text})),
            "two": list(json!(["k", "b"]), json!({"k": {"type": "integer"}, "b": {"type": "boolean", "default": false}, "v": text})),
        }});
        talk.install(thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}}))).await;
        let thing = |spec: Value| json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": spec});
        for spec in [
            json!({"one": [{"k": 1, "v": "a"}, {"k": 1.0, "v": "b"}]}), json!({"one": [{"k": 1.5, "v": "a"}, {"k": 1.5, "v": "b"}]}), json!({"one": [{"k": 1e3}]}),
            json!({"two": [{"k": 1, "b": true}, {"k": 1}]}), json!({"two": [{"k": 1}, {"k": 1.0}]}),
        ] {
            talk.post(&format!("{THINGS}?dryRun=All"), thing(spec)).await;
        }
        let one = format!("{THINGS}/one");
        apply(talk, &one, "one", thing(json!({"one": [{"k": 1, "v": "a"}], "two": [{"k": 1, "b": true, "v": "x"}]}))).await;
        apply(talk, &one, "two", thing(json!({"one": [{"k": 1.0, "v": "b"}]}))).await;
        apply(talk, &one, "two", thing(json!({"one": [{"k": 1.0, "v": "a"}, {"k": 1.5}], "two": [{"k": 1}]}))).await;
        apply(talk, &one, "three", thing(json!({"one": [{"k": 1}, {"k": 1.0}]}))).await;
        apply(talk, &one, "two", thing(json!({"two": []}))).await;
    }

    async fn that_objects_are_sent_with(talk: &mut Talk) {
        const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
        let entry = |version: &str, fields: Value| json!({"manager": "other", "operation": "Update", "apiVersion": version, "fieldsType": "FieldsV1", "fieldsV1": fields});
        let data = json!({"f:data": {"f:a": {}}});
        let with = |name: &str, value: &str| {
            let mut entry = entry("v1", data.clone());
            entry[name] = value.into();
            entry
        };
        let mut all: Vec<Value> = ["v1", "v2", "extensions/v1beta1", "x.y/v1", "a/b/c", ""].map(|version| entry(version, data.clone())).to_vec();
        all.extend([json!({"f:data": {"f:none": {}}}), json!({"f:none": {}}), json!({"i:{}": {}}), json!({"i:1": {}}), json!({"q:1": {}}), json!({"k:{\"a\":1}": {}}), json!({"k:1": {}}), json!({"v:1": {}}), json!(5)].map(|fields| entry("v1", fields)));
        all.extend([with("operation", "Apply"), with("operation", "Odd"), with("fieldsType", "Odd"), with("subresource", "status"), with("time", "2020-01-01T00:00:00Z")]);
        all.extend([with("manager", "a\nb"), with("manager", "\u{e9}\u{200b}"), with("manager", &"a".repeat(129)), with("subresource", &"a".repeat(257))]);
        for (at, entry) in all.into_iter().enumerate() {
            let name = format!("made-{at}");
            let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "managedFields": [entry]}, "data": {"a": "b"}});
            talk.post(MAPS, map).await;
            let name = format!("sent-{at}");
            let mut map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "b"}});
            talk.prepare(MAPS, map.clone()).await;
            map["metadata"]["managedFields"] = json!([entry]);
            let one = &format!("{MAPS}/{name}");
            talk.put(one, map).await;
            talk.patch("merge", one, json!({"metadata": {"managedFields": [entry, entry]}, "data": {"c": "d"}})).await;
            apply(talk, one, "me", json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"e": "f"}})).await;
        }
    }

    async fn names_that_could_be_markup(talk: &mut Talk) {
        let element = json!({"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "v": {"type": "string"}}});
        let fields = json!({
            "list": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": element},
            "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}, "map": {"type": "object", "additionalProperties": {"type": "string"}},
        });
        talk.install(thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": fields}}}))).await;
        let one = &format!("{THINGS}/one");
        let saying = |value: &str, set: &[&str]| json!({
            "apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, "list": [{"k": "<a>&", "v": value}], "set": set, "map": {"<&": value},
        });
        talk.post(THINGS, saying("0", &["<", ">&"])).await;
        for (manager, thing) in [
            ("a&force=true", saying("1", &["<"])), ("b", saying("2", &["<"])), ("b&force=true", saying("2", &["<", "&"])), ("a", json!({"apiVersion": "{group}/v1", "kind": "Thing", "list": [{"k": "z"}]})),
        ] {
            apply(talk, one, manager, thing).await;
        }
        talk.patch("merge", one, json!({"set": ["a\u{2028}", "b\u{2029}c"]})).await;
        talk.patch("merge", one, json!({"set": ["a<"], "list": [{"k": "<a>&"}]})).await;
    }

    async fn in_other_versions(talk: &mut Talk) {
        talk.install(thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}))).await;
        let entry = |version: &str, operation: &str| json!({"manager": "other", "operation": operation, "apiVersion": version, "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}}});
        let scaled = "/apis/apps/v1/namespaces/{ns}/replicasets";
        let versions = ["{group}/v1", "{group}/v2", "x.net/v1", "v1", "a/b/c", "", "apps/v1", "apps/v1beta2", "extensions/v1beta1"];
        for (at, version) in versions.into_iter().enumerate() {
            for operation in ["Update", "Apply"] {
                let name = format!("{}-{at}", operation.to_lowercase());
                let entries = json!([entry(version, operation)]);
                let thing = json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": name, "managedFields": entries}, "spec": 1});
                let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": name, "managedFields": entries}, "spec": {
                    "replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}},
                }});
                for (path, object) in [(THINGS, thing), (scaled, set)] {
                    talk.post(path, object).await;
                    talk.patch("merge", &format!("{path}/{name}"), json!({"metadata": {"managedFields": entries, "labels": {"a": "b"}}})).await;
                }
            }
        }
    }
}
