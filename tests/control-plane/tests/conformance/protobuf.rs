//! Protobuf, byte for byte.

use serde_json::{Value, json};

use super::support::Talk;

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
/// As client-go asks.
const BOTH: &str = "application/vnd.kubernetes.protobuf,application/json";
const METADATA: &str =
    "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const METADATA_LIST: &str =
    "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const TABLE: &str = "application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1";
const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const TELEGRAMS: &str = "/apis/{group}/v1/namespaces/{ns}/telegrams";

fn map(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"b": "2", "a": "1"}},
        "data": {"z": "last", "a": "first", "empty": ""}, "binaryData": {"bytes": "AP8B", "none": ""},
    })
}

fn pod_template() -> Value {
    json!({
        "metadata": {"labels": {"app": "web"}, "annotations": {"an/annotation": "text"}},
        "spec": {
            "initContainers": [{"name": "init", "image": "init", "restartPolicy": "Always", "env": [
                {"name": "PLAIN", "value": "text"},
                {"name": "FIELD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
                {"name": "MAP", "valueFrom": {"configMapKeyRef": {"name": "map", "key": "key", "optional": false}}},
            ], "envFrom": [{"prefix": "X_", "secretRef": {"name": "secret"}}]}],
            "containers": [{
                "name": "web", "image": "web:1", "command": ["run"], "args": ["", "now"],
                "ports": [{"containerPort": 8080, "name": "http"}, {"containerPort": 9, "protocol": "UDP"}, {"containerPort": 80}],
                "resources": {"limits": {"memory": "1Gi", "cpu": "0.5"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
                "readinessProbe": {"httpGet": {"port": "http", "path": "/", "httpHeaders": [{"name": "A", "value": "b"}]}},
                "livenessProbe": {"tcpSocket": {"port": 8080}, "terminationGracePeriodSeconds": 1},
                "lifecycle": {"preStop": {"exec": {"command": ["sleep", "1"]}}},
                "securityContext": {"runAsUser": 0, "readOnlyRootFilesystem": false, "capabilities": {"drop": ["ALL"]}},
                "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "all", "mountPath": "/all", "readOnly": true}],
            }],
            "volumes": [
                {"name": "data", "emptyDir": {}},
                {"name": "disk", "emptyDir": {"medium": "Memory", "sizeLimit": "1500m"}},
                {"name": "map", "configMap": {"name": "map", "items": [{"key": "a", "path": "b", "mode": 256}]}},
                {"name": "secret", "secret": {"secretName": "secret", "optional": true}},
                {"name": "claim", "persistentVolumeClaim": {"claimName": "claim"}},
                {"name": "all", "projected": {"sources": [
                    {"configMap": {"name": "map", "optional": false}},
                    {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
                ]}},
            ],
            "affinity": {
                "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 1, "preference": {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}]}},
                ]},
                "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                    {"topologyKey": "host", "labelSelector": {"matchLabels": {"app": "web"}}},
                ]},
            },
            "tolerations": [{"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0}],
            "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}],
            "securityContext": {"fsGroup": 0, "supplementalGroups": [5, 0]},
            "hostAliases": [{"ip": "1.2.3.4", "hostnames": ["a"]}], "nodeSelector": {"disk": "ssd"},
            "imagePullSecrets": [{"name": "pull"}], "dnsConfig": {"options": [{"name": "ndots", "value": "2"}]},
        },
    })
}

/// The path, and what is created there.
fn objects() -> Vec<(&'static str, Value)> {
    let selector = json!({"matchLabels": {"app": "web"}});
    let small = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web"}]}});
    let mut job_template = small.clone();
    job_template["spec"]["restartPolicy"] = "Never".into();
    vec![
        (
            "/api/v1/namespaces/{ns}/secrets",
            json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one"}, "type": "Opaque", "immutable": false,
                "data": {"a": "AAECAwQ=", "empty": ""}, "stringData": {"text": "words"},
            }),
        ),
        (
            "/api/v1/namespaces/{ns}/services",
            json!({
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": "one", "finalizers": ["example.com/hold"]},
                "spec": {"selector": {"app": "web"}, "clusterIP": "None", "ports": [{"port": 80, "targetPort": "http", "name": "a"}, {"port": 8080, "targetPort": 9, "name": "b", "appProtocol": "h2"}]},
            }),
        ),
        (
            "/api/v1/namespaces/{ns}/serviceaccounts",
            json!({
                "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "one"}, "secrets": [{"name": "a"}], "automountServiceAccountToken": false,
            }),
        ),
        (
            "/api/v1/namespaces/{ns}/events",
            json!({
                "apiVersion": "v1", "kind": "Event", "metadata": {"name": "one"}, "involvedObject": {"kind": "Pod", "name": "p", "namespace": "{ns}"},
                "reason": "Because", "message": "of it", "type": "Normal", "count": 3, "firstTimestamp": "2020-01-01T00:00:00Z", "lastTimestamp": "2020-01-01T00:00:01Z",
                "source": {"component": "test"},
            }),
        ),
        (
            "/apis/events.k8s.io/v1/namespaces/{ns}/events",
            json!({
                "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "two"}, "regarding": {"kind": "Pod", "name": "p", "namespace": "{ns}"},
                "reason": "Because", "note": "of it", "type": "Normal", "action": "Doing", "reportingController": "example.com/test", "reportingInstance": "me",
                "eventTime": "2020-01-01T00:00:00.123456Z", "series": {"count": 2, "lastObservedTime": "2020-01-01T00:00:01.000000Z"},
            }),
        ),
        (
            "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases",
            json!({
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "one"},
                "spec": {"holderIdentity": "", "leaseDurationSeconds": 15, "leaseTransitions": 0, "acquireTime": "2020-01-01T00:00:00.000001Z", "renewTime": "1970-01-01T00:00:00.000000Z"},
            }),
        ),
        (
            "/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices",
            json!({
                "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "one"}, "addressType": "IPv4",
                "endpoints": [{"addresses": ["1.2.3.4"], "conditions": {"ready": false}, "hints": {"forZones": [{"name": "a"}]}}], "ports": [{"name": "", "port": 80, "protocol": "TCP"}],
            }),
        ),
        ("/api/v1/namespaces/{ns}/pods", {
            let mut pod = pod_template();
            (pod["apiVersion"], pod["kind"], pod["metadata"]["name"]) =
                ("v1".into(), "Pod".into(), "one".into());
            pod
        }),
        (
            "/api/v1/namespaces/{ns}/replicationcontrollers",
            json!({
                "apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "one"}, "spec": {"replicas": 0, "selector": {"app": "web"}, "template": small},
            }),
        ),
        (
            "/api/v1/namespaces/{ns}/resourcequotas",
            json!({
                "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "one"}, "spec": {"hard": {"requests.cpu": "1e3", "services": "12000"}},
            }),
        ),
        (
            "/api/v1/namespaces/{ns}/limitranges",
            json!({
                "apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "one"}, "spec": {"limits": [{"type": "PersistentVolumeClaim", "max": {"storage": "2Gi"}}]},
            }),
        ),
        (
            "/apis/apps/v1/namespaces/{ns}/deployments",
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "one"},
                "spec": {"replicas": 0, "selector": selector, "template": small, "strategy": {"rollingUpdate": {"maxSurge": "50%", "maxUnavailable": 0}}},
            }),
        ),
        (
            "/apis/apps/v1/namespaces/{ns}/statefulsets",
            json!({
                "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "one"},
                "spec": {"replicas": 0, "serviceName": "one", "selector": selector, "template": small, "volumeClaimTemplates": [
                    {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
                ]},
            }),
        ),
        (
            "/apis/apps/v1/namespaces/{ns}/daemonsets",
            json!({
                "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "one"}, "spec": {"selector": selector, "template": small},
            }),
        ),
        (
            "/apis/apps/v1/namespaces/{ns}/controllerrevisions",
            json!({
                "apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": "one"}, "revision": 0, "data": {"a": [1, {"b": null}], "c": "d"},
            }),
        ),
        (
            "/apis/batch/v1/namespaces/{ns}/jobs",
            json!({
                "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "one"}, "spec": {"suspend": true, "backoffLimit": 0, "manualSelector": true, "selector": selector, "template": job_template},
            }),
        ),
        (
            "/apis/batch/v1/namespaces/{ns}/cronjobs",
            json!({
                "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "one"},
                "spec": {"schedule": "@daily", "timeZone": "Etc/UTC", "jobTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": {"template": job_template}}},
            }),
        ),
        (
            "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers",
            json!({
                "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "one"},
                "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "one"}, "metrics": [
                    {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}},
                    {"type": "External", "external": {"metric": {"name": "queue"}, "target": {"type": "Value", "value": "0.25"}}},
                ]},
            }),
        ),
        (
            "/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses",
            json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "one"},
                "spec": {"ingressClassName": "none", "tls": [{"hosts": ["a.example.com"]}], "rules": [{"host": "a.example.com", "http": {"paths": [
                    {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "one", "port": {"number": 80}}}},
                ]}}]},
            }),
        ),
        (
            "/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies",
            json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "one"},
                "spec": {"podSelector": {}, "ingress": [{}, {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}, {"namespaceSelector": {}}], "ports": [{"port": "http"}, {"port": 80, "endPort": 90, "protocol": "UDP"}]}], "policyTypes": ["Ingress"]},
            }),
        ),
        (
            "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets",
            json!({
                "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "one"}, "spec": {"maxUnavailable": "0%", "selector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}},
            }),
        ),
        (
            "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles",
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "one"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "*"], "resourceNames": [""]}],
            }),
        ),
        (
            "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings",
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "one"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "one"}, "subjects": [{"kind": "ServiceAccount", "name": "one", "namespace": "{ns}"}],
            }),
        ),
    ]
}

/// The same of what is not kept.
fn tried() -> Vec<(&'static str, Value)> {
    vec![
        (
            "/api/v1/namespaces",
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "{ns}-2"}}),
        ),
        (
            "/api/v1/nodes",
            json!({
                "apiVersion": "v1", "kind": "Node", "metadata": {"name": "{ns}"}, "spec": {"podCIDR": "10.0.0.0/24", "podCIDRs": ["10.0.0.0/24"], "taints": [{"key": "a", "effect": "NoSchedule"}]},
                "status": {"daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}}},
            }),
        ),
        (
            "/api/v1/persistentvolumes",
            json!({
                "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "{ns}"},
                "spec": {"capacity": {"storage": "1.5Gi"}, "accessModes": ["ReadWriteMany"], "nfs": {"server": "a", "path": "/b"}, "mountOptions": ["hard"]},
            }),
        ),
        (
            "/apis/storage.k8s.io/v1/storageclasses",
            json!({
                "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "{ns}"}, "provisioner": "example.com/p", "parameters": {"b": "", "a": "1"}, "allowVolumeExpansion": false,
            }),
        ),
        (
            "/apis/scheduling.k8s.io/v1/priorityclasses",
            json!({
                "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "{ns}"}, "value": -5, "description": "Not so urgent.",
            }),
        ),
        (
            "/apis/networking.k8s.io/v1/ingressclasses",
            json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "{ns}"},
                "spec": {"controller": "example.com/c", "parameters": {"apiGroup": "example.com", "kind": "P", "name": "p", "scope": "Cluster"}},
            }),
        ),
        (
            "/apis/rbac.authorization.k8s.io/v1/clusterroles",
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "{ns}"}, "rules": [{"nonResourceURLs": ["/x"], "verbs": ["get"]}],
                "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"to": "{ns}"}}]},
            }),
        ),
        (
            "/api/v1/namespaces/{ns}/persistentvolumeclaims",
            json!({
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "one"},
                "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "", "resources": {"requests": {"storage": "1024Mi"}}},
            }),
        ),
        ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
            let mut definition = definition();
            definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = json!({
                "type": "object", "description": "What is wanted.", "required": ["size"], "properties": {
                    "size": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 2, "default": 1, "enum": [0, 1, 2]},
                    "ratio": {"type": "number", "minimum": -0.25, "multipleOf": 0.25},
                    "any": {"x-kubernetes-preserve-unknown-fields": true, "nullable": true},
                    "either": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
                    "list": {
                        "type": "array", "maxItems": 0, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
                        "items": {"type": "object", "properties": {"k": {"type": "string", "default": ""}}, "required": ["k"]},
                    },
                    "map": {"type": "object", "additionalProperties": {"type": "string"}, "default": {"b": "2", "a": "1"}},
                },
            });
            definition["spec"]["versions"][0]["additionalPrinterColumns"] = json!([{"name": "Size", "type": "integer", "jsonPath": ".spec.size", "priority": 1}]);
            definition
        }),
        (
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            json!({
                "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}},
            }),
        ),
        (
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            json!({
                "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {"user": "nobody.{ns}", "groups": ["g"], "extra": {"k": ["v", ""]}, "nonResourceAttributes": {"path": "/x", "verb": "get"}},
            }),
        ),
    ]
}

fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "telegrams.{group}"},
        "spec": {
            "group": "{group}", "scope": "Namespaced", "names": {"kind": "Telegram", "plural": "telegrams", "shortNames": ["tg"]},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "properties": {"size": {"type": "integer"}}},
                    "status": {"type": "object", "properties": {"size": {"type": "integer"}}},
                }}},
            }],
        },
    })
}

/// A message of a kind of `v1`, in the envelope that says so.
fn enveloped(kind: &str, raw: &[u8]) -> Vec<u8> {
    let (kind_length, length) = (kind.len() as u8, raw.len() as u8);
    let mut body = b"k8s\0\n".to_vec();
    body.extend([6 + kind_length]);
    body.extend(b"\n\x02v1\x12");
    body.extend([kind_length]);
    body.extend(kind.as_bytes());
    body.extend([0x12, length]);
    body.extend(raw);
    body
}

conformance! {
    async fn built_in_kinds_in_protobuf(talk: &mut Talk) {
        let accept = [("accept", PROTOBUF)];
        for (path, object) in objects() {
            let name = object["metadata"]["name"].as_str().unwrap().to_owned();
            talk.prepare(path, object).await;
            let answer = talk.send("GET", &format!("{path}/{name}"), &accept, None).await;
            // What was answered is read as well.
            let headers = [("accept", PROTOBUF), ("content-type", PROTOBUF)];
            talk.send_raw("PUT", &format!("{path}/{name}"), &headers, &answer.bytes).await;
            talk.get(&format!("{path}/{name}")).await;
        }
        for (path, object) in tried() {
            talk.send("POST", &format!("{path}?dryRun=All"), &accept, Some(object)).await;
        }
    }

    async fn verbs_in_protobuf(talk: &mut Talk) {
        let accept = [("accept", BOTH)];
        for name in ["a", "b", "c"] {
            talk.send("POST", MAPS, &accept, Some(map(name))).await;
        }
        let selected = format!("{MAPS}?labelSelector=a%3D1");
        talk.send("GET", &selected, &accept, None).await;
        talk.send("GET", &format!("{selected}&limit=2"), &accept, None).await;
        talk.send("GET", &format!("{MAPS}?limit=1&fieldSelector=metadata.name%21%3Dkube-root-ca.crt"), &accept, None).await;
        talk.send("GET", &format!("{MAPS}?labelSelector=none"), &accept, None).await;
        let a = format!("{MAPS}/a");
        talk.send("GET", &a, &[("accept", METADATA)], None).await;
        talk.send("GET", &selected, &[("accept", METADATA_LIST)], None).await;
        for content_type in ["application/merge-patch+json", "application/strategic-merge-patch+json"] {
            let headers = [("accept", PROTOBUF), ("content-type", content_type)];
            talk.send("PATCH", &a, &headers, Some(json!({"data": {"patched": content_type}}))).await;
        }
        let apply = [("accept", PROTOBUF), ("content-type", "application/apply-patch+yaml")];
        let applied = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"applied": "yes"}});
        talk.send("PATCH", &format!("{a}?fieldManager=someone"), &apply, Some(applied.clone())).await;
        talk.send("PATCH", &format!("{a}?fieldManager=another"), &apply, Some(json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"applied": "no"}}))).await;

        talk.say("deletions");
        let options = b"k8s\0\n\x13\n\x02v1\x12\rDeleteOptions\x12\x1a\x12\x0e\n\x0cnot-this-uid\x22\x08Orphaned\x1a\0\x22\0";
        let both = [("accept", PROTOBUF), ("content-type", PROTOBUF)];
        talk.send_raw("DELETE", &a, &both, options).await;
        talk.send_raw("DELETE", &a, &both, b"k8s\0\n\x13\n\x02v1\x12\rDeleteOptions\x12\x02\x2a\0\x1a\0\x22\0").await;
        talk.send_raw("DELETE", &a, &both, b"k8s\0\n\x13\n\x02v1\x12\rDeleteOptions\x12\x00\x1a\0\x22\0").await;
        talk.send("DELETE", &format!("{MAPS}/b"), &[("accept", METADATA)], None).await;
        talk.send("DELETE", &selected, &accept, None).await;
        talk.send("DELETE", &selected, &[("accept", METADATA_LIST)], None).await;

        talk.say("a part of an object");
        let deployments = "/apis/apps/v1/namespaces/{ns}/deployments";
        let one = format!("{deployments}/one");
        talk.prepare(deployments, json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "one"},
            "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web"}]}}},
        })).await;
        let scale = talk.send("GET", &format!("{one}/scale"), &accept, None).await;
        talk.send_raw("PUT", &format!("{one}/scale?dryRun=All"), &both, &scale.bytes).await;
        talk.send("PATCH", &format!("{one}/status"), &[("accept", PROTOBUF), ("content-type", "application/merge-patch+json")], Some(json!({"status": {"replicas": 2, "conditions": [{"type": "Available", "status": "True", "lastTransitionTime": "2020-01-01T00:00:00Z"}]}}))).await;
        talk.send("PATCH", &format!("{one}/scale"), &[("accept", PROTOBUF), ("content-type", "application/merge-patch+json")], Some(json!({"spec": {"replicas": 2}}))).await;
        let pods = "/api/v1/namespaces/{ns}/pods";
        talk.prepare(pods, json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": {"containers": [{"name": "web", "image": "web"}]}})).await;
        talk.send("POST", &format!("{pods}/one/binding"), &accept, Some(json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "one"}, "target": {"kind": "Node", "name": "nowhere"}}))).await;
        talk.send("POST", &format!("{pods}/one/eviction"), &accept, Some(json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "one"}, "deleteOptions": {"gracePeriodSeconds": 0}}))).await;
    }

    /// What Go's decoders say of messages that are none, in each place where one may stand.
    async fn messages_that_are_broken(talk: &mut Talk) {
        let maps = format!("{MAPS}?dryRun=All");
        let meta: &[u8] = b"\n\x03\n\x01a";
        for broken in [
            &b"\0\0"[..], b"\x7b\x08\x01\x7c", b"\x7b\x08\x01", b"|", b"~\x01", b"\x7f\x01", b"\x0b", b"\x0c", b"}\x01", b"y\x01",
            b"x\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"x\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
            b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x12\x05a", b"\x12", b"\x22\x01a", b"\x20\x05", b"\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            // Entries of `data`.
            b"\x12\x08\n\x01k\x12\x01v\0\0", b"\x12\x08\x08\x01\n\x01k\x12\x01v", b"\x12\x0a\n\x01k\x12\x05v\xff\xfe\xe2\x82",
        ] {
            let raw = [meta, broken].concat();
            talk.send_raw("POST", &maps, &[("content-type", PROTOBUF)], &enveloped("ConfigMap", &raw)).await;
        }
        for broken in [
            &b"\0\0"[..], b"(\x01", b"\x8a\x01\x0a\n\x01m:\x05\n\x03{x}", b"B\x08\x08\x01\x10\xff\xff\xff\xff\x07", b"B\x02\x10\x05", b"B\x03\n\x01x", b"8\x05",
        ] {
            let raw = [&[b'\n', 3 + broken.len() as u8][..], b"\n\x01a", broken].concat();
            talk.send_raw("POST", &maps, &[("content-type", PROTOBUF)], &enveloped("ConfigMap", &raw)).await;
        }
        for container in [&b"\n\x01c\x12\x01i\0\0"[..], b"\n\x01c\x12\x01iB\x07\n\x05\n\x03cpu", b"\n\x01c\x12\x01iB\x0b\n\x09\n\x03cpu\x12\x02\0\0"] {
            let length = container.len() as u8;
            let raw = [meta, &[0x12, length + 2, 0x12, length], container].concat();
            talk.send_raw("POST", "/api/v1/namespaces/{ns}/pods?dryRun=All", &[("content-type", PROTOBUF)], &enveloped("Pod", &raw)).await;
        }
        for envelope in [&b"k8s\0\0\0"[..], b"k8s\0\n\x02\0\0", b"k8s\0\n\x04\n\x02v1", b"k8s\0\x0b", b"k8s\0\x08\x01", b"k8s\0|", b"k8s\0\x20\x01", b"k8s\0\x18\x01"] {
            talk.send_raw("POST", &maps, &[("content-type", PROTOBUF)], envelope).await;
        }
    }

    async fn failures_in_protobuf(talk: &mut Talk) {
        let accept = [("accept", BOTH)];
        talk.send("GET", &format!("{MAPS}/none"), &accept, None).await;
        talk.send("GET", "/api/v1/namespaces/{ns}/nothings", &accept, None).await;
        talk.send("GET", &format!("{MAPS}?labelSelector=%21%21"), &accept, None).await;
        talk.send("GET", &format!("{MAPS}?watch=true&resourceVersion=odd"), &accept, None).await;
        talk.send("PUT", MAPS, &accept, Some(json!({}))).await;
        talk.send("POST", MAPS, &accept, Some(json!({"metadata": {"name": "Not_A_Name"}, "data": {"/": ""}}))).await;
        talk.send("POST", MAPS, &accept, Some(json!("text"))).await;
        talk.send_raw("POST", MAPS, &[("accept", PROTOBUF), ("content-type", "text/html")], b"{}").await;
        for body in [
            &b""[..], b"k8s", b"k8s\0", b"{\"a\": 1}", b"\x01\x02", b"k8s\0\xff\xff",
            b"k8s\0\n\x0c\n\x02v1\x12\x06Secret\x12\0\x1a\0\"\0", b"k8s\0\n\x0d\n\x02v1\x12\x07Nothing\x12\0",
            b"k8s\0\n\x11\n\x04x/v1\x12\x09ConfigMap", b"k8s\0\n\0", b"k8s\0\n\x06\n\x02v1\x12\0\x12\x05\n\x03\n\x01z",
            b"k8s\0\x12\x05\n\x03\n\x09z", b"k8s\0\x12\x01\x0b", b"k8s\0\x12\x02\x08\x01", b"k8s\0\x12\x03\xf8\x07\x01",
        ] {
            talk.send_raw("POST", &format!("{MAPS}?dryRun=All"), &[("content-type", PROTOBUF)], body).await;
        }
        for body in [&b"k8s\0"[..], b"zzz", b"k8s\0\n\x0f\n\x02v1\x12\x09ConfigMap\x12\0", b"k8s\0\n\x13\n\x02v1\x12\x0dDeleteOptions\x12\x05*\x03Odd"] {
            talk.send_raw("DELETE", &format!("{MAPS}/none"), &[("content-type", PROTOBUF)], body).await;
        }
        talk.send("POST", MAPS, &accept, Some(map("one"))).await;
        talk.send("POST", MAPS, &accept, Some(map("one"))).await;
        talk.send("GET", "/nothing", &accept, None).await;
        talk.ask_as_user("nobody");
        talk.send("GET", MAPS, &accept, None).await;
        talk.send("GET", "/nothing", &accept, None).await;
        talk.ask_as(super::support::Who::Stranger);
        talk.send("GET", MAPS, &accept, None).await;
    }

    async fn what_the_accept_header_means(talk: &mut Talk) {
        let one = format!("{MAPS}/one");
        talk.prepare(MAPS, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}})).await;
        for accept in [
            "application/json;q=0.5,application/vnd.kubernetes.protobuf;q=0.9",
            "application/vnd.kubernetes.protobuf;q=0.5,application/json;q=0.9",
            "application/vnd.kubernetes.protobuf;q=0,application/json;q=0.0",
            "*/*;q=0.9,application/vnd.kubernetes.protobuf;q=0.1",
            "*/*, application/*, application/yaml;q=odd",
            "application/*;q=0.1",
            "application/vnd.kubernetes.protobuf;stream=watch",
            "application/vnd.kubernetes.protobuf;stream=other",
            "application/yaml;stream=watch, application/json",
            "application/vnd.kubernetes.protobuf;other=1;q=0.1;pretty=1 , application/yaml;q=0.05",
            "APPLICATION/VND.KUBERNETES.PROTOBUF",
            "application/json;as=Table",
            "application/json;g=meta.k8s.io;v=v1",
            TABLE,
            "application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1,application/vnd.kubernetes.protobuf",
        ] {
            talk.send("GET", &one, &[("accept", accept)], None).await;
            talk.send("GET", &format!("{MAPS}/none"), &[("accept", accept)], None).await;
        }
        for accept in ["application/yaml;as=Table;g=meta.k8s.io;v=v1", TABLE, "application/json;as=Else;g=meta.k8s.io;v=v1", "text/html"] {
            let mut none = talk.watch_as(&format!("{MAPS}?watch=true"), accept).await;
            talk.end_of(&mut none).await;
        }
        for path in ["/version", "/api", "/apis/apps", "/apis/apps/v1"] {
            for accept in ["text/html", "application/json;as=Else"] {
                talk.get_picked(path, &[("accept", accept)], |value| value["message"].clone()).await;
            }
        }
        talk.get_picked("/version", &[("accept", PROTOBUF)], |_| json!({})).await;
    }

    async fn watches_in_protobuf(talk: &mut Talk) {
        talk.prepare(MAPS, map("one")).await;
        let path = format!("{MAPS}?watch=true&labelSelector=a%3D1");
        let state = format!("{path}&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
        let mut whole = talk.watch_as(&state, BOTH).await;
        talk.frames(&mut whole, 2).await;
        let mut bare = talk.watch_as(&state, METADATA).await;
        talk.frames(&mut bare, 2).await;
        talk.patch("merge", &format!("{MAPS}/one"), json!({"data": {"a": "another"}})).await;
        talk.frames(&mut whole, 1).await;
        talk.frames(&mut bare, 1).await;
        talk.patch("merge", &format!("{MAPS}/one"), json!({"metadata": {"labels": null}})).await;
        talk.frames(&mut whole, 1).await;
        talk.frames(&mut bare, 1).await;
        talk.post(MAPS, map("two")).await;
        talk.delete(&format!("{MAPS}/two")).await;
        talk.frames(&mut whole, 2).await;
        let mut none = talk.watch_as(&path, TABLE).await;
        talk.end_of(&mut none).await;
    }

    async fn custom_kinds_in_protobuf(talk: &mut Talk) {
        talk.install(definition()).await;
        let telegram = json!({"apiVersion": "{group}/v1", "kind": "Telegram", "metadata": {"name": "one", "labels": {"a": "b"}}, "spec": {"size": 1}});
        let one = format!("{TELEGRAMS}/one");
        for accept in [PROTOBUF, BOTH, METADATA] {
            let headers = [("accept", accept)];
            talk.send("POST", TELEGRAMS, &headers, Some(telegram.clone())).await;
            for path in [&one, &format!("{one}/status"), &format!("{one}/scale"), &format!("{TELEGRAMS}/none"), TELEGRAMS] {
                talk.send("GET", path, &headers, None).await;
            }
            talk.send("PATCH", &one, &[("accept", accept), ("content-type", "application/merge-patch+json")], Some(json!({"spec": {"size": accept.len()}}))).await;
        }
        talk.send("GET", TELEGRAMS, &[("accept", METADATA_LIST)], None).await;
        talk.send("GET", TELEGRAMS, &[("accept", TABLE)], None).await;
        let mut none = talk.watch_as(&format!("{TELEGRAMS}?watch=true"), PROTOBUF).await;
        talk.end_of(&mut none).await;
        let mut bare = talk.watch_as(&format!("{TELEGRAMS}?watch=true"), METADATA).await;
        talk.frames(&mut bare, 1).await;
        talk.send("DELETE", &one, &[("accept", PROTOBUF)], None).await;
        talk.send("DELETE", &one, &[("accept", METADATA)], None).await;
        talk.frames(&mut bare, 1).await;
        talk.send("DELETE", TELEGRAMS, &[("accept", METADATA_LIST)], None).await;
        talk.send("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/telegrams.{group}", &[("accept", METADATA)], None).await;

        talk.say("and where they are told");
        talk.until("/apis/{group}", |code, _| code == 200).await;
        talk.send("GET", "/apis/{group}", &[("accept", BOTH)], None).await;
        talk.send("GET", "/apis/{group}/v1", &[("accept", BOTH)], None).await;
        talk.send("GET", "/apis/{group}/v1", &[("accept", "text/html")], None).await;
        talk.send("GET", "/apis/{group}/v2", &[("accept", BOTH)], None).await;
        let aggregated = "application/vnd.kubernetes.protobuf;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        let in_json = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        talk.until_as("/apis", in_json, |value| value["items"].as_array().into_iter().flatten().any(|group| group["metadata"]["name"].as_str().is_some_and(|name| name.starts_with("custom-kinds-in-protobuf.")))).await;
        talk.get_message("/apis", aggregated, "telegrams").await;
        talk.get_message("/api", aggregated, "configmaps").await;
        talk.get_message("/apis", BOTH, "coordination.k8s.io").await;
        talk.get_message("/apis/apps/v1", BOTH, "deployments").await;
        talk.get_message("/apis/apps/v1", BOTH, "deployments/scale").await;
    }

    /// What says nothing in a Go struct is as good as not there.
    async fn zeros_are_forgotten(talk: &mut Talk) {
        let pods = "/api/v1/namespaces/{ns}/pods";
        let pod = |name: &str| json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"hostNetwork": false, "priorityClassName": "", "subdomain": "", "priority": 0, "containers": [{
                "name": "c", "image": "i", "stdin": false, "workingDir": "", "env": [{"name": "A", "value": ""}],
                "readinessProbe": {"initialDelaySeconds": 0, "timeoutSeconds": 0, "exec": {"command": ["x"]}},
                "securityContext": {"runAsUser": 0, "privileged": false},
            }]},
        });
        talk.post(pods, pod("one")).await;
        talk.patch("apply", &format!("{pods}/two?fieldManager=me"), pod("two")).await;
        talk.patch("apply", &format!("{pods}/two?fieldManager=me"), pod("two")).await;
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"hostPID": false, "containers": [{"name": "c", "image": "i"}]}});
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "one"},
            "spec": {"replicas": 0, "paused": false, "minReadySeconds": 0, "selector": {"matchLabels": {"a": "b"}}, "template": template},
            "status": {"replicas": 0},
        });
        let deployments = "/apis/apps/v1/namespaces/{ns}/deployments";
        talk.post(deployments, deployment.clone()).await;
        let one = format!("{deployments}/one");
        talk.put(&one, deployment).await;
        for kind in ["merge", "strategic-merge"] {
            talk.patch(kind, &one, json!({"spec": {"paused": false, "template": {"spec": {"hostIPC": false}}}})).await;
        }
        talk.patch("json", &one, json!([{"op": "add", "path": "/spec/minReadySeconds", "value": 0}])).await;
        talk.patch("merge", &format!("{one}/status"), json!({"status": {"replicas": 0, "observedGeneration": 0, "collisionCount": 0}})).await;
    }
}
