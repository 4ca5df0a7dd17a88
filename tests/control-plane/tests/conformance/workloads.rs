//! What is refused of that which makes pods, beside the templates.

use serde_json::{Value, json};

use super::support::{Talk, with};

fn spec(more: Value) -> Value {
    let containers = json!([{"name": "main", "image": "a:1"}]);
    let template =
        json!({"metadata": {"labels": {"app": "one"}}, "spec": {"containers": containers}});
    with(
        json!({"selector": {"matchLabels": {"app": "one"}}, "template": template}),
        more,
    )
}

/// Asks for one of each, and then for the same as a change of a good one.
pub(super) async fn refused(talk: &mut Talk, path: &str, good: Value, bad: &[Value]) {
    let named = |name: &str, spec: Value| json!({"metadata": {"name": name, "labels": {"own": "a"}}, "spec": spec});
    talk.prepare(path, named("one", good.clone())).await;
    for bad in bad {
        let post = format!("{path}?dryRun=All");
        talk.post(&post, named("two", with(good.clone(), bad.clone())))
            .await;
        talk.patch(
            "merge",
            &format!("{path}/one?dryRun=All"),
            json!({"spec": bad}),
        )
        .await;
    }
}

conformance! {
    async fn deployments_that_are_refused(talk: &mut Talk) {
        let rolling = |of: Value| json!({"strategy": {"type": "RollingUpdate", "rollingUpdate": of}});
        refused(talk, "/apis/apps/v1/namespaces/{ns}/deployments", spec(json!({})), &[
            rolling(json!({"maxSurge": 0, "maxUnavailable": 0})),
            rolling(json!({"maxSurge": "0%", "maxUnavailable": "0%"})),
            rolling(json!({"maxSurge": -1, "maxUnavailable": "101%"})),
            rolling(json!({"maxSurge": "half", "maxUnavailable": 1})),
            json!({"strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}}),
            json!({"strategy": {"type": "Odd"}}),
            json!({"progressDeadlineSeconds": 5, "minReadySeconds": 5}),
            json!({"replicas": -1, "minReadySeconds": -1, "revisionHistoryLimit": -1, "progressDeadlineSeconds": -1}),
            json!({"selector": {"matchLabels": {"app": "two"}}}),
            json!({"selector": {"matchLabels": {"app": "one"}, "matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["one"]}]}}),
            json!({"selector": {"matchLabels": {"app": "one"}, "matchExpressions": [{"key": "app", "operator": "In"}]}}),
        ]).await;
    }

    async fn stateful_sets_that_are_refused(talk: &mut Talk) {
        let rolling = |of: Value| json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": of}});
        refused(talk, "/apis/apps/v1/namespaces/{ns}/statefulsets", spec(json!({})), &[
            rolling(json!({"partition": -1})),
            json!({"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}}),
            json!({"updateStrategy": {"type": "Odd"}}),
            json!({"podManagementPolicy": "Odd"}),
            json!({"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Odd"}}),
            json!({"replicas": -1, "minReadySeconds": -1, "ordinals": {"start": -1}}),
            json!({"serviceName": "Not_A_Name"}),
            json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {}}]}),
        ]).await;
    }

    async fn daemon_sets_that_are_refused(talk: &mut Talk) {
        let rolling = |of: Value| json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": of}});
        refused(talk, "/apis/apps/v1/namespaces/{ns}/daemonsets", spec(json!({})), &[
            rolling(json!({"maxUnavailable": 0})),
            rolling(json!({"maxUnavailable": 1, "maxSurge": 1})),
            rolling(json!({"maxUnavailable": "101%", "maxSurge": 0})),
            json!({"updateStrategy": {"type": "Odd"}}),
            json!({"minReadySeconds": -1, "revisionHistoryLimit": -1}),
            json!({"selector": {}}),
        ]).await;
        talk.say("and their like");
        refused(talk, "/apis/apps/v1/namespaces/{ns}/replicasets", spec(json!({})), &[json!({"replicas": -1, "minReadySeconds": -1}), json!({"selector": {"matchLabels": null}})]).await;
        refused(talk, "/api/v1/namespaces/{ns}/replicationcontrollers", spec(json!({"selector": {"app": "one"}})), &[json!({"replicas": -1, "minReadySeconds": -1})]).await;
    }

    async fn jobs_that_are_refused(talk: &mut Talk) {
        let mut template = spec(json!({}))["template"].clone();
        template["spec"]["restartPolicy"] = "OnFailure".into();
        refused(talk, "/apis/batch/v1/namespaces/{ns}/jobs", json!({"template": template}), &[
            json!({"parallelism": -1, "completions": -1, "activeDeadlineSeconds": -1, "backoffLimit": -1, "ttlSecondsAfterFinished": -1}),
            json!({"backoffLimitPerIndex": 1, "maxFailedIndexes": 1}),
            json!({"podReplacementPolicy": "Odd"}),
            json!({"podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "Lost", "status": "True"}]}]}, "podReplacementPolicy": "TerminatingOrFailed"}),
            json!({"successPolicy": {"rules": [{"succeededCount": 1}]}}),
        ]).await;
        talk.say("with indices");
        let path = "/apis/batch/v1/namespaces/{ns}/jobs?dryRun=All";
        let named = |spec: Value| json!({"metadata": {"name": "two", "labels": {"own": "a"}}, "spec": spec});
        for more in [
            json!({"completions": null, "parallelism": 1}),
            json!({"completions": 5, "parallelism": 100_001}),
            json!({"completions": 5, "backoffLimitPerIndex": 1, "maxFailedIndexes": 6}),
            json!({"completions": 5, "maxFailedIndexes": 1}),
            json!({"completionMode": "Odd"}),
            json!({"manualSelector": true}),
        ] {
            talk.post(path, named(with(json!({"template": template, "completionMode": "Indexed"}), more))).await;
        }
    }

    async fn cron_jobs_that_are_refused(talk: &mut Talk) {
        let mut template = spec(json!({}))["template"].clone();
        template["spec"]["restartPolicy"] = "OnFailure".into();
        let job = |more: Value| json!({"jobTemplate": {"spec": with(json!({"template": template}), more)}});
        let path = "/apis/batch/v1/namespaces/{ns}/cronjobs";
        let schedules = ["* * * *", "often", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 7", "5-1 * * * *", "*/0 * * * *", "1-2-3 * * * *", "1/2/3 * * * *", "x * * * *", "-1 * * * *", "@often", "TZ=UTC * * * * *"];
        let mut bad: Vec<Value> = schedules.iter().map(|schedule| json!({"schedule": schedule})).collect();
        bad.extend([json!({"schedule": ""}), json!({"timeZone": ""}), json!({"timeZone": "../x"}), json!({"timeZone": "Local"})]);
        bad.extend([
            json!({"startingDeadlineSeconds": -1, "successfulJobsHistoryLimit": -1, "failedJobsHistoryLimit": -1, "concurrencyPolicy": "Odd"}),
            job(json!({"backoffLimit": -1, "selector": {"matchLabels": {"a": "b"}}})),
            job(json!({"manualSelector": true})),
        ]);
        refused(talk, path, with(json!({"schedule": "0 0 1 jan sun-fri"}), job(json!({}))), &bad).await;
        for schedule in ["@daily", "@every 1h", "*/5,10-20/2 0 ? FEB-mar 1,2"] {
            talk.patch("merge", &format!("{path}/one?dryRun=All"), json!({"spec": {"schedule": schedule, "timeZone": "Europe/Berlin"}})).await;
        }
        let long = "x123456789x123456789x123456789x123456789x123456789x12";
        talk.post(path, json!({"metadata": {"name": long}, "spec": with(json!({"schedule": "@daily"}), job(json!({})))})).await;
    }

    async fn jobs_share_the_labels_of_their_pods(talk: &mut Talk) {
        const JOBS: &str = "/apis/batch/v1/namespaces/{ns}/jobs";
        let template = |labels: Value| {
            let mut template = spec(json!({}))["template"].clone();
            template["spec"]["restartPolicy"] = "Never".into();
            template["metadata"] = json!({"labels": labels});
            template
        };
        let job = |name: &str, labels: Value, of_pods: Value| json!({"metadata": {"name": name, "labels": labels}, "spec": {"template": template(of_pods)}});
        let app = json!({"app": "one"});
        for (name, labels, of_pods) in [
            ("shared", Value::Null, app.clone()), ("empty", json!({}), app.clone()), ("equal", app.clone(), app.clone()), ("own", json!({"a": "b"}), app.clone()),
        ] {
            talk.post(&format!("{JOBS}?dryRun=All"), job(name, labels.clone(), of_pods.clone())).await;
            talk.post(JOBS, job(name, labels, of_pods)).await;
            let one = format!("{JOBS}/{name}");
            talk.patch("json", &one, json!([{"op": "remove", "path": "/metadata/labels"}])).await;
            talk.patch("merge", &one, json!({"metadata": {"labels": {"c": "d"}}})).await;
        }
        talk.post(JOBS, job("none", Value::Null, Value::Null)).await;
        talk.say("one that is applied");
        let mut applied = job("applied", Value::Null, app);
        applied["metadata"] = json!({"name": "applied"});
        applied["apiVersion"] = "batch/v1".into();
        applied["kind"] = "Job".into();
        talk.patch("apply", &format!("{JOBS}/applied?fieldManager=one"), applied).await;
    }

    async fn sets_with_odd_counts_and_claims(talk: &mut Talk) {
        let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
        let set = with(spec(json!({})), json!({"serviceName": "one", "volumeClaimTemplates": [claim, claim]}));
        talk.post("/apis/apps/v1/namespaces/{ns}/statefulsets?dryRun=All", json!({"metadata": {"name": "one"}, "spec": set})).await;
        for (unavailable, surge) in [(json!("-1"), json!(1)), (json!(0), json!("-1")), (json!("x"), json!(1)), (json!("0"), json!("0"))] {
            let strategy = json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}});
            talk.post("/apis/apps/v1/namespaces/{ns}/daemonsets?dryRun=All", json!({"metadata": {"name": "one"}, "spec": spec(strategy)})).await;
        }
    }
}
