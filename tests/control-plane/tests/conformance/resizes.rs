//! What pods get while they run.

use serde_json::{Value, json};

use super::support::{Talk, extend};

const PODS: &str = "/api/v1/namespaces/{ns}/pods";

fn container(name: &str, resources: Value) -> Value {
    json!({"name": name, "image": "web:1", "resources": resources})
}

fn pod(name: &str, spec: Value) -> Value {
    json!({"metadata": {"name": name}, "spec": spec})
}

fn cpu(amount: &str) -> Value {
    json!({"requests": {"cpu": amount}})
}

conformance! {
    async fn containers_stay_in_their_order(talk: &mut Talk) {
        let two = |first: &str, second: &str| json!([container(first, cpu("1")), container(second, cpu("1"))]);
        let spec = json!({"containers": two("a", "b"), "initContainers": [container("c", cpu("1"))]});
        talk.prepare(PODS, pod("one", spec)).await;
        let replace = |what: &str, value: Value| json!([{"op": "replace", "path": format!("/spec/{what}"), "value": value}]);
        let path = format!("{PODS}/one/resize");
        for patch in [
            replace("containers/0/name", json!("other")), replace("containers", two("b", "a")), replace("initContainers/0/name", json!("other")),
            json!([{"op": "remove", "path": "/spec/containers"}]), json!([{"op": "remove", "path": "/spec/initContainers"}]), replace("containers/1/resources", cpu("2")),
        ] {
            talk.patch("json", &path, patch).await;
        }
    }

    async fn what_a_pod_gets_as_a_whole(talk: &mut Talk) {
        let whole = |resources: Value, of_container: Value| json!({"resources": resources, "containers": [container("a", of_container)]});
        talk.prepare(PODS, pod("none", json!({"containers": [container("a", cpu("1"))]}))).await;
        for resources in [cpu("500m"), cpu("3"), json!({"limits": {"cpu": "3"}})] {
            talk.patch("strategic-merge", &format!("{PODS}/none/resize"), json!({"spec": {"resources": resources}})).await;
        }
        let some = json!({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "hugepages-2Mi": "2Mi"}});
        talk.prepare(PODS, pod("some", whole(some, json!({})))).await;
        for resources in [
            cpu("2"), cpu("5"), json!({"limits": {"cpu": null}}), json!({"limits": {"memory": "4Gi"}}), json!({"limits": {"hugepages-2Mi": "4Mi"}}), json!({"requests": null}), Value::Null,
        ] {
            talk.patch("strategic-merge", &format!("{PODS}/some/resize"), json!({"spec": {"resources": resources}})).await;
        }
        let all = json!({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}});
        talk.prepare(PODS, pod("all", whole(all, json!({})))).await;
        for resources in [cpu("500m"), json!({"requests": {"cpu": "2"}, "limits": {"cpu": "2"}})] {
            talk.patch("strategic-merge", &format!("{PODS}/all/resize"), json!({"spec": {"resources": resources}})).await;
        }
    }

    async fn pods_that_stay_as_they_are(talk: &mut Talk) {
        let spec = |more: Value| {
            let mut spec = json!({"containers": [container("a", cpu("1"))]});
            extend(&mut spec, &more);
            spec
        };
        talk.prepare(PODS, pod("windows", spec(json!({"os": {"name": "windows"}})))).await;
        let mut of_node = pod("static", spec(json!({"nodeName": "{ns}"})));
        of_node["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "a"});
        talk.prepare(PODS, of_node).await;
        for name in ["windows", "static"] {
            let more = json!({"spec": {"containers": [{"name": "a", "resources": cpu("2")}]}});
            talk.patch("strategic-merge", &format!("{PODS}/{name}/resize"), more).await;
        }
    }

    async fn containers_use_claims_of_their_pod(talk: &mut Talk) {
        let pod = |name: &str, claims: Value| json!({"metadata": {"name": name}, "spec": {
            "containers": [{"name": "a", "image": "b", "resources": {"claims": claims}}], "resourceClaims": [{"name": "c", "resourceClaimName": "x"}, {"name": "d", "resourceClaimName": "y"}],
        }});
        for claims in [json!([{"name": "zz"}]), json!([{}]), json!([{"name": "c"}, {"name": "c"}]), json!([{"name": "c", "request": "A b"}, {"name": "c"}]), json!([{"name": "c", "request": "r"}, {"name": "c", "request": "r"}, {"name": "d"}])] {
            talk.post(&format!("{PODS}?dryRun=All"), pod("none", claims)).await;
        }
        talk.post(PODS, pod("with", json!([{"name": "c"}]))).await;
        talk.post(PODS, pod("without", json!(null))).await;
        for (name, resources) in [
            ("without", json!({"claims": [{"name": "zz"}]})), ("without", json!({"claims": [{}]})), ("without", json!({"claims": [{"name": "c"}]})), ("with", json!({"claims": null})), ("with", json!({"requests": {"cpu": "1"}})),
        ] {
            talk.patch("strategic-merge", &format!("{PODS}/{name}/resize"), json!({"spec": {"containers": [{"name": "a", "resources": resources}]}})).await;
        }
    }
}
