//! Evictions and bindings, as they are read.

use serde_json::{Value, json};

use super::support::Talk;

const PODS: &str = "/api/v1/namespaces/{ns}/pods";
const BUDGETS: &str = "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets";
const BINDINGS: &str = "/api/v1/namespaces/{ns}/bindings";

fn pod(name: &str) -> Value {
    json!({
        "metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": "registry.example.com/app:1.0"}]},
    })
}

async fn running(talk: &mut Talk, name: &str) {
    let mut bound = pod(name);
    bound["spec"]["nodeName"] = "node-1".into();
    talk.prepare(PODS, bound).await;
    let ready = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    talk.patch_unsaid("merge", &format!("{PODS}/{name}/status"), ready)
        .await;
}

fn eviction(version: &str, name: &str) -> Value {
    json!({"apiVersion": version, "kind": "Eviction", "metadata": {"name": name}})
}

/// What becomes of a pod that is to go.
fn fate(pod: &Value) -> Value {
    json!([
        pod["metadata"]["deletionTimestamp"],
        pod["status"]["conditions"]
    ])
}

conformance! {
    async fn evictions_of_both_versions(talk: &mut Talk) {
        for name in ["one", "two"] {
            running(talk, name).await;
        }
        let path = format!("{PODS}/one/eviction");
        let odd = |version: &str| {
            let mut odd = eviction(version, "one");
            odd["odd"] = true.into();
            odd["deleteOptions"] = json!({"odd": 1, "gracePeriodSeconds": "1"});
            odd
        };
        for refused in [
            eviction("policy/v2", "one"), eviction("policy/v1beta1", "two"), eviction("v1", "one"), odd("policy/v1"), odd("policy/v1beta1"),
            json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "one"}}),
            json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "one", "namespace": "default"}}),
            json!({"metadata": {"name": "one"}, "deleteOptions": {"ignoreStoreReadErrorWithClusterBreakingPotential": true}}),
        ] {
            talk.post(&path, refused).await;
        }
        for version in ["policy/v1", "policy/v1beta1"] {
            let mut odd = eviction(version, "one");
            odd["odd"] = true.into();
            odd["deleteOptions"] = json!({"odd": 1});
            talk.post(&format!("{path}?fieldValidation=Strict"), odd.clone()).await;
            talk.post(&format!("{path}?dryRun=All"), odd).await;
        }
        let yaml = [("content-type", "application/yaml")];
        talk.send_raw("POST", &format!("{path}?dryRun=All"), &yaml, b"apiVersion: policy/v1beta1\nkind: Eviction\nmetadata:\n  name: one\n").await;
        talk.post(&format!("{path}?propagationPolicy=Orphan"), eviction("policy/v1beta1", "one")).await;
        talk.get_picked(&format!("{PODS}/one"), &[], |pod| json!([fate(pod), pod["metadata"]["finalizers"]])).await;
        talk.post(&format!("{PODS}/two/eviction"), eviction("policy/v1", "two")).await;
        talk.get_picked(&format!("{PODS}/two"), &[], fate).await;
    }

    async fn evictions_hold_to_their_preconditions(talk: &mut Talk) {
        let with = |name: &str, preconditions: Value| {
            json!({"metadata": {"name": name}, "deleteOptions": {"preconditions": preconditions}})
        };
        for name in ["version", "uid", "wrong", "both"] {
            running(talk, name).await;
            let pod = talk.get(&format!("{PODS}/{name}")).await.body;
            let (uid, version) = (&pod["metadata"]["uid"], &pod["metadata"]["resourceVersion"]);
            let preconditions = match name {
                "version" => json!({"resourceVersion": version}),
                "uid" => json!({"uid": uid}),
                "both" => json!({"uid": uid, "resourceVersion": version}),
                _ => json!({"uid": "another"}),
            };
            talk.post(&format!("{PODS}/{name}/eviction"), with(name, preconditions)).await;
            talk.get_picked(&format!("{PODS}/{name}"), &[], fate).await;
        }
        talk.say("of a pod that waits");
        talk.post(PODS, pod("waits")).await;
        let path = format!("{PODS}/waits/eviction");
        talk.post(&path, with("waits", json!({"resourceVersion": "1"}))).await;
        let seen = talk.get(&format!("{PODS}/waits")).await.body;
        talk.post(&path, with("waits", json!({"resourceVersion": seen["metadata"]["resourceVersion"]}))).await;
        talk.get(&format!("{PODS}/waits")).await;
        talk.say("with a budget");
        talk.prepare(BUDGETS, json!({"metadata": {"name": "web"}, "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}}})).await;
        let status = json!({"status": {"observedGeneration": 1, "disruptionsAllowed": 2, "desiredHealthy": 1, "currentHealthy": 2, "expectedPods": 2}});
        talk.patch_unsaid("merge", &format!("{BUDGETS}/web/status"), status).await;
        let path = format!("{PODS}/wrong/eviction");
        talk.post(&path, with("wrong", json!({"resourceVersion": "1"}))).await;
        talk.get_picked(&format!("{BUDGETS}/web"), &[], |budget| budget["status"]["disruptionsAllowed"].clone()).await;
    }

    async fn bindings_are_read_as_other_objects_are(talk: &mut Talk) {
        let mut one = pod("one");
        one["spec"]["schedulerName"] = "nobody".into();
        talk.prepare(PODS, one).await;
        talk.patch_unsaid("merge", &format!("{PODS}/one/status"), json!({"status": {"nominatedNodeName": "node-2"}})).await;
        let binding = |metadata: Value| json!({"metadata": metadata, "target": {"name": "node-1"}});
        let mut odd = binding(json!({"name": "one", "odd": 1}));
        odd["target"]["odd"] = true.into();
        odd["more"] = "a".into();
        let own = format!("{PODS}/one/binding");
        for path in [BINDINGS, own.as_str()] {
            talk.post(&format!("{path}?fieldValidation=Strict"), odd.clone()).await;
            talk.post(&format!("{path}?dryRun=All"), odd.clone()).await;
            for refused in [
                binding(json!({"name": "one", "namespace": "default"})), binding(json!({"name": 1})), json!({"metadata": {"name": "one"}, "target": "node-1"}),
                json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "one"}}), json!({"kind": "Odd", "metadata": {"name": "one"}}),
                binding(json!({"name": "one", "resourceVersion": "1"})), json!({"metadata": {"name": "one"}, "target": {"kind": "Odd", "name": "a"}, "odd": 1}),
                json!([]), json!("text"),
            ] {
                talk.post(path, refused).await;
            }
        }
        let yaml = [("content-type", "application/yaml")];
        talk.send_raw("POST", BINDINGS, &yaml, b"metadata:\n  name: one\ntarget:\n  name: node-1\ntarget:\n  name: node-3\n").await;
        talk.get_picked(&format!("{PODS}/one"), &[], |pod| json!([pod["spec"]["nodeName"], pod["status"]])).await;
    }

    async fn bindings_of_no_path_mean_any_pod_of_the_name(talk: &mut Talk) {
        for name in ["one", "two"] {
            talk.prepare(PODS, json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "main", "image": "a:1"}]}})).await;
        }
        let binding = |name: &str, meant: (&str, &str)| json!({"metadata": {"name": name, meant.0: meant.1}, "target": {"kind": "Node", "name": "of-nobody"}});
        for meant in [("resourceVersion", "1"), ("uid", "another")] {
            talk.post("/api/v1/namespaces/{ns}/bindings?dryRun=All", binding("one", meant)).await;
            talk.post("/api/v1/namespaces/{ns}/bindings", binding("one", meant)).await;
            talk.post(&format!("{PODS}/two/binding"), binding("two", meant)).await;
        }
        for name in ["one", "two"] {
            talk.unsaid("DELETE", &format!("{PODS}/{name}?gracePeriodSeconds=0"), None).await;
        }
    }
}
