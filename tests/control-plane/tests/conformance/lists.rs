//! Lists: what is in them, in which form, and in pages.

use base64::Engine;
use serde_json::{Value, json};

use super::support::{Talk, thing_crd};

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const TABLE: &str = "application/json;as=Table;g=meta.k8s.io;v=v1,application/json";
const METADATA: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

fn map(name: &str, labels: Value) -> Value {
    json!({"metadata": {"name": name, "labels": labels}, "data": {"name": name}})
}

/// Five ConfigMaps, with colours and sizes.
async fn five(talk: &mut Talk) {
    for (name, labels) in [
        ("a", json!({"color": "red", "size": "1"})),
        ("b", json!({"color": "blue", "size": "2"})),
        ("c", json!({"color": "red"})),
        ("d", json!({"size": "3", "example.com/odd": ""})),
        ("e", json!({})),
    ] {
        talk.prepare(MAPS, map(name, labels)).await;
    }
}

fn encoded(selector: &str) -> String {
    let mut out = String::new();
    for byte in selector.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => {
                out.push(char::from(byte))
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// The names in an answer, for cases that need no more of it.
async fn select(talk: &mut Talk, parameter: &str, selectors: &[&str]) {
    for selector in selectors {
        talk.say(selector);
        talk.send(
            "GET",
            &format!("{MAPS}?{parameter}={}", encoded(selector)),
            &[("accept", TABLE)],
            None,
        )
        .await;
    }
}

fn things_definition() -> Value {
    thing_crd(json!({
        "name": "v1", "served": true, "storage": true,
        "selectableFields": [{"jsonPath": ".spec.color"}, {"jsonPath": ".spec.size"}],
        "additionalPrinterColumns": [
            {"name": "Color", "type": "string", "jsonPath": ".spec.color"},
            {"name": "Size", "type": "integer", "jsonPath": ".spec.size", "priority": 1},
            {"name": "Since", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
            {"name": "Missing", "type": "string", "jsonPath": ".spec.nothing"},
        ],
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {
            "spec": {"type": "object", "properties": {"size": {"type": "integer"}, "color": {"type": "string"}, "nothing": {"type": "string"}}},
        }}},
    }))
}

async fn things(talk: &mut Talk) -> &'static str {
    talk.install(things_definition()).await;
    let path = "/apis/{group}/v1/namespaces/{ns}/things";
    for (name, color, size) in [("a", "red", 1), ("b", "blue", 2), ("c", "red", 3)] {
        talk.prepare(path, json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": name}, "spec": {"color": color, "size": size}})).await;
    }
    path
}

conformance! {
    async fn metadata_of_nothing(talk: &mut Talk) {
        const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        for path in ["/api/v1/namespaces/{ns}/secrets", "/apis/apps/v1/namespaces/{ns}/deployments?labelSelector=a"] {
            talk.send("GET", path, &[("accept", METADATA)], None).await;
            talk.get(path).await;
        }
    }

    async fn pages_of_exactly_what_is_selected(talk: &mut Talk) {
        five(talk).await;
        for query in [
            "limit=2&labelSelector=color%3Dred", "limit=2&labelSelector=size", "limit=3&labelSelector=size", "limit=1&labelSelector=color%3Dblue",
            "limit=3&labelSelector=!color", "limit=1&fieldSelector=metadata.name%3D%3Da", "limit=2&fieldSelector=metadata.name%3D%3Da",
            "limit=2&labelSelector=color%3Dred&resourceVersion=0", "limit=1&fieldSelector=metadata.name%3D%3Dnone",
        ] {
            talk.get(&format!("{MAPS}?{query}")).await;
        }
        talk.get("/api/v1/configmaps?limit=1&fieldSelector=metadata.namespace%3D%3D{ns},metadata.name%3D%3Da").await;
    }

    async fn a_list_holds_all_in_order(talk: &mut Talk) {
        talk.get(MAPS).await;
        for name in ["c", "a", "b-1", "b", "B"] {
            talk.post(MAPS, map(&name.to_lowercase(), json!({}))).await;
        }
        talk.get(MAPS).await;
        talk.get(&format!("{MAPS}?pretty=false")).await;
    }

    async fn label_selectors_select(talk: &mut Talk) {
        five(talk).await;
        select(talk, "labelSelector", &[
            "color=red", "color==red", "color!=red", "color", "!color", "color in (red,blue)", "color notin (red)",
            "color=red,size", "color in (blue), size!=1", "size>1", "size<3", "size gt 1", "example.com/odd=", "example.com/odd",
            "color in ()", "color=", "", " color = red ", "color in (red,)", "color,color=red,!size",
        ]).await;
    }

    async fn label_selectors_that_are_none_are_refused(talk: &mut Talk) {
        for selector in [
            "=", "a=b=c", "a in b", "a in (b", "a b", "-a=b", "a=-b", "a!b", "a>b", "a,,b", "(a)", "a in (b))", "a=b,", ",",
            "a==", "!", "!a=b", "a=b c", "a/b/c=d", "A.example.com/x=y",
        ] {
            talk.say(selector);
            talk.get(&format!("{MAPS}?labelSelector={}", encoded(selector))).await;
        }
        let long = "x".repeat(64);
        talk.get(&format!("{MAPS}?labelSelector=a%3D{long}")).await;
        talk.get(&format!("{MAPS}?labelSelector={long}")).await;
    }

    async fn field_selectors_select(talk: &mut Talk) {
        five(talk).await;
        select(talk, "fieldSelector", &[
            "metadata.name=a", "metadata.name==a", "metadata.name!=a", "metadata.namespace=field-selectors-select",
            "metadata.namespace=another", "metadata.name=a,metadata.name=b", "metadata.name!=a,metadata.name!=b", "metadata.name=none", "",
        ]).await;
    }

    async fn events_are_selected_in_the_words_of_their_group(talk: &mut Talk) {
        let (old, new) = ("/api/v1/namespaces/{ns}/events", "/apis/events.k8s.io/v1/namespaces/{ns}/events");
        let about = |name: &str| json!({"kind": "ConfigMap", "apiVersion": "v1", "name": name, "namespace": "{ns}"});
        talk.post(old, json!({"metadata": {"name": "one"}, "involvedObject": about("a"), "reason": "Done", "source": {"component": "me"}, "type": "Normal"})).await;
        talk.post(new, json!({
            "metadata": {"name": "two"}, "regarding": about("b"), "reason": "Done", "type": "Normal", "action": "Do",
            "reportingController": "example.com/me", "reportingInstance": "me-1", "eventTime": "2024-01-01T00:00:00.000000Z",
        })).await;
        for (path, selector) in [
            (old, "involvedObject.name=b"), (old, "reportingComponent=example.com/me"), (old, "source=me"),
            (old, "source=example.com/me"), (old, "regarding.name=b"), (new, "regarding.name=b"), (new, "regarding.name!=b"),
            (new, "regarding.apiVersion=v1"), (new, "reportingController=example.com/me"), (new, "involvedObject.name=b"),
        ] {
            talk.get(&format!("{path}?fieldSelector={selector}")).await;
        }
    }

    async fn field_selectors_that_are_none_are_refused(talk: &mut Talk) {
        for selector in ["data.a=b", "metadata.name", "metadata.name>a", "metadata.name in (a)", "metadata.labels=a", "spec.x=y"] {
            talk.say(selector);
            talk.get(&format!("{MAPS}?fieldSelector={}", encoded(selector))).await;
        }
        talk.get("/api/v1/namespaces/{ns}/pods?fieldSelector=spec.nothing%3Dx").await;
        talk.get("/api/v1/namespaces/{ns}/pods?fieldSelector=spec.nodeName%3Dx").await;
        talk.get("/api/v1/namespaces/{ns}/secrets?fieldSelector=type%3DOpaque").await;
        talk.get("/api/v1/namespaces/{ns}/events?fieldSelector=involvedObject.name%3Dx%2Creason%3Dy").await;
    }

    async fn fields_of_custom_resources_are_selectable_where_declared(talk: &mut Talk) {
        let path = things(talk).await;
        for selector in ["spec.color=red", "spec.color!=red", "spec.size=2", "spec.color=red,spec.size=3", "metadata.name=a", "spec.nothing=x"] {
            talk.say(selector);
            talk.send("GET", &format!("{path}?fieldSelector={}", encoded(selector)), &[("accept", TABLE)], None).await;
        }
    }

    async fn a_list_comes_in_pages(talk: &mut Talk) {
        five(talk).await;
        let first = talk.get(&format!("{MAPS}?limit=2")).await.body;
        let token = |page: &Value| page["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
        talk.say("what comes in between is not in it");
        talk.prepare(MAPS, map("ab", json!({}))).await;
        let second = talk.get(&format!("{MAPS}?limit=2&continue={}", token(&first))).await.body;
        talk.get(&format!("{MAPS}?limit=2&continue={}", token(&second))).await;
        talk.say("one page holds all");
        talk.get(&format!("{MAPS}?limit=100")).await;
        talk.get(&format!("{MAPS}?limit=0")).await;
        talk.say("with a selector nobody knows how many are left");
        talk.get(&format!("{MAPS}?limit=1&labelSelector=color%3Dred")).await;
    }

    async fn pages_that_make_no_sense_are_refused(talk: &mut Talk) {
        five(talk).await;
        let first = talk.get(&format!("{MAPS}?limit=2")).await.body;
        let token = first["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
        talk.get(&format!("{MAPS}?limit=2&continue={token}&resourceVersion=1")).await;
        talk.get(&format!("{MAPS}?limit=2&continue={token}&resourceVersion=0")).await;
        talk.get(&format!("{MAPS}?limit=2&continue={token}&resourceVersionMatch=Exact")).await;
        talk.get(&format!("{MAPS}?limit=-1")).await;
        talk.get(&format!("{MAPS}?limit=many")).await;
    }

    async fn what_encodes_nothing_in_a_query_is_passed_over(talk: &mut Talk) {
        five(talk).await;
        for query in ["labelSelector=a%ZZ", "%=1&labelSelector=color%3Dred", "labelSelector=color%3Dred%", "limit=1%2"] {
            talk.send("GET", &format!("{MAPS}?{query}"), &[("accept", TABLE)], None).await;
        }
    }

    async fn tokens_that_no_list_gave(talk: &mut Talk) {
        let tokens = [
            json!({}), json!(null), json!([]), json!("x"), json!({"v": "x"}), json!({"v": 5}), json!({"v": "meta.k8s.io/v1"}),
            json!({"v": "meta.k8s.io/v1", "rv": 5}), json!({"v": "meta.k8s.io/v1", "start": "a"}), json!({"v": "meta.k8s.io/v1", "rv": "5", "start": "a"}),
            json!({"v": "meta.k8s.io/v1", "rv": 1.5, "start": "a"}), json!({"v": "meta.k8s.io/v1", "rv": 5, "start": 5}),
        ];
        for token in tokens {
            // As a real server writes them: base64 without its padding.
            let token = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(token.to_string());
            talk.get(&format!("{MAPS}?limit=1&continue={token}")).await;
        }
        for token in ["abc", "abcde", "%21", "e30%3D"] {
            talk.get(&format!("{MAPS}?limit=1&continue={token}")).await;
        }
    }

    async fn versions_of_lists(talk: &mut Talk) {
        five(talk).await;
        let version = talk.get(&format!("{MAPS}/a")).await.body["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
        talk.say("not older than");
        talk.send("GET", &format!("{MAPS}?resourceVersion=0"), &[("accept", TABLE)], None).await;
        talk.send("GET", &format!("{MAPS}?resourceVersion={version}"), &[("accept", TABLE)], None).await;
        talk.send("GET", &format!("{MAPS}?resourceVersion={version}&resourceVersionMatch=NotOlderThan"), &[("accept", TABLE)], None).await;
        talk.say("exactly");
        talk.send("GET", &format!("{MAPS}?resourceVersion={version}&resourceVersionMatch=Exact"), &[("accept", TABLE)], None).await;
        talk.send("GET", &format!("{MAPS}?resourceVersion={version}&limit=1"), &[("accept", TABLE)], None).await;
        talk.say("what makes no sense");
        for query in [
            "resourceVersion=abc", "resourceVersionMatch=Exact", "resourceVersion=0&resourceVersionMatch=Exact", "resourceVersion=-1",
            "resourceVersion=999999&resourceVersionMatch=Odd", "resourceVersionMatch=NotOlderThan", "resourceVersion=1.5",
        ] {
            talk.get(&format!("{MAPS}?{query}")).await;
        }
    }

    async fn a_get_may_say_a_version_too(talk: &mut Talk) {
        five(talk).await;
        talk.get(&format!("{MAPS}/a?resourceVersion=0")).await;
        talk.get(&format!("{MAPS}/a?resourceVersion=1")).await;
        talk.get(&format!("{MAPS}/a?resourceVersion=abc")).await;
        talk.get(&format!("{MAPS}/none?resourceVersion=0")).await;
    }

    async fn metadata_alone(talk: &mut Talk) {
        five(talk).await;
        talk.send("GET", MAPS, &[("accept", METADATA)], None).await;
        talk.send("GET", &format!("{MAPS}/a"), &[("accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")], None).await;
        talk.send("GET", MAPS, &[("accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")], None).await;
        talk.send("GET", &format!("{MAPS}?limit=2"), &[("accept", METADATA)], None).await;
        talk.send("POST", MAPS, &[("accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")], Some(map("f", json!({})))).await;
    }

    async fn tables(talk: &mut Talk) {
        five(talk).await;
        talk.send("GET", MAPS, &[("accept", TABLE)], None).await;
        talk.send("GET", &format!("{MAPS}?includeObject=None&limit=2"), &[("accept", TABLE)], None).await;
        talk.send("GET", &format!("{MAPS}?includeObject=Object&limit=1"), &[("accept", TABLE)], None).await;
        talk.send("GET", &format!("{MAPS}?includeObject=Odd"), &[("accept", TABLE)], None).await;
        talk.send("GET", MAPS, &[("accept", "application/json;as=Table;g=meta.k8s.io;v=v2")], None).await;
        talk.send("GET", &format!("{MAPS}/none"), &[("accept", TABLE)], None).await;
    }

    async fn tables_of_custom_resources(talk: &mut Talk) {
        let path = things(talk).await;
        talk.send("GET", path, &[("accept", TABLE)], None).await;
        talk.send("GET", &format!("{path}/a"), &[("accept", TABLE)], None).await;
        talk.send("GET", path, &[("accept", METADATA)], None).await;
        talk.get(path).await;
    }

    async fn lists_across_namespaces(talk: &mut Talk) {
        five(talk).await;
        talk.prepare("/api/v1/namespaces", json!({"metadata": {"name": "{ns}-2"}})).await;
        talk.prepare("/api/v1/namespaces/{ns}-2/configmaps", map("a", json!({"of": "lists-across-namespaces"}))).await;
        talk.prepare(MAPS, map("z", json!({"of": "lists-across-namespaces"}))).await;
        talk.get("/api/v1/configmaps?labelSelector=of%3Dlists-across-namespaces").await;
        talk.get("/api/v1/configmaps?labelSelector=of%3Dlists-across-namespaces&fieldSelector=metadata.namespace%3D{ns}-2").await;
        talk.get("/api/v1/namespaces/none/configmaps").await;
        talk.get("/api/v1/namespaces?fieldSelector=metadata.name%3D{ns}").await;
    }

    async fn events_come_in_pages_of_any_version_too(talk: &mut Talk) {
        const EVENTS: &str = "/api/v1/namespaces/{ns}/events";
        for name in ["a", "b"] {
            let about = json!({"kind": "Pod", "namespace": "{ns}", "name": "one"});
            talk.prepare(EVENTS, json!({"metadata": {"name": name}, "involvedObject": about, "reason": "Odd"})).await;
            talk.prepare(MAPS, map(name, json!({}))).await;
        }
        for (path, query) in [
            (EVENTS, "limit=1&resourceVersion=0"), (EVENTS, "limit=1&resourceVersion=00"), (EVENTS, "resourceVersion=00&resourceVersionMatch=Exact"),
            (MAPS, "limit=1&resourceVersion=00&labelSelector=!own"), (MAPS, "limit=1&resourceVersion=00&resourceVersionMatch=Exact&fieldSelector=metadata.name!=kube-root-ca.crt"),
        ] {
            talk.get(&format!("{path}?{query}")).await;
        }
    }

    async fn spaces_and_versions_are_those_of_go(talk: &mut Talk) {
        talk.prepare(MAPS, map("one", json!({"a": "1"}))).await;
        for selector in ["a%3D%E2%80%A8", "a=%C2%85", "a=%C2%A0", "a=1%0C", "a=1%0B", "%E3%80%80a=1", "a in%E2%80%83(1)", "a%09=%0D%0A1", "a=%01", "a%3E%7F"] {
            talk.get(&format!("{MAPS}?labelSelector={}", selector.replace(' ', "%20"))).await;
        }
        let events = "/api/v1/namespaces/{ns}/events";
        for version in ["%2B0", "18446744073709551616", "x", "-1", "", "%01", "%C2%AD"] {
            for (path, query) in [(MAPS, ""), (MAPS, "&watch=true"), ("/api/v1/namespaces/{ns}/configmaps/one", ""), (events, ""), ("/api/v1/namespaces/{ns}/events/none", "")] {
                if query.is_empty() || !version.is_empty() {
                    talk.get(&format!("{path}?resourceVersion={version}{query}")).await;
                }
            }
        }
    }

    async fn pods_are_selected_by_older_names_too(talk: &mut Talk) {
        const PODS: &str = "/api/v1/namespaces/{ns}/pods";
        let spec = json!({"nodeName": "here", "containers": [{"name": "main", "image": "web:1"}]});
        talk.prepare(PODS, json!({"metadata": {"name": "one"}, "spec": spec})).await;
        talk.patch_unsaid("merge", &format!("{PODS}/one/status"), json!({"status": {"podIP": "192.0.2.1", "podIPs": [{"ip": "192.0.2.1"}]}})).await;
        for selector in [
            "status.podIPs=", "status.podIPs!=", "status.podIPs=192.0.2.1", "status.podIPs!=192.0.2.1", "status.podIP=192.0.2.1", "spec.host=here", "spec.host!=here", "spec.host=", "status.hostIP=a",
        ] {
            let query = selector.replace('=', "%3D");
            talk.get_picked(&format!("{PODS}?fieldSelector={query}"), &[], |list| match list["items"].as_array() {
                Some(pods) => pods.iter().map(|pod| pod["metadata"]["name"].clone()).collect(),
                None => list.clone(),
            }).await;
        }
    }

    async fn which_mistake_is_told(talk: &mut Talk) {
        talk.prepare(MAPS, map("one", json!({}))).await;
        let token = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MCwic3RhcnQiOiJhIn0";
        for query in [
            "limit=x&labelSelector=a%20b", "timeoutSeconds=x&fieldSelector=a", "timeoutSeconds=x&resourceVersion=y", "labelSelector=a%20b&fieldSelector=a",
            "labelSelector=a%20b&resourceVersionMatch=Exact", "sendInitialEvents=true&resourceVersionMatch=NotOlderThan", "sendInitialEvents=true&resourceVersionMatch=Odd&continue=a",
            "resourceVersion=0&resourceVersionMatch=Exact&continue=a", &format!("resourceVersion=1&continue={token}"), "resourceVersion=1&continue=a",
            "resourceVersion=a&continue=a", "watch=1&timeoutSeconds=x&sendInitialEvents=true", "watch=1&sendInitialEvents=false&resourceVersionMatch=Exact&continue=a",
            "watch=1&resourceVersionMatch=Odd&continue=a", "watch=1&resourceVersion=1&resourceVersionMatch=NotOlderThan",
        ] {
            talk.get(&format!("{MAPS}?{query}")).await;
        }
        talk.say("of one object, where many are asked for");
        let one = [("accept", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io")];
        for query in ["", "?labelSelector=a%20b", "?limit=x"] {
            talk.send("GET", &format!("{MAPS}{query}"), &one, None).await;
        }
        talk.say("fields of no name");
        for selector in ["%3D", "%3D%3D", "!%3D", "%3D,metadata.name%3Done", "metadata.name%3Done,%3D", "%3Da", "a%3D"] {
            talk.get_picked(&format!("{MAPS}?fieldSelector={selector}"), &[], |list| json!([list["items"].as_array().map(Vec::len), list["message"]])).await;
        }
        talk.say("over before it began");
        talk.get_lines(&format!("{MAPS}?watch=1&timeoutSeconds=-1"), &[], |_| None).await;
        talk.say("a body says all of how to delete");
        talk.delete_with(&format!("{MAPS}/two?gracePeriodSeconds=x"), json!({})).await;
        talk.delete(&format!("{MAPS}/two?gracePeriodSeconds=x")).await;
        talk.get(&format!("{MAPS}/..?export=true")).await;
        talk.say("no rows");
        let table = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
        for plural in ["/api/v1/namespaces/{ns}/limitranges", "/api/v1/namespaces/{ns}/secrets", "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles", "/apis/storage.k8s.io/v1/namespaces/{ns}/csistoragecapacities"] {
            talk.get_picked(plural, &table, |table| table["rows"].clone()).await;
        }
    }

    async fn a_list_of_one_name_as_of_a_version(talk: &mut Talk) {
        const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
        let first = talk.prepare(MAPS, map("one", json!({}))).await;
        talk.patch_unsaid("merge", &format!("{MAPS}/one"), json!({"data": {"a": "newer"}})).await;
        let old = first["metadata"]["resourceVersion"].as_str().unwrap();
        let told = |list: &Value| {
            let items = list["items"].as_array().into_iter().flatten();
            let data: Vec<&Value> = items.map(|map| &map["data"]).collect();
            json!([data, list["details"]])
        };
        for more in ["", "&limit=1", "&limit=5", "&resourceVersionMatch=Exact", "&resourceVersionMatch=NotOlderThan&limit=1"] {
            talk.get_picked(&format!("{MAPS}?fieldSelector=metadata.name=one&resourceVersion={old}{more}"), &[], told).await;
        }
        for more in ["&limit=1", "&resourceVersionMatch=Exact"] {
            talk.get_picked(&format!("{MAPS}?fieldSelector=metadata.name=one&resourceVersion=99999999999{more}"), &[], told).await;
        }
    }
}
