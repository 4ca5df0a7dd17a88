//! What holds for the whole of a cluster where nothing else is said. Each case has a real server of its own.

use serde_json::{Value, json};

use super::support::Talk;

conformance! {
    async fn one_class_of_priority_is_that_of_all_pods(talk: &mut Talk) {
        const CLASSES: &str = "/apis/scheduling.k8s.io/v1/priorityclasses";
        const PODS: &str = "/api/v1/namespaces/{ns}/pods";
        let class = |name: &str, value: i64, is_default: bool| {
            json!({"metadata": {"name": name}, "value": value, "globalDefault": is_default})
        };
        let pod = |name: &str, more: Value| {
            let mut spec = json!({"containers": [{"name": "one", "image": "one"}]});
            spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({"metadata": {"name": name}, "spec": spec})
        };
        talk.post(CLASSES, class("one", 5, true)).await;
        talk.post_until(&format!("{PODS}?dryRun=All"), pod("soon", json!({"priority": 5})), |code| code == 201).await;
        talk.post(CLASSES, class("two", 6, true)).await;
        talk.post(CLASSES, class("two", 6, false)).await;
        talk.patch("merge", &format!("{CLASSES}/two"), json!({"globalDefault": true})).await;
        talk.patch("merge", &format!("{CLASSES}/one"), json!({"description": "the one"})).await;
        talk.post(PODS, pod("one", json!({}))).await;
        talk.post(PODS, pod("empty", json!({"priorityClassName": ""}))).await;
        talk.post(PODS, pod("own", json!({"priority": 0}))).await;
        talk.post(PODS, pod("never", json!({"preemptionPolicy": "Never"}))).await;
        talk.post(PODS, pod("system", json!({"priorityClassName": "system-node-critical"}))).await;
        talk.patch("merge", &format!("{CLASSES}/one"), json!({"globalDefault": false})).await;
        talk.post_until(&format!("{PODS}?dryRun=All"), pod("soon", json!({"priority": 0})), |code| code == 201).await;
        talk.patch("merge", &format!("{CLASSES}/two"), json!({"globalDefault": true})).await;
    }
}
