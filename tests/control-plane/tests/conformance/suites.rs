//! What the test suites of Kubernetes itself have found.

use serde_json::{Value, json};

use super::support::Talk;

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
        let metadata = json!({"labels": {"a": "b"}, "annotations": {"a": "b"}, "finalizers": ["example.com/a"], "ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "00000000-0000-0000-0000-000000000001"},
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
}
