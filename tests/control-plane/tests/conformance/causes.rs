//! How often it is told what is wrong with the metadata of what is updated: as often as a server looks at it.

use serde_json::{Value, json};

use super::support::{Talk, thing_crd};

/// Where objects of a kind are, one of them, and the parts of it that have an endpoint.
type Tried = (&'static str, Value, &'static [&'static str]);

/// What is wrong in each way that a server tells apart.
fn wrong() -> Value {
    json!({"metadata": {
        "labels": {"a b": "c"}, "annotations": {"c d": "e"}, "finalizers": ["a b"], "uid": "x",
        "ownerReferences": [{"apiVersion": "", "kind": "", "name": "", "uid": ""}],
    }})
}

fn template() -> Value {
    json!({"metadata": {"labels": {"a": "b"}}, "spec": {"restartPolicy": "Always", "containers": [{"name": "a", "image": "b"}]}})
}

/// Makes an object and sends what is wrong with it.
async fn try_one(talk: &mut Talk, path: &str, name: &str, mut object: Value, parts: &[&str]) {
    object["metadata"] = json!({"name": name});
    talk.prepare(path, object).await;
    for part in std::iter::once(&"").chain(parts) {
        talk.patch("merge", &format!("{path}/{name}{part}?dryRun=All"), wrong())
            .await;
    }
}

conformance! {
    async fn of_metadata_of_core_kinds(talk: &mut Talk) {
        let pod = json!({"containers": [{"name": "a", "image": "b"}]});
        let selector = json!({"a": "b"});
        let kinds: Vec<Tried> = vec![
            ("configmaps", json!({}), &[]), ("secrets", json!({}), &[]), ("serviceaccounts", json!({}), &[]), ("endpoints", json!({}), &[]), ("limitranges", json!({"spec": {"limits": []}}), &[]),
            ("events", json!({"involvedObject": {"namespace": "{ns}"}}), &[]), ("podtemplates", json!({"template": template()}), &[]),
            ("services", json!({"spec": {"ports": [{"port": 80}]}}), &["/status"]), ("pods", json!({"spec": pod}), &["/status", "/resize", "/ephemeralcontainers"]),
            ("replicationcontrollers", json!({"spec": {"selector": selector, "replicas": 0, "template": template()}}), &["/status"]), ("resourcequotas", json!({"spec": {"hard": {"pods": "9"}}}), &["/status"]),
            ("persistentvolumeclaims", json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}), &["/status"]),
        ];
        for (plural, object, parts) in kinds {
            try_one(talk, &format!("/api/v1/namespaces/{{ns}}/{plural}"), "one", object, parts).await;
        }
    }

    async fn of_metadata_of_workloads(talk: &mut Talk) {
        let selector = json!({"matchLabels": {"a": "b"}});
        let of = |more: Value| {
            let mut spec = json!({"selector": selector, "template": template()});
            if let (Some(spec), Some(more)) = (spec.as_object_mut(), more.as_object()) {
                spec.extend(more.clone());
            }
            json!({"spec": spec})
        };
        let kinds: Vec<Tried> = vec![
            ("apps/v1/namespaces/{ns}/deployments", of(json!({"replicas": 0})), &["/status"]), ("apps/v1/namespaces/{ns}/replicasets", of(json!({"replicas": 0})), &["/status"]),
            ("apps/v1/namespaces/{ns}/statefulsets", of(json!({"replicas": 0, "serviceName": "a"})), &["/status"]), ("apps/v1/namespaces/{ns}/daemonsets", of(json!({})), &["/status"]),
            ("apps/v1/namespaces/{ns}/controllerrevisions", json!({"data": {}, "revision": 1}), &[]), ("policy/v1/namespaces/{ns}/poddisruptionbudgets", json!({"spec": {"minAvailable": 1, "selector": selector}}), &["/status"]),
            ("autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers", json!({"spec": {"maxReplicas": 1, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "b"}}}), &["/status"]),
            ("coordination.k8s.io/v1/namespaces/{ns}/leases", json!({"spec": {}}), &[]), ("discovery.k8s.io/v1/namespaces/{ns}/endpointslices", json!({"addressType": "IPv4", "endpoints": []}), &[]),
        ];
        for (path, object, parts) in kinds {
            try_one(talk, &format!("/apis/{path}"), "one", object, parts).await;
        }
    }

    async fn of_metadata_of_what_is_in_a_namespace(talk: &mut Talk) {
        let kinds: Vec<Tried> = vec![
            ("networking.k8s.io/v1/namespaces/{ns}/networkpolicies", json!({"spec": {"podSelector": {}}}), &[]),
            ("networking.k8s.io/v1/namespaces/{ns}/ingresses", json!({"spec": {"defaultBackend": {"service": {"name": "a", "port": {"number": 80}}}}}), &["/status"]),
            ("rbac.authorization.k8s.io/v1/namespaces/{ns}/roles", json!({"rules": []}), &[]), ("storage.k8s.io/v1/namespaces/{ns}/csistoragecapacities", json!({"storageClassName": "a"}), &[]),
            ("resource.k8s.io/v1/namespaces/{ns}/resourceclaims", json!({"spec": {}}), &["/status"]), ("resource.k8s.io/v1/namespaces/{ns}/resourceclaimtemplates", json!({"spec": {"spec": {}}}), &[]),
            ("events.k8s.io/v1/namespaces/{ns}/events", json!({"regarding": {"namespace": "{ns}"}, "eventTime": "2024-01-01T00:00:00.000000Z", "reportingController": "k8s.io/c", "reportingInstance": "i", "action": "A", "reason": "R", "type": "Normal"}), &[]),
        ];
        for (path, object, parts) in kinds {
            try_one(talk, &format!("/apis/{path}"), "one", object, parts).await;
        }
    }

    async fn of_metadata_of_what_is_in_no_namespace(talk: &mut Talk) {
        let one = "{ns}.one";
        try_one(talk, "/api/v1/nodes", one, json!({}), &["/status"]).await;
        try_one(talk, "/api/v1/persistentvolumes", one, json!({"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/a"}}}), &["/status"]).await;
        let kinds: Vec<Tried> = vec![
            ("networking.k8s.io/v1/ingressclasses", json!({"spec": {"controller": "a.b/c"}}), &[]), ("rbac.authorization.k8s.io/v1/clusterroles", json!({"rules": []}), &[]),
            ("storage.k8s.io/v1/storageclasses", json!({"provisioner": "a.b/c"}), &[]), ("storage.k8s.io/v1/csidrivers", json!({"spec": {}}), &[]), ("storage.k8s.io/v1/csinodes", json!({"spec": {"drivers": []}}), &[]),
            ("storage.k8s.io/v1/volumeattachments", json!({"spec": {"attacher": "a", "nodeName": "b", "source": {"persistentVolumeName": "c"}}}), &["/status"]),
            ("storage.k8s.io/v1/volumeattributesclasses", json!({"driverName": "a.b", "parameters": {"a": "b"}}), &[]), ("node.k8s.io/v1/runtimeclasses", json!({"handler": "a"}), &[]), ("scheduling.k8s.io/v1/priorityclasses", json!({"value": 1}), &[]),
            ("admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", json!({}), &[]), ("admissionregistration.k8s.io/v1/validatingadmissionpolicybindings", json!({"spec": {"policyName": "zz", "validationActions": ["Deny"]}}), &[]),
            ("resource.k8s.io/v1/deviceclasses", json!({"spec": {}}), &[]), ("resource.k8s.io/v1/resourceslices", json!({"spec": {"driver": "a.b", "nodeName": "n", "pool": {"name": "p", "resourceSliceCount": 1}}}), &[]),
        ];
        for (path, object, parts) in kinds {
            try_one(talk, &format!("/apis/{path}"), one, object, parts).await;
        }
    }

    async fn of_metadata_of_custom_resources(talk: &mut Talk) {
        let version = json!({"name": "v1", "served": true, "storage": true, "subresources": {"status": {}}, "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}});
        talk.install(thing_crd(version)).await;
        try_one(talk, "/apis/{group}/v1/namespaces/{ns}/things", "one", json!({"apiVersion": "{group}/v1", "kind": "Thing"}), &["/status"]).await;
        let definition = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}";
        for part in ["", "/status"] {
            talk.patch("merge", &format!("{definition}{part}?dryRun=All"), json!({"metadata": {"labels": {"a b": "c"}}})).await;
        }
        talk.say("what its names become");
        for names in [json!({"kind": "A b"}), json!({"plural": "A b"}), json!({"shortNames": ["A b"]})] {
            talk.patch("merge", &format!("{definition}?dryRun=All"), json!({"spec": {"names": names}})).await;
        }
    }

    async fn of_what_is_not_to_be_deleted_so(talk: &mut Talk) {
        talk.prepare("/api/v1/namespaces/{ns}/configmaps", json!({"metadata": {"name": "one"}})).await;
        for metadata in [
            json!({"deletionTimestamp": "2001-01-01T00:00:00Z"}), json!({"deletionGracePeriodSeconds": 1}), json!({"generation": -7, "creationTimestamp": "2001-01-01T00:00:00Z"}),
            json!({"uid": "x", "deletionTimestamp": "2001-01-01T00:00:00Z", "labels": {"a b": "c"}}), json!({"uid": "x", "resourceVersion": "1"}),
        ] {
            talk.patch("merge", "/api/v1/namespaces/{ns}/configmaps/one?dryRun=All", json!({"metadata": metadata})).await;
        }
    }
}
