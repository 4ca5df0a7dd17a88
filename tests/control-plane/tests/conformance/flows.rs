//! Flow control: which priority level a flow has, and what stays as it is.

use serde_json::{Value, json};

use super::support::Talk;

const FLOWS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas";
const LEVELS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations";

/// Whether the schema is there and its level is, or is not.
fn dangles(object: &Value, status: &str) -> bool {
    object["status"]["conditions"][0]["status"] == status
}

conformance! {
    async fn schemas_say_whether_their_level_is_there(talk: &mut Talk) {
        let schema = json!({"metadata": {"name": "{ns}"}, "spec": {"priorityLevelConfiguration": {"name": "{ns}"}, "matchingPrecedence": 9000, "rules": []}});
        talk.prepare(FLOWS, schema).await;
        let one = format!("{FLOWS}/{{ns}}");
        talk.get_until(&one, |code, schema| code == 200 && dangles(schema, "True")).await;
        let level = json!({"metadata": {"name": "{ns}"}, "spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 1, "limitResponse": {"type": "Reject"}}}});
        talk.prepare(LEVELS, level).await;
        talk.get_until(&one, |code, schema| code == 200 && dangles(schema, "False")).await;
        talk.unsaid("DELETE", &format!("{LEVELS}/{{ns}}"), None).await;
        talk.get_until(&one, |code, schema| code == 200 && dangles(schema, "True")).await;
    }

    /// What comes with a server, and what is written, in the order of their precedence.
    async fn answers_say_under_which_schema_they_fall(talk: &mut Talk) {
        let user = |name: &str| json!({"kind": "User", "user": {"name": format!("{name}.{{ns}}")}});
        let configs = json!({"verbs": ["get", "list", "watch"], "apiGroups": [""], "resources": ["configmaps", "pods/log", "pods/eviction"], "namespaces": ["{ns}"]});
        let everywhere = json!({"verbs": ["*"], "apiGroups": ["apps", "nope"], "resources": ["*"], "clusterScope": true});
        let paths = json!({"verbs": ["get"], "nonResourceURLs": ["/version", "/nope/*", "/healthz"]});
        let account = json!({"kind": "ServiceAccount", "serviceAccount": {"namespace": "{ns}", "name": "one"}});
        let accounts = json!({"kind": "ServiceAccount", "serviceAccount": {"namespace": "{ns}", "name": "*"}});
        let group = json!({"kind": "Group", "group": {"name": "group.{ns}"}});
        let rules = json!([
            {"subjects": [user("jane"), group, account], "resourceRules": [configs, everywhere], "nonResourceRules": [paths]},
            {"subjects": [user("joe")], "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"]}]},
        ]);
        let spec = |level: &str, precedence: u32, rules: &Value| json!({"priorityLevelConfiguration": {"name": level}, "matchingPrecedence": precedence, "rules": rules});
        let of_accounts = json!([{"subjects": [accounts], "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": true, "namespaces": ["*"]}]}]);
        for (name, spec) in [("{ns}-none", spec("{ns}-nowhere", 50, &rules)), ("{ns}-one", spec("workload-low", 100, &rules)), ("{ns}-two", spec("global-default", 100, &rules)), ("{ns}-accounts", spec("workload-high", 150, &of_accounts))] {
            talk.prepare(FLOWS, json!({"metadata": {"name": name}, "spec": spec})).await;
        }
        let (jane, joe, other) = (("impersonate-user", "jane.{ns}"), ("impersonate-user", "joe.{ns}"), ("impersonate-user", "other.{ns}"));
        let (one, two) = (("impersonate-user", "system:serviceaccount:{ns}:one"), ("impersonate-user", "system:serviceaccount:{ns}:two"));
        let member = ("impersonate-group", "group.{ns}");
        talk.until_under("/version", jane, "{ns}-one").await;
        talk.until_under("/api/v1/nodes", two, "{ns}-accounts").await;
        for (method, path) in [
            ("GET", "/api/v1/namespaces/{ns}/configmaps"), ("GET", "/api/v1/namespaces/{ns}/configmaps?watch=true&timeoutSeconds=1"), ("POST", "/api/v1/namespaces/{ns}/configmaps"), ("GET", "/api/v1/namespaces/{ns}/secrets"),
            ("GET", "/api/v1/configmaps"), ("GET", "/api/v1/namespaces/other/configmaps"), ("GET", "/api/v1/namespaces/{ns}/pods/one/log"), ("GET", "/api/v1/namespaces/{ns}/pods/one/eviction"), ("POST", "/api/v1/namespaces/{ns}/pods/one/exec"),
            ("DELETE", "/apis/apps/v1/deployments"), ("GET", "/apis/nope/v1/nopes"), ("GET", "/apis/nope/v1"), ("GET", "/apis/apps/v1/namespaces/{ns}/deployments"), ("GET", "/version"), ("GET", "/version/"), ("GET", "/version/a"), ("GET", "/nope"), ("GET", "/nope/"), ("GET", "/nope/a/b"), ("GET", "/nopes"), ("POST", "/version"), ("GET", "/healthz/ping"),
        ] {
            talk.flow_of(method, path, &[jane]).await;
        }
        for headers in [&[joe][..], &[other], &[other, member], &[one], &[two], &[], &[("impersonate-user", "system:kube-scheduler")], &[("impersonate-user", "system:node:a"), ("impersonate-group", "system:nodes")], &[("impersonate-user", "system:anonymous")]] {
            for path in ["/api/v1/namespaces/{ns}/configmaps", "/api/v1/nodes", "/version", "/healthz"] {
                talk.flow_of("GET", path, headers).await;
            }
        }
        for (headers, path) in [(&[("impersonate-uid", "a")][..], "/version"), (&[jane], "/api/v1/namespaces?timeout=a"), (&[jane], "/%zz"), (&[("authorization", "Bearer nobody")], "/version")] {
            talk.flow_of("GET", path, headers).await;
        }
    }

    async fn what_a_server_needs_stays_as_it_is(talk: &mut Talk) {
        for (path, name, changes) in [
            (LEVELS, "exempt", vec![
                json!({"type": "Limited"}), json!({"type": "Limited", "exempt": null, "limited": {"limitResponse": {"type": "Reject"}}}), json!({"limited": {}}),
            ]),
            (LEVELS, "catch-all", vec![
                json!({"limited": {"nominalConcurrencyShares": 6}}), json!({"limited": {"lendablePercent": 6}}), json!({"limited": {"borrowingLimitPercent": 6}}),
                json!({"limited": {"limitResponse": {"type": "Queue", "queuing": {}}}}), json!({"type": "Exempt", "limited": null}),
            ]),
            (FLOWS, "exempt", vec![
                json!({"matchingPrecedence": 2}), json!({"rules": null}), json!({"distinguisherMethod": {"type": "ByUser"}}), json!({"priorityLevelConfiguration": {"name": "x"}}),
            ]),
            (FLOWS, "catch-all", vec![
                json!({"matchingPrecedence": 2}), json!({"distinguisherMethod": null}), json!({"priorityLevelConfiguration": {"name": "x"}}),
            ]),
        ] {
            for change in changes {
                talk.patch("merge", &format!("{path}/{name}?dryRun=All"), json!({"spec": change})).await;
            }
        }
    }
}
