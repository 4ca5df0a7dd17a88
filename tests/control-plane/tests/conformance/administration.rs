//! The kinds of those who look after a cluster: what a small object of each becomes in every format, what is told of
//! it, and what is refused.

use serde_json::{Value, json};

use super::support::Talk;

const TABLE: &str = "application/json;as=Table;g=meta.k8s.io;v=v1,application/json";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// The life of one object.
async fn lives(talk: &mut Talk, path: &str, object: Value) {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let one = format!("{path}/{name}");
    talk.post(path, object.clone()).await;
    talk.send("GET", &one, &[("accept", TABLE)], None).await;
    talk.send("GET", &one, &[("accept", PROTOBUF)], None).await;
    talk.patch("merge", &one, json!({"metadata": {"labels": {"a": "b"}}}))
        .await;
    talk.delete(&one).await;
}

/// What is told of a group's kinds, without what only one server says of how it stores them.
async fn told(talk: &mut Talk, group: &str) {
    talk.get_picked(&format!("/apis/{group}"), &[], |list| {
        let mut list = list.clone();
        let resources = list["resources"].as_array_mut();
        for one in resources.into_iter().flatten() {
            if let Some(fields) = one.as_object_mut() {
                fields.remove("storageVersionHash");
            }
        }
        list
    })
    .await;
}

fn named(spec: Value) -> Value {
    json!({"metadata": {"name": "{ns}"}, "spec": spec})
}

conformance! {
    async fn admission_policies(talk: &mut Talk) {
        let group = "admissionregistration.k8s.io/v1";
        told(talk, group).await;
        let of = |plural: &str| format!("/apis/{group}/{plural}");
        let rules = json!({"resourceRules": [{"apiGroups": ["nothing.example.com"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["things"]}]});
        let webhook = json!({"name": "one.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"], "clientConfig": {"service": {"name": "one", "namespace": "{ns}"}}, "rules": rules["resourceRules"]});
        for plural in ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"] {
            lives(talk, &of(plural), json!({"metadata": {"name": "{ns}"}, "webhooks": [webhook]})).await;
        }
        let policies = &of("validatingadmissionpolicies");
        lives(talk, policies, named(json!({"matchConstraints": rules, "validations": [{"expression": "true"}]}))).await;
        talk.post(policies, named(json!({}))).await;
        talk.post(policies, named(json!({"failurePolicy": "Perhaps", "matchConstraints": {}, "validations": [{"expression": ""}]}))).await;
        let bindings = &of("validatingadmissionpolicybindings");
        lives(talk, bindings, named(json!({"policyName": "{ns}", "validationActions": ["Audit"], "paramRef": {"name": "{ns}", "parameterNotFoundAction": "Allow"}}))).await;
        talk.post(bindings, named(json!({}))).await;
        talk.post(bindings, named(json!({"policyName": "{ns}", "validationActions": ["Deny", "Warn"]}))).await;
        let policies = &of("mutatingadmissionpolicies");
        let mutation = json!({"patchType": "JSONPatch", "jsonPatch": {"expression": "[JSONPatch{op: \"add\", path: \"/metadata/labels/a\", value: \"b\"}]"}});
        lives(talk, policies, named(json!({"matchConstraints": rules, "mutations": [mutation], "reinvocationPolicy": "Never", "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}))).await;
        talk.post(policies, named(json!({"matchConstraints": rules}))).await;
        lives(talk, &of("mutatingadmissionpolicybindings"), named(json!({"policyName": "{ns}"}))).await;
        talk.post(&of("mutatingadmissionpolicybindings"), named(json!({}))).await;
    }

    async fn api_services(talk: &mut Talk) {
        let group = "apiregistration.k8s.io/v1";
        told(talk, group).await;
        let path = &format!("/apis/{group}/apiservices");
        let spec = json!({"group": "{group}", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10});
        let local = json!({"metadata": {"name": "v1.{group}"}, "spec": spec});
        lives(talk, path, local.clone()).await;
        talk.post(path, named(spec.clone())).await;
        talk.post(path, json!({"metadata": {"name": "v1.{group}"}, "spec": {"group": "{group}", "version": "v1"}})).await;
        let mut remote = local;
        remote["spec"]["service"] = json!({"name": "api", "namespace": "{ns}"});
        // It would keep every namespace from ending: what is in them could not be found out.
        let tried = &format!("{path}?dryRun=All");
        talk.post(tried, remote.clone()).await;
        remote["spec"]["insecureSkipTLSVerify"] = true.into();
        remote["spec"]["caBundle"] = "YQ==".into();
        talk.post(tried, remote).await;
    }

    async fn flow_control(talk: &mut Talk) {
        let group = "flowcontrol.apiserver.k8s.io/v1";
        told(talk, group).await;
        let path = &format!("/apis/{group}/flowschemas");
        let rule = json!({
            "subjects": [{"kind": "User", "user": {"name": "nobody"}}],
            "resourceRules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"], "namespaces": ["*"]}],
        });
        talk.post(path, named(json!({"priorityLevelConfiguration": {"name": "global-default"}, "matchingPrecedence": 9000, "distinguisherMethod": {"type": "ByUser"}, "rules": [rule]}))).await;
        talk.delete(&format!("{path}/{{ns}}")).await;
        talk.post(path, named(json!({}))).await;
        talk.post(path, named(json!({"priorityLevelConfiguration": {"name": "global-default"}, "matchingPrecedence": 10001}))).await;
        let path = &format!("/apis/{group}/prioritylevelconfigurations");
        talk.post(path, named(json!({"type": "Limited", "limited": {"limitResponse": {"type": "Queue", "queuing": {"queues": 16}}}}))).await;
        talk.send("GET", &format!("{path}/{{ns}}"), &[("accept", TABLE)], None).await;
        talk.delete(&format!("{path}/{{ns}}")).await;
        talk.post(path, named(json!({"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}))).await;
        talk.delete(&format!("{path}/{{ns}}")).await;
        talk.post(path, named(json!({}))).await;
        talk.post(path, named(json!({"type": "Limited"}))).await;
    }

    async fn runtime_classes(talk: &mut Talk) {
        told(talk, "node.k8s.io/v1").await;
        let path = "/apis/node.k8s.io/v1/runtimeclasses";
        lives(talk, path, json!({"metadata": {"name": "{ns}"}, "handler": "one", "overhead": {"podFixed": {"cpu": "100m"}}})).await;
        talk.post(path, json!({"metadata": {"name": "{ns}"}})).await;
        talk.post(path, json!({"metadata": {"name": "{ns}"}, "handler": "One"})).await;
        talk.post(path, json!({"metadata": {"name": "{ns}"}, "handler": "one"})).await;
        talk.patch("merge", &format!("{path}/{{ns}}"), json!({"handler": "two"})).await;
        talk.delete(&format!("{path}/{{ns}}")).await;
    }

    async fn addresses(talk: &mut Talk) {
        told(talk, "networking.k8s.io/v1").await;
        let path = "/apis/networking.k8s.io/v1/ipaddresses";
        let parent = json!({"parentRef": {"resource": "services", "namespace": "{ns}", "name": "one"}});
        lives(talk, path, json!({"metadata": {"name": "192.0.2.7"}, "spec": parent})).await;
        talk.post(path, named(parent)).await;
        talk.post(path, json!({"metadata": {"name": "192.0.2.7"}})).await;
        let path = "/apis/networking.k8s.io/v1/servicecidrs";
        talk.post(path, named(json!({"cidrs": ["192.0.2.0/24"]}))).await;
        talk.patch("merge", &format!("{path}/{{ns}}"), json!({"spec": {"cidrs": ["192.0.3.0/24"]}})).await;
        talk.unsaid("DELETE", &format!("{path}/{{ns}}"), None).await;
        talk.post(path, named(json!({}))).await;
        talk.post(path, named(json!({"cidrs": ["192.0.2.0"]}))).await;
    }

    async fn devices(talk: &mut Talk) {
        let group = "resource.k8s.io/v1";
        told(talk, group).await;
        let path = &format!("/apis/{group}/deviceclasses");
        lives(talk, path, named(json!({"selectors": [{"cel": {"expression": "device.driver == 'gpu.example.com'"}}]}))).await;
        talk.post(path, named(json!({"selectors": [{}]}))).await;
        let request = json!({"devices": {"requests": [{"name": "gpu", "exactly": {"deviceClassName": "gpu.example.com"}}]}});
        let path = &format!("/apis/{group}/namespaces/{{ns}}/resourceclaims");
        lives(talk, path, json!({"metadata": {"name": "one"}, "spec": request})).await;
        talk.post(path, json!({"metadata": {"name": "one"}, "spec": {"devices": {"requests": [{"name": "gpu"}]}}})).await;
        let path = &format!("/apis/{group}/namespaces/{{ns}}/resourceclaimtemplates");
        lives(talk, path, json!({"metadata": {"name": "one"}, "spec": {"metadata": {"labels": {"a": "b"}}, "spec": request}})).await;
        let path = &format!("/apis/{group}/resourceslices");
        lives(talk, path, named(json!({"driver": "gpu.example.com", "nodeName": "one", "pool": {"name": "one", "generation": 1, "resourceSliceCount": 1}, "devices": [
            {"name": "gpu-0", "attributes": {"model": {"string": "a"}}, "capacity": {"memory": {"value": "1Gi"}}},
        ]}))).await;
        talk.post(path, named(json!({}))).await;
        talk.say("a node and a driver find their own");
        let slice = |name: &str, driver: &str, node: &str| json!({"metadata": {"name": name}, "spec": {
            "driver": driver, "nodeName": node, "pool": {"name": "one", "generation": 1, "resourceSliceCount": 1}, "devices": [],
        }});
        talk.post(path, slice("{ns}-1", "gpu.example.com", "{ns}")).await;
        talk.post(path, slice("{ns}-2", "disk.example.com", "{ns}")).await;
        talk.get(&format!("{path}?fieldSelector=spec.driver%3Ddisk.example.com,spec.nodeName%3D{{ns}}")).await;
        talk.get(&format!("{path}?fieldSelector=spec.pool.name%3Done")).await;
        talk.delete(&format!("{path}/{{ns}}-1")).await;
        talk.delete(&format!("{path}/{{ns}}-2")).await;
    }

    async fn storage_of_drivers(talk: &mut Talk) {
        let group = "storage.k8s.io/v1";
        told(talk, group).await;
        let of = |plural: &str| format!("/apis/{group}/{plural}");
        lives(talk, &of("csidrivers"), named(json!({}))).await;
        lives(talk, &of("csidrivers"), named(json!({"attachRequired": false, "tokenRequests": [{"audience": "one"}], "serviceAccountTokenInSecrets": true, "volumeLifecycleModes": ["Ephemeral", "Persistent"]}))).await;
        lives(talk, &of("csinodes"), named(json!({"drivers": [{"name": "disks.example.com", "nodeID": "one", "allocatable": {"count": 3}}]}))).await;
        talk.post(&of("csinodes"), named(json!({"drivers": [{"name": ""}]}))).await;
        let capacities = &of("namespaces/{ns}/csistoragecapacities");
        lives(talk, capacities, json!({"metadata": {"name": "one"}, "storageClassName": "fast", "capacity": "1024Mi", "nodeTopology": {"matchLabels": {"zone": "a"}}})).await;
        talk.post(capacities, json!({"metadata": {"name": "one"}})).await;
        let attachments = &of("volumeattachments");
        lives(talk, attachments, named(json!({"attacher": "disks.example.com", "nodeName": "one", "source": {"persistentVolumeName": "one"}}))).await;
        talk.post(attachments, named(json!({}))).await;
        let classes = &of("volumeattributesclasses");
        let class = json!({"metadata": {"name": "{ns}"}, "driverName": "disks.example.com", "parameters": {"iops": "100"}});
        lives(talk, classes, class.clone()).await;
        talk.post(classes, json!({"metadata": {"name": "{ns}"}})).await;
        talk.say("it is there until nothing uses it");
        talk.post(classes, class).await;
        talk.patch("merge", &format!("{classes}/{{ns}}"), json!({"parameters": {"iops": "200"}})).await;
        talk.patch("merge", &format!("{classes}/{{ns}}"), json!({"metadata": {"finalizers": null}})).await;
    }

    async fn runtimes_and_classes_of_attributes(talk: &mut Talk) {
        let toleration = json!({"key": "a", "operator": "Equal", "value": "b", "effect": "NoExecute", "tolerationSeconds": 5});
        let mut longer = toleration.clone();
        longer["tolerationSeconds"] = 6.into();
        let scheduling = json!({"tolerations": [toleration, longer, {"key": "a"}, {"key": "a"}]});
        talk.post("/apis/node.k8s.io/v1/runtimeclasses?dryRun=All", json!({"metadata": {"name": "{ns}"}, "handler": "a", "scheduling": scheduling})).await;
        for driver in ["A B", "*.x", "/a", "", "a.b/C"] {
            talk.post("/apis/storage.k8s.io/v1/volumeattributesclasses?dryRun=All", json!({"metadata": {"name": "{ns}"}, "driverName": driver, "parameters": {"a": "b"}})).await;
        }
        const PODS: &str = "/api/v1/namespaces/{ns}/pods";
        for quality in ["Guaranteed", "Odd", ""] {
            talk.post(&format!("{PODS}?dryRun=All"), json!({"metadata": {"name": "one"}, "spec": {"containers": [{"name": "a", "image": "b"}]}, "status": {"qosClass": quality}})).await;
        }
        const NODES: &str = "/api/v1/nodes";
        talk.prepare(NODES, json!({"metadata": {"name": "{ns}"}})).await;
        for id in ["x", ""] {
            talk.patch("merge", &format!("{NODES}/{{ns}}?dryRun=All"), json!({"spec": {"externalID": id}})).await;
        }
        talk.unsaid("DELETE", &format!("{NODES}/{{ns}}"), None).await;
    }
}
