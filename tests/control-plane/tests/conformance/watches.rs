//! Watches: what they tell, and how they end.

use serde_json::{Value, json};

use super::support::Talk;

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const TABLE: &str = "application/json;as=Table;g=meta.k8s.io;v=v1,application/json";
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

fn map(name: &str, color: &str) -> Value {
    json!({"metadata": {"name": name, "labels": {"color": color}}})
}

fn version(object: &Value) -> String {
    object["metadata"]["resourceVersion"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// The version of an empty list, from which to watch.
async fn now(talk: &mut Talk) -> String {
    let seed = talk
        .prepare(
            "/api/v1/namespaces/{ns}/secrets",
            json!({"metadata": {"generateName": "seed-"}}),
        )
        .await;
    version(&seed)
}

async fn paint(talk: &mut Talk, name: &str, color: &str) {
    talk.patch(
        "merge",
        &format!("{MAPS}/{name}"),
        json!({"metadata": {"labels": {"color": color}}}),
    )
    .await;
}

conformance! {
    async fn a_watch_tells_what_happens_after_a_version(talk: &mut Talk) {
        let from = now(talk).await;
        let mut watch = talk.watch(&format!("{MAPS}?watch=true&resourceVersion={from}")).await;
        talk.post(MAPS, map("one", "red")).await;
        paint(talk, "one", "blue").await;
        talk.delete(&format!("{MAPS}/one")).await;
        talk.events(&mut watch, 3).await;
        talk.say("from there again");
        let mut again = talk.watch(&format!("{MAPS}?watch=1&resourceVersion={from}")).await;
        talk.events(&mut again, 3).await;
    }

    async fn a_watch_without_a_version_begins_with_what_is_there(talk: &mut Talk) {
        talk.prepare(MAPS, map("one", "red")).await;
        talk.prepare(MAPS, map("two", "red")).await;
        for query in ["watch=true", "watch=true&resourceVersion=0", "watch=true&resourceVersion="] {
            let mut watch = talk.watch(&format!("{MAPS}?{query}&fieldSelector=metadata.name%3Done")).await;
            talk.events(&mut watch, 1).await;
        }
    }

    async fn a_watch_of_one_name(talk: &mut Talk) {
        let from = now(talk).await;
        let mut watch = talk.watch(&format!("{MAPS}?watch=true&resourceVersion={from}&fieldSelector=metadata.name%3Dtwo")).await;
        for name in ["one", "two", "three"] {
            talk.prepare(MAPS, map(name, "red")).await;
        }
        talk.delete(&format!("{MAPS}/two")).await;
        talk.events(&mut watch, 2).await;
    }

    async fn what_leaves_a_selection_is_deleted_and_comes_back_as_added(talk: &mut Talk) {
        let from = now(talk).await;
        let mut watch = talk.watch(&format!("{MAPS}?watch=true&resourceVersion={from}&labelSelector=color%3Dred")).await;
        talk.prepare(MAPS, map("one", "blue")).await;
        paint(talk, "one", "red").await;
        paint(talk, "one", "blue").await;
        paint(talk, "one", "green").await;
        paint(talk, "one", "red").await;
        talk.patch("merge", &format!("{MAPS}/one"), json!({"data": {"a": "b"}})).await;
        talk.delete(&format!("{MAPS}/one")).await;
        talk.events(&mut watch, 5).await;
    }

    async fn a_watch_ends_when_its_time_is_over(talk: &mut Talk) {
        let from = now(talk).await;
        let mut watch = talk.watch(&format!("{MAPS}?watch=true&resourceVersion={from}&timeoutSeconds=1")).await;
        talk.end_of(&mut watch).await;
    }

    async fn a_watch_that_makes_no_sense_is_refused(talk: &mut Talk) {
        for query in [
            "watch=true&resourceVersion=abc", "watch=true&resourceVersion=-1", "watch=true&labelSelector=%3D", "watch=true&fieldSelector=data.a%3Db",
            "watch=true&timeoutSeconds=abc", "watch=true&resourceVersion=5&resourceVersionMatch=Exact", "watch=true&limit=abc",
            "watch=true&sendInitialEvents=true", "watch=true&sendInitialEvents=true&resourceVersionMatch=Exact",
            "sendInitialEvents=true", "watch=true&resourceVersionMatch=NotOlderThan", "watch=true&sendInitialEvents=odd",
        ] {
            talk.watch(&format!("{MAPS}?{query}")).await;
        }
    }

    async fn initial_events_end_with_a_bookmark(talk: &mut Talk) {
        talk.prepare(MAPS, map("one", "red")).await;
        talk.prepare(MAPS, map("two", "red")).await;
        let mut watch = talk.watch(&format!("{MAPS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true")).await;
        talk.events(&mut watch, 3).await;
        talk.delete(&format!("{MAPS}/two")).await;
        talk.events(&mut watch, 1).await;
        talk.say("nothing is there");
        let mut watch = talk.watch("/api/v1/namespaces/{ns}/services?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true").await;
        talk.events(&mut watch, 1).await;
    }

    async fn what_is_there_ends_with_a_bookmark_where_those_are_allowed(talk: &mut Talk) {
        talk.prepare(MAPS, map("one", "red")).await;
        for version in ["", "&resourceVersion=0"] {
            for accept in ["application/json", METADATA, TABLE] {
                let mut watch = talk.watch_as(&format!("{MAPS}?watch=true&allowWatchBookmarks=true{version}"), accept).await;
                talk.events(&mut watch, 2).await;
            }
        }
        talk.say("tables of nothing");
        for resource in ["services", "pods", "endpoints", "serviceaccounts?fieldSelector=metadata.name%3Dnobody", "replicationcontrollers"] {
            let and = if resource.contains('?') { '&' } else { '?' };
            let path = format!("/api/v1/namespaces/{{ns}}/{resource}{and}watch=true&allowWatchBookmarks=true");
            let mut watch = talk.watch_as(&path, TABLE).await;
            talk.events(&mut watch, 1).await;
        }
        let mut watch = talk.watch_as("/apis/apps/v1/namespaces/{ns}/deployments?watch=true&allowWatchBookmarks=true&includeObject=Object", TABLE).await;
        talk.events(&mut watch, 1).await;
    }

    async fn metadata_alone_is_watched(talk: &mut Talk) {
        let from = now(talk).await;
        let mut watch = talk.watch_as(&format!("{MAPS}?watch=true&resourceVersion={from}"), METADATA).await;
        talk.prepare(MAPS, map("one", "red")).await;
        paint(talk, "one", "blue").await;
        talk.delete(&format!("{MAPS}/one")).await;
        talk.events(&mut watch, 3).await;
        let mut watch = talk.watch_as(&format!("{MAPS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"), METADATA).await;
        talk.events(&mut watch, 1).await;
    }

    async fn tables_are_watched(talk: &mut Talk) {
        let from = now(talk).await;
        let mut watch = talk.watch_as(&format!("{MAPS}?watch=true&resourceVersion={from}"), TABLE).await;
        talk.prepare(MAPS, map("one", "red")).await;
        paint(talk, "one", "blue").await;
        talk.delete(&format!("{MAPS}/one")).await;
        talk.events(&mut watch, 3).await;
    }

    async fn the_old_path_of_a_watch(talk: &mut Talk) {
        let from = now(talk).await;
        let mut watch = talk.watch(&format!("/api/v1/watch/namespaces/{{ns}}/configmaps?resourceVersion={from}")).await;
        talk.prepare(MAPS, map("one", "red")).await;
        talk.events(&mut watch, 1).await;
        let mut watch = talk.watch(&format!("/api/v1/watch/namespaces/{{ns}}/configmaps/one?resourceVersion={from}")).await;
        talk.events(&mut watch, 1).await;
    }

    async fn a_watch_across_namespaces(talk: &mut Talk) {
        let from = now(talk).await;
        let mut watch = talk.watch(&format!("/api/v1/configmaps?watch=true&resourceVersion={from}&labelSelector=color%3Da-watch-across")).await;
        talk.prepare("/api/v1/namespaces", json!({"metadata": {"name": "{ns}-2"}})).await;
        talk.prepare("/api/v1/namespaces/{ns}-2/configmaps", map("two", "a-watch-across")).await;
        talk.prepare(MAPS, map("one", "a-watch-across")).await;
        talk.events(&mut watch, 2).await;
    }

    async fn a_finalizer_makes_a_deletion_two_events(talk: &mut Talk) {
        let from = now(talk).await;
        let mut watch = talk.watch(&format!("{MAPS}?watch=true&resourceVersion={from}")).await;
        talk.post(MAPS, json!({"metadata": {"name": "one", "finalizers": ["example.com/a"]}})).await;
        talk.delete(&format!("{MAPS}/one")).await;
        talk.patch("merge", &format!("{MAPS}/one"), json!({"metadata": {"finalizers": null}})).await;
        talk.events(&mut watch, 3).await;
    }

    async fn what_changes_nothing_is_not_told(talk: &mut Talk) {
        let from = now(talk).await;
        let mut watch = talk.watch(&format!("{MAPS}?watch=true&resourceVersion={from}")).await;
        talk.post(MAPS, map("one", "red")).await;
        paint(talk, "one", "red").await;
        talk.post(&format!("{MAPS}?dryRun=All"), map("two", "red")).await;
        talk.delete(&format!("{MAPS}/one?dryRun=All")).await;
        paint(talk, "one", "blue").await;
        talk.events(&mut watch, 2).await;
    }

    async fn custom_resources_are_watched(talk: &mut Talk) {
        talk.install(json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "things.{group}"},
            "spec": {
                "group": "{group}", "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList"},
                "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}}, "schema": {"openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                }}}],
            },
        })).await;
        let things = "/apis/{group}/v1/namespaces/{ns}/things";
        let from = now(talk).await;
        let mut watch = talk.watch(&format!("{things}?watch=true&resourceVersion={from}")).await;
        talk.post(things, json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": {"a": 1}})).await;
        talk.patch("merge", &format!("{things}/one/status"), json!({"status": {"b": 2}})).await;
        talk.patch("merge", &format!("{things}/one"), json!({"spec": {"a": 2}})).await;
        talk.delete(&format!("{things}/one")).await;
        talk.events(&mut watch, 4).await;
        let mut watch = talk.watch_as(&format!("{things}?watch=true&resourceVersion={from}"), METADATA).await;
        talk.events(&mut watch, 4).await;
        for accept in ["application/json", TABLE] {
            let mut watch = talk.watch_as(&format!("{things}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"), accept).await;
            talk.events(&mut watch, 1).await;
        }
    }

    async fn old_paths_are_those_of_what_is_listed(talk: &mut Talk) {
        talk.prepare("/api/v1/namespaces/{ns}/configmaps", json!({"metadata": {"name": "one"}})).await;
        for path in [
            "configmaps/one", "configmaps/one/", "namespaces/{ns}/status", "namespaces/{ns}/finalize/", "namespaces/{ns}/namespaces", "namespaces/{ns}/nodes", "namespaces/{ns}/nodes/one", "namespaces/{ns}/pods/one/log", "nodes/one/status", "watch/configmaps", "watch/watch/configmaps", "nope", "namespaces/{ns}/nope",
            "componentstatuses", "componentstatuses/one", "namespaces/{ns}/bindings", "bindings", "..", "namespaces/../configmaps",
        ] {
            for method in ["GET", "POST"] {
                talk.send(method, &format!("/api/v1/watch/{path}?timeoutSeconds=1"), &[], None).await;
            }
        }
        for path in ["/apis/apps/v1/watch/deployments/one", "/apis/apps/v1/watch/namespaces/{ns}/deployments/one/scale", "/apis/apps/v1/watch/namespaces", "/apis/apps/v1/watch/namespaces/{ns}", "/apis/apps/v1/watch/namespaces/{ns}/status", "/api/v1/namespaces//namespaces", "/api/v1/namespaces//nodes"] {
            talk.get(path).await;
        }
        for path in ["namespaces/{ns}/configmaps/one", "nodes", "nodes/one"] {
            for method in ["POST", "PUT", "PATCH", "DELETE", "HEAD"] {
                talk.send(method, &format!("/api/v1/watch/{path}"), &[], None).await;
            }
        }
        for selector in ["metadata.name=two", "metadata.name=one", "metadata.name=one,metadata.namespace={ns}", "metadata.namespace={ns}", "metadata.name!=one", "=", "", "nope=one"] {
            talk.get(&format!("/api/v1/watch/namespaces/{{ns}}/configmaps/one?timeoutSeconds=1&fieldSelector={}", selector.replace('=', "%3D").replace('!', "%21"))).await;
        }
        for path in ["namespaces/{ns}/secrets/", "namespaces/{ns}/secrets/one/"] {
            talk.get(&format!("/api/v1/watch/{path}?timeoutSeconds=1")).await;
        }
        for path in ["/api/v1/watch/namespaces/{ns}/secrets?timeout=x&timeoutSeconds=1", "/api/v1/namespaces/{ns}/configmaps/one?watch=1&timeout=x", "/api/v1/namespaces/{ns}/configmaps?watch=1&timeout=x&timeoutSeconds=1&labelSelector=a", "/api/v1/namespaces/{ns}/pods/one/log?timeout=x"] {
            talk.get(path).await;
        }
    }
}
