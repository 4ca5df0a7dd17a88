//! What pods have, and may have, because of the node that they are on.

use serde_json::{Value, json};

use super::support::Talk;

const PODS: &str = "/api/v1/namespaces/{ns}/pods";
const NODES: &str = "/api/v1/nodes";

fn pod(name: &str, node: Option<&str>) -> Value {
    let container = json!({"name": "main", "image": "web:1", "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}}});
    json!({"metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": "mine"}}, "spec": {"containers": [container], "nodeName": node}})
}

fn asking(resources: Value) -> Value {
    json!({"spec": {"containers": [{"name": "main", "resources": {"requests": resources}}]}})
}

/// A node with labels and with room for pods, of which the server knows.
async fn node(talk: &Talk, name: &str, labels: Value) {
    node_that_can(talk, name, labels, Value::Null).await;
}

/// The same, of which it is said what it can do.
async fn node_that_can(talk: &Talk, name: &str, labels: Value, features: Value) {
    let name = &format!("{name}-{{ns}}");
    let status =
        json!({"allocatable": {"cpu": "2", "memory": "2Gi"}, "declaredFeatures": features});
    talk.prepare(
        NODES,
        json!({"metadata": {"name": name, "labels": labels}, "status": status}),
    )
    .await;
    let probe = &format!("probe-{name}");
    talk.prepare(PODS, pod(probe, Some(name))).await;
    let path = format!("{PODS}/{probe}/resize?dryRun=All");
    let is_known = |answer: &Value| {
        let message = answer["message"].as_str();
        !message.is_some_and(|message| message.contains("not found"))
    };
    talk.until_patched(
        "strategic-merge",
        &path,
        asking(json!({"cpu": "1"})),
        is_known,
    )
    .await;
}

conformance! {
    async fn pods_say_where_their_node_is(talk: &mut Talk) {
        let labels = json!({"topology.kubernetes.io/zone": "a", "topology.kubernetes.io/region": "b", "topology.kubernetes.io/rack": "c", "d": "e"});
        node(talk, "one", labels).await;
        node(talk, "plain", json!({"a": "b"})).await;
        for (name, node) in [("there", "one-{ns}"), ("plain", "plain-{ns}"), ("nowhere", "none-{ns}")] {
            talk.post(PODS, pod(name, Some(node))).await;
        }
        talk.say("those that are bound, too");
        for (name, kind) in [("bound", Some("Node")), ("untold", None)] {
            let mut unbound = pod(name, None);
            unbound["metadata"]["labels"]["a"] = "b".into();
            talk.post(PODS, unbound).await;
            let target = json!({"kind": kind, "name": "one-{ns}"});
            talk.post(&format!("{PODS}/{name}/binding"), json!({"metadata": {"name": name, "labels": {"c": "d"}}, "target": target})).await;
            talk.get_picked(&format!("{PODS}/{name}"), &[], |pod| pod["metadata"].clone()).await;
        }
        talk.say("and change with neither of both");
        talk.patch("merge", &format!("{PODS}/there"), json!({"metadata": {"labels": {"topology.kubernetes.io/zone": "mine"}}})).await;
    }

    async fn pods_grow_as_far_as_their_node(talk: &mut Talk) {
        node(talk, "other", json!({"kubernetes.io/os": "windows"})).await;
        node(talk, "one", json!({"kubernetes.io/os": "linux"})).await;
        for (name, node) in [("one", Some("one-{ns}")), ("other", Some("other-{ns}")), ("nowhere", Some("none-{ns}")), ("unbound", None)] {
            talk.prepare(PODS, pod(name, node)).await;
            let path = format!("{PODS}/{name}/resize?dryRun=All");
            for resources in [
                json!({"cpu": "2"}), json!({"cpu": "500m"}), json!({"cpu": "2001m"}), json!({"memory": "3Gi"}), json!({"cpu": "3", "memory": "2147483649"}),
            ] {
                talk.patch("strategic-merge", &path, asking(resources)).await;
            }
        }
    }

    async fn pods_change_as_their_node_can(talk: &mut Talk) {
        let whole = "InPlacePodLevelResourcesVerticalScaling";
        let all = [whole, "InPlacePodVerticalScalingInitContainers"];
        node(talk, "old", json!({})).await;
        node_that_can(talk, "newer", json!({}), json!([whole])).await;
        node_that_can(talk, "new", json!({}), json!(all)).await;
        let cpu = |amount: &str| json!({"requests": {"cpu": amount}, "limits": {"cpu": amount}});
        let named = |name: &str, amount: &str| json!([{"name": name, "resources": cpu(amount)}]);
        for (name, node) in [("old", Some("old-{ns}")), ("newer", Some("newer-{ns}")), ("new", Some("new-{ns}")), ("nowhere", Some("none-{ns}")), ("unbound", None)] {
            let beginner = json!({"name": "first", "image": "web:1", "resources": cpu("100m")});
            let mut beside = beginner.clone();
            beside["name"] = "beside".into();
            beside["restartPolicy"] = "Always".into();
            let mut pod = pod(name, node);
            pod["spec"]["initContainers"] = json!([beginner, beside]);
            pod["spec"]["resources"] = cpu("1");
            pod["spec"]["containers"][0]["resources"] = cpu("500m");
            talk.prepare(PODS, pod).await;
            for spec in [
                json!({"resources": cpu("1500m")}), json!({"initContainers": named("first", "200m")}), json!({"initContainers": named("beside", "200m")}),
                json!({"resources": cpu("1500m"), "initContainers": named("first", "200m")}), json!({"resources": cpu("3")}),
            ] {
                let path = format!("{PODS}/{name}/resize?dryRun=All");
                talk.patch("strategic-merge", &path, json!({"spec": spec})).await;
            }
        }
    }

    async fn ranges_and_kernels_of_nodes(talk: &mut Talk) {
        let tried = &format!("{NODES}?dryRun=All");
        for ranges in [json!(["10.1.0.0/24", "10.2.0.0/24"]), json!(["10.1.0.0/24", "fd00::/64", "fd01::/64"]), json!(["10.1.0.0/24", "odd"]), json!(["10.1.0.0/24", "fd00::/64"])] {
            talk.post(tried, json!({"metadata": {"name": "ranges-{ns}"}, "spec": {"podCIDR": "10.1.0.0/24", "podCIDRs": ranges}})).await;
        }
        let info = json!({
            "machineID": "", "systemUUID": "", "bootID": "", "kernelVersion": "6.1", "osImage": "os", "containerRuntimeVersion": "c", "kubeletVersion": "v1", "kubeProxyVersion": "", "operatingSystem": "linux", "architecture": "amd64",
        });
        talk.prepare(NODES, json!({"metadata": {"name": "kernels-{ns}"}})).await;
        let one = &format!("{NODES}/kernels-{{ns}}");
        talk.patch("merge", &format!("{one}/status"), json!({"status": {"capacity": {"cpu": "4"}, "allocatable": {}, "nodeInfo": info}})).await;
        talk.send("GET", one, &[("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")], None).await;
        talk.unsaid("DELETE", one, None).await;
    }
}
