//! Lists of thousands of elements, and aliases of aliases: nothing takes longer than what is sent and kept.

use serde_json::{Value, json};

use super::support::Talk;

/// Thousands of variables, from `first` on.
fn variables(first: usize, value: &str) -> Vec<Value> {
    let variable = |number| json!({"name": format!("V{number}"), "value": value});
    (first..3_000).map(variable).collect()
}

fn template(env: Value) -> Value {
    let spec = json!({"containers": [{"name": "one", "image": "x", "env": env}]});
    json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "one"}, "template": {"spec": spec}})
}

conformance! {
    async fn long_answers_are_packed(talk: &mut Talk) {
        const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
        let map = |name: &str, length: usize| json!({"metadata": {"name": name, "labels": {"length": name}}, "data": {"a": "x".repeat(length)}});
        talk.prepare(MAPS, map("long", 140 * 1024)).await;
        talk.prepare(MAPS, map("short", 120 * 1024)).await;
        let longest = talk.prepare(MAPS, map("longest", 300 * 1024)).await;
        // Twice the same list, whatever else the server writes meanwhile.
        let version = longest["metadata"]["resourceVersion"].as_str().unwrap();
        let list = format!("{MAPS}?resourceVersion={version}&resourceVersionMatch=Exact");
        let one = format!("{MAPS}/long");
        for encoding in ["gzip", "deflate, gzip", "gzip;q=0.5", "deflate", "*", "identity"] {
            talk.get_packed(&one, "application/json", encoding).await;
        }
        for accept in ["application/yaml", "application/vnd.kubernetes.protobuf", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"] {
            talk.get_packed(&one, accept, "gzip").await;
        }
        talk.get_packed(&format!("{MAPS}/short"), "application/json", "gzip").await;
        for selector in ["length=long", "length=short", "length=none", "length=longest", ""] {
            talk.get_packed(&format!("{list}&labelSelector={selector}"), "application/json", "gzip").await;
        }
        for accept in ["application/vnd.kubernetes.protobuf", "application/yaml", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"] {
            talk.get_packed(&list, accept, "gzip").await;
        }
        talk.get_packed("/openapi/v3/version", "application/json", "gzip").await;
        talk.get_packed("/openapi/v3/apis/apps/v1", "application/json", "gzip").await;
        talk.get_packed("/apis/apps/v1", "application/json", "gzip").await;
    }

    async fn patches_of_long_lists(talk: &mut Talk) {
        let (path, one) = ("/api/v1/namespaces/{ns}/podtemplates", "/api/v1/namespaces/{ns}/podtemplates/one");
        talk.prepare(path, template(variables(0, "a").into())).await;
        let mut backwards = variables(0, "b");
        backwards.reverse();
        talk.say("all in another order, and then all of them but three go");
        let body = talk.patch_unsaid("strategic-merge", one, template(backwards.into())).await;
        let env = body["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
        assert!(env.len() == 3_000 && env.iter().all(|variable| variable["value"] == "b"));
        let mut gone: Vec<Value> = variables(3, "c");
        for variable in &mut gone {
            *variable = json!({"$patch": "delete", "name": variable["name"]});
        }
        talk.patch_unsaid("strategic-merge", one, template(gone.into())).await;
        talk.get_picked(one, &[], |object| object["template"]["spec"]["containers"].clone()).await;

        let finalizers: Vec<String> = (0..3_000).map(|number| format!("example.com/f{number}")).collect();
        let metadata = json!({"name": "one", "finalizers": finalizers});
        talk.prepare("/api/v1/namespaces/{ns}/configmaps", json!({"metadata": metadata})).await;
        let patch = json!({"metadata": {"$deleteFromPrimitiveList/finalizers": &finalizers[..2_998]}});
        let one = "/api/v1/namespaces/{ns}/configmaps/one";
        talk.patch_unsaid("strategic-merge", one, patch).await;
        talk.get_picked(one, &[], |object| object["metadata"]["finalizers"].clone()).await;
        let nothing = json!({"metadata": {"finalizers": null}});
        talk.patch_unsaid("merge", one, nothing).await;
    }

    async fn applies_of_long_lists(talk: &mut Talk) {
        let one = "/api/v1/namespaces/{ns}/podtemplates/one?fieldManager=me&force=true";
        for value in ["a", "b"] {
            let body = talk.patch_unsaid("apply", one, template(variables(0, value).into())).await;
            let env = body["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
            assert!(env.len() == 3_000 && env.iter().all(|variable| variable["value"] == value));
        }
        talk.say("all that is not applied any more goes");
        talk.patch("apply", one, template(variables(2_998, "b").into())).await;
    }

    async fn an_update_that_leaves_long_lists_as_they_are(talk: &mut Talk) {
        let schema = |value: Value| {
            let element = json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "value": value}});
            let list = json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": element});
            json!({"openAPIV3Schema": {"type": "object", "properties": {"list": list, "more": {"type": "integer"}}}})
        };
        let version = |schema: Value| json!([{"name": "v1", "served": true, "storage": true, "schema": schema}]);
        let crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        talk.install(json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "longs.{group}"}, "spec": {
            "group": "{group}", "scope": "Namespaced", "names": {"plural": "longs", "singular": "long", "kind": "Long"},
            "versions": version(schema(json!({"type": "string"}))),
        }})).await;
        let path = "/apis/{group}/v1/namespaces/{ns}/longs";
        let long = json!({"apiVersion": "{group}/v1", "kind": "Long", "metadata": {"name": "one"}, "list": variables(0, "too long")});
        talk.prepare(path, long).await;
        let narrow = json!({"spec": {"versions": version(schema(json!({"type": "string", "maxLength": 3})))}});
        talk.patch_unsaid("merge", &format!("{crd}/longs.{{group}}"), narrow).await;
        let two = json!({"apiVersion": "{group}/v1", "kind": "Long", "metadata": {"name": "two"}, "list": variables(2_999, "too long")});
        talk.post_until(&format!("{path}?dryRun=All"), two, |code| code == 422).await;
        talk.patch_unsaid("merge", &format!("{path}/one"), json!({"more": 1})).await;
        talk.get_picked(&format!("{path}/one"), &[], |object| object["more"].clone()).await;
        let mut changed = variables(0, "too long");
        changed[7]["value"] = "too long as well".into();
        talk.patch("merge", &format!("{path}/one"), json!({"list": changed})).await;
    }

    async fn aliases_of_aliases(talk: &mut Talk) {
        let nested = |levels: usize| {
            let mut text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\na0: &a0 [x]\n".to_owned();
            for level in 1..levels {
                let aliases = vec![format!("*a{}", level - 1); 9].join(",");
                text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
            }
            text
        };
        let yaml = [("content-type", "application/yaml")];
        let path = "/api/v1/namespaces/{ns}/configmaps?dryRun=All";
        for levels in [2, 4, 5, 9, 200] {
            talk.send_raw("POST", path, &yaml, nested(levels).as_bytes()).await;
        }
        let apply = [("content-type", "application/apply-patch+yaml")];
        talk.send_raw("PATCH", "/api/v1/namespaces/{ns}/configmaps/one?fieldManager=me", &apply, nested(9).as_bytes()).await;
        talk.send_raw("DELETE", "/api/v1/namespaces/{ns}/configmaps/one", &yaml, nested(9).as_bytes()).await;
    }

    async fn maps_and_secrets_that_hold_too_much(talk: &mut Talk) {
        use base64::Engine;
        const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
        const SECRETS: &str = "/api/v1/namespaces/{ns}/secrets";
        const MEBIBYTE: usize = 1024 * 1024;
        let text = |length: usize| "x".repeat(length);
        let base64 = |length: usize| base64::engine::general_purpose::STANDARD.encode(text(length));
        let secret = |data: Value| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one"}, "data": data});
        let mut typed = secret(json!({"a": base64(MEBIBYTE), "b": base64(1)}));
        typed["type"] = "kubernetes.io/tls".into();
        let with_text = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one"}, "stringData": {"a": text(MEBIBYTE + 1)}});
        for body in [secret(json!({"a": base64(MEBIBYTE + 1)})), typed, with_text] {
            talk.post(SECRETS, body).await;
        }
        let whole = secret(json!({"a": base64(MEBIBYTE)}));
        talk.prepare(SECRETS, whole).await;
        talk.patch("merge", &format!("{SECRETS}/one"), json!({"data": {"b": base64(1)}})).await;
        talk.patch("apply", &format!("{SECRETS}/one?fieldManager=me"), json!({"apiVersion": "v1", "kind": "Secret", "data": {"b": base64(1)}})).await;
        let map = |data: Value, binary: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": data, "binaryData": binary});
        talk.post(MAPS, map(json!({"a": text(MEBIBYTE + 1)}), json!({}))).await;
        talk.post(MAPS, map(json!({"a": text(MEBIBYTE)}), json!({"b": base64(1)}))).await;
        talk.prepare(MAPS, map(json!({"a": text(MEBIBYTE - 2)}), json!({"b": base64(2)}))).await;
        talk.patch("merge", &format!("{MAPS}/one"), json!({"binaryData": {"b": base64(3)}})).await;
        talk.post(SECRETS, json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "two"}, "type": "kubernetes.io/ssh-auth", "data": {"ssh-privatekey": ""}})).await;
    }
}
