//! What is refused of that which says how much there may be: autoscalers, budgets, quotas, nodes and volumes.

use serde_json::{Value, json};

use super::support::Talk;
use super::workloads::refused;

conformance! {
    async fn autoscalers_that_are_refused(talk: &mut Talk) {
        let good = json!({"scaleTargetRef": {"kind": "Deployment", "name": "one", "apiVersion": "apps/v1"}, "maxReplicas": 3});
        let metric = |metric: Value| json!({"metrics": [metric]});
        let of_cpu = |target: Value| metric(json!({"type": "Resource", "resource": {"name": "cpu", "target": target}}));
        refused(talk, "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers", good, &[
            json!({"maxReplicas": 0}),
            json!({"maxReplicas": -1}),
            json!({"minReplicas": 0}),
            json!({"minReplicas": 5}),
            json!({"scaleTargetRef": {"kind": "", "name": ""}}),
            json!({"scaleTargetRef": {"kind": "a%b", "name": "a/b"}}),
            json!({"scaleTargetRef": {"kind": "ReplicationController", "name": "one", "apiVersion": "a/b/c"}}),
            metric(json!({"type": "Odd"})),
            metric(json!({"type": "Resource"})),
            of_cpu(json!({"type": "Utilization", "averageUtilization": 0})),
            of_cpu(json!({"type": "Odd", "averageUtilization": 1, "averageValue": "1"})),
            of_cpu(json!({"type": "Value"})),
            metric(json!({"type": "Resource", "resource": {"name": "", "target": {"type": "Utilization", "averageUtilization": 1}}, "pods": {"metric": {"name": "a"}, "target": {"type": "Value"}}})),
            metric(json!({"type": "Pods", "pods": {"metric": {"name": ""}, "target": {"type": "Value", "value": "1"}}})),
            metric(json!({"type": "Object", "object": {"describedObject": {"kind": "", "name": ""}, "metric": {"name": "a/b"}, "target": {"type": "Value"}}})),
            metric(json!({"type": "External", "external": {"metric": {"name": "a"}, "target": {"type": "Value", "value": "-1", "averageValue": "1"}}})),
            metric(json!({"type": "ContainerResource", "containerResource": {"name": "foo", "container": "A_", "target": {"type": "Utilization"}}})),
            json!({"behavior": {
                "scaleUp": {"stabilizationWindowSeconds": -1, "selectPolicy": "Odd", "policies": [{"type": "Odd", "value": 0, "periodSeconds": 0}, {"type": "Pods", "value": 1, "periodSeconds": 5000}]},
                "scaleDown": {"stabilizationWindowSeconds": 5000},
            }}),
        ]).await;
    }

    async fn budgets_and_quotas_that_are_refused(talk: &mut Talk) {
        refused(talk, "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets", json!({"minAvailable": 1}), &[
            json!({"maxUnavailable": 1}),
            json!({"minAvailable": -1}),
            json!({"minAvailable": "101%"}),
            json!({"minAvailable": "half"}),
            json!({"selector": {"matchExpressions": [{"key": "a", "operator": "Odd"}]}, "unhealthyPodEvictionPolicy": "Odd"}),
        ]).await;
        refused(talk, "/api/v1/namespaces/{ns}/resourcequotas", json!({"hard": {"pods": "10"}}), &[
            json!({"hard": {"pods": "-1500m"}}),
            json!({"hard": {"foo": "1"}}),
            json!({"hard": {"storage": "1"}}),
            json!({"hard": {"a b": "1"}}),
            json!({"scopes": ["Odd"]}),
            json!({"scopes": ["BestEffort", "NotBestEffort"]}),
        ]).await;
        let limit = |limit: Value| json!({"limits": [limit]});
        refused(talk, "/api/v1/namespaces/{ns}/limitranges", limit(json!({"type": "Container", "max": {"cpu": "1"}})), &[
            limit(json!({"type": "Odd"})),
            json!({"limits": [{"type": "Container"}, {"type": "Container"}]}),
            limit(json!({"type": "Pod", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "1"}})),
            limit(json!({"type": "Container", "min": {"cpu": "2"}, "max": {"cpu": "1"}})),
            limit(json!({"type": "Container", "max": {"cpu": "1"}, "default": {"cpu": "2"}, "defaultRequest": {"cpu": "1"}})),
            limit(json!({"type": "Container", "min": {"cpu": "2"}, "default": {"cpu": "3"}, "defaultRequest": {"cpu": "1"}})),
            limit(json!({"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "2"}})),
            limit(json!({"type": "Container", "max": {"foo": "1"}})),
            limit(json!({"type": "PersistentVolumeClaim", "max": {"cpu": "1"}})),
            limit(json!({"type": "Container", "maxLimitRequestRatio": {"cpu": "500m"}})),
        ]).await;
    }

    async fn nodes_that_are_refused(talk: &mut Talk) {
        let path = "/api/v1/nodes";
        talk.prepare(path, json!({"metadata": {"name": "{ns}"}, "spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}})).await;
        for spec in [
            json!({"taints": [{"key": "a b", "effect": "NoSchedule"}, {"key": "a", "value": "b c", "effect": "Odd"}, {"key": "a"}]}),
            json!({"taints": [{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoSchedule", "value": "b"}]}),
            json!({"podCIDRs": ["x"], "podCIDR": "x"}),
        ] {
            talk.post(path, json!({"metadata": {"name": "{ns}-2"}, "spec": spec})).await;
            talk.patch("merge", "/api/v1/nodes/{ns}", json!({"spec": spec})).await;
        }
    }

    async fn volumes_that_are_refused(talk: &mut Talk) {
        let path = "/api/v1/persistentvolumes";
        let good = json!({"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}});
        talk.prepare(path, json!({"metadata": {"name": "{ns}"}, "spec": good})).await;
        for bad in [
            json!({"capacity": {"storage": "0"}}),
            json!({"capacity": {"cpu": "1"}}),
            json!({"accessModes": null, "persistentVolumeReclaimPolicy": "Odd", "storageClassName": "A_", "volumeMode": "Odd"}),
            json!({"accessModes": ["Odd"]}),
            json!({"accessModes": ["ReadWriteOncePod", "ReadWriteOnce"]}),
            json!({"nodeAffinity": {}}),
            json!({"nodeAffinity": {"required": {"nodeSelectorTerms": []}}}),
            json!({"nfs": {"server": "here", "path": "/x"}, "csi": {"driver": "example.com", "volumeHandle": "x"}}),
            json!({"hostPath": null}),
            json!({"hostPath": null, "nfs": {}}),
            json!({"hostPath": null, "csi": {}}),
            json!({"hostPath": null, "local": {"path": "/x"}}),
        ] {
            let mut spec = good.clone();
            for (field, value) in bad.as_object().unwrap() {
                spec[field] = value.clone();
            }
            talk.post(path, json!({"metadata": {"name": "{ns}-2"}, "spec": spec})).await;
            talk.patch("merge", &format!("{path}/{{ns}}"), json!({"spec": bad})).await;
        }
        talk.say("and claims");
        let good = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
        refused(talk, "/api/v1/namespaces/{ns}/persistentvolumeclaims", good, &[
            json!({"accessModes": null, "volumeMode": "Odd", "storageClassName": "A_", "resources": {"requests": {"storage": "0"}}, "selector": {"matchLabels": {"a": "b c"}}}),
            json!({"accessModes": ["ReadWriteOncePod", "Odd", "ReadWriteOnce"]}),
        ]).await;
    }

    async fn ratios_of_limits(talk: &mut Talk) {
        const RANGES: &str = "/api/v1/namespaces/{ns}/limitranges?dryRun=All";
        let range = |limit: Value| json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "one"}, "spec": {"limits": [limit]}});
        for kind in ["Container", "Pod", "PersistentVolumeClaim"] {
            for (name, min, max, ratio) in [
                ("cpu", "1", "2", "10"), ("cpu", "1", "2", "2"), ("cpu", "300m", "2500m", "8500m"), ("cpu", "0", "0", "1"), ("cpu", "1", "2", "0.5"),
                ("memory", "2Gi", "3Gi", "2"), ("memory", "0", "3Gi", "2"), ("memory", "1Gi", "2Gi", "1.5"), ("memory", "1", "8Ei", "9E"), ("storage", "1Gi", "2Gi", "3"), ("a.io/b", "1", "3", "4"),
            ] {
                talk.post(RANGES, range(json!({"type": kind, "min": {name: min}, "max": {name: max}, "maxLimitRequestRatio": {name: ratio}}))).await;
            }
            talk.post(RANGES, range(json!({"type": kind, "max": {"cpu": "1"}, "maxLimitRequestRatio": {"cpu": "3"}}))).await;
        }
        for name in ["a.io/b", "hugepages-2Mi", "cpu", "b.kubernetes.io/a"] {
            talk.post(RANGES, range(json!({"type": "Container", "default": {name: "4Mi"}, "defaultRequest": {name: "2Mi"}}))).await;
        }
    }

    async fn zones_of_schedules(talk: &mut Talk) {
        let jobs = |schedule: &str| json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "one"}, "spec": {
            "schedule": schedule, "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "b"}]}}}},
        }});
        for schedule in ["TZ=", "TZ=UTC", "CRON_TZ=x", "TZ=UTC * * * * *", "TZ=UTC TZ=UTC * * * * *", "TZ= * * * * *", "CRON_TZ=Odd/Zone * * * * *", "TZ=UTC  @daily", "* * * * TZ=UTC", "TZ=UTC x"] {
            talk.post("/apis/batch/v1/namespaces/{ns}/cronjobs?dryRun=All", jobs(schedule)).await;
        }
    }

    async fn strategies_that_are_not_said_whole(talk: &mut Talk) {
        let set = |kind: &str, field: &str, strategy: &Value| json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "one"}, "spec": {
            "serviceName": "one", field: strategy, "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}},
        }});
        for (kind, plural, field) in [("DaemonSet", "daemonsets", "updateStrategy"), ("StatefulSet", "statefulsets", "updateStrategy"), ("Deployment", "deployments", "strategy")] {
            for strategy in [
                json!({"type": "OnDelete", "rollingUpdate": {}}), json!({"type": "OnDelete", "rollingUpdate": {"maxSurge": 1}}), json!({"type": "OnDelete", "rollingUpdate": null}),
                json!({"type": "Recreate", "rollingUpdate": {}}), json!({"rollingUpdate": {}}), json!({"type": "Odd"}), json!({"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 0}}),
            ] {
                talk.post(&format!("/apis/apps/v1/namespaces/{{ns}}/{plural}?dryRun=All"), set(kind, field, &strategy)).await;
            }
        }
    }
}
