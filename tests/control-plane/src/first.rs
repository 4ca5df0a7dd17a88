//! What a server has from the start, as a real one does.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::object;

/// The classes of pods that come before all others: name, value and description.
const PRIORITIES: [(&str, i64, &str); 2] = [
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
];

/// One of these classes.
pub(crate) fn priority_class(wanted: &str) -> Option<Value> {
    let mut classes = PRIORITIES.iter();
    let (name, value, description) = classes.find(|(name, ..)| *name == wanted)?;
    Some(json!({
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name},
        "value": value, "description": description, "preemptionPolicy": "PreemptLowerPriority",
    }))
}

/// The namespaces that are always there.
pub(crate) fn namespaces() -> impl Iterator<Item = (&'static str, Value)> {
    let names = ["default", "kube-system", "kube-public", "kube-node-lease"];
    names.into_iter().map(|name| {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        ("/api/v1/namespaces", namespace)
    })
}

/// The path and the object of each, in the order in which they come.
pub(crate) fn objects() -> Vec<(&'static str, Value)> {
    let priorities = PRIORITIES
        .iter()
        .filter_map(|(name, ..)| priority_class(name));
    let priorities = priorities.map(|class| ("/apis/scheduling.k8s.io/v1/priorityclasses", class));
    namespaces().chain(priorities).collect()
}

/// What a server says of how it is set up: its own API, how fairly it serves, and who may see to it.
const SET_UP: &str = include_str!("first.json");

/// Something that a part of the server writes.
#[derive(Deserialize)]
pub(crate) struct Written {
    pub(crate) path: String,
    /// The part.
    #[serde(rename = "as")]
    pub(crate) agent: String,
    /// It is applied to what is there.
    #[serde(default)]
    pub(crate) applied: bool,
    pub(crate) object: Value,
}

/// All that is said of how it is set up, in the order in which it comes.
pub(crate) fn set_up() -> Result<Vec<Written>, serde_json::Error> {
    let mut all: Vec<Written> = serde_json::from_str(SET_UP)?;
    for written in &mut all {
        let conditions = written.object.pointer_mut("/status/conditions");
        for condition in conditions
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            condition["lastTransitionTime"] = object::now().into();
        }
    }
    Ok(all)
}

/// The spec of an object that a server is set up with.
pub(crate) fn spec(kind: &str, name: &str) -> Option<Value> {
    let all: Vec<Written> = serde_json::from_str(SET_UP).ok()?;
    let mut objects = all.into_iter().map(|written| written.object);
    let found = objects.find(|object| {
        object["kind"] == kind && object::name(object) == name && object["spec"].is_object()
    });
    Some(found?["spec"].take())
}

/// That the server is there, and since when it looks for old tokens.
pub(crate) fn presence(port: u16, uid: &str) -> [(&'static str, Value); 2] {
    const NAME: &str = "apiserver-jgla3zmib2ggq5buc4hwi5talm";
    let now = crate::clock::now();
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {
            "name": NAME,
            "labels": {"apiserver.kubernetes.io/identity": "kube-apiserver", "kubernetes.io/hostname": "localhost"},
            "annotations": {"kubernetes.io/peer-advertise-address": format!("127.0.0.1:{port}")},
        },
        "spec": {
            "holderIdentity": format!("{NAME}_{uid}"), "leaseDurationSeconds": 3600,
            "renewTime": now.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        },
    });
    let tracking = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "kube-apiserver-legacy-service-account-token-tracking"},
        "data": {"since": now.strftime("%Y-%m-%d").to_string()},
    });
    [
        (
            "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases",
            lease,
        ),
        ("/api/v1/namespaces/kube-system/configmaps", tracking),
    ]
}

/// What a server says of its parts, which are all well: the names and the objects, which nobody writes.
pub(crate) fn components() -> impl Iterator<Item = (&'static str, Value)> {
    ["controller-manager", "etcd-0", "scheduler"]
        .into_iter()
        .map(|name| {
            let component = json!({
                "apiVersion": "v1", "kind": "ComponentStatus", "metadata": {"name": name},
                "conditions": [{"type": "Healthy", "status": "True", "message": "ok"}],
            });
            (name, component)
        })
}

/// The service that stands for the server itself.
pub(crate) fn service(port: u16) -> (&'static str, Value) {
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": "kubernetes", "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "type": "ClusterIP", "clusterIP": "10.0.0.1", "sessionAffinity": "None", "ipFamilyPolicy": "SingleStack",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}],
        },
    });
    ("/api/v1/namespaces/default/services", service)
}
