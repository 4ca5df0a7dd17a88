//! What a strategic merge patch says of how it is to be merged, where there is something to be merged and where not.

use serde_json::{Value, json};

use super::support::Talk;

const ONE: &str = "/apis/apps/v1/namespaces/{ns}/deployments/one";

fn of_pods(spec: Value) -> Value {
    json!({"spec": {"template": {"spec": spec}}})
}

async fn deploy(talk: &mut Talk) {
    talk.prepare("/apis/apps/v1/namespaces/{ns}/deployments", json!({"metadata": {"name": "one"}, "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "one", "image": "x"}]}},
    }})).await;
}

conformance! {
    async fn keys_that_are_retained(talk: &mut Talk) {
        deploy(talk).await;
        talk.say("As kubectl says that there is another strategy");
        for strategy in [
            json!({"$retainKeys": ["type"], "type": "Recreate", "rollingUpdate": null}),
            json!({"$retainKeys": ["type", "rollingUpdate"], "type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2}}),
            json!({"$retainKeys": ["type"], "type": "Recreate", "rollingUpdate": {"maxSurge": 1}}),
            json!({"$retainKeys": ["type"], "type": "Recreate", "$patch": "merge"}),
            json!({"$retainKeys": "type", "type": "Recreate"}),
        ] {
            talk.patch("strategic-merge", ONE, json!({"spec": {"strategy": strategy}})).await;
        }
        talk.patch("strategic-merge", ONE, json!({"metadata": {"annotations": {"b": "1", "$retainKeys": ["b"]}}})).await;
    }

    async fn directives_without_anything_to_merge(talk: &mut Talk) {
        deploy(talk).await;
        for spec in [
            json!({"affinity": {"podAffinity": {"$setElementOrder/x": [1]}}}),
            json!({"affinity": {"podAffinity": {"$deleteFromPrimitiveList/y": [1]}}}),
            json!({"affinity": {"podAffinity": {"$retainKeys": ["a"], "$patch": "delete"}}}),
            json!({"containers": [{"name": "two", "image": "x", "env": [{"name": "A", "$patch": "delete"}, {"name": "B"}]}]}),
            json!({"containers": [{"name": "three", "image": "x", "env": [{"name": "A"}], "$setElementOrder/env": [{"name": "A"}], "args": null}]}),
            json!({"containers": [{"$patch": "replace"}, {"name": "four", "image": "x", "$retainKeys": ["name"]}]}),
            json!({"containers": [{"$patch": "replace"}, {"image": "x"}]}),
            json!({"containers": [{"name": null, "image": "z"}, {"name": "four", "image": "q"}]}),
            json!({"volumes": [{"name": "v", "emptyDir": {"$patch": "delete"}}]}),
            json!({"hostAliases": [{"ip": "1.1.1.1", "hostnames": ["a"], "$deleteFromPrimitiveList/hostnames": ["a"]}]}),
        ] {
            talk.patch("strategic-merge", ONE, of_pods(spec)).await;
        }
    }

    async fn unknown_fields_of_what_is_refused(talk: &mut Talk) {
        deploy(talk).await;
        let odd = |metadata: Value| json!({"metadata": metadata, "odd": 1, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {
            "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "one", "image": "x", "odd": 1}]},
        }}});
        talk.put(ONE, odd(json!({"name": "one", "resourceVersion": "1"}))).await;
        talk.put(ONE, odd(json!({"name": "two"}))).await;
        talk.put(ONE, odd(json!({"name": "one", "uid": "a"}))).await;
        talk.post("/apis/apps/v1/namespaces/{ns}/deployments", odd(json!({"name": "one", "namespace": "other"}))).await;
        let mut patch = odd(json!({"resourceVersion": "1"}));
        talk.patch("merge", ONE, patch.clone()).await;
        patch["metadata"] = json!({"name": "two"});
        talk.patch("merge", ONE, patch).await;
        let scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "odd": 1, "metadata": {"name": "one"}, "spec": {"replicas": 2}});
        talk.put(&format!("{ONE}/scale"), scale).await;
        talk.patch("merge", &format!("{ONE}/scale"), json!({"odd": 1, "spec": {"replicas": 3, "odd": 1}})).await;
        talk.post("/apis/apps/v1/namespaces/{ns}/deployments", json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "one"}})).await;
        talk.patch("json", &format!("{ONE}/scale"), json!([{"op": "replace", "path": "/metadata/namespace", "value": "other"}])).await;
    }

    async fn scales_warn_of_what_they_scale(talk: &mut Talk) {
        talk.prepare("/apis/apps/v1/namespaces/{ns}/deployments", json!({"metadata": {"name": "one"}, "spec": {
            "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {
                "containers": [{"name": "one", "image": "x", "ports": [{"containerPort": 80}, {"containerPort": 80}]}],
            }},
        }})).await;
        let scale = |replicas: usize| json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "one"}, "spec": {"replicas": replicas}});
        talk.put(&format!("{ONE}/scale"), scale(2)).await;
        talk.patch("merge", &format!("{ONE}/scale"), json!({"spec": {"replicas": 3}})).await;
        talk.say("Where nobody owns anything, the number was there before");
        talk.patch("merge", ONE, json!({"metadata": {"managedFields": [{}]}})).await;
        talk.patch("apply", &format!("{ONE}/scale?fieldManager=two"), scale(4)).await;
        talk.patch("apply", &format!("{ONE}/scale?fieldManager=two"), scale(3)).await;
        talk.get(ONE).await;
    }

    async fn orders_that_are_none(talk: &mut Talk) {
        deploy(talk).await;
        let template = |spec: Value| json!({"spec": {"template": {"spec": spec}}});
        let changed = json!([{"name": "a", "image": "changed"}]);
        for order in [json!([5]), json!([{"x": "x"}]), json!([]), json!(["a"]), json!("x"), json!([{"name": "other"}])] {
            talk.patch("strategic", &format!("{ONE}?dryRun=All"), template(json!({"$setElementOrder/containers": order, "containers": changed}))).await;
        }
        for spec in [
            json!({"$setElementOrder/nodeSelector": [{"x": "x"}]}), json!({"$setElementOrder/containers": [{"name": "a"}], "containers": {}}), json!({"$setElementOrder/restartPolicy": ["a"]}),
        ] {
            talk.patch("strategic", &format!("{ONE}?dryRun=All"), template(spec)).await;
        }
    }

    async fn a_selector_that_is_replaced(talk: &mut Talk) {
        const BUDGETS: &str = "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets";
        talk.prepare(BUDGETS, json!({"metadata": {"name": "one"}, "spec": {"selector": {"matchLabels": {"a": "b"}}}})).await;
        for selector in [json!({"matchLabels": {"c": "d"}}), json!({"matchLabels": {"e": null, "f": "g"}}), json!({"$patch": "delete"}), json!(null)] {
            talk.patch("strategic", &format!("{BUDGETS}/one"), json!({"spec": {"selector": selector}})).await;
        }
    }
}
