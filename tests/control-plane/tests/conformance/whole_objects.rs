//! Whole objects within custom resources.

use serde_json::{Value, json};

use super::support::Talk;

const HOLDERS: &str = "/apis/{group}/v1/namespaces/{ns}/holders";

async fn install(talk: &Talk) {
    let open = json!({"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true});
    let closed = json!({"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}}});
    let spec = json!({"type": "object", "properties": {
        "one": open, "closed": closed, "many": {"type": "array", "items": open}, "map": {"type": "object", "additionalProperties": open},
    }});
    let schema = json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}});
    talk.install(json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "holders.{group}"}, "spec": {
        "group": "{group}", "scope": "Namespaced", "names": {"plural": "holders", "singular": "holder", "kind": "Holder"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
    }})).await;
}

fn holder(spec: Value) -> Value {
    json!({"apiVersion": "{group}/v1", "kind": "Holder", "metadata": {"name": "one"}, "spec": spec})
}

fn pod(metadata: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata})
}

conformance! {
    async fn metadata_of_whole_objects(talk: &mut Talk) {
        install(talk).await;
        let owner = |name: &str| json!({"apiVersion": "v1", "kind": "Pod", "name": name, "uid": "a", "controller": true});
        for metadata in [
            json!({"name": ".."}), json!({"name": "a/b"}), json!({"name": "a%b"}), json!({"name": "A_b"}), json!({"name": "", "creationTimestamp": null, "generation": 0}),
            json!({"generateName": "a/"}), json!({"generateName": ".."}), json!({"namespace": "x.y"}), json!({"namespace": "A"}), json!({"generation": -1}),
            json!({"labels": {"a b": "c"}}), json!({"labels": {"a": "c d"}}), json!({"annotations": {"a b": "c"}}), json!({"finalizers": ["a"]}), json!({"finalizers": ["a b"]}),
            json!({"finalizers": ["orphan", "foregroundDeletion"]}), json!({"ownerReferences": [{}]}), json!({"ownerReferences": [owner("a"), owner("b")]}),
            json!({"managedFields": [{}]}), json!({"managedFields": [{"manager": "a", "operation": "Odd", "fieldsType": "Odd"}]}), json!({"uid": 1}), json!({"name": 1}),
            json!({"deletionGracePeriodSeconds": 0, "deletionTimestamp": "2020-01-01T00:00:00Z", "resourceVersion": "x", "selfLink": "x"}), json!("text"),
        ] {
            talk.post(&format!("{HOLDERS}?dryRun=All"), holder(json!({"one": pod(metadata)}))).await;
        }
    }

    async fn where_whole_objects_are(talk: &mut Talk) {
        install(talk).await;
        let called = |version: Value, kind: Value| json!({"apiVersion": version, "kind": kind});
        let long = "a".repeat(64);
        // One mistake each: of more, any may come first.
        for whole in [
            json!({}), called("".into(), "Pod".into()), called("v1".into(), "".into()), called("a/b/c".into(), "Pod".into()), called("v1".into(), "A b".into()),
            called("v1".into(), long.into()), called("v1".into(), 1.into()), pod(json!({"name": ".."})),
        ] {
            for spec in [json!({"closed": whole}), json!({"many": [pod(json!({})), whole]}), json!({"map": {"a": whole}})] {
                talk.post(&format!("{HOLDERS}?dryRun=All"), holder(spec)).await;
            }
        }
    }

    async fn unknown_fields_of_whole_objects(talk: &mut Talk) {
        install(talk).await;
        let odd = json!({"name": "a", "zz": 1, "aa": 2, "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "a", "odd": 1}]});
        let mut closed = pod(odd.clone());
        closed["zz"] = 1.into();
        closed["spec"] = json!({"zz": 1});
        let mut object = holder(json!({"zz": 1, "aa": 1, "one": pod(odd.clone()), "closed": closed, "many": [pod(odd.clone()), pod(odd.clone())], "map": {"a": pod(odd)}}));
        object["zz"] = 1.into();
        object["aa"] = 1.into();
        object["metadata"]["zz"] = 1.into();
        for how in ["Strict", "Warn", "Ignore"] {
            talk.post(&format!("{HOLDERS}?dryRun=All&fieldValidation={how}"), object.clone()).await;
        }
    }

    async fn updates_of_whole_objects(talk: &mut Talk) {
        install(talk).await;
        talk.post(HOLDERS, holder(json!({"one": pod(json!({"name": "a", "labels": {}}))}))).await;
        let one = &format!("{HOLDERS}/one");
        for metadata in [json!({"name": ".."}), json!({"labels": {"a b": "c"}}), json!({"name": "b"})] {
            talk.patch("merge", one, json!({"spec": {"one": {"metadata": metadata}}})).await;
            talk.patch("apply", &format!("{one}?fieldManager=me&force=true"), holder(json!({"one": pod(metadata)}))).await;
        }
    }

    async fn whole_objects_that_cannot_be_read(talk: &mut Talk) {
        install(talk).await;
        talk.post(HOLDERS, holder(json!({"one": pod(json!({"name": "a"}))}))).await;
        let untold = |name: &str| json!({"apiVersion": "v1", "kind": "Pod", name: null});
        let mut odd = vec![untold("metadata"), untold("apiVersion"), untold("kind"), json!({"apiVersion": 5, "kind": "Pod"})];
        odd.extend([json!({"name": null, "labels": null}), json!({"creationTimestamp": "x"}), json!({"deletionTimestamp": ""}), json!({"labels": {"a": 5}})].map(pod));
        for (at, whole) in odd.into_iter().enumerate() {
            let mut object = holder(json!({"one": whole, "closed": {"spec": {"a": "b"}}}));
            let name = format!("odd-{at}");
            object["metadata"]["name"] = name.as_str().into();
            talk.post(HOLDERS, object.clone()).await;
            talk.patch("apply", &format!("{HOLDERS}/{name}-applied?fieldManager=me"), { object["metadata"]["name"] = format!("{name}-applied").into(); object.clone() }).await;
            object["spec"]["closed"] = Value::Null;
            object["spec"]["map"] = json!({"a": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "b"}}});
            talk.patch("apply", &format!("{HOLDERS}/{name}-applied?fieldManager=me"), object).await;
        }
    }

    async fn kinds_of_whole_objects_that_are_no_text(talk: &mut Talk) {
        install(talk).await;
        for closed in [json!({"apiVersion": {"a": 1}, "kind": "Pod"}), json!({"apiVersion": "v1", "kind": [1, {"b": 2}]}), json!({"apiVersion": {"a": 1}, "kind": "Pod", "zz": 1})] {
            for validation in ["Strict", "Warn"] {
                talk.post(&format!("{HOLDERS}?dryRun=All&fieldValidation={validation}"), holder(json!({"closed": closed}))).await;
            }
        }
    }
}
