//! Tokens, roles, impersonation and reviews.

use serde_json::{Value, json};

use super::support::{Talk, Who, extend};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles";
const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings";
const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const PODS: &str = "/api/v1/namespaces/{ns}/pods";
const SELF: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const MAY_I: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const MAY: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> Value {
    json!({"apiGroups": [group], "resources": resources, "verbs": verbs})
}

fn role_ref(kind: &str, name: &str) -> Value {
    json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name})
}

fn binding(name: &str, role_ref: Value) -> Value {
    json!({"metadata": {"name": name}, "roleRef": role_ref, "subjects": [
        {"kind": "User", "name": "somebody", "apiGroup": "rbac.authorization.k8s.io"},
    ]})
}

fn owned(name: &str, api_version: &str, kind: &str, blocks: bool) -> Value {
    json!({"metadata": {"name": name, "ownerReferences": [
        {"apiVersion": api_version, "kind": kind, "name": "a", "uid": "1", "blockOwnerDeletion": blocks},
    ]}})
}

async fn who_am_i(talk: &mut Talk, headers: &[(&str, &str)]) {
    talk.send("POST", SELF, headers, Some(json!({}))).await;
}

async fn may_i(talk: &mut Talk, attributes: Value) {
    talk.post(MAY_I, json!({"spec": {"resourceAttributes": attributes}}))
        .await;
}

async fn may_i_get(talk: &mut Talk, path: &str) {
    let attributes = json!({"path": path, "verb": "get"});
    talk.post(
        MAY_I,
        json!({"spec": {"nonResourceAttributes": attributes}}),
    )
    .await;
}

conformance! {
    async fn who_shows_no_token_sees_what_is_public(talk: &mut Talk) {
        talk.ask_as(Who::Nobody);
        for path in ["/healthz", "/livez", "/readyz"] {
            talk.get(path).await;
        }
        for path in ["/", "/api", "/apis", "/api/v1", "/apis/apps/v1", "/healthz/etcd", "/openapi/v2", "/openapi/v3", "/nowhere"] {
            talk.get(path).await;
        }
        talk.post("/version", json!({})).await;
        talk.get("/api/v1/pods").await;
        talk.get(&format!("{PODS}/one")).await;
        talk.get("/apis/example.com/v1/things").await;
        who_am_i(talk, &[]).await;
    }

    async fn a_token_that_nobody_has_is_not_taken(talk: &mut Talk) {
        talk.ask_as(Who::Stranger);
        for path in ["/healthz", "/version", "/api/v1/pods", "/nowhere"] {
            talk.get(path).await;
        }
        talk.post(MAPS, json!({"metadata": {"name": "one"}})).await;
        talk.ask_as(Who::Nobody);
        talk.say("and what is no bearer token is none");
        talk.send("GET", "/healthz", &[("authorization", "Basic YTpi")], None).await;
        talk.send("GET", "/api/v1/pods", &[("authorization", "Basic YTpi")], None).await;
    }

    async fn users_say_who_they_are(talk: &mut Talk) {
        who_am_i(talk, &[]).await;
        talk.ask_as(Who::Operator);
        who_am_i(talk, &[]).await;
    }

    async fn refusals_name_the_verb_and_the_place(talk: &mut Talk) {
        talk.ask_as_user("alice");
        talk.get(PODS).await;
        talk.get(&format!("{PODS}?watch=true")).await;
        talk.get(&format!("{PODS}?fieldSelector=metadata.name%3Done")).await;
        talk.get(&format!("{PODS}?fieldSelector=status.phase%3DRunning,metadata.name%3D%3Done")).await;
        talk.get(&format!("{PODS}?fieldSelector=metadata.name%21%3Done")).await;
        talk.get(&format!("{PODS}/one")).await;
        talk.get(&format!("{PODS}/one/log")).await;
        talk.get("/api/v1/watch/namespaces/{ns}/pods/one").await;
        talk.post(PODS, json!({"metadata": {"name": "one"}})).await;
        talk.post(&format!("{PODS}/one/exec"), json!({})).await;
        talk.put(&format!("{PODS}/one/status"), json!({})).await;
        talk.patch("merge", &format!("{PODS}/one"), json!({})).await;
        talk.delete(&format!("{PODS}/one")).await;
        talk.delete(PODS).await;
        talk.send("OPTIONS", PODS, &[], None).await;
        talk.send("HEAD", PODS, &[], None).await;
        talk.get("/api/v1/namespaces/{ns}").await;
        talk.put("/api/v1/namespaces/{ns}/finalize", json!({})).await;
        talk.get("/api/v1/nodes").await;
        talk.get("/apis/apps/v1/namespaces/{ns}/deployments/one/scale").await;
        talk.get("/apis/nobody.example.com/v1/namespaces/none/things").await;
        talk.get("/metrics").await;
        talk.post("/one/%3Ctwo%3E", json!({})).await;
        talk.get("/logs/").await;
    }

    /// What a path encodes is what is answered, and so what has to be allowed.
    async fn paths_mean_what_they_encode(talk: &mut Talk) {
        talk.allow("alice", true, "spaces", json!([rule("", &["namespaces"], &["*"])])).await;
        talk.ask_as_user("alice");
        for path in [
            "/%61pi/v1/secrets", "/api%2fv1/secrets", "/api/v1%2Fsecrets", "/%61pis/rbac.authorization.k8s.io/v1/clusterroles", "/api/v1/namespaces/{ns}%2fsecrets",
            "/api/v1/namespaces/{ns}%2fsecrets%2fone", "/api/v1/%6eamespaces/{ns}/pods", "/api/v1/namespaces/{ns}/configmaps%2Ffoo", "/api/v1/namespaces/{ns}%2fconfigmaps?watch=true",
            "/api/v1//namespaces/{ns}/configmaps", "/api//v1/configmaps", "/api/v1/namespaces/{ns}//configmaps", "/api/v1/namespaces//configmaps", "/api/v1/configmaps/", "/api/v1/%2563onfigmaps",
            "/api/v1%252Fsecrets", "/api/v1%252Fnamespaces%252F{ns}%252Fsecrets%252Fone", "/api/v1/namespaces/{ns}%252Fsecrets", "/apis/apps%252fv1%252fdeployments", "/api/v1/watch/namespaces/{ns}/pods/one/",
        ] {
            talk.get(path).await;
        }
        for path in ["/api/v1/namespaces/{ns}%2fsecrets", "/%61pi/v1/namespaces/{ns}/secrets"] {
            talk.post(path, json!({"metadata": {"name": "one"}})).await;
            talk.put(&format!("{path}%2fone"), json!({"metadata": {"name": "one"}})).await;
            talk.delete(path).await;
        }
    }

    async fn a_role_allows_what_it_names(talk: &mut Talk) {
        talk.allow("alice", false, "reader", json!([
            rule("", &["configmaps"], &["get", "list"]),
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "delete"], "resourceNames": ["one"]},
        ])).await;
        talk.ask_as_user("alice");
        talk.get(MAPS).await;
        talk.get(&format!("{MAPS}/none")).await;
        talk.get("/api/v1/configmaps").await;
        talk.get("/api/v1/namespaces/default/configmaps").await;
        talk.get(&format!("{MAPS}?watch=true")).await;
        talk.post(MAPS, json!({"metadata": {"name": "one"}})).await;
        let secrets = "/api/v1/namespaces/{ns}/secrets";
        talk.get(&format!("{secrets}/one")).await;
        talk.get(&format!("{secrets}/two")).await;
        talk.get(secrets).await;
        talk.get(&format!("{secrets}?fieldSelector=metadata.name%3Done")).await;
        talk.get(&format!("{secrets}?fieldSelector=metadata.name%3Dtwo")).await;
        for selector in ["metadata.name=two,metadata.name=one", "metadata.name=one,metadata.name=two", "metadata.name!=x=,metadata.name=one", "metadata.name=one,type=Opaque"] {
            talk.get(&format!("{secrets}?fieldSelector={}", selector.replace('=', "%3D").replace('!', "%21"))).await;
        }
        for rest in ["limit=x", "timeoutSeconds=x", "labelSelector=%21%21", "resourceVersion=x"] {
            talk.get(&format!("{secrets}?fieldSelector=metadata.name%3Done&{rest}")).await;
        }
        talk.delete(&format!("{secrets}/one")).await;
        talk.delete(secrets).await;
        talk.say("somebody else");
        talk.ask_as_user("bob");
        talk.get(MAPS).await;
    }

    async fn a_cluster_role_allows_everywhere_or_where_it_is_bound(talk: &mut Talk) {
        talk.allow("alice", true, "watcher", json!([
            rule("apps", &["deployments/scale", "*/status"], &["get"]),
            rule("", &["namespaces"], &["*"]),
            {"nonResourceURLs": ["/metrics", "/logs/*"], "verbs": ["get"]},
        ])).await;
        talk.ask_as_user("alice");
        let deployments = "/apis/apps/v1/namespaces/{ns}/deployments";
        talk.get(&format!("{deployments}/one/scale")).await;
        talk.get(&format!("{deployments}/one/status")).await;
        talk.get(&format!("{deployments}/one")).await;
        talk.get("/apis/apps/v1/namespaces/{ns}/daemonsets/one/status").await;
        talk.get("/apis/apps/v1/namespaces/{ns}/statefulsets/one/scale").await;
        talk.get("/api/v1/namespaces/none").await;
        talk.get("/logsx").await;
        talk.say("the role view, in one namespace");
        talk.ask_as(Who::Admin);
        let mut bound = binding("viewer", role_ref("ClusterRole", "system:basic-user"));
        bound["subjects"] = json!([{"kind": "Group", "name": "viewers.{ns}"}]);
        talk.post(BINDINGS, bound).await;
    }

    async fn groups_and_service_accounts_are_subjects(talk: &mut Talk) {
        let maps = json!([rule("", &["configmaps"], &["list"])]);
        talk.allow_subject(json!({"kind": "Group", "name": "devs.groups"}), false, "devs", maps.clone()).await;
        let robot = json!({"kind": "ServiceAccount", "name": "robot", "namespace": "groups-and-service-accounts-are-subjects"});
        talk.allow_subject(robot, false, "robots", maps).await;
        talk.send("GET", MAPS, &[("impersonate-user", "alice.{ns}"), ("impersonate-group", "devs.groups")], None).await;
        talk.send("GET", MAPS, &[("impersonate-user", "alice.{ns}"), ("impersonate-group", "others")], None).await;
        talk.send("GET", MAPS, &[("impersonate-user", "system:serviceaccount:{ns}:robot")], None).await;
        talk.send("GET", MAPS, &[("impersonate-user", "system:serviceaccount:{ns}:other")], None).await;
        talk.send("GET", MAPS, &[("impersonate-user", "system:serviceaccount:default:robot")], None).await;
        talk.say("and why");
        let spec = |user: &str, groups: &[&str]| json!({"spec": {"user": user, "groups": groups, "resourceAttributes": {
            "namespace": "groups-and-service-accounts-are-subjects", "verb": "list", "resource": "configmaps",
        }}});
        talk.post(MAY, spec("anybody", &["devs.groups"])).await;
        talk.post(MAY, spec("system:serviceaccount:groups-and-service-accounts-are-subjects:robot", &[])).await;
    }

    async fn the_admin_asks_on_behalf_of_others(talk: &mut Talk) {
        who_am_i(talk, &[("impersonate-user", "alice")]).await;
        who_am_i(talk, &[
            ("impersonate-user", "alice"), ("impersonate-group", "devs"), ("impersonate-group", "ops"), ("impersonate-uid", "42"),
            ("impersonate-extra-scopes", "a"), ("impersonate-extra-scopes", "b"), ("impersonate-extra-acme.com%2fproject", "x"),
        ]).await;
        who_am_i(talk, &[("impersonate-user", "alice"), ("impersonate-group", "system:authenticated")]).await;
        who_am_i(talk, &[("impersonate-user", "alice"), ("impersonate-group", "system:unauthenticated")]).await;
        who_am_i(talk, &[("impersonate-user", "alice"), ("impersonate-group", "")]).await;
        who_am_i(talk, &[("impersonate-user", "alice"), ("impersonate-group", "system:masters")]).await;
        who_am_i(talk, &[("impersonate-user", "system:anonymous")]).await;
        who_am_i(talk, &[("impersonate-user", "system:serviceaccount:shop:robot")]).await;
        who_am_i(talk, &[("impersonate-user", "system:serviceaccount:shop:robot"), ("impersonate-group", "devs")]).await;
        who_am_i(talk, &[("impersonate-user", "system:serviceaccount:shop")]).await;
        who_am_i(talk, &[("impersonate-user", "system:node:one")]).await;
        who_am_i(talk, &[("impersonate-user", "")]).await;
        talk.say("but there has to be a name");
        who_am_i(talk, &[("impersonate-group", "devs"), ("impersonate-group", "ops")]).await;
        who_am_i(talk, &[("impersonate-uid", "1")]).await;
        who_am_i(talk, &[("impersonate-extra-a", "1"), ("impersonate-extra-b", "2")]).await;
    }

    async fn who_may_ask_on_behalf_of_others(talk: &mut Talk) {
        talk.ask_as(Who::Nobody);
        talk.send("GET", PODS, &[("impersonate-user", "alice")], None).await;
        talk.send("GET", PODS, &[("impersonate-user", "system:serviceaccount:shop:robot")], None).await;
        talk.send("GET", PODS, &[("impersonate-user", "system:node:one")], None).await;
        talk.send("GET", "/metrics", &[("impersonate-user", "alice")], None).await;
        talk.ask_as(Who::Operator);
        talk.send("GET", PODS, &[("impersonate-user", "alice")], None).await;
        talk.allow_subject(json!({"kind": "User", "name": "operator"}), true, "old-way", json!([
            {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"], "resourceNames": ["alice"]},
        ])).await;
        talk.send("GET", PODS, &[("impersonate-user", "alice")], None).await;
        talk.send("GET", PODS, &[("impersonate-user", "bob")], None).await;
        talk.send("GET", PODS, &[("impersonate-user", "alice"), ("impersonate-group", "devs")], None).await;
        talk.send("GET", PODS, &[("impersonate-user", "alice"), ("impersonate-uid", "1")], None).await;
        talk.send("GET", PODS, &[("impersonate-user", "alice"), ("impersonate-extra-scopes", "1")], None).await;
        talk.send("GET", PODS, &[("impersonate-user", "system:serviceaccount:shop:robot")], None).await;
        talk.say("the new way: for whom, and for what");
        talk.allow_subject(json!({"kind": "User", "name": "operator"}), true, "new-way", json!([
            {"apiGroups": ["authentication.k8s.io"], "resources": ["users"], "verbs": ["impersonate:user-info"], "resourceNames": ["carol"]},
            rule("", &["pods"], &["impersonate-on:user-info:list"]),
        ])).await;
        talk.allow_subject(json!({"kind": "User", "name": "operator"}), true, "nodes", json!([
            {"apiGroups": ["authentication.k8s.io"], "resources": ["nodes"], "verbs": ["impersonate:arbitrary-node"], "resourceNames": ["x"]},
            rule("authentication.k8s.io", &["selfsubjectreviews"], &["impersonate-on:arbitrary-node:create"]),
        ])).await;
        who_am_i(talk, &[("impersonate-user", "system:node:x")]).await;
        who_am_i(talk, &[("impersonate-user", "system:node:system:node:x")]).await;
        talk.send("GET", PODS, &[("impersonate-user", "carol")], None).await;
        talk.send("GET", MAPS, &[("impersonate-user", "carol")], None).await;
        talk.send("GET", PODS, &[("impersonate-user", "carol"), ("impersonate-group", "devs")], None).await;
        talk.send("GET", PODS, &[("impersonate-user", "carol"), ("impersonate-group", "system:masters")], None).await;
        talk.send("GET", PODS, &[("impersonate-user", "carol"), ("impersonate-extra-scopes", "1")], None).await;
        talk.send("GET", PODS, &[("impersonate-user", "carol"), ("impersonate-group", "")], None).await;
        talk.send("GET", PODS, &[("impersonate-user", "carol"), ("impersonate-group", "system:masters"), ("impersonate-group", "")], None).await;
        for (extra, value) in [("impersonate-extra-", "a"), ("impersonate-extra-a.com%2fb", ""), ("impersonate-extra-a.com%2f%42", "1")] {
            talk.send("GET", PODS, &[("impersonate-user", "carol"), (extra, value)], None).await;
        }
        for name in ["system:node:", "system:serviceaccount:a b:c", "system:serviceaccount:a:B", "system:serviceaccount:a:b.c"] {
            talk.send("GET", PODS, &[("impersonate-user", name)], None).await;
        }
        talk.send("GET", PODS, &[("impersonate-user", "carol"), ("impersonate-extra-a.com%2fb", "1")], None).await;
        talk.send("GET", PODS, &[("impersonate-user", "bob")], None).await;
        talk.send("GET", PODS, &[("impersonate-user", "alice")], None).await;
    }

    async fn nobody_grants_what_it_does_not_hold(talk: &mut Talk) {
        let all = ["roles", "rolebindings", "clusterroles", "clusterrolebindings"];
        talk.allow("writer", true, "writer", json!([
            rule("rbac.authorization.k8s.io", &all, &["create", "update", "patch", "get"]),
            rule("", &["configmaps"], &["get", "list"]),
        ])).await;
        talk.prepare(ROLES, json!({"metadata": {"name": "there"}, "rules": [rule("", &["pods"], &["get", "list"])]})).await;
        let gathers = json!({"clusterRoleSelectors": [{"matchLabels": {"a": "{ns}"}}]});
        talk.prepare(&format!("{RBAC}/clusterroles"), json!({"metadata": {"name": "{ns}-gathers"}, "aggregationRule": gathers})).await;
        talk.ask_as_user("writer");
        let role = |rules: Value| json!({"metadata": {"name": "one"}, "rules": rules});
        talk.post(ROLES, role(json!([
            {"apiGroups": ["", "apps"], "resources": ["pods", "configmaps"], "verbs": ["get", "list"], "resourceNames": ["a", "b"]},
            rule("*", &["*"], &["*"]),
        ]))).await;
        talk.post(ROLES, role(json!([rule("", &["configmaps"], &["get", "delete", "list", "watch"])]))).await;
        talk.post(ROLES, role(json!([rule("", &["configmaps"], &["get"])]))).await;
        talk.post(ROLES, role(json!([rule("", &["secrets"], &["get", "get", "list"]), rule("", &["secrets"], &["get", "watch"])]))).await;
        talk.post(ROLES, role(json!([rule("", &["secrets", "secrets"], &["get", "get"])]))).await;
        talk.patch("merge", &format!("{ROLES}/one"), json!({"rules": [rule("", &["pods"], &["get"])]})).await;
        talk.patch("merge", &format!("{ROLES}/one"), json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.patch("merge", &format!("{ROLES}/there"), json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.patch("merge", &format!("{ROLES}/there"), json!({"metadata": {"finalizers": ["example.com/a"]}})).await;
        talk.patch("merge", &format!("{ROLES}/there"), json!({"metadata": {"finalizers": null}})).await;
        let cluster = |more: Value| {
            let mut role = json!({"metadata": {"name": "{ns}-one"}});
            extend(&mut role, &more);
            role
        };
        let cluster_roles = format!("{RBAC}/clusterroles");
        talk.post(&cluster_roles, cluster(json!({"rules": [{"nonResourceURLs": ["/a", "/b/*"], "verbs": ["get", "post"]}]}))).await;
        talk.post(&cluster_roles, cluster(json!({"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}}))).await;
        for none in [json!({}), json!({"clusterRoleSelectors": []})] {
            talk.post(&cluster_roles, cluster(json!({"aggregationRule": none}))).await;
        }
        let gathers = format!("{cluster_roles}/{{ns}}-gathers");
        for change in [json!({"metadata": {"labels": {"a": "b"}}}), json!({"metadata": {"finalizers": ["example.com/a"]}}), json!({"metadata": {"finalizers": null}}), json!({"aggregationRule": null})] {
            talk.patch("merge", &gathers, change).await;
        }
        talk.post(&cluster_roles, cluster(json!({"rules": [rule("", &["configmaps"], &["list"])]}))).await;
        talk.say("with what is wrong besides, and where there is no namespace");
        talk.post(ROLES, role(json!([{"apiGroups": [""], "resources": ["pods"]}]))).await;
        talk.post(ROLES, role(json!([rule("", &["pods"], &["get"]), {"resources": ["pods"]}]))).await;
        talk.post(&format!("{RBAC}/namespaces/none/roles"), role(json!([rule("", &["pods"], &["get"])]))).await;
    }

    async fn nobody_binds_what_it_does_not_hold(talk: &mut Talk) {
        let all = ["roles", "rolebindings", "clusterroles", "clusterrolebindings"];
        talk.allow("writer", true, "writer", json!([
            rule("rbac.authorization.k8s.io", &all, &["create", "update", "patch", "get"]),
            {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["bind"], "resourceNames": ["edit"]},
        ])).await;
        talk.prepare(ROLES, json!({"metadata": {"name": "there"}, "rules": [rule("", &["pods"], &["get", "list"])]})).await;
        talk.prepare(BINDINGS, binding("held", role_ref("Role", "none"))).await;
        talk.ask_as_user("writer");
        talk.post(BINDINGS, binding("one", role_ref("Role", "there"))).await;
        talk.post(BINDINGS, binding("one", role_ref("Role", "none"))).await;
        talk.post(BINDINGS, binding("one", role_ref("ClusterRole", "none"))).await;
        talk.post(BINDINGS, binding("one", role_ref("ClusterRole", "cluster-admin"))).await;
        talk.post(BINDINGS, binding("one", role_ref("ClusterRole", "edit"))).await;
        talk.patch("merge", &format!("{BINDINGS}/one"), json!({"subjects": null})).await;
        let cluster = format!("{RBAC}/clusterrolebindings");
        talk.post(&cluster, binding("{ns}-one", role_ref("ClusterRole", "cluster-admin"))).await;
        talk.post(&cluster, binding("{ns}-one", role_ref("ClusterRole", "none"))).await;
        talk.post(&cluster, binding("{ns}-one", role_ref("ClusterRole", "system:basic-user"))).await;
        for (kind, name) in [("Role", "there"), ("Role", ""), ("ClusterRole", "")] {
            talk.post(&cluster, binding("{ns}-two", role_ref(kind, name))).await;
            talk.post(BINDINGS, binding("three", role_ref(kind, name))).await;
        }
        talk.say("what is bound already");
        let held = format!("{BINDINGS}/held");
        talk.put(&held, binding("held", role_ref("Role", "none"))).await;
        talk.patch("merge", &held, json!({"subjects": null})).await;
        talk.patch("merge", &held, json!({"metadata": {"finalizers": ["example.com/a"]}})).await;
        talk.patch("merge", &held, json!({"metadata": {"finalizers": null}})).await;
        talk.say("what is no role");
        talk.post(BINDINGS, binding("two", role_ref("Nope", "there"))).await;
        talk.post(BINDINGS, json!({"metadata": {"name": "two"}})).await;
        talk.say("the admin may");
        talk.ask_as(Who::Admin);
        talk.post(BINDINGS, binding("two", role_ref("Role", "none"))).await;
    }

    async fn who_may_escalate_grants_anything(talk: &mut Talk) {
        talk.allow("writer", false, "writer", json!([
            rule("rbac.authorization.k8s.io", &["roles"], &["create", "patch", "escalate"]),
            rule("rbac.authorization.k8s.io", &["rolebindings"], &["create"]),
            {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["bind"], "resourceNames": ["one"]},
        ])).await;
        talk.ask_as_user("writer");
        talk.post(ROLES, json!({"metadata": {"name": "one"}, "rules": [rule("*", &["*"], &["*"])]})).await;
        talk.post(BINDINGS, binding("one", role_ref("Role", "one"))).await;
        talk.post(BINDINGS, binding("two", role_ref("Role", "two"))).await;
    }

    async fn owners_are_named_with_leave_alone(talk: &mut Talk) {
        talk.allow("maker", false, "maker", json!([
            rule("", &["configmaps"], &["get", "create", "update", "patch"]),
            {"apiGroups": ["apps"], "resources": ["deployments/finalizers"], "verbs": ["update"], "resourceNames": ["b"]},
        ])).await;
        talk.prepare(MAPS, json!({"metadata": {"name": "there"}})).await;
        talk.ask_as_user("maker");
        talk.post(MAPS, owned("one", "apps/v1", "Deployment", true)).await;
        talk.post(MAPS, owned("one", "v1", "Node", true)).await;
        talk.post(MAPS, owned("one", "nobody.example.com/v1", "Thing", true)).await;
        talk.post(MAPS, owned("one", "apps/v1", "deployment", true)).await;
        talk.patch("merge", &format!("{MAPS}/there"), owned("there", "apps/v1", "Deployment", true)).await;
        talk.patch("merge", &format!("{MAPS}/there"), owned("there", "apps/v1", "Deployment", false)).await;
        talk.patch("apply", &format!("{MAPS}/there?fieldManager=me"), {
            let mut map = owned("there", "apps/v1", "Deployment", false);
            map["apiVersion"] = "v1".into();
            map["kind"] = "ConfigMap".into();
            map
        }).await;
    }

    async fn an_apply_that_creates_needs_leave_to_create(talk: &mut Talk) {
        talk.allow("patcher", false, "patcher", json!([
            rule("", &["configmaps"], &["get", "patch"]),
            rule("coordination.k8s.io", &["leases"], &["update"]),
        ])).await;
        talk.ask_as_user("patcher");
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}});
        talk.patch("apply", &format!("{MAPS}/one?fieldManager=me"), map.clone()).await;
        talk.patch("merge", &format!("{MAPS}/one"), json!({})).await;
        talk.put("/apis/coordination.k8s.io/v1/namespaces/{ns}/leases/one", json!({"metadata": {"name": "one"}})).await;
        talk.prepare(MAPS, json!({"metadata": {"name": "one"}})).await;
        talk.patch("apply", &format!("{MAPS}/one?fieldManager=me"), map).await;
    }

    async fn reviews_say_what_i_may(talk: &mut Talk) {
        talk.allow("alice", false, "reader", json!([
            rule("", &["configmaps"], &["get"]),
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": ["one"]},
        ])).await;
        talk.ask_as_user("alice");
        who_am_i(talk, &[]).await;
        may_i(talk, json!({"namespace": "{ns}", "verb": "get", "resource": "configmaps"})).await;
        may_i(talk, json!({"namespace": "{ns}", "verb": "get", "resource": "configmaps", "group": "apps"})).await;
        may_i(talk, json!({"namespace": "{ns}", "verb": "get", "resource": "configmaps", "subresource": "status"})).await;
        may_i(talk, json!({"verb": "get", "resource": "configmaps"})).await;
        may_i(talk, json!({"namespace": "{ns}", "verb": "get", "resource": "secrets", "name": "one", "version": "v1"})).await;
        may_i(talk, json!({"namespace": "{ns}", "verb": "*", "resource": "*", "group": "*"})).await;
        talk.post(MAY_I, json!({"spec": {"nonResourceAttributes": {"verb": "get", "path": "/api/v1"}}})).await;
        talk.post(MAY_I, json!({"spec": {"nonResourceAttributes": {"verb": "get", "path": "/metrics"}}})).await;
        talk.post(MAY_I, json!({"spec": {}})).await;
        talk.post(MAY_I, json!({"spec": {"resourceAttributes": {"verb": "get"}, "nonResourceAttributes": {"path": "/"}}})).await;
        let rules = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
        talk.post(rules, json!({"spec": {"namespace": "{ns}"}})).await;
        talk.post(rules, json!({"spec": {}})).await;
        talk.say("the admin, who asks for itself");
        talk.ask_as(Who::Admin);
        may_i(talk, json!({"verb": "get", "resource": "configmaps"})).await;
        talk.post(rules, json!({"spec": {"namespace": "{ns}"}})).await;
    }

    async fn reviews_of_what_is_selected(talk: &mut Talk) {
        let one = |key: &str, operator: &str, values: &[&str]| json!({"key": key, "operator": operator, "values": values});
        let none = one("", "In", &["b"]);
        for selector in [
            json!({}), json!({"requirements": null}), json!({"requirements": []}), json!({"rawSelector": "a=b"}), json!({"rawSelector": "a=b", "requirements": [one("a", "In", &["b"])]}), json!({"requirements": [one("a", "In", &[])]}),
            json!({"requirements": [one("a", "Exists", &["b"])]}), json!({"requirements": [none]}), json!({"rawSelector": "a in (b"}), json!({"requirements": [one("a", "More", &["b"])]}), json!({"requirements": [one("a", "NotIn", &["b", "c"])]}),
            json!({"requirements": [one("a", "DoesNotExist", &[])]}), json!({"requirements": [one("a", "In", &["b"]), one("a", "More", &["b"])]}), json!({"requirements": [one("A b", "In", &["C d"])]}),
        ] {
            for kind in ["fieldSelector", "labelSelector"] {
                may_i(talk, json!({"namespace": "{ns}", "verb": "list", "resource": "pods", (kind): selector})).await;
            }
        }
        let wrong = json!({"verb": "list", "resource": "pods", "namespace": "{ns}", "fieldSelector": {}, "labelSelector": {"rawSelector": "a in (b"}});
        talk.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", json!({"spec": {"user": "one", "resourceAttributes": wrong}})).await;
        talk.post("/apis/authorization.k8s.io/v1/namespaces/{ns}/localsubjectaccessreviews", json!({"spec": {"user": "one", "resourceAttributes": wrong}})).await;
    }

    async fn reviews_say_what_others_may(talk: &mut Talk) {
        talk.allow("alice", false, "reader", json!([rule("", &["configmaps"], &["get"])])).await;
        let asked = json!({"namespace": "{ns}", "verb": "get", "resource": "configmaps"});
        let alice = json!({"spec": {"user": "alice.{ns}", "groups": ["devs"], "uid": "1", "extra": {"a": ["b"]}, "resourceAttributes": asked}});
        talk.post(MAY, alice.clone()).await;
        talk.post(MAY, json!({"spec": {"user": "bob", "resourceAttributes": asked}})).await;
        talk.post(MAY, json!({"spec": {"groups": ["system:masters"], "resourceAttributes": asked}})).await;
        talk.post(MAY, json!({"spec": {"user": "bob", "groups": ["system:authenticated"], "nonResourceAttributes": {"verb": "get", "path": "/apis/apps"}}})).await;
        talk.post(MAY, json!({"spec": {"resourceAttributes": asked}})).await;
        talk.post(MAY, json!({"spec": {"user": "alice"}})).await;
        let local = "/apis/authorization.k8s.io/v1/namespaces/{ns}/localsubjectaccessreviews";
        talk.post(local, alice.clone()).await;
        talk.post(local, json!({"spec": {"user": "alice", "resourceAttributes": {"namespace": "other", "verb": "get"}}})).await;
        talk.post(local, json!({"spec": {"user": "alice", "resourceAttributes": {"verb": "get"}}})).await;
        talk.post(local, json!({"spec": {"user": "alice", "nonResourceAttributes": {"verb": "get", "path": "/"}}})).await;
        talk.post(local, json!({"metadata": {"namespace": "other"}, "spec": {"user": "alice", "resourceAttributes": asked}})).await;
        talk.get(MAY).await;
        talk.get(local).await;
        talk.ask_as_user("alice");
        talk.post(MAY, alice.clone()).await;
        talk.post(local, alice).await;
    }

    async fn reviews_say_whose_a_token_is(talk: &mut Talk) {
        let tokens = "/apis/authentication.k8s.io/v1/tokenreviews";
        talk.post(tokens, json!({"spec": {"token": "{token}"}})).await;
        talk.post(tokens, json!({"spec": {"token": "{token}", "audiences": ["https://kubernetes.default.svc", "other"]}})).await;
        talk.post(tokens, json!({"spec": {"token": "{token}", "audiences": ["other"]}})).await;
        talk.post(tokens, json!({"spec": {"token": "nobody-has-this"}})).await;
        talk.post(tokens, json!({"spec": {}})).await;
        talk.ask_as_user("alice");
        talk.post(tokens, json!({"spec": {"token": "{token}"}})).await;
    }

    async fn a_role_may_be_made_of_others(talk: &mut Talk) {
        if !talk.has_controllers() {
            return;
        }
        let roles = format!("{RBAC}/clusterroles");
        let part = |name: &str, rules: Value| json!({"metadata": {"name": format!("{{ns}}-{name}"), "labels": {"{ns}": "yes"}}, "rules": rules});
        talk.prepare(&roles, part("b", json!([rule("", &["pods"], &["get"]), rule("", &["nodes"], &["get"])]))).await;
        talk.prepare(&roles, part("a", json!([rule("", &["nodes"], &["get"])]))).await;
        let whole = format!("{roles}/{{ns}}-whole");
        let selectors = json!([{"matchLabels": {"{ns}": "yes"}}]);
        talk.prepare(&roles, json!({"metadata": {"name": "{ns}-whole"}, "aggregationRule": {"clusterRoleSelectors": selectors}})).await;
        talk.get_until(&whole, |_, role| role["rules"].as_array().is_some_and(|rules| rules.len() == 2)).await;
        talk.delete(&format!("{roles}/{{ns}}-b")).await;
        talk.get_until(&whole, |_, role| role["rules"].as_array().is_some_and(|rules| rules.len() == 1)).await;
        talk.delete(&format!("{roles}/{{ns}}-a")).await;
        talk.get_until(&whole, |_, role| role["rules"].as_array().is_none_or(Vec::is_empty)).await;
    }

    async fn roles_that_every_server_has(talk: &mut Talk) {
        if !talk.has_controllers() {
            return;
        }
        for name in ["cluster-admin", "system:basic-user", "system:discovery", "system:public-info-viewer", "system:aggregate-to-view"] {
            talk.get(&format!("{RBAC}/clusterroles/{name}")).await;
        }
        for name in ["cluster-admin", "system:basic-user", "system:discovery", "system:public-info-viewer"] {
            talk.get(&format!("{RBAC}/clusterrolebindings/{name}")).await;
        }
        for name in ["admin", "edit", "view"] {
            talk.get_until(&format!("{RBAC}/clusterroles/{name}"), |_, role| role["rules"].is_array()).await;
        }
    }

    async fn bindings_of_roles_that_are_not_there(talk: &mut Talk) {
        talk.prepare(BINDINGS, json!({"metadata": {"name": "one"}, "roleRef": role_ref("Role", "none"),
            "subjects": [{"kind": "User", "name": "alice.{ns}"}]})).await;
        talk.prepare(&format!("{RBAC}/clusterrolebindings"), json!({"metadata": {"name": "{ns}"}, "roleRef": role_ref("ClusterRole", "nothing"),
            "subjects": [{"kind": "User", "name": "alice.{ns}"}]})).await;
        talk.allow("alice", false, "there", json!([])).await;
        talk.ask_as_user("alice");
        talk.get(MAPS).await;
        talk.get("/api/v1/nodes").await;
        talk.get("/metrics").await;
        may_i(talk, json!({"namespace": "{ns}", "verb": "get", "resource": "configmaps"})).await;
        talk.post("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", json!({"spec": {"namespace": "{ns}"}})).await;
    }

    async fn what_is_asked_is_what_is_allowed(talk: &mut Talk) {
        let names = |names: &[&str], verbs: &[&str], resources: &[&str]| json!({"apiGroups": [""], "resources": resources, "verbs": verbs, "resourceNames": names});
        talk.allow("alice", true, "all", json!([
            {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"], "resourceNames": ["namespaces"]}, names(&["\u{fffd}", "x"], &["get", "list"], &["secrets"]),
            {"nonResourceURLs": ["/foo\u{fffd}", "/x**", "/y*z", "/logs**"], "verbs": ["get"]},
        ])).await;
        talk.ask_as_user("alice");
        for path in [
            "/api/v1/watch/watch/namespaces/{ns}/secrets?timeoutSeconds=1", "/api/v1/watch/watch/namespaces/secrets?timeoutSeconds=1", "/api/v1/watch/watch/namespaces?timeoutSeconds=1",
            "/api/v1/namespaces/{ns}/secrets/%ff", "/api/v1/namespaces/{ns}/secrets/%EF%BF%BD", "/api/v1/namespaces/{ns}/secrets/%80a", "/foo%FF", "/foo%EF%BF%BD", "/foo%00", "/foo%7f", "/foo%e2%80%8b", "/x", "/xy", "/x*", "/y", "/yz", "/y*z", "/logs", "/logs/a",
            "/api/v1/namespaces/{ns}/secrets?fieldSelector=metadata.name%3Dx&limit=", "/api/v1/namespaces/{ns}/secrets?fieldSelector=metadata.name%3Dx&timeoutSeconds=", "/api/v1/namespaces/{ns}/secrets?fieldSelector=metadata.name%3Dx&limit=1",
            "/apis/apps/v1//x", "/api/v1//x",
        ] {
            talk.get(path).await;
        }
        let many = "a&".repeat(10_001);
        talk.get(&format!("/api/v1/namespaces/{{ns}}/secrets?fieldSelector=metadata.name%3Dx&{many}")).await;
        talk.get(&format!("/api/v1/namespaces/{{ns}}/secrets?fieldSelector=metadata.name%3Dx&{}", &many[..2 * 9_999])).await;
        for path in ["/x", "/xy", "/y*z", "/yz", "/logs"] {
            may_i_get(talk, path).await;
        }
    }

    async fn what_grants_nothing_more_may_be_written(talk: &mut Talk) {
        let pods = |verbs: &[&str]| json!([{"apiGroups": [""], "resources": ["pods"], "verbs": verbs}]);
        let subjects = json!([{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "bob.{ns}"}]);
        talk.prepare(&format!("{RBAC}/namespaces/{{ns}}/roles"), json!({"metadata": {"name": "one"}, "rules": pods(&["get"])})).await;
        talk.prepare(BINDINGS, json!({"metadata": {"name": "one"}, "roleRef": role_ref("Role", "one"), "subjects": subjects})).await;
        let aggregation = json!({"clusterRoleSelectors": [{"matchLabels": {"to": "{ns}"}}]});
        talk.prepare(&format!("{RBAC}/clusterroles"), json!({"metadata": {"name": "whole.{ns}"}, "aggregationRule": aggregation, "rules": null})).await;
        talk.allow("alice", true, "writer", json!([
            {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["*"], "verbs": ["get", "create", "update", "patch"]},
            {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["bind"], "resourceNames": ["one"]},
        ])).await;
        talk.ask_as_user("alice");
        let role = format!("{RBAC}/namespaces/{{ns}}/roles/one?dryRun=All");
        let binding = format!("{BINDINGS}/one?dryRun=All");
        let whole = format!("{RBAC}/clusterroles/whole.{{ns}}?dryRun=All");
        for (path, change) in [
            (&role, json!({"metadata": {"selfLink": "x"}})), (&role, json!({"rules": pods(&["get", "get"])})), (&role, json!({"rules": []})), (&binding, json!({"metadata": {"selfLink": "x"}})), (&whole, json!({"rules": []})), (&whole, json!({"rules": null})), (&whole, json!({"rules": pods(&["get"])})),
            (&whole, json!({"metadata": {"labels": {"a": "b"}}})), (&binding, json!({"subjects": []})),
        ] {
            talk.patch("merge", path, change).await;
        }
        for group in ["rbac.authorization.k8s.io", "", "x"] {
            talk.post(&format!("{BINDINGS}?dryRun=All"), json!({"metadata": {"name": "two"}, "roleRef": {"apiGroup": group, "kind": "Role", "name": "one"}, "subjects": subjects})).await;
        }
    }

    async fn who_writes_a_policy_reads_its_parameters(talk: &mut Talk) {
        const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1";
        let policy = |kind: Value| json!({"metadata": {"name": "one.{ns}"}, "spec": {"paramKind": kind, "validations": [{"expression": "true"}], "matchConstraints": {"resourceRules": [{"apiGroups": ["none.{ns}"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["nones"]}]}}});
        let binding = |policy: &str, reference: Value| json!({"metadata": {"name": "one.{ns}"}, "spec": {"policyName": policy, "paramRef": reference, "validationActions": ["Audit"]}});
        let maps = json!({"apiVersion": "v1", "kind": "ConfigMap"});
        talk.allow("alice", true, "policies", json!([{"apiGroups": ["admissionregistration.k8s.io"], "resources": ["*"], "verbs": ["*"]}])).await;
        talk.allow("bob", true, "policies-too", json!([{"apiGroups": ["admissionregistration.k8s.io"], "resources": ["*"], "verbs": ["*"]}, {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}])).await;
        talk.allow("bob", false, "lists", json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}])).await;
        talk.prepare(&format!("{POLICIES}/validatingadmissionpolicies"), json!({"metadata": {"name": "old.{ns}"}, "spec": policy(maps.clone())["spec"]})).await;
        for user in ["alice", "bob"] {
            talk.ask_as_user(user);
            for kind in [maps.clone(), json!({"apiVersion": "nope.example.com/v1", "kind": "Nope"}), Value::Null] {
                talk.post(&format!("{POLICIES}/validatingadmissionpolicies?dryRun=All"), policy(kind)).await;
            }
            for change in [json!({"metadata": {"labels": {"a": "b"}}}), json!({"spec": {"paramKind": {"kind": "Secret"}}})] {
                talk.patch("merge", &format!("{POLICIES}/validatingadmissionpolicies/old.{{ns}}?dryRun=All"), change).await;
            }
            for name in ["old.{ns}", "none.{ns}"] {
                for reference in [json!({"name": "x", "namespace": "{ns}"}), json!({"name": "x"}), json!({"selector": {}, "namespace": "{ns}"}), json!({"selector": {}})] {
                    let mut reference = reference;
                    reference["parameterNotFoundAction"] = "Deny".into();
                    talk.post(&format!("{POLICIES}/validatingadmissionpolicybindings?dryRun=All"), binding(name, reference)).await;
                }
            }
        }
        talk.ask_as(Who::Admin);
        talk.unsaid("DELETE", &format!("{POLICIES}/validatingadmissionpolicies/old.{{ns}}"), None).await;
    }

    /// What a user may grant is what it holds when all of the role has come.
    async fn rights_that_go_while_a_body_comes_are_not_granted(talk: &mut Talk) {
        let secrets = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]);
        talk.allow("alice", false, "makes", json!([{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["create"]}])).await;
        talk.allow("alice", false, "reads", secrets.clone()).await;
        let path = format!("{RBAC}/namespaces/{{ns}}/roles");
        let role = |name: &str| json!({"metadata": {"name": name}, "rules": secrets});
        talk.post_late("alice", &path, role("one"), async |_| {}).await;
        talk.post_late("alice", &path, role("two"), async |talk| {
            let reads = "reads.{ns}";
            talk.unsaid("DELETE", &format!("{RBAC}/namespaces/{{ns}}/rolebindings/{reads}"), None).await;
            let attributes = json!({"namespace": "{ns}", "resource": "secrets", "verb": "get"});
            let review = json!({"spec": {"user": "alice.{ns}", "resourceAttributes": attributes}});
            while talk.unsaid("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", Some(review.clone())).await["status"]["allowed"] == true {
                tokio::task::yield_now().await;
            }
        }).await;
    }

    async fn who_opens_a_stream_creates_it(talk: &mut Talk) {
        talk.prepare("/api/v1/namespaces/{ns}/pods", json!({"metadata": {"name": "one"}, "spec": {"containers": [{"name": "a", "image": "b"}]}})).await;
        talk.allow("alice", false, "{ns}-reader", json!([{"apiGroups": [""], "resources": ["pods/exec", "pods/attach", "pods/portforward", "pods/log"], "verbs": ["get"]}])).await;
        talk.ask_as_user("alice");
        for name in ["one", "none"] {
            for stream in ["exec", "attach", "portforward", "log"] {
                talk.get(&format!("/api/v1/namespaces/{{ns}}/pods/{name}/{stream}")).await;
            }
        }
        talk.post("/api/v1/namespaces/{ns}/pods/one/exec", json!({})).await;
    }
}
