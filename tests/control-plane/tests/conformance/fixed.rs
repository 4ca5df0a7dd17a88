//! What of an object may change, and what is refused of a change.

use serde_json::{Value, json};

use super::support::Talk;

/// Makes an object and asks for one change after the other.
async fn changes(talk: &mut Talk, path: &str, object: Value, changes: &[Value]) {
    let name = object["metadata"]["name"].as_str().unwrap().to_owned();
    talk.prepare(path, object).await;
    change(talk, &format!("{path}/{name}"), changes).await;
}

async fn change(talk: &mut Talk, one: &str, changes: &[Value]) {
    for change in changes {
        talk.patch("strategic-merge", one, change.clone()).await;
    }
}

/// Makes a claim grow, as soon as the server has learned of its class.
async fn grown(talk: &Talk, one: &str) {
    for _ in 0..1_000 {
        let mut claim = talk.unsaid("GET", one, None).await;
        claim["spec"]["resources"]["requests"]["storage"] = "2Gi".into();
        if talk.unsaid("PUT", one, Some(claim)).await["kind"] != "Status" {
            return;
        }
    }
    panic!("{one} does not grow");
}

fn named(spec: Value) -> Value {
    json!({"metadata": {"name": "one"}, "spec": spec})
}

fn spec(spec: Value) -> Value {
    json!({"spec": spec})
}

fn template(restart: &str) -> Value {
    let containers = json!([{"name": "main", "image": "registry.example.com/app:1.0"}]);
    json!({"metadata": {"labels": {"app": "one"}}, "spec": {"containers": containers, "restartPolicy": restart}})
}

fn image(image: &str) -> Value {
    json!({"spec": {"containers": [{"name": "main", "image": image}]}})
}

conformance! {
    async fn of_a_job(talk: &mut Talk) {
        let path = "/apis/batch/v1/namespaces/{ns}/jobs";
        let mut job = named(json!({"template": template("Never"), "completions": 2}));
        job["metadata"]["labels"] = json!({"own": "a"});
        changes(talk, path, job, &[
            spec(json!({"completions": 3})),
            spec(json!({"template": image("registry.example.com/app:2.0")})),
            spec(json!({"template": {"metadata": {"labels": {"app": "two"}}}})),
            spec(json!({"completionMode": "Indexed"})),
            spec(json!({"selector": {"matchLabels": {"a": "b"}}})),
            spec(json!({"backoffLimitPerIndex": 1, "managedBy": "example.com/other"})),
            spec(json!({"podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "Lost", "status": "True"}]}]}})),
            spec(json!({"parallelism": 3, "backoffLimit": 2, "activeDeadlineSeconds": 5, "ttlSecondsAfterFinished": 5, "suspend": true})),
        ]).await;
        talk.say("where the pods of a suspended one go, and what they get");
        change(talk, &format!("{path}/one"), &[
            spec(json!({"template": {"spec": {"nodeSelector": {"disk": "fast"}, "tolerations": [{"key": "slow", "operator": "Exists"}]}}})),
            spec(json!({"template": {"spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": "1"}}}]}}})),
            spec(json!({"template": {"metadata": {"labels": {"more": "a"}}, "spec": {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}}}}}})),
            spec(json!({"template": image("registry.example.com/app:2.0")})),
            spec(json!({"suspend": false})),
            spec(json!({"template": {"spec": {"nodeSelector": {"disk": "slow"}}}})),
        ]).await;
        talk.say("as many as there are indices");
        let mut indexed = named(json!({"template": template("Never"), "completions": 2, "parallelism": 2, "completionMode": "Indexed"}));
        indexed["metadata"] = json!({"name": "two", "labels": {"own": "a"}});
        changes(talk, path, indexed, &[spec(json!({"completions": 3})), spec(json!({"completions": 3, "parallelism": 3}))]).await;
    }

    async fn of_what_makes_pods(talk: &mut Talk) {
        let apps = "/apis/apps/v1/namespaces/{ns}";
        let whole = named(json!({"selector": {"matchLabels": {"app": "one"}}, "template": template("Always")}));
        for kind in ["deployments", "daemonsets", "replicasets"] {
            changes(talk, &format!("{apps}/{kind}"), whole.clone(), &[
                spec(json!({"selector": {"matchLabels": {"more": "b"}}, "template": {"metadata": {"labels": {"more": "b"}}}})),
                spec(json!({"selector": {"matchLabels": {"more": "b"}}})),
                spec(json!({"template": {"metadata": {"labels": {"app": "two"}}}})),
                spec(json!({"selector": null})),
            ]).await;
        }
        changes(talk, &format!("{apps}/statefulsets"), whole.clone(), &[
            spec(json!({"podManagementPolicy": "Parallel"})),
            spec(json!({"selector": {"matchLabels": {"more": "b"}}, "template": {"metadata": {"labels": {"more": "b"}}}})),
            spec(json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]})),
            spec(json!({"replicas": 3, "minReadySeconds": 1, "revisionHistoryLimit": 3, "ordinals": {"start": 2}, "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}})),
        ]).await;
        let path = "/api/v1/namespaces/{ns}/replicationcontrollers";
        changes(talk, path, named(json!({"template": template("Always")})), &[
            spec(json!({"selector": {"more": "a"}})),
            spec(json!({"selector": {"app": "two"}, "template": {"metadata": {"labels": {"app": "two"}}}})),
        ]).await;
        let path = &format!("{apps}/controllerrevisions");
        let revision = json!({"metadata": {"name": "one"}, "revision": 1, "data": {"a": 1}});
        changes(talk, path, revision, &[json!({"data": {"a": 2}}), json!({"revision": 2})]).await;
    }

    async fn of_a_pod(talk: &mut Talk) {
        let path = "/api/v1/namespaces/{ns}/pods";
        let pod = json!({
            "containers": [{"name": "main", "image": "a:1", "env": [{"name": "a", "value": "b"}]}], "initContainers": [{"name": "init", "image": "b:1"}],
            "activeDeadlineSeconds": 100, "tolerations": [{"key": "a", "operator": "Exists"}],
        });
        let only = |container: Value| spec(json!({"containers": [container]}));
        changes(talk, path, named(pod), &[
            only(json!({"name": "main", "image": "a:2"})),
            only(json!({"name": "main", "env": [{"name": "a", "value": "c"}]})),
            only(json!({"name": "main", "resources": {"requests": {"cpu": "1"}}})),
            only(json!({"name": "main", "image": " a"})),
            only(json!({"name": "two", "image": "a:1"})),
            spec(json!({"initContainers": [{"name": "init", "image": "b:2"}]})),
            spec(json!({"initContainers": null})),
            spec(json!({"activeDeadlineSeconds": 200})),
            spec(json!({"activeDeadlineSeconds": 50})),
            spec(json!({"activeDeadlineSeconds": null})),
            spec(json!({"terminationGracePeriodSeconds": 5})),
            spec(json!({"tolerations": null})),
            spec(json!({"tolerations": [{"key": "a", "operator": "Exists"}, {"value": "m", "effect": "Odd"}]})),
            spec(json!({"tolerations": [{"key": "b", "operator": "Exists"}]})),
            spec(json!({"schedulingGates": [{"name": "example.com/a"}]})),
            spec(json!({"nodeSelector": {"a": "b"}, "restartPolicy": "Never", "nodeName": "here"})),
        ]).await;
        talk.say("one that waits at gates");
        let gated = json!({"containers": [{"name": "main", "image": "a:1"}], "schedulingGates": [{"name": "a"}, {"name": "b"}], "nodeSelector": {"a": "b"}});
        let mut gated = named(gated);
        gated["metadata"]["name"] = "two".into();
        let affinity = |key: &str| spec(json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": key, "operator": "Exists"}]}]}}}}));
        changes(talk, path, gated, &[
            spec(json!({"schedulingGates": [{"name": "c"}]})),
            spec(json!({"nodeSelector": {"c": "d"}})),
            spec(json!({"nodeSelector": {"a": null}})),
            affinity("a"),
            affinity("b"),
            spec(json!({"affinity": null})),
            spec(json!({"schedulingGates": [{"$patch": "delete", "name": "a"}, {"$patch": "delete", "name": "b"}]})),
            spec(json!({"nodeSelector": {"e": "f"}})),
        ]).await;
    }

    async fn of_claims_and_volumes(talk: &mut Talk) {
        let size = |size: &str| spec(json!({"resources": {"requests": {"storage": size}}}));
        let path = "/api/v1/namespaces/{ns}/persistentvolumeclaims";
        let asked = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
        changes(talk, path, named(asked), &[
            spec(json!({"accessModes": ["ReadWriteMany"]})),
            spec(json!({"storageClassName": "{ns}"})),
            spec(json!({"storageClassName": "other"})),
            spec(json!({"volumeMode": "Block"})),
            spec(json!({"volumeAttributesClassName": "fast"})),
            size("2Gi"),
            size("512Mi"),
            spec(json!({"volumeName": "one"})),
            spec(json!({"volumeName": "two"})),
        ]).await;
        talk.say("one that is bound may grow if its class says so");
        let one = &format!("{path}/one");
        talk.patch("merge", &format!("{one}/status"), json!({"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}})).await;
        change(talk, one, &[size("2Gi"), size("512Mi"), spec(json!({"accessModes": ["ReadWriteMany"]}))]).await;
        talk.prepare("/apis/storage.k8s.io/v1/storageclasses", json!({"metadata": {"name": "{ns}"}, "provisioner": "example.com/disks", "allowVolumeExpansion": true})).await;
        grown(talk, one).await;
        change(talk, one, &[size("3Gi"), size("2Gi"), size("1Gi")]).await;
        let affinity = |key: &str| spec(json!({"nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": key, "operator": "Exists"}]}]}}}));
        let volume = json!({"metadata": {"name": "{ns}"}, "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}}});
        changes(talk, "/api/v1/persistentvolumes", volume, &[
            spec(json!({"hostPath": {"path": "/y"}})),
            spec(json!({"hostPath": null, "nfs": {"server": "here", "path": "/x"}})),
            spec(json!({"volumeMode": "Block"})),
            affinity("a"),
            affinity("b"),
            spec(json!({"nodeAffinity": null})),
            spec(json!({"capacity": {"storage": "2Gi"}, "accessModes": ["ReadWriteMany"], "persistentVolumeReclaimPolicy": "Delete", "storageClassName": "other"})),
        ]).await;
    }

    async fn of_a_service(talk: &mut Talk) {
        let path = "/api/v1/namespaces/{ns}/services";
        changes(talk, path, named(json!({"ports": [{"port": 80}]})), &[
            spec(json!({"clusterIP": "10.0.0.3"})),
            spec(json!({"clusterIP": "10.0.0.3", "clusterIPs": ["10.0.0.3"]})),
            spec(json!({"clusterIP": "None"})),
            spec(json!({"clusterIP": "", "clusterIPs": null})),
        ]).await;
        let mut headless = named(json!({"ports": [{"port": 80}], "clusterIP": "None", "selector": {"a": "b"}}));
        headless["metadata"]["name"] = "two".into();
        changes(talk, path, headless, &[spec(json!({"type": "NodePort"})), spec(json!({"clusterIP": "10.0.0.3"})), spec(json!({"type": "ExternalName", "externalName": "example.com"}))]).await;
        let mut balanced = named(json!({"ports": [{"port": 80}], "type": "LoadBalancer", "loadBalancerClass": "example.com/a", "externalTrafficPolicy": "Local"}));
        balanced["metadata"]["name"] = "three".into();
        changes(talk, path, balanced, &[
            spec(json!({"loadBalancerClass": "example.com/b"})),
            spec(json!({"loadBalancerClass": null})),
            spec(json!({"healthCheckNodePort": 29999})),
            spec(json!({"type": "ClusterIP"})),
        ]).await;
    }

    async fn of_events_of_the_newer_group(talk: &mut Talk) {
        let path = "/apis/events.k8s.io/v1/namespaces/{ns}/events";
        let event = json!({
            "metadata": {"name": "one"}, "regarding": {"kind": "ConfigMap", "apiVersion": "v1", "name": "one", "namespace": "{ns}"}, "reason": "Done", "note": "it is",
            "type": "Normal", "action": "Do", "reportingController": "example.com/me", "reportingInstance": "me-1", "eventTime": "2024-01-01T00:00:00.000000Z",
        });
        changes(talk, path, event, &[
            json!({"note": "it was", "type": "Warning", "reason": "Other", "action": "Other", "reportingController": "example.com/you", "reportingInstance": "you-1"}),
            json!({"regarding": {"name": "two"}, "related": {"name": "three"}, "deprecatedCount": 2}),
            json!({"eventTime": "2024-01-01T00:00:01.000000Z"}),
            json!({"series": {"count": 1, "lastObservedTime": "2024-01-01T00:00:01.000000Z"}}),
            json!({"series": {"count": 2, "lastObservedTime": "2024-01-01T00:00:01.000000Z"}}),
        ]).await;
        talk.say("of the older group everything may change");
        let path = "/api/v1/namespaces/{ns}/events";
        let event = json!({"metadata": {"name": "two"}, "involvedObject": {"namespace": "{ns}"}, "reason": "Done", "type": "Normal"});
        changes(talk, path, event, &[json!({"message": "it is", "reason": "Other", "count": 2}), json!({"involvedObject": {"namespace": "other"}})]).await;
    }

    async fn of_other_kinds(talk: &mut Talk) {
        let networking = "/apis/networking.k8s.io/v1";
        let slice = json!({"metadata": {"name": "one"}, "addressType": "IPv4", "endpoints": []});
        changes(talk, "/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices", slice, &[json!({"addressType": "IPv6"})]).await;
        let class = json!({"metadata": {"name": "{ns}"}, "spec": {"controller": "example.com/one"}});
        changes(talk, &format!("{networking}/ingressclasses"), class, &[spec(json!({"controller": "example.com/two"}))]).await;
        let class = json!({"metadata": {"name": "{ns}"}, "value": 5});
        changes(talk, "/apis/scheduling.k8s.io/v1/priorityclasses", class, &[json!({"value": 6}), json!({"preemptionPolicy": "Never"}), json!({"description": "high"})]).await;
        let node = json!({"metadata": {"name": "{ns}"}, "spec": {"podCIDR": "10.1.0.0/24", "podCIDRs": ["10.1.0.0/24"], "providerID": "one"}});
        changes(talk, "/api/v1/nodes", node, &[
            spec(json!({"providerID": "two"})),
        ]).await;
        for range in [json!({"podCIDR": "10.2.0.0/24", "podCIDRs": ["10.2.0.0/24"]}), json!({"podCIDR": null, "podCIDRs": null})] {
            talk.patch("merge", "/api/v1/nodes/{ns}", spec(range)).await;
        }
        let roles = "/apis/rbac.authorization.k8s.io/v1";
        let binding = json!({"metadata": {"name": "one"}, "roleRef": {"kind": "Role", "name": "one", "apiGroup": "rbac.authorization.k8s.io"}});
        changes(talk, &format!("{roles}/namespaces/{{ns}}/rolebindings"), binding, &[
            json!({"roleRef": {"name": "two"}}),
            json!({"roleRef": {"kind": "Odd"}}),
            json!({"subjects": [{"kind": "User"}, {"kind": "Odd", "name": "me"}, {"kind": "ServiceAccount", "name": "Not_A_Name"}]}),
        ]).await;
        let binding = json!({"metadata": {"name": "{ns}"}, "roleRef": {"kind": "ClusterRole", "name": "view", "apiGroup": "rbac.authorization.k8s.io"}});
        changes(talk, &format!("{roles}/clusterrolebindings"), binding, &[json!({"roleRef": {"name": "edit"}}), json!({"subjects": [{"kind": "ServiceAccount", "name": "me"}]})]).await;
        talk.install(json!({"metadata": {"name": "things.{group}"}, "spec": {
            "group": "{group}", "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}],
        }})).await;
        let one = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}";
        talk.patch("merge", one, spec(json!({"names": {"kind": "Other"}}))).await;
        talk.patch("merge", one, spec(json!({"scope": "Cluster"}))).await;
    }

    async fn of_storage_and_devices(talk: &mut Talk) {
        let storage = "/apis/storage.k8s.io/v1";
        let driver = json!({"metadata": {"name": "{ns}.example.com"}, "spec": {"attachRequired": true}});
        changes(talk, &format!("{storage}/csidrivers"), driver, &[spec(json!({"attachRequired": false})), spec(json!({"volumeLifecycleModes": ["Ephemeral"]}))]).await;
        let attachment = json!({"metadata": {"name": "{ns}"}, "spec": {"attacher": "example.com", "nodeName": "one", "source": {"persistentVolumeName": "one"}}});
        changes(talk, &format!("{storage}/volumeattachments"), attachment, &[spec(json!({"nodeName": "two"}))]).await;
        let capacity = json!({"metadata": {"name": "one"}, "storageClassName": "a", "capacity": "1Gi"});
        changes(talk, &format!("{storage}/namespaces/{{ns}}/csistoragecapacities"), capacity, &[
            json!({"storageClassName": "b", "nodeTopology": {"matchLabels": {"a": "b"}}}),
            json!({"capacity": "2Gi"}),
        ]).await;
        let devices = "/apis/resource.k8s.io/v1";
        let request = |name: &str| json!({"devices": {"requests": [{"name": name, "exactly": {"deviceClassName": "example.com"}}]}});
        changes(talk, &format!("{devices}/namespaces/{{ns}}/resourceclaims"), named(request("a")), &[spec(request("b"))]).await;
        changes(talk, &format!("{devices}/namespaces/{{ns}}/resourceclaimtemplates"), named(json!({"spec": request("a")})), &[spec(json!({"spec": request("b")}))]).await;
        let slice = json!({"metadata": {"name": "{ns}"}, "spec": {"driver": "example.com", "nodeName": "one", "pool": {"name": "one", "generation": 1, "resourceSliceCount": 1}}});
        changes(talk, &format!("{devices}/resourceslices"), slice, &[
            spec(json!({"driver": "other.example.com", "nodeName": "two", "pool": {"name": "two"}})),
            spec(json!({"pool": {"generation": 2}})),
        ]).await;
    }

    async fn of_events_that_are_cleared(talk: &mut Talk) {
        let path = "/apis/events.k8s.io/v1/namespaces/{ns}/events";
        let about = json!({"kind": "Pod", "name": "one", "namespace": "{ns}"});
        let event = json!({
            "metadata": {"name": "one"}, "eventTime": "2020-01-01T00:00:00.000000Z", "reportingController": "example.com/one", "reportingInstance": "one",
            "action": "Act", "reason": "Why", "type": "Normal", "note": "a note", "regarding": about, "related": about,
        });
        let said = ["reportingController", "reportingInstance", "action", "reason", "type", "note"];
        let mut gone: Vec<Value> = said.iter().flat_map(|field| [json!({*field: null}), json!({*field: ""})]).collect();
        gone.extend([json!({"related": null}), json!({"regarding": null}), json!({"eventTime": null})]);
        talk.prepare(path, event).await;
        for gone in gone {
            talk.patch("merge", &format!("{path}/one"), gone).await;
        }
        talk.say("one of the older group");
        let older = json!({
            "metadata": {"name": "two"}, "involvedObject": about, "reason": "Why", "message": "a note", "type": "Odd", "count": 2, "source": {"component": "one"},
            "firstTimestamp": "2020-01-01T00:00:00Z", "lastTimestamp": "2020-01-01T00:00:00Z",
        });
        talk.prepare("/api/v1/namespaces/{ns}/events", older).await;
        for field in ["reason", "note", "type", "deprecatedFirstTimestamp", "deprecatedLastTimestamp", "deprecatedCount", "deprecatedSource"] {
            talk.patch("merge", &format!("{path}/two"), json!({field: null})).await;
        }
    }

    async fn what_may_not_change_is_told_first(talk: &mut Talk) {
        let (maps, secrets) = ("/api/v1/namespaces/{ns}/configmaps", "/api/v1/namespaces/{ns}/secrets");
        talk.prepare(maps, json!({"metadata": {"name": "one"}, "immutable": true})).await;
        talk.prepare(secrets, json!({"metadata": {"name": "one"}, "immutable": true})).await;
        talk.patch("merge", &format!("{maps}/one"), json!({"immutable": false, "data": {"a b": "c"}})).await;
        talk.patch("merge", &format!("{secrets}/one"), json!({"immutable": false, "type": "kubernetes.io/tls", "data": {"a b": "Yw=="}})).await;
    }
}
