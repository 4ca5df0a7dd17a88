//! What is taken, and warned of all the same.

use serde_json::{Value, json};

use super::support::{Talk, with};

const PODS: &str = "/api/v1/namespaces/{ns}/pods?dryRun=All";
const SECCOMP: &str = "seccomp.security.alpha.kubernetes.io/pod";
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/main";

fn spec(fields: Value) -> Value {
    with(
        json!({"containers": [{"name": "main", "image": "web:1"}]}),
        fields,
    )
}

fn pod(fields: Value) -> Value {
    json!({"metadata": {"name": "one"}, "spec": spec(fields)})
}

fn annotated(annotations: Value) -> Value {
    json!({"metadata": {"name": "one", "annotations": annotations}, "spec": spec(json!({}))})
}

/// A pod of one container.
fn container(fields: Value) -> Value {
    pod(json!({"containers": [with(json!({"name": "main", "image": "web:1"}), fields)]}))
}

/// Everything that makes pods of a template.
fn makers(template: &Value) -> [(&'static str, Value); 8] {
    let selected = json!({"selector": {"matchLabels": {"a": "b"}}, "template": template});
    let mut ends = template.clone();
    ends["spec"]["restartPolicy"] = "Never".into();
    ends["metadata"]["labels"] = Value::Null;
    let job = json!({"template": ends});
    let one = |spec: Value| json!({"metadata": {"name": "one.two"}, "spec": spec});
    let set = json!({"metadata": {"name": "one"}, "spec": selected});
    [
        (
            "/apis/apps/v1/namespaces/{ns}/deployments",
            one(selected.clone()),
        ),
        (
            "/apis/apps/v1/namespaces/{ns}/daemonsets",
            one(selected.clone()),
        ),
        ("/apis/apps/v1/namespaces/{ns}/replicasets", one(selected)),
        ("/apis/apps/v1/namespaces/{ns}/statefulsets", set),
        (
            "/api/v1/namespaces/{ns}/replicationcontrollers",
            one(json!({"selector": {"a": "b"}, "template": template})),
        ),
        (
            "/api/v1/namespaces/{ns}/podtemplates",
            json!({"metadata": {"name": "one.two"}, "template": template}),
        ),
        ("/apis/batch/v1/namespaces/{ns}/jobs", one(job.clone())),
        (
            "/apis/batch/v1/namespaces/{ns}/cronjobs",
            one(json!({"schedule": "* * * * *", "jobTemplate": {"spec": job}})),
        ),
    ]
}

conformance! {
    async fn variables_and_ports_that_are_there_already(talk: &mut Talk) {
        let variable = |name: &str, value: &str| json!({"name": name, "value": value});
        for variables in [
            json!([variable("A", "1"), variable("A", "2"), variable("A", "3")]),
            json!([variable("A", "1"), variable("A", "$(A):2")]),
            json!([variable("A", "1"), variable("B", "$(A)")]),
            json!([variable("A", "1"), variable("A", "$(A)")]),
        ] {
            talk.post(PODS, container(json!({"env": variables}))).await;
        }
        for ports in [
            json!([{"containerPort": 80}, {"containerPort": 80}]),
            json!([{"containerPort": 80, "name": "a"}, {"containerPort": 80, "name": "b", "protocol": "UDP"}, {"containerPort": 80, "name": "c"}]),
            json!([{"containerPort": 80}, {"containerPort": 80, "hostPort": 81}]),
            json!([{"containerPort": 80, "hostPort": 80}, {"containerPort": 80, "hostPort": 81}]),
        ] {
            talk.post(PODS, container(json!({"ports": ports}))).await;
        }
        for ports in [
            json!([{"containerPort": 80, "name": "a"}, {"containerPort": 81, "name": "b"}]),
            json!([{"containerPort": 80, "name": "a", "hostIP": "192.0.2.1"}, {"containerPort": 80, "hostIP": "192.0.2.1", "hostPort": 80}]),
        ] {
            let sidecar = json!({"name": "beside", "image": "web:1", "ports": [{"containerPort": 82, "name": "b"}, {"containerPort": 83, "name": "c"}]});
            let main = json!({"name": "main", "image": "web:1", "ports": ports});
            let last = json!({"name": "last", "image": "web:1", "ports": [{"containerPort": 84, "name": "b"}, {"containerPort": 85, "name": "a"}]});
            talk.post(PODS, pod(json!({"initContainers": [sidecar], "containers": [main, last]}))).await;
        }
        let busy = |name: &str| json!({"name": name, "image": "web:1", "env": [variable("A", "1"), variable("A", "2")], "ports": [{"containerPort": 80}]});
        talk.post(PODS, pod(json!({"initContainers": [busy("first")], "containers": [busy("one"), busy("two")]}))).await;
    }

    async fn selectors_of_no_pod(talk: &mut Talk) {
        let term = |selector: Value| json!({"topologyKey": "zone", "labelSelector": selector});
        let node = json!({"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 1, "preference": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b", "c d"]}]}},
        ]});
        for selector in [json!(null), json!({})] {
            let near = json!({
                "requiredDuringSchedulingIgnoredDuringExecution": [term(json!({})), term(selector.clone())],
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term(selector.clone())}],
            });
            let spread = json!([{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": selector}]);
            let spec = json!({
                "containers": [{"name": "main", "image": "web:1", "resources": {
                    "limits": {"memory": "1500m", "ephemeral-storage": "1500m"}, "requests": {"memory": "500m", "ephemeral-storage": "500m"},
                }}],
                "affinity": {"nodeAffinity": node, "podAffinity": near, "podAntiAffinity": near}, "topologySpreadConstraints": spread,
                "terminationGracePeriodSeconds": -1, "overhead": {"memory": "100m", "ephemeral-storage": "100m"},
            });
            let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": spec});
            let deployment = json!({"metadata": {"name": "one"}, "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template}});
            talk.post("/apis/apps/v1/namespaces/{ns}/deployments?dryRun=All", deployment).await;
        }
    }

    async fn labels_of_nodes_that_are_called_otherwise(talk: &mut Talk) {
        let expressions = |label: &str| json!({"matchExpressions": [{"key": "a", "operator": "Exists"}, {"key": label, "operator": "Exists"}]});
        for label in ["beta.kubernetes.io/os", "beta.kubernetes.io/arch", "beta.kubernetes.io/instance-type", "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region"] {
            let affinity = json!({"nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [expressions(label)]},
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": expressions(label)}],
            }});
            let spread = json!([{"maxSkew": 1, "topologyKey": label, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}}]);
            talk.post(PODS, pod(json!({"nodeSelector": {label: "a"}, "affinity": affinity, "topologySpreadConstraints": spread}))).await;
        }
        let label = "beta.kubernetes.io/os";
        let volume = json!({"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/a"}, "nodeAffinity": {"required": {"nodeSelectorTerms": [expressions(label)]}}});
        for (path, object) in [
            ("/api/v1/persistentvolumes", json!({"spec": volume})),
            ("/apis/storage.k8s.io/v1/storageclasses", json!({"provisioner": "a", "allowedTopologies": [{"matchLabelExpressions": [{"key": label, "values": ["a"]}]}]})),
            ("/apis/storage.k8s.io/v1/namespaces/{ns}/csistoragecapacities", json!({"storageClassName": "a", "nodeTopology": {"matchLabels": {label: "a"}}})),
            ("/apis/node.k8s.io/v1/runtimeclasses", json!({"handler": "a", "scheduling": {"nodeSelector": {label: "a"}}})),
        ] {
            talk.post(&format!("{path}?dryRun=All"), with(object, json!({"metadata": {"name": "{ns}"}}))).await;
        }
    }

    async fn annotations_that_are_fields(talk: &mut Talk) {
        for profile in ["runtime/default", "unconfined", "localhost/a.json", "localhost/", "localhost/../a", "other"] {
            talk.post(PODS, annotated(json!({SECCOMP: profile}))).await;
        }
        for profile in ["runtime/default", "unconfined", "localhost/one", ""] {
            talk.post(PODS, annotated(json!({APP_ARMOR: profile}))).await;
        }
        for (key, value) in [
            ("container.seccomp.security.alpha.kubernetes.io/main", "runtime/default"),
            ("container.seccomp.security.alpha.kubernetes.io/other", "runtime/default"),
            ("container.apparmor.security.beta.kubernetes.io/other", "unconfined"),
            ("security.alpha.kubernetes.io/sysctls", "a=b"),
            ("security.alpha.kubernetes.io/unsafe-sysctls", "a=b"),
            ("scheduler.alpha.kubernetes.io/critical-pod", ""),
        ] {
            talk.post(PODS, annotated(json!({key: value}))).await;
        }
        talk.say("the field counts");
        for kind in ["RuntimeDefault", "Unconfined"] {
            let mut both = container(json!({"securityContext": {"seccompProfile": {"type": kind}}}));
            both["metadata"]["annotations"] = json!({SECCOMP: "unconfined"});
            talk.post(PODS, both).await;
        }
        let mut both = pod(json!({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}));
        both["metadata"]["annotations"] = json!({APP_ARMOR: "unconfined"});
        talk.post(PODS, both).await;
    }

    async fn volumes_of_yesterday(talk: &mut Talk) {
        for (plugin, source) in [
            ("gitRepo", json!({"repository": "a"})),
            ("flocker", json!({"datasetName": "a"})),
            ("photonPersistentDisk", json!({"pdID": "a"})),
            ("quobyte", json!({"registry": "a:1", "volume": "a"})),
            ("storageos", json!({"volumeName": "a"})),
            ("glusterfs", json!({"endpoints": "a", "path": "b"})),
            ("rbd", json!({"monitors": ["a"], "image": "b"})),
            ("cephfs", json!({"monitors": ["a"]})),
            ("ephemeral", json!({"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1.5"}}}}})),
        ] {
            talk.post(PODS, pod(json!({"volumes": [{"name": "one", plugin: source}]}))).await;
        }
        let items = json!([{"key": "a", "path": "a"}, {"key": "b", "path": "a/b"}, {"key": "c", "path": "a"}, {"key": "d", "path": "ab"}]);
        let told = json!([{"path": "a", "fieldRef": {"fieldPath": "metadata.name"}}, {"path": "a/b", "fieldRef": {"fieldPath": "metadata.name"}}]);
        let token = json!({"serviceAccountToken": {"path": "a"}});
        for volume in [
            json!({"configMap": {"name": "one", "items": items}}),
            json!({"secret": {"secretName": "one", "items": items}}),
            json!({"downwardAPI": {"items": told}}),
            json!({"projected": {"sources": [{}]}}),
            json!({"projected": {"sources": [{"secret": {"name": "one", "items": [{"key": "a", "path": "a/b"}]}}, token, {"downwardAPI": {"items": [{"path": "a/c", "fieldRef": {"fieldPath": "metadata.name"}}]}}]}}),
            json!({"projected": {"sources": [token, token]}}),
        ] {
            let volume = with(volume, json!({"name": "one"}));
            talk.post(PODS, pod(json!({"volumes": [volume], "serviceAccountName": "one"}))).await;
        }
    }

    async fn small_things_of_pods(talk: &mut Talk) {
        for fields in [
            json!({"hostAliases": [{"ip": "192.0.2.1", "hostnames": ["a"]}, {"ip": "192.0.2.1", "hostnames": ["b"]}]}),
            json!({"imagePullSecrets": [{"name": "a"}, {"name": "a"}]}),
            json!({"terminationGracePeriodSeconds": -1}),
        ] {
            talk.post(PODS, pod(fields)).await;
        }
        talk.post(PODS, container(json!({"resources": {"limits": {"memory": "1.5", "ephemeral-storage": "100m"}, "requests": {"memory": "1"}}}))).await;
        // What Go counts in thousandths does not fit into 64 bits.
        for amount in ["8Pi", "9Pi", "10P", "9e18", "1Ei", "9223372036854775", "9223372036854776", "9223372036854775807", "8Ei"] {
            talk.post(&format!("{PODS}?dryRun=All"), container(json!({"resources": {"limits": {"memory": amount}}}))).await;
        }
        talk.post(PODS, with(pod(json!({})), json!({"metadata": {"name": "one.two"}}))).await;
    }

    async fn templates_of_pods(talk: &mut Talk) {
        let container = json!({"name": "main", "image": "web:1", "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]});
        let template = json!({
            "metadata": {"labels": {"a": "b"}, "annotations": {SECCOMP: "unconfined", APP_ARMOR: "unconfined"}},
            "spec": {"containers": [container], "nodeSelector": {"beta.kubernetes.io/os": "linux"}, "terminationGracePeriodSeconds": -1},
        });
        for (path, object) in makers(&template) {
            talk.post(&format!("{path}?dryRun=All"), object).await;
        }
        talk.say("of what is as it was nobody is told again");
        for (path, object) in makers(&template) {
            if !["replicasets", "deployments", "podtemplates", "cronjobs"].iter().any(|plural| path.ends_with(plural)) {
                continue;
            }
            let one = format!("{path}/one.two");
            talk.unsaid("POST", path, Some(object)).await;
            talk.patch("merge", &one, json!({"metadata": {"labels": {"c": "d"}}})).await;
            let change = match path.ends_with("cronjobs") {
                true => json!({"spec": {"suspend": true}}),
                false => json!({"spec": {"minReadySeconds": 1}}),
            };
            talk.patch("merge", &format!("{one}?dryRun=All"), change).await;
            talk.unsaid("DELETE", &format!("{one}?propagationPolicy=Background"), None).await;
        }
    }

    async fn services_and_more(talk: &mut Talk) {
        let services = "/api/v1/namespaces/{ns}/services?dryRun=All";
        for how in ["PreferClose", "PreferSameZone"] {
            talk.post(services, json!({"metadata": {"name": "one"}, "spec": {"ports": [{"port": 80}], "trafficDistribution": how}})).await;
        }
        let metadata = json!({"name": "one", "annotations": {"service.kubernetes.io/topology-aware-hints": "auto"}});
        talk.post(services, json!({"metadata": metadata, "spec": {"ports": [{"port": 80}]}})).await;
        let ingresses = "/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses";
        let metadata = json!({"name": "one", "annotations": {"kubernetes.io/ingress.class": "one"}});
        talk.post(ingresses, json!({"metadata": metadata, "spec": {"defaultBackend": {"service": {"name": "a", "port": {"number": 80}}}}})).await;
        talk.patch("merge", &format!("{ingresses}/one"), json!({"metadata": {"annotations": {"kubernetes.io/ingress.class": "two"}}})).await;
        let class = json!({"name": "{ns}", "annotations": {"volume.beta.kubernetes.io/storage-class": "one"}});
        let claim = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1.5"}}});
        let volume = json!({"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/a"}, "persistentVolumeReclaimPolicy": "Recycle"});
        let account = json!({"name": "one", "annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}});
        let set = json!({"revisionHistoryLimit": -1, "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": spec(json!({}))}});
        let many = json!({"completionMode": "Indexed", "completions": 200_000, "parallelism": 20_000, "template": {"spec": spec(json!({"restartPolicy": "Never"}))}});
        for (path, object) in [
            ("/api/v1/namespaces/{ns}/persistentvolumeclaims", json!({"metadata": class, "spec": claim})),
            ("/api/v1/persistentvolumes", json!({"metadata": class, "spec": volume})),
            ("/api/v1/namespaces/{ns}/serviceaccounts", json!({"metadata": account})),
            ("/api/v1/nodes", json!({"metadata": {"name": "{ns}"}, "spec": {"externalID": "one"}})),
            ("/apis/apps/v1/namespaces/{ns}/statefulsets", json!({"metadata": {"name": "one"}, "spec": set})),
            ("/apis/batch/v1/namespaces/{ns}/jobs", json!({"metadata": {"name": "one"}, "spec": many})),
        ] {
            talk.post(&format!("{path}?dryRun=All"), object).await;
        }
    }

    async fn fields_that_a_service_makes_nothing_of(talk: &mut Talk) {
        const SERVICES: &str = "/api/v1/namespaces/{ns}/services?dryRun=All";
        let hints = json!({"service.kubernetes.io/topology-aware-hints": "auto"});
        let service = |spec: Value| json!({"metadata": {"name": "one", "annotations": hints}, "spec": with(json!({"ports": [{"port": 1}]}), spec)});
        let address = "2001:DB8::1";
        let outside = |more: Value| with(json!({"externalIPs": [address], "loadBalancerIP": address, "sessionAffinity": "ClientIP", "trafficDistribution": "PreferClose"}), more);
        for spec in [
            outside(json!({"type": "ExternalName", "externalName": "one.example.com"})), outside(json!({"clusterIP": "None", "externalName": "one.example.com"})),
            outside(json!({"type": "LoadBalancer", "loadBalancerSourceRanges": ["2001:DB8::/64"]})), outside(json!({"type": "NodePort"})), json!({"clusterIP": "None", "loadBalancerIP": "192.0.2.1"}),
        ] {
            talk.post(SERVICES, service(spec)).await;
        }
        talk.say("names as endpoints");
        const SLICES: &str = "/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices";
        talk.post(SLICES, json!({"metadata": {"name": "one"}, "addressType": "FQDN", "endpoints": [{"addresses": ["one.example.com"]}], "ports": []})).await;
        talk.patch("merge", &format!("{SLICES}/one"), json!({"endpoints": [{"addresses": ["two.example.com"]}]})).await;
    }

    async fn makers_are_warned_of_when_they_make_other_pods(talk: &mut Talk) {
        let container = |name: &str, ports: &Value| json!({"name": name, "image": "web:1", "ports": ports});
        let template = |ports: &Value| json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container("one", ports), container("two", ports)]}});
        let (twice, none) = (json!([{"containerPort": 80, "name": "http"}]), json!([]));
        for (path, mut maker) in makers(&template(&twice)) {
            let name = maker["metadata"]["name"].as_str().unwrap().to_owned();
            maker["metadata"]["labels"] = json!({"a": "b"});
            talk.prepare(path, maker).await;
            let one = format!("{path}/{name}");
            let often = match path.rsplit('/').next() {
                Some("daemonsets") => "minReadySeconds",
                Some("jobs") => "backoffLimit",
                Some("cronjobs") => "startingDeadlineSeconds",
                _ => "replicas",
            };
            talk.patch("merge", &one, json!({"metadata": {"labels": {"c": "d"}}})).await;
            talk.patch("merge", &one, json!({"spec": {often: 3}})).await;
            for ports in [&none, &twice] {
                let template = json!({"template": template(ports)});
                let patch = match path.rsplit('/').next() {
                    Some("jobs" | "cronjobs") => continue,
                    Some("podtemplates") => template,
                    _ => json!({"spec": template}),
                };
                talk.patch("merge", &one, patch).await;
            }
        }
        talk.say("of the pods of a job, whether it is there or not");
        talk.delete("/apis/batch/v1/namespaces/{ns}/jobs/none").await;
        talk.delete("/apis/batch/v1/namespaces/{ns}/jobs/none?propagationPolicy=Background").await;
    }

    async fn claims_for_parts_of_bytes(talk: &mut Talk) {
        let sizes = [("requests", "0.5"), ("requests", "1500m"), ("limits", "0.5"), ("limits", "2")];
        for (kind, size) in sizes {
            let claim = json!({"metadata": {"name": "one"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1"}, kind: {"storage": size}}}});
            talk.post("/api/v1/namespaces/{ns}/persistentvolumeclaims?dryRun=All", claim.clone()).await;
            let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}});
            let spec = json!({"serviceName": "s", "selector": {"matchLabels": {"a": "b"}}, "template": template, "volumeClaimTemplates": [claim]});
            talk.post("/apis/apps/v1/namespaces/{ns}/statefulsets?dryRun=All", json!({"metadata": {"name": "one"}, "spec": spec})).await;
        }
    }

    async fn what_a_headless_service_ignores(talk: &mut Talk) {
        for address in ["None", "192.0.2.1", ""] {
            talk.post("/api/v1/namespaces/{ns}/services?dryRun=All", json!({"metadata": {"name": "one"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}], "loadBalancerIP": address, "sessionAffinity": "None"}})).await;
        }
    }
}
