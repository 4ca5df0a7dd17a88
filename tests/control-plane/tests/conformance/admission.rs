//! What a server adds to objects by itself, and refuses of them, besides the rules of their kinds.

use serde_json::{Value, json};

use super::support::Talk;

const PODS: &str = "/api/v1/namespaces/{ns}/pods";
const PRIORITIES: &str = "/apis/scheduling.k8s.io/v1/priorityclasses";

/// A pod of one container, and what its spec says besides.
fn pod(name: &str, more: Value) -> Value {
    let mut spec = json!({"containers": [{"name": "one", "image": "one"}]});
    spec.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"metadata": {"name": name}, "spec": spec})
}

/// Waits until the server knows what was made last, by what it then does with a pod that is not kept.
async fn until_posted(talk: &Talk, path: &str, body: Value, code: u16) {
    let path = format!("{path}?dryRun=All");
    talk.post_until(&path, body, |answered| answered == code)
        .await;
}

conformance! {
    async fn pods_have_the_priority_of_their_class(talk: &mut Talk) {
        talk.post(PODS, pod("none", json!({}))).await;
        talk.post(PODS, pod("unknown", json!({"priorityClassName": "there-is-none"}))).await;
        talk.post(PODS, json!({"metadata": {"generateName": "unknown-"}, "spec": {"priorityClassName": "there-is-none"}})).await;
        talk.post(PODS, pod("empty", json!({"priorityClassName": ""}))).await;
        talk.post(PODS, pod("own", json!({"priority": 7}))).await;
        talk.post(PODS, pod("zero", json!({"priority": 0, "preemptionPolicy": "PreemptLowerPriority"}))).await;
        talk.post(PODS, pod("never", json!({"preemptionPolicy": "Never"}))).await;
        talk.post(PODS, pod("node", json!({"priorityClassName": "system-node-critical"}))).await;
        talk.post(PODS, pod("cluster", json!({"priorityClassName": "system-cluster-critical", "priority": 2_000_000_000}))).await;
        talk.say("a class of ones own");
        talk.post(PRIORITIES, json!({"metadata": {"name": "{ns}"}, "value": 12, "preemptionPolicy": "Never"})).await;
        let named = |name: &str, more: Value| {
            let mut pod = pod(name, more);
            pod["spec"]["priorityClassName"] = "{ns}".into();
            pod
        };
        until_posted(talk, PODS, named("soon", json!({})), 201).await;
        talk.post(PODS, named("one", json!({}))).await;
        talk.post(PODS, named("same", json!({"priority": 12, "preemptionPolicy": "Never"}))).await;
        talk.post(PODS, named("other", json!({"priority": 13}))).await;
        talk.post(PODS, named("policy", json!({"preemptionPolicy": "PreemptLowerPriority"}))).await;
        let one = format!("{PODS}/one");
        talk.patch("merge", &one, json!({"spec": {"priority": null, "preemptionPolicy": null}})).await;
        talk.patch("merge", &one, json!({"spec": {"priority": 13}})).await;
        talk.patch("apply", &format!("{PODS}/applied?fieldManager=a"), {
            let mut pod = named("applied", json!({}));
            pod["apiVersion"] = "v1".into();
            pod["kind"] = "Pod".into();
            pod
        }).await;
        talk.say("templates may name what is not there");
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": pod("", json!({"priorityClassName": "there-is-none"}))["spec"]});
        talk.post("/apis/apps/v1/namespaces/{ns}/deployments", json!({"metadata": {"name": "one"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}})).await;
        talk.say("the namespace comes first");
        talk.post("/api/v1/namespaces/there-is-none/pods", pod("a", json!({"priorityClassName": "there-is-none"}))).await;
        talk.delete(&format!("{PRIORITIES}/{{ns}}")).await;
    }
}
