//! What a server sets where nobody says anything, beyond the plainest object of each kind.

use serde_json::{Value, json};

use super::support::Talk;

const PODS: &str = "/api/v1/namespaces/{ns}/pods";
const SCALERS: &str = "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers";
const NODES: &str = "/api/v1/nodes";
const WEBHOOKS: &str = "/apis/admissionregistration.k8s.io/v1";

fn pod(image: &str) -> Value {
    json!({"metadata": {"name": "one"}, "spec": {"containers": [{"name": "main", "image": image}]}})
}

fn scaler(behavior: Value) -> Value {
    json!({"metadata": {"name": "one"}, "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "one"}, "maxReplicas": 3, "behavior": behavior,
    }})
}

conformance! {
    async fn a_pod_is_written_again_as_it_was_sent(talk: &mut Talk) {
        talk.post(PODS, pod("registry.example.com/app:1.0")).await;
        let path = format!("{PODS}/one");
        talk.put(&path, pod("registry.example.com/app:1.0")).await;
        talk.put(&path, pod("registry.example.com/app:2.0")).await;
        let mut more = pod("registry.example.com/app:2.0");
        more["spec"]["tolerations"] = json!([{"key": "a", "operator": "Exists"}]);
        talk.put(&path, more).await;
        talk.put(&path, pod("registry.example.com/app:3.0")).await;
        let mut other = pod("registry.example.com/app:2.0");
        other["spec"]["tolerations"] = json!([{"key": "a", "operator": "Exists", "effect": "NoSchedule"}]);
        talk.put(&path, other).await;
    }

    async fn how_workloads_are_updated(talk: &mut Talk) {
        let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}});
        for (plural, field) in [("deployments", "strategy"), ("statefulsets", "updateStrategy"), ("daemonsets", "updateStrategy")] {
            let path = format!("/apis/apps/v1/namespaces/{{ns}}/{plural}?dryRun=All");
            for strategy in [
                json!({}),
                json!({"type": ""}),
                json!({"type": "RollingUpdate"}),
                json!({"rollingUpdate": {}}),
                json!({"type": "RollingUpdate", "rollingUpdate": {}}),
                json!({"type": "OnDelete"}),
            ] {
                let spec = json!({"selector": {"matchLabels": {"app": "web"}}, "template": template, field: strategy});
                talk.post(&path, json!({"metadata": {"name": "one"}, "spec": spec})).await;
            }
        }
    }

    async fn autoscalers_say_how_they_scale(talk: &mut Talk) {
        let dry = format!("{SCALERS}?dryRun=All");
        for behavior in [
            json!({}),
            json!({"scaleUp": {}}),
            json!({"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 5}]}}),
            json!({"scaleDown": {"stabilizationWindowSeconds": 5}, "scaleUp": {"selectPolicy": "Disabled"}}),
        ] {
            talk.post(&dry, scaler(behavior)).await;
        }
    }

    async fn what_a_node_has_can_be_allocated(talk: &mut Talk) {
        let node = |status: Value| json!({"metadata": {"name": "{ns}-a"}, "status": status});
        talk.post(NODES, node(json!({"capacity": {"cpu": "4", "memory": "1Gi"}}))).await;
        let path = format!("{NODES}/{{ns}}-a/status");
        talk.put(&path, node(json!({"capacity": {"cpu": "4"}, "allocatable": {"cpu": "3"}}))).await;
        talk.patch("merge", &path, json!({"status": {"allocatable": null}})).await;
        talk.put(&path, node(json!({}))).await;
        talk.delete(&format!("{NODES}/{{ns}}-a")).await;
    }

    async fn what_a_pod_asks_for_as_a_whole(talk: &mut Talk) {
        let container = |name: &str, resources: Value| json!({"name": name, "image": "one", "resources": resources});
        let small = container("small", json!({"requests": {"cpu": "100m", "memory": "1Gi", "ephemeral-storage": "1Gi"}}));
        let large = container("large", json!({"limits": {"cpu": "1", "memory": "512Mi", "hugepages-2Mi": "4Mi"}}));
        let bare = container("bare", json!({}));
        let first = container("first", json!({"requests": {"cpu": "2", "memory": "1Mi"}}));
        for (resources, init, containers) in [
            (json!({"limits": {"cpu": "4", "memory": "4Gi"}}), vec![], vec![&bare]),
            (json!({"limits": {"cpu": "4"}}), vec![], vec![&small, &bare]),
            (json!({"limits": {"cpu": "4", "memory": "4Gi"}}), vec![&first], vec![&small, &bare]),
            (json!({"limits": {"cpu": "4", "memory": "4Gi"}, "requests": {"cpu": "3"}}), vec![], vec![&small, &large]),
            (json!({"requests": {"cpu": "4"}}), vec![], vec![&small, &bare]),
            (json!({"requests": {"cpu": "4", "memory": "4Gi"}}), vec![], vec![&large]),
            (json!({"limits": {"cpu": "4", "memory": "4Gi", "hugepages-2Mi": "8Mi"}}), vec![], vec![&large]),
            (json!({"limits": {}}), vec![], vec![&large]),
        ] {
            let pod = json!({"metadata": {"name": "one"}, "spec": {"resources": resources, "initContainers": init, "containers": containers}});
            talk.post("/api/v1/namespaces/{ns}/pods?dryRun=All", pod).await;
        }
    }

    async fn webhooks_say_how_they_are_called(talk: &mut Talk) {
        let service = json!({"service": {"namespace": "{ns}", "name": "one"}});
        let rule = json!({"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]});
        for kind in ["validating", "mutating"] {
            let path = format!("{WEBHOOKS}/{kind}webhookconfigurations?dryRun=All");
            let configured = |webhooks: Value| json!({"metadata": {"name": "{ns}"}, "webhooks": webhooks});
            talk.post(&path, configured(json!([
                {"name": "one.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "clientConfig": service, "rules": [rule]},
                {"name": "two.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "NoneOnDryRun", "clientConfig": {"url": "https://example.com/a"}, "timeoutSeconds": 5, "failurePolicy": "Ignore"},
            ]))).await;
            talk.post(&path, configured(json!([
                {"name": "a"},
                {"name": "a", "clientConfig": {"url": "https://example.com", "service": {}}, "rules": [{}], "failurePolicy": "x", "matchPolicy": "x", "sideEffects": "Some", "timeoutSeconds": 90},
            ]))).await;
        }
    }

    async fn lists_that_are_always_there_and_empty(talk: &mut Talk) {
        let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles";
        talk.post(roles, json!({"metadata": {"name": "one"}, "rules": []})).await;
        talk.post(roles, json!({"metadata": {"name": "two"}})).await;
        talk.put(&format!("{roles}/two"), json!({"metadata": {"name": "two"}, "rules": []})).await;
        talk.put(&format!("{roles}/one"), json!({"metadata": {"name": "one", "labels": {"a": "b"}}, "rules": []})).await;
        talk.patch("merge", &format!("{roles}/two"), json!({"metadata": {"labels": {"a": "b"}}, "rules": []})).await;
        talk.patch("apply", &format!("{roles}/two?fieldManager=other"), json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "two"}, "rules": [],
        })).await;
        talk.post("/api/v1/namespaces/{ns}/limitranges", json!({"metadata": {"name": "one"}, "spec": {"limits": []}})).await;
        talk.post("/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices", json!({
            "metadata": {"name": "one"}, "addressType": "IPv4", "endpoints": [], "ports": [],
        })).await;
    }

    async fn nulls_in_lists_and_maps(talk: &mut Talk) {
        const GADGETS: &str = "/apis/{group}/v1/namespaces/{ns}/gadgets";
        let free = json!({"x-kubernetes-preserve-unknown-fields": true});
        let spec = json!({"type": "object", "properties": {
            "numbers": {"type": "array", "items": {"type": "number", "default": 4}}, "objects": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string", "default": "y"}}, "default": {"a": "z"}}},
            "map": {"type": "object", "additionalProperties": {"type": "integer", "default": 4}}, "without": {"type": "object", "additionalProperties": {"type": "integer"}},
            "nullable": {"type": "array", "items": {"type": "integer", "nullable": true, "default": 5}}, "free": free, "free_map": {"type": "object", "additionalProperties": free}, "plain": {"type": "string"},
            "may": {"x-kubernetes-preserve-unknown-fields": true, "nullable": true}, "either": {"x-kubernetes-int-or-string": true},
        }});
        talk.install(json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "gadgets.{group}"},
            "spec": {
                "group": "{group}", "scope": "Namespaced", "names": {"plural": "gadgets", "kind": "Gadget"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}}],
            },
        }))
        .await;
        let gadget = |name: &str, spec: &Value| json!({"apiVersion": "{group}/v1", "kind": "Gadget", "metadata": {"name": name}, "spec": spec});
        for (index, spec) in [
            json!({"numbers": [4, null]}), json!({"objects": [null, {}]}), json!({"map": {"a": null}}), json!({"without": {"a": null}}), json!({"nullable": [null]}),
            json!({"free": null}), json!({"free_map": {"a": null}}), json!({"plain": null}), json!({"may": null}), json!({"either": null}), json!({"free": {"a": null}}), json!({"free": [null]}),
        ].iter().enumerate() {
            talk.post(GADGETS, gadget(&format!("sent-{index}"), spec)).await;
            let path = format!("{GADGETS}/applied-{index}?fieldManager=a");
            talk.patch("apply", &path, gadget(&format!("applied-{index}"), spec)).await;
            talk.patch("apply", &path, gadget(&format!("applied-{index}"), spec)).await;
            talk.patch("merge", &format!("{GADGETS}/applied-{index}"), json!({"spec": {"plain": "a"}})).await;
        }
    }
}
