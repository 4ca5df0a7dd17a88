//! How much there may be in a namespace: what is counted where the status of a quota says how much, which a controller
//! writes that neither server has.

use serde_json::{Value, json};

use super::support::{Talk, extend};

const QUOTAS: &str = "/api/v1/namespaces/{ns}/resourcequotas";
const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const PODS: &str = "/api/v1/namespaces/{ns}/pods";
const CLAIMS: &str = "/api/v1/namespaces/{ns}/persistentvolumeclaims";
const SERVICES: &str = "/api/v1/namespaces/{ns}/services";

/// Makes a quota as its controller would, and waits until it counts: this is refused then.
async fn allow(talk: &mut Talk, spec: Value, used: Value, path: &str, refused: Value) {
    talk.prepare(QUOTAS, json!({"metadata": {"name": "one"}, "spec": spec}))
        .await;
    let status = json!({"status": {"hard": spec["hard"], "used": used}});
    talk.patch_unsaid("merge", &format!("{QUOTAS}/one/status"), status)
        .await;
    talk.post_until(&format!("{path}?dryRun=All"), refused, |code| code == 403)
        .await;
}

/// The quota is gone, and does not count any more.
async fn allow_all(talk: &mut Talk, path: &str, refused: Value) {
    talk.unsaid("DELETE", &format!("{QUOTAS}/one"), None).await;
    talk.post_until(&format!("{path}?dryRun=All"), refused, |code| code == 201)
        .await;
}

fn map(name: &str) -> Value {
    json!({"metadata": {"name": name}})
}

fn claim(name: &str, size: &str, class: &str) -> Value {
    let spec = json!({"accessModes": ["ReadWriteOnce"], "storageClassName": class, "resources": {"requests": {"storage": size}}});
    json!({"metadata": {"name": name}, "spec": spec})
}

fn service(name: &str, kind: &str, more: Value) -> Value {
    let mut spec =
        json!({"type": kind, "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]});
    spec.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"metadata": {"name": name}, "spec": spec})
}

fn pod(name: &str, resources: Value, more: Value) -> Value {
    let mut spec = json!({"containers": [{"name": "one", "image": "one", "resources": resources}]});
    spec.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"metadata": {"name": name}, "spec": spec})
}

conformance! {
    async fn objects_are_counted(talk: &mut Talk) {
        talk.say("nobody has said yet what there is");
        talk.post(QUOTAS, json!({"metadata": {"name": "one"}, "spec": {"hard": {"configmaps": "0"}}})).await;
        talk.post(MAPS, map("before")).await;
        talk.unsaid("DELETE", &format!("{QUOTAS}/one"), None).await;
        let hard = json!({"configmaps": "3", "count/configmaps": "3", "count/deployments.apps": "1", "secrets": "1", "pods": "1"});
        let used = json!({"configmaps": "3", "count/configmaps": "1", "count/deployments.apps": "0", "secrets": "0", "pods": "0"});
        allow(talk, json!({"hard": hard}), used, MAPS, map("soon")).await;
        talk.post(MAPS, map("many")).await;
        talk.patch("apply", &format!("{MAPS}/many?fieldManager=a"), json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "many"}})).await;
        talk.patch("merge", &format!("{MAPS}/before"), json!({"data": {"a": "b"}})).await;
        let fewer = json!({"status": {"used": {"configmaps": "1"}}});
        talk.patch_unsaid("merge", &format!("{QUOTAS}/one/status"), fewer).await;
        talk.post_until(&format!("{MAPS}?dryRun=All"), map("soon"), |code| code == 201).await;
        talk.post(MAPS, map("one")).await;
        talk.get(&format!("{QUOTAS}/one")).await;
        talk.say("what is there already counts once more");
        talk.post(MAPS, map("one")).await;
        talk.get(&format!("{QUOTAS}/one")).await;
        talk.post(MAPS, map("two")).await;
        talk.say("what is gone is for the controller to count");
        talk.delete(&format!("{MAPS}/one")).await;
        talk.post(MAPS, map("two")).await;
        talk.say("other kinds");
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": pod("", json!({}), json!({}))["spec"]});
        for name in ["one", "two"] {
            talk.post("/apis/apps/v1/namespaces/{ns}/deployments", json!({"metadata": {"name": name}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}})).await;
            talk.post("/api/v1/namespaces/{ns}/secrets", map(name)).await;
            talk.post(PODS, pod(name, json!({}), json!({}))).await;
        }
        talk.get(&format!("{QUOTAS}/one")).await;
    }

    async fn a_quota_of_which_the_use_is_not_known(talk: &mut Talk) {
        let hard = json!({"configmaps": "3", "secrets": "3"});
        allow(talk, json!({"hard": hard}), json!({"secrets": "3"}), MAPS, map("soon")).await;
        talk.post(MAPS, map("one")).await;
        talk.post("/api/v1/namespaces/{ns}/secrets", map("one")).await;
        talk.post("/api/v1/namespaces/{ns}/serviceaccounts", map("one")).await;
    }

    async fn what_pods_ask_for_is_counted(talk: &mut Talk) {
        let hard = json!({"requests.cpu": "2", "limits.memory": "2Gi", "count/pods": "5", "requests.example.com/gpu": "1"});
        let used = json!({"requests.cpu": "500m", "limits.memory": "1Gi", "count/pods": "0", "requests.example.com/gpu": "0"});
        let none = pod("none", json!({}), json!({}));
        allow(talk, json!({"hard": hard}), used, PODS, none.clone()).await;
        talk.post(PODS, none).await;
        let asking = |cpu: &str, memory: &str| json!({"requests": {"cpu": cpu}, "limits": {"memory": memory}});
        talk.post(PODS, pod("half", json!({"limits": {"memory": "1Gi"}}), json!({"initContainers": [{"name": "first", "image": "one"}]}))).await;
        talk.post(PODS, pod("cpu", asking("1600m", "1Mi"), json!({}))).await;
        talk.post(PODS, pod("both", asking("2", "1.5Gi"), json!({}))).await;
        talk.post(PODS, pod("fits", asking("1", "512Mi"), json!({}))).await;
        talk.post(PODS, pod("more", asking("501m", "1Mi"), json!({}))).await;
        talk.post(PODS, pod("whole", json!({}), json!({"resources": {"requests": {"cpu": "100m", "memory": "1Mi"}, "limits": {"memory": "1Mi"}}}))).await;
        let mut device = asking("1m", "1");
        device["limits"]["example.com/gpu"] = "2".into();
        talk.post(PODS, pod("device", device, json!({}))).await;
        talk.get(&format!("{QUOTAS}/one")).await;
        talk.say("a template is not");
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": pod("", json!({}), json!({}))["spec"]});
        talk.post("/apis/apps/v1/namespaces/{ns}/deployments", json!({"metadata": {"name": "one"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}})).await;
        talk.say("a pod that grows is");
        let bigger = json!({"spec": {"containers": [{"name": "one", "resources": {"requests": {"cpu": "1200m"}}}]}});
        talk.patch("strategic-merge", &format!("{PODS}/fits/resize"), bigger).await;
        let biggest = json!({"spec": {"containers": [{"name": "one", "resources": {"requests": {"cpu": "3"}}}]}});
        talk.patch("strategic-merge", &format!("{PODS}/fits/resize"), biggest).await;
        talk.get(&format!("{QUOTAS}/one")).await;
    }

    async fn services_and_claims_are_counted(talk: &mut Talk) {
        let hard = json!({"services": "4", "services.nodeports": "4", "services.loadbalancers": "1"});
        let used = json!({"services": "0", "services.nodeports": "3", "services.loadbalancers": "0"});
        allow(talk, json!({"hard": hard}), used, SERVICES, service("soon", "NodePort", json!({}))).await;
        talk.post(SERVICES, service("ports", "NodePort", json!({}))).await;
        talk.post(SERVICES, service("balanced", "LoadBalancer", json!({"allocateLoadBalancerNodePorts": false}))).await;
        talk.post(SERVICES, service("another", "LoadBalancer", json!({"allocateLoadBalancerNodePorts": false}))).await;
        talk.post(SERVICES, service("plain", "ClusterIP", json!({}))).await;
        talk.patch("merge", &format!("{SERVICES}/plain"), json!({"spec": {"type": "NodePort"}})).await;
        talk.patch("merge", &format!("{SERVICES}/balanced"), json!({"spec": {"type": "ClusterIP", "allocateLoadBalancerNodePorts": null}})).await;
        talk.get(&format!("{QUOTAS}/one")).await;
        allow_all(talk, SERVICES, service("soon", "NodePort", json!({}))).await;
        talk.say("claims");
        let hard = json!({"persistentvolumeclaims": "9", "requests.storage": "4Gi", "fast.storageclass.storage.k8s.io/requests.storage": "1Gi"});
        let used = json!({"persistentvolumeclaims": "0", "requests.storage": "1Gi", "fast.storageclass.storage.k8s.io/requests.storage": "0"});
        allow(talk, json!({"hard": hard}), used, CLAIMS, claim("soon", "9Gi", "")).await;
        talk.post(CLAIMS, claim("big", "4Gi", "slow")).await;
        talk.post(CLAIMS, claim("fast", "2Gi", "fast")).await;
        talk.post(CLAIMS, claim("faster", "512Mi", "fast")).await;
        talk.post(CLAIMS, claim("slow", "1Gi", "slow")).await;
        talk.get(&format!("{QUOTAS}/one")).await;
    }

    async fn quotas_are_about_some_pods(talk: &mut Talk) {
        let soon = |more: Value| pod("soon", json!({}), more);
        let count = |more: Value| {
            let mut spec = json!({"hard": {"pods": "0"}});
            extend(&mut spec, &more);
            spec
        };
        let ends = json!({"activeDeadlineSeconds": 5});
        for (scope, in_it) in [
            ("Terminating", soon(ends.clone())),
            ("NotTerminating", soon(json!({}))),
            ("BestEffort", soon(json!({}))),
            ("NotBestEffort", pod("soon", json!({"requests": {"cpu": "1"}}), json!({}))),
            ("PriorityClass", soon(json!({"priorityClassName": "system-node-critical"}))),
            ("CrossNamespacePodAffinity", soon(json!({"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "a", "namespaces": ["b"], "labelSelector": {}}]}}}))),
        ] {
            talk.say(scope);
            allow(talk, count(json!({"scopes": [scope]})), json!({"pods": "0"}), PODS, in_it.clone()).await;
            let dry = format!("{PODS}?dryRun=All");
            talk.post(&dry, in_it.clone()).await;
            let other = match scope {
                "BestEffort" => pod("other", json!({"limits": {"cpu": "1"}}), json!({})),
                "NotTerminating" => soon(ends.clone()),
                _ => soon(json!({})),
            };
            talk.post(&dry, other).await;
            allow_all(talk, PODS, in_it).await;
        }
        talk.say("by the name of a class");
        let select = |operator: &str, values: Value| json!({"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": operator, "values": values}]}});
        let node = soon(json!({"priorityClassName": "system-node-critical"}));
        allow(talk, count(select("In", json!(["system-node-critical"]))), json!({"pods": "0"}), PODS, node.clone()).await;
        talk.post(&format!("{PODS}?dryRun=All"), soon(json!({"priorityClassName": "system-cluster-critical"}))).await;
        allow_all(talk, PODS, node).await;
        allow(talk, count(select("NotIn", json!(["system-node-critical"]))), json!({"pods": "0"}), PODS, soon(json!({}))).await;
        talk.post(&format!("{PODS}?dryRun=All"), soon(json!({"priorityClassName": "system-node-critical"}))).await;
        talk.post(&format!("{PODS}?dryRun=All"), soon(json!({}))).await;
    }

    async fn devices_are_counted_by_class(talk: &mut Talk) {
        const CLAIMS: &str = "/apis/resource.k8s.io/v1/namespaces/{ns}/resourceclaims";
        const DEVICES: &str = "gpu.deviceclass.resource.k8s.io/devices";
        const OTHERS: &str = "other.deviceclass.resource.k8s.io/devices";
        let claim = |name: &str, requests: Value| json!({"metadata": {"name": name}, "spec": {"devices": {"requests": requests}}});
        let exactly = |name: &str, class: &str, count: i64| json!({"name": name, "exactly": {"deviceClassName": class, "count": count}});
        let all = json!({"name": "all", "exactly": {"deviceClassName": "gpu", "allocationMode": "All"}});
        let either = json!({"name": "either", "firstAvailable": [
            {"name": "a", "deviceClassName": "gpu", "count": 2}, {"name": "b", "deviceClassName": "gpu"}, {"name": "c", "deviceClassName": "other", "count": 3},
        ]});
        let hard = json!({"hard": {DEVICES: "5", OTHERS: "4", "count/resourceclaims.resource.k8s.io": "3"}});
        let used = json!({DEVICES: "1", OTHERS: "0", "count/resourceclaims.resource.k8s.io": "0"});
        let too_many = claim("many", json!([exactly("a", "gpu", 5)]));
        allow(talk, hard, used, CLAIMS, too_many.clone()).await;
        for refused in [
            too_many, claim("all", json!([all])), claim("both", json!([exactly("a", "gpu", 3), exactly("b", "gpu", 2)])),
            claim("more", json!([either, exactly("a", "gpu", 3)])), claim("others", json!([either, exactly("a", "other", 2)])),
        ] {
            talk.post(CLAIMS, refused).await;
        }
        for taken in [claim("one", json!([either])), claim("two", json!([{"name": "a", "exactly": {"deviceClassName": "unknown"}}]))] {
            talk.post(CLAIMS, taken).await;
            talk.get_picked(&format!("{QUOTAS}/one"), &[], |quota| quota["status"]["used"].clone()).await;
        }
        talk.patch("merge", &format!("{CLAIMS}/one"), json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.post(CLAIMS, claim("three", json!([exactly("a", "gpu", 2)]))).await;
        talk.post(CLAIMS, claim("four", json!([exactly("a", "gpu", 1)]))).await;
    }
}
