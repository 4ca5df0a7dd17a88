//! Who owns fields of kinds that have more than one version.

use serde_json::{Value, json};

use super::support::Talk;

const STORED: &str = "/apis/{group}/v1/namespaces/{ns}/gadgets/one";
const OTHER: &str = "/apis/{group}/v2/namespaces/{ns}/gadgets/one";
const OLDER_SCALER: &str = "/apis/autoscaling/v1/namespaces/{ns}/horizontalpodautoscalers/one";
const NEWER_SCALER: &str = "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers/one";

/// Parts are owned one by one in the version that is stored, and together in the other.
async fn install(talk: &mut Talk) {
    let version = |name: &str, stored: bool, of_list: Value| {
        let mut parts = json!({"type": "array", "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "size": {"type": "integer"}}}});
        if let (Some(parts), Some(more)) = (parts.as_object_mut(), of_list.as_object()) {
            parts.extend(more.clone());
        }
        let labels = json!({"type": "object", "additionalProperties": {"type": "string"}, "x-kubernetes-map-type": if stored { "granular" } else { "atomic" }});
        let both = json!({"type": "object", "properties": {"parts": parts, "labels": labels, "note": {"type": "string"}}});
        json!({
            "name": name, "served": true, "storage": stored, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": both, "status": both}}},
        })
    };
    let by_name = json!({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]});
    talk.install(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "gadgets.{group}"},
        "spec": {
            "group": "{group}", "scope": "Namespaced", "names": {"plural": "gadgets", "kind": "Gadget"},
            "versions": [version("v1", true, by_name), version("v2", false, json!({"x-kubernetes-list-type": "atomic"}))],
        },
    }))
    .await;
}

fn gadget(version: &str, fields: Value) -> Value {
    let mut gadget = json!({"apiVersion": format!("{{group}}/{version}"), "kind": "Gadget", "metadata": {"name": "one"}});
    if let (Some(gadget), Some(fields)) = (gadget.as_object_mut(), fields.as_object()) {
        gadget.extend(fields.clone());
    }
    gadget
}

async fn apply(talk: &mut Talk, path: &str, manager: &str, object: Value) {
    talk.patch("apply", &format!("{path}?fieldManager={manager}"), object)
        .await;
}

conformance! {
    async fn another_version_forgets_who_owns_a_status(talk: &mut Talk) {
        install(talk).await;
        apply(talk, STORED, "a", gadget("v1", json!({"spec": {"note": "x"}}))).await;
        apply(talk, &format!("{STORED}/status"), "b", gadget("v1", json!({"status": {"note": "y", "parts": [{"name": "p"}]}}))).await;
        talk.say("in its own version a status is left alone");
        let seen = talk.get(STORED).await.body["metadata"]["resourceVersion"].clone();
        let mut without = gadget("v1", json!({"spec": {"note": "x"}}));
        without["metadata"]["resourceVersion"] = seen;
        let seen = talk.put(&format!("{STORED}?fieldManager=c"), without).await.body["metadata"]["resourceVersion"].clone();
        talk.say("in the other it is left as well, and nobody owns it");
        let mut without = gadget("v2", json!({"spec": {"note": "x"}}));
        without["metadata"]["resourceVersion"] = seen;
        talk.put(&format!("{OTHER}?fieldManager=c"), without).await;
        apply(talk, &format!("{OTHER}/status"), "b", gadget("v2", json!({"status": {"note": "z"}}))).await;
        talk.patch("merge", &format!("{OTHER}/status?fieldManager=d"), json!({"spec": {"note": "not written"}, "status": {"labels": {"k": "v"}}})).await;
    }

    async fn lists_are_of_other_types_in_another_version(talk: &mut Talk) {
        install(talk).await;
        let parts = |parts: Value| json!({"spec": {"parts": parts, "labels": {"k": "v"}}});
        apply(talk, STORED, "a", gadget("v1", parts(json!([{"name": "p", "size": 1}])))).await;
        talk.say("the whole list is somebody else's there, and so is the map");
        apply(talk, OTHER, "b", gadget("v2", parts(json!([{"name": "p", "size": 1}, {"name": "q"}])))).await;
        apply(talk, OTHER, "b", gadget("v2", json!({"spec": {"labels": {"k": "other"}}}))).await;
        apply(talk, OTHER, "b&force=true", gadget("v2", parts(json!([{"name": "q", "size": 2}])))).await;
        apply(talk, STORED, "a", gadget("v1", parts(json!([{"name": "q", "size": 3}])))).await;
        apply(talk, STORED, "c", gadget("v1", parts(json!([{"name": "r", "size": 3}])))).await;
        talk.patch("merge", &format!("{STORED}?fieldManager=d"), json!({"spec": {"labels": {"l": "w"}}})).await;
        talk.patch("merge", &format!("{OTHER}?fieldManager=d"), json!({"spec": {"labels": {"l": "u"}}})).await;
    }

    async fn what_was_applied_in_another_version_is_given_up(talk: &mut Talk) {
        install(talk).await;
        apply(talk, STORED, "a", gadget("v1", json!({"spec": {"parts": [{"name": "p", "size": 1}, {"name": "q"}], "labels": {"k": "v", "l": "w"}, "note": "x"}}))).await;
        apply(talk, STORED, "b", gadget("v1", json!({"spec": {"parts": [{"name": "q"}], "labels": {"l": "w"}}}))).await;
        apply(talk, OTHER, "a", gadget("v2", json!({"spec": {"note": "x"}}))).await;
        apply(talk, OTHER, "a", gadget("v2", json!({"spec": {"labels": {"l": "w"}}}))).await;
        apply(talk, STORED, "a", gadget("v1", json!({"spec": {}}))).await;
        apply(talk, OTHER, "b", gadget("v2", json!({"spec": {}}))).await;
    }

    async fn autoscalers_are_applied_in_both_versions(talk: &mut Talk) {
        let scaler = |version: &str, more: Value| {
            let mut scaler = json!({"apiVersion": format!("autoscaling/{version}"), "kind": "HorizontalPodAutoscaler", "metadata": {"name": "one"}, "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}}});
            if let (Some(spec), Some(more)) = (scaler["spec"].as_object_mut(), more.as_object()) {
                spec.extend(more.clone());
            }
            scaler
        };
        apply(talk, OLDER_SCALER, "a", scaler("v1", json!({"maxReplicas": 3, "minReplicas": 2, "targetCPUUtilizationPercentage": 50}))).await;
        apply(talk, NEWER_SCALER, "b", scaler("v2", json!({"behavior": {"scaleUp": {"stabilizationWindowSeconds": 5}}}))).await;
        talk.say("what is gone in one version is a zero in the other, and is kept for that");
        apply(talk, NEWER_SCALER, "a", scaler("v2", json!({"minReplicas": 2}))).await;
        apply(talk, OLDER_SCALER, "a", scaler("v1", json!({}))).await;
        apply(talk, NEWER_SCALER, "b", scaler("v2", json!({"metrics": [{"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 50}}}]}))).await;
        talk.patch("merge", &format!("{OLDER_SCALER}?fieldManager=c"), json!({"metadata": {"annotations": {"x": "y"}}, "spec": {"maxReplicas": 4}})).await;
        let metrics = json!([{"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 60}}}]);
        talk.put(&format!("{NEWER_SCALER}/status?fieldManager=d"), scaler("v2", json!({"maxReplicas": 9, "metrics": metrics}))).await;
    }

    async fn an_apply_that_changes_nothing_meets_no_defaults(talk: &mut Talk) {
        let version = |name: &str, stored: bool, more: Value| {
            let mut fields = json!({"note": {"type": "string", "default": "n"}, "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}});
            if let (Some(fields), Some(more)) = (fields.as_object_mut(), more.as_object()) {
                fields.extend(more.clone());
            }
            let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}});
            json!({"name": name, "served": true, "storage": stored, "schema": {"openAPIV3Schema": schema}})
        };
        talk.install(json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "gadgets.{group}"},
            "spec": {
                "group": "{group}", "scope": "Namespaced", "names": {"plural": "gadgets", "kind": "Gadget"},
                "versions": [version("v1", true, json!({})), version("v2", false, json!({"extra": {"type": "string", "default": "e"}}))],
            },
        }))
        .await;
        apply(talk, STORED, "a", gadget("v1", json!({"spec": {"set": ["x", "y"]}}))).await;
        apply(talk, OTHER, "b", gadget("v2", json!({}))).await;
        apply(talk, OTHER, "b", gadget("v2", json!({"spec": {}}))).await;
        apply(talk, OTHER, "b", gadget("v2", json!({"spec": {"set": ["x"]}}))).await;
        apply(talk, OTHER, "b", gadget("v2", json!({"spec": {"set": ["y", "x"]}}))).await;
        apply(talk, OTHER, "c", gadget("v2", json!({"spec": {"extra": "f"}}))).await;
        apply(talk, STORED, "a", gadget("v1", json!({"spec": {"set": ["x", "y"]}}))).await;
    }

    async fn only_some_versions_can_be_scaled(talk: &mut Talk) {
        let number = json!({"type": "object", "properties": {"replicas": {"type": "integer"}, "wanted": {"type": "integer"}}});
        let schema = json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": number, "status": number}}});
        let version = |name: &str, place: Option<&str>| {
            let scale = place.map(|place| json!({"specReplicasPath": place, "statusReplicasPath": ".status.replicas"}));
            json!({"name": name, "served": true, "storage": name == "v1", "schema": schema, "subresources": {"scale": scale, "status": {}}})
        };
        talk.install(json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "gadgets.{group}"},
            "spec": {
                "group": "{group}", "scope": "Namespaced", "names": {"plural": "gadgets", "kind": "Gadget"},
                "versions": [version("v1", Some(".spec.replicas")), version("v2", None), version("v3", Some(".spec.wanted"))],
            },
        }))
        .await;
        let both = || json!({"spec": {"replicas": 1, "wanted": 2}});
        apply(talk, STORED, "a", gadget("v1", json!({"spec": {"replicas": 1}}))).await;
        apply(talk, OTHER, "b", gadget("v2", both())).await;
        apply(talk, "/apis/{group}/v3/namespaces/{ns}/gadgets/one", "c", gadget("v3", both())).await;
        talk.get(&format!("{OTHER}/scale")).await;
        for (replicas, version) in [(3, "v1"), (3, "v1"), (4, "v3"), (0, "v3"), (5, "v1"), (5, "v3")] {
            let path = format!("/apis/{{group}}/{version}/namespaces/{{ns}}/gadgets/one");
            talk.patch("merge", &format!("{path}/scale?fieldManager=d"), json!({"spec": {"replicas": replicas}})).await;
            talk.get(&path).await;
        }
    }

    async fn scaling_in_one_version_what_another_owns(talk: &mut Talk) {
        let number = json!({"type": "object", "properties": {"replicas": {"type": "integer", "default": 1}, "note": {"type": "string"}}});
        let schema = json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": number, "status": number}}});
        let scale = json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"});
        let version = |name: &str| json!({"name": name, "served": true, "storage": name == "v1", "schema": schema, "subresources": {"scale": scale, "status": {}}});
        talk.install(json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "gadgets.{group}"},
            "spec": {"group": "{group}", "scope": "Namespaced", "names": {"plural": "gadgets", "kind": "Gadget"}, "versions": [version("v1"), version("v2")]},
        }))
        .await;
        for (name, made, scaled) in [("a", "v2", "v1"), ("b", "v1", "v2"), ("c", "v1", "v1")] {
            let all = |version: &str| format!("/apis/{{group}}/{version}/namespaces/{{ns}}/gadgets");
            let one = &format!("{}/{name}", all(scaled));
            let gadget = json!({"apiVersion": format!("{{group}}/{made}"), "kind": "Gadget", "metadata": {"name": name}, "spec": {}});
            talk.post(&format!("{}?fieldManager=m", all(made)), gadget).await;
            for replicas in [1, 6, 6, 0, 7] {
                talk.patch("merge", &format!("{one}/scale?fieldManager=h"), json!({"spec": {"replicas": replicas}})).await;
                talk.get_picked(one, &[], |one| one["metadata"]["managedFields"].clone()).await;
            }
            let scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": name}, "spec": {"replicas": 9}});
            talk.patch("apply", &format!("{}/{name}/scale?fieldManager=x", all(made)), scale).await;
        }
    }
}
