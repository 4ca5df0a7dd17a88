//! What the tests of well-known clients and the definitions of well-known operators have found.

use serde_json::{Value, json};

use super::support::{Talk, Who, thing_crd};

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const THINGS: &str = "/apis/{group}/v1/namespaces/{ns}/things";

/// A definition of a group of Kubernetes itself.
fn of_kubernetes(approval: Option<&str>) -> Value {
    let mut crd = thing_crd(json!({
        "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}},
    }));
    crd["metadata"]["name"] = "things.{ns}.k8s.io".into();
    crd["spec"]["group"] = "{ns}.k8s.io".into();
    if let Some(approval) = approval {
        crd["metadata"]["annotations"] = json!({"api-approved.kubernetes.io": approval});
    }
    crd
}

/// The condition that says whether the group may be used.
fn approval(definition: &Value) -> Value {
    let conditions = definition["status"]["conditions"].as_array();
    let found = conditions
        .into_iter()
        .flatten()
        .find(|one| one["type"] == "KubernetesAPIApprovalPolicyConformant");
    found.cloned().unwrap_or_default()
}

conformance! {
    async fn who_takes_no_format_reads_what_failed_with_indentation(talk: &mut Talk) {
        for path in ["/api/v1/namespaces/{ns}", "/api/v1/nothing", "/apis/apps", "/version"] {
            talk.get_lines(path, &[("accept", "text/plain")], |line| Some(line.to_owned())).await;
        }
        let metadata = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
        talk.get_lines("/api/v1/namespaces", &[("accept", metadata)], |line| Some(line.to_owned())).await;
    }

    async fn the_core_group_is_discovered_byte_by_byte(talk: &mut Talk) {
        let all = ("accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
        talk.get_marked("/api", &[all]).await;
        talk.get_marked("/api?pretty=1", &[all]).await;
    }

    async fn media_types_are_read_as_go_reads_them(talk: &mut Talk) {
        let body = json!({"metadata": {"name": "one"}});
        for media in [
            "APPLICATION/JSON", "application/json;", "application/json;;", "application/json; a", "application/json; a=", "application/json; a=b; A=b", "application/json; a=b; a=c",
            "application/json ; a=\"b;\\\"c\"", "application/json; a=\"b", "application/json; =b", "application/json a=b", "a/b/c", "application", "; a=b", "Application/YAML",
        ] {
            talk.send("POST", &format!("{MAPS}?dryRun=All"), &[("content-type", media)], Some(body.clone())).await;
        }
        talk.prepare(MAPS, body.clone()).await;
        for media in ["APPLICATION/merge-patch+json", "application/merge-patch+json; a", "application/merge-patch+json ; a=b", "application/merge-patch+json;", "; a=b", "a/b, application/merge-patch+json; a=b"] {
            talk.send("PATCH", &format!("{MAPS}/one?dryRun=All"), &[("content-type", media)], Some(body.clone())).await;
        }
        let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"]});
        for media in ["APPLICATION/JSON", "application/json; a"] {
            talk.send("DELETE", &format!("{MAPS}/one"), &[("content-type", media)], Some(options.clone())).await;
        }
    }

    async fn where_a_token_stands(talk: &mut Talk) {
        talk.ask_as(Who::Nobody);
        for shown in ["Bearer {token}", "bearer {token}", "Bearer  {token}", "Bearer {token} more", "Bearer {token}more", "Bearer", "Bearer ", "Basic {token}"] {
            for path in ["/apis/policy", MAPS] {
                talk.send("GET", path, &[("authorization", shown)], None).await;
            }
        }
    }

    async fn paths_that_nobody_asks(talk: &mut Talk) {
        for path in [
            "/", "/index.html", "/api/v2", "/api/V1", "/apis/apps/v9", "/api/v1/watch/namespaces", "/api/v1/watch/namespaces/{ns}/configmaps/one", "/api/v1/watch/nope",
            "/api/v1/nodes/one/proxy", "/api/v1/nodes/one/proxy/more", "/api/v1/namespaces/{ns}/services/one/proxy", "/api/v1/namespaces/{ns}/pods/one/proxy/more", "/api/v1/namespaces/{ns}/pods/one/log",
        ] {
            talk.send("HEAD", path, &[], None).await;
        }
        for method in ["GET", "POST"] {
            for path in ["/api/v1/watch", "/api/v1/proxy/?a=b&c=d", "/apis/apps/v1/watch", "/apis/apps/watch", "/apis/nope/v1/watch/", "/openapi/v2/", "/openapi/v3/", "/openapi/v3/nope", "/version/nope", "/api/v2"] {
                talk.send(method, path, &[], None).await;
            }
        }
        for path in ["/apis/apps/v9", "/apis/apps/v1", "/apis/nope/v1", "/apis/nope", "/api", "/version", "/nope", "/api/v1/watch/configmaps", "/api/v1/watch/nope"] {
            talk.send("PUT", path, &[], None).await;
        }
        for header in ["impersonate-group", "impersonate-uid"] {
            talk.send("GET", "/api/v1/namespaces", &[(header, "one")], None).await;
        }
    }

    async fn long_requests(talk: &mut Talk) {
        let path = format!("{MAPS}?labelSelector=a+in+(b{})", ",b".repeat(10_000));
        talk.send("GET", &path, &[], None).await;
        let long = "y".repeat(40_000);
        talk.send("GET", MAPS, &[("x-long", &long)], None).await;
        let many: String = (0..300).map(|number| format!("x-{number}: y\r\n")).collect();
        talk.send_bytes(&format!("GET {MAPS}/one HTTP/1.1\r\nhost: one\r\nauthorization: Bearer {{token}}\r\nconnection: close\r\n{many}\r\n")).await;
    }

    async fn requests_that_are_none(talk: &mut Talk) {
        let body = json!({"metadata": {"name": "one"}}).to_string();
        let post = format!("POST {MAPS}?dryRun=All HTTP/1.1\r\nauthorization: Bearer {{token}}\r\nconnection: close\r\n");
        for headers in ["", "host: one\r\nhost: two\r\n", "host: a b\r\n", "host: one\r\nexpect: more\r\n", "host: one\r\nexpect: \r\n", "host: one:80\r\nexpect: 100-Continue\r\n"] {
            talk.send_bytes(&format!("{post}content-length: {}\r\n{headers}\r\n{body}", body.len())).await;
        }
        talk.send_bytes(&format!("{post}host: one\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")).await;
        talk.say("as one who may");
        let subjects = json!([{"kind": "User", "name": "operator"}]);
        let role = json!({"kind": "ClusterRole", "name": "cluster-admin", "apiGroup": "rbac.authorization.k8s.io"});
        talk.prepare("/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings", json!({"metadata": {"name": "one"}, "roleRef": role, "subjects": subjects})).await;
        let review = json!({"spec": {"user": "operator", "resourceAttributes": {"namespace": "{ns}", "verb": "create", "resource": "configmaps"}}});
        talk.post_until_answer("/apis/authorization.k8s.io/v1/subjectaccessreviews", review, |answer| answer["status"]["allowed"] == true).await;
        talk.send_bytes("OPTIONS * HTTP/1.1\r\nhost: one\r\nconnection: close\r\n\r\n").await;
        let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        for encoding in ["gzip, chunked", "chunked\r\ntransfer-encoding: chunked", "Chunked"] {
            talk.send_bytes(&format!("{post}host: one\r\ntransfer-encoding: {encoding}\r\n\r\n{chunked}")).await;
        }
        talk.send_bytes(&format!("{post}host: one\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")).await;
        talk.send_bytes("GET /healthz HTTP/1.0\r\n\r\n").await;
    }

    async fn queries_that_are_wrong_in_more_than_one_way(talk: &mut Talk) {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}});
        talk.prepare(MAPS, map.clone()).await;
        let long = format!("fieldManager={}%07%0b", "x".repeat(129));
        let accented = format!("fieldManager={}", "%C3%A9".repeat(65));
        for query in [
            "fieldValidation=x&dryRun=y", "force=1&fieldManager=x&dryRun=y&fieldValidation=z", &long, &accented, "fieldManager=%E2%80%8B", "force=true&fieldManager=%09", "dryRun=All;limit=1", "force=&dryRun=All",
            "dryRun=All&dryRun=x&fieldManager=x",
        ] {
            let one = format!("{MAPS}/one?{query}");
            for kind in ["merge", "apply"] {
                talk.patch(kind, &one, map.clone()).await;
            }
            talk.put(&one, map.clone()).await;
            talk.post(&format!("{MAPS}?{query}"), map.clone()).await;
        }
    }

    async fn bodies_of_other_kinds_that_are_none_of_these(talk: &mut Talk) {
        talk.prepare(MAPS, json!({"metadata": {"name": "one"}})).await;
        for other in [
            json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "b"}}), json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": 4}]}}), json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": 3}),
            json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": 1}), json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService"}),
            json!({"apiVersion": "apps/v1", "kind": "DeleteOptions"}), json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "DeleteOptions"}),
        ] {
            for path in [MAPS, CRDS] {
                talk.post(path, other.clone()).await;
            }
            for kind in ["merge", "strategic-merge"] {
                talk.patch(kind, &format!("{MAPS}/one"), other.clone()).await;
            }
        }
        talk.say("of another name and another namespace");
        for metadata in [json!({"name": "two", "namespace": "other"}), json!({"name": null, "namespace": "other"})] {
            for kind in ["merge", "strategic-merge"] {
                talk.patch(kind, &format!("{MAPS}/one"), json!({"metadata": metadata})).await;
            }
            for name in ["one", "three"] {
                talk.patch("apply", &format!("{MAPS}/{name}?fieldManager=one"), json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})).await;
            }
        }
    }

    async fn formats_come_before_options(talk: &mut Talk) {
        let body = json!({"metadata": {"name": "one"}});
        for path in [MAPS, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"] {
            for query in ["dryRun=x", "fieldValidation=x"] {
                talk.send("POST", &format!("{path}?{query}"), &[("content-type", "text/plain")], Some(body.clone())).await;
            }
        }
        talk.say("reviews have no names");
        for path in ["/apis/authorization.k8s.io/v1/subjectaccessreviews/one", "/apis/authentication.k8s.io/v1/tokenreviews/one", "/apis/authorization.k8s.io/v1/namespaces/{ns}/localsubjectaccessreviews/one"] {
            for method in ["GET", "PUT", "PATCH", "DELETE"] {
                let content = ("content-type", "application/merge-patch+json");
                talk.send(method, path, &[content], None).await;
            }
        }
        talk.get("/metrics/").await;
    }

    async fn what_comes_first(talk: &mut Talk) {
        let schema = json!({"openAPIV3Schema": {"type": "object"}});
        talk.install(thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": schema}))).await;
        let map = json!({"metadata": {"name": "one"}}).to_string();
        let thing = json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}}).to_string();
        for (path, object) in [(MAPS, map), (THINGS, thing)] {
            let one = &format!("{path}/one");
            talk.first_fields("POST", path, "application/json", &object).await;
            talk.first_fields("PUT", one, "application/json", &object).await;
            for form in ["", ";as=Table;g=meta.k8s.io;v=v1"] {
                let accept = format!("application/json{form}");
                talk.first_fields("GET", one, &accept, "").await;
                talk.first_fields("GET", path, &accept, "").await;
                talk.first_fields("GET", &format!("{path}?watch=true&timeoutSeconds=1"), &accept, "").await;
            }
            talk.first_fields("GET", one, "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", "").await;
            talk.first_fields("GET", path, "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "").await;
            talk.first_fields("GET", &format!("{one}/none"), "application/json", "").await;
            talk.first_fields("DELETE", one, "application/json", "").await;
        }
    }

    async fn which_field_comes_first_in_what_no_object_is(talk: &mut Talk) {
        const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        talk.install(thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}))).await;
        talk.until("/apis/{group}", |code, _| code == 200).await;
        for path in ["/api", "/apis", "/apis/apps", "/api/v1", "/apis/apps/v1", "/apis/{group}", "/apis/{group}/v1"] {
            talk.first_fields("GET", path, "application/json", "").await;
        }
        for path in ["/api", "/apis"] {
            talk.first_fields("GET", path, AGGREGATED, "").await;
        }
        const BOOKMARK: &str = "watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1";
        for path in [MAPS, THINGS] {
            for form in ["", ";as=Table;g=meta.k8s.io;v=v1", ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1"] {
                let path = format!("{path}?{BOOKMARK}&fieldSelector=metadata.name%3Dnone");
                talk.first_fields("GET", &path, &format!("application/json{form}"), "").await;
            }
        }
    }

    async fn what_means_something_in_html(talk: &mut Talk) {
        let open = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
        talk.install(thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": open}))).await;
        let data = json!({"html": "<a>&\"'\u{2028}\u{2029}\u{e9}\t\u{1}</a>"});
        talk.prepare(MAPS, json!({"metadata": {"name": "one", "annotations": data}, "data": data})).await;
        let thing = json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, "data": data});
        talk.prepare(THINGS, thing).await;
        let texts = |line: &str| {
            let texts: Vec<&str> = line.split("html").skip(1).filter_map(|rest| rest.split("/a").next()).collect();
            (!texts.is_empty()).then(|| format!("as it is: {}", texts.join(" and ")))
        };
        for path in [MAPS, THINGS] {
            for accept in ["application/json", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"] {
                talk.get_lines(&format!("{path}/one"), &[("accept", accept)], texts).await;
                talk.get_lines(&format!("{path}/one?pretty=true"), &[("accept", accept)], texts).await;
            }
            talk.get_lines(path, &[], texts).await;
            talk.get_lines(&format!("{path}?watch=true&timeoutSeconds=1"), &[], texts).await;
        }
    }

    async fn groups_of_kubernetes_have_to_be_approved(talk: &mut Talk) {
        const CRD: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{ns}.k8s.io";
        for refused in [None, Some(""), Some("yes"), Some("https://"), Some("//github.com/x"), Some("1://x"), Some("mailto:me")] {
            talk.post(&format!("{CRDS}?dryRun=All"), of_kubernetes(refused)).await;
        }
        talk.prepare(CRDS, of_kubernetes(Some("https://github.com/kubernetes/enhancements/pull/1111"))).await;
        talk.until(CRD, |_, body| approval(body)["status"] == "True").await;
        talk.get_picked(CRD, &[], approval).await;
        for other in ["unapproved, testing", "ftp://a/b c?d#e"] {
            // A patch, as the controllers write their conditions meanwhile.
            let annotations = json!({"api-approved.kubernetes.io": other});
            talk.patch_unsaid("merge", CRD, json!({"metadata": {"annotations": annotations}})).await;
            talk.until(CRD, |_, body| approval(body)["message"].as_str().is_some_and(|message| message.contains(other))).await;
            talk.get_picked(CRD, &[], approval).await;
        }
        talk.patch("merge", CRD, json!({"metadata": {"annotations": {"api-approved.kubernetes.io": null}}})).await;
    }

    async fn groups_are_told_in_order(talk: &mut Talk) {
        const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        const GROUPS: [(&str, &[&str]); 6] = [("a", &["v1alpha1"]), ("b", &["v1"]), ("c", &["v2"]), ("d", &["v1beta1"]), ("e", &["v3", "v1"]), ("f", &["v1", "v1alpha1"])];
        let told = |groups: &Value, name: &str| {
            let names: Vec<String> = groups.as_array().into_iter().flatten().filter_map(|group| {
                group.pointer(name)?.as_str().map(str::to_owned)
            }).collect();
            let of_case = |name: &&String| name.ends_with("groups-are-told-in-order") || !name.contains("example.com") && !name.contains("-");
            json!(names.iter().filter(of_case).collect::<Vec<_>>())
        };
        for (group, versions) in GROUPS {
            let version = |name: &&str| json!({
                "name": name, "served": true, "storage": *name == versions[0], "schema": {"openAPIV3Schema": {"type": "object"}},
            });
            let mut crd = thing_crd(json!({}));
            crd["spec"]["versions"] = versions.iter().map(version).collect();
            crd["metadata"]["name"] = format!("things.{group}.{{ns}}").into();
            crd["spec"]["group"] = format!("{group}.{{ns}}").into();
            talk.install(crd).await;
        }
        let are_all = |names: &Value| names.as_array().map_or(0, |names| {
            names.iter().filter(|name| name.as_str().is_some_and(|name| name.ends_with("in-order"))).count()
        }) == GROUPS.len();
        let plain = |body: &Value| told(&body["groups"], "/name");
        let aggregated = |body: &Value| told(&body["items"], "/metadata/name");
        talk.until("/apis", |_, body| are_all(&plain(body))).await;
        talk.until_as("/apis", AGGREGATED, |body| are_all(&aggregated(body))).await;
        talk.get_picked("/apis", &[], plain).await;
        talk.get_picked("/apis", &[("accept", AGGREGATED)], aggregated).await;
    }

    async fn patterns_are_regular_expressions_of_go(talk: &mut Talk) {
        let patterns = [
            (r#"^[^()<>@,;:\\"/[\]?={} \t\x7f]+$"#, ["a.b", "a[b", "a/b", "a b"]),
            (r"^[a&&b]+$", ["a&b", "b", "ab&&", "c"]),
            (r"^[+--]+$", ["+,-", "a", "", "-"]),
            (r"^[a-]b[]c]$", ["-b]", "abc", "ab[", "b"]),
            (r"^[[:alpha:]_]{2,3}$", ["a_", "ab1", "abcd", "é1"]),
            (r"^\d+\w\s$", ["1é ", "1a ", "٣a ", "12_\u{a0}"]),
            (r"^[\d\W]+$", ["1-", "é", "a", "٣"]),
            (r"^a{,2}$", ["aa", "a{,2}", "a", ""]),
            (r"^\{\{[a-z]+}}$", ["{{a}}", "{a}", "{{}}", "{{a}"]),
            (r"^{a}|\Qa.b*\E$", ["{a}", "a.b*", "axb", "a"]),
            (r"^\x{e9}\x41\101\_\-\/$", ["éAA_-/", "AA_-/", "", "é"]),
            (r"^(?i:ab)(?P<1st>c)(?<n>d)?$", ["ABc", "abC", "aBcd", "d"]),
            (r"\bx\b", ["éxé", "ax", "x", "x y"]),
            (r"^\p{Greek}\pL\P{^L}$", ["αab", "aab", "αa1", "α"]),
            (r"^x*?y+?$", ["xy", "x", "yy", "xx"]),
        ];
        let fields = patterns.iter().enumerate().map(|(at, (pattern, _))| {
            (format!("f{at}"), json!({"type": "string", "pattern": pattern}))
        });
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": Value::Object(fields.collect())}}});
        talk.install(thing_crd(json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}))).await;
        for one in 0..4 {
            let spec = patterns.iter().enumerate().map(|(at, (_, texts))| (format!("f{at}"), texts[one].into()));
            talk.post(&format!("{THINGS}?dryRun=All"), json!({
                "apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": Value::Object(spec.collect()),
            })).await;
        }
        for pattern in [
            "^(?!a)b$", "(?<=a)", "(?<a-b>c)", "(?P<a", "(?i-)", "(a", "a)", "[a", "[b-a]", "[[:letter:]]", "*a", "a|?", "a**", "a{2}{3}", "a{1001}", "a{3,2}",
            r"a\", r"\y", r"\1", r"\C", r"\xg1", r"\x{}", r"\x{110000}", r"\p{Nothing}", r"[\p{Nothing}]", r"[a\d-z]\Z",
        ] {
            let schema = json!({"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}});
            talk.post(&format!("{CRDS}?dryRun=All"), thing_crd(json!({
                "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema},
            }))).await;
        }
    }

    async fn bytes_are_read_as_go_reads_them(talk: &mut Talk) {
        const SECRETS: &str = "/api/v1/namespaces/{ns}/secrets";
        for (name, text) in [
            ("plain", "YWJj"), ("empty", ""), ("lines", "YW\r\nJj\n"), ("end", "YQ==\n"), ("inside", "YQ=\n="), ("bits", "YR=="), ("more-bits", "YWJ="),
        ] {
            talk.post(SECRETS, json!({"metadata": {"name": name}, "data": {"a": text}})).await;
        }
        for wrong in ["YWJ", "YW", "Y", "YW=", "YW=x", "Y===", "=", "YWJj=", "YWI=YWI=", "YWI=\n=", "YW J", "YW-_", "ä", "YWJjY\n"] {
            talk.post(SECRETS, json!({"metadata": {"name": "wrong"}, "data": {"a": wrong}})).await;
        }
        talk.patch("merge", &format!("{SECRETS}/plain"), json!({"data": {"b": "YW\nJj"}})).await;
        talk.patch("apply", &format!("{SECRETS}/applied?fieldManager=a"), json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "applied"}, "data": {"b": "YW\nJj"},
        })).await;
        talk.post("/api/v1/namespaces/{ns}/configmaps", json!({"metadata": {"name": "a"}, "binaryData": {"a": "YQ==\n"}})).await;
    }

    async fn what_is_not_set_is_selected_by_its_zero(talk: &mut Talk) {
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}});
        let nodes = "/api/v1/nodes?labelSelector=of%3D{ns}&fieldSelector=spec.unschedulable";
        talk.prepare("/api/v1/nodes", json!({"metadata": {"name": "{ns}", "labels": {"of": "{ns}"}}})).await;
        talk.prepare("/apis/batch/v1/namespaces/{ns}/jobs", json!({"metadata": {"name": "one"}, "spec": {"template": template}})).await;
        talk.prepare("/api/v1/namespaces/{ns}/pods", json!({"metadata": {"name": "one"}, "spec": template["spec"]})).await;
        let names = |list: &Value| match list["items"].as_array() {
            Some(items) => items.iter().map(|item| item["metadata"]["name"].clone()).collect(),
            None => list.clone(),
        };
        for (path, values) in [
            (nodes, ["false", "true", ""]),
            ("/apis/batch/v1/namespaces/{ns}/jobs?fieldSelector=status.successful", ["0", "1", ""]),
            ("/api/v1/namespaces/{ns}/pods?fieldSelector=spec.hostNetwork", ["false", "true", ""]),
        ] {
            for value in values {
                talk.get_picked(&format!("{path}%3D{value}"), &[], names).await;
                talk.get_picked(&format!("{path}!%3D{value}"), &[], names).await;
            }
        }
        for kind in ["replicasets", "deployments", "statefulsets", "daemonsets"] {
            talk.get(&format!("/apis/apps/v1/namespaces/{{ns}}/{kind}?fieldSelector=status.replicas%3D0")).await;
        }
        talk.get("/apis/batch/v1/namespaces/{ns}/cronjobs?fieldSelector=status.successful%3D0").await;
    }

    async fn services_are_printed_with_how_they_are_reached(talk: &mut Talk) {
        const SERVICES: &str = "/api/v1/namespaces/{ns}/services";
        for (name, spec) in [
            ("plain", json!({"ports": [{"name": "a", "port": 80}, {"name": "b", "port": 53, "protocol": "UDP"}]})),
            ("none", json!({"clusterIP": "None"})),
            ("named", json!({"type": "ExternalName", "externalName": "a.example.com"})),
            ("nodes", json!({"type": "NodePort", "externalIPs": ["1.2.3.4", "5.6.7.8"], "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]})),
            ("waits", json!({"type": "LoadBalancer", "ports": [{"port": 80}]})),
            ("balanced", json!({"type": "LoadBalancer", "externalIPs": ["1.2.3.4"], "allocateLoadBalancerNodePorts": false, "ports": [{"port": 80}]})),
        ] {
            talk.prepare(SERVICES, json!({"metadata": {"name": name}, "spec": spec})).await;
        }
        let mut balanced = talk.unsaid("GET", &format!("{SERVICES}/balanced"), None).await;
        balanced["status"] = json!({"loadBalancer": {"ingress": [{"ip": "9.9.9.9"}, {"hostname": "a-long-name.example.com"}]}});
        talk.unsaid("PUT", &format!("{SERVICES}/balanced/status"), Some(balanced)).await;
        let table = [("accept", "application/json;as=Table;g=meta.k8s.io;v=v1")];
        talk.get_picked(SERVICES, &table, |table| {
            let rows = table["rows"].as_array();
            rows.into_iter().flatten().map(|row| {
                // Which ports of the nodes it gets is chance.
                let ports = row["cells"][4].as_str().unwrap_or_default().split(',').map(|port| match port.split_once(':') {
                    Some((port, rest)) => format!("{port}:<node port>/{}", rest.rsplit('/').next().unwrap_or_default()),
                    None => port.to_owned(),
                });
                json!([row["cells"][0], row["cells"][1], row["cells"][3], ports.collect::<Vec<_>>()])
            }).collect()
        }).await;
    }

    async fn what_is_owned_in_another_version_has_to_fit_it(talk: &mut Talk) {
        const CRD: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}";
        const OLD: &str = "/apis/{group}/v1alpha1/namespaces/{ns}/things";
        const NEW: &str = "/apis/{group}/v1/namespaces/{ns}/things";
        // The old version does not know `more`, which the new one defaults later on.
        let spec = |more: Value| {
            let mut fields = json!({"a": {"type": "string"}, "b": {"type": "string"}});
            if more != Value::Null {
                fields["more"] = more;
            }
            json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}})
        };
        let old = |served: bool| json!({"name": "v1alpha1", "served": served, "storage": false, "schema": spec(Value::Null)});
        let new = |more: Value| json!({"name": "v1", "served": true, "storage": true, "schema": spec(more)});
        let mut crd = thing_crd(old(true));
        crd["spec"]["versions"] = json!([old(true), new(json!({"type": "string"}))]);
        talk.install(crd).await;
        let thing = |version: &str, name: &str, spec: Value| json!({
            "apiVersion": format!("{{group}}/{version}"), "kind": "Thing", "metadata": {"name": name}, "spec": spec,
        });
        for name in ["own", "others", "updated", "gone"] {
            let path = |base: &str, rest: &str| format!("{base}/{name}?{rest}");
            talk.unsaid("POST", &format!("{NEW}?fieldManager=creator"), Some(thing("v1", name, json!({})))).await;
            let version = if name == "own" { (OLD, "v1alpha1") } else { (NEW, "v1") };
            talk.patch("apply", &path(version.0, "fieldManager=me"), thing(version.1, name, json!({"a": "x"}))).await;
            match name {
                "others" | "gone" => {
                    talk.patch("apply", &path(OLD, "fieldManager=other"), thing("v1alpha1", name, json!({"b": "x"}))).await;
                }
                "updated" => {
                    talk.patch("merge", &path(OLD, "fieldManager=other"), json!({"spec": {"b": "x"}})).await;
                }
                _ => {}
            }
        }
        let replace = async |talk: &mut Talk, versions: Value| {
            let spec = json!({"spec": {"versions": versions}});
            talk.patch_unsaid("merge", CRD, spec).await;
        };
        let defaulted = || new(json!({"type": "string", "default": "there"}));
        replace(talk, json!([old(true), defaulted()])).await;
        talk.until(&format!("{NEW}/own?resourceVersion=0"), |_, body| body["spec"]["more"] == "there").await;
        talk.until("/openapi/v3/apis/{group}/v1", |_, body| body.to_string().contains("\"there\"")).await;
        for name in ["own", "others", "updated"] {
            let path = |base: &str, rest: &str| format!("{base}/{name}?{rest}");
            for (by, spec) in [("me", json!({"a": "x"})), ("me", json!({"a": "y"})), ("another", json!({"b": "z"}))] {
                talk.patch("apply", &path(NEW, &format!("dryRun=All&fieldManager={by}")), thing("v1", name, spec)).await;
            }
            talk.patch("apply", &path(OLD, "dryRun=All&fieldManager=me"), thing("v1alpha1", name, json!({"a": "y"}))).await;
            talk.patch("merge", &path(NEW, "dryRun=All&fieldManager=another"), json!({"spec": {"b": "z"}})).await;
            talk.patch("merge", &path(OLD, "dryRun=All&fieldManager=another"), json!({"spec": {"b": "z"}})).await;
        }
        replace(talk, json!([old(false), defaulted()])).await;
        talk.until(OLD, |code, _| code == 404).await;
        talk.patch("apply", &format!("{NEW}/own?dryRun=All&fieldManager=me"), thing("v1", "own", json!({"a": "y"}))).await;
        replace(talk, json!([defaulted()])).await;
        talk.until("/apis/{group}", |_, body| body["versions"].as_array().is_some_and(|versions| versions.len() == 1)).await;
        talk.until(&format!("{NEW}/gone"), |_, body| body["spec"]["more"] == "there").await;
        // What is served is another thing than what is said of it.
        let own = format!("{NEW}/own?dryRun=All&fieldManager=another");
        talk.until_patched("apply", &own, thing("v1", "own", json!({"a": "y", "b": "z"})), |answer| {
            answer["message"].as_str().is_some_and(|message| message.contains("invalid group/version"))
        }).await;
        for name in ["own", "gone"] {
            talk.patch("apply", &format!("{NEW}/{name}?dryRun=All&fieldManager=me"), thing("v1", name, json!({"a": "y"}))).await;
            talk.patch("apply", &format!("{NEW}/{name}?dryRun=All&fieldManager=another"), thing("v1", name, json!({"a": "y", "b": "z"}))).await;
            talk.patch("merge", &format!("{NEW}/{name}?dryRun=All&fieldManager=another"), json!({"spec": {"b": "z"}})).await;
        }
    }

    async fn objects_of_operators_are_checked(talk: &mut Talk) {
        let schema = json!({"type": "object", "properties": {
            "spec": {"type": "object", "properties": {
                "port": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 4_294_967_295_u64},
                "low": {"type": "integer", "format": "int32", "minimum": -4_294_967_295_i64, "maximum": 1},
                "one": {"type": "object", "maxProperties": 1, "additionalProperties": {"type": "string"}},
                "two": {"type": "array", "maxItems": 1, "items": {"type": "string"}},
                "ref": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "kind": {"type": "string"}, "mode": {"type": "string", "default": "x"}}},
                "text": {"type": "string", "maxLength": 3, "minLength": 2, "enum": ["ab", "abcd", "a"]},
                "ruled": {"type": "object", "properties": {"a": {"type": "string"}}, "x-kubernetes-validations": [{"rule": "true"}]},
            }},
            "status": {"type": "object", "default": {"a": {}}, "properties": {"a": {"type": "object", "properties": {"b": {"type": "string", "default": "c"}}}}},
        }});
        talk.install(thing_crd(json!({
            "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}, "subresources": {"status": {}},
        }))).await;
        let thing = |spec: &Value| json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": spec});
        for spec in [
            json!({"port": 1}), json!({"port": 4_294_967_294_u64}), json!({"low": 2}), json!({"one": {"a": "b", "c": "d"}, "two": ["a", "b"]}),
            json!({"ref": {"name": "a", "kind": null}}), json!({"ref": {"name": null, "mode": null}}), json!({"ref": null}), json!({"one": {"a": null}}),
            json!({"text": "a"}), json!({"text": "abcd"}), json!({"text": "x"}), json!({"ref": {}}), json!({"ref": {}, "ruled": {"a": 1}}), json!({}),
        ] {
            talk.post(&format!("{THINGS}?dryRun=All"), thing(&spec)).await;
            talk.patch("apply", &format!("{THINGS}/one?dryRun=All&fieldManager=a"), thing(&spec)).await;
        }
        talk.prepare(THINGS, thing(&json!({"ref": {"name": "a"}}))).await;
        for spec in [json!({"ref": {"name": null}}), json!({"ref": {"name": "b", "kind": null}}), json!({"text": "abcd"}), json!({"port": 1})] {
            talk.patch("merge", &format!("{THINGS}/one?dryRun=All"), json!({"spec": spec})).await;
            talk.patch("apply", &format!("{THINGS}/one?dryRun=All&fieldManager=a&force=true"), thing(&spec)).await;
        }
    }

    async fn a_server_tells_of_its_parts(talk: &mut Talk) {
        const PARTS: &str = "/api/v1/componentstatuses";
        let table = [("accept", "application/json;as=Table;g=meta.k8s.io;v=v1")];
        let healthy = |part: &Value| json!([part["metadata"]["name"], part["conditions"][0]["type"]]);
        talk.get_picked(PARTS, &[], |list| {
            let mut all: Vec<Value> = list["items"].as_array().into_iter().flatten().map(healthy).collect();
            all.sort_by_key(Value::to_string);
            json!({"kind": list["kind"], "apiVersion": list["apiVersion"], "items": all})
        }).await;
        talk.get_picked(&format!("{PARTS}/scheduler"), &[], healthy).await;
        talk.get_picked(&format!("{PARTS}/etcd-0"), &[], |part| json!([part["kind"], part["apiVersion"], part["conditions"]])).await;
        talk.get_picked(&format!("{PARTS}/etcd-0"), &table, |table| {
            json!([table["columnDefinitions"].as_array().into_iter().flatten().map(|column| column["name"].clone()).collect::<Value>(), table["rows"][0]["cells"]])
        }).await;
        talk.get_picked("/api/v1", &[], |list| {
            list["resources"].as_array().into_iter().flatten().filter(|resource| resource["kind"] == "ComponentStatus").cloned().collect()
        }).await;
        talk.get(&format!("{PARTS}?watch=true")).await;
        talk.get(&format!("{PARTS}/etcd-0/status")).await;
        talk.post(PARTS, json!({"metadata": {"name": "mine"}})).await;
        talk.put(&format!("{PARTS}/etcd-0"), json!({"metadata": {"name": "etcd-0"}})).await;
        talk.patch("merge", &format!("{PARTS}/etcd-0"), json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.delete(&format!("{PARTS}/etcd-0")).await;
        talk.delete(PARTS).await;
    }

    async fn a_deprecated_version_is_warned_of_first(talk: &mut Talk) {
        let numbers = json!({"type": "object", "properties": {"replicas": {"type": "integer"}}});
        talk.install(thing_crd(json!({
            "name": "v1", "served": true, "storage": true, "deprecated": true, "deprecationWarning": "use another",
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": numbers}}},
            "subresources": {"scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
        }))).await;
        let thing = |name: &str, spec: Value| json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": name}, "spec": spec});
        talk.post(THINGS, thing("one", json!({"odd": 1}))).await;
        talk.post(THINGS, thing("two", json!({"odd": 1, "replicas": "x"}))).await;
        talk.post(&format!("{THINGS}?fieldValidation=Strict"), thing("two", json!({"odd": 1}))).await;
        talk.patch("merge", &format!("{THINGS}/one"), json!({"spec": {"odd": 2}, "other": 1})).await;
        talk.get(&format!("{THINGS}/one/scale")).await;
        talk.get(&format!("{THINGS}/none")).await;
    }

    async fn what_says_no_number_can_be_scaled(talk: &mut Talk) {
        let numbers = json!({"type": "object", "properties": {"replicas": {"type": "integer"}}});
        talk.install(thing_crd(json!({
            "name": "v1", "served": true, "storage": true,
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": numbers, "status": numbers}}},
            "subresources": {"scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
        }))).await;
        let thing = |replicas: Value| json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": {"replicas": replicas}});
        for wrong in [json!("x"), json!(1.5), json!(-1), json!(2_147_483_648_u64)] {
            talk.post(THINGS, thing(wrong)).await;
        }
        talk.post(THINGS, json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}})).await;
        let scale = format!("{THINGS}/one/scale");
        talk.get(&scale).await;
        talk.patch("merge", &scale, json!({"metadata": {"labels": {"a": "b"}}})).await;
        talk.patch("json", &scale, json!([{"op": "test", "path": "/spec/replicas", "value": 0}])).await;
        talk.patch("merge", &format!("{scale}?dryRun=All"), json!({"spec": {"replicas": null}})).await;
        talk.patch("merge", &format!("{scale}?dryRun=All"), json!({"spec": {"replicas": -2_147_483_648_i64}})).await;
        talk.patch("json", &format!("{scale}?dryRun=All"), json!([{"op": "replace", "path": "/spec/replicas", "value": 3}])).await;
        talk.patch("merge", &scale, json!({"spec": {"replicas": 1}})).await;
        talk.get(&scale).await;
    }
}
