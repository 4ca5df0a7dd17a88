//! Autoscalers in both of their versions.

use serde_json::{Value, json};

use super::support::Talk;

const OLDER: &str = "/apis/autoscaling/v1/namespaces/{ns}/horizontalpodautoscalers";
const NEWER: &str = "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers";
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

fn autoscaler(name: &str, spec: Value) -> Value {
    let mut autoscaler = json!({"metadata": {"name": name}, "spec": {
        "maxReplicas": 5, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
    }});
    if let (Some(all), Some(more)) = (autoscaler["spec"].as_object_mut(), spec.as_object()) {
        all.extend(more.clone());
    }
    autoscaler
}

/// Metrics of all types.
fn metrics() -> Value {
    let selector = json!({"matchLabels": {"b": "c"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["x"]}]});
    json!([
        {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}},
        {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}},
        {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "main", "target": {"type": "Utilization", "averageUtilization": 70}}},
        {"type": "Pods", "pods": {"metric": {"name": "requests", "selector": selector}, "target": {"type": "AverageValue", "averageValue": "10"}}},
        {"type": "Object", "object": {
            "describedObject": {"kind": "Ingress", "name": "main", "apiVersion": "networking.k8s.io/v1"},
            "metric": {"name": "requests"}, "target": {"type": "Value", "value": "1k"},
        }},
        {"type": "Object", "object": {
            "describedObject": {"kind": "Service", "name": "main"},
            "metric": {"name": "requests"}, "target": {"type": "AverageValue", "averageValue": "500m"},
        }},
        {"type": "External", "external": {"metric": {"name": "queue", "selector": selector}, "target": {"type": "AverageValue", "averageValue": "30"}}},
        {"type": "External", "external": {"metric": {"name": "queue"}, "target": {"type": "Value", "value": "30"}}},
    ])
}

fn status() -> Value {
    json!({
        "currentReplicas": 3, "desiredReplicas": 4, "lastScaleTime": "2026-01-01T00:00:00Z", "observedGeneration": 2,
        "conditions": [
            {"type": "AbleToScale", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z", "reason": "Ready", "message": "a > b"},
            {"type": "ScalingActive", "status": "False"},
        ],
        "currentMetrics": [
            {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 55, "averageValue": "550m"}}},
            {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "main", "current": {"averageValue": "1"}}},
            {"type": "Pods", "pods": {"metric": {"name": "requests"}, "current": {"averageValue": "9"}}},
            {"type": "Object", "object": {"describedObject": {"kind": "Ingress", "name": "main"}, "metric": {"name": "requests"}, "current": {"value": "7"}}},
            {"type": "External", "external": {"metric": {"name": "queue"}, "current": {"averageValue": "3"}}},
        ],
    })
}

conformance! {
    async fn an_older_version_tells_the_rest_in_annotations(talk: &mut Talk) {
        talk.post(NEWER, autoscaler("all", json!({
            "metrics": metrics(), "minReplicas": 2,
            "behavior": {"scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}], "stabilizationWindowSeconds": 60, "tolerance": "50m"}},
        }))).await;
        talk.get(&format!("{OLDER}/all")).await;
        talk.send("PUT", &format!("{NEWER}/all/status"), &[], Some({
            let mut all = autoscaler("all", json!({}));
            all["status"] = status();
            all
        })).await;
        let all = talk.get(&format!("{OLDER}/all")).await.body;
        talk.say("As it was told");
        talk.put(&format!("{OLDER}/all"), all.clone()).await;
        talk.get(&format!("{NEWER}/all")).await;
        talk.say("Another CPU");
        talk.patch("strategic-merge", &format!("{OLDER}/all"), json!({"spec": {"targetCPUUtilizationPercentage": 30}})).await;
        talk.get(&format!("{NEWER}/all")).await;
        talk.say("Nothing of the rest");
        talk.patch("merge", &format!("{OLDER}/all"), json!({"metadata": {"annotations": null}})).await;
        talk.get(&format!("{NEWER}/all")).await;
        talk.patch("json", &format!("{OLDER}/all/status"), json!([{"op": "replace", "path": "/status/desiredReplicas", "value": 1}])).await;
        talk.get(OLDER).await;
        talk.send("GET", OLDER, &[("accept", TABLE)], None).await;
        talk.delete(&format!("{OLDER}/all")).await;
    }

    async fn an_older_version_is_written(talk: &mut Talk) {
        let mut watch = talk.watch(&format!("{OLDER}?watch=true&resourceVersion=0")).await;
        talk.post(OLDER, autoscaler("usual", json!({}))).await;
        talk.post(OLDER, autoscaler("cpu", json!({"targetCPUUtilizationPercentage": 50, "minReplicas": 3}))).await;
        talk.get(&format!("{NEWER}/cpu")).await;
        let mut told = autoscaler("told", json!({}));
        told["metadata"]["annotations"] = json!({
            "mine": "a", "autoscaling.alpha.kubernetes.io/behavior": "{\"ScaleUp\":{\"SelectPolicy\":\"Min\",\"Policies\":[{\"Type\":\"Pods\",\"Value\":1,\"PeriodSeconds\":60}]}}", "autoscaling.alpha.kubernetes.io/conditions": "odd",
            "autoscaling.alpha.kubernetes.io/metrics": "[{\"type\":\"Pods\",\"pods\":{\"metricName\":\"a\",\"targetAverageValue\":\"1\"}}]",
        });
        talk.post(OLDER, told.clone()).await;
        talk.get(&format!("{NEWER}/told")).await;
        told["metadata"]["name"] = "newer".into();
        talk.post(NEWER, told).await;
        talk.events(&mut watch, 4).await;
        talk.say("Applied");
        let mut applied = autoscaler("applied", json!({"targetCPUUtilizationPercentage": 50}));
        applied["apiVersion"] = "autoscaling/v1".into();
        applied["kind"] = "HorizontalPodAutoscaler".into();
        talk.patch("apply", &format!("{OLDER}/applied?fieldManager=one"), applied.clone()).await;
        applied["spec"]["targetCPUUtilizationPercentage"] = 60.into();
        talk.patch("apply", &format!("{OLDER}/applied?fieldManager=one"), applied.clone()).await;
        talk.patch("apply", &format!("{OLDER}/applied?fieldManager=two"), applied).await;
        talk.say("What is refused");
        for wrong in [
            json!({"maxReplicas": 0}),
            json!({"minReplicas": 7, "targetCPUUtilizationPercentage": -1}),
            json!({"minReplicas": 0}),
            json!({"metrics": [], "scaleTargetRef": {"kind": "", "name": ""}}),
            json!({"targetCPUUtilizationPercentage": "a"}),
        ] {
            talk.post(&format!("{OLDER}?fieldValidation=Strict"), autoscaler("wrong", wrong)).await;
        }
        let mut other = autoscaler("other", json!({}));
        other["metadata"]["annotations"] = json!({"autoscaling.alpha.kubernetes.io/behavior": "{\"scaleUp\":{\"selectPolicy\":\"Odd\"}}"});
        talk.post(OLDER, other.clone()).await;
        other["apiVersion"] = "autoscaling/v2".into();
        other["kind"] = "HorizontalPodAutoscaler".into();
        talk.post(OLDER, other).await;
        talk.send("GET", &format!("{OLDER}/cpu"), &[("accept", "application/vnd.kubernetes.protobuf")], None).await;
    }

    async fn the_newer_version_is_preferred(talk: &mut Talk) {
        talk.get("/apis/autoscaling").await;
        talk.get_picked("/apis/autoscaling/v1", &[], |told| {
            let hash = |version: &Value| version["resources"][0]["storageVersionHash"].clone();
            json!([told, hash(told)])
        }).await;
        talk.get("/apis/autoscaling/v2").await;
    }

    async fn versions_of_what_is_scaled(talk: &mut Talk) {
        for version in ["/a", "/", "a/", "a", "", "a/b/c", "a/b"] {
            for kind in ["Odd", "ReplicationController"] {
                let spec = json!({"maxReplicas": 2, "scaleTargetRef": {"apiVersion": version, "kind": kind, "name": "one"}});
                talk.post("/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers?dryRun=All", json!({"metadata": {"name": "one"}, "spec": spec})).await;
            }
        }
    }
}
