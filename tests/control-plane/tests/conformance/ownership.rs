//! Ownership and deletion: who goes with whom, who stays, and what a namespace takes along.

use serde_json::{Value, json};

use super::support::{Talk, extend};

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";

fn path(name: &str) -> String {
    format!("{MAPS}/{name}")
}

/// A ConfigMap that is owned by others.
fn owned(name: &str, owners: &[&Value]) -> Value {
    let references: Vec<Value> = owners.iter().map(|owner| reference(owner)).collect();
    json!({"metadata": {"name": name, "ownerReferences": references}})
}

fn reference(owner: &Value) -> Value {
    json!({
        "apiVersion": owner["apiVersion"], "kind": owner["kind"],
        "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
    })
}

async fn map(talk: &mut Talk, name: &str) -> Value {
    talk.prepare(MAPS, json!({"metadata": {"name": name}}))
        .await
}

/// Waits until what the server does by itself has been done for all that came before.
async fn settled(talk: &mut Talk) {
    let owner = map(talk, "settle-owner").await;
    talk.prepare(MAPS, owned("settle", &[&owner])).await;
    talk.unsaid("DELETE", &path("settle-owner"), None).await;
    talk.until_gone(&path("settle")).await;
}

conformance! {
    async fn a_dependent_goes_with_its_owner(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        let owner = map(talk, "owner").await;
        talk.post(MAPS, owned("dependent", &[&owner])).await;
        let dependent = talk.get(&path("dependent")).await.body;
        talk.prepare(MAPS, owned("grandchild", &[&dependent])).await;
        talk.delete(&path("owner")).await;
        talk.get_until_gone(&path("dependent")).await;
        talk.get_until_gone(&path("grandchild")).await;
    }

    async fn a_dependent_stays_while_one_owner_does(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        let (one, two) = (map(talk, "one").await, map(talk, "two").await);
        talk.prepare(MAPS, owned("dependent", &[&one, &two])).await;
        talk.delete(&path("one")).await;
        talk.get_until(&path("dependent"), |_, value| value["metadata"]["ownerReferences"].as_array().is_some_and(|owners| owners.len() == 1)).await;
        talk.delete(&path("two")).await;
        talk.get_until_gone(&path("dependent")).await;
    }

    async fn an_owner_that_never_was_takes_its_dependent_along(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        let absent = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "absent", "uid": "01234567-89ab-cdef-0123-456789abcdef"}});
        talk.prepare(MAPS, owned("dependent", &[&absent])).await;
        talk.get_until_gone(&path("dependent")).await;
    }

    async fn an_owner_with_another_uid_is_another(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        let mut owner = map(talk, "owner").await;
        owner["metadata"]["uid"] = "01234567-89ab-cdef-0123-456789abcdef".into();
        talk.prepare(MAPS, owned("dependent", &[&owner])).await;
        talk.get_until_gone(&path("dependent")).await;
        talk.get(&path("owner")).await;
    }

    async fn an_owner_in_a_namespace_means_nothing_to_what_is_in_none(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        let owner = map(talk, "owner").await;
        let roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
        talk.post(roles, json!({"metadata": owned("{ns}", &[&owner])["metadata"]})).await;
        settled(talk).await;
        talk.get(&format!("{roles}/{{ns}}")).await;
        talk.delete(&format!("{roles}/{{ns}}")).await;
    }

    async fn an_owner_in_another_namespace_is_none(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        talk.prepare("/api/v1/namespaces", json!({"metadata": {"name": "{ns}-2"}})).await;
        let owner = talk.prepare("/api/v1/namespaces/{ns}-2/configmaps", json!({"metadata": {"name": "owner"}})).await;
        talk.prepare(MAPS, owned("dependent", &[&owner])).await;
        talk.get_until_gone(&path("dependent")).await;
        talk.say("which an event tells");
        let events = "/api/v1/namespaces/{ns}/events?fieldSelector=reason=OwnerRefInvalidNamespace";
        talk.until(events, |_, events| events["items"].as_array().is_some_and(|items| !items.is_empty())).await;
        talk.get_picked(events, &[], |events| {
            let mut event = events["items"][0].clone();
            event["metadata"] = json!({"namespace": event["metadata"]["namespace"]});
            for time in ["firstTimestamp", "lastTimestamp"] {
                assert!(event[time].take().is_string(), "{events}");
            }
            event
        }).await;
    }

    async fn a_cluster_scoped_owner_may_own_what_is_in_a_namespace(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        let roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
        let owner = talk.prepare(roles, json!({"metadata": {"name": "{ns}"}, "rules": []})).await;
        talk.prepare(MAPS, owned("dependent", &[&owner])).await;
        settled(talk).await;
        talk.get(&path("dependent")).await;
        talk.unsaid("DELETE", &format!("{roles}/{{ns}}"), None).await;
        talk.get_until_gone(&path("dependent")).await;
    }

    async fn orphans_are_left_behind(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        let owner = map(talk, "owner").await;
        talk.prepare(MAPS, owned("dependent", &[&owner])).await;
        talk.delete_with(&path("owner"), json!({"propagationPolicy": "Orphan"})).await;
        talk.get_until_gone(&path("owner")).await;
        talk.get(&path("dependent")).await;
    }

    async fn in_the_foreground_the_owner_goes_last(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        let owner = map(talk, "owner").await;
        let mut dependent = owned("dependent", &[&owner]);
        dependent["metadata"]["ownerReferences"][0]["blockOwnerDeletion"] = true.into();
        dependent["metadata"]["finalizers"] = json!(["example.com/hold"]);
        talk.prepare(MAPS, dependent).await;
        talk.delete_with(&path("owner"), json!({"propagationPolicy": "Foreground"})).await;
        talk.get_until(&path("dependent"), |_, value| value["metadata"]["deletionTimestamp"].is_string()).await;
        talk.say("it waits");
        talk.get(&path("owner")).await;
        talk.patch("merge", &path("dependent"), json!({"metadata": {"finalizers": null}})).await;
        talk.get_until_gone(&path("owner")).await;
        talk.get(&path("dependent")).await;
    }

    async fn in_the_foreground_nobody_waits_for_what_does_not_block(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        let owner = map(talk, "owner").await;
        let mut dependent = owned("dependent", &[&owner]);
        dependent["metadata"]["finalizers"] = json!(["example.com/hold"]);
        talk.prepare(MAPS, dependent).await;
        talk.delete_with(&path("owner"), json!({"propagationPolicy": "Foreground"})).await;
        talk.get_until_gone(&path("owner")).await;
        talk.get_until(&path("dependent"), |_, value| value["metadata"]["deletionTimestamp"].is_string()).await;
    }

    async fn in_the_foreground_a_circle_goes_too(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        let blocking = |owner: &Value| {
            let mut reference = reference(owner);
            reference["blockOwnerDeletion"] = true.into();
            json!([reference])
        };
        map(talk, "one").await;
        for (name, owner) in [("two", "one"), ("three", "two")] {
            let owner = talk.unsaid("GET", &path(owner), None).await;
            let owners = blocking(&owner);
            talk.prepare(MAPS, json!({"metadata": {"name": name, "ownerReferences": owners}})).await;
        }
        let three = talk.unsaid("GET", &path("three"), None).await;
        talk.patch("merge", &path("one"), json!({"metadata": {"ownerReferences": blocking(&three)}})).await;
        talk.delete_with(&path("one"), json!({"propagationPolicy": "Foreground"})).await;
        for name in ["one", "two", "three"] {
            talk.get_until_gone(&path(name)).await;
        }
    }

    async fn a_finalizer_holds_a_dependent_that_lost_its_owner(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        let owner = map(talk, "owner").await;
        let mut dependent = owned("dependent", &[&owner]);
        dependent["metadata"]["finalizers"] = json!(["example.com/hold"]);
        talk.prepare(MAPS, dependent).await;
        talk.delete(&path("owner")).await;
        talk.get_until(&path("dependent"), |_, value| value["metadata"]["deletionTimestamp"].is_string()).await;
        talk.patch("merge", &path("dependent"), json!({"metadata": {"finalizers": null}})).await;
        talk.get(&path("dependent")).await;
    }

    async fn the_policies_of_a_query(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        for (name, query) in [("one", "propagationPolicy=Orphan"), ("two", "orphanDependents=true")] {
            let owner = map(talk, name).await;
            let dependent = format!("of-{name}");
            talk.prepare(MAPS, owned(&dependent, &[&owner])).await;
            talk.delete(&format!("{}?{query}", path(name))).await;
            talk.get_until_gone(&path(name)).await;
            talk.get(&path(&dependent)).await;
        }
        map(talk, "three").await;
        talk.delete(&format!("{}?propagationPolicy=Background", path("three"))).await;
    }

    async fn a_namespace_takes_along_what_is_in_it(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        talk.post("/api/v1/namespaces", json!({"metadata": {"name": "{ns}-2"}})).await;
        let maps = "/api/v1/namespaces/{ns}-2/configmaps";
        talk.prepare(maps, json!({"metadata": {"name": "one"}})).await;
        let held = json!({"metadata": {"name": "held", "finalizers": ["example.com/hold"]}});
        let others = ["/api/v1/namespaces/{ns}-2/secrets/held", "/apis/coordination.k8s.io/v1/namespaces/{ns}-2/leases/held"];
        for all in [maps, others[0], others[1]] {
            talk.prepare(all.trim_end_matches("/held"), held.clone()).await;
        }
        talk.delete("/api/v1/namespaces/{ns}-2").await;
        talk.get_until_gone(&format!("{maps}/one")).await;
        talk.say("nothing new comes in");
        talk.post(maps, json!({"metadata": {"name": "late"}})).await;
        talk.patch("merge", &format!("{maps}/held"), json!({"data": {"a": "b"}})).await;
        talk.get_until("/api/v1/namespaces/{ns}-2", |_, value| {
            value["status"]["conditions"].as_array().is_some_and(|all| all.iter().any(|one| one["type"] == "NamespaceFinalizersRemaining" && one["status"] == "True"))
        }).await;
        talk.delete("/api/v1/namespaces/{ns}-2").await;
        for one in others {
            talk.patch_unsaid("merge", one, json!({"metadata": {"finalizers": null}})).await;
        }
        talk.patch("merge", &format!("{maps}/held"), json!({"metadata": {"finalizers": null}})).await;
        talk.get_until_gone("/api/v1/namespaces/{ns}-2").await;
        talk.post(maps, json!({"metadata": {"name": "later"}})).await;
    }

    async fn pods_of_a_namespace_go_first(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        talk.prepare("/api/v1/namespaces", json!({"metadata": {"name": "{ns}-2"}})).await;
        let of_it = |plural: &str| format!("/api/v1/namespaces/{{ns}}-2/{plural}");
        talk.prepare(&of_it("configmaps"), json!({"metadata": {"name": "one"}})).await;
        for (name, finalizers) in [("held", json!(["example.com/hold"])), ("free", json!([]))] {
            let pod = json!({"metadata": {"name": name, "finalizers": finalizers}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}});
            talk.prepare(&of_it("pods"), pod).await;
        }
        talk.delete("/api/v1/namespaces/{ns}-2").await;
        talk.get_until_gone(&of_it("pods/free")).await;
        talk.get_until(&of_it("pods/held"), |_, value| value["metadata"]["deletionTimestamp"].is_string()).await;
        talk.say("all else waits for them, and is said to be gone");
        talk.get_until("/api/v1/namespaces/{ns}-2", |_, value| value["status"]["conditions"].is_array()).await;
        talk.get(&of_it("configmaps/one")).await;
        talk.patch("merge", &of_it("pods/held"), json!({"metadata": {"finalizers": null}})).await;
        talk.get_until_gone(&of_it("configmaps/one")).await;
        talk.get_until_gone("/api/v1/namespaces/{ns}-2").await;
    }

    async fn an_empty_namespace_goes(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        talk.prepare("/api/v1/namespaces", json!({"metadata": {"name": "{ns}-2"}})).await;
        talk.delete("/api/v1/namespaces/{ns}-2").await;
        talk.get_until_gone("/api/v1/namespaces/{ns}-2").await;
        for name in ["default", "kube-system"] {
            talk.delete(&format!("/api/v1/namespaces/{name}")).await;
        }
    }

    async fn finalizers_in_the_spec_of_a_namespace_have_names(talk: &mut Talk) {
        for finalizers in [json!(["bad"]), json!(["kubernetes", "b d", "example.com/"]), json!([""])] {
            talk.post("/api/v1/namespaces?dryRun=All", json!({"metadata": {"name": "{ns}-x"}, "spec": {"finalizers": finalizers}})).await;
        }
    }

    async fn the_finalizers_of_a_namespace_are_a_subresource(talk: &mut Talk) {
        let mut namespace = talk.post("/api/v1/namespaces", json!({"metadata": {"name": "{ns}-2"}, "spec": {"finalizers": ["example.com/a", "kubernetes"]}})).await.body;
        namespace["spec"]["finalizers"] = json!(["example.com/b"]);
        talk.put("/api/v1/namespaces/{ns}-2", namespace.clone()).await;
        talk.put("/api/v1/namespaces/{ns}-2/finalize", namespace.clone()).await;
        talk.get("/api/v1/namespaces/{ns}-2/finalize").await;
        namespace["spec"]["finalizers"] = json!(["bad finalizer"]);
        namespace["metadata"]["resourceVersion"] = Value::Null;
        talk.put("/api/v1/namespaces/{ns}-2/finalize", namespace).await;
    }

    async fn a_namespace_that_nothing_holds_ends_first(talk: &mut Talk) {
        const ONE: &str = "/api/v1/namespaces/{ns}-2";
        talk.prepare("/api/v1/namespaces", json!({"metadata": {"name": "{ns}-2"}})).await;
        talk.put(&format!("{ONE}/finalize"), json!({"metadata": {"name": "{ns}-2"}, "spec": {}})).await;
        talk.delete(&format!("{ONE}?dryRun=All")).await;
        talk.delete(ONE).await;
        talk.get(ONE).await;
        talk.delete(ONE).await;
        talk.get(ONE).await;
    }

    async fn nothing_is_posted_to_what_is_in_a_namespace_that_ends(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        let one = "/api/v1/namespaces/{ns}-2";
        talk.prepare("/api/v1/namespaces", json!({"metadata": {"name": "{ns}-2"}})).await;
        let held = |name: &str| json!({"name": name, "finalizers": ["example.com/a"]});
        talk.prepare(&format!("{one}/serviceaccounts"), json!({"metadata": held("one")})).await;
        talk.prepare(&format!("{one}/configmaps"), json!({"metadata": held("one")})).await;
        let spec = json!({"containers": [{"name": "a", "image": "b"}], "serviceAccountName": "one", "automountServiceAccountToken": false});
        talk.prepare(&format!("{one}/pods"), json!({"metadata": held("one"), "spec": spec})).await;
        let binding = json!({"metadata": {"name": "one"}, "target": {"kind": "Node", "name": "a"}});
        let posts = async |talk: &mut Talk, place: &str| {
            for dry in ["", "?dryRun=All"] {
                talk.post(&format!("{place}/pods/one/eviction{dry}"), json!({"metadata": {"name": "one"}})).await;
                talk.post(&format!("{place}/pods/one/binding{dry}"), binding.clone()).await;
                talk.post(&format!("{place}/bindings{dry}"), binding.clone()).await;
                talk.post(&format!("{place}/serviceaccounts/one/token{dry}"), json!({"spec": {}})).await;
            }
        };
        talk.delete(one).await;
        talk.until(one, |_, value| value["status"]["phase"] == "Terminating").await;
        posts(talk, one).await;
        talk.say("in none");
        posts(talk, "/api/v1/namespaces/{ns}-3").await;
        talk.say("in one that has gone without what it holds");
        talk.put(&format!("{one}/finalize"), json!({"metadata": {"name": "{ns}-2"}, "spec": {"finalizers": []}})).await;
        talk.until_gone(one).await;
        talk.patch("merge", &format!("{one}/configmaps/one"), json!({"data": {"a": "b"}})).await;
        talk.put(&format!("{one}/configmaps/one"), json!({"metadata": held("one")})).await;
    }

    async fn a_namespace_waits_for_all_of_its_finalizers(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        let one = "/api/v1/namespaces/{ns}-2";
        talk.prepare("/api/v1/namespaces", json!({"metadata": {"name": "{ns}-2"}, "spec": {"finalizers": ["kubernetes", "example.com/a"]}})).await;
        talk.delete(one).await;
        talk.get_until(one, |_, value| value["spec"]["finalizers"].as_array().is_some_and(|all| all.len() == 1)).await;
        talk.post(&format!("{one}/configmaps"), json!({"metadata": {"name": "late"}})).await;
        for finalizers in [json!(["example.com/b", "example.com/a"]), json!([])] {
            talk.put(&format!("{one}/finalize"), json!({"metadata": {"name": "{ns}-2"}, "spec": {"finalizers": finalizers}})).await;
        }
        talk.get_until_gone(one).await;
    }

    async fn owners_wait_no_longer_than_somebody_names_them(talk: &mut Talk) {
        if !talk.has_controllers() { return talk.skip() }
        let maps = "/api/v1/namespaces/{ns}/configmaps";
        for (name, named) in [("taken-off", json!({})), ("elsewhere", json!({"name": "other"})), ("unknown", json!({"apiVersion": "nobody.example.com/v1", "kind": "Nope"}))] {
            let owner = talk.prepare(maps, json!({"metadata": {"name": name}})).await;
            let mut of_it = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": owner["metadata"]["uid"], "blockOwnerDeletion": true});
            extend(&mut of_it, &named);
            let held = json!({"metadata": {"name": "held", "finalizers": ["example.com/hold"], "ownerReferences": [of_it]}});
            talk.prepare(maps, held).await;
            talk.unsaid("DELETE", &format!("{maps}/{name}?propagationPolicy=Foreground"), None).await;
            let held = &format!("{maps}/held");
            talk.unsaid("DELETE", held, None).await;
            talk.get_picked(&format!("{maps}/{name}"), &[], |owner| owner["metadata"]["finalizers"].clone()).await;
            if name == "taken-off" {
                talk.patch_unsaid("merge", held, json!({"metadata": {"ownerReferences": null}})).await;
                talk.get_until_gone(&format!("{maps}/{name}")).await;
            }
            talk.patch_unsaid("merge", held, json!({"metadata": {"finalizers": null}})).await;
            talk.get_until_gone(&format!("{maps}/{name}")).await;
        }
    }

    async fn events_are_not_collected(talk: &mut Talk) {
        if !talk.has_controllers() {
            return talk.skip();
        }
        let absent = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "absent", "uid": "00000000-0000-0000-0000-000000000001"}]);
        let metadata = json!({"name": "one", "ownerReferences": absent});
        let (events, maps) = ("/api/v1/namespaces/{ns}/events", "/api/v1/namespaces/{ns}/configmaps");
        talk.prepare(events, json!({"metadata": metadata, "involvedObject": {"namespace": "{ns}"}})).await;
        // What is looked at later is gone first.
        talk.prepare(maps, json!({"metadata": metadata})).await;
        talk.until_gone(&format!("{maps}/one")).await;
        talk.get(&format!("{events}/one")).await;
        talk.say("an event of the newer group may be an owner");
        for group in ["v1", "events.k8s.io/v1"] {
            let owner = json!([{"apiVersion": group, "kind": "Event", "name": "one", "uid": "00000000-0000-0000-0000-000000000001"}]);
            talk.post(&format!("{maps}?dryRun=All"), json!({"metadata": {"name": "two", "ownerReferences": owner}})).await;
        }
    }
}
