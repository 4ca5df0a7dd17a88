//! What is refused of a status.

use serde_json::{Value, json};

use super::support::{Talk, extend};

/// Makes an object, and says one thing after the other of it.
async fn says(talk: &mut Talk, path: &str, spec: Value, statuses: &[Value]) {
    talk.prepare(
        path,
        json!({"metadata": {"name": "one", "labels": {"own": "a"}}, "spec": spec}),
    )
    .await;
    for status in statuses {
        let one = format!("{path}/one/status");
        talk.patch("merge", &one, json!({"status": status})).await;
    }
}

fn pods(restart: &str) -> Value {
    let containers = json!([{"name": "main", "image": "a:1"}]);
    json!({"metadata": {"labels": {"app": "one"}}, "spec": {"containers": containers, "restartPolicy": restart}})
}

fn conditions(kinds: &[&str]) -> Value {
    let condition = |kind: &&str| json!({"type": kind, "status": "True", "lastTransitionTime": "2024-01-01T00:00:00Z"});
    kinds.iter().map(condition).collect()
}

conformance! {
    async fn of_replicas(talk: &mut Talk) {
        let spec = json!({"selector": {"matchLabels": {"app": "one"}}, "template": pods("Always")});
        let statuses = [
            json!({"replicas": -1}),
            json!({"replicas": 2, "readyReplicas": 3}),
            json!({"replicas": 2, "readyReplicas": 1, "availableReplicas": 2}),
            json!({"replicas": 1, "availableReplicas": 2, "updatedReplicas": 2, "fullyLabeledReplicas": 2, "currentReplicas": 2}),
            json!({"observedGeneration": -1, "unavailableReplicas": -1, "collisionCount": -1, "terminatingReplicas": -1}),
            json!({"replicas": 3, "readyReplicas": 2, "availableReplicas": 1, "collisionCount": 2}),
            json!({"collisionCount": 1}),
            json!({"collisionCount": null}),
        ];
        for kind in ["deployments", "replicasets", "statefulsets"] {
            // Of a ReplicaSet nobody counts collisions.
            let fewer = if kind == "replicasets" { 5 } else { statuses.len() };
            says(talk, &format!("/apis/apps/v1/namespaces/{{ns}}/{kind}"), spec.clone(), &statuses[..fewer]).await;
        }
        says(talk, "/api/v1/namespaces/{ns}/replicationcontrollers", json!({"template": pods("Always")}), &statuses[..4]).await;
        says(talk, "/apis/apps/v1/namespaces/{ns}/daemonsets", spec, &[
            json!({
                "currentNumberScheduled": -1, "numberMisscheduled": -1, "desiredNumberScheduled": -1, "numberReady": -1, "observedGeneration": -1,
                "updatedNumberScheduled": -1, "numberAvailable": -1, "numberUnavailable": -1, "collisionCount": -1,
            }),
            json!({"numberReady": 5, "collisionCount": 1}),
            json!({"collisionCount": 0}),
        ]).await;
    }

    async fn of_jobs_that_end(talk: &mut Talk) {
        let path = "/apis/batch/v1/namespaces/{ns}/jobs";
        let (first, second) = ("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z");
        let done = conditions(&["Complete", "SuccessCriteriaMet"]);
        says(talk, path, json!({"template": pods("Never")}), &[
            json!({"active": -1, "succeeded": -1, "failed": -1, "ready": -1, "terminating": -1}),
            json!({"conditions": conditions(&["Complete"])}),
            json!({"conditions": done}),
            json!({"conditions": done, "startTime": first}),
            json!({"conditions": done, "startTime": second, "completionTime": first}),
            json!({"completionTime": first}),
            json!({"conditions": conditions(&["Failed"])}),
            json!({"conditions": conditions(&["Complete", "Failed", "SuccessCriteriaMet", "FailureTarget"]), "startTime": first, "completionTime": second}),
            json!({"active": 2, "ready": 3}),
            json!({"completedIndexes": "0", "failedIndexes": "0"}),
            json!({"uncountedTerminatedPods": {"succeeded": ["a", "a"], "failed": [""]}}),
        ]).await;
        talk.say("one after the other");
        for status in [
            json!({"startTime": first, "active": 1, "failed": 2, "succeeded": 1}),
            json!({"failed": 1, "succeeded": 0}),
            json!({"startTime": second}),
            json!({"startTime": null}),
            json!({"conditions": done, "completionTime": second, "terminating": 1}),
            json!({"active": 0, "conditions": done, "completionTime": second}),
            json!({"completionTime": first}),
            json!({"conditions": []}),
            json!({"active": 1, "uncountedTerminatedPods": {"failed": ["a"]}}),
        ] {
            talk.patch("merge", &format!("{path}/one/status"), json!({"status": status})).await;
        }
        talk.say("with indices");
        talk.prepare(path, json!({"metadata": {"name": "two", "labels": {"own": "a"}}, "spec": {
            "template": pods("Never"), "completionMode": "Indexed", "completions": 3, "parallelism": 3, "backoffLimitPerIndex": 1,
        }})).await;
        for status in [
            json!({"completedIndexes": "0-1,x"}),
            json!({"completedIndexes": "1-0"}),
            json!({"completedIndexes": "0-1-2"}),
            json!({"completedIndexes": "3"}),
            json!({"completedIndexes": "0,0"}),
            json!({"completedIndexes": "0-1", "succeeded": 2}),
            json!({"failedIndexes": "1-2"}),
            json!({"failedIndexes": "2", "succeeded": 1}),
        ] {
            talk.patch("merge", &format!("{path}/two/status"), json!({"status": status})).await;
        }
    }

    async fn of_pods(talk: &mut Talk) {
        let ended = |state: Value| json!({"containerStatuses": [{"name": "main", "ready": false, "restartCount": 0, "image": "a", "imageID": "b", "state": state}]});
        says(talk, "/api/v1/namespaces/{ns}/pods", pods("OnFailure")["spec"].clone(), &[
            json!({"podIP": "x", "podIPs": [{"ip": "x"}], "hostIP": "y", "hostIPs": [{"ip": "y"}]}),
            json!({"podIP": "1.2.3.4", "podIPs": [{"ip": "1.2.3.4"}, {"ip": "1.2.3.5"}]}),
            json!({"conditions": [{"type": "a b", "status": "True", "observedGeneration": -1}], "nominatedNodeName": "A_", "observedGeneration": -1, "qosClass": "Guaranteed"}),
            json!({"qosClass": null, "podIP": "1.2.3.4", "podIPs": [{"ip": "1.2.3.4"}, {"ip": "::1"}]}),
            ended(json!({"terminated": {"exitCode": 1}})),
            ended(json!({"running": {}})),
            ended(json!({"terminated": {"exitCode": 0}})),
            ended(json!({"running": {}})),
        ]).await;
        talk.say("addresses of two families, and two of a name");
        let ips = |field: &str, ips: &[&str]| {
            let all: Vec<Value> = ips.iter().map(|ip| json!({"ip": ip})).collect();
            json!({field: ips.first(), format!("{field}s"): all})
        };
        let of_both = |states: [Value; 2]| {
            let [one, other] = states.map(|state| ended(state)["containerStatuses"][0].clone());
            json!({"containerStatuses": [one, other]})
        };
        let (done, runs) = (json!({"terminated": {"exitCode": 0}}), json!({"running": {}}));
        talk.prepare("/api/v1/namespaces/{ns}/pods", json!({"metadata": {"name": "both"}, "spec": pods("Never")["spec"]})).await;
        for status in [
            ips("podIP", &["10.0.0.1", "x"]), ips("podIP", &["x", "10.0.0.1"]), ips("podIP", &["10.0.0.1", "fd00::1", "x"]), ips("hostIP", &["10.0.0.1", ""]), ips("podIP", &["FE80::1"]), ips("podIP", &["::ffff:1.2.3.4", "::1"]), ips("hostIP", &["1::0", "10.0.0.2"]), ips("hostIP", &["10.0.0.1", "10.0.0.2"]),
            of_both([done.clone(), runs.clone()]), of_both([runs.clone(), done.clone()]), of_both([done.clone(), done.clone()]), of_both([done.clone(), runs.clone()]), of_both([runs, done]),
        ] {
            talk.patch("merge", "/api/v1/namespaces/{ns}/pods/both/status", json!({"status": status})).await;
        }
    }

    async fn of_the_rest(talk: &mut Talk) {
        says(talk, "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets", json!({"minAvailable": 1}), &[
            json!({"disruptionsAllowed": -1, "currentHealthy": -1, "desiredHealthy": -1, "expectedPods": -1}),
            json!({"conditions": [{"type": "a b", "status": "Odd", "reason": "", "message": ""}]}),
        ]).await;
        let scaled = json!({"scaleTargetRef": {"kind": "Deployment", "name": "one", "apiVersion": "apps/v1"}, "maxReplicas": 3});
        says(talk, "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers", scaled, &[json!({"currentReplicas": -1, "desiredReplicas": -1})]).await;
        let places = json!({"loadBalancer": {"ingress": [{"ip": "x"}, {"hostname": "A_"}, {"hostname": "1.2.3.4"}]}});
        let backend = json!({"defaultBackend": {"service": {"name": "one", "port": {"number": 80}}}});
        says(talk, "/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses", backend, std::slice::from_ref(&places)).await;
        let path = "/api/v1/namespaces/{ns}/services";
        says(talk, path, json!({"ports": [{"port": 80}]}), &[places]).await;
        talk.unsaid("DELETE", &format!("{path}/one"), None).await;
        says(talk, path, json!({"ports": [{"port": 80}], "type": "LoadBalancer"}), &[
            json!({"loadBalancer": {"ingress": [{"ip": "x"}, {"ip": "1.2.3.4", "ipMode": "Odd"}, {"ipMode": "VIP"}, {"hostname": "A_"}, {"hostname": "1.2.3.4"}]}}),
        ]).await;
        says(talk, "/api/v1/namespaces/{ns}/resourcequotas", json!({"hard": {"pods": "10"}}), &[json!({"hard": {"foo": "1"}}), json!({"used": {"pods": "-1"}})]).await;
        let asked = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
        says(talk, "/api/v1/namespaces/{ns}/persistentvolumeclaims", asked, &[json!({"capacity": {"storage": "-1"}})]).await;
        talk.prepare("/api/v1/nodes", json!({"metadata": {"name": "{ns}"}})).await;
        for status in [json!({"capacity": {"cpu": "-1"}}), json!({"addresses": [{"type": "InternalIP", "address": "x"}, {"type": "InternalIP", "address": "x"}]})] {
            talk.patch("merge", "/api/v1/nodes/{ns}/status", json!({"status": status})).await;
        }
    }

    async fn one_address_is_the_first_of_several(talk: &mut Talk) {
        let pods = "/api/v1/namespaces/{ns}/pods";
        let spec = json!({"containers": [{"name": "main", "image": "registry.example.com/app:1.0"}]});
        talk.prepare(pods, json!({"metadata": {"name": "one"}, "spec": spec})).await;
        let status = format!("{pods}/one/status");
        let several = json!([{"ip": "10.0.0.3"}, {"ip": "fd00::1"}]);
        for (kind, said) in [
            ("merge", json!({"podIP": "10.0.0.1", "hostIP": "10.1.1.1"})), ("merge", json!({"podIP": "10.0.0.2"})), ("merge", json!({"podIPs": several})),
            ("merge", json!({"podIP": null, "podIPs": several})), ("strategic-merge", json!({"podIPs": [{"ip": "10.0.0.4"}]})), ("merge", json!({"podIP": null})),
            ("merge", json!({"podIP": "", "podIPs": []})), ("merge", json!({"podIPs": [{"ip": "10.0.0.5"}]})), ("merge", json!({"podIP": "x"})),
            ("merge", json!({"podIP": null, "podIPs": null})),
        ] {
            talk.patch(kind, &status, json!({"status": said})).await;
        }
        talk.post(pods, json!({"metadata": {"name": "two"}, "spec": spec, "status": {"podIP": "10.0.0.1"}})).await;
        for (name, spec) in [("a", json!({"podCIDR": "10.0.0.0/24"})), ("b", json!({"podCIDRs": ["10.0.1.0/24", "fd00::/64"]}))] {
            let node = json!({"metadata": {"name": format!("{{ns}}-{name}")}, "spec": spec});
            talk.prepare("/api/v1/nodes?fieldManager=me", node).await;
            talk.get_picked(&format!("/api/v1/nodes/{{ns}}-{name}"), &[], |node| json!([node["spec"]["podCIDR"], node["spec"]["podCIDRs"]])).await;
        }
    }

    async fn a_status_keeps_how_often_the_pods_of_a_daemon_set_were_changed(talk: &mut Talk) {
        let sets = "/apis/apps/v1/namespaces/{ns}/daemonsets";
        talk.prepare(sets, json!({"metadata": {"name": "one"}, "spec": {"selector": {"matchLabels": {"app": "one"}}, "template": pods("Always")}})).await;
        for annotations in [json!(null), json!({"deprecated.daemonset.template.generation": "7"})] {
            talk.patch("merge", &format!("{sets}/one/status?dryRun=All"), json!({"metadata": {"annotations": annotations}})).await;
        }
    }

    async fn of_what_a_pod_was_given(talk: &mut Talk) {
        let containers = json!([{"name": "main", "image": "a:1", "resources": {"requests": {"cpu": "1", "x.io/gpu": "1"}, "limits": {"x.io/gpu": "1"}, "claims": [{"name": "c", "request": "r"}, {"name": "d"}]}}]);
        let spec = json!({
            "containers": containers, "initContainers": [{"name": "first", "image": "a:1"}],
            "resourceClaims": [{"name": "c", "resourceClaimName": "one"}, {"name": "d", "resourceClaimName": "two"}],
        });
        let extended = |fields: Value| json!({"extendedResourceClaimStatus": fields});
        let mapping = |container: &str, resource: &str, request: &str| json!({"containerName": container, "resourceName": resource, "requestName": request});
        let resources = |name: &str, resources: Value| json!({"containerStatuses": [{"name": "main", "image": "a:1", "imageID": "", "ready": false, "restartCount": 0, "allocatedResourcesStatus": [{"name": name, "resources": resources}]}]});
        let user = |fields: Value| json!({"containerStatuses": [{"name": "main", "image": "a:1", "imageID": "", "ready": false, "restartCount": 0, "user": {"linux": fields}}]});
        says(talk, "/api/v1/namespaces/{ns}/pods", spec, &[
            json!({"resourceClaimStatuses": [{"name": "c"}, {"name": "other"}, {"name": "d", "resourceClaimName": "Not Fit"}]}),
            json!({"resourceClaimStatuses": [{"name": "c", "resourceClaimName": "made"}]}),
            extended(json!({})),
            extended(json!({"resourceClaimName": "A b", "requestMappings": [{}, mapping("main", "x.io/other", "r"), mapping("main", "x.io/gpu", "R"), mapping("first", "cpu", "r")]})),
            extended(json!({"resourceClaimName": "made", "requestMappings": [mapping("main", "x.io/gpu", "r"), mapping("main", "x.io/gpu", "r"), {}, {}]})),
            extended(json!({"resourceClaimName": "made", "requestMappings": [mapping("main", "x.io/gpu", "r")]})),
            resources("memory", json!([{"resourceID": "a", "health": "Ill"}, {"resourceID": "a", "health": "Healthy", "message": ""}])),
            resources("claim:c", json!([])),
            resources("claim:c/r", json!([{"resourceID": "a", "health": "Healthy", "message": "m".repeat(1025)}])),
            resources("claim:d", json!([{"resourceID": "a", "health": "Unknown", "message": "m"}])),
            resources("x.io/gpu", json!([{"resourceID": "a", "health": "Unhealthy"}])),
            json!({"ephemeralContainerStatuses": [{"name": "e", "image": "a:1", "imageID": "", "ready": false, "restartCount": 0, "allocatedResourcesStatus": [{"name": "cpu"}]}]}),
            user(json!({"uid": -1, "gid": 2147483648_i64, "supplementalGroups": [0, -1]})),
            user(json!({"uid": 0, "gid": 0})),
            json!({"nodeAllocatableResourceClaimStatuses": [{"resourceClaimName": "one"}]}),
            json!({"containerStatuses": [{"name": "main", "image": "a:1", "imageID": "", "ready": false, "restartCount": 0, "volumeMounts": [{"name": "v", "mountPath": "/v", "volumeStatus": {"image": {"imageRef": "a"}}}]}]}),
            json!({"hostIPs": [{}]}),
            json!({"hostIP": "10.1.1.1", "hostIPs": [{"ip": "010.1.1.1"}]}),
        ]).await;
    }

    async fn of_first_containers_that_have_ended(talk: &mut Talk) {
        let ended = |name: &str, code: i64| json!({"name": name, "image": "a:1", "imageID": "", "ready": false, "restartCount": 0, "state": {"terminated": {"exitCode": code}}});
        let runs = |name: &str| json!({"name": name, "image": "a:1", "imageID": "", "ready": false, "restartCount": 0, "state": {"running": {}}});
        let rules = |operator: &str| json!([{"action": "Restart", "exitCodes": {"operator": operator, "values": [7]}}]);
        let spec = json!({
            "restartPolicy": "Never",
            "containers": [
                {"name": "main", "image": "a:1"},
                {"name": "seven", "image": "a:1", "restartPolicy": "Never", "restartPolicyRules": rules("In")},
                {"name": "others", "image": "a:1", "restartPolicy": "Never", "restartPolicyRules": rules("NotIn")},
            ],
            "initContainers": [{"name": "first", "image": "a:1"}, {"name": "beside", "image": "a:1", "restartPolicy": "Always"}],
        });
        let all = |say: &dyn Fn(&str) -> Value| json!({
            "containerStatuses": [say("main"), say("seven"), say("others")], "initContainerStatuses": [say("first"), say("beside")], "ephemeralContainerStatuses": [say("late")],
        });
        says(talk, "/api/v1/namespaces/{ns}/pods", spec, &[
            all(&|name| ended(name, 7)), all(&runs), json!({"initContainerStatuses": [ended("first", 7), runs("beside")]}), all(&|name| ended(name, 1)), all(&runs),
        ]).await;
    }

    async fn of_claims_that_grow(talk: &mut Talk) {
        let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
        let states = |key: &str, state: &str| json!({"allocatedResourceStatuses": {key: state}});
        let given = |key: &str, quantity: &str| json!({"allocatedResources": {key: quantity}});
        says(talk, "/api/v1/namespaces/{ns}/persistentvolumeclaims", spec, &[
            states("storage", "Growing"), states("cpu", "NodeResizePending"), states("A b", "x"), states("x.io/y", "NodeResizeInProgress"), states("storage", "ControllerResizeInfeasible"),
            given("cpu", "1"), given("a/b/c", "1"), given("storage", "-1"), given("storage", "2Gi"), given("x.io/y", "1500m"), json!({"capacity": {"storage": "-1"}}), json!({"capacity": {"storage": "1Ei"}}),
        ]).await;
    }

    async fn of_the_features_of_a_node(talk: &mut Talk) {
        talk.prepare("/api/v1/nodes", json!({"metadata": {"name": "{ns}-node"}})).await;
        let long = "A".repeat(254);
        for features in [json!(["B", "A", "A"]), json!(["a", "A b", "A//b", "A/1"]), json!([long]), json!(["A", "A/b", "Bc1/D"])] {
            talk.patch("merge", "/api/v1/nodes/{ns}-node/status", json!({"status": {"declaredFeatures": features}})).await;
        }
    }

    async fn beside_metadata(talk: &mut Talk) {
        const PODS: &str = "/api/v1/namespaces/{ns}/pods";
        const BUDGETS: &str = "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets";
        talk.prepare(PODS, json!({"metadata": {"name": "one"}, "spec": pods("Always")["spec"]})).await;
        talk.prepare(BUDGETS, json!({"metadata": {"name": "one"}, "spec": {}})).await;
        for path in [PODS, BUDGETS] {
            for metadata in [
                json!({"generateName": "A b"}), json!({"generateName": "a/b"}), json!({"generateName": "."}), json!({"deletionGracePeriodSeconds": 5}), json!({"deletionTimestamp": "2024-01-01T00:00:00Z"}),
                json!({"selfLink": "/x", "uid": "other"}),
            ] {
                for at in ["", "/status"] {
                    talk.patch("merge", &format!("{path}/one{at}?dryRun=All"), json!({"metadata": metadata})).await;
                }
            }
        }
    }

    async fn of_another_object(talk: &mut Talk) {
        let ports = json!({"ports": [{"port": 80}]});
        let backend = json!({"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}});
        for (path, spec) in [
            ("/api/v1/namespaces/{ns}/services", ports), ("/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses", backend),
            ("/api/v1/namespaces/{ns}/replicationcontrollers", json!({"template": pods("Always")})),
        ] {
            let one = |uid: Value| json!({"metadata": {"name": "one", "uid": uid, "labels": {"a": "b"}}, "spec": spec});
            talk.prepare(path, one(json!(null))).await;
            for at in ["", "/status", "?dryRun=All"] {
                talk.put(&format!("{path}/one{at}"), one(json!("other"))).await;
            }
        }
    }

    async fn of_a_pod_that_is_bound(talk: &mut Talk) {
        const PODS: &str = "/api/v1/namespaces/{ns}/pods";
        talk.prepare(PODS, json!({"metadata": {"name": "one"}, "spec": pods("Always")["spec"]})).await;
        let binding = |metadata: Value| json!({"metadata": metadata, "target": {"kind": "Node", "name": "n"}});
        for metadata in [json!({"name": "one", "uid": "other"}), json!({"name": "one", "resourceVersion": "7"})] {
            for query in ["", "?dryRun=All"] {
                talk.post(&format!("{PODS}/one/binding{query}"), binding(metadata.clone())).await;
            }
        }
        for name in ["a/b", "a%b", "..", ""] {
            talk.post("/api/v1/namespaces/{ns}/bindings", binding(json!({"name": name}))).await;
        }
    }

    async fn of_what_shares_the_labels_of_its_pods(talk: &mut Talk) {
        for (path, spec) in [
            ("/api/v1/namespaces/{ns}/replicationcontrollers", json!({"template": pods("Always")})),
            ("/apis/batch/v1/namespaces/{ns}/jobs", json!({"template": pods("Never")})),
        ] {
            talk.prepare(path, json!({"metadata": {"name": "one"}, "spec": spec})).await;
            let one = format!("{path}/one/status");
            talk.put(&one, json!({"metadata": {"name": "one"}, "spec": spec})).await;
            talk.patch("merge", &one, json!({"metadata": {"labels": null}})).await;
            talk.patch("merge", &one, json!({"metadata": {"labels": {"c": "d"}}})).await;
        }
        talk.patch("merge", "/api/v1/namespaces/{ns}/replicationcontrollers/one", json!({"spec": {"template": null}})).await;
    }

    async fn conditions_of_budgets(talk: &mut Talk) {
        const BUDGETS: &str = "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets";
        talk.prepare(BUDGETS, json!({"metadata": {"name": "one"}})).await;
        let since = "2020-01-02T03:04:05Z";
        let long = "a".repeat(1025);
        for more in [
            json!({"reason": "- x"}), json!({"reason": "a:"}), json!({"reason": "A_,:b_"}), json!({"reason": "1"}), json!({"reason": long}), json!({"message": "a".repeat(32_769)}), json!({"observedGeneration": -1}), json!({"type": ""}),
            json!({"type": "a b", "status": "", "reason": ""}), json!({"lastTransitionTime": null}), json!({"status": "Odd"}),
        ] {
            let mut condition = json!({"type": "Ready", "status": "True", "reason": "Good", "message": "", "lastTransitionTime": since});
            extend(&mut condition, &more);
            talk.patch("merge", &format!("{BUDGETS}/one/status?dryRun=All"), json!({"status": {"conditions": [condition]}})).await;
        }
    }

    async fn errors_of_attachments(talk: &mut Talk) {
        const ATTACHMENTS: &str = "/apis/storage.k8s.io/v1/volumeattachments";
        talk.prepare(ATTACHMENTS, json!({"metadata": {"name": "{ns}"}, "spec": {"attacher": "a.b", "nodeName": "n", "source": {"persistentVolumeName": "v"}}})).await;
        for field in ["attachError", "detachError"] {
            for code in [-1, 0, 5] {
                talk.patch("merge", &format!("{ATTACHMENTS}/{{ns}}/status?dryRun=All"), json!({"status": {field: {"errorCode": code, "time": "2020-01-02T03:04:05Z"}}})).await;
            }
        }
        talk.unsaid("DELETE", &format!("{ATTACHMENTS}/{{ns}}"), None).await;
    }

    async fn conditions_that_are_said_twice(talk: &mut Talk) {
        const BUDGETS: &str = "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets";
        const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
        talk.prepare(BUDGETS, json!({"metadata": {"name": "one"}})).await;
        let condition = |more: Value| {
            let mut condition = json!({"type": "Y", "status": "True", "reason": "Good", "message": "", "lastTransitionTime": "2020-01-02T03:04:05Z"});
            extend(&mut condition, &more);
            condition
        };
        let twice = json!([condition(json!({})), condition(json!({"status": "False"}))]);
        talk.patch("merge", &format!("{BUDGETS}/one/status?dryRun=All"), json!({"status": {"conditions": twice}})).await;
        talk.prepare(POLICIES, json!({"metadata": {"name": "{ns}"}, "spec": {"matchConstraints": {"resourceRules": [{"apiGroups": ["{group}"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["none"]}]}, "validations": [{"expression": "true"}]}})).await;
        for conditions in [twice.clone(), json!([condition(json!({"type": "a b", "reason": "- x"}))]), json!([condition(json!({"status": "x", "observedGeneration": -1}))]), json!([condition(json!({}))])] {
            talk.patch("merge", &format!("{POLICIES}/{{ns}}/status?dryRun=All"), json!({"status": {"conditions": conditions}})).await;
        }
        talk.unsaid("DELETE", &format!("{POLICIES}/{{ns}}"), None).await;
    }

    async fn availability_of_services_of_apis(talk: &mut Talk) {
        const SERVICES: &str = "/apis/apiregistration.k8s.io/v1/apiservices";
        talk.prepare(SERVICES, json!({"metadata": {"name": "v1.{group}"}, "spec": {"group": "{group}", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1, "insecureSkipTLSVerify": true, "service": {"name": "a", "namespace": "{ns}"}}})).await;
        // What is taken a real server writes over by itself.
        for status in ["x", ""] {
            let conditions = json!([{"type": "Odd", "status": status, "lastTransitionTime": "2020-01-02T03:04:05Z"}]);
            talk.patch("merge", &format!("{SERVICES}/v1.{{group}}/status?dryRun=All"), json!({"status": {"conditions": conditions}})).await;
        }
        talk.unsaid("DELETE", &format!("{SERVICES}/v1.{{group}}"), None).await;
    }
}
