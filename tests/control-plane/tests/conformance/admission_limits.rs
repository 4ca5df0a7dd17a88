//! How much containers, pods and claims may ask for, what they ask for if they say nothing, and by which class.

use serde_json::{Value, json};

use super::support::{Talk, extend};

const PODS: &str = "/api/v1/namespaces/{ns}/pods";
const CLAIMS: &str = "/api/v1/namespaces/{ns}/persistentvolumeclaims";
const RANGES: &str = "/api/v1/namespaces/{ns}/limitranges";

/// A pod whose containers ask for this.
fn pod(name: &str, resources: &[Value]) -> Value {
    let containers: Vec<Value> = resources
        .iter()
        .enumerate()
        .map(|(index, resources)| {
            json!({"name": format!("c{index}"), "image": "one", "resources": resources})
        })
        .collect();
    json!({"metadata": {"name": name}, "spec": {"containers": containers}})
}

fn claim(name: &str, size: &str) -> Value {
    let spec = json!({"accessModes": ["ReadWriteOnce"], "storageClassName": "", "resources": {"requests": {"storage": size}}});
    json!({"metadata": {"name": name}, "spec": spec})
}

/// Makes a range, and waits until it counts: this is refused then.
async fn limited(talk: &mut Talk, name: &str, limits: Value, path: &str, refused: Value) {
    talk.prepare(
        RANGES,
        json!({"metadata": {"name": name}, "spec": {"limits": limits}}),
    )
    .await;
    let path = format!("{path}?dryRun=All");
    talk.post_until(&path, refused, |code| code == 403).await;
}

/// The range is gone, and does not count any more.
async fn unlimited(talk: &mut Talk, name: &str, path: &str, refused: Value) {
    let range = format!("{RANGES}/{name}");
    talk.unsaid("DELETE", &range, None).await;
    let path = format!("{path}?dryRun=All");
    talk.post_until(&path, refused, |code| code == 201).await;
}

conformance! {
    async fn what_containers_do_not_ask_for_is_set(talk: &mut Talk) {
        let huge = pod("soon", &[json!({"limits": {"cpu": "100", "memory": "1Gi"}})]);
        let limits = json!([{"type": "Container", "max": {"cpu": "2"}, "default": {"cpu": "1", "memory": "512Mi"}, "defaultRequest": {"cpu": "100m"}}]);
        limited(talk, "one", limits, PODS, huge).await;
        talk.get(&format!("{RANGES}/one")).await;
        talk.post(PODS, pod("none", &[json!({})])).await;
        talk.post(PODS, pod("some", &[json!({"limits": {"cpu": "500m"}}), json!({"requests": {"cpu": "1"}}), json!({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}})])).await;
        let mut annotated = pod("annotated", &[json!({})]);
        annotated["metadata"]["annotations"] = json!({"a": "b", "kubernetes.io/limit-ranger": "mine"});
        annotated["spec"]["initContainers"] = json!([{"name": "first", "image": "one"}]);
        talk.post(PODS, annotated).await;
        talk.say("more than its own default");
        talk.post(PODS, pod("greedy", &[json!({"requests": {"cpu": "1500m"}})])).await;
        talk.post(PODS, pod("greedier", &[json!({"requests": {"cpu": "3"}, "limits": {"cpu": "3"}}), json!({"limits": {"cpu": "4"}})])).await;
        talk.say("a template is left alone");
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": pod("", &[json!({"limits": {"cpu": "3"}})])["spec"]});
        talk.post("/apis/apps/v1/namespaces/{ns}/deployments", json!({"metadata": {"name": "one"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}})).await;
        talk.say("changes of a pod are, but for those of its size");
        talk.patch("merge", &format!("{PODS}/none"), json!({"metadata": {"labels": {"a": "b"}}})).await;
        let bigger = json!({"spec": {"containers": [{"name": "c0", "resources": {"limits": {"cpu": "3"}}}]}});
        talk.patch("strategic-merge", &format!("{PODS}/none/resize"), bigger).await;
    }

    async fn containers_keep_to_limits(talk: &mut Talk) {
        let two = pod("soon", &[json!({"requests": {"cpu": "1", "memory": "8Gi"}, "limits": {"cpu": "1", "memory": "8Gi"}})]);
        talk.say("the least");
        limited(talk, "least", json!([{"type": "Container", "min": {"cpu": "2"}}]), PODS, two.clone()).await;
        talk.post(PODS, pod("none", &[json!({})])).await;
        talk.post(PODS, pod("request", &[json!({"requests": {"cpu": "500m"}})])).await;
        talk.post(PODS, pod("limit", &[json!({"limits": {"cpu": "500m"}})])).await;
        talk.post(PODS, pod("both", &[json!({"requests": {"cpu": "500m"}}), json!({"requests": {"cpu": "600m"}}), json!({"requests": {"cpu": "500m"}})])).await;
        talk.post(PODS, pod("enough", &[json!({"requests": {"cpu": "2"}})])).await;
        unlimited(talk, "least", PODS, two.clone()).await;
        talk.say("the most");
        limited(talk, "most", json!([{"type": "Container", "max": {"memory": "1Gi"}}]), PODS, two.clone()).await;
        talk.post(PODS, pod("default", &[json!({})])).await;
        talk.post(PODS, pod("limit", &[json!({"limits": {"memory": "1025Mi"}})])).await;
        talk.post(PODS, pod("request", &[json!({"requests": {"memory": "2Gi"}})])).await;
        let mut first = pod("first", &[json!({})]);
        first["spec"]["initContainers"] = json!([{"name": "first", "image": "one", "resources": {"limits": {"memory": "3Gi"}}}]);
        talk.post(PODS, first).await;
        unlimited(talk, "most", PODS, two.clone()).await;
        talk.say("how far apart");
        let apart = pod("soon", &[json!({"requests": {"cpu": "1"}, "limits": {"cpu": "3"}})]);
        limited(talk, "ratio", json!([{"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}}]), PODS, apart.clone()).await;
        talk.post(PODS, apart).await;
        talk.post(PODS, pod("third", &[json!({"requests": {"cpu": "300m"}, "limits": {"cpu": "1"}})])).await;
        talk.post(PODS, pod("request", &[json!({"requests": {"cpu": "1"}})])).await;
        talk.post(PODS, pod("limit", &[json!({"limits": {"cpu": "1"}})])).await;
        talk.post(PODS, pod("zero", &[json!({"requests": {"cpu": "0"}, "limits": {"cpu": "1"}})])).await;
        talk.post(PODS, pod("without", &[json!({})])).await;
    }

    async fn pods_and_claims_keep_to_limits(talk: &mut Talk) {
        let big = pod("soon", &[json!({"requests": {"memory": "2Gi"}, "limits": {"memory": "8Gi"}})]);
        limited(talk, "pod", json!([{"type": "Pod", "max": {"memory": "2Gi"}}]), PODS, big).await;
        let of = |memory: &str| json!({"limits": {"memory": memory}});
        talk.post(PODS, pod("fits", &[of("1Gi"), of("1Gi")])).await;
        talk.post(PODS, pod("more", &[of("1Gi"), of("1025Mi")])).await;
        talk.post(PODS, pod("other", &[of("1G"), of("1500Mi")])).await;
        talk.post(PODS, pod("some", &[of("1Gi"), json!({})])).await;
        talk.post(PODS, pod("none", &[json!({})])).await;
        let with = |name: &str, first: Value| {
            let mut pod = pod(name, &[of("1Gi")]);
            pod["spec"]["initContainers"] = first;
            pod
        };
        talk.post(PODS, with("before", json!([{"name": "first", "image": "one", "resources": of("2Gi")}]))).await;
        talk.post(PODS, with("greedy", json!([{"name": "first", "image": "one", "resources": of("3Gi")}]))).await;
        talk.post(PODS, with("beside", json!([{"name": "first", "image": "one", "restartPolicy": "Always", "resources": of("1536Mi")}, {"name": "second", "image": "one", "resources": of("1Gi")}]))).await;
        talk.say("claims");
        limited(talk, "claim", json!([{"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "2Gi"}}]), CLAIMS, claim("soon", "5Gi")).await;
        talk.post(CLAIMS, claim("less", "1G")).await;
        talk.post(CLAIMS, claim("more", "3Gi")).await;
        talk.post(CLAIMS, claim("fits", "2048Mi")).await;
        talk.patch("merge", &format!("{CLAIMS}/fits"), json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.patch("merge", &format!("{CLAIMS}/fits"), json!({"spec": {"resources": {"requests": {"storage": "3Gi"}}}})).await;
    }

    async fn pods_have_the_overhead_and_the_nodes_of_their_runtime(talk: &mut Talk) {
        let classes = "/apis/node.k8s.io/v1/runtimeclasses";
        let of = |name: &str, more: Value| {
            let mut pod = pod(name, &[json!({})]);
            pod["spec"]["runtimeClassName"] = "{ns}".into();
            extend(&mut pod["spec"], &more);
            pod
        };
        talk.post(PODS, of("unknown", json!({}))).await;
        talk.post(PODS, of("overhead", json!({"runtimeClassName": null, "overhead": {"cpu": "1"}}))).await;
        let tolerations = json!([{"key": "a", "operator": "Exists"}, {"key": "b", "operator": "Equal", "value": "c", "effect": "NoSchedule"}]);
        talk.post(classes, json!({"metadata": {"name": "{ns}"}, "handler": "one", "overhead": {"podFixed": {"cpu": "250m", "memory": "1Gi"}}, "scheduling": {"nodeSelector": {"kind": "own"}, "tolerations": tolerations}})).await;
        talk.post(PODS, of("one", json!({}))).await;
        talk.post(PODS, of("same", json!({"overhead": {"cpu": "0.25", "memory": "1024Mi"}, "nodeSelector": {"kind": "own", "disk": "fast"}}))).await;
        talk.post(PODS, of("other", json!({"overhead": {"cpu": "1"}}))).await;
        talk.post(PODS, of("elsewhere", json!({"nodeSelector": {"kind": "other"}}))).await;
        let own = json!([{"key": "a", "operator": "Equal", "value": "x"}, {"key": "b", "operator": "Exists"}, {"key": "c", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}]);
        talk.post(PODS, of("tolerant", json!({"tolerations": own}))).await;
        talk.post(PODS, of("stoic", json!({"tolerations": [{"operator": "Exists"}]}))).await;
        talk.delete(&format!("{classes}/{{ns}}")).await;
        talk.say("and a class of nothing else");
        talk.prepare(classes, json!({"metadata": {"name": "{ns}-plain"}, "handler": "one"})).await;
        talk.post(PODS, of("plain", json!({"runtimeClassName": "{ns}-plain"}))).await;
        talk.post(PODS, of("costly", json!({"runtimeClassName": "{ns}-plain", "overhead": {"cpu": "1"}}))).await;
        talk.unsaid("DELETE", &format!("{classes}/{{ns}}-plain"), None).await;
    }
}
