//! The kinds that operators own: what a small object of each becomes, and what is refused of it.

use serde_json::{Value, json};

use super::support::{Talk, extend};

const TABLE: &str = "application/json;as=Table;g=meta.k8s.io;v=v1,application/json";

/// The life of one object: it is created, shown as a table, changed, and deleted.
async fn lives(talk: &mut Talk, path: &str, object: Value) {
    let name = object["metadata"]["name"]
        .as_str()
        .unwrap_or("one")
        .to_owned();
    talk.post(path, object).await;
    let one = format!("{path}/{name}");
    talk.send("GET", &one, &[("accept", TABLE)], None).await;
    talk.patch("merge", &one, json!({"metadata": {"labels": {"a": "b"}}}))
        .await;
    talk.delete(&one).await;
}

fn pod_spec() -> Value {
    json!({"containers": [{"name": "main", "image": "registry.example.com/app:1.0"}]})
}

fn template() -> Value {
    json!({"metadata": {"labels": {"app": "one"}}, "spec": pod_spec()})
}

fn named(spec: Value) -> Value {
    json!({"metadata": {"name": "one"}, "spec": spec})
}

conformance! {
    async fn a_namespace_of_its_own(talk: &mut Talk) {
        talk.post("/api/v1/namespaces", json!({"metadata": {"name": "{ns}-2", "labels": {"a": "b"}}})).await;
        talk.send("GET", "/api/v1/namespaces/{ns}-2", &[("accept", TABLE)], None).await;
    }

    async fn config_maps_and_secrets(talk: &mut Talk) {
        lives(talk, "/api/v1/namespaces/{ns}/configmaps", json!({"metadata": {"name": "one"}, "data": {"a": "b"}, "binaryData": {"c": "ZA=="}})).await;
        lives(talk, "/api/v1/namespaces/{ns}/secrets", json!({"metadata": {"name": "one"}, "data": {"a": "Yg=="}})).await;
        talk.post("/api/v1/namespaces/{ns}/secrets", json!({"metadata": {"name": "two"}, "type": "kubernetes.io/tls", "data": {"tls.crt": "Yg=="}})).await;
        talk.post("/api/v1/namespaces/{ns}/secrets", json!({"metadata": {"name": "three"}, "type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "Yg=="}})).await;
        talk.post("/api/v1/namespaces/{ns}/secrets", json!({"metadata": {"name": "three"}, "type": "kubernetes.io/basic-auth", "data": {}})).await;
    }

    /// What Go's decoder says of what registries are named in.
    async fn secrets_that_are_no_json(talk: &mut Talk) {
        for text in [
            "{}", "null", " {} ", "", "x", "{bad", "{\"a\":1", "[1]", "\"x\"", "true", "-1", "{\"auths\":1}", "{} x", "{\"a\":tru}", "{\"a\" 1}", "{\"a\":1,}", "nul",
            "{\"a\":\"\n\"}", "{\"a\":01}", "{\"a\":1 \"b\"}", "[1,]", "-", "1.", "1e", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "\u{0}", "{\"auths\":", "\"abc", "\"\\", "{\"a\":\"\\u1",
        ] {
            let secret = json!({"metadata": {"name": "one"}, "type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": text}});
            talk.post("/api/v1/namespaces/{ns}/secrets?dryRun=All", secret).await;
        }
    }

    async fn services(talk: &mut Talk) {
        let path = "/api/v1/namespaces/{ns}/services";
        lives(talk, path, named(json!({"selector": {"app": "one"}, "ports": [{"port": 80}]}))).await;
        lives(talk, path, json!({"metadata": {"name": "two"}, "spec": {"clusterIP": "None", "ports": [{"port": 80, "targetPort": "http", "name": "http"}]}})).await;
        lives(talk, path, json!({"metadata": {"name": "three"}, "spec": {"type": "ExternalName", "externalName": "example.com"}})).await;
        talk.post(path, named(json!({}))).await;
        talk.post(path, named(json!({"ports": [{"port": 0}]}))).await;
        talk.post(path, named(json!({"ports": [{"port": 80}, {"port": 81}]}))).await;
        talk.post(path, named(json!({"type": "Odd", "ports": [{"port": 80}]}))).await;
    }

    async fn storage_classes(talk: &mut Talk) {
        let path = "/apis/storage.k8s.io/v1/storageclasses";
        let (one, two) = (&format!("{path}/{{ns}}-one"), &format!("{path}/{{ns}}-two"));
        let class = |more: Value| {
            let mut class = json!({"metadata": {"name": "{ns}-one", "namespace": "anywhere"}, "provisioner": "example.com/disks"});
            extend(&mut class, &more);
            class
        };
        talk.post(path, json!({"metadata": {"name": "{ns}-two"}})).await;
        for more in [json!({"reclaimPolicy": "Recycle"}), json!({"reclaimPolicy": ""}), json!({"volumeBindingMode": "Odd"}), json!({"volumeBindingMode": ""}), json!({"provisioner": "A B", "reclaimPolicy": "Odd"})] {
            talk.post(&format!("{path}?dryRun=All"), class(more)).await;
        }
        talk.say("what is in no namespace may name one");
        talk.post(path, class(json!({"parameters": {"a": "b"}}))).await;
        talk.patch("merge", one, json!({"metadata": {"namespace": "another", "labels": {"a": "b"}}})).await;
        talk.patch("apply", &format!("{two}?fieldManager=me"), json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "{ns}-two", "namespace": "another"}, "provisioner": "example.com/disks"})).await;
        talk.say("what volumes were made by stays as it is");
        talk.put(one, class(json!({"provisioner": "example.com/others", "parameters": {"a": "c"}, "reclaimPolicy": "Retain", "volumeBindingMode": "WaitForFirstConsumer"}))).await;
        talk.put(one, class(json!({}))).await;
        talk.put(one, class(json!({"parameters": {"a": "b"}, "allowVolumeExpansion": true}))).await;
        talk.patch("merge", two, json!({"provisioner": null})).await;
        talk.patch("merge", two, json!({"parameters": {"a": "b"}})).await;
        talk.delete(one).await;
        talk.delete(two).await;
    }

    async fn service_accounts(talk: &mut Talk) {
        lives(talk, "/api/v1/namespaces/{ns}/serviceaccounts", json!({"metadata": {"name": "one"}})).await;
        let secrets = |namespace: &str| json!([{"kind": "Secret", "namespace": namespace, "name": "a"}, {"name": "b", "uid": "c"}]);
        talk.post("/api/v1/namespaces/{ns}/serviceaccounts", json!({"metadata": {"name": "two"}, "secrets": secrets("one")})).await;
        talk.patch("merge", "/api/v1/namespaces/{ns}/serviceaccounts/two", json!({"secrets": secrets("two")})).await;
    }

    async fn leases(talk: &mut Talk) {
        let path = "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases";
        lives(talk, path, named(json!({"holderIdentity": "me", "leaseDurationSeconds": 15, "acquireTime": "2024-01-01T00:00:00.000000Z", "renewTime": "2024-01-01T00:00:00.123456Z"}))).await;
        talk.post(path, named(json!({"leaseDurationSeconds": 0}))).await;
    }

    async fn events_of_both_groups(talk: &mut Talk) {
        let (old, new) = ("/api/v1/namespaces/{ns}/events", "/apis/events.k8s.io/v1/namespaces/{ns}/events");
        let about = json!({"kind": "ConfigMap", "apiVersion": "v1", "name": "one", "namespace": "{ns}"});
        talk.post(old, json!({"metadata": {"name": "one"}, "involvedObject": about, "reason": "Done", "message": "it is", "type": "Normal"})).await;
        talk.get(&format!("{new}/one")).await;
        talk.post(new, json!({
            "metadata": {"name": "two"}, "regarding": about, "reason": "Done", "note": "it is", "type": "Normal", "action": "Do",
            "reportingController": "example.com/me", "reportingInstance": "me-1", "eventTime": "2024-01-01T00:00:00.000000Z",
        })).await;
        talk.get(&format!("{old}/two")).await;
        talk.post(new, json!({"metadata": {"name": "three"}})).await;
        talk.post(old, json!({"metadata": {"name": "three"}, "involvedObject": {"namespace": "another"}})).await;
    }

    async fn pods(talk: &mut Talk) {
        let path = "/api/v1/namespaces/{ns}/pods";
        talk.post(path, named(pod_spec())).await;
        talk.send("GET", &format!("{path}/one"), &[("accept", TABLE)], None).await;
        talk.patch("merge", &format!("{path}/one/status"), json!({"status": {"phase": "Running"}})).await;
        talk.patch("strategic-merge", &format!("{path}/one"), json!({"spec": {"containers": [{"name": "main", "image": "registry.example.com/app:2.0"}]}})).await;
        talk.delete_with(&format!("{path}/one"), json!({"gracePeriodSeconds": 0})).await;
    }

    async fn pods_that_are_wrong(talk: &mut Talk) {
        let path = "/api/v1/namespaces/{ns}/pods";
        talk.post(path, named(json!({}))).await;
        talk.post(path, named(json!({"containers": []}))).await;
        talk.post(path, named(json!({"containers": [{"name": "Not_A_Name", "image": "a"}]}))).await;
        talk.post(path, named(json!({"containers": [{"name": "main"}]}))).await;
        talk.post(path, named(json!({"containers": [{"name": "main", "image": "a"}, {"name": "main", "image": "b"}]}))).await;
        talk.post(path, named(json!({"containers": [{"name": "main", "image": "a"}], "restartPolicy": "Sometimes"}))).await;
    }

    async fn what_containers_and_volumes_must_say(talk: &mut Talk) {
        let path = "/api/v1/namespaces/{ns}/pods";
        talk.post(path, named(json!({
            "containers": [{"name": "main", "image": "a", "ports": [{}], "env": [{}], "volumeMounts": [{}, {"name": "a", "mountPath": "/a"}], "livenessProbe": {}}],
            "initContainers": [{}], "volumes": [{"name": "a"}, {}],
        }))).await;
        talk.post(path, named(json!({
            "containers": [{
                "image": "a", "ports": [
                    {"containerPort": 70000, "name": "UPPER_"}, {"containerPort": 0, "protocol": "x"}, {"containerPort": 1, "name": "a"},
                    {"containerPort": 1, "name": "a", "hostPort": -1}, {"containerPort": 1, "name": "a--0123456789-0123-"},
                ],
                "envFrom": [{}], "livenessProbe": {"httpGet": {}}, "readinessProbe": {"tcpSocket": {"port": "-"}}, "lifecycle": {"preStop": {"exec": {}}},
            }],
            "volumes": [{"name": "v", "hostPath": {}}, {"name": "w", "persistentVolumeClaim": {}}, {"name": "w", "secret": {}}, {"name": "x", "configMap": {}}],
        }))).await;
        let template = |spec: Value| json!({"metadata": {"name": "one"}, "spec": {
            "selector": {"matchLabels": {"app": "web"}}, "serviceName": "one", "template": {"metadata": {"labels": {"app": "web"}}, "spec": spec},
        }});
        for kind in ["deployments", "statefulsets"] {
            let path = format!("/apis/apps/v1/namespaces/{{ns}}/{kind}");
            let container = json!({"name": "main", "image": "a", "ports": [{"containerPort": 0}], "volumeMounts": [{"name": "data", "mountPath": "/data"}]});
            talk.post(&path, template(json!({"containers": [container]}))).await;
            let container = json!({"name": "main", "image": "a", "volumeMounts": [{"name": "data", "mountPath": "/data"}]});
            let mut claiming = template(json!({"containers": [container]}));
            claiming["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "data"}, "spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
            }}]);
            talk.post(&format!("{path}?dryRun=All"), claiming).await;
        }
    }

    async fn a_pod_with_more_to_say(talk: &mut Talk) {
        talk.post("/api/v1/namespaces/{ns}/pods", named(json!({
            "serviceAccountName": "robot",
            "initContainers": [{"name": "init", "image": "registry.example.com/init", "command": ["true"]}],
            "containers": [{
                "name": "main", "image": "registry.example.com/app@sha256:0123456789012345678901234567890123456789012345678901234567890123",
                "ports": [{"containerPort": 8080, "name": "http"}, {"containerPort": 53, "protocol": "UDP"}],
                "env": [{"name": "A", "value": "b"}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}, {"name": "C", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
                "resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": {"cpu": 2, "memory": "2Gi"}},
                "livenessProbe": {"httpGet": {"port": "http"}}, "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 3},
                "volumeMounts": [{"name": "config", "mountPath": "/config"}, {"name": "tmp", "mountPath": "/tmp"}],
                "securityContext": {"runAsNonRoot": true, "capabilities": {"drop": ["ALL"]}},
            }],
            "volumes": [
                {"name": "config", "configMap": {"name": "c"}}, {"name": "tmp", "emptyDir": {}}, {"name": "s", "secret": {"secretName": "s"}},
                {"name": "p", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}, {"name": "h", "hostPath": {"path": "/x"}},
                {"name": "d", "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
            ],
            "securityContext": {"runAsUser": 1000, "fsGroup": 1000},
        }))).await;
    }

    async fn deployments(talk: &mut Talk) {
        let path = "/apis/apps/v1/namespaces/{ns}/deployments";
        lives(talk, path, named(json!({"selector": {"matchLabels": {"app": "one"}}, "template": template()}))).await;
        talk.post(path, named(json!({"selector": {"matchLabels": {"app": "two"}}, "template": template()}))).await;
        talk.post(path, named(json!({"template": template()}))).await;
        talk.post(path, named(json!({"replicas": -1, "selector": {"matchLabels": {"app": "one"}}, "template": template()}))).await;
        talk.post(path, named(json!({"replicas": 0, "strategy": {"type": "Recreate"}, "selector": {"matchLabels": {"app": "one"}}, "template": template()}))).await;
        talk.patch("merge", &format!("{path}/one"), json!({"spec": {"selector": {"matchLabels": {"more": "b"}}, "template": {"metadata": {"labels": {"more": "b"}}}}})).await;
    }

    async fn stateful_sets(talk: &mut Talk) {
        let path = "/apis/apps/v1/namespaces/{ns}/statefulsets";
        lives(talk, path, named(json!({
            "serviceName": "one", "selector": {"matchLabels": {"app": "one"}}, "template": template(),
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}],
        }))).await;
        talk.post(path, named(json!({"selector": {"matchLabels": {"app": "one"}}, "template": template()}))).await;
        talk.patch("merge", &format!("{path}/one"), json!({"spec": {"serviceName": "two"}})).await;
    }

    async fn daemon_sets_and_replica_sets(talk: &mut Talk) {
        let spec = json!({"selector": {"matchLabels": {"app": "one"}}, "template": template()});
        // In a table the real server shows the object without an annotation that it has.
        let daemon_sets = "/apis/apps/v1/namespaces/{ns}/daemonsets";
        talk.post(daemon_sets, named(spec.clone())).await;
        let one = format!("{daemon_sets}/one");
        talk.patch("merge", &one, json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.patch("merge", &one, json!({"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}})).await;
        talk.delete(&one).await;
        lives(talk, "/apis/apps/v1/namespaces/{ns}/replicasets", named(spec)).await;
        lives(talk, "/api/v1/namespaces/{ns}/replicationcontrollers", named(json!({"selector": {"app": "one"}, "template": template()}))).await;
        lives(talk, "/apis/apps/v1/namespaces/{ns}/controllerrevisions", json!({"metadata": {"name": "one"}, "revision": 1, "data": {"a": 1}})).await;
        lives(talk, "/api/v1/namespaces/{ns}/podtemplates", json!({"metadata": {"name": "one"}, "template": template()})).await;
    }

    async fn jobs(talk: &mut Talk) {
        let path = "/apis/batch/v1/namespaces/{ns}/jobs";
        let mut spec = pod_spec();
        spec["restartPolicy"] = "Never".into();
        lives(talk, path, named(json!({"template": {"spec": spec}}))).await;
        talk.post(path, named(json!({"template": {"spec": pod_spec()}}))).await;
    }

    async fn cron_jobs(talk: &mut Talk) {
        let path = "/apis/batch/v1/namespaces/{ns}/cronjobs";
        let mut spec = pod_spec();
        spec["restartPolicy"] = "OnFailure".into();
        lives(talk, path, named(json!({"schedule": "*/5 * * * *", "jobTemplate": {"spec": {"template": {"spec": spec}}}}))).await;
        talk.post(path, named(json!({"schedule": "often", "jobTemplate": {"spec": {"template": {"spec": spec}}}}))).await;
    }

    async fn ingresses_and_network_policies(talk: &mut Talk) {
        let path = "/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses";
        lives(talk, path, named(json!({"rules": [{"host": "example.com", "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "one", "port": {"number": 80}}}},
        ]}}]}))).await;
        talk.post(path, named(json!({}))).await;
        talk.post(path, named(json!({"rules": [{"http": {"paths": [{"path": "/", "backend": {"service": {"name": "one", "port": {"number": 80}}}}]}}]}))).await;
        lives(talk, "/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies", named(json!({"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}))).await;
        lives(talk, "/apis/networking.k8s.io/v1/ingressclasses", json!({"metadata": {"name": "{ns}"}, "spec": {"controller": "example.com/one"}})).await;
    }

    async fn persistent_volume_claims(talk: &mut Talk) {
        let path = "/api/v1/namespaces/{ns}/persistentvolumeclaims";
        lives(talk, path, named(json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}}))).await;
        talk.post(path, named(json!({}))).await;
        lives(talk, "/api/v1/persistentvolumes", json!({"metadata": {"name": "{ns}"}, "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"},
        }})).await;
        lives(talk, "/apis/storage.k8s.io/v1/storageclasses", json!({"metadata": {"name": "{ns}"}, "provisioner": "example.com/one"})).await;
    }

    async fn roles_and_bindings(talk: &mut Talk) {
        let base = "/apis/rbac.authorization.k8s.io/v1";
        let rules = json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]);
        lives(talk, &format!("{base}/namespaces/{{ns}}/roles"), json!({"metadata": {"name": "one"}, "rules": rules})).await;
        lives(talk, &format!("{base}/clusterroles"), json!({"metadata": {"name": "{ns}"}, "rules": rules})).await;
        let subjects = json!([{"kind": "ServiceAccount", "name": "one", "namespace": "{ns}"}, {"kind": "User", "name": "me"}]);
        lives(talk, &format!("{base}/namespaces/{{ns}}/rolebindings"), json!({"metadata": {"name": "one"}, "roleRef": {"kind": "Role", "name": "one"}, "subjects": subjects})).await;
        lives(talk, &format!("{base}/clusterrolebindings"), json!({"metadata": {"name": "{ns}"}, "roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": subjects})).await;
        talk.post(&format!("{base}/namespaces/{{ns}}/roles"), json!({"metadata": {"name": "one"}, "rules": [{"verbs": []}]})).await;
        talk.post(&format!("{base}/namespaces/{{ns}}/rolebindings"), json!({"metadata": {"name": "one"}})).await;
    }

    async fn budgets_and_autoscalers(talk: &mut Talk) {
        lives(talk, "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets", named(json!({"minAvailable": 1, "selector": {"matchLabels": {"app": "one"}}}))).await;
        lives(talk, "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers", named(json!({
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "one"}, "maxReplicas": 3,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}],
        }))).await;
        lives(talk, "/apis/scheduling.k8s.io/v1/priorityclasses", json!({"metadata": {"name": "{ns}"}, "value": 5})).await;
        lives(talk, "/api/v1/namespaces/{ns}/limitranges", named(json!({"limits": [{"type": "Container", "default": {"cpu": "500m"}}]}))).await;
        lives(talk, "/api/v1/namespaces/{ns}/resourcequotas", named(json!({"hard": {"pods": 10}}))).await;
    }

    async fn endpoints_and_slices(talk: &mut Talk) {
        lives(talk, "/api/v1/namespaces/{ns}/endpoints", json!({"metadata": {"name": "one"}, "subsets": [{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80}]}]})).await;
        lives(talk, "/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices", json!({
            "metadata": {"name": "one"}, "addressType": "IPv4", "endpoints": [{"addresses": ["192.0.2.1"]}], "ports": [{"port": 80}],
        })).await;
    }

    async fn nodes(talk: &mut Talk) {
        lives(talk, "/api/v1/nodes", json!({"metadata": {"name": "{ns}"}})).await;
    }

    async fn services_have_what_their_type_needs(talk: &mut Talk) {
        let path = "/api/v1/namespaces/{ns}/services";
        let one = &format!("{path}/one");
        let ports = json!([{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]);
        for spec in [
            json!({"type": "LoadBalancer", "ports": ports, "allocateLoadBalancerNodePorts": false}),
            json!({"type": "LoadBalancer", "ports": ports, "externalTrafficPolicy": "Local"}),
            json!({"type": "NodePort", "ports": ports}),
        ] {
            talk.post(path, named(spec)).await;
            for change in [
                json!({"metadata": {"labels": {"a": "b"}}}),
                json!({"spec": {"type": "LoadBalancer"}}),
                json!({"spec": {"type": "NodePort"}}),
                json!({"spec": {"type": "ClusterIP"}}),
                json!({"spec": {"type": "ExternalName", "externalName": "example.com"}}),
                json!({"spec": {"type": "NodePort", "externalName": null}}),
            ] {
                talk.patch("merge", one, change).await;
            }
            talk.delete(one).await;
        }
    }
}
