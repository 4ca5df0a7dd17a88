//! What is asked of kinds that few write themselves, and of parts of others that few say.

use serde_json::{Value, json};

use super::support::Talk;

const PODS: &str = "/api/v1/namespaces/{ns}/pods";
const CLAIMS: &str = "/api/v1/namespaces/{ns}/persistentvolumeclaims";
const BUDGETS: &str = "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets";
const JOBS: &str = "/apis/batch/v1/namespaces/{ns}/jobs";
const EVENTS: &str = "/apis/events.k8s.io/v1/namespaces/{ns}/events";
const REVISIONS: &str = "/apis/apps/v1/namespaces/{ns}/controllerrevisions";
const DRIVERS: &str = "/apis/storage.k8s.io/v1/csidrivers";
const NODES: &str = "/apis/storage.k8s.io/v1/csinodes";
const LEVELS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations";
const FLOWS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas";
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const SLICES: &str = "/apis/resource.k8s.io/v1/resourceslices";

fn pod(resources: &Value, containers: &[Value]) -> Value {
    let each = containers.iter().enumerate();
    let containers: Vec<Value> = each
        .map(|(index, resources)| json!({"name": format!("c{index}"), "image": "a:1", "resources": resources}))
        .collect();
    json!({"metadata": {"name": "one"}, "spec": {"resources": resources, "containers": containers}})
}

fn job(name: &str, more: Value) -> Value {
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "a:1"}]}});
    let mut job = json!({"metadata": {"name": name}, "spec": {"template": template}});
    if let (Some(spec), Some(more)) = (job["spec"].as_object_mut(), more.as_object()) {
        spec.extend(more.clone());
    }
    job
}

fn claim(name: &str, more: Value) -> Value {
    let mut claim = json!({"metadata": {"name": name}, "spec": {
        "accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1Gi"}},
    }});
    if let (Some(spec), Some(more)) = (claim["spec"].as_object_mut(), more.as_object()) {
        spec.extend(more.clone());
    }
    claim
}

fn event(name: &str, more: Value) -> Value {
    let mut event = json!({
        "metadata": {"name": name}, "regarding": {"namespace": "{ns}", "name": "a"}, "type": "Normal", "reason": "A", "action": "B",
        "eventTime": "2020-01-01T00:00:00.000000Z", "reportingController": "example.com/a", "reportingInstance": "a",
    });
    if let (Some(event), Some(more)) = (event.as_object_mut(), more.as_object()) {
        event.extend(more.clone());
    }
    event
}

fn spec(spec: &Value) -> Value {
    json!({"metadata": {"name": "{ns}"}, "spec": spec})
}

conformance! {
    async fn pods_ask_for_little_as_a_whole(talk: &mut Talk) {
        let path = &format!("{PODS}?dryRun=All");
        let none = json!({});
        for (of_pod, of_containers) in [
            (json!({"requests": {"storage": "2"}}), vec![none.clone()]),
            (json!({"limits": {"ephemeral-storage": "2Gi"}}), vec![none.clone()]),
            (json!({"limits": {"odd": "2"}}), vec![none.clone()]),
            (json!({"limits": {"a b": "2"}}), vec![none.clone()]),
            (json!({"limits": {"example.com/a": "2"}, "requests": {"example.com/a": "2"}}), vec![none.clone()]),
            (json!({"requests": {"cpu": "-1"}}), vec![none.clone()]),
            (json!({"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}), vec![none.clone()]),
            (json!({"requests": {"hugepages-2Mi": "2Mi"}}), vec![none.clone()]),
            (json!({"limits": {"hugepages-2Mi": "2Mi"}}), vec![none.clone()]),
            (json!({"limits": {"hugepages-2Mi": "2Mi", "cpu": "1"}}), vec![none.clone()]),
            (json!({"requests": {"cpu": "1"}}), vec![json!({"requests": {"cpu": "600m"}}), json!({"requests": {"cpu": "500m"}})]),
            (json!({"limits": {"memory": "1Gi"}}), vec![json!({"limits": {"memory": "2Gi"}}), json!({"limits": {"memory": "1Gi"}}), json!({"limits": {"memory": "1025Mi"}})]),
            (json!({"limits": {"cpu": "1", "hugepages-2Mi": "2Mi"}}), vec![json!({"limits": {"cpu": "1", "hugepages-2Mi": "4Mi"}})]),
            (json!({"requests": {"cpu": "1"}, "claims": [{"name": "a"}]}), vec![none.clone()]),
            (none.clone(), vec![none.clone()]),
        ] {
            talk.post(path, pod(&of_pod, &of_containers)).await;
        }
        let alone = [none];
        let mut windows = pod(&json!({"requests": {"storage": "2"}}), &alone);
        windows["spec"]["os"] = json!({"name": "windows"});
        talk.post(path, windows).await;
        let mut begun = pod(&json!({"requests": {"cpu": "1"}}), &alone);
        begun["spec"]["initContainers"] = json!([{"name": "first", "image": "a:1", "resources": {"requests": {"cpu": "2"}}}]);
        talk.post(path, begun).await;
        let template = pod(&json!({"requests": {"storage": "2"}}), &alone);
        talk.post("/api/v1/namespaces/{ns}/podtemplates?dryRun=All", json!({"metadata": {"name": "one"}, "template": {"spec": template["spec"]}})).await;
        talk.prepare(PODS, pod(&json!({"requests": {"cpu": "1"}}), &alone)).await;
        talk.patch("merge", &format!("{PODS}/one"), json!({"spec": {"resources": {"requests": {"storage": "2"}}}})).await;
    }

    async fn claims_are_fixed_down_to_nothing(talk: &mut Talk) {
        talk.prepare(CLAIMS, claim("one", json!({}))).await;
        let path = &format!("{CLAIMS}/one?dryRun=All");
        for change in [
            json!({"selector": {}}), json!({"selector": {"matchLabels": {}}}), json!({"selector": null}), json!({"dataSource": null}),
            json!({"resources": {"limits": {}}}), json!({"volumeAttributesClassName": ""}), json!({"volumeName": "a"}), json!({"dataSourceRef": null}),
        ] {
            talk.patch("merge", path, json!({"spec": change})).await;
        }
        talk.prepare(CLAIMS, claim("other", json!({"selector": {}}))).await;
        let path = &format!("{CLAIMS}/other?dryRun=All");
        for change in [json!({"selector": null}), json!({"selector": {"matchLabels": {}}}), json!({"selector": {"matchExpressions": []}})] {
            talk.patch("merge", path, json!({"spec": change})).await;
        }
    }

    async fn budgets_are_called_anything(talk: &mut Talk) {
        for metadata in [
            json!({"name": "Bad_Name"}), json!({"name": "a/b"}), json!({"name": "a%b"}), json!({"name": ".."}), json!({}), json!({"generateName": "A_"}),
            json!({"name": "A_b", "labels": {"-": "a"}}), json!({"name": "A_b", "finalizers": ["bad"]}), json!({"name": "a/b", "generateName": "c/d"}),
        ] {
            talk.post(&format!("{BUDGETS}?dryRun=All"), json!({"metadata": metadata})).await;
        }
        talk.say("and what they say is looked at first");
        talk.post(BUDGETS, json!({"metadata": {"name": "a/b", "labels": {"-": "a"}}, "spec": {"minAvailable": -1}})).await;
        talk.prepare(BUDGETS, json!({"metadata": {"name": "Bad_Name"}})).await;
        let path = &format!("{BUDGETS}/Bad_Name?dryRun=All");
        talk.patch("merge", path, json!({"spec": {"minAvailable": 1}})).await;
        talk.patch("merge", path, json!({"metadata": {"labels": {"-": "a"}}, "spec": {"minAvailable": -1}})).await;
    }

    async fn jobs_say_what_is_a_failure(talk: &mut Talk) {
        let path = &format!("{JOBS}?dryRun=All");
        let conditions = json!([{"type": "A", "status": "True"}]);
        let codes = |codes: Value| json!({"action": "Ignore", "onExitCodes": codes});
        let rule = json!({"action": "Ignore", "onPodConditions": conditions});
        let many: Vec<i32> = (1..257).collect();
        for rules in [
            json!([{"action": "x"}]), json!([{}]), json!([{"action": ""}]), json!([{"action": "FailIndex", "onPodConditions": conditions}]),
            json!([{"action": "Count", "onPodConditions": conditions, "onExitCodes": {"operator": "In", "values": [1]}}]),
            json!([{"action": "Ignore", "onPodConditions": []}]), json!([{"action": "Ignore", "onPodConditions": [{"type": "a b", "status": "x"}, {"type": "A", "status": ""}, {"type": "", "status": "True"}, {"type": "B"}]}]),
            json!([codes(json!({"operator": "x", "values": [1]}))]), json!([codes(json!({"operator": "", "values": []}))]),
            json!([codes(json!({"operator": "In", "values": [0, 1, 1]}))]), json!([codes(json!({"operator": "NotIn", "values": [0, 3, 2]}))]),
            json!([codes(json!({"operator": "In", "values": [1], "containerName": "other"}))]), json!([codes(json!({"operator": "In", "values": many, "containerName": "main"}))]),
            json!(vec![rule.clone(); 21]), json!([{"action": "Ignore", "onPodConditions": vec![conditions[0].clone(); 21]}]),
            json!([rule, codes(json!({"operator": "In", "values": [1, 2], "containerName": "main"}))]), json!([]),
        ] {
            talk.post(path, job("one", json!({"podFailurePolicy": {"rules": rules}}))).await;
        }
        talk.prepare(JOBS, job("one", json!({}))).await;
        talk.patch("merge", &format!("{JOBS}/one"), json!({"spec": {"podFailurePolicy": {"rules": [{"action": "x"}]}}})).await;
        let template = job("one", json!({"podFailurePolicy": {"rules": [{"action": "x"}]}}));
        let cron = json!({"metadata": {"name": "one"}, "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": template["spec"]}}});
        talk.post("/apis/batch/v1/namespaces/{ns}/cronjobs?dryRun=All", cron).await;
        let template = job("one", json!({"podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "A"}]}]}}));
        let cron = json!({"metadata": {"name": "one"}, "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": template["spec"]}}});
        talk.post("/apis/batch/v1/namespaces/{ns}/cronjobs?dryRun=All", cron).await;
    }

    async fn jobs_say_what_is_a_success(talk: &mut Talk) {
        let path = &format!("{JOBS}?dryRun=All");
        for policy in [
            json!({}), json!({"rules": []}), json!({"rules": [{}]}), json!({"rules": [{"succeededCount": -1}]}), json!({"rules": [{"succeededCount": 6}]}),
            json!({"rules": [{"succeededIndexes": "0-2,4", "succeededCount": 5}]}), json!({"rules": [{"succeededIndexes": "0-1-2"}]}),
            json!({"rules": [{"succeededIndexes": "a"}, {"succeededIndexes": "0-b"}, {"succeededIndexes": "5"}, {"succeededIndexes": "0-5"}]}),
            json!({"rules": [{"succeededIndexes": "3-1"}, {"succeededIndexes": "2,1"}, {"succeededIndexes": ""}, {"succeededIndexes": "0,"}]}),
            json!({"rules": vec![json!({"succeededCount": 1}); 21]}), json!({"rules": [{"succeededIndexes": "0-2,4", "succeededCount": 4}]}),
        ] {
            talk.post(path, job("one", json!({"completionMode": "Indexed", "completions": 5, "parallelism": 1, "successPolicy": policy}))).await;
        }
        talk.post(path, job("one", json!({"successPolicy": {"rules": [{}]}}))).await;
        for owner in ["a", "example.com/a", "a b/c", "example.com/", "A.com/b", "example.com/a b"] {
            talk.post(path, job("one", json!({"managedBy": owner}))).await;
        }
        talk.post(path, job("one", json!({"managedBy": format!("example.com/{}", "a".repeat(60))}))).await;
        for spec in [
            json!({"completions": 100_001, "parallelism": 10_001, "backoffLimitPerIndex": 1}),
            json!({"completions": 100_001, "parallelism": 1, "backoffLimitPerIndex": 1, "maxFailedIndexes": 10_001}),
        ] {
            let mut job = job("one", spec);
            job["spec"]["completionMode"] = "Indexed".into();
            talk.post(path, job).await;
        }
    }

    async fn jobs_are_no_others(talk: &mut Talk) {
        talk.prepare(JOBS, job("one", json!({}))).await;
        talk.patch("merge", &format!("{JOBS}/one"), json!({"metadata": {"uid": "zz"}})).await;
    }

    async fn levels_are_of_two_types(talk: &mut Talk) {
        let path = &format!("{LEVELS}?dryRun=All");
        let reject = json!({"type": "Reject"});
        let queuing = |queuing: Value| json!({"type": "Limited", "limited": {"limitResponse": {"type": "Queue", "queuing": queuing}}});
        for level in [
            json!({}), json!({"type": ""}), json!({"type": "x"}), json!({"type": "Exempt"}), json!({"type": "Exempt", "limited": {}}), json!({"type": "x", "limited": {}, "exempt": {}}),
            json!({"type": "Exempt", "exempt": {"nominalConcurrencyShares": -1, "lendablePercent": 101}}), json!({"type": "Exempt", "exempt": {"lendablePercent": -1}}),
            json!({"type": "Limited"}), json!({"type": "Limited", "limited": {}}), json!({"type": "Limited", "limited": {"limitResponse": {"type": ""}}}),
            json!({"type": "Limited", "exempt": {}}), json!({"type": "Limited", "exempt": {"lendablePercent": -1}, "limited": {"limitResponse": reject}}),
            json!({"type": "Limited", "limited": {"limitResponse": {"type": "x"}}}), json!({"type": "Limited", "limited": {"limitResponse": {"type": "Reject", "queuing": {}}}}),
            json!({"type": "Limited", "limited": {"limitResponse": {"type": "Queue"}}}),
            json!({"type": "Limited", "limited": {"nominalConcurrencyShares": -1, "lendablePercent": 101, "borrowingLimitPercent": -1, "limitResponse": reject}}),
            json!({"type": "Limited", "limited": {"nominalConcurrencyShares": 0, "lendablePercent": -1, "borrowingLimitPercent": 0, "limitResponse": {"type": "x"}}}),
            queuing(json!({"queues": -1, "handSize": -1, "queueLengthLimit": -1})), queuing(json!({"queues": 10_000_001, "handSize": 1})),
            queuing(json!({"queues": 4, "handSize": 5})), queuing(json!({"queues": 1024, "handSize": 7})), queuing(json!({"queues": 1024, "handSize": 6})), queuing(json!({"queues": 0, "handSize": 0})),
        ] {
            talk.post(path, spec(&level)).await;
        }
        talk.prepare(LEVELS, spec(&json!({"type": "Limited", "limited": {"limitResponse": reject}}))).await;
        talk.patch("merge", &format!("{LEVELS}/{{ns}}"), json!({"spec": {"type": "Exempt"}})).await;
        talk.patch("merge", &format!("{LEVELS}/{{ns}}"), json!({"spec": {"limited": {"nominalConcurrencyShares": -1}}})).await;
        let twice = json!([{"type": "A", "status": "True"}, {"type": "A", "status": "True"}, {"status": "True"}]);
        talk.patch("merge", &format!("{LEVELS}/{{ns}}/status"), json!({"status": {"conditions": twice}})).await;
        talk.delete(&format!("{LEVELS}/{{ns}}")).await;
    }

    async fn flows_say_whose_they_are(talk: &mut Talk) {
        let path = &format!("{FLOWS}?dryRun=All");
        let level = json!({"name": "global-default"});
        for mut flow in [
            json!({"distinguisherMethod": {"type": "x"}}), json!({"matchingPrecedence": -1, "distinguisherMethod": {"type": "x"}}), json!({"matchingPrecedence": 10_001, "distinguisherMethod": {}}),
            json!({"matchingPrecedence": 1}), json!({"priorityLevelConfiguration": {"name": "A_b"}}), json!({"priorityLevelConfiguration": {}}), json!({"distinguisherMethod": {"type": "ByUser"}}),
        ] {
            if flow["priorityLevelConfiguration"].is_null() {
                flow["priorityLevelConfiguration"] = level.clone();
            }
            talk.post(path, spec(&flow)).await;
        }
        let flow = |rules: Value| spec(&json!({"priorityLevelConfiguration": level, "rules": rules}));
        let all = json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"]});
        let paths = json!({"verbs": ["get"], "nonResourceURLs": ["/"]});
        let group = json!({"kind": "Group", "group": {"name": "a"}});
        talk.post(path, flow(json!([{}]))).await;
        talk.post(path, flow(json!([{"subjects": [group]}, {"resourceRules": [all]}]))).await;
        let (user, account) = (json!({"name": "a"}), json!({"name": "a", "namespace": "b"}));
        for subject in [
            json!({"kind": "User"}), json!({"kind": "Group"}), json!({"kind": "ServiceAccount"}), json!({"kind": "x"}), json!({"kind": ""}), json!({"kind": "User", "user": {}}), json!({"kind": "Group", "group": {}}),
            json!({"kind": "ServiceAccount", "serviceAccount": {}}), json!({"kind": "ServiceAccount", "serviceAccount": {"name": "A_b", "namespace": "A_b"}}), json!({"kind": "ServiceAccount", "serviceAccount": {"name": "*", "namespace": "a.b"}}),
            json!({"kind": "User", "user": user, "group": user, "serviceAccount": account}), json!({"kind": "Group", "user": user, "group": user, "serviceAccount": account}),
            json!({"kind": "ServiceAccount", "user": user, "group": user, "serviceAccount": account}), json!({"kind": "x", "user": user, "group": user, "serviceAccount": account}),
        ] {
            talk.post(path, flow(json!([{"subjects": [subject], "resourceRules": [all]}]))).await;
        }
        for rule in [
            json!({}), json!({"verbs": ["x"]}), json!({"verbs": ["get", "x", "y"], "apiGroups": ["a", "*"], "resources": ["*", "a"], "namespaces": ["*", "a"]}), json!({"verbs": ["*", "x"], "clusterScope": true}),
            json!({"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "namespaces": ["a", "A_b", "a.b", ""]}), json!({"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}),
            json!({"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "clusterScope": true}),
        ] {
            talk.post(path, flow(json!([{"subjects": [group], "resourceRules": [rule]}]))).await;
        }
        for rule in [
            json!({}), json!({"verbs": ["x"], "nonResourceURLs": ["*", "/a"]}), json!({"verbs": ["*", "get"], "nonResourceURLs": ["", "a", "/a b", "/a//b", "/*/a", "/a/*/*", "/a*", "/a/*", "/"]}),
            json!({"verbs": ["get"], "nonResourceURLs": ["*"]}),
        ] {
            talk.post(path, flow(json!([{"subjects": [group], "nonResourceRules": [rule]}]))).await;
        }
        talk.prepare(FLOWS, flow(json!([{"subjects": [group], "nonResourceRules": [paths]}]))).await;
        talk.patch("merge", &format!("{FLOWS}/{{ns}}"), json!({"spec": {"matchingPrecedence": 1, "distinguisherMethod": {"type": "x"}, "rules": [{}]}})).await;
        let twice = json!([{"type": "A", "status": "True"}, {"type": "A", "status": "True"}, {"status": "True"}]);
        talk.patch("merge", &format!("{FLOWS}/{{ns}}/status"), json!({"status": {"conditions": twice}})).await;
        talk.delete(&format!("{FLOWS}/{{ns}}")).await;
    }

    async fn drivers_say_what_they_can(talk: &mut Talk) {
        let path = &format!("{DRIVERS}?dryRun=All");
        for driver in [
            json!({"fsGroupPolicy": "x"}), json!({"fsGroupPolicy": ""}), json!({"fsGroupPolicy": "File", "volumeLifecycleModes": ["x", "Ephemeral", "y"]}),
            json!({"tokenRequests": [{"audience": "a", "expirationSeconds": 599}, {"audience": "a", "expirationSeconds": 1}, {"audience": "b", "expirationSeconds": 4_294_967_297_i64}, {"audience": ""}]}),
            json!({"nodeAllocatableUpdatePeriodSeconds": 9}), json!({"serviceAccountTokenInSecrets": false}), json!({"serviceAccountTokenInSecrets": true, "tokenRequests": [{"audience": "a"}]}),
            json!({"fsGroupPolicy": "x", "tokenRequests": [{"audience": ""}, {"audience": ""}], "volumeLifecycleModes": ["x"], "nodeAllocatableUpdatePeriodSeconds": -1}),
        ] {
            talk.post(path, spec(&driver)).await;
        }
        talk.prepare(DRIVERS, spec(&json!({}))).await;
        for driver in [json!({"fsGroupPolicy": "x"}), json!({"attachRequired": false, "volumeLifecycleModes": ["x"], "nodeAllocatableUpdatePeriodSeconds": 1})] {
            talk.patch("merge", &format!("{DRIVERS}/{{ns}}?dryRun=All"), json!({"spec": driver})).await;
        }
        talk.delete(&format!("{DRIVERS}/{{ns}}")).await;
    }

    async fn nodes_say_which_drivers_they_have(talk: &mut Talk) {
        let path = &format!("{NODES}?dryRun=All");
        let driver = |name: &str, more: Value| {
            let mut driver = json!({"name": name, "nodeID": "a", "topologyKeys": null});
            if let (Some(driver), Some(more)) = (driver.as_object_mut(), more.as_object()) {
                driver.extend(more.clone());
            }
            driver
        };
        for drivers in [
            json!([driver("a", json!({"allocatable": {"count": -1}}))]), json!([driver("a", json!({"allocatable": {"count": 0}}))]), json!([driver("a", json!({"allocatable": {}}))]),
            json!([driver("", json!({"nodeID": ""}))]), json!([driver("a_b", json!({})), driver("A.b", json!({})), driver("a.b", json!({})), driver("A.b", json!({}))]),
            json!([driver(&"a".repeat(64), json!({"nodeID": "a".repeat(257)}))]), json!([driver("a", json!({"topologyKeys": ["", "a b", "c", "c", "example.com/d"]}))]), json!([]),
        ] {
            talk.post(path, spec(&json!({"drivers": drivers}))).await;
        }
        talk.prepare(NODES, spec(&json!({"drivers": [driver("a", json!({"allocatable": {"count": 1}}))]}))).await;
        let path = &format!("{NODES}/{{ns}}?dryRun=All");
        for driver in [
            driver("a", json!({"allocatable": {"count": 2}})), driver("a", json!({"allocatable": {"count": -2}})), driver("a", json!({"nodeID": "b"})), driver("a", json!({"topologyKeys": ["a"]})),
            driver("b", json!({"nodeID": ""})),
        ] {
            talk.patch("merge", path, json!({"spec": {"drivers": [driver]}})).await;
        }
        talk.delete(&format!("{NODES}/{{ns}}")).await;
    }

    async fn revisions_count_up_from_nothing(talk: &mut Talk) {
        for revision in [json!({"data": {"a": 1}, "revision": -1}), json!({"data": {"a": 1}, "revision": 0}), json!({"data": null, "revision": -1}), json!({"data": [], "revision": -1})] {
            let mut revision = revision;
            revision["metadata"] = json!({"name": "one"});
            talk.post(&format!("{REVISIONS}?dryRun=All"), revision).await;
        }
        talk.prepare(REVISIONS, json!({"metadata": {"name": "one"}, "data": {"a": 1}, "revision": 1})).await;
        for change in [json!({"revision": -1}), json!({"revision": -1, "data": {"a": 2}}), json!({"revision": 0})] {
            talk.patch("merge", &format!("{REVISIONS}/one?dryRun=All"), change).await;
        }
    }

    async fn events_of_the_newer_group_are_strict(talk: &mut Talk) {
        let path = &format!("{EVENTS}?dryRun=All");
        talk.post(path, event("one", json!({"metadata": {"name": "one", "finalizers": ["bad"]}}))).await;
        talk.post(path, event("one", json!({"metadata": {"name": "one", "finalizers": ["bad", "a b", "orphan", "example.com/a"]}, "type": "x"}))).await;
        let old = json!({
            "deprecatedFirstTimestamp": "2020-01-01T00:00:00Z", "deprecatedLastTimestamp": "2020-01-01T00:00:00Z", "deprecatedCount": 1, "deprecatedSource": {"host": "a"},
        });
        talk.post(path, event("one", old)).await;
        talk.post(path, event("one", json!({"deprecatedSource": {"component": "a"}, "deprecatedCount": -1, "type": "x"}))).await;
        talk.prepare(EVENTS, event("one", json!({}))).await;
        let bad = json!({"metadata": {"finalizers": ["bad"]}});
        talk.patch("merge", &format!("{EVENTS}/one?dryRun=All"), bad).await;
        let mut core = json!({"involvedObject": {"namespace": "{ns}", "name": "a"}});
        core["metadata"] = json!({"name": "other", "finalizers": ["bad"]});
        talk.post("/api/v1/namespaces/{ns}/events?dryRun=All", core).await;
    }

    async fn definitions_are_given_no_name(talk: &mut Talk) {
        talk.post(&format!("{DEFINITIONS}?dryRun=All"), json!({"metadata": {"name": "junk", "generateName": "j-"}})).await;
        let names = json!({"plural": "boxes", "singular": "box", "kind": "Box", "listKind": "BoxList"});
        let version = json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}});
        let definition = json!({"metadata": {"name": "boxes.{group}", "generateName": "boxes"}, "spec": {"group": "{group}", "scope": "Cluster", "names": names, "versions": [version]}});
        talk.post(&format!("{DEFINITIONS}?dryRun=All"), definition).await;
    }

    async fn slices_are_somewhere(talk: &mut Talk) {
        let slice = |place: Value| {
            let mut slice = json!({"driver": "example.com", "pool": {"name": "a", "resourceSliceCount": 1}});
            if let (Some(slice), Some(place)) = (slice.as_object_mut(), place.as_object()) {
                slice.extend(place.clone());
            }
            spec(&slice)
        };
        for place in [json!({"nodeName": ""}), json!({"nodeName": "", "allNodes": true}), json!({"nodeName": null})] {
            talk.post(&format!("{SLICES}?dryRun=All"), slice(place)).await;
        }
    }
}
