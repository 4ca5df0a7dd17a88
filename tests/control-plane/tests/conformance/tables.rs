//! Tables of every kind, which say what their columns mean.

use serde_json::{Value, json};

use super::support::{Talk, extend, thing_crd};

const TABLE: &str = "application/json;as=Table;g=meta.k8s.io;v=v1";

/// What a server has of a group, and can list.
fn listed(resources: &Value) -> Vec<String> {
    let all = resources["resources"].as_array().into_iter().flatten();
    let can_list = |one: &&Value| {
        one["verbs"]
            .as_array()
            .is_some_and(|verbs| verbs.contains(&"list".into()))
    };
    let mut names: Vec<String> = all
        .filter(can_list)
        .filter_map(|one| one["name"].as_str().map(str::to_owned))
        .collect();
    names.sort();
    names
}

conformance! {
    async fn who_is_bound(talk: &mut Talk) {
        const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings";
        let (user, group) = (
            json!({"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "a", "namespace": "b"}),
            json!({"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "c", "namespace": "d"}),
        );
        let account = json!({"kind": "ServiceAccount", "name": "e", "namespace": "f"});
        let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "one"});
        talk.post(BINDINGS, json!({"metadata": {"name": "one"}, "roleRef": role, "subjects": [user, group, account]})).await;
        talk.get_picked(&format!("{BINDINGS}/one"), &[("accept", TABLE)], |table| {
            let cells = table["rows"][0]["cells"].as_array().unwrap();
            [1, 3, 4, 5].map(|at| cells[at].clone()).into_iter().collect()
        }).await;
    }

    async fn how_often_a_template_has_changed_is_told_of_whole_objects(talk: &mut Talk) {
        const SETS: &str = "/apis/apps/v1/namespaces/{ns}/daemonsets";
        let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}});
        let spec = json!({"selector": {"matchLabels": {"app": "web"}}, "template": template});
        talk.prepare(SETS, json!({"metadata": {"name": "one"}, "spec": spec})).await;
        talk.prepare(SETS, json!({"metadata": {"name": "two", "annotations": {"a": "b"}}, "spec": spec})).await;
        let metadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        let list = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        for name in ["one", "two"] {
            let path = format!("{SETS}/{name}");
            talk.get_picked(&path, &[], |set| set["metadata"]["annotations"].clone()).await;
            talk.get_picked(&path, &[("accept", metadata)], |set| set["metadata"]["annotations"].clone()).await;
            talk.get_picked(&path, &[("accept", TABLE)], |table| table["rows"][0]["object"]["metadata"]["annotations"].clone()).await;
            talk.get_picked(&format!("{path}?includeObject=Object"), &[("accept", TABLE)], |table| {
                table["rows"][0]["object"]["metadata"]["annotations"].clone()
            }).await;
        }
        talk.get_picked(SETS, &[("accept", list)], |list| {
            list["items"].as_array().unwrap().iter().map(|set| set["metadata"]["annotations"].clone()).collect()
        }).await;
    }

    async fn columns_of_every_kind(talk: &mut Talk) {
        for group in [
            "api/v1", "apis/admissionregistration.k8s.io/v1", "apis/apiextensions.k8s.io/v1", "apis/apiregistration.k8s.io/v1", "apis/apps/v1", "apis/autoscaling/v1",
            "apis/autoscaling/v2", "apis/batch/v1", "apis/certificates.k8s.io/v1", "apis/coordination.k8s.io/v1", "apis/discovery.k8s.io/v1", "apis/events.k8s.io/v1",
            "apis/flowcontrol.apiserver.k8s.io/v1", "apis/networking.k8s.io/v1", "apis/node.k8s.io/v1", "apis/policy/v1", "apis/rbac.authorization.k8s.io/v1", "apis/resource.k8s.io/v1",
            "apis/scheduling.k8s.io/v1", "apis/storage.k8s.io/v1",
        ] {
            let resources = talk.unsaid("GET", &format!("/{group}"), None).await;
            for plural in listed(&resources) {
                let path = format!("/{group}/{plural}?limit=1");
                talk.get_picked(&path, &[("accept", TABLE)], |table| table["columnDefinitions"].clone()).await;
            }
        }
    }

    async fn pods_in_a_word(talk: &mut Talk) {
        const PODS: &str = "/api/v1/namespaces/{ns}/pods";
        let container = |name: &str| json!({"name": name, "image": "a"});
        let sidecar = json!({"name": "side", "image": "a", "restartPolicy": "Always"});
        let spec = json!({"containers": [container("a"), container("b")], "initContainers": [container("one"), container("two"), sidecar]});
        talk.prepare(PODS, json!({"metadata": {"name": "one", "finalizers": ["example.com/a"]}, "spec": spec})).await;
        let is = |name: &str, state: Value| json!({"name": name, "image": "a", "imageID": "a", "ready": false, "restartCount": 0, "state": state});
        let running = json!({"running": {"startedAt": "2020-01-01T00:00:00Z"}});
        let ended = |code: i64, reason: &str, signal: i64| json!({"terminated": {"exitCode": code, "reason": reason, "signal": signal, "startedAt": null, "finishedAt": null}});
        let waits = |reason: &str| json!({"waiting": {"reason": reason}});
        let ready = |name: &str, restarts: i64| json!({"name": name, "image": "a", "imageID": "a", "ready": true, "started": true, "restartCount": restarts, "state": running});
        let done = is("one", ended(0, "Completed", 0));
        let later = |name: &str| json!({"name": name, "image": "a", "imageID": "a", "ready": true, "restartCount": 5, "state": running, "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2999-01-01T00:00:00Z", "startedAt": null}}});
        let told = |kind: &str, reason: &str| json!({"type": kind, "status": if reason.is_empty() { "True" } else { "False" }, "reason": reason});
        for (phase, reason, conditions, begun, containers) in [
            ("Running", "", json!([]), json!([]), json!([later("a"), ready("b", 2)])),
            ("Failed", "", json!([]), json!([]), json!([is("a", ended(3, "", 0)), is("b", ended(0, "Completed", 0))])),
            ("Failed", "", json!([]), json!([]), json!([is("a", ended(137, "", 9))])),
            ("Failed", "Evicted", json!([]), json!([]), json!([])),
            ("Pending", "", json!([]), json!([done, is("two", running.clone())]), json!([is("a", waits("PodInitializing"))])),
            ("Pending", "", json!([]), json!([is("one", waits("ImagePullBackOff"))]), json!([])),
            ("Pending", "", json!([]), json!([is("one", waits("PodInitializing"))]), json!([])),
            ("Pending", "", json!([]), json!([is("one", ended(1, "Error", 0))]), json!([])),
            ("Pending", "", json!([]), json!([is("one", ended(1, "", 0))]), json!([])),
            ("Pending", "", json!([]), json!([is("one", ended(1, "", 9))]), json!([])),
            ("Running", "", json!([told("Initialized", "")]), json!([done, done, ready("side", 3)]), json!([ready("a", 1), is("b", waits("CrashLoopBackOff"))])),
            ("Pending", "", json!([told("PodScheduled", "SchedulingGated")]), json!([]), json!([])),
            ("Running", "", json!([told("Ready", "")]), json!([]), json!([ready("b", 0), is("a", ended(0, "Completed", 0))])),
            ("Running", "", json!([]), json!([]), json!([is("a", ended(0, "Completed", 0)), ready("b", 0)])),
            ("Running", "", json!([]), json!([]), json!([is("a", ended(0, "Completed", 0)), is("b", ended(2, "Error", 0))])),
            ("Succeeded", "", json!([]), json!([]), json!([is("a", ended(0, "Completed", 0))])),
            ("Running", "NodeLost", json!([]), json!([]), json!([ready("a", 0)])),
        ] {
            let status = json!({"phase": phase, "reason": reason, "conditions": conditions, "initContainerStatuses": begun, "containerStatuses": containers, "podIPs": [{"ip": "192.0.2.1"}], "podIP": "192.0.2.1"});
            let status: Value = json!([{"op": "add", "path": "/status", "value": status}]);
            talk.patch_unsaid("json", &format!("{PODS}/one/status"), status).await;
            talk.get_picked(&format!("{PODS}/one"), &[("accept", TABLE)], |table| table["rows"][0]["cells"].clone()).await;
        }
        talk.unsaid("DELETE", &format!("{PODS}/one"), None).await;
        for (phase, reason) in [("Running", "NodeLost"), ("Running", ""), ("Failed", "")] {
            talk.patch_unsaid("merge", &format!("{PODS}/one/status"), json!({"status": {"phase": phase, "reason": reason}})).await;
            talk.get_picked(&format!("{PODS}/one"), &[("accept", TABLE)], |table| table["rows"][0]["cells"].clone()).await;
        }
        talk.patch_unsaid("merge", &format!("{PODS}/one"), json!({"metadata": {"finalizers": null}})).await;
    }

    async fn whole_custom_resources_in_tables(talk: &mut Talk) {
        const THINGS: &str = "/apis/{group}/v1/namespaces/{ns}/things";
        let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let date = json!({"name": "When", "type": "date", "jsonPath": ".when"});
        talk.install(thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": open}, "additionalPrinterColumns": [date]}))).await;
        talk.prepare(THINGS, json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one", "labels": {"a": "b"}}, "data": 1, "when": "2999-01-01T00:00:00Z"})).await;
        for include in ["Object", "Metadata", "None"] {
            talk.send("GET", &format!("{THINGS}?includeObject={include}"), &[("accept", TABLE)], None).await;
        }
    }

    async fn how_long_a_job_takes(talk: &mut Talk) {
        const JOBS: &str = "/apis/batch/v1/namespaces/{ns}/jobs";
        let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "b"}]}});
        talk.prepare(JOBS, json!({"metadata": {"name": "one"}, "spec": {"suspend": true, "template": template}})).await;
        let told = |kind: &str| json!({"type": kind, "status": "True"});
        talk.get_picked(&format!("{JOBS}/one"), &[("accept", TABLE)], |table| table["rows"][0]["cells"].clone()).await;
        let times = json!({"startTime": "2020-01-01T00:00:00Z", "completionTime": "2020-01-01T01:02:03Z", "succeeded": 1, "conditions": [told("SuccessCriteriaMet"), told("Complete")]});
        talk.patch("merge", &format!("{JOBS}/one/status"), json!({"status": times})).await;
        talk.get_picked(&format!("{JOBS}/one"), &[("accept", TABLE)], |table| table["rows"][0]["cells"].clone()).await;
    }

    async fn subresources_in_tables(talk: &mut Talk) {
        const THINGS: &str = "/apis/{group}/v1/namespaces/{ns}/things";
        let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let scale = json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"});
        talk.install(thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": open}, "subresources": {"scale": scale}}))).await;
        talk.prepare(THINGS, json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": {"replicas": 2}})).await;
        let told = |table: &Value| json!([table["columnDefinitions"], table["rows"][0]["cells"][1], table["rows"][0]["cells"][2]]);
        talk.get_picked(&format!("{THINGS}/one/scale"), &[("accept", TABLE)], told).await;
        for name in ["resize", "ephemeralcontainers", "status"] {
            talk.send("GET", &format!("/api/v1/namespaces/{{ns}}/pods/none/{name}"), &[("accept", TABLE)], None).await;
        }
    }

    async fn pods_that_are_done(talk: &mut Talk) {
        const PODS: &str = "/api/v1/namespaces/{ns}/pods";
        talk.prepare(PODS, json!({"metadata": {"name": "one"}, "spec": {"containers": [{"name": "a", "image": "b"}]}})).await;
        for phase in ["Failed", "Succeeded"] {
            talk.patch_unsaid("merge", &format!("{PODS}/one/status"), json!({"status": {"phase": phase}})).await;
            for path in [format!("{PODS}/one"), PODS.to_owned()] {
                talk.get_picked(&path, &[("accept", "application/json;as=Table;g=meta.k8s.io;v=v1")], |table| table["rows"][0]["conditions"].clone()).await;
            }
        }
    }

    async fn events_about_what_has_no_name(talk: &mut Talk) {
        const EVENTS: &str = "/api/v1/namespaces/{ns}/events";
        let about = |more: Value| {
            let mut event = json!({"involvedObject": {"namespace": "{ns}"}, "reason": "Good", "type": "Normal", "firstTimestamp": "2020-01-01T00:00:00Z"});
            extend(&mut event, &more);
            event
        };
        for (name, more) in [
            ("a", json!({"involvedObject": {"namespace": "{ns}", "kind": "Pod"}})), ("b", json!({})), ("c", json!({"involvedObject": {"namespace": "{ns}", "kind": "Pod", "name": "one"}, "count": 3})),
            ("d", json!({"series": {"count": 0, "lastObservedTime": "2020-01-01T00:00:00.000000Z"}, "count": 4})),
        ] {
            let mut event = about(more);
            event["metadata"] = json!({"name": name});
            talk.prepare(EVENTS, event).await;
            let headers = [("accept", "application/json;as=Table;g=meta.k8s.io;v=v1")];
            talk.get_picked(&format!("{EVENTS}/{name}"), &headers, |table| json!([table["rows"][0]["cells"][3], table["rows"][0]["cells"][8]])).await;
        }
    }
}
