//! What messages show of objects, and of texts that are none.

use serde_json::{Value, json};

use super::support::Talk;

const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";
const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const PODS: &str = "/api/v1/namespaces/{ns}/pods";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/{ns}/deployments";

fn spec() -> Value {
    json!({"containers": [{"name": "main", "image": "web:1"}]})
}

fn deployment() -> Value {
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": spec()});
    json!({"metadata": {"name": "one"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}})
}

async fn send_text(talk: &mut Talk, method: &str, path: &str, kind: &str, text: &[u8]) {
    talk.send_raw(method, path, &[("content-type", kind)], text)
        .await;
}

conformance! {
    async fn how_a_pod_would_change(talk: &mut Talk) {
        talk.unsaid("POST", "/api/v1/namespaces/{ns}/serviceaccounts", Some(json!({"metadata": {"name": "default"}}))).await;
        let mut pod = json!({"metadata": {"name": "one"}, "spec": spec()});
        pod["spec"]["automountServiceAccountToken"] = false.into();
        talk.post(PODS, pod).await;
        let one = &format!("{PODS}/one");
        for spec in [
            json!({"hostname": "a"}), json!({"hostNetwork": true, "hostUsers": true}), json!({"terminationGracePeriodSeconds": 5}),
            json!({"nodeSelector": {"a": "<b>"}}), json!({"securityContext": {"runAsUser": 5, "sysctls": [{"name": "a", "value": "b"}]}}),
            json!({"affinity": {"podAntiAffinity": {}}}), json!({"overhead": {"cpu": "1000m"}}),
            json!({"restartPolicy": "Never", "dnsConfig": {"nameservers": ["1.2.3.4"]}, "hostAliases": [{"ip": "1.2.3.4"}]}),
        ] {
            talk.patch("merge", one, json!({"spec": spec})).await;
        }
        let probe = json!({"httpGet": {"port": "web"}});
        for fields in [
            json!({"env": [{"name": "A", "value": "b"}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}),
            json!({"command": ["a"], "image": "web:2"}), json!({"resources": {"requests": {"cpu": "1"}}}),
            json!({"ports": [{"containerPort": 80}], "tty": true, "livenessProbe": probe}),
            json!({"lifecycle": {"preStop": {"exec": {"command": ["a"]}}}}),
        ] {
            let mut container = fields;
            container["name"] = "main".into();
            talk.patch("strategic-merge", one, json!({"spec": {"containers": [container]}})).await;
        }
        let volumes = json!([{"name": "a", "emptyDir": {}}, {"name": "b", "projected": {"sources": [{"configMap": {"name": "c"}}]}}]);
        talk.patch("strategic-merge", one, json!({"spec": {"volumes": volumes}})).await;
    }

    async fn how_storage_would_change(talk: &mut Talk) {
        const CLAIMS: &str = "/api/v1/namespaces/{ns}/persistentvolumeclaims";
        let size = json!({"requests": {"storage": "1Gi"}});
        talk.post(CLAIMS, json!({"metadata": {"name": "one"}, "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": size}})).await;
        for spec in [
            json!({"accessModes": ["ReadWriteMany"]}), json!({"storageClassName": "b"}), json!({"resources": {"requests": {"storage": "2Gi"}}}),
            json!({"selector": {"matchLabels": {"a": "b"}}}), json!({"selector": {}}), json!({"volumeName": "a", "volumeMode": "Block"}),
            json!({"dataSource": {"kind": "PersistentVolumeClaim", "name": "a"}}),
        ] {
            talk.patch("merge", &format!("{CLAIMS}/one"), json!({"spec": spec})).await;
        }
        const VOLUME: &str = "/api/v1/persistentvolumes/{ns}";
        let volume = json!({"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "none", "hostPath": {"path": "/a"}});
        talk.post("/api/v1/persistentvolumes", json!({"metadata": {"name": "{ns}"}, "spec": volume})).await;
        for spec in [
            json!({"hostPath": {"path": "/b"}}), json!({"hostPath": {"type": "Directory"}}),
            json!({"hostPath": null, "nfs": {"server": "a", "path": "/b"}}),
            json!({"hostPath": null, "csi": {"driver": "a", "volumeHandle": "b", "volumeAttributes": {"c": "d"}}}),
        ] {
            talk.patch("merge", VOLUME, json!({"spec": spec})).await;
        }
        talk.unsaid("DELETE", VOLUME, None).await;
    }

    async fn objects_that_a_patch_made(talk: &mut Talk) {
        let map = json!({"metadata": {"name": "one", "labels": {"b": "1", "a": "2"}}, "data": {"b": "1", "a": "2"}});
        talk.post(MAPS, map).await;
        talk.post(DEPLOYMENTS, deployment()).await;
        let (map, deployment) = (&format!("{MAPS}/one"), &format!("{DEPLOYMENTS}/one"));
        for patch in [
            json!({"data": {"a": {"c": 1, "b": "<&>"}}}), json!({"metadata": {"labels": {"b": {"c": [{"e": 1, "d": 2}]}}}}),
            json!({"metadata": {"annotations": {"a": 1}}}),  json!({"apiVersion": "a/b/c"}),
        ] {
            talk.patch("merge", map, patch).await;
        }
        talk.patch("merge", &format!("{map}?fieldValidation=Strict"), json!({"odd": {"b": 1, "a": 2}})).await;
        for patch in [
            json!({"spec": {"replicas": "a"}}), json!({"spec": {"template": {"spec": {"restartPolicy": 5}}}}),
            json!({"spec": {"template": {"spec": {"containers": [{"name": 1, "image": "a"}]}}}}),
        ] {
            talk.patch("merge", deployment, patch).await;
        }
        for (path, value) in [("/spec/replicas", json!("a")), ("/spec/template/spec/containers/0/image", json!(1)), ("/spec/template/spec/containers/0/ports", json!(1))] {
            talk.patch("json", deployment, json!([{"op": "add", "path": path, "value": value}])).await;
        }
    }

    async fn control_characters(talk: &mut Talk) {
        talk.post(MAPS, json!({"metadata": {"name": "one"}})).await;
        let tried = &format!("{MAPS}?dryRun=All");
        for text in ["\u{1}", "\u{1f}", "\u{7f}", "\\u0001", "\\u007f", "\u{200b}", "\u{2028}", "\u{ad}", "a\u{301}", "\u{301}", "\u{1f600}", "é", "\\\\", "\\\"", "<&>"] {
            for body in [
                format!(r#"{{"metadata": {{"name": "{text}"}}}}"#), format!(r#"{{"metadata": {{"name": "one", "labels": {{"a": "{text}"}}}}}}"#),
                format!(r#"{{"metadata": {{"name": "one", "labels": {{"{text}": ""}}}}}}"#), format!(r#"{{"kind": "{text}", "metadata": {{"name": "one"}}}}"#),
            ] {
                send_text(talk, "POST", tried, "application/json", body.as_bytes()).await;
            }
        }
        for patch in [MERGE, STRATEGIC] {
            send_text(talk, "PATCH", &format!("{MAPS}/one"), patch, b"{\"data\": {\"a\": \"\x01\"}}").await;
        }
    }

    async fn odd_names_in_paths(talk: &mut Talk) {
        for name in ["%00", "a%00b", "a%0ab", "a%5cb", "%7f", "a%22b", "a%e2%80%a8b", "%c3%a9", "a%25b", "%20", "a%3cb"] {
            talk.get(&format!("{MAPS}/{name}")).await;
            talk.delete(&format!("{MAPS}/{name}")).await;
            talk.get(&format!("/api/v1/namespaces/{name}")).await;
        }
    }

    async fn bodies_of_other_kinds(talk: &mut Talk) {
        talk.post(DEPLOYMENTS, deployment()).await;
        for (kind, version) in [
            ("Status", "v1"), ("Status", "apps/v1"), ("Status", "a.example.com/v1"), ("Status", ""), ("APIGroup", "apps/v1"), ("DeleteOptions", "apps/v1"),
            ("DeleteOptions", "a.example.com/v1"), ("WatchEvent", "v1"), ("PatchOptions", "batch/v1"), ("ConfigMapList", "v1"), ("ConfigMapList", "apps/v1"),
            ("DeploymentList", "apps/v1"), ("List", "v1"), ("PartialObjectMetadata", "meta.k8s.io/v1"), ("PartialObjectMetadata", "v1"), ("Table", "meta.k8s.io/v1"),
            ("odd", "v1"), ("Secret", "v1"), ("HorizontalPodAutoscalerList", "autoscaling/v2"),
        ] {
            let mut body = json!({"kind": kind, "metadata": {"name": "one"}});
            if !version.is_empty() {
                body["apiVersion"] = version.into();
            }
            talk.post(&format!("{MAPS}?dryRun=All"), body.clone()).await;
            talk.put(&format!("{DEPLOYMENTS}/one/scale"), body.clone()).await;
            talk.send("DELETE", &format!("{MAPS}/none"), &[], Some(body)).await;
        }
    }

    async fn whole_numbers_of_patches(talk: &mut Talk) {
        talk.post(DEPLOYMENTS, deployment()).await;
        let (one, scale) = (&format!("{DEPLOYMENTS}/one?dryRun=All"), &format!("{DEPLOYMENTS}/one/scale?dryRun=All"));
        for number in ["2.0", "2.5", "20000000000", "\"2\"", "true"] {
            let patch = format!(r#"{{"spec": {{"replicas": {number}}}}}"#);
            send_text(talk, "PATCH", one, STRATEGIC, patch.as_bytes()).await;
            send_text(talk, "PATCH", scale, STRATEGIC, patch.as_bytes()).await;
            let head = r#""apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "one", "namespace": "{ns}"}"#;
            let applied = talk.fill(&format!(r#"{{{head}, "spec": {{"replicas": {number}}}}}"#));
            send_text(talk, "PATCH", &format!("{scale}&fieldManager=me&force=true"), APPLY, applied.as_bytes()).await;
        }
    }

    async fn times_that_are_none(talk: &mut Talk) {
        const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases";
        talk.post(LEASES, json!({"metadata": {"name": "one"}, "spec": {}})).await;
        for time in [
            "", "x", "20", "2020", "2020-1-1", "2020-01-01", "2020-13-01T00:00:00Z", "2020-02-30T00:00:00.000000Z", "2020-01-01 00:00:00Z", "2020-01-01T24:00:00Z",
            "2020-01-01T00:60:00Z", "2020-01-01T00:00:61Z", "2020-01-01T00:00:00", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.1Z", "2020-01-01T00:00:00.000000", "2020-01-01T00:00:00.000000Zx",
            "2020-01-01T00:00:00.000000+1:00", "2020-01-01T00:00:00x",
        ] {
            talk.patch("strategic-merge", &format!("{LEASES}/one?dryRun=All"), json!({"spec": {"renewTime": time}})).await;
            talk.post(&format!("{MAPS}?dryRun=All"), json!({"metadata": {"name": "one", "creationTimestamp": time}})).await;
        }
    }

    async fn types_that_have_names(talk: &mut Talk) {
        let tried = &format!("{PODS}?dryRun=All");
        let pod = |container: Value| {
            let mut whole = json!({"name": "main", "image": "web:1"});
            for (field, value) in container.as_object().into_iter().flatten() {
                whole[field] = value.clone();
            }
            json!({"metadata": {"name": "one"}, "spec": {"containers": [whole]}})
        };
        for odd in [json!(5), json!(true), json!(1.5), json!(["a"]), json!({"a": 1})] {
            for container in [
                json!({"imagePullPolicy": odd}), json!({"securityContext": {"capabilities": {"add": odd}}}), json!({"securityContext": {"capabilities": {"add": [odd]}}}),
                json!({"resources": {"limits": odd}}), json!({"ports": [{"containerPort": 1, "protocol": odd}]}),
            ] {
                talk.post(tried, pod(container)).await;
            }
            talk.post("/apis/storage.k8s.io/v1/storageclasses?dryRun=All", json!({"metadata": {"name": "one"}, "provisioner": "a", "volumeBindingMode": odd})).await;
            talk.post("/api/v1/namespaces/{ns}/secrets?dryRun=All", json!({"metadata": {"name": "one"}, "type": odd})).await;
            let condition = json!({"status": {"conditions": [{"status": odd}]}});
            talk.post("/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets?dryRun=All", condition).await;
        }
    }

    async fn claims_of_pods(talk: &mut Talk) {
        talk.unsaid("POST", "/api/v1/namespaces/{ns}/serviceaccounts", Some(json!({"metadata": {"name": "default"}}))).await;
        let tried = &format!("{PODS}?dryRun=All");
        for claims in [
            json!([{}]), json!([{"name": "a"}]), json!([{"resourceClaimName": "a"}]), json!([{"name": "A b", "resourceClaimName": "a"}]),
            json!([{"name": "a", "resourceClaimName": "b"}, {"name": "a", "resourceClaimTemplateName": "b"}]), json!([{"name": "a", "resourceClaimName": ""}]),
            json!([{"name": "a", "resourceClaimName": "b", "resourceClaimTemplateName": "C D"}]),
        ] {
            let mut spec = spec();
            spec["resourceClaims"] = claims;
            talk.post(tried, json!({"metadata": {"name": "one"}, "spec": spec})).await;
        }
        for used in [
            json!([{"name": "a"}]), json!([{"name": "c"}]), json!([{}]), json!([{"name": "a"}, {"name": "a"}]), json!([{"name": "a"}, {"name": "a", "request": "r"}]),
            json!([{"name": "a", "request": "r"}, {"name": "a", "request": "r"}]), json!([{"name": "a", "request": "r"}, {"name": "a"}]), json!([{"name": "a", "request": "R r"}]),
        ] {
            let mut spec = spec();
            spec["containers"][0]["resources"] = json!({"claims": used});
            talk.post(tried, json!({"metadata": {"name": "one"}, "spec": spec})).await;
            spec["resourceClaims"] = json!([{"name": "b", "resourceClaimName": "b"}, {"name": "a", "resourceClaimName": "a"}]);
            talk.post(tried, json!({"metadata": {"name": "one"}, "spec": spec})).await;
        }
    }

    async fn what_does_not_end(talk: &mut Talk) {
        for text in [
            "{{", "a: {{", "[", "- [", "{", "{a", "[a", "a: [}", "a: {]", "a:\n  b: {\n", "a:\n  b: [c\n", "a:\n  b: {c: d\ne: f\n", "metadata: {name: {{ .Values.name }}}\n",
            "metadata:\n  name: {{ .Values.name }}\n", "data:\n  a: {{\n", "[a, ", "{a: ", "[\n\n", "a: [b, {c: d]\n", "a: [b\n",
        ] {
            send_text(talk, "POST", &format!("{MAPS}?dryRun=All"), "application/yaml", text.as_bytes()).await;
        }
    }

    async fn what_was_applied_and_cannot_be_read(talk: &mut Talk) {
        const SECRETS: &str = "/api/v1/namespaces/{ns}/secrets";
        talk.prepare(SECRETS, json!({"metadata": {"name": "there"}})).await;
        for name in ["there", "new"] {
            for metadata in [json!({"name": name}), json!({"name": name, "namespace": "{ns}"}), json!({})] {
                let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"a": "b"}});
                talk.patch("apply", &format!("{SECRETS}/{name}?fieldManager=me"), secret).await;
            }
        }
    }
}
