//! What a deletion says: in its body, or else in its query.

use serde_json::{Value, json};

use super::support::{Talk, thing_crd};

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const ONE: &str = "/api/v1/namespaces/{ns}/configmaps/one";

/// Sees to it that there is one.
async fn one(talk: &Talk) {
    let body = json!({"metadata": {"name": "one"}});
    talk.unsaid("POST", MAPS, Some(body)).await;
}

conformance! {
    async fn definitions_whatever_becomes_of_dependents(talk: &mut Talk) {
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}";
        let version = json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}});
        for options in [json!({"propagationPolicy": "Foreground"}), json!({"propagationPolicy": "Orphan"}), json!({"orphanDependents": true})] {
            talk.install(thing_crd(version.clone())).await;
            talk.delete_with(path, options).await;
            talk.until_gone(path).await;
        }
    }

    async fn options_of_other_types(talk: &mut Talk) {
        one(talk).await;
        let said = [
            json!({"gracePeriodSeconds": "x"}), json!({"gracePeriodSeconds": 1.5}), json!({"gracePeriodSeconds": true}), json!({"propagationPolicy": 3}),
            json!({"orphanDependents": "yes"}), json!({"preconditions": "x"}), json!({"preconditions": {"uid": 3}}),
            json!({"preconditions": {"resourceVersion": 3}}), json!({"dryRun": "All"}), json!({"dryRun": [1]}),
            json!({"ignoreStoreReadErrorWithClusterBreakingPotential": "x"}),
        ];
        for options in said {
            talk.delete_with(ONE, options).await;
        }
        for options in [json!({"kind": 3}), json!({"apiVersion": []}), json!([]), json!("x"), json!(3), json!({"kind": "ConfigMap", "apiVersion": "v1"})] {
            talk.send("DELETE", ONE, &[], Some(options)).await;
        }
        talk.say("what says nothing");
        for options in [Value::Null, json!({"kind": "DeleteOptions"}), json!({"apiVersion": "apps/v1"}), json!({"kind": "DeleteOptions", "apiVersion": "other/v1"}), json!({"color": 1, "gracePeriodSeconds": null})] {
            talk.send("DELETE", ONE, &[], Some(options)).await;
            one(talk).await;
        }
    }

    async fn options_in_other_formats(talk: &mut Talk) {
        for (content_type, body) in [
            ("application/yaml", "gracePeriodSeconds: x\n"), ("application/yaml", "dryRun: [All]\n"), ("application/yaml", ""), ("text/plain", "{}"),
            ("application/merge-patch+json", "{}"), ("application/json", "{"), ("application/json", " "), ("", "{\"gracePeriodSeconds\": 0}"),
        ] {
            one(talk).await;
            talk.send_raw("DELETE", ONE, &[("content-type", content_type)], body.as_bytes()).await;
        }
    }

    async fn options_in_the_query(talk: &mut Talk) {
        for query in ["gracePeriodSeconds=x", "gracePeriodSeconds=", "gracePeriodSeconds=99999999999999999999", "propagationPolicy=x", "dryRun=x", "orphanDependents=true&propagationPolicy=Orphan"] {
            one(talk).await;
            talk.delete(&format!("{ONE}?{query}")).await;
            talk.delete(&format!("{MAPS}?{query}")).await;
        }
        for query in ["gracePeriodSeconds=-1", "preconditions=x", "orphanDependents=maybe"] {
            one(talk).await;
            talk.delete(&format!("{ONE}?{query}")).await;
        }
    }

    async fn what_the_query_expects_of_the_object(talk: &mut Talk) {
        for query in ["uid=x", "resourceVersion=1", "uid=&resourceVersion=x", "uid=x&resourceVersion=1&dryRun=All"] {
            one(talk).await;
            talk.delete(&format!("{ONE}?{query}")).await;
        }
        talk.delete(&format!("{MAPS}?uid=x")).await;
        talk.delete(&format!("{MAPS}?resourceVersion=0")).await;
        talk.say("who sends a body says it all there");
        talk.send("DELETE", &format!("{ONE}?uid=x"), &[], Some(json!({"preconditions": {"resourceVersion": "7"}}))).await;
        talk.send("DELETE", &format!("{ONE}?uid=x"), &[], Some(json!({}))).await;
        one(talk).await;
        let is = talk.unsaid("GET", ONE, None).await;
        let is = |field: &str| is["metadata"][field].as_str().unwrap_or_default().to_owned();
        talk.delete(&format!("{ONE}?uid={}&resourceVersion={}", is("uid"), is("resourceVersion"))).await;
    }

    async fn a_pod_that_is_given_time_may_be_changed(talk: &mut Talk) {
        let pods = "/api/v1/namespaces/{ns}/pods";
        let pod = |name: &str, more: Value| json!({"metadata": more, "spec": {"nodeName": "none", "containers": [{"name": "a", "image": name}]}});
        let named = |name: &str| pod(name, json!({"name": name}));
        let held = pod("held", json!({"name": "held", "finalizers": ["example.com/held"]}));
        for pod in [named("one"), held] {
            talk.prepare(pods, pod).await;
        }
        talk.say("while its time runs");
        talk.delete(&format!("{pods}/one")).await;
        talk.patch("merge", &format!("{pods}/one"), json!({})).await;
        talk.patch("strategic-merge", &format!("{pods}/one"), json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.patch("strategic-merge", &format!("{pods}/one/status"), json!({"status": {"phase": "Running"}})).await;
        talk.say("and is not asked for again");
        talk.delete(&format!("{pods}/one")).await;
        talk.delete(&format!("{pods}/one?propagationPolicy=Orphan")).await;
        talk.delete(&format!("{pods}/one?gracePeriodSeconds=300")).await;
        talk.say("but may get shorter");
        talk.delete(&format!("{pods}/one?gracePeriodSeconds=7")).await;
        talk.get(&format!("{pods}/one")).await;
        talk.delete(&format!("{pods}/one?gracePeriodSeconds=0")).await;
        talk.get(&format!("{pods}/one")).await;
        talk.say("without its finalizer");
        talk.delete(&format!("{pods}/held")).await;
        talk.patch("merge", &format!("{pods}/held"), json!({"metadata": {"finalizers": null}})).await;
        talk.get(&format!("{pods}/held")).await;
        talk.delete(&format!("{pods}/held?gracePeriodSeconds=0")).await;
    }

    async fn a_pod_whose_dependents_are_gone_has_its_time(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        let pods = "/api/v1/namespaces/{ns}/pods";
        talk.prepare(pods, json!({"metadata": {"name": "one"}, "spec": {"nodeName": "none", "containers": [{"name": "a", "image": "b"}]}})).await;
        talk.delete(&format!("{pods}/one?propagationPolicy=Foreground")).await;
        talk.get_until(&format!("{pods}/one"), |_, value| value["metadata"]["finalizers"].is_null()).await;
        talk.delete(&format!("{pods}/one?gracePeriodSeconds=0")).await;
        talk.get(&format!("{pods}/one")).await;
    }

    async fn jobs_that_are_deleted_together(talk: &mut Talk) {
        for query in ["", "?propagationPolicy=Background", "?dryRun=All"] {
            talk.delete(&format!("/apis/batch/v1/namespaces/{{ns}}/jobs{query}")).await;
        }
    }

    async fn mistakes_of_options_come_together_and_in_turn(talk: &mut Talk) {
        talk.prepare("/api/v1/namespaces/{ns}/pods", json!({"metadata": {"name": "one"}, "spec": {"containers": [{"name": "a", "image": "b"}]}})).await;
        for query in [
            "propagationPolicy=", "propagationPolicy=No&dryRun=No", "propagationPolicy=No&orphanDependents=true&dryRun=All&dryRun=", "orphanDependents=false&propagationPolicy=Orphan", "gracePeriodSeconds=a&dryRun=No",
        ] {
            talk.delete(&format!("{ONE}?{query}")).await;
        }
        talk.delete_with(ONE, json!({"propagationPolicy": "", "orphanDependents": true, "dryRun": [null, "All"]})).await;
        for query in [
            "dryRun=No&timeoutSeconds=a", "dryRun=No&limit=a&timeoutSeconds=b", "dryRun=No&fieldSelector=a", "dryRun=No&fieldSelector=a=b&resourceVersionMatch=Exact", "dryRun=No&fieldSelector=a=b", "dryRun=No&resourceVersion=a", "gracePeriodSeconds=a&resourceVersion=b",
        ] {
            talk.delete(&format!("{MAPS}?{query}")).await;
        }
        for query in ["limit=a&timeoutSeconds=b", "fieldSelector=a=b&resourceVersionMatch=Exact", "fieldSelector=a&resourceVersionMatch=Exact", "fieldSelector=a=b&resourceVersion=c"] {
            talk.get(&format!("{MAPS}?{query}")).await;
        }
        for (query, dry_run) in [("?dryRun=All", json!([""])), ("?dryRun=All", json!(["All", "All"])), ("?dryRun=All", json!(["All"])), ("", json!(["No"]))] {
            let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "one"}, "deleteOptions": {"dryRun": dry_run}});
            talk.post(&format!("/api/v1/namespaces/{{ns}}/pods/one/eviction{query}"), eviction).await;
        }
    }

    async fn less_time_than_none(talk: &mut Talk) {
        let pod = |name: &str| json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "main", "image": "a:1"}], "nodeName": "of-nobody"}});
        for (name, query, options) in [("one", "?gracePeriodSeconds=-1", None), ("two", "", Some(json!({"gracePeriodSeconds": -30})))] {
            let path = &format!("/api/v1/namespaces/{{ns}}/pods/{name}");
            talk.prepare("/api/v1/namespaces/{ns}/pods", pod(name)).await;
            talk.send("DELETE", &format!("{path}{query}"), &[], options).await;
            talk.delete_with(path, json!({"gracePeriodSeconds": 0})).await;
        }
        let path = "/api/v1/namespaces/{ns}/pods/three";
        talk.prepare("/api/v1/namespaces/{ns}/pods", pod("three")).await;
        talk.post(&format!("{path}/eviction"), json!({"metadata": {"name": "three"}, "deleteOptions": {"gracePeriodSeconds": -1}})).await;
        talk.get(path).await;
        talk.unsaid("DELETE", path, Some(json!({"gracePeriodSeconds": 0}))).await;
    }

    async fn evictions_with_options_that_are_none(talk: &mut Talk) {
        let (pods, budgets) = ("/api/v1/namespaces/{ns}/pods", "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets");
        talk.prepare(pods, json!({"metadata": {"name": "kept", "labels": {"a": "b"}}, "spec": {"containers": [{"name": "main", "image": "a:1"}], "nodeName": "of-nobody"}})).await;
        talk.patch_unsaid("merge", &format!("{pods}/kept/status"), json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}})).await;
        talk.prepare(budgets, json!({"metadata": {"name": "one"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}})).await;
        talk.patch_unsaid("merge", &format!("{budgets}/one/status"), json!({"status": {"observedGeneration": 1, "disruptionsAllowed": 1, "currentHealthy": 2, "desiredHealthy": 1, "expectedPods": 2}})).await;
        let evict = |name: &str, options: Value| json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}, "deleteOptions": options});
        for options in [json!({"dryRun": ["None"]}), json!({"propagationPolicy": "Odd", "dryRun": ["All"]}), json!({"propagationPolicy": "Odd"}), json!({"propagationPolicy": "Odd"})] {
            talk.post(&format!("{pods}/kept/eviction"), evict("kept", options)).await;
            talk.get(&format!("{pods}/kept")).await;
            talk.get(&format!("{budgets}/one")).await;
        }
        talk.post(&format!("{pods}/other/eviction"), evict("other", json!({"propagationPolicy": "Odd"}))).await;
    }
}
