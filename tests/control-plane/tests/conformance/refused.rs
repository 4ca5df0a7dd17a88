//! What is refused of single kinds, which is seen at their objects alone.

use serde_json::{Value, json};

use super::support::Talk;

const NAMESPACED: [(&str, &str); 3] = [
    ("apps", "statefulsets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
];

fn tried(plural: &str) -> String {
    let group = NAMESPACED.iter().find(|(_, known)| *known == plural);
    let root = group.map_or("/api/v1".to_owned(), |(group, _)| {
        format!("/apis/{group}/v1")
    });
    format!("{root}/namespaces/{{ns}}/{plural}?dryRun=All")
}

fn one(spec: Value) -> Value {
    json!({"metadata": {"name": "one"}, "spec": spec})
}

fn template(restarts: &str) -> Value {
    json!({"metadata": {"labels": {"a": "b"}}, "spec": {"restartPolicy": restarts, "containers": [{"name": "main", "image": "web:1"}]}})
}

fn pod(fields: Value) -> Value {
    let mut spec = json!({"containers": [{"name": "main", "image": "web:1"}]});
    for (field, value) in fields.as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    one(spec)
}

/// A webhook, some of whose fields are others.
fn webhook(fields: Value) -> Value {
    let rule = json!({"apiGroups": ["nothing.example.com"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["things"]});
    let mut webhook = json!({
        "name": "one.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": "https://one.example.com"}, "rules": [rule],
    });
    for (field, value) in fields.as_object().into_iter().flatten() {
        match field.as_str() {
            "operations" | "apiGroups" | "apiVersions" | "resources" | "scope" => {
                webhook["rules"][0][field] = value.clone()
            }
            _ => webhook[field] = value.clone(),
        }
    }
    json!({"metadata": {"name": "{ns}"}, "webhooks": [webhook]})
}

conformance! {
    async fn objects_without_what_they_need(talk: &mut Talk) {
        let whole = json!({"metadata": {"name": "One_x.", "labels": {"a b": "c d"}, "annotations": {"A/B/c": "x"}, "finalizers": ["x"], "ownerReferences": [{}]}});
        talk.post("/api/v1/namespaces/{ns}/configmaps?dryRun=All", whole).await;
        for name in ["One_x.", "a.b", "a-"] {
            talk.post("/api/v1/namespaces?dryRun=All", json!({"metadata": {"name": name}})).await;
        }
        for path in ["/api/v1/persistentvolumes", "/api/v1/namespaces/{ns}/replicationcontrollers", "/apis/networking.k8s.io/v1/ingressclasses"] {
            talk.post(&format!("{path}?dryRun=All"), one(json!({}))).await;
        }
        for data in [json!(null), json!("text"), json!({"a": 1})] {
            talk.post("/apis/apps/v1/namespaces/{ns}/controllerrevisions?dryRun=All", json!({"metadata": {"name": "one"}, "revision": 1, "data": data})).await;
        }
    }

    async fn classes_of_ingresses(talk: &mut Talk) {
        let long = format!("example.com/{}", "a".repeat(250));
        for controller in ["", "one", "/one", "example.com/", "Example.com/one", "example.com/one two", "example.com/one/two", &long] {
            talk.post("/apis/networking.k8s.io/v1/ingressclasses?dryRun=All", one(json!({"controller": controller}))).await;
        }
        for parameters in [
            json!({}), json!({"apiGroup": "A", "kind": "a/b", "name": "..", "scope": "Some"}), json!({"kind": "A", "name": "a", "scope": "Namespace"}),
            json!({"kind": "A", "name": "a", "scope": "Namespace", "namespace": "A"}), json!({"kind": "A", "name": "a", "scope": "Cluster", "namespace": "a"}), json!({"kind": "A", "name": "a"}),
        ] {
            talk.post("/apis/networking.k8s.io/v1/ingressclasses?dryRun=All", one(json!({"controller": "example.com/one", "parameters": parameters}))).await;
        }
    }

    async fn reviews_with_metadata(talk: &mut Talk) {
        talk.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json!({"metadata": {"name": "one", "labels": {"a": "b"}}})).await;
    }

    async fn tokens_that_are_nobodys(talk: &mut Talk) {
        let secrets = &tried("secrets");
        for annotations in [json!({}), json!({"kubernetes.io/service-account.name": ""})] {
            let secret = json!({"metadata": {"name": "one", "annotations": annotations}, "type": "kubernetes.io/service-account-token"});
            talk.post(secrets, secret).await;
        }
    }

    async fn two_classes_of_an_ingress(talk: &mut Talk) {
        let path = "/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses";
        let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
        for said in ["other", "", "one"] {
            let metadata = json!({"name": "one", "annotations": {"kubernetes.io/ingress.class": said}});
            talk.post(path, json!({"metadata": metadata, "spec": {"ingressClassName": "one", "defaultBackend": backend}})).await;
        }
        talk.say("it may become so");
        talk.patch("merge", &format!("{path}/one"), json!({"spec": {"ingressClassName": "two"}})).await;
    }

    async fn priorities_of_the_system(talk: &mut Talk) {
        let path = "/apis/scheduling.k8s.io/v1/priorityclasses?dryRun=All";
        let class = |name: &str, value: i64| json!({"metadata": {"name": name}, "value": value});
        for (name, value) in [
            ("system-{ns}", 5),
            ("{ns}", 1_000_000_001),
            ("{ns}", 1_000_000_000),
            ("System", 2_000_000_000),
            ("system-node-critical", 5),
            ("system-cluster-critical", 2_000_000_000),
        ] {
            talk.post(path, class(name, value)).await;
        }
        let mut class = class("{ns}", 1);
        class["preemptionPolicy"] = "Sometimes".into();
        talk.post(path, class).await;
    }

    async fn names_of_pods_to_come(talk: &mut Talk) {
        let longest = "a".repeat(61);
        let names = ["a.b", "1a", "a-", &format!("{longest}aaa"), &format!("{longest}.b"), &"a".repeat(254)];
        for name in names {
            let set = json!({"metadata": {"name": name}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template("Always")}});
            talk.post(&tried("statefulsets"), set).await;
        }
        for (name, completions) in [("a.b", 1), (&longest, 10), (&longest, 11), (&longest[1..], 11), ("1a", 1)] {
            let spec = json!({"completionMode": "Indexed", "completions": completions, "parallelism": 1, "template": {"spec": template("Never")["spec"]}});
            let job = |name: &str| json!({"metadata": {"name": name}, "spec": spec});
            talk.post(&tried("jobs"), job(name)).await;
        }
    }

    async fn paths_of_volumes(talk: &mut Talk) {
        let files = |kind: &str, name: &str, paths: &[&str]| {
            let items: Vec<Value> = paths.iter().enumerate().map(|(index, path)| json!({"key": format!("key{index}"), "path": path})).collect();
            json!({kind: {"name": name, "items": items}})
        };
        let told = |paths: &[&str]| {
            let items: Vec<Value> = paths.iter().map(|path| json!({"path": path, "fieldRef": {"fieldPath": "metadata.name"}})).collect();
            json!({"downwardAPI": {"items": items}})
        };
        for sources in [
            json!([files("configMap", "one", &["a"]), files("configMap", "two", &["a"])]),
            json!([files("configMap", "one", &["a"]), files("secret", "two", &["a"])]),
            json!([files("secret", "one", &["a", "a", "b"])]),
            json!([told(&["a", "a"])]),
            json!([told(&["a"]), files("secret", "one", &["a"])]),
            json!([files("secret", "one", &["a"]), files("configMap", "two", &["a", "b"])]),
            json!([files("secret", "one", &["a"]), files("configMap", "two", &["b"])]),
        ] {
            let volume = json!({"name": "all", "projected": {"sources": sources}});
            talk.post(&tried("pods"), pod(json!({"volumes": [volume]}))).await;
        }
    }

    async fn time_zones(talk: &mut Talk) {
        for (schedule, zone) in [
            ("* * * * *", json!("Europe/Berlin")),
            ("* * * * *", json!("europe/berlin")),
            ("* * * * *", json!("US/Eastern")),
            ("* * * * *", json!("Mars/Olympus")),
            ("* * * * *", json!("TZ")),
            ("* * * * *", json!("UTC")),
            ("* * * * *", json!("utc")),
            ("* * * * *", json!("Local")),
            ("* * * * *", json!("local")),
            ("* * * * *", json!("Europe/../UTC")),
            ("* * * * *", json!("")),
            ("TZ=UTC * * * * *", Value::Null),
            ("TZ=UTC * * * * *", json!("UTC")),
            ("CRON_TZ=Mars/Olympus * * * * *", json!("Mars/Olympus")),
            ("often", json!("Nowhere")),
            ("", json!("")),
        ] {
            let mut spec = json!({"schedule": schedule, "jobTemplate": {"spec": {"template": template("Never")}}});
            if !zone.is_null() {
                spec["timeZone"] = zone;
            }
            talk.post(&tried("cronjobs"), one(spec)).await;
        }
    }

    async fn references_to_roles(talk: &mut Talk) {
        let group = "/apis/rbac.authorization.k8s.io/v1";
        for path in [format!("{group}/namespaces/{{ns}}/rolebindings?dryRun=All"), format!("{group}/clusterrolebindings?dryRun=All")] {
            for reference in [
                json!({"apiGroup": "example.com", "kind": "ClusterRole", "name": "view"}),
                json!({"kind": "ClusterRole", "name": "view"}),
                json!({"apiGroup": "example.com", "kind": "Other", "name": "a/b"}),
                json!({"kind": "ClusterRole", "name": ".."}),
                json!({}),
            ] {
                talk.post(&path, json!({"metadata": {"name": "{ns}"}, "roleRef": reference})).await;
            }
        }
    }

    async fn webhooks(talk: &mut Talk) {
        let service = |fields: Value| json!({"clientConfig": {"service": fields}});
        for plural in ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"] {
            let path = &format!("/apis/admissionregistration.k8s.io/v1/{plural}?dryRun=All");
            for fields in [
                json!({"operations": ["*", "CREATE"]}),
                json!({"operations": ["create", "*"]}),
                json!({"apiGroups": ["*", "a"], "apiVersions": ["*", "v1"]}),
                json!({"apiVersions": [""], "resources": ["", "a"], "scope": "Some"}),
                json!({"resources": ["*/*", "a"]}),
                json!({"resources": ["*", "a"]}),
                json!({"resources": ["a", "*"]}),
                json!({"resources": ["*", "a/*", "a/b", "*/c", "d/c"]}),
                json!({"admissionReviewVersions": ["v3"]}),
                json!({"admissionReviewVersions": ["v1", "v1", "V_"]}),
                json!({"admissionReviewVersions": ["V_"], "operations": []}),
                json!({"name": "One.example.com", "failurePolicy": "Never", "clientConfig": {}}),
                json!({"clientConfig": {"url": "http://one.example.com"}}),
                json!({"clientConfig": {"url": "https://"}}),
                json!({"clientConfig": {"url": "https://me:you@one.example.com/a?b=c#d"}}),
                service(json!({"name": "", "namespace": ""})),
                service(json!({"name": "one", "namespace": "two", "path": "a", "port": 70000})),
                service(json!({"name": "one", "namespace": "two", "path": "//"})),
                service(json!({"name": "one", "namespace": "two", "path": "/a//B_/"})),
                json!({"matchConditions": [{"name": "", "expression": ""}]}),
                json!({"matchConditions": [{"name": "a", "expression": "true"}, {"name": "a", "expression": " "}, {"name": "a b", "expression": "true"}]}),
                json!({"namespaceSelector": {"matchLabels": {"a b": "c"}}, "objectSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}),
            ] {
                talk.post(path, webhook(fields)).await;
            }
        }
        talk.post("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations?dryRun=All", webhook(json!({"reinvocationPolicy": "Always"}))).await;
    }

    async fn who_may_use_devices(talk: &mut Talk) {
        let path = "/apis/resource.k8s.io/v1/namespaces/{ns}/resourceclaims";
        let request = json!({"devices": {"requests": [{"name": "gpu", "exactly": {"deviceClassName": "gpu.example.com"}}]}});
        talk.post(path, one(request)).await;
        let status = &format!("{path}/one/status");
        let allocation = json!({"devices": {"results": [{"request": "gpu", "driver": "gpu.example.com", "pool": "one", "device": "gpu-0"}]}});
        let user = |name: &str| json!({"resource": "pods", "name": name, "uid": format!("uid-{name}")});
        let many: Vec<Value> = (0..257).map(|index| user(&index.to_string())).collect();
        for (allocation, users) in [
            (Value::Null, json!([user("a")])),
            (allocation.clone(), json!([user("a"), user("a")])),
            (allocation.clone(), json!([{"resource": "", "name": "", "uid": ""}])),
            (allocation.clone(), many.into()),
            (allocation, json!([user("a"), user("b")])),
        ] {
            talk.patch("merge", status, json!({"status": {"allocation": allocation, "reservedFor": users}})).await;
        }
        talk.say("it is used, and so stays");
        talk.patch("merge", status, json!({"status": {"allocation": {"devices": {"results": null}}}})).await;
        talk.patch("merge", status, json!({"status": {"allocation": null}})).await;
        talk.patch("merge", status, json!({"status": {"allocation": null, "reservedFor": null}})).await;
    }

    async fn second_sources(talk: &mut Talk) {
        for (first, second) in [("nfs", "cephfs"), ("hostPath", "local"), ("csi", "nfs")] {
            let source = |kind: &str| match kind {
                "nfs" => json!({"server": "one", "path": "/a"}),
                "cephfs" => json!({"monitors": ["one"]}),
                "csi" => json!({"driver": "disks.example.com", "volumeHandle": "one"}),
                _ => json!({"path": "/a"}),
            };
            let spec = json!({"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], first: source(first), second: source(second)});
            talk.post("/api/v1/persistentvolumes?dryRun=All", json!({"metadata": {"name": "{ns}"}, "spec": spec})).await;
        }
    }

    async fn scopes_of_quotas(talk: &mut Talk) {
        for (scopes, hard) in [
            (json!(["BestEffort"]), json!({"cpu": "1"})),
            (json!(["BestEffort"]), json!({"pods": "1"})),
            (json!(["Terminating"]), json!({"pods": "1", "services": "2", "requests.cpu": "1"})),
            (json!(["NotBestEffort", "Other"]), json!({"limits.memory": "1", "secrets": "1"})),
            (json!(["PriorityClass"]), json!({"count/pods": "1"})),
            (json!(["VolumeAttributesClass"]), json!({"persistentvolumeclaims": "1", "pods": "1"})),
            (json!(["VolumeAttributesClass"]), json!({"requests.storage": "1", "fast.storageclass.storage.k8s.io/requests.storage": "1"})),
        ] {
            talk.post(&tried("resourcequotas"), one(json!({"scopes": scopes, "hard": hard}))).await;
        }
        let expression = |scope: &str, operator: &str, values: Value| json!({"scopeName": scope, "operator": operator, "values": values});
        for expressions in [
            json!([expression("Other", "In", json!(["a"]))]),
            json!([expression("PriorityClass", "In", json!(null))]),
            json!([expression("PriorityClass", "Exists", json!(["a"]))]),
            json!([expression("PriorityClass", "Like", json!(["a"]))]),
            json!([expression("PriorityClass", "In", json!(["A_"]))]),
            json!([expression("BestEffort", "In", json!(["a"]))]),
            json!([expression("Terminating", "DoesNotExist", json!(null))]),
            json!([expression("BestEffort", "Exists", json!(null)), expression("NotBestEffort", "Exists", json!(null))]),
        ] {
            talk.post(&tried("resourcequotas"), one(json!({"hard": {"pods": "1", "services": "1"}, "scopeSelector": {"matchExpressions": expressions}}))).await;
        }
    }

    async fn settings_of_kernels(talk: &mut Talk) {
        for name in ["kernel.shm", "kernel/shm.a/b", "a_b", "", "a..b", ".a", "A", "a-", &"a".repeat(254)] {
            let settings = json!({"sysctls": [{"name": name, "value": "1"}]});
            talk.post(&tried("pods"), pod(json!({"securityContext": settings}))).await;
        }
        let settings = |names: &[&str]| json!({"sysctls": names.iter().map(|name| json!({"name": name, "value": "1"})).collect::<Vec<_>>()});
        talk.post(&tried("pods"), pod(json!({"securityContext": settings(&["a.b", "a/b", "a.b"])}))).await;
        let all = settings(&["kernel.shm_rmid_forced", "kernel.sem", "net.ipv4.a", "net/ipv4/a", "fs.mqueue.a"]);
        for field in ["hostIPC", "hostNetwork"] {
            talk.post(&tried("pods"), pod(json!({"securityContext": all, field: true}))).await;
        }
    }

    async fn rules_of_definitions(talk: &mut Talk) {
        let definition = |rules: Value| json!({
            "metadata": {"name": "things.{group}"},
            "spec": {"group": "{group}", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"}, "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}, "x-kubernetes-validations": rules}}}},
            }]},
        });
        for rules in [
            json!([{"rule": ""}]),
            json!([{"rule": "true"}, {"rule": "  "}]),
            json!([{"rule": "true", "message": "  "}]),
            json!([{"rule": "true", "message": "a\nb"}]),
            json!([{"rule": "true &&\ntrue"}]),
            json!([{"rule": "true", "reason": "Because"}]),
            json!([{"rule": "true", "messageExpression": " "}]),
            json!([{"rule": "true", "fieldPath": "a"}]),
            json!([{"rule": "true", "fieldPath": ".b"}]),
            json!([{"rule": "true", "fieldPath": " "}]),
        ] {
            talk.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All", definition(rules)).await;
        }
    }
}
