//! What is of another type than that of its field, and what is of the type and empty.

use serde_json::{Value, json};

use super::support::{Talk, thing, thing_crd};

const CORE: &str = "/api/v1/namespaces/{ns}";
const THINGS: &str = "/apis/{group}/v1/namespaces/{ns}/things";

/// Asks for an object with each of these specs, and keeps none.
async fn try_all(talk: &mut Talk, collection: &str, bodies: impl IntoIterator<Item = Value>) {
    for mut body in bodies {
        body["metadata"] = json!({"name": "one"});
        talk.post(&format!("{collection}?dryRun=All"), body).await;
    }
}

fn pod(field: &str, value: Value) -> Value {
    let mut spec = json!({"containers": [{"name": "a", "image": "a"}]});
    spec[field] = value;
    json!({"spec": spec})
}

fn container(field: &str, value: Value) -> Value {
    let mut container = json!({"name": "a", "image": "a"});
    container[field] = value;
    pod("containers", json!([container]))
}

fn deployment(spec: Value) -> Value {
    let mut pod = pod("restartPolicy", json!("Always"));
    for (field, value) in spec.as_object().unwrap() {
        pod["spec"][field] = value.clone();
    }
    pod["metadata"] = json!({"labels": {"app": "a"}});
    json!({"spec": {"selector": {"matchLabels": {"app": "a"}}, "template": pod}})
}

conformance! {
    async fn fields_are_called_as_they_are_declared(talk: &mut Talk) {
        try_all(talk, &format!("{CORE}/pods"), [
            pod("dnsPolicy", json!(5)), pod("overhead", json!([])), pod("tolerations", json!([{"effect": 1}])),
            pod("volumes", json!([{"hostPath": {"type": 5}}])), pod("volumes", json!([{"secret": {"items": {}}}])), pod("volumes", json!([{"emptyDir": []}])),
            pod("ephemeralContainers", json!([{"env": {}}])), container("ports", json!([{"protocol": true}])),
            container("livenessProbe", json!({"exec": []})), container("livenessProbe", json!({"httpGet": {"scheme": 1}})),
            container("env", json!([{"valueFrom": {"configMapKeyRef": {"name": 5}}}])), container("env", json!([{"valueFrom": {"configMapKeyRef": {"optional": 5}}}])),
            container("resources", json!({"limits": []})), container("securityContext", json!({"capabilities": {"add": [1]}})),
            container("securityContext", json!({"capabilities": {"add": "all"}})), container("imagePullPolicy", json!({})),
        ]).await;
        try_all(talk, &format!("{CORE}/persistentvolumeclaims"), [json!({"spec": {"accessModes": {}}}), json!({"spec": {"accessModes": [1]}}), json!({"spec": {"volumeMode": 1}})]).await;
        try_all(talk, &format!("{CORE}/secrets"), [json!({"type": 5})]).await;
        try_all(talk, "/api/v1/namespaces", [json!({"spec": {"finalizers": {}}}), json!({"spec": {"finalizers": [1]}})]).await;
        try_all(talk, &format!("{CORE}/resourcequotas"), [json!({"spec": {"hard": []}}), json!({"spec": {"scopes": [1]}})]).await;
        try_all(talk, "/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses", [json!({"spec": {"rules": [{"http": []}]}}), json!({"spec": {"rules": [{"http": {"paths": [{"pathType": 1}]}}]}})]).await;
        try_all(talk, "/apis/certificates.k8s.io/v1/certificatesigningrequests", [json!({"spec": {"extra": {"a": "b"}}}), json!({"spec": {"usages": "any"}})]).await;
        try_all(talk, "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers", [json!({"spec": {"metrics": [{"type": 1}]}})]).await;
    }

    async fn patches_that_make_other_types(talk: &mut Talk) {
        let path = format!("{CORE}/services/one");
        talk.prepare(&format!("{CORE}/services"), json!({"metadata": {"name": "one"}, "spec": {"clusterIP": "None", "ports": [{"port": 1}]}})).await;
        for kind in ["merge", "strategic-merge", "apply"] {
            for spec in [
                json!({"internalTrafficPolicy": 5}), json!({"internalTrafficPolicy": true}), json!({"ipFamilies": {}}), json!({"ipFamilies": [5]}),
                json!({"sessionAffinity": []}), json!({"sessionAffinityConfig": {"clientIP": []}}),
            ] {
                let patch = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "one"}, "spec": spec});
                let manager = if kind == "apply" { "?fieldManager=me" } else { "" };
                talk.patch(kind, &format!("{path}{manager}"), patch).await;
            }
        }
    }

    async fn quantities_and_ports_that_are_none(talk: &mut Talk) {
        let values = [json!(""), json!(" "), json!("a"), json!(true), json!([]), json!({}), json!(null), json!(1.5), json!("1 Gi")];
        let limits = values.clone().map(|value| container("resources", json!({"limits": {"memory": value}})));
        try_all(talk, &format!("{CORE}/pods"), limits).await;
        let hard = values.clone().map(|value| json!({"spec": {"hard": {"pods": value}}}));
        try_all(talk, &format!("{CORE}/resourcequotas"), hard).await;
        let ports = values.into_iter().chain([json!("-"), json!(4_294_967_296_i64), json!(0)]);
        let gets = ports.clone().map(|port| container("livenessProbe", json!({"httpGet": {"port": port}})));
        try_all(talk, &format!("{CORE}/pods"), gets).await;
        let targets = ports.map(|port| json!({"spec": {"ports": [{"port": 1, "targetPort": port}]}}));
        try_all(talk, &format!("{CORE}/services"), targets).await;
    }

    async fn what_is_said_and_empty(talk: &mut Talk) {
        let fields = ["internalTrafficPolicy", "externalTrafficPolicy", "ipFamilyPolicy", "trafficDistribution", "sessionAffinity"];
        try_all(talk, &format!("{CORE}/services"), fields.map(|field| json!({"spec": {"ports": [{"port": 1}], field: ""}}))).await;
        let claim = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "volumeMode": ""});
        try_all(talk, &format!("{CORE}/persistentvolumeclaims"), [json!({"spec": claim})]).await;
        let mut volume = json!({"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/a"}});
        volume["volumeMode"] = "".into();
        try_all(talk, "/api/v1/persistentvolumes", [json!({"spec": volume})]).await;
        let contexts = ["fsGroupChangePolicy", "seLinuxChangePolicy", "supplementalGroupsPolicy"];
        let templates = contexts.map(|field| deployment(json!({"securityContext": {field: ""}})));
        try_all(talk, "/apis/apps/v1/namespaces/{ns}/deployments", templates).await;
        try_all(talk, "/apis/apps/v1/namespaces/{ns}/deployments", [deployment(json!({"os": {}})), deployment(json!({"os": {"name": "plan9"}}))]).await;
        try_all(talk, &format!("{CORE}/pods"), [
            container("securityContext", json!({"procMount": ""})), container("volumeMounts", json!([{"name": "a", "mountPath": "/a", "mountPropagation": ""}])),
            pod("topologySpreadConstraints", json!([{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule", "nodeTaintsPolicy": ""}])),
        ]).await;
        let job = |field: &str| {
            let mut pod = pod("restartPolicy", json!("Never"));
            pod["metadata"] = json!({});
            json!({"spec": {"template": pod, field: ""}})
        };
        try_all(talk, "/apis/batch/v1/namespaces/{ns}/jobs", ["completionMode", "podReplacementPolicy"].map(job)).await;
        try_all(talk, "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets", [json!({"spec": {"unhealthyPodEvictionPolicy": ""}})]).await;
        try_all(talk, "/apis/scheduling.k8s.io/v1/priorityclasses", [json!({"value": 1, "preemptionPolicy": ""})]).await;
        try_all(talk, "/apis/storage.k8s.io/v1/storageclasses", ["reclaimPolicy", "volumeBindingMode"].map(|field| json!({"provisioner": "a", field: ""}))).await;
        let rule = json!({"http": {"paths": [{"pathType": "", "path": "/"}]}});
        try_all(talk, "/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses", [json!({"spec": {"rules": [rule]}})]).await;
        let webhooks = ["failurePolicy", "matchPolicy", "sideEffects", "reinvocationPolicy"].map(|field| {
            let mut webhook = json!({"name": "one.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"], "clientConfig": {"url": "https://127.0.0.1"}});
            webhook[field] = "".into();
            json!({"webhooks": [webhook]})
        });
        try_all(talk, "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", webhooks).await;
    }

    async fn what_may_not_change_is_not_added_and_empty(talk: &mut Talk) {
        let jobs = "/apis/batch/v1/namespaces/{ns}/jobs";
        let mut pod = pod("restartPolicy", json!("Never"));
        pod["metadata"] = json!({"annotations": {"a": "b"}});
        talk.prepare(jobs, json!({"metadata": {"name": "one", "labels": {"a": "b"}}, "spec": {"suspend": false, "template": pod}})).await;
        for spec in [json!({"managedBy": ""}), json!({"backoffLimitPerIndex": 0}), json!({"completions": 0}), json!({"template": {"metadata": {"annotations": {"c": ""}}}})] {
            talk.patch("merge", &format!("{jobs}/one?dryRun=All"), json!({"spec": spec})).await;
        }
        let deployments = "/apis/apps/v1/namespaces/{ns}/deployments";
        let mut web = deployment(json!({}));
        web["metadata"] = json!({"name": "one"});
        talk.prepare(deployments, web).await;
        let labels = json!({"app": "a", "b": ""});
        let template = json!({"metadata": {"labels": labels}});
        talk.patch("merge", &format!("{deployments}/one?dryRun=All"), json!({"spec": {"selector": {"matchLabels": labels}, "template": template}})).await;
        talk.post(&format!("{CORE}/configmaps?dryRun=All"), json!({"metadata": {"name": "one", "generation": -1}})).await;
    }

    async fn what_cannot_be_compared_is_owned_by_nobody(talk: &mut Talk) {
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "when": {"type": "string", "format": "date-time"}, "bytes": {"type": "string", "format": "byte"}, "plain": {"type": "string"},
            "size": {"type": "integer"},
        }}}});
        talk.install(thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}))).await;
        let path = format!("{THINGS}/one");
        talk.say("a format is nothing to apply");
        for spec in [json!({"when": []}), json!({"when": {"a": 1}}), json!({"when": 5}), json!({"bytes": 5}), json!({"bytes": []}), json!({"plain": []}), json!({"when": "2020-01-01T00:00:00Z"})] {
            talk.patch("apply", &format!("{path}?fieldManager=me&dryRun=All"), thing("one", spec)).await;
        }
        talk.say("what is no string is stored, and tracked no more");
        talk.post(THINGS, thing("one", json!({"when": [], "size": 1}))).await;
        talk.patch("merge", &path, json!({"spec": {"size": 2}})).await;
        talk.patch("apply", &format!("{path}?fieldManager=me"), thing("one", json!({"size": 3}))).await;
        talk.patch("apply", &format!("{path}?fieldManager=me"), thing("one", json!({"odd": 3}))).await;
        talk.patch("merge", &path, json!({"spec": {"when": null}})).await;
        talk.patch("apply", &format!("{path}?fieldManager=me&force=true"), thing("one", json!({"size": 3}))).await;
        talk.say("of a kind of the server");
        let accounts = format!("{CORE}/serviceaccounts");
        talk.post(&accounts, json!({"metadata": {"name": "one"}, "secrets": [{}]})).await;
        talk.patch("merge", &format!("{accounts}/one"), json!({"metadata": {"labels": {"a": "b"}}})).await;
    }

    async fn other_kinds_are_read_before_they_are_refused(talk: &mut Talk) {
        for (version, kind, fields) in [
            ("v1", "List", json!({"metadata": [], "items": 5})), ("v1", "List", json!({"items": 5})), ("v1", "ConfigMapList", json!({"items": {}})), ("v1", "ConfigMapList", json!({"items": []})),
            ("v1", "Status", json!({"metadata": []})), ("v1", "Status", json!({"status": {}})), ("v1", "DeleteOptions", json!({"gracePeriodSeconds": "x"})), ("policy/v1", "Eviction", json!({"metadata": 5})),
            ("autoscaling/v1", "Scale", json!({"spec": 5})), ("autoscaling/v1", "Scale", json!({"spec": {"replicas": 5}})), ("authentication.k8s.io/v1", "TokenRequest", json!({"spec": {"audiences": "a"}})),
        ] {
            let mut body = fields;
            body["apiVersion"] = version.into();
            body["kind"] = kind.into();
            talk.post(&format!("{CORE}/configmaps?dryRun=All"), body).await;
        }
    }

    async fn times_are_called_as_they_are_read(talk: &mut Talk) {
        for metadata in [json!({"creationTimestamp": 5}), json!({"deletionTimestamp": {}}), json!({"managedFields": [{"time": 5}]})] {
            talk.post(&format!("{CORE}/configmaps?dryRun=All"), json!({"metadata": metadata})).await;
        }
        for pods in [json!([]), json!({"a": 5})] {
            talk.post("/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets?dryRun=All", json!({"metadata": {"name": "one"}, "status": {"disruptedPods": pods}})).await;
        }
    }

    async fn the_first_mistake_is_told_and_strictness_comes_last(talk: &mut Talk) {
        for more in [json!({"unknown": 1}), json!({"data": {"a": 1}}), json!({"binaryData": {"a": "!"}})] {
            let mut map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "labels": {"a": 1}}});
            more.as_object().unwrap().iter().for_each(|(name, value)| map[name] = value.clone());
            for strictness in ["Strict", "Warn"] {
                talk.post(&format!("/api/v1/namespaces/{{ns}}/configmaps?fieldValidation={strictness}"), map.clone()).await;
            }
        }
    }

    async fn kinds_of_versions_that_are_no_more(talk: &mut Talk) {
        for (path, version, kind) in [
            ("/apis/apps/v1/namespaces/{ns}/deployments", "apps/v1beta1", "Deployment"),
            ("/apis/apps/v1/namespaces/{ns}/deployments", "extensions/v1beta1", "Deployment"),
            ("/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses", "extensions/v1beta1", "Ingress"),
            ("/apis/events.k8s.io/v1/namespaces/{ns}/events", "v1", "Event"),
            ("/api/v1/namespaces/{ns}/events", "events.k8s.io/v1", "Event"),
            ("/api/v1/namespaces/{ns}/events", "events.k8s.io/v1beta1", "Event"),
            ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "authorization.k8s.io/v1beta1", "SelfSubjectAccessReview"),
            ("/api/v1/namespaces/{ns}/pods", "apps/v1beta2", "DaemonSet"),
            ("/api/v1/namespaces/{ns}/pods", "apps/v1beta2", "Pod"),
        ] {
            talk.post(path, json!({"apiVersion": version, "kind": kind, "metadata": {"name": "one"}})).await;
        }
        talk.prepare("/apis/batch/v1/namespaces/{ns}/cronjobs", json!({"metadata": {"name": "one"}, "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "b"}]}}}}}})).await;
        talk.patch("merge", "/apis/batch/v1/namespaces/{ns}/cronjobs/one", json!({"apiVersion": "batch/v1beta1"})).await;
    }
}
