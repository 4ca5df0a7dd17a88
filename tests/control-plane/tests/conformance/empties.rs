//! Lists and maps that are said and empty: they are not kept, and are still something else than what is not said.

use serde_json::{Value, json};

use super::support::Talk;

fn of_group(group: &str, plural: &str) -> String {
    format!("/apis/{group}/namespaces/{{ns}}/{plural}")
}

fn pod(spec: Value) -> Value {
    let mut all = json!({"containers": [{"name": "one", "image": "x"}]});
    let fields = all.as_object_mut().unwrap();
    fields.extend(spec.as_object().unwrap().clone());
    json!({"metadata": {"name": "one", "labels": {"a": "b"}}, "spec": all})
}

conformance! {
    async fn empties_that_may_not_be_said(talk: &mut Talk) {
        let autoscaler = |behavior: Value| json!({"metadata": {"name": "one"}, "spec": {
            "maxReplicas": 2, "scaleTargetRef": {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}, "behavior": behavior,
        }});
        let path = of_group("autoscaling/v2", "horizontalpodautoscalers");
        for behavior in [
            json!({"scaleDown": {"policies": []}}),
            json!({"scaleUp": {"policies": [], "tolerance": "-1"}, "scaleDown": {"tolerance": "-100m"}}),
        ] {
            talk.post(&path, autoscaler(behavior)).await;
        }
        let pods = "/api/v1/namespaces/{ns}/pods";
        for spec in [
            json!({"resources": {"claims": []}}),
            json!({"runtimeClassName": ""}),
            json!({"ephemeralContainers": [{"name": "e", "image": "x", "ports": []}]}),
        ] {
            talk.post(pods, pod(spec)).await;
        }
        let template = pod(json!({}));
        let workload = |selector: Value, labels: Value| {
            let mut template = template.clone();
            template["metadata"]["labels"] = labels;
            json!({"metadata": {"name": "one"}, "spec": {"selector": selector, "template": template, "serviceName": "s"}})
        };
        for plural in ["deployments", "statefulsets", "daemonsets"] {
            let path = of_group("apps/v1", plural);
            talk.post(&path, workload(json!({"matchLabels": {}, "matchExpressions": []}), json!({"a": "b"}))).await;
            talk.post(&path, workload(json!({"matchLabels": {"a": "b"}}), json!({}))).await;
        }
        talk.post(&of_group("networking.k8s.io/v1", "ingresses"), json!({"metadata": {"name": "one"}, "spec": {"rules": []}})).await;
    }

    async fn empties_that_say_nothing(talk: &mut Talk) {
        let policies = of_group("networking.k8s.io/v1", "networkpolicies");
        let policy = |more: Value| json!({"metadata": {"name": "one"}, "spec": {"podSelector": {}, "policyTypes": more, "egress": []}});
        talk.post(&policies, policy(json!([]))).await;
        talk.say("Though nothing of it is kept, it is counted as a change");
        talk.put(&format!("{policies}/one"), policy(json!(["Ingress"]))).await;
        talk.patch("merge", &format!("{policies}/one"), json!({"spec": {"ingress": []}})).await;

        let metadata = json!({"name": "one", "labels": {}, "annotations": {}, "finalizers": [], "ownerReferences": []});
        let jobs = of_group("batch/v1", "jobs");
        let mut template = pod(json!({"restartPolicy": "Never", "tolerations": [], "nodeSelector": {}}));
        template["metadata"]["annotations"] = json!({});
        talk.post(&jobs, json!({"metadata": metadata, "spec": {"template": template}})).await;
        talk.patch("merge", &format!("{jobs}/one"), json!({"spec": {"template": {"spec": {"affinity": {}}}}})).await;
        talk.patch("merge", &format!("{jobs}/one"), json!({"spec": {"podFailurePolicy": {}}})).await;
        let sets = of_group("apps/v1", "daemonsets");
        let mut set = json!({"metadata": metadata, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": pod(json!({}))}});
        talk.post(&sets, set.clone()).await;
        set["spec"]["template"]["metadata"]["annotations"] = json!({});
        talk.put(&format!("{sets}/one"), set).await;
        let replicas = "/api/v1/namespaces/{ns}/replicationcontrollers";
        talk.post(replicas, json!({"metadata": metadata, "spec": {"selector": {}, "template": pod(json!({}))}})).await;
        talk.patch("apply", &format!("{}/applied?fieldManager=one", of_group("apps/v1", "deployments")), json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "applied", "labels": {}},
            "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": pod(json!({"volumes": [], "imagePullSecrets": []}))},
        })).await;
    }

    async fn empties_where_nothing_may_change(talk: &mut Talk) {
        let (maps, secrets) = ("/api/v1/namespaces/{ns}/configmaps", "/api/v1/namespaces/{ns}/secrets");
        for path in [maps, secrets] {
            talk.prepare(path, json!({"metadata": {"name": "one"}, "immutable": true})).await;
            for more in [json!({"data": {}}), json!({"data": {"a": null}}), json!({"binaryData": {}})] {
                talk.patch("merge", &format!("{path}/one"), more).await;
            }
        }
        let pods = "/api/v1/namespaces/{ns}/pods";
        talk.prepare(pods, pod(json!({}))).await;
        let mut other = pod(json!({"tolerations": [], "volumes": [], "hostAliases": []}));
        other["spec"]["containers"][0]["env"] = json!([]);
        other["spec"]["nodeSelector"] = json!({"a": "b"});
        talk.patch("merge", &format!("{pods}/one"), json!({"spec": {"hostAliases": [], "nodeSelector": {}}})).await;
        talk.put(&format!("{pods}/one"), other).await;
    }
}
