//! What the test suites of Kubernetes itself have found.

use serde_json::{Value, json};

use super::support::{Talk, extend};

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const CONFIG_MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/{ns}/deployments";
const STATEFUL_SETS: &str = "/apis/apps/v1/namespaces/{ns}/statefulsets";
const PODS: &str = "/api/v1/namespaces/{ns}/pods";

fn pods() -> Value {
    json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": "web:1", "resources": {"limits": {"memory": "2048Mi"}}}], "nodeSelector": {}},
    })
}

/// Waits until a server writes another time than this.
async fn later(talk: &Talk, object: &Value) {
    let path = format!("{CONFIG_MAPS}/clock?dryRun=All&fieldManager=clock");
    let clock = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "clock"}});
    let time = &object["metadata"]["managedFields"][0]["time"];
    assert!(time.is_string());
    let is_later = |body: &Value| body["metadata"]["creationTimestamp"].as_str() > time.as_str();
    talk.until_patched("apply", &path, clock, is_later).await;
}

conformance! {
    async fn what_is_null_in_a_list_or_a_map(talk: &mut Talk) {
        let dry = |path: &str| format!("{path}?dryRun=All");
        let container = |more: Value| {
            let mut container = json!({"name": "main", "image": "web:1"});
            extend(&mut container, &more);
            container
        };
        for more in [
            json!({"args": [null], "command": [null, "x"]}),
            json!({"resources": {"limits": {"cpu": null}, "requests": {"memory": null}}}),
            json!({"ports": [null]}),
            json!({"env": [null, {"name": "a", "value": null}]}),
        ] {
            talk.post(&dry(PODS), json!({"metadata": {"name": "one"}, "spec": {"containers": [container(more)]}})).await;
        }
        for mut spec in [
            json!({"volumes": [null]}),
            json!({"nodeSelector": {"a": null}, "securityContext": {"supplementalGroups": [null, 3]}}),
            json!({"hostAliases": [{"ip": "192.0.2.1", "hostnames": [null]}]}),
            json!({"containers": [null]}),
        ] {
            spec.as_object_mut().unwrap().entry("containers").or_insert_with(|| json!([container(json!({}))]));
            talk.post(&dry(PODS), json!({"metadata": {"name": "one"}, "spec": spec})).await;
        }
        talk.post(&dry(CONFIG_MAPS), json!({"metadata": {"name": "one", "labels": {"a": null}}, "data": {"a": null}, "binaryData": {"b": null}})).await;
        talk.post(&dry(CONFIG_MAPS), json!({"metadata": {"name": "one", "finalizers": [null]}})).await;
        let hard = json!({"limits.cpu": null, "requests.memory": "1Gi"});
        talk.post(&dry("/api/v1/namespaces/{ns}/resourcequotas"), json!({"metadata": {"name": "one"}, "spec": {"hard": hard}})).await;
        talk.post(&dry("/api/v1/namespaces/{ns}/resourcequotas"), json!({"metadata": {"name": "one"}, "spec": {"hard": hard, "scopes": [null]}})).await;
        let limits = json!([{"type": "Container", "max": {"cpu": null}}]);
        talk.post(&dry("/api/v1/namespaces/{ns}/limitranges"), json!({"metadata": {"name": "one"}, "spec": {"limits": limits}})).await;
        let slice = json!({"metadata": {"name": "one"}, "addressType": "IPv4", "endpoints": [{"addresses": ["192.0.2.1"]}], "ports": [null]});
        talk.post(&dry("/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices"), slice).await;
        let ingress = json!({"metadata": {"name": "one"}, "spec": {"rules": [null], "tls": [{"hosts": [null]}]}});
        talk.post(&dry("/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses"), ingress).await;
    }

    async fn what_is_applied_again_stays_as_it_is(talk: &mut Talk) {
        let config_map = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}, "metadata": {
            "name": "one", "creationTimestamp": null, "resourceVersion": null,
        }});
        let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "one", "annotations": {}, "labels": null}, "spec": {
            "selector": {"matchLabels": {"app": "web"}}, "template": pods(),
        }});
        let stateful_set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "one"}, "spec": {
            "serviceName": "web", "selector": {"matchLabels": {"app": "web"}}, "template": pods(),
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}}}],
        }});
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"reference": {
            "type": "object", "x-kubernetes-map-type": "atomic", "properties": {"name": {"type": "string"}, "namespace": {"type": "string", "default": "usual"}},
        }}}}});
        talk.install(super::support::thing_crd(json!({
            "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema},
        }))).await;
        let thing = json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": {"reference": {"name": "a"}}});
        for (path, applied) in [
            (CONFIG_MAPS, config_map), (DEPLOYMENTS, deployment), (STATEFUL_SETS, stateful_set), ("/apis/{group}/v1/namespaces/{ns}/things", thing),
        ] {
            let path = format!("{path}/one?fieldManager=one");
            let first = talk.patch("apply", &path, applied.clone()).await.body;
            later(talk, &first).await;
            let again = talk.patch("apply", &path, applied.clone()).await.body;
            assert_eq!(first["metadata"]["managedFields"], again["metadata"]["managedFields"]);
            assert_eq!(first["metadata"]["resourceVersion"], again["metadata"]["resourceVersion"]);
        }
    }

    async fn a_status_leaves_metadata_alone(talk: &mut Talk) {
        const FLOWS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas";
        // It is there: what has lost all of its owners is deleted.
        let owner = talk.prepare(CONFIG_MAPS, json!({"metadata": {"name": "a"}})).await;
        let metadata = json!({"labels": {"a": "b"}, "annotations": {"a": "b"}, "finalizers": ["example.com/a"], "ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": owner["metadata"]["uid"]},
        ]});
        talk.post(DEPLOYMENTS, json!({"metadata": {"name": "one"}, "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": pods()}})).await;
        talk.patch("merge", &format!("{DEPLOYMENTS}/one/status"), json!({"metadata": metadata, "status": {"replicas": 1}})).await;
        let applied = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"labels": {"x": "y"}, "annotations": {"x": "y"}}, "status": {"replicas": 2}});
        talk.patch("apply", &format!("{DEPLOYMENTS}/one/status?fieldManager=two&force=true"), applied).await;
        talk.post(PODS, json!({"metadata": {"name": "one"}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}})).await;
        let mut deleted = metadata.clone();
        deleted["deletionTimestamp"] = "2020-01-01T00:00:00Z".into();
        talk.patch("merge", &format!("{PODS}/one/status"), json!({"metadata": deleted, "status": {"phase": "Running", "qosClass": null}})).await;
        let applied = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z", "labels": {"x": "y"}}, "status": {"message": "a"}});
        talk.patch("apply", &format!("{PODS}/one/status?fieldManager=two"), applied).await;
        let volume = json!({"metadata": {"name": "attached-{ns}"}, "spec": {"attacher": "a.example.com", "nodeName": "a", "source": {"persistentVolumeName": "a"}}});
        talk.post("/apis/storage.k8s.io/v1/volumeattachments", volume).await;
        let path = "/apis/storage.k8s.io/v1/volumeattachments/attached-{ns}";
        talk.patch("merge", &format!("{path}/status"), json!({"metadata": metadata, "status": {"attached": true}})).await;
        let applied = json!({"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"labels": {"x": "y"}}, "status": {"attached": false}});
        talk.patch("apply", &format!("{path}/status?fieldManager=two&force=true"), applied).await;
        let flow = json!({"metadata": {"name": "flow-{ns}"}, "spec": {"priorityLevelConfiguration": {"name": "exempt"}}});
        // A controller of the real server writes its status meanwhile.
        talk.prepare(FLOWS, flow).await;
        talk.patch_unsaid("merge", &format!("{FLOWS}/flow-{{ns}}/status"), json!({"metadata": metadata})).await;
        talk.get_picked(&format!("{FLOWS}/flow-{{ns}}"), &[], |flow| {
            ["labels", "annotations", "finalizers", "ownerReferences"].map(|field| flow["metadata"][field].clone()).into_iter().collect()
        }).await;
    }

    async fn all_that_is_said_twice_is_told(talk: &mut Talk) {
        let yaml = [("content-type", "application/yaml")];
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n  name: two\n  odd: 1\n  labels:\n    a: b\n  labels:\n    c: d\n    c: e\n  \
            annotations: {a: b, a: c}\ndata:\n  1: a\n  1: b\n  true: a\n  true: b\n  x: null\n  x: z\n  z: |\n    a\n  z: >\n    b\n\
            other:\n- a: 1\n  a: 2\n- b: {c: 1, c: 2}\n  b: 3\nother: []\n";
        for how in ["Strict", "Warn", "Ignore"] {
            talk.send_raw("POST", &format!("{CONFIG_MAPS}?dryRun=All&fieldValidation={how}"), &yaml, text.as_bytes()).await;
        }
        let apply = [("content-type", "application/apply-patch+yaml")];
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n  name: one\ndata:\n  a: v\n  b: v\n  b: w\n  a: w\n";
        for how in ["Strict", "Warn"] {
            talk.send_raw("PATCH", &format!("{CONFIG_MAPS}/one?dryRun=All&fieldValidation={how}&fieldManager=a"), &apply, text.as_bytes()).await;
        }
        talk.post(CONFIG_MAPS, json!({"metadata": {"name": "two"}})).await;
        let json = [("content-type", "application/json-patch+json")];
        let text = r#"[{"op": "add", "foo": 1, "path": "/data", "value": {}}, {"op": "add", "path": "/metadata/x", "path": "/data/a", "value": "b", "foo": 2}]"#;
        for how in ["Strict", "Warn"] {
            talk.send_raw("PATCH", &format!("{CONFIG_MAPS}/two?fieldValidation={how}"), &json, text.as_bytes()).await;
        }
    }

    async fn an_export_is_refused(talk: &mut Talk) {
        for query in ["export=true", "export=false", "export=", "export", "export=odd"] {
            talk.get(&format!("/api/v1/namespaces/{{ns}}?{query}")).await;
            talk.get_picked(&format!("{CONFIG_MAPS}?{query}"), &[], |told| told["message"].clone()).await;
        }
    }

    async fn schemas_are_structural(talk: &mut Talk) {
        let either = json!([{"type": "integer"}, {"type": "string"}]);
        let list = json!({"type": "array", "items": {"type": "string"}});
        let mut schemas = vec![
            json!({"x-kubernetes-preserve-unknown-fields": true, "x-kubernetes-int-or-string": true}),
            json!({"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-int-or-string": true, "properties": {"a": {"type": "string"}}}),
            json!({"type": "", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true}),
            json!({"type": "object", "properties": {"list": list}, "not": {"properties": {"list": {"items": [{"type": "string"}]}}}}),
        ];
        for nested in [
            json!({"x-kubernetes-int-or-string": true}),
            json!({"x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true}),
            json!({"nullable": true, "title": "a", "description": "b", "type": "object"}),
            json!({"additionalProperties": {"type": "string"}, "default": {}}),
        ] {
            let whole = json!({"type": "object", "additionalProperties": {"type": "string"}});
            schemas.push(json!({"type": "object", "properties": {"a": whole}, "oneOf": [{"properties": {"a": nested}}]}));
        }
        for told_apart in [
            json!({"anyOf": either}),
            json!({"allOf": [{"anyOf": either}, {"maximum": 3}]}),
            json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
            json!({"oneOf": either}),
            json!({"allOf": [{"maximum": 3}, {"anyOf": either}]}),
            json!({"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 3}]}),
        ] {
            let mut field = told_apart;
            field["x-kubernetes-int-or-string"] = true.into();
            schemas.push(json!({"type": "object", "properties": {"a": field}}));
        }
        schemas.push(json!({"type": "object", "properties": {"a": {"type": "string", "anyOf": either}}}));
        for schema in schemas {
            let crd = super::support::thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}));
            talk.post(&format!("{CRDS}?dryRun=All"), crd).await;
        }
    }

    async fn whole_objects_in_objects(talk: &mut Talk) {
        let whole = |more: Value| {
            let mut whole = json!({"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true});
            if let (Some(all), Some(more)) = (whole.as_object_mut(), more.as_object()) {
                all.extend(more.clone());
            }
            whole
        };
        let said = json!({"apiVersion": "a/v1", "kind": "A", "metadata": {"name": "a", "odd": "b"}});
        let fields = json!({
            "apiVersion": {"type": "string", "default": "a/v1"}, "kind": {"type": "string", "default": "A"},
            "metadata": {"type": "object", "properties": {"name": {"type": "string", "default": "a"}, "odd": {"type": "string", "default": "b"}}},
        });
        let mut of_metadata = fields.clone();
        of_metadata["metadata"] = json!({"type": "object", "default": {"name": "a", "odd": "b"}});
        let schema = json!({"type": "object", "properties": {
            "apiVersion": {"type": "string", "pattern": "/v1$"}, "kind": {"type": "string", "maxLength": 5},
            "plain": whole(json!({})), "fields": whole(json!({"properties": fields})), "metadatas": whole(json!({"properties": of_metadata})),
            "object": whole(json!({"default": said})),
            "around": {"type": "object", "properties": {"inner": whole(json!({}))}, "default": {"inner": said}},
            "list": {"type": "array", "items": {"type": "string"}, "default": []}, "map": {"type": "object", "default": {}},
        }});
        let version = |name: &str| json!({"name": name, "served": true, "storage": name == "v1", "schema": {"openAPIV3Schema": schema}});
        let mut crd = super::support::thing_crd(version("v1"));
        crd["spec"]["versions"] = json!([version("v1"), version("v2")]);
        talk.install(crd).await;
        let path = "/apis/{group}/v1/namespaces/{ns}/things";
        let thing = |name: &str, plain: Value| {
            json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": name}, "plain": plain, "fields": {"metadata": {}}, "metadatas": {}})
        };
        talk.post(path, thing("one", json!({"apiVersion": "a/v1", "kind": "A", "metadata": {"name": "a", "odd": 1, "labels": {"a": "b"}}}))).await;
        talk.patch("merge", "/apis/{group}/v2/namespaces/{ns}/things/one", json!({"list": ["a"]})).await;
        for wrong in [
            json!({"apiVersion": "a/v1", "kind": "A", "metadata": {"namespace": 42}}),
            json!({"apiVersion": "a/v1", "kind": "A", "metadata": {"labels": {"a": 1}}}),
            json!({"apiVersion": "a/v1", "kind": "A", "metadata": "a"}),
            json!({"apiVersion": 1, "kind": "A"}),
            json!({"apiVersion": "a/v1", "kind": "%", "metadata": {"name": "a"}}),
            json!({"apiVersion": "a/b/c", "kind": ""}),
            json!({"kind": "A"}),
        ] {
            talk.post(path, thing("two", wrong)).await;
        }
    }

    async fn lists_that_were_wrong_may_stay_so(talk: &mut Talk) {
        let item = |required: Value| json!({"type": "object", "required": required, "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}});
        let schema = |keys: Value| json!({"type": "object", "properties": {
            "map": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys, "items": item(json!(["a", "b"]))},
            "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "integer"}},
        }});
        let version = |keys: Value| json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema(keys)}});
        talk.install(super::support::thing_crd(version(json!(["a", "b"])))).await;
        let path = "/apis/{group}/v1/namespaces/{ns}/things";
        let mut thing = json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, "map": [{"a": 1, "b": 1}, {"a": 1, "b": 2}], "set": [1, 2]});
        talk.post(path, thing.clone()).await;
        thing["map"] = json!([{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 1, "b": 1}]);
        thing["set"] = json!([1, 2, 1]);
        talk.patch("merge", &format!("{path}/one"), thing.clone()).await;
        let crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}";
        talk.patch_unsaid("merge", crd, json!({"spec": {"versions": [version(json!(["a"]))]}})).await;
        talk.until_patched("merge", &format!("{path}/one"), thing, |body| body["kind"] == "Thing").await;
        talk.get(&format!("{path}/one")).await;
        talk.say("In another order, and of a version that is refused since");
        let mut limited = version(json!(["a", "b"]));
        limited["schema"]["openAPIV3Schema"]["properties"]["map"]["maxItems"] = 1.into();
        talk.patch_unsaid("merge", &format!("{path}/one"), json!({"map": [{"a": 1, "b": 1}, {"a": 1, "b": 2}], "set": [1]})).await;
        talk.patch_unsaid("merge", crd, json!({"spec": {"versions": [limited]}})).await;
        let dry = format!("{path}/two?dryRun=All&fieldManager=one");
        let two = json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "two"}, "map": [{"a": 1, "b": 1}, {"a": 1, "b": 2}]});
        talk.until_patched("apply", &dry, two.clone(), |body| body["kind"] == "Status").await;
        talk.patch("merge", &format!("{path}/one"), json!({"map": [{"a": 1, "b": 2}, {"a": 1, "b": 1}]})).await;
        talk.patch("merge", &format!("{path}/one"), json!({"map": [{"a": 1, "b": 2}, {"a": 1, "b": 3}]})).await;
        limited["schema"]["openAPIV3Schema"]["properties"]["apiVersion"] = json!({"type": "string", "pattern": "v2$"});
        limited["schema"]["openAPIV3Schema"]["properties"]["map"]["maxItems"] = 3.into();
        talk.patch_unsaid("merge", crd, json!({"spec": {"versions": [limited]}})).await;
        let refused = |body: &Value| body["message"].as_str().is_some_and(|message| message.contains("v2"));
        talk.until_patched("apply", &dry, two, refused).await;
        talk.patch("merge", &format!("{path}/one"), json!({"set": [3]})).await;
    }

    async fn a_webhook_has_certificates(talk: &mut Talk) {
        const CRD: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}";
        let conversion = |bundle: &str| json!({"strategy": "Webhook", "webhook": {
            "conversionReviewVersions": ["v1"], "clientConfig": {"caBundle": bundle, "service": {"namespace": "default", "name": "a"}},
        }});
        let established = |crd: &Value| {
            let conditions = crd["status"]["conditions"].as_array().cloned().unwrap_or_default();
            conditions.into_iter().find(|one| one["type"] == "Established").unwrap_or_default()
        };
        let mut crd = super::support::thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}));
        crd["spec"]["conversion"] = conversion("Cg==");
        talk.prepare(CRDS, crd).await;
        talk.until(CRD, |_, crd| established(crd)["reason"] == "InvalidCABundle").await;
        talk.get_picked(CRD, &[], established).await;
        talk.patch_unsaid("merge", CRD, json!({"spec": {"conversion": {"strategy": "None", "webhook": null}}})).await;
        talk.until(CRD, |_, crd| established(crd)["status"] == "True").await;
        talk.get_picked(CRD, &[], established).await;
        talk.patch("merge", CRD, json!({"spec": {"conversion": conversion("Cg==")}})).await;
    }

    async fn what_is_too_large_is_not_stored(talk: &mut Talk) {
        const REVISIONS: &str = "/apis/apps/v1/namespaces/{ns}/controllerrevisions";
        let revision = |name: &str, length: usize| json!({"metadata": {"name": name}, "revision": 1, "data": {"a": "x".repeat(length)}});
        talk.unsaid("POST", REVISIONS, Some(revision("large", 1_400_000))).await;
        talk.post(REVISIONS, revision("too-large", 1_700_000)).await;
        talk.patch("merge", &format!("{REVISIONS}/large"), json!({"metadata": {"annotations": {"a": "x".repeat(230_000)}}})).await;
        talk.get_picked(REVISIONS, &[], |list| list["items"].as_array().into_iter().flatten().map(|one| one["metadata"]["name"].clone()).collect()).await;
        talk.say("Who owns what is forgotten first");
        let keys = (0..9_999).map(|number| (format!("this-key-is-very-long-so-as-to-create-a-very-large-serialized-fieldset-{number}"), json!("A")));
        let data: Value = Value::Object(keys.collect());
        talk.unsaid("POST", CONFIG_MAPS, Some(json!({"metadata": {"name": "large"}, "data": data}))).await;
        talk.prepare(CONFIG_MAPS, json!({"metadata": {"name": "small"}})).await;
        talk.patch_unsaid("merge", &format!("{CONFIG_MAPS}/small"), json!({"data": data})).await;
        for name in ["large", "small"] {
            let path = format!("{CONFIG_MAPS}/{name}");
            talk.get_picked(&path, &[], |map| json!([map["data"].as_object().map(|data| data.len()), map["metadata"]["managedFields"]])).await;
            talk.patch("apply", &format!("{path}?fieldManager=one"), json!({"apiVersion": "v1", "kind": "ConfigMap"})).await;
        }
    }

    async fn the_core_group_has_no_name(talk: &mut Talk) {
        for version in ["/v1", "/apps/v1", "core/v1"] {
            let map = json!({"apiVersion": version, "kind": "ConfigMap", "metadata": {"name": "one"}});
            talk.post(&format!("{CONFIG_MAPS}?dryRun=All"), map).await;
        }
    }

    async fn things_without_a_namespace_are_only_read(talk: &mut Talk) {
        talk.install(super::support::thing_crd(json!({
            "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}, "subresources": {"status": {}},
        }))).await;
        talk.until("/apis/{group}/v1/things", |code, _| code == 200).await;
        let thing = json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}});
        for path in ["things", "things/one", "things/one/status"] {
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
                talk.send(method, &format!("/apis/{{group}}/v1/{path}"), &[("content-type", kind)], Some(thing.clone())).await;
            }
        }
    }

    async fn reviews_are_no_tables(talk: &mut Talk) {
        let access = json!({"spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}}});
        let accounts = "/api/v1/namespaces/{ns}/serviceaccounts";
        talk.prepare(accounts, json!({"metadata": {"name": "one"}})).await;
        talk.prepare(PODS, json!({"metadata": {"name": "one"}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}})).await;
        for (path, body) in [
            ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", access),
            ("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", json!({"spec": {"namespace": "default"}})),
            ("/apis/authentication.k8s.io/v1/selfsubjectreviews", json!({})),
            ("/apis/authentication.k8s.io/v1/tokenreviews", json!({"spec": {"token": "unknown"}})),
            (&format!("{accounts}/one/token"), json!({"spec": {}})),
            (&format!("{PODS}/one/binding"), json!({"metadata": {"name": "one"}, "target": {"kind": "Node", "name": "one"}})),
            (&format!("{PODS}/one/eviction"), json!({"metadata": {"name": "one"}})),
        ] {
            for wanted in ["Table", "PartialObjectMetadata", "Unheard"] {
                let accept = format!("application/json;as={wanted};v=v1;g=meta.k8s.io");
                talk.send("POST", path, &[("accept", &accept)], Some(body.clone())).await;
            }
        }
    }

    async fn the_columns_of_a_scale_say_what_they_mean(talk: &mut Talk) {
        let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}});
        talk.prepare(DEPLOYMENTS, json!({"metadata": {"name": "one"}, "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": template}})).await;
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        talk.get_picked(&format!("{DEPLOYMENTS}/one/scale"), &[("accept", table)], |table| table["columnDefinitions"].clone()).await;
    }
}
