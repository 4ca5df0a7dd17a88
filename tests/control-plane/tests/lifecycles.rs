//! What ends with what it belongs to, however oddly that is said.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how a test fails"
)]

mod support;

use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use support::*;

fn map(name: &str, mut metadata: Value) -> DynamicObject {
    metadata["name"] = name.into();
    object(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}))
}

fn owner(api_version: &str, kind: &str, name: &str, uid: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "name": name, "uid": uid, "blockOwnerDeletion": true})
}

fn definitions(client: Client) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    Api::all_with(client, &ApiResource::from_gvk(&kind))
}

async fn create(api: &Api<DynamicObject>, object: DynamicObject) -> DynamicObject {
    let created = api.create(&PostParams::default(), &object).await;
    created.unwrap()
}

#[tokio::test]
async fn one_object_keeps_the_janitor_from_no_other() {
    let plane = plane_with("red").await;
    let home = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}});
    let red = plane.project("red").client().unwrap();
    create(&namespaces(red.clone()), object(home)).await;
    let (red, root) = (config_maps(red), config_maps(plane.client().unwrap()));
    let absent = owner("v1", "ConfigMap", "absent", "1");
    let odd = json!({"generation": i64::MAX, "finalizers": ["example.com/hold"], "ownerReferences": [absent]});
    create(&red, map("odd", odd)).await;
    let odd = begins_to_go(&red, "odd").await;
    assert_eq!(odd.metadata.generation, Some(i64::MIN));
    for maps in [red, root] {
        create(&maps, map("lost", json!({"ownerReferences": [absent]}))).await;
        gone(&maps, "lost").await;
    }
}

#[tokio::test]
async fn what_the_objects_of_a_crd_own_goes_with_it() {
    let plane = plane().await;
    let client = plane.client().unwrap();
    let (owners, maps) = (things(client.clone()), config_maps(client.clone()));
    let one = create(&owners, thing("one", json!({}))).await;
    let two = create(&owners, thing("two", json!({}))).await;
    let of = |owning: &DynamicObject| {
        let (name, uid) = (owning.name_any(), owning.uid().unwrap());
        owner("demo.example.com/v1", "Thing", &name, &uid)
    };
    let [one, two] = [&one, &two].map(of);
    let by = |owners: &[&Value]| json!({"ownerReferences": owners});
    create(&maps, map("owned", by(&[&one]))).await;
    create(&maps, map("of-both", by(&[&one, &two]))).await;
    let definitions = definitions(client);
    let name = "things.demo.example.com";
    definitions
        .delete(name, &DeleteParams::default())
        .await
        .unwrap();
    gone(&definitions, name).await;
    gone(&maps, "owned").await;
    gone(&maps, "of-both").await;
    // Also what comes later.
    create(&maps, map("late", by(&[&one, &two]))).await;
    gone(&maps, "late").await;
    let unknown = owner("demo.example.com/v1", "Thing", "one", "1");
    create(&maps, map("unknown", by(&[&unknown]))).await;
    create(&maps, map("later", by(&[&one]))).await;
    gone(&maps, "later").await;
    assert!(maps.get_opt("unknown").await.unwrap().is_some());
    create(&definitions, object(crd("Thing"))).await;
    gone(&maps, "unknown").await;
}

#[tokio::test]
async fn an_owner_waits_for_those_who_name_it_wrongly_no_longer_than_they_do() {
    let plane = plane().await;
    let maps = config_maps(plane.client().unwrap());
    for (kind, name) in [
        ("ConfigMap", "other"),
        ("Secret", "owner"),
        ("Nope", "owner"),
    ] {
        let waiting = create(&maps, map("owner", json!({}))).await;
        let of_it = owner("v1", kind, name, &waiting.uid().unwrap());
        let held = json!({"finalizers": ["example.com/hold"], "ownerReferences": [of_it]});
        create(&maps, map("held", held)).await;
        let begun = maps.delete("owner", &DeleteParams::foreground()).await;
        begun.unwrap();
        maps.delete("held", &DeleteParams::default()).await.unwrap();
        let waits = maps.get("owner").await.unwrap();
        assert_eq!(waits.finalizers(), ["foregroundDeletion"], "{kind} {name}");
        let release = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        let released = maps.patch("held", &PatchParams::default(), &release).await;
        released.unwrap();
        gone(&maps, "owner").await;
    }
}

#[tokio::test]
async fn a_namespace_ends_though_an_object_in_it_waits_for_itself() {
    let plane = plane().await;
    let client = plane.client().unwrap();
    let all = namespaces(client.clone());
    let shop = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    create(&all, object(shop)).await;
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "ConfigMap"));
    let maps: Api<DynamicObject> = Api::namespaced_with(client, "shop", &kind);
    let own = create(&maps, map("own", json!({}))).await;
    let itself = owner("v1", "ConfigMap", "own", &own.uid().unwrap());
    let patch = Patch::Merge(json!({"metadata": {"ownerReferences": [itself]}}));
    let patched = maps.patch("own", &PatchParams::default(), &patch).await;
    patched.unwrap();
    maps.delete("own", &DeleteParams::foreground())
        .await
        .unwrap();
    let waits = maps.get("own").await.unwrap();
    assert_eq!(waits.finalizers(), ["foregroundDeletion"]);
    all.delete("shop", &DeleteParams::default()).await.unwrap();
    gone(&all, "shop").await;
}

#[tokio::test]
async fn nothing_is_done_about_owners_while_nothing_is_known_of_one() {
    let plane = plane().await;
    let maps = config_maps(plane.client().unwrap());
    let absent = owner("v1", "ConfigMap", "absent", "1");
    let unknown = owner("no.such/v1", "Nope", "nope", "2");
    let both = json!({"ownerReferences": [unknown, absent]});
    let kept = create(&maps, map("kept", both)).await;
    // It is looked at first.
    create(&maps, map("lost", json!({"ownerReferences": [absent]}))).await;
    gone(&maps, "lost").await;
    assert_eq!(maps.get("kept").await.unwrap(), kept);
}

#[tokio::test]
async fn an_owner_waits_for_nobody_who_does_not_name_it_any_more() {
    let plane = plane().await;
    let maps = config_maps(plane.client().unwrap());
    for is_named in [false, true] {
        let waiting = create(&maps, map("owner", json!({}))).await;
        let of_it = owner("v1", "ConfigMap", "owner", &waiting.uid().unwrap());
        let held = json!({"finalizers": ["example.com/hold"], "ownerReferences": [of_it.clone()]});
        create(&maps, map("held", held)).await;
        let begun = maps.delete("owner", &DeleteParams::foreground()).await;
        begun.unwrap();
        begins_to_go(&maps, "held").await;
        assert_eq!(
            maps.get("owner").await.unwrap().finalizers(),
            ["foregroundDeletion"]
        );
        let mut unblocked = of_it;
        unblocked["blockOwnerDeletion"] = false.into();
        let owners = is_named.then(|| json!([unblocked]));
        let patch = Patch::Merge(json!({"metadata": {"ownerReferences": owners}}));
        let patched = maps.patch("held", &PatchParams::default(), &patch).await;
        patched.unwrap();
        gone(&maps, "owner").await;
        let release = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        let released = maps.patch("held", &PatchParams::default(), &release).await;
        released.unwrap();
        gone(&maps, "held").await;
    }
}

/// A patch and the collector write at the same time, in this order or the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_nobodys_any_more_is_not_collected() {
    let plane = plane().await;
    let maps = config_maps(plane.client().unwrap());
    let nobodys = Patch::Merge(json!({"metadata": {"ownerReferences": null}}));
    let mut kept = Vec::new();
    for number in 0..200 {
        let of = create(&maps, map("owner", json!({}))).await;
        let of_it = owner("v1", "ConfigMap", "owner", &of.uid().unwrap());
        let name = format!("child-{number}");
        create(&maps, map(&name, json!({"ownerReferences": [of_it]}))).await;
        let (parameters, background) = (PatchParams::default(), DeleteParams::background());
        let (deleted, patched) = tokio::join!(
            maps.delete("owner", &background),
            maps.patch(&name, &parameters, &nobodys),
        );
        deleted.unwrap();
        match patched {
            Ok(_) => kept.push(name),
            Err(kube::Error::Api(status)) => assert_eq!(status.code, 404, "{status:?}"),
            Err(other) => panic!("{other:?}"),
        }
    }
    // Whatever the collector had to do is done once it has done this.
    let absent = owner("v1", "ConfigMap", "absent", "1");
    create(&maps, map("lost", json!({"ownerReferences": [absent]}))).await;
    gone(&maps, "lost").await;
    for name in kept {
        assert!(maps.get_opt(&name).await.unwrap().is_some(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_crd_that_is_gone_comes_again_with_it() {
    let plane = plane().await;
    let definitions = definitions(plane.client().unwrap());
    for round in 0..10 {
        let writers = (0..4).map(|writer| {
            let things = things(plane.client().unwrap());
            tokio::spawn(async move {
                let mut made = 0;
                loop {
                    let one = thing(&format!("{writer}-{made}"), json!({}));
                    match things.create(&PostParams::default(), &one).await {
                        Ok(_) => made += 1,
                        Err(kube::Error::Api(status)) if status.code == 404 => return made,
                        // It is being deleted.
                        Err(kube::Error::Api(status)) if status.code == 403 => {}
                        Err(kube::Error::Api(status)) if status.code == 405 => {}
                        Err(other) => panic!("{other:?}"),
                    }
                }
            })
        });
        let writers: Vec<_> = writers.collect();
        let things = things(plane.client().unwrap());
        soon("object of every writer", async {
            for writer in 0..4 {
                while things
                    .get_opt(&format!("{writer}-0"))
                    .await
                    .unwrap()
                    .is_none()
                {}
            }
        })
        .await;
        let name = "things.demo.example.com";
        let begun = definitions.delete(name, &DeleteParams::default()).await;
        begun.unwrap();
        gone(&definitions, name).await;
        for writer in writers {
            let made = soon("end of the writers", writer).await.unwrap();
            assert!(made > 0);
        }
        create(&definitions, object(crd("Thing"))).await;
        let served = soon("kind again", async {
            loop {
                if let Ok(served) = things.list(&Default::default()).await {
                    return served;
                }
            }
        })
        .await;
        let left: Vec<String> = served.iter().map(ResourceExt::name_any).collect();
        assert_eq!(left, Vec::<String>::new(), "round {round}");
    }
}

#[tokio::test]
async fn a_crd_waits_for_nothing_of_a_project_that_is_gone() {
    let plane = plane_with("red").await;
    let red = plane.project("red").client().unwrap();
    let home = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}});
    create(&namespaces(red.clone()), object(home)).await;
    let mut held = thing("held", json!({}));
    held.metadata.finalizers = Some(vec!["example.com/hold".to_owned()]);
    let things = things(red);
    create(&things, held).await;
    let definitions = definitions(plane.client().unwrap());
    let name = "things.demo.example.com";
    let begun = definitions.delete(name, &DeleteParams::default()).await;
    begun.unwrap();
    begins_to_go(&things, "held").await;
    assert!(definitions.get_opt(name).await.unwrap().is_some());
    let kind = GroupVersionKind::gvk("resourcemanager.miloapis.com", "v1alpha1", "Project");
    let projects: Api<DynamicObject> =
        Api::all_with(plane.client().unwrap(), &ApiResource::from_gvk(&kind));
    let ended = projects.delete("red", &DeleteParams::default()).await;
    ended.unwrap();
    // What is in it holds the project, until somebody has enough of that.
    let release = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    let parameters = PatchParams::default();
    let released = projects.patch("red", &parameters, &release).await;
    released.unwrap();
    gone(&projects, "red").await;
    gone(&definitions, name).await;
}

#[tokio::test]
async fn owners_are_called_as_clients_may_call_them() {
    let plane = plane().await;
    let maps = config_maps(plane.client().unwrap());
    let here = create(&maps, map("here", json!({}))).await;
    let in_lower_case = owner("v1", "configmap", "here", &here.uid().unwrap());
    let kept = create(
        &maps,
        map("kept", json!({"ownerReferences": [in_lower_case]})),
    )
    .await;
    for (version, kind) in [
        ("v1", "configmap"),
        ("v1", "ConfigMapList"),
        ("v1", "List"),
        ("apps/v1", "DeploymentList"),
    ] {
        let absent = owner(version, kind, "absent", "1");
        create(&maps, map("lost", json!({"ownerReferences": [absent]}))).await;
        gone(&maps, "lost").await;
    }
    assert_eq!(maps.get("kept").await.unwrap(), kept);
}
