//! In which order things are looked at, and in which words they are refused.

use serde_json::{Value, json};

use super::support::Talk;

const AUTHORIZATION: &str = "/apis/authorization.k8s.io/v1";

fn event(name: &str, about: Value, more: Value) -> Value {
    let mut event = json!({"metadata": {"name": name}, "involvedObject": about});
    if let (Some(event), Some(more)) = (event.as_object_mut(), more.as_object()) {
        event.extend(more.clone());
    }
    event
}

conformance! {
    async fn refused_reviews_show_all_of_their_metadata(talk: &mut Talk) {
        let owner = json!({"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "b", "controller": true});
        for metadata in [
            json!({"name": "a"}),
            json!({"labels": {"name": "b", "a": "c"}, "annotations": {"x": "<y>"}, "generateName": "a", "name": "b", "resourceVersion": "1"}),
            json!({"ownerReferences": [owner], "finalizers": ["example.com/a"]}),
            json!({"uid": "a", "selfLink": "b", "creationTimestamp": "2020-01-01T00:00:00Z"}),
            json!({"generation": 2}),
        ] {
            for plural in ["selfsubjectaccessreviews", "subjectaccessreviews"] {
                let review = json!({"metadata": metadata, "spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}});
                talk.post(&format!("{AUTHORIZATION}/{plural}?fieldManager=one"), review).await;
            }
            let review = json!({"metadata": metadata, "spec": {"user": "a", "nonResourceAttributes": {"verb": "get", "path": "/"}}});
            talk.post(&format!("{AUTHORIZATION}/namespaces/{{ns}}/localsubjectaccessreviews?fieldManager=one"), review).await;
            let review = json!({"metadata": metadata, "spec": {"user": "a", "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}});
            talk.post(&format!("{AUTHORIZATION}/namespaces/{{ns}}/localsubjectaccessreviews"), review).await;
        }
    }

    async fn autoscalers_are_refused_in_their_version(talk: &mut Talk) {
        for (version, spec) in [
            ("v2", json!({"maxReplicas": "1"})), ("v2", json!({"metrics": "a"})), ("v2", json!({"metrics": ["a"]})), ("v2", json!({"behavior": 1})),
            ("v2", json!({"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": 1}}]})), ("v2", json!({"scaleTargetRef": []})),
            ("v2", json!({"metrics": [{"type": "Pods", "pods": {"metric": {"name": "a", "selector": 1}, "target": {"type": "Value"}}}]})),
            ("v2", json!("a")), ("v1", json!("a")), ("v1", json!({"scaleTargetRef": "a"})), ("v1", json!({"maxReplicas": "1"})),
        ] {
            let path = format!("/apis/autoscaling/{version}/namespaces/{{ns}}/horizontalpodautoscalers");
            talk.post(&path, json!({"metadata": {"name": "one"}, "spec": spec})).await;
        }
    }

    async fn events_are_looked_at_before_their_metadata(talk: &mut Talk) {
        const EVENTS: &str = "/api/v1/namespaces/{ns}/events";
        let elsewhere = json!({"namespace": "default", "name": "a"});
        let here = json!({"namespace": "{ns}", "name": "a"});
        for event in [
            event("one", elsewhere.clone(), json!({})), event("A_b", elsewhere.clone(), json!({})), event("A_b", here.clone(), json!({})),
            event("a%b", here.clone(), json!({})), event("a%b", elsewhere.clone(), json!({})),
            json!({"metadata": {"name": "two", "labels": {"-": "a"}}, "involvedObject": elsewhere}),
            json!({"metadata": {"name": "two", "labels": {"-": "a"}}, "involvedObject": here}),
            json!({"involvedObject": elsewhere}), json!({"involvedObject": here}),
            event("a%b", here.clone(), json!({"eventTime": "2020-01-01T00:00:00.000000Z"})),
        ] {
            talk.post(EVENTS, event).await;
        }
        talk.put(&format!("{EVENTS}/A_b"), event("A_b", elsewhere.clone(), json!({}))).await;
        talk.patch("merge", &format!("{EVENTS}/A_b"), json!({"metadata": {"labels": {"-": "a"}}, "involvedObject": elsewhere})).await;
        for event in [
            json!({"metadata": {"name": "A_b", "labels": {"-": "a"}}, "regarding": elsewhere}),
            json!({"metadata": {"name": "A_b"}, "regarding": here, "eventTime": "2020-01-01T00:00:00.000000Z", "series": {"count": 1}}),
            json!({"regarding": elsewhere}),
        ] {
            talk.post("/apis/events.k8s.io/v1/namespaces/{ns}/events", event).await;
        }
    }

    async fn api_services_say_what_they_are_of(talk: &mut Talk) {
        for (name, spec) in [
            ("a", json!({})), (".", json!({})), ("v1.", json!({"version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1})),
            ("V1.a_b", json!({"version": "V1", "group": "a_b", "groupPriorityMinimum": 20001, "versionPriority": 1001})),
            ("v1.example.com", json!({
                "version": "v1", "group": "example.com", "groupPriorityMinimum": 1, "versionPriority": 1, "caBundle": "YWJj", "insecureSkipTLSVerify": true,
            })),
            ("v1.example.com", json!({
                "version": "v1", "group": "example.com", "groupPriorityMinimum": 1, "versionPriority": 1, "caBundle": "YWJj", "insecureSkipTLSVerify": true,
                "service": {"port": 70000},
            })),
            ("v1.example.com", json!({"version": "v1", "group": "example.com", "groupPriorityMinimum": 1, "versionPriority": 1, "service": {}})),
        ] {
            talk.post("/apis/apiregistration.k8s.io/v1/apiservices?dryRun=All", json!({"metadata": {"name": name}, "spec": spec})).await;
        }
    }

    async fn limit_ranges_need_no_name(talk: &mut Talk) {
        const RANGES: &str = "/api/v1/namespaces/{ns}/limitranges";
        talk.post(&format!("{RANGES}?dryRun=All"), json!({})).await;
        talk.post(RANGES, json!({"spec": {"limits": [{"type": "Pod"}]}})).await;
        talk.post(RANGES, json!({"spec": {"limits": [{"type": "Odd"}]}})).await;
        talk.get(RANGES).await;
    }

    async fn app_armor_in_annotations_and_in_fields(talk: &mut Talk) {
        const KEY: &str = "container.apparmor.security.beta.kubernetes.io/main";
        let default = json!({"type": "RuntimeDefault"});
        let unconfined = json!({"type": "Unconfined"});
        let local = |file: &str| json!({"type": "Localhost", "localhostProfile": file});
        let none = Value::Null;
        for (said, own, of_pod) in [
            ("runtime/default", &default, &none), ("runtime/default", &unconfined, &none), ("localhost/a", &local("a"), &none), ("localhost/a", &local("b"), &none),
            ("localhost/a", &default, &none), ("", &default, &none), ("odd", &default, &none), ("unconfined", &local("a"), &none), ("localhost/a", &json!({"type": "Localhost"}), &none),
            ("runtime/default", &json!({"type": "Odd"}), &none), ("runtime/default", &none, &default), ("runtime/default", &none, &unconfined),
            ("localhost/a", &none, &local("a")), ("unconfined", &none, &json!({"type": "Odd"})), ("odd", &none, &unconfined), ("", &none, &unconfined),
            ("localhost/", &none, &none), ("localhost/ a", &none, &none), ("localhost/a", &none, &none), ("localhost/", &none, &local("a")),
        ] {
            let mut pod = json!({"metadata": {"name": "one", "annotations": {}}, "spec": {"containers": [{"name": "main", "image": "a:1"}]}});
            pod["metadata"]["annotations"][KEY] = said.into();
            if !own.is_null() {
                pod["spec"]["containers"][0]["securityContext"]["appArmorProfile"] = own.clone();
            }
            if !of_pod.is_null() {
                pod["spec"]["securityContext"]["appArmorProfile"] = of_pod.clone();
            }
            talk.post("/api/v1/namespaces/{ns}/pods?dryRun=All", pod).await;
        }
        let windows = json!({"metadata": {"name": "one", "annotations": {KEY: "runtime/default"}}, "spec": {
            "os": {"name": "windows"}, "containers": [{"name": "main", "image": "a:1"}],
        }});
        talk.post("/api/v1/namespaces/{ns}/pods?dryRun=All", windows).await;
    }

    async fn nodes_are_not_set_up_by_the_server(talk: &mut Talk) {
        let source = json!({"configMap": {"name": "a", "namespace": "b", "kubeletConfigKey": "c"}});
        let told = |node: &Value| json!([node["spec"], node["status"]["config"], node["metadata"]["managedFields"]]);
        let node = json!({"metadata": {"name": "{ns}"}, "spec": {"configSource": source}, "status": {"config": {"assigned": source}}});
        talk.post("/api/v1/nodes", node).await;
        let path = "/api/v1/nodes/{ns}";
        talk.patch("merge", path, json!({"spec": {"configSource": source, "providerID": "a"}})).await;
        talk.get_picked(path, &[], told).await;
        talk.patch("merge", &format!("{path}/status"), json!({"status": {"config": {"assigned": source, "error": "a"}, "phase": "Running"}})).await;
        talk.get_picked(path, &[], told).await;
        talk.delete(path).await;
    }

    async fn service_ranges_are_of_two_families(talk: &mut Talk) {
        const RANGES: &str = "/apis/networking.k8s.io/v1/servicecidrs";
        let ranges = |ranges: Value| json!({"metadata": {"name": "{ns}"}, "spec": {"cidrs": ranges}, "status": {"conditions": [
            {"type": "Ready", "status": "True", "reason": "A", "message": "b", "lastTransitionTime": "2020-01-01T00:00:00Z"},
        ]}});
        for wrong in [
            json!([]), json!(["10.97.0.0/24", "10.98.0.0/24"]), json!(["fd97::/64", "fd98::/64"]), json!(["10.97.0.0/24", "fd97::/112", "fd98::/112"]),
            json!(["10.97.0.0/24", "odd"]), json!(["odd", "odd"]), json!(["10.97.0.0/24", "fd97::/112"]),
        ] {
            talk.post(&format!("{RANGES}?dryRun=All"), ranges(wrong)).await;
        }
        talk.post(RANGES, ranges(json!(["10.97.0.0/24"]))).await;
        let path = format!("{RANGES}/{{ns}}?dryRun=All");
        for changed in [
            json!(["10.98.0.0/24"]), json!(["10.97.0.0/24", "10.98.0.0/24"]), json!(["10.98.0.0/24", "fd97::/112"]), json!(["10.97.0.0/24", "odd"]),
            json!(["10.97.0.0/24", "fd97::/112", "fd98::/112"]), json!([]), json!(["10.97.0.0/24", "fd97::/112"]),
        ] {
            talk.put(&path, ranges(changed)).await;
        }
        talk.delete(&format!("{RANGES}/{{ns}}")).await;
    }

    async fn parts_of_a_server_have_no_versions(talk: &mut Talk) {
        const PARTS: &str = "/api/v1/componentstatuses";
        talk.get(&format!("{PARTS}/none")).await;
        talk.get(&format!("{PARTS}/etcd-0")).await;
        for query in ["fieldSelector=metadata.name%3Detcd-0", "labelSelector=a%3Db", "fieldSelector=metadata.name%3Detcd-0&limit=1&resourceVersion=7", "fieldSelector=odd%3Da"] {
            talk.get(&format!("{PARTS}?{query}")).await;
        }
        talk.get_picked(&format!("{PARTS}?limit=1"), &[], |list| json!([list["metadata"], list["items"].as_array().map(Vec::len)])).await;
        for accept in ["application/json;as=Table;g=meta.k8s.io;v=v1", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "application/yaml"] {
            talk.send("GET", &format!("{PARTS}?fieldSelector=metadata.name%3Detcd-0"), &[("accept", accept)], None).await;
        }
    }

    async fn a_server_says_how_it_runs(talk: &mut Talk) {
        // What is between a name and a value is another each time.
        let word = |line: &str| line.split([':', '=', ' ']).next().unwrap_or_default().to_owned();
        talk.get_lines("/statusz", &[], |line| Some(word(line))).await;
        let paths = |line: &str| line.starts_with("Paths").then(|| line.split('/').skip(1).collect::<Vec<_>>().join("/"));
        talk.get_lines("/statusz", &[], paths).await;
        let of_privileges = |line: &str| {
            let is_it = word(line) == "allow-privileged";
            (is_it || line.starts_with("apiserver flagz") || line.starts_with("Warning")).then(|| if is_it { word(line) } else { line.to_owned() })
        };
        talk.get_lines("/flagz", &[], of_privileges).await;
        for version in ["v1alpha1", "v1beta1"] {
            for (kind, path) in [("Statusz", "/statusz"), ("Flagz", "/flagz")] {
                let accept = format!("application/json;v={version};g=config.k8s.io;as={kind}");
                talk.get_picked(path, &[("accept", &accept)], |said| {
                    let fields: Vec<&String> = said.as_object().into_iter().flat_map(|fields| fields.keys()).collect();
                    json!([said["kind"], said["apiVersion"], said["metadata"], said["paths"], said["flags"]["allow-privileged"], fields])
                }).await;
            }
        }
        for accept in ["application/json", "text/html", "odd", "application/json;v=v2;g=config.k8s.io;as=Statusz", "text/plain;v=v1beta1;g=config.k8s.io;as=Statusz"] {
            talk.send("GET", "/statusz", &[("accept", accept)], None).await;
        }
        for accept in ["text/plain", "*/*", "text/*", "application/json, text/plain", "application/yaml;v=v1beta1;g=config.k8s.io;as=Statusz, text/plain"] {
            talk.get_picked("/statusz", &[("accept", accept)], |said| json!(said.is_string())).await;
        }
        talk.get("/statusz/").await;
    }

    async fn reviews_are_of_no_namespace(talk: &mut Talk) {
        let attributes = json!({"verb": "get", "resource": "pods"});
        for (group, plural, spec) in [
            ("authorization.k8s.io", "selfsubjectaccessreviews", json!({"resourceAttributes": attributes})), ("authorization.k8s.io", "subjectaccessreviews", json!({"user": "u", "resourceAttributes": attributes})),
            ("authentication.k8s.io", "tokenreviews", json!({"token": "x"})), ("authentication.k8s.io", "selfsubjectreviews", json!(null)),
        ] {
            talk.post(&format!("/apis/{group}/v1/{plural}"), json!({"metadata": {"namespace": "A b"}, "spec": spec})).await;
        }
        let mut attributes = attributes;
        attributes["fieldSelector"] = json!({"requirements": [{"key": "a"}]});
        talk.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", json!({"spec": {"resourceAttributes": attributes}})).await;
    }
}
