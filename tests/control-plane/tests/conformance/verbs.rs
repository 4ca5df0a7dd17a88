//! What each verb does where it is seldom sent.

use serde_json::{Value, json};

use super::support::{Talk, map, thing_crd};

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const THINGS: &str = "/apis/{group}/v1/namespaces/{ns}/things";

async fn install(talk: &Talk) {
    let spec = json!({"type": "object", "properties": {"replicas": {"type": "integer"}}});
    let scale =
        json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"});
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    talk.install(thing_crd(json!({
        "name": "v1", "served": true, "storage": true,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": open}}},
        "subresources": {"status": {}, "scale": scale},
    })))
    .await;
}

fn thing(name: &str) -> Value {
    json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": name}, "spec": {"replicas": 1}})
}

conformance! {
    async fn heads_of_custom_resources(talk: &mut Talk) {
        install(talk).await;
        talk.prepare(THINGS, thing("one")).await;
        for path in ["", "/one", "/one/status", "/one/scale", "/none", "/none/scale", "?limit=1", "?watch=1&timeoutSeconds=1", "/one/odd"] {
            talk.send("HEAD", &format!("{THINGS}{path}"), &[], None).await;
        }
        for path in ["/apis/{group}/v1", "/apis/{group}", "/apis/{group}/v1/things", "/apis/{group}/v2"] {
            talk.send("HEAD", path, &[], None).await;
            talk.send("OPTIONS", path, &[], None).await;
        }
    }

    async fn verbs_without_a_name_of_their_own(talk: &mut Talk) {
        install(talk).await;
        talk.prepare(THINGS, thing("one")).await;
        for verb in ["OPTIONS", "TRACE", "FETCH"] {
            for path in ["", "/one", "/one/status", "/one/scale", "/none"] {
                talk.send(verb, &format!("{THINGS}{path}"), &[], None).await;
            }
        }
    }

    async fn custom_resources_are_created_where_they_are_to_be(talk: &mut Talk) {
        install(talk).await;
        let one = &format!("{THINGS}/one");
        talk.post(one, json!({})).await;
        talk.post(one, thing("two")).await;
        talk.post(one, thing("one")).await;
        talk.post(one, thing("one")).await;
        talk.post(&format!("{THINGS}/three"), json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {}})).await;
        talk.post(&format!("{one}/status"), thing("one")).await;
        talk.post(&format!("{one}/scale"), thing("one")).await;
    }

    async fn collections_of_custom_resources_are_not_written(talk: &mut Talk) {
        install(talk).await;
        talk.put(THINGS, thing("one")).await;
        talk.put(THINGS, json!({})).await;
        for kind in ["json", "merge", "strategic-merge", "apply"] {
            talk.patch(kind, THINGS, json!({})).await;
        }
        talk.patch("apply", &format!("{THINGS}?fieldManager=a"), thing("one")).await;
        for path in ["/apis/{group}/v1/things", "/apis/{group}/v1/things/one"] {
            talk.post(path, thing("one")).await;
            talk.put(path, thing("one")).await;
            talk.patch("merge", path, json!({})).await;
            talk.delete(path).await;
        }
    }

    async fn a_request_is_called_as_its_client_says(talk: &mut Talk) {
        for name in ["abc", "not one word", "", "a-long-one-a-long-one-a-long-one-a-long-one-a-long-one-a-long-one-a-long-one-a-long-one-a-long-one"] {
            talk.send("GET", &format!("{MAPS}/nobody"), &[("audit-id", name)], None).await;
        }
        talk.ask_as(super::support::Who::Stranger);
        talk.send("GET", "/api", &[("audit-id", "stranger")], None).await;
    }

    async fn how_long_a_request_may_take(talk: &mut Talk) {
        install(talk).await;
        talk.prepare(MAPS, map("one", json!({}))).await;
        for timeout in ["x", "1", "1q", "", "-1s", "0", "1h", "1.5h2m", ".s", "1h2", "1%C3%A9", "9999999999999h", "1e3s", "%2B1s", "-", "1us2", "1%C2%B5s2"] {
            talk.get_picked(&format!("{MAPS}/one?timeout={timeout}"), &[], |answer| match answer["kind"] == "Status" {
                true => answer.clone(),
                false => answer["kind"].clone(),
            })
            .await;
        }
        for path in ["/version", "/apis", "/api/v1", "/apis/{group}/v1", "/apis/{group}/v1/things", "/nowhere", "/healthz", "/openapi/v2", "/api/v1/namespaces/log/configmaps", "/api/v1/namespaces/{ns}/configmaps/log", "/api/v1/proxy/nodes/a"] {
            talk.get_picked(&format!("{path}?timeout=x"), &[], Value::clone).await;
        }
        talk.post(&format!("{MAPS}?timeout=zz"), map("two", json!({}))).await;
        talk.put(&format!("{MAPS}/one?timeout=zz"), map("one", json!({}))).await;
        talk.patch("merge", &format!("{MAPS}/one?timeout=zz"), json!({})).await;
        talk.delete(&format!("{MAPS}/one?timeout=zz")).await;
        talk.delete(&format!("{MAPS}?timeout=zz")).await;
        let mut watch = talk.watch(&format!("{MAPS}?watch=1&timeout=zz&timeoutSeconds=1&fieldSelector=metadata.name%3Dnone")).await;
        talk.end_of(&mut watch).await;
    }

    async fn a_list_that_is_asked_for_of_one_object(talk: &mut Talk) {
        install(talk).await;
        talk.prepare(MAPS, map("one", json!({}))).await;
        talk.prepare(THINGS, thing("one")).await;
        for path in [MAPS, THINGS] {
            for name in ["one", "none"] {
                let accept = [("accept", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")];
                let path = format!("{path}/{name}");
                talk.send("GET", &path, &accept, None).await;
                talk.send("PATCH", &path, &[accept[0], ("content-type", "application/merge-patch+json")], Some(json!({}))).await;
                talk.send("DELETE", &format!("{path}?dryRun=All"), &accept, None).await;
            }
        }
    }

    async fn a_name_that_was_to_be_generated_is_taken(talk: &mut Talk) {
        install(talk).await;
        let named = |mut object: Value| {
            object["metadata"]["generateName"] = "g-".into();
            object
        };
        for (path, object) in [(MAPS, map("one", json!({}))), (THINGS, thing("one"))] {
            talk.post(path, named(object.clone())).await;
            talk.post(path, named(object)).await;
        }
        let mut held = named(map("held", json!({})));
        held["metadata"]["finalizers"] = json!(["example.com/a"]);
        talk.post(MAPS, held.clone()).await;
        talk.delete(&format!("{MAPS}/held")).await;
        talk.post(MAPS, held).await;
        talk.patch("json", &format!("{MAPS}/held"), json!([{"op": "remove", "path": "/metadata/finalizers"}])).await;
    }

    async fn controllers_and_events_are_deleted(talk: &mut Talk) {
        const CONTROLLERS: &str = "/api/v1/namespaces/{ns}/replicationcontrollers";
        const EVENTS: &str = "/api/v1/namespaces/{ns}/events";
        const OTHER_EVENTS: &str = "/apis/events.k8s.io/v1/namespaces/{ns}/events";
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}});
        let controller = json!({"metadata": {"name": "one"}, "spec": {"replicas": 0, "selector": {"a": "b"}, "template": template}});
        let event = json!({"metadata": {"name": "one"}, "involvedObject": {"kind": "Pod", "name": "a", "namespace": "{ns}"}});
        for options in [json!({"propagationPolicy": "Background"}), json!({"orphanDependents": false})] {
            talk.prepare(CONTROLLERS, controller.clone()).await;
            talk.delete_with(&format!("{CONTROLLERS}/one"), options).await;
        }
        for path in [EVENTS, OTHER_EVENTS] {
            for options in [
                json!({"propagationPolicy": "Orphan"}), json!({"propagationPolicy": "Foreground"}), json!({"propagationPolicy": "Background"}),
                json!({"orphanDependents": true}), json!({"orphanDependents": false}), json!({}),
            ] {
                talk.prepare(EVENTS, event.clone()).await;
                talk.delete_with(&format!("{path}/one"), options).await;
                talk.get(&format!("{path}/one")).await;
            }
        }
    }

    async fn paths_that_name_no_namespace(talk: &mut Talk) {
        install(talk).await;
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}});
        let own = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "{ns}"}});
        let set = json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "one"}});
        for (path, bodies) in [
            ("/api/v1/namespaces/NAMESPACE/configmaps", vec![map, own]),
            ("/apis/apps/v1/namespaces/NAMESPACE/daemonsets", vec![set]),
            ("/apis/{group}/v1/namespaces/NAMESPACE/things", vec![thing("one")]),
        ] {
            for namespace in ["", ".", "..", "%2e", "%2E%2e"] {
                let path = path.replace("NAMESPACE", namespace);
                for body in &bodies {
                    talk.post(&path, body.clone()).await;
                    talk.post(&format!("{path}?dryRun=All"), body.clone()).await;
                    talk.put(&format!("{path}/one"), body.clone()).await;
                }
                talk.patch("merge", &format!("{path}/one"), json!({})).await;
                // Of another namespace's case there may be some.
                if !(namespace.is_empty() && path.contains("daemonsets")) {
                    talk.delete(&path).await;
                }
                talk.delete(&format!("{path}/one")).await;
                talk.get(&format!("{path}/one")).await;
                if !namespace.is_empty() {
                    talk.get(&path).await;
                    talk.get(&format!("{path}?fieldSelector=metadata.name=two")).await;
                    talk.get(&format!("{path}?watch=true&timeoutSeconds=1")).await;
                }
            }
        }
        for path in ["/apis//", "/apis//v1", "/apis///"] {
            talk.get(path).await;
        }
    }
}
