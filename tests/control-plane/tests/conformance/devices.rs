//! Claims of devices, their classes, and what drivers offer.

use serde_json::{Value, json};

use super::support::{Talk, extend, with};

const CLAIMS: &str = "/apis/resource.k8s.io/v1/namespaces/{ns}/resourceclaims";
const TEMPLATES: &str = "/apis/resource.k8s.io/v1/namespaces/{ns}/resourceclaimtemplates";
const CLASSES: &str = "/apis/resource.k8s.io/v1/deviceclasses";
const SLICES: &str = "/apis/resource.k8s.io/v1/resourceslices";

async fn try_each(talk: &mut Talk, path: &str, specs: impl IntoIterator<Item = Value>) {
    for spec in specs {
        let object = json!({"metadata": {"name": "{ns}-one"}, "spec": spec});
        talk.post(&format!("{path}?dryRun=All"), object).await;
    }
}

fn wanted(more: Value) -> Value {
    let mut wanted = json!({"deviceClassName": "a.class"});
    if let (Some(wanted), Some(more)) = (wanted.as_object_mut(), more.as_object()) {
        wanted.extend(more.clone());
    }
    wanted
}

fn exactly(more: Value) -> Value {
    json!({"devices": {"requests": [{"name": "r", "exactly": wanted(more)}]}})
}

fn asking(field: &str, more: Value) -> Value {
    let mut spec = exactly(json!({}));
    spec["devices"][field] = json!([more]);
    spec
}

fn slice(more: Value) -> Value {
    with(
        json!({"driver": "a.driver", "nodeName": "n", "pool": {"name": "p", "resourceSliceCount": 1}}),
        more,
    )
}

fn device(more: Value) -> Value {
    let mut device = json!({"name": "d"});
    if let (Some(device), Some(more)) = (device.as_object_mut(), more.as_object()) {
        device.extend(more.clone());
    }
    slice(json!({"devices": [device]}))
}

conformance! {
    async fn claims_of_devices(talk: &mut Talk) {
        let many = |count: usize| -> Vec<Value> {
            (0..count).map(|number| json!({"name": format!("r{number}"), "exactly": wanted(json!({}))})).collect()
        };
        let choices = |count: usize| -> Vec<Value> {
            (0..count).map(|number| json!({"name": format!("s{number}"), "deviceClassName": "a"})).collect()
        };
        let of = |requests: Value| json!({"devices": {"requests": requests}});
        try_each(talk, CLAIMS, [
            json!({}), of(json!([])), of(json!([{}])), of(json!([{"name": "r"}])), exactly(json!({})), of(json!([{"name": "A b", "exactly": wanted(json!({}))}])),
            of(json!([{"name": "r", "exactly": {}}])), of(json!([{"name": "r", "exactly": wanted(json!({}))}, {"name": "r", "exactly": wanted(json!({}))}])),
            exactly(json!({"deviceClassName": "A_b"})), exactly(json!({"allocationMode": "Odd"})), exactly(json!({"allocationMode": "All"})), exactly(json!({"allocationMode": "All", "count": 2})),
            exactly(json!({"count": -1})), exactly(json!({"count": 0})), exactly(json!({"count": 5})), exactly(json!({"selectors": [{}]})), exactly(json!({"selectors": [{"cel": {"expression": "true"}}]})),
            exactly(json!({"tolerations": [{"key": "a", "operator": "Odd"}]})), exactly(json!({"tolerations": [{"key": "a", "value": "b", "operator": "Exists"}]})),
            exactly(json!({"tolerations": [{"key": "a b", "effect": "Odd"}]})), exactly(json!({"tolerations": [{"key": "a", "value": "b c"}, {}]})), exactly(json!({"tolerations": [{"operator": "Exists", "effect": "NoSchedule"}]})),
            of(json!([{"name": "r", "firstAvailable": []}])), of(json!([{"name": "r", "firstAvailable": choices(2)}])), of(json!([{"name": "r", "firstAvailable": [{"name": "s"}]}])),
            of(json!([{"name": "r", "firstAvailable": [{"name": "s", "deviceClassName": "a"}, {"name": "s", "deviceClassName": "b"}]}])),
            of(json!([{"name": "r", "firstAvailable": choices(1), "exactly": wanted(json!({}))}])), of(json!([{"name": "r", "firstAvailable": choices(9)}])),
            of(json!(many(33))), of(json!(many(32))),
        ]).await;
        talk.say("constraints and configurations");
        try_each(talk, CLAIMS, [
            asking("constraints", json!({})), asking("constraints", json!({"requests": ["r"], "matchAttribute": "a/b"})), asking("constraints", json!({"requests": ["x"], "matchAttribute": "a/b"})),
            asking("constraints", json!({"requests": ["r", "r"], "matchAttribute": "a"})), asking("constraints", json!({"matchAttribute": "a.b/c d"})), asking("constraints", json!({"matchAttribute": ""})),
            asking("constraints", json!({"matchAttribute": "/"})), asking("constraints", json!({"distinctAttribute": "a/b"})), asking("constraints", json!({"requests": ["r/s", "a/b/c", "A b"], "matchAttribute": "a/b"})),
            asking("config", json!({})), asking("config", json!({"requests": ["z"], "opaque": {"driver": "a.b", "parameters": {"a": 1}}})), asking("config", json!({"opaque": {}})),
            asking("config", json!({"opaque": {"driver": "A b", "parameters": {}}})), asking("config", json!({"opaque": {"driver": "a.b", "parameters": "x"}})), asking("config", json!({"opaque": {"driver": "a.b", "parameters": []}})),
            asking("config", json!({"opaque": {"driver": "a.b", "parameters": null}})),
        ]).await;
    }

    async fn claims_of_devices_stay_as_they_are(talk: &mut Talk) {
        talk.post(CLAIMS, json!({"metadata": {"name": "one"}, "spec": exactly(json!({}))})).await;
        let one = format!("{CLAIMS}/one");
        for change in [json!({"metadata": {"labels": {"a": "b"}}}), json!({"spec": exactly(json!({"count": 2}))}), json!({"spec": exactly(json!({"count": -2}))})] {
            talk.patch("merge", &one, change).await;
        }
        talk.post(TEMPLATES, json!({"metadata": {"name": "one"}, "spec": {"spec": exactly(json!({}))}})).await;
        talk.patch("merge", &format!("{TEMPLATES}/one"), json!({"spec": {"metadata": {"labels": {"a": "b"}}}})).await;
    }

    async fn devices_that_are_allocated(talk: &mut Talk) {
        talk.prepare(CLAIMS, json!({"metadata": {"name": "one"}, "spec": exactly(json!({}))})).await;
        let device = json!({"driver": "a.b", "pool": "p", "device": "d"});
        let results = |more: Value| json!({"devices": {"results": [more]}});
        let mut allocated = device.clone();
        allocated["request"] = "r".into();
        for status in [
            json!({"allocation": results(json!({"request": "zz"}))}), json!({"allocation": results(json!({"request": "r", "driver": "A b", "pool": "a/B", "device": "A"}))}), json!({"devices": [device]}),
            json!({"allocation": results(allocated.clone())}), json!({"devices": [{"driver": "a.b", "pool": "q", "device": "d"}]}), json!({"devices": [device]}),
            json!({"allocation": results(json!({"request": "r"}))}), json!({"allocation": null}),
        ] {
            talk.patch("merge", &format!("{CLAIMS}/one/status"), json!({"status": status})).await;
        }
    }

    async fn templates_of_claims(talk: &mut Talk) {
        try_each(talk, TEMPLATES, [
            json!({}), json!({"spec": {}}), json!({"spec": {"devices": {"requests": [{}]}}}), json!({"spec": exactly(json!({}))}), json!({"spec": exactly(json!({"count": -1}))}),
            json!({"metadata": {"name": "q", "labels": {"a b": "c"}, "annotations": {"x y": "z"}}, "spec": {}}), json!({"metadata": {"labels": {"a": "c"}, "annotations": {"x": "z"}}, "spec": {}}),
            json!({"metadata": {"finalizers": ["a.b/c"], "generateName": "a"}, "spec": {}}),
            json!({"metadata": {"uid": "a", "creationTimestamp": "2020-01-01T00:00:00Z", "managedFields": []}, "spec": {}}),
        ]).await;
    }

    async fn classes_of_devices(talk: &mut Talk) {
        let selectors = vec![json!({"cel": {"expression": "true"}}); 33];
        try_each(talk, CLASSES, [
            json!({}), json!({"selectors": [{}]}), json!({"selectors": selectors}), json!({"selectors": [{"cel": {"expression": "device.driver == 'a'"}}]}),
            json!({"config": [{}]}), json!({"config": [{"opaque": {"driver": "A b", "parameters": {}}}]}), json!({"config": [{"opaque": {"driver": "a.b"}}]}),
            json!({"config": [{"opaque": {"driver": "a.b", "parameters": {"x": 1}}}]}), json!({"extendedResourceName": "a b"}), json!({"extendedResourceName": "cpu"}), json!({"extendedResourceName": "a.b/c"}),
        ]).await;
    }

    async fn slices_of_devices(talk: &mut Talk) {
        let values = |value: Value| json!({"attributes": {"a": value}});
        let many: Vec<Value> = (0..129).map(|number| json!({"name": format!("d{number}")})).collect();
        let attributes: serde_json::Map<String, Value> = (0..33).map(|number| (format!("a{number}"), json!({"int": 1}))).collect();
        let term = json!({"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]});
        try_each(talk, SLICES, [
            json!({}), slice(json!({})), slice(json!({"driver": "A b"})), slice(json!({"driver": "a".repeat(70)})), slice(json!({"pool": {"name": "A b", "resourceSliceCount": 0}})),
            slice(json!({"pool": {"name": "a/b", "resourceSliceCount": 1, "generation": -1}})), slice(json!({"nodeName": null})), slice(json!({"nodeName": "A b"})), slice(json!({"allNodes": true})),
            slice(json!({"nodeName": null, "allNodes": true})), slice(json!({"nodeName": null, "allNodes": false})), slice(json!({"nodeName": null, "perDeviceNodeSelection": false})),
            slice(json!({"nodeName": null, "nodeSelector": {"nodeSelectorTerms": []}})), slice(json!({"nodeName": null, "nodeSelector": {"nodeSelectorTerms": [term]}})),
            slice(json!({"devices": [{}]})), slice(json!({"devices": [{"name": "d"}, {"name": "d"}]})), device(json!({"name": "A b"})), slice(json!({"devices": many})),
            device(values(json!({}))), device(values(json!({"string": "b"}))), device(values(json!({"string": "b".repeat(65)}))), device(values(json!({"version": "1.0"}))), device(values(json!({"version": "1.0.0-a.1+b"}))),
            device(values(json!({"string": "b", "int": 1}))), device(json!({"attributes": {"a b": {"int": 1}}})), device(json!({"attributes": {"/": {"int": 1}}})), device(json!({"attributes": attributes})),
            device(json!({"capacity": {"c": {"value": "1"}}})), device(json!({"capacity": {"c d": {"value": "1"}}})), device(json!({"taints": [{}]})), device(json!({"taints": [{"key": "a", "effect": "Odd", "value": "b c"}]})),
            device(json!({"taints": [{"key": "a", "effect": "NoSchedule"}]})), device(json!({"nodeName": "x"})),
            slice(json!({"nodeName": null, "perDeviceNodeSelection": true, "devices": [{"name": "d"}]})), slice(json!({"nodeName": null, "perDeviceNodeSelection": true, "devices": [{"name": "d", "allNodes": true}]})),
        ]).await;
    }

    async fn slices_in_a_table(talk: &mut Talk) {
        let pool = json!({"pool": {"name": "{ns}", "resourceSliceCount": 2}});
        let one = slice(pool.clone());
        let mut all = slice(json!({"nodeName": null, "allNodes": true}));
        all["pool"] = pool["pool"].clone();
        for (name, spec) in [("one", one), ("all", all)] {
            talk.post(SLICES, json!({"metadata": {"name": format!("{{ns}}-{name}")}, "spec": spec})).await;
            talk.send("GET", &format!("{SLICES}/{{ns}}-{name}"), &[("accept", "application/json;as=Table;g=meta.k8s.io;v=v1")], None).await;
        }
        for change in [json!({"spec": {"driver": "z.z"}}), json!({"spec": {"nodeName": "m"}}), json!({"spec": {"pool": {"name": "z"}}}), json!({"spec": {"pool": {"generation": 2}}})] {
            talk.patch("merge", &format!("{SLICES}/{{ns}}-one"), change).await;
        }
    }

    async fn who_reaches_what_others_have_does_so_in_a_namespace_for_it(talk: &mut Talk) {
        let of_admin = exactly(json!({"adminAccess": true}));
        let second = json!({"devices": {"requests": [{"name": "a", "exactly": wanted(json!({"adminAccess": false}))}, {"name": "B", "exactly": wanted(json!({"adminAccess": true}))}]}});
        for label in [Value::Null, json!("false"), json!("true")] {
            talk.patch_unsaid("merge", "/api/v1/namespaces/{ns}", json!({"metadata": {"labels": {"resource.kubernetes.io/admin-access": label}}})).await;
            try_each(talk, CLAIMS, [of_admin.clone(), second.clone(), exactly(json!({"adminAccess": false}))]).await;
            try_each(talk, TEMPLATES, [json!({"spec": of_admin})]).await;
        }
    }

    async fn who_allocates_devices_and_speaks_for_drivers_has_leave_to(talk: &mut Talk) {
        const CLAIM: &str = "/apis/resource.k8s.io/v1/namespaces/{ns}/resourceclaims/one";
        talk.prepare(CLAIMS, json!({"metadata": {"name": "one"}, "spec": exactly(json!({}))})).await;
        let rule = |resource: &str, verbs: Value| json!({"apiGroups": ["resource.k8s.io"], "resources": [resource], "verbs": verbs});
        let status = format!("{CLAIM}/status");
        let result = |more: Value| {
            let mut result = json!({"request": "r", "driver": "a.driver", "pool": "p", "device": "d"});
            extend(&mut result, &more);
            json!({"status": {"allocation": {"devices": {"results": [result, {"request": "r", "driver": "b.driver", "pool": "p", "device": "d"}]}}}})
        };
        let devices = |ready: &str| json!({"status": {"devices": [{"driver": "a.driver", "pool": "p", "device": "d", "data": {"ready": ready}}, {"driver": "b.driver", "pool": "p", "device": "d"}]}});
        let reserved = json!({"status": {"reservedFor": [{"resource": "pods", "name": "one", "uid": "1"}]}});
        talk.allow("alice", false, "writes", json!([rule("resourceclaims", json!(["get"])), rule("resourceclaims/status", json!(["update", "patch"]))])).await;
        talk.ask_as_user("alice");
        for change in [result(json!({})), reserved.clone(), devices("no"), json!({"metadata": {"labels": {"a": "b"}}, "status": {}})] {
            talk.patch("merge", &status, change).await;
        }
        talk.allow("alice", false, "binds-here", json!([rule("resourceclaims/binding", json!(["patch"]))])).await;
        talk.patch("merge", &status, result(json!({}))).await;
        talk.allow("alice", true, "binds", json!([rule("resourceclaims/binding", json!(["patch"]))])).await;
        talk.patch("merge", &status, result(json!({"adminAccess": true}))).await;
        talk.patch("merge", &status, result(json!({}))).await;
        talk.patch("merge", &status, reserved).await;
        talk.patch("merge", &status, devices("no")).await;
        let mut of_one = rule("resourceclaims/driver", json!(["arbitrary-node:patch"]));
        of_one["resourceNames"] = json!(["a.driver"]);
        talk.allow("alice", false, "speaks", json!([of_one])).await;
        talk.patch("merge", &status, devices("no")).await;
        talk.allow("alice", false, "speaks-for-all", json!([rule("resourceclaims/driver", json!(["arbitrary-node:patch"]))])).await;
        talk.patch("merge", &status, devices("no")).await;
        talk.patch("merge", &status, devices("yes")).await;
        let mut whole = talk.get(CLAIM).await.body;
        whole["status"]["devices"] = json!([]);
        talk.put(&status, whole.clone()).await;
        whole["status"] = json!({});
        talk.put(&status, whole).await;
    }

    async fn how_much_may_be_asked_for(talk: &mut Talk) {
        let of = |capacity: Value, is_shared: bool| device(json!({"allowMultipleAllocations": is_shared, "capacity": {"m": capacity}}));
        let policy = |policy: Value| of(json!({"value": "1Gi", "requestPolicy": policy}), true);
        let range = |range: Value| policy(json!({"default": "1Gi", "validRange": range}));
        let many: Vec<String> = (1..12).map(|number| format!("{number}Mi")).collect();
        try_each(talk, SLICES, [
            of(json!({"value": "1Gi", "requestPolicy": {"default": "1Gi", "validRange": {"min": "1Gi"}}}), false), of(json!({"value": "1Gi"}), false),
            policy(json!({})), policy(json!({"validRange": {}})), policy(json!({"validValues": ["1Gi"]})), policy(json!({"default": "1Gi", "validValues": ["1Gi"], "validRange": {"min": "1Gi"}})),
            policy(json!({"default": "1Mi", "validValues": ["2Mi", "1Mi", "2Gi", "2Mi"]})), policy(json!({"default": "3Mi", "validValues": ["1Mi", "2Mi"]})), policy(json!({"default": "1Mi", "validValues": many})),
            range(json!({})), range(json!({"min": "2Gi"})), range(json!({"min": "1Mi", "max": "2Gi"})), range(json!({"min": "1Mi", "max": "2Mi"})), range(json!({"min": "2Mi", "max": "1Mi"})),
            range(json!({"min": "1Gi", "step": "3"})), range(json!({"min": "1Mi", "step": "3Mi"})), range(json!({"min": "0", "max": "1Gi", "step": "512Mi"})), range(json!({"min": "1500m", "step": "1"})),
        ]).await;
        talk.say("expressions that say nothing");
        try_each(talk, CLASSES, [json!({"selectors": [{"cel": {"expression": ""}}]}), json!({"selectors": [{}]})]).await;
    }

    async fn how_devices_are_said_to_be(talk: &mut Talk) {
        talk.prepare(CLAIMS, json!({"metadata": {"name": "one"}, "spec": exactly(json!({}))})).await;
        let status = &format!("{CLAIMS}/one/status?dryRun=All");
        let result = json!({"request": "r", "driver": "a.driver", "pool": "p", "device": "d"});
        let term = |term: Value| json!({"nodeSelectorTerms": [term]});
        for nodes in [
            json!({"nodeSelectorTerms": []}), term(json!({"matchFields": [{"key": "", "operator": "In", "values": ["n"]}]})), term(json!({"matchFields": [{"key": "metadata.name", "operator": "Odd", "values": []}]})),
            term(json!({"matchExpressions": [{"key": "a b", "operator": "In", "values": []}]})), term(json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]})),
        ] {
            talk.patch("merge", status, json!({"status": {"allocation": {"devices": {"results": [result]}, "nodeSelector": nodes}}})).await;
        }
        let said = |more: Value| {
            let mut device = json!({"driver": "a.driver", "pool": "p", "device": "d"});
            extend(&mut device, &more);
            device
        };
        let condition = json!({"type": "Ready", "status": "True", "reason": "Said", "message": "", "lastTransitionTime": "2020-01-01T00:00:00Z"});
        let network = |ips: Value| json!({"networkData": {"ips": ips}});
        for devices in [
            json!([said(json!({})), said(json!({}))]), json!([said(json!({"driver": "", "pool": "A b", "device": ""}))]), json!([said(json!({"conditions": [{"type": "", "status": "x"}]}))]),
            json!([said(json!({"conditions": [condition, condition]}))]), json!([said(json!({"conditions": vec![condition; 9]}))]), json!([said(json!({"data": [1]}))]), json!([said(json!({"data": {"a": "b".repeat(10 * 1024)}}))]),
            json!([said(json!({"networkData": {"interfaceName": "a".repeat(257), "hardwareAddress": "a".repeat(129)}}))]), json!([said(network(json!(["x", "10.0.0.1", "10.0.0.1/024", "FE80::1/64"])))]),
            json!([said(network(json!(["10.0.0.1/24", "10.0.0.1/24"])))]), json!([said(json!({"data": {"a": 1}}))]),
        ] {
            talk.patch("merge", status, json!({"status": {"allocation": {"devices": {"results": [result]}}, "devices": devices}})).await;
        }
    }
}
