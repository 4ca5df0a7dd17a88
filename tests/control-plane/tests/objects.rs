//! Objects: what may be written, and what becomes of it.

mod support;

use kommodore_control_plane::ControlPlane;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use serde_json::json;
use support::*;

#[tokio::test]
async fn events_are_selected_by_the_fields_of_their_group() {
    let plane = plane().await;
    let client = plane.client().unwrap();
    let event = serde_json::json!({
        "metadata": {"name": "one"}, "regarding": {"kind": "Thing", "name": "a", "namespace": "default"},
        "type": "Normal", "reason": "It", "action": "Do", "reportingController": "me", "reportingInstance": "one",
        "eventTime": "2026-01-01T00:00:00.000000Z",
    });
    let events: Api<k8s_openapi::api::events::v1::Event> =
        Api::namespaced(client.clone(), "default");
    let event = serde_json::from_value(event).unwrap();
    events.create(&PostParams::default(), &event).await.unwrap();
    let core: Api<k8s_openapi::api::core::v1::Event> = Api::namespaced(client, "default");
    for (fields, found) in [
        ("regarding.name=a,reportingController=me", 1),
        ("regarding.name=b", 0),
    ] {
        let list = events.list(&ListParams::default().fields(fields)).await;
        assert_eq!(list.unwrap().items.len(), found, "{fields}");
    }
    let list = core
        .list(&ListParams::default().fields("involvedObject.name=a"))
        .await;
    assert_eq!(list.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_new_object_gets_what_the_server_gives() {
    let plane = plane().await;
    let api = things(plane.client().unwrap());
    let created = api
        .create(
            &PostParams::default(),
            &thing("one", json!({"size": 1, "unknown": 2})),
        )
        .await
        .unwrap();
    assert_eq!(created.metadata.generation, Some(1));
    assert_eq!(created.namespace().as_deref(), Some("default"));
    assert!(
        created.uid().is_some()
            && created.resource_version().is_some()
            && created.creation_timestamp().is_some()
    );
    assert_eq!(created.data["spec"], json!({"size": 1, "color": "red"}));
    let mut unnamed = thing("", json!({}));
    unnamed.metadata.name = None;
    unnamed.metadata.generate_name = Some("many-".to_owned());
    let generated = api.create(&PostParams::default(), &unnamed).await.unwrap();
    assert!(generated.name_any().starts_with("many-") && generated.name_any().len() == 10);
    let dry = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    api.create(&dry, &thing("dry", json!({}))).await.unwrap();
    assert_eq!(api.get_opt("dry").await.unwrap(), None);
}

#[tokio::test]
async fn names_are_made_up_until_one_is_free() {
    // So many that some of their names are those of others: there are some fourteen millions.
    const OBJECTS: usize = 20_000;
    let plane = ControlPlane::builder().without_socket().start().await;
    let plane = plane.unwrap();
    let api = config_maps(plane.client().unwrap());
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "a-"}});
    let map = object(map);
    for _ in 0..OBJECTS {
        api.create(&PostParams::default(), &map).await.unwrap();
    }
    let all = api.list_metadata(&ListParams::default()).await.unwrap();
    assert_eq!(all.items.len(), OBJECTS);
}

/// On a server of their own: whatever else is given an address could be given one of these.
#[tokio::test]
async fn services_have_addresses_of_every_network() {
    let plane = plane().await;
    let client = plane.client().unwrap();
    let of = |group: &str, kind: &str| {
        let kind = kube::core::GroupVersionKind::gvk(group, "v1", kind);
        kube::core::ApiResource::from_gvk(&kind)
    };
    let services: Api<DynamicObject> =
        Api::default_namespaced_with(client.clone(), &of("", "Service"));
    let networking =
        |kind: &str| Api::<DynamicObject>::all_with(client.clone(), &of("networking.k8s.io", kind));
    let (ranges, addresses) = (networking("ServiceCIDR"), networking("IPAddress"));
    let create = async |name: &str, address: &str| {
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"clusterIP": address, "ports": [{"port": 80}]},
        });
        let created = services
            .create(&PostParams::default(), &object(service))
            .await;
        created.map_err(|error| refusal::<()>(Err(error)).1)
    };
    let foreign = "the provided network does not match the current range";
    let taken = "provided IP is already allocated";
    let refused = async |name: &str, address: &str, why: &str| {
        let message = create(name, address).await.unwrap_err();
        assert!(message.ends_with(why), "{address}: {message}");
    };
    refused("early", "10.99.1.5", foreign).await;
    let range = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": {"name": "more"}, "spec": {"cidrs": ["10.99.1.0/28"]},
    });
    ranges
        .create(&PostParams::default(), &object(range))
        .await
        .unwrap();
    create("first", "10.99.1.1").await.unwrap();
    create("last", "10.99.1.14").await.unwrap();
    create("far", "10.0.3.7").await.unwrap();
    refused("again", "10.99.1.14", taken).await;
    refused("beyond", "10.99.1.16", foreign).await;
    assert!(addresses.get_opt("10.99.1.14").await.unwrap().is_some());
    let status = Patch::Merge(json!({"status": {"conditions": [{
        "type": "Ready", "status": "False", "reason": "Ending", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z",
    }]}}));
    let patched = ranges
        .patch_status("more", &PatchParams::default(), &status)
        .await;
    patched.unwrap();
    refused("late", "10.99.1.2", foreign).await;
    services
        .delete("last", &DeleteParams::default())
        .await
        .unwrap();
    assert!(addresses.get_opt("10.99.1.14").await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_wrong_is_refused_in_the_words_of_a_real_server() {
    let plane = plane().await;
    let api = things(plane.client().unwrap());
    let create = async |object| refusal(api.create(&PostParams::default(), &object).await);
    let (code, message) = create(thing("one", json!({"size": "x"}))).await;
    assert_eq!(code, 422);
    assert_eq!(
        message,
        "Thing.demo.example.com \"one\" is invalid: spec.size: Invalid value: \"string\": spec.size in body must be \
         of type integer: \"string\""
    );
    assert_eq!(create(thing("Not_A_Name", json!({}))).await.0, 422);
    api.create(&PostParams::default(), &thing("one", json!({})))
        .await
        .unwrap();
    assert_eq!(
        create(thing("one", json!({}))).await,
        (
            409,
            "things.demo.example.com \"one\" already exists".to_owned()
        )
    );
    assert_eq!(
        refusal(api.get("two").await),
        (404, "things.demo.example.com \"two\" not found".to_owned())
    );
    let elsewhere: Api<_> =
        Api::namespaced_with(plane.client().unwrap(), "nowhere", &resource("Thing"));
    let missing = elsewhere
        .create(&PostParams::default(), &thing("one", json!({})))
        .await;
    assert_eq!(
        refusal(missing),
        (404, "namespaces \"nowhere\" not found".to_owned())
    );
    let unknown: Api<kube::api::DynamicObject> =
        Api::namespaced_with(plane.client().unwrap(), "default", &resource("Nothing"));
    assert_eq!(refusal(unknown.list(&ListParams::default()).await).0, 404);
}

/// What is said of each of so many could be said a few hundred thousand times.
#[tokio::test]
async fn of_very_many_mistakes_a_part_is_told() {
    const MUCH: usize = 32 << 20;
    let wide = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "wides.demo.example.com"},
        "spec": {
            "group": "demo.example.com", "scope": "Namespaced", "names": {"kind": "Wide", "plural": "wides"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "properties": {"spec": {"type": "array", "items": {
                    "type": "string", "enum": Vec::from_iter((0..2_000).map(|at| format!("value-of-an-enum-{at}"))),
                }}},
            }}}],
        },
    });
    let plane = ControlPlane::builder().crd(&wide).start().await.unwrap();
    let wides: Api<DynamicObject> =
        Api::namespaced_with(plane.client().unwrap(), "default", &resource("Wide"));
    let owner = |at: usize| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": at.to_string(), "controller": true});
    let owned = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "one", "ownerReferences": Vec::from_iter((0..5_000).map(owner))},
    });
    let maps = config_maps(plane.client().unwrap());
    let many = json!({
        "apiVersion": "demo.example.com/v1", "kind": "Wide", "metadata": {"name": "one"}, "spec": vec!["none"; 20_000],
    });
    for (api, object) in [(&wides, object(many)), (&maps, object(owned))] {
        let refused = api.create(&PostParams::default(), &object).await;
        let (code, message) = refusal(refused);
        assert_eq!(code, 422, "{message:.500}");
        assert!(message.len() < MUCH, "{} bytes", message.len());
    }
}

#[tokio::test]
async fn generation_follows_the_spec_and_versions_follow_changes() {
    let plane = plane().await;
    let api = things(plane.client().unwrap());
    let merge = PatchParams::default();
    let one = api
        .create(&PostParams::default(), &thing("one", json!({"size": 1})))
        .await
        .unwrap();
    let same = api
        .patch("one", &merge, &Patch::Merge(json!({"spec": {"size": 1}})))
        .await
        .unwrap();
    assert_eq!(
        same.resource_version(),
        one.resource_version(),
        "nothing changed"
    );
    let labelled = api
        .patch(
            "one",
            &merge,
            &Patch::Merge(json!({"metadata": {"labels": {"a": "b"}}})),
        )
        .await
        .unwrap();
    assert_eq!(labelled.metadata.generation, Some(1));
    assert_ne!(labelled.resource_version(), one.resource_version());
    let grown = api
        .patch(
            "one",
            &merge,
            &Patch::Merge(json!({"spec": {"size": 2}, "status": {"seen": 9}})),
        )
        .await
        .unwrap();
    assert_eq!(
        (grown.metadata.generation, grown.data.get("status")),
        (Some(2), None)
    );
    let seen =
        json!({"spec": {"size": 7}, "status": {"seen": 2}, "metadata": {"labels": {"a": "c"}}});
    let seen = api
        .patch_status("one", &merge, &Patch::Merge(seen))
        .await
        .unwrap();
    assert_eq!(
        (seen.metadata.generation, &seen.data["status"]),
        (Some(2), &json!({"seen": 2}))
    );
    assert_eq!(
        (&seen.data["spec"]["size"], seen.labels()["a"].as_str()),
        (&json!(2), "b")
    );
    let late = api.replace("one", &PostParams::default(), &grown).await;
    let (code, message) = refusal(late);
    assert_eq!(code, 409);
    assert!(
        message.ends_with("please apply your changes to the latest version and try again"),
        "{message}"
    );
}

#[tokio::test]
async fn a_json_patch_whose_test_fails_is_invalid() {
    let plane = plane().await;
    let api = things(plane.client().unwrap());
    api.create(&PostParams::default(), &thing("one", json!({"size": 1})))
        .await
        .unwrap();
    let patch = json!([{"op": "test", "path": "/metadata/uid", "value": "other"}]);
    let patch = Patch::Json::<()>(serde_json::from_value(patch).unwrap());
    let failed = api.patch("one", &PatchParams::default(), &patch).await;
    let words = "the server rejected our request due to an error in our request";
    assert_eq!(refusal(failed), (422, words.to_owned()));
}

#[tokio::test]
async fn a_finalizer_holds_an_object_and_the_last_one_lets_it_go() {
    let plane = plane().await;
    let api = things(plane.client().unwrap());
    let mut held = thing("one", json!({}));
    held.metadata.finalizers = Some(vec!["example.com/hold".to_owned()]);
    api.create(&PostParams::default(), &held).await.unwrap();
    let deleting = api
        .delete("one", &DeleteParams::default())
        .await
        .unwrap()
        .left()
        .expect("it is held");
    assert!(deleting.metadata.deletion_timestamp.is_some());
    assert_eq!(deleting.metadata.generation, Some(2));
    let more =
        Patch::Merge(json!({"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}}));
    let (code, message) = refusal(api.patch("one", &PatchParams::default(), &more).await);
    assert_eq!(code, 422);
    assert!(
        message.contains("no new finalizers can be added if the object is being deleted"),
        "{message}"
    );
    api.patch(
        "one",
        &PatchParams::default(),
        &Patch::Merge(json!({"metadata": {"finalizers": null}})),
    )
    .await
    .unwrap();
    assert_eq!(api.get_opt("one").await.unwrap(), None);
}

#[tokio::test]
async fn preconditions_protect_another_object_of_the_name() {
    let plane = plane().await;
    let api = things(plane.client().unwrap());
    api.create(&PostParams::default(), &thing("one", json!({})))
        .await
        .unwrap();
    let other = kube::api::Preconditions {
        uid: Some("other".to_owned()),
        resource_version: None,
    };
    let refused = api
        .delete(
            "one",
            &DeleteParams {
                preconditions: Some(other),
                ..DeleteParams::default()
            },
        )
        .await;
    assert_eq!(refusal(refused.map(|_| ())).0, 409);
    assert!(api.get_opt("one").await.unwrap().is_some());
}

#[tokio::test]
async fn lists_are_selected_and_come_in_pages_of_one_moment() {
    let plane = plane().await;
    let api = things(plane.client().unwrap());
    for name in ["a", "b", "c", "d", "e"] {
        let mut object = thing(name, json!({}));
        object
            .labels_mut()
            .insert("even".to_owned(), ["b", "d"].contains(&name).to_string());
        api.create(&PostParams::default(), &object).await.unwrap();
    }
    let names = |list: kube::api::ObjectList<kube::api::DynamicObject>| {
        list.items
            .iter()
            .map(ResourceExt::name_any)
            .collect::<Vec<_>>()
    };
    let even = api
        .list(&ListParams::default().labels("even=true"))
        .await
        .unwrap();
    assert_eq!(names(even), ["b", "d"]);
    let named = api
        .list(&ListParams::default().fields("metadata.name=c"))
        .await
        .unwrap();
    assert_eq!(names(named), ["c"]);
    let first = api.list(&ListParams::default().limit(2)).await.unwrap();
    let token = first.metadata.continue_.clone().unwrap();
    assert_eq!(first.metadata.remaining_item_count, Some(3));
    assert_eq!(names(first), ["a", "b"]);
    api.delete("d", &DeleteParams::default()).await.unwrap();
    let rest = api
        .list(&ListParams::default().limit(5).continue_token(&token))
        .await
        .unwrap();
    assert_eq!(
        names(rest),
        ["c", "d", "e"],
        "as it was when the list began"
    );
    plane.compact(None);
    let late = api
        .list(&ListParams::default().continue_token(&token))
        .await;
    assert_eq!(refusal(late.map(|_| ())).0, 410);
}
