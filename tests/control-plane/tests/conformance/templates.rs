//! What is refused of pods, and of the templates that pods are made of.

use serde_json::{Value, json};

use super::support::{Talk, extend};

const PODS: &str = "/api/v1/namespaces/{ns}/pods?dryRun=All";

/// A container with more to say.
fn container(more: Value) -> Value {
    let mut container = json!({"name": "main", "image": "a:1"});
    container
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    container
}

/// Asks for a pod with this container.
async fn one(talk: &mut Talk, more: Value) {
    pod(talk, json!({"containers": [container(more)]})).await;
}

async fn pod(talk: &mut Talk, spec: Value) {
    talk.post(PODS, json!({"metadata": {"name": "one"}, "spec": spec}))
        .await;
}

/// Asks for a pod with a good container, and what is said of the pod itself.
async fn of_the_pod(talk: &mut Talk, more: Value) {
    let mut spec = json!({"containers": [container(json!({}))]});
    spec.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    pod(talk, spec).await;
}

conformance! {
    async fn what_volumes_are_made_of(talk: &mut Talk) {
        of_the_pod(talk, json!({"volumes": [
            {"name": "a", "emptyDir": {}, "hostPath": {"path": "/x"}, "downwardAPI": {}}, {"name": "Bad_", "emptyDir": {"sizeLimit": "-1"}},
            {"name": "c", "hostPath": {"path": "/a/../b", "type": "Odd"}}, {"name": "d", "secret": {"defaultMode": 1000, "items": [{"mode": -1}, {"key": "a", "path": "/a"}]}},
            {"name": "e", "configMap": {"items": [{"key": "a", "path": "../x"}, {"key": "a", "path": "..x"}]}}, {"name": "f", "nfs": {}}, {"name": "g", "csi": {}},
        ]})).await;
        of_the_pod(talk, json!({"volumes": [
            {"name": "a", "projected": {"sources": [
                {"secret": {"name": "a"}, "configMap": {"name": "b"}}, {"serviceAccountToken": {"path": "", "expirationSeconds": 5}}, {"downwardAPI": {"items": [{"path": "x"}]}},
            ]}},
            {"name": "b", "ephemeral": {}}, {"name": "c", "ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["Odd"], "resources": {"requests": {"storage": "0"}}}}}},
            {"name": "d", "downwardAPI": {"items": [
                {"path": "a", "fieldRef": {"fieldPath": "spec.foo"}}, {"path": "b", "fieldRef": {"fieldPath": "metadata.name"}, "resourceFieldRef": {"resource": "limits.cpu"}},
                {"path": "c", "resourceFieldRef": {"resource": "limits.cpu"}}, {"path": "d", "fieldRef": {"fieldPath": "status.podIP"}},
            ]}},
        ]})).await;
        talk.say("how they are used");
        let mounts = json!({
            "volumeMounts": [
                {"name": "a", "mountPath": "/a"}, {"name": "a", "mountPath": "/a", "subPath": "/b"}, {"name": "a", "mountPath": "/b", "subPath": "../b", "subPathExpr": "x"},
                {"name": "b", "mountPath": "/c", "mountPropagation": "Odd"}, {"name": "a", "mountPath": "/d", "mountPropagation": "Bidirectional"}, {"name": "other", "mountPath": "/e"},
            ],
            "volumeDevices": [{"name": "c", "devicePath": "/z"}, {"name": "none"}],
        });
        pod(talk, json!({"containers": [container(mounts)], "volumes": [{"name": "a"}, {"name": "b", "hostPath": {}}, {"name": "c"}]})).await;
    }

    async fn what_variables_are_set_to(talk: &mut Talk) {
        one(talk, json!({"env": [
            {"name": "a", "value": "b", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}, {"name": "b", "valueFrom": {}},
            {"name": "c", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}, "secretKeyRef": {"name": "x", "key": "y"}}},
            {"name": "d", "valueFrom": {"fieldRef": {"fieldPath": "status.foo"}}}, {"name": "e", "valueFrom": {"fieldRef": {}}},
            {"name": "f", "valueFrom": {"fieldRef": {"fieldPath": "spec.host"}}}, {"name": "g", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a b']"}}},
            {"name": "h", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels"}}}, {"name": "i", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name['a']"}}},
            {"name": "j", "valueFrom": {"secretKeyRef": {"name": "", "key": ""}}}, {"name": "k", "valueFrom": {"configMapKeyRef": {"name": "B_", "key": "a b"}}},
            {"name": "l", "valueFrom": {"resourceFieldRef": {"resource": "foo"}}}, {"name": "m", "valueFrom": {"resourceFieldRef": {}}},
            {"name": "a=b"}, {"name": "é"}, {"name": "a b.c"}, {"name": "a b.c"},
        ]})).await;
        one(talk, json!({"envFrom": [{"configMapRef": {"name": "a"}, "secretRef": {"name": "b"}}, {"configMapRef": {}}, {"prefix": "a=", "secretRef": {"name": "A_"}}, {"prefix": "a"}]})).await;
    }

    async fn what_containers_ask_for(talk: &mut Talk) {
        for resources in [
            json!({"requests": {"cpu": "2"}, "limits": {"cpu": "1500m"}}),
            json!({"requests": {"cpu": "1"}, "limits": {"cpu": "1000m"}}),
            json!({"requests": {"memory": "-1"}}),
            json!({"requests": {"foo": "1"}}),
            json!({"limits": {"storage": "1"}}),
            json!({"limits": {"a b": "1"}}),
            json!({"requests": {"example.com/gpu": "1"}}),
            json!({"limits": {"example.com/gpu": "1500m"}}),
            json!({"requests": {"example.com/gpu": "1"}, "limits": {"example.com/gpu": "2"}}),
            json!({"limits": {"requests.example.com/gpu": "1"}}),
            json!({"limits": {"hugepages-2Mi": "4Mi"}}),
            json!({"limits": {"hugepages-2Mi": "4Mi", "cpu": "1"}}),
        ] {
            one(talk, json!({"resources": resources})).await;
        }
    }

    async fn how_containers_are_looked_at(talk: &mut Talk) {
        let bad = json!({"tcpSocket": {"port": 80}, "successThreshold": 2, "periodSeconds": -1, "timeoutSeconds": -1, "failureThreshold": -1, "initialDelaySeconds": -1, "terminationGracePeriodSeconds": 0});
        one(talk, json!({"livenessProbe": bad, "readinessProbe": bad, "startupProbe": bad})).await;
        one(talk, json!({
            "livenessProbe": {"exec": {"command": ["a"]}, "httpGet": {"port": 80}}, "readinessProbe": {"httpGet": {"port": 80, "scheme": "FTP", "httpHeaders": [{"name": "a b", "value": "c"}]}},
            "startupProbe": {"grpc": {"port": 0}}, "lifecycle": {"postStart": {"exec": {"command": ["a"]}, "sleep": {"seconds": 1}}, "preStop": {"sleep": {"seconds": 100}}},
        })).await;
        talk.say("before the others nobody looks, unless it stays");
        let first = |more: Value| json!({"name": "first", "image": "a:1", "livenessProbe": {"tcpSocket": {"port": 1}}, "lifecycle": {"preStop": {"exec": {"command": ["a"]}}}, "restartPolicy": more});
        for restart in [Value::Null, json!("Odd"), json!("Always")] {
            of_the_pod(talk, json!({"initContainers": [first(restart)]})).await;
        }
    }

    async fn what_else_containers_say(talk: &mut Talk) {
        one(talk, json!({
            "image": " a", "imagePullPolicy": "Odd", "terminationMessagePolicy": "Odd", "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "Odd"}],
            "ports": [{"containerPort": 80, "hostPort": 80}, {"containerPort": 81, "hostPort": 80}],
            "securityContext": {"runAsUser": -1, "allowPrivilegeEscalation": false, "capabilities": {"add": ["CAP_SYS_ADMIN"]}, "procMount": "Odd", "seccompProfile": {"type": "RuntimeDefault", "localhostProfile": "x"}},
        })).await;
        let names = ["a.b", "main", "main", "x123456789x123456789x123456789x123456789x123456789x123456789x123"];
        let named = |names: &[&str]| names.iter().map(|name| json!({"name": name, "image": "a"})).collect::<Vec<_>>();
        pod(talk, json!({"containers": named(&names), "initContainers": named(&["main", ""])})).await;
    }

    async fn what_pods_say_of_themselves(talk: &mut Talk) {
        of_the_pod(talk, json!({
            "activeDeadlineSeconds": 0, "dnsPolicy": "Odd", "nodeName": "A_", "hostname": "A_", "subdomain": "A_", "serviceAccountName": "A_", "shareProcessNamespace": true, "hostPID": true,
            "hostAliases": [{"ip": "x", "hostnames": ["A_"]}], "readinessGates": [{"conditionType": "a b"}], "schedulingGates": [{"name": "a b"}, {"name": "c"}, {"name": "c"}],
            "dnsConfig": {"nameservers": ["x", "1.1.1.1", "1.1.1.1", "1.1.1.1"], "options": [{}]}, "nodeSelector": {"a b": "c"}, "os": {"name": "odd"}, "resourceClaims": [{"name": "a"}],
            "securityContext": {"runAsUser": -1, "runAsGroup": -1, "fsGroup": -1, "supplementalGroups": [-1], "fsGroupChangePolicy": "Odd", "seccompProfile": {"type": "Odd"}},
            "ephemeralContainers": [{"name": "x", "image": "y"}], "volumes": [{"name": "a", "projected": {"sources": [{"serviceAccountToken": {"path": "x"}}]}}],
        })).await;
        of_the_pod(talk, json!({"dnsPolicy": "None", "schedulingGates": [{"name": "a"}], "nodeName": "here", "terminationGracePeriodSeconds": -5, "securityContext": {"seccompProfile": {"type": "Localhost"}}})).await;
        pod(talk, json!({"hostNetwork": true, "containers": [container(json!({"ports": [{"containerPort": 80, "hostPort": 81}, {"containerPort": 82}]}))]})).await;
        of_the_pod(talk, json!({"tolerations": [
            {"key": "a b"}, {"operator": "Equal"}, {"key": "a", "operator": "Odd"}, {"key": "a", "operator": "Exists", "value": "b"}, {"key": "a", "tolerationSeconds": 5},
            {"key": "a", "effect": "Odd"}, {"key": "a", "value": "b c"}, {"key": "a", "operator": "Gt", "value": "1"}, {"operator": "Exists"},
        ]})).await;
    }

    async fn pods_in_the_network_of_their_host_have_its_ports_and_templates_leave_that_to_them(talk: &mut Talk) {
        let ports = json!([{"containerPort": 80}, {"containerPort": 81, "hostPort": 81}]);
        let spec = json!({
            "hostNetwork": true, "containers": [container(json!({"ports": ports}))],
            "initContainers": [{"name": "first", "image": "a:1", "ports": [{"containerPort": 82}]}],
        });
        pod(talk, spec.clone()).await;
        let template = json!({"metadata": {"labels": {"app": "one"}}, "spec": spec});
        talk.post("/api/v1/namespaces/{ns}/podtemplates?dryRun=All", json!({"metadata": {"name": "one"}, "template": template})).await;
        let workload = json!({"metadata": {"name": "one"}, "spec": {"selector": {"matchLabels": {"app": "one"}}, "template": template}});
        for kind in ["deployments", "daemonsets"] {
            talk.post(&format!("/apis/apps/v1/namespaces/{{ns}}/{kind}?dryRun=All"), workload.clone()).await;
        }
    }

    async fn where_pods_may_go(talk: &mut Talk) {
        let (required, preferred) = ("requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution");
        let expressions = json!([
            {"key": "a", "operator": "In"}, {"key": "a", "operator": "Exists", "values": ["b"]}, {"key": "a", "operator": "Gt", "values": ["1", "2"]},
            {"key": "a b", "operator": "Odd"}, {"key": "a", "operator": "In", "values": ["b c"]},
        ]);
        of_the_pod(talk, json!({"affinity": {"nodeAffinity": {
            required: {"nodeSelectorTerms": [{"matchExpressions": expressions, "matchFields": [{"key": "a", "operator": "In", "values": ["b"]}, {"key": "metadata.name", "operator": "In"}, {"key": "metadata.name", "operator": "Exists"}]}]},
            preferred: [{"weight": 0, "preference": {"matchExpressions": expressions}}, {"weight": 101, "preference": {}}],
        }}})).await;
        of_the_pod(talk, json!({"affinity": {"nodeAffinity": {required: {"nodeSelectorTerms": []}}}})).await;
        let expressions = json!({"matchExpressions": [{"key": "a", "operator": "In"}, {"key": "a", "operator": "Exists", "values": ["b"]}, {"key": "a b", "operator": "Odd"}, {"key": "a", "operator": "In", "values": ["b c"]}]});
        let terms = json!([{}, {"topologyKey": "a b", "labelSelector": expressions}, {"topologyKey": "a", "namespaces": ["A_"], "namespaceSelector": {"matchLabels": {"a": "b c"}}}]);
        let weighed = json!([{"weight": 0, "podAffinityTerm": {"topologyKey": "a"}}, {"weight": 5, "podAffinityTerm": {"topologyKey": ""}}]);
        of_the_pod(talk, json!({"affinity": {"podAffinity": {required: terms}, "podAntiAffinity": {preferred: weighed}}})).await;
        let spread = |more: Value| {
            let mut constraint = json!({"maxSkew": 1, "topologyKey": "x", "whenUnsatisfiable": "DoNotSchedule"});
            extend(&mut constraint, &more);
            constraint
        };
        of_the_pod(talk, json!({"topologySpreadConstraints": [
            spread(json!({"maxSkew": 0})), spread(json!({"topologyKey": ""})), spread(json!({"whenUnsatisfiable": "Odd"})), spread(json!({"minDomains": 0})),
            spread(json!({"topologyKey": "y", "minDomains": 1, "whenUnsatisfiable": "ScheduleAnyway"})),
            spread(json!({"topologyKey": "z", "nodeAffinityPolicy": "Odd", "nodeTaintsPolicy": "Odd", "labelSelector": expressions})),
        ]})).await;
    }

    async fn templates_are_looked_at_as_pods_are(talk: &mut Talk) {
        let template = json!({"metadata": {"labels": {"app": "one", "a b": "c"}}, "spec": {
            "containers": [{"name": "main", "volumeMounts": [{"name": "none", "mountPath": "/a"}]}], "restartPolicy": "Never", "activeDeadlineSeconds": 5,
            "ephemeralContainers": [{"name": "x", "image": "a"}], "volumes": [{"name": "a", "emptyDir": {}, "secret": {"secretName": "b"}}],
        }});
        let whole = |spec: Value| json!({"metadata": {"name": "one", "labels": {"own": "a"}}, "spec": spec});
        for kind in ["deployments", "daemonsets", "replicasets", "statefulsets"] {
            let path = format!("/apis/apps/v1/namespaces/{{ns}}/{kind}");
            talk.post(&path, whole(json!({"selector": {"matchLabels": {"app": "one"}}, "template": template}))).await;
        }
        talk.post("/api/v1/namespaces/{ns}/replicationcontrollers", whole(json!({"selector": {"app": "one"}, "template": template}))).await;
        talk.post("/api/v1/namespaces/{ns}/podtemplates", json!({"metadata": {"name": "one"}, "template": template})).await;
        let mut often = template.clone();
        often["spec"]["restartPolicy"] = "Always".into();
        for (path, job) in [("jobs", json!({"template": often})), ("cronjobs", json!({"schedule": "* * * * *", "jobTemplate": {"spec": {"template": often}}}))] {
            talk.post(&format!("/apis/batch/v1/namespaces/{{ns}}/{path}"), whole(job)).await;
        }
        talk.say("not where the selector makes no sense");
        for kind in ["deployments", "daemonsets", "replicasets", "statefulsets"] {
            let path = format!("/apis/apps/v1/namespaces/{{ns}}/{kind}");
            talk.post(&path, whole(json!({"selector": {"matchLabels": {"app": "b!"}}, "template": template}))).await;
        }
        talk.say("also when they change");
        let path = "/apis/apps/v1/namespaces/{ns}/deployments";
        let good = json!({"metadata": {"labels": {"app": "one"}}, "spec": {"containers": [{"name": "main", "image": "a:1"}]}});
        talk.prepare(path, whole(json!({"selector": {"matchLabels": {"app": "one"}}, "template": good}))).await;
        talk.patch("strategic-merge", &format!("{path}/one"), json!({"spec": {"template": template}})).await;
        talk.patch("apply", &format!("{path}/one?fieldManager=me&force=true"), json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "one"},
            "spec": {"template": {"spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}]}}},
        })).await;
    }
}
