//! What is deleted, and what goes with it.

mod support;

use std::time::Duration;

use kommodore_control_plane::ControlPlane;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use support::*;

fn child(name: &str, owners: &[&DynamicObject], finalizers: Value) -> DynamicObject {
    let owners: Vec<Value> = owners
        .iter()
        .map(|owner| {
            json!({
                "apiVersion": "demo.example.com/v1", "kind": "Thing", "name": owner.name_any(),
                "uid": owner.uid(), "blockOwnerDeletion": true,
            })
        })
        .collect();
    object(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "ownerReferences": owners, "finalizers": finalizers},
    }))
}

/// Clients of a real server see what is about to go, and have to bear it.
#[tokio::test(start_paused = true)]
async fn what_has_no_owner_is_seen_for_a_moment_before_it_goes() {
    let builder = ControlPlane::builder().without_socket();
    let plane = builder.start().await.unwrap();
    let children = config_maps(plane.client().unwrap());
    let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": "none"});
    let orphan = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "ownerReferences": [owner]}});
    let orphan = object(orphan);
    let begun = tokio::time::Instant::now();
    children
        .create(&PostParams::default(), &orphan)
        .await
        .unwrap();
    children.get("one").await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    while children.get_opt("one").await.unwrap().is_some() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(
        begun.elapsed() >= Duration::from_millis(10),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn children_go_with_their_last_owner() {
    let plane = plane().await;
    let (owners, children) = (
        things(plane.client().unwrap()),
        config_maps(plane.client().unwrap()),
    );
    let one = owners
        .create(&PostParams::default(), &thing("one", json!({})))
        .await
        .unwrap();
    let two = owners
        .create(&PostParams::default(), &thing("two", json!({})))
        .await
        .unwrap();
    children
        .create(&PostParams::default(), &child("of-one", &[&one], json!([])))
        .await
        .unwrap();
    children
        .create(
            &PostParams::default(),
            &child("of-both", &[&one, &two], json!([])),
        )
        .await
        .unwrap();
    owners
        .delete("one", &DeleteParams::background())
        .await
        .unwrap();
    gone(&children, "of-one").await;
    soon("child of one owner", async {
        while children
            .get("of-both")
            .await
            .unwrap()
            .owner_references()
            .len()
            > 1
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    owners
        .delete("two", &DeleteParams::background())
        .await
        .unwrap();
    gone(&children, "of-both").await;
}

#[tokio::test]
async fn a_child_of_nobody_goes_though_another_has_the_owners_name() {
    let plane = plane().await;
    let (owners, children) = (
        things(plane.client().unwrap()),
        config_maps(plane.client().unwrap()),
    );
    let mut one = owners
        .create(&PostParams::default(), &thing("one", json!({})))
        .await
        .unwrap();
    children
        .create(&PostParams::default(), &child("kept", &[&one], json!([])))
        .await
        .unwrap();
    one.metadata.uid = Some("another".to_owned());
    children
        .create(&PostParams::default(), &child("lost", &[&one], json!([])))
        .await
        .unwrap();
    gone(&children, "lost").await;
    assert!(children.get_opt("kept").await.unwrap().is_some());
}

#[tokio::test]
async fn a_foreground_deletion_waits_for_the_children() {
    let plane = plane().await;
    let (owners, children) = (
        things(plane.client().unwrap()),
        config_maps(plane.client().unwrap()),
    );
    let one = owners
        .create(&PostParams::default(), &thing("one", json!({})))
        .await
        .unwrap();
    children
        .create(
            &PostParams::default(),
            &child("held", &[&one], json!(["example.com/hold"])),
        )
        .await
        .unwrap();
    owners
        .delete("one", &DeleteParams::foreground())
        .await
        .unwrap();
    begins_to_go(&children, "held").await;
    assert_eq!(
        owners.get("one").await.unwrap().finalizers(),
        ["foregroundDeletion"]
    );
    let release = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    children
        .patch("held", &PatchParams::default(), &release)
        .await
        .unwrap();
    gone(&owners, "one").await;
}

#[tokio::test]
async fn orphans_stay_without_an_owner() {
    let plane = plane().await;
    let (owners, children) = (
        things(plane.client().unwrap()),
        config_maps(plane.client().unwrap()),
    );
    let one = owners
        .create(&PostParams::default(), &thing("one", json!({})))
        .await
        .unwrap();
    children
        .create(&PostParams::default(), &child("kept", &[&one], json!([])))
        .await
        .unwrap();
    owners.delete("one", &DeleteParams::orphan()).await.unwrap();
    gone(&owners, "one").await;
    assert_eq!(children.get("kept").await.unwrap().owner_references(), []);
}

#[tokio::test]
async fn a_namespace_ends_when_everything_in_it_has() {
    let plane = plane().await;
    let client = plane.client().unwrap();
    let all = namespaces(client.clone());
    let shop = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    let created = all
        .create(&PostParams::default(), &object(shop))
        .await
        .unwrap();
    assert_eq!(created.data["spec"]["finalizers"], json!(["kubernetes"]));
    let inside: Api<DynamicObject> = Api::namespaced_with(client, "shop", &resource("Thing"));
    let mut held = thing("one", json!({}));
    held.metadata.finalizers = Some(vec!["example.com/hold".to_owned()]);
    inside.create(&PostParams::default(), &held).await.unwrap();
    let ending = all
        .delete("shop", &DeleteParams::default())
        .await
        .unwrap()
        .left()
        .unwrap();
    assert_eq!(ending.data["status"]["phase"], "Terminating");
    let (code, message) = refusal(
        inside
            .create(&PostParams::default(), &thing("two", json!({})))
            .await,
    );
    assert_eq!(code, 403);
    assert!(
        message.ends_with(
            "unable to create new content in namespace shop because it is being terminated"
        ),
        "{message}"
    );
    begins_to_go(&inside, "one").await;
    assert!(all.get_opt("shop").await.unwrap().is_some());
    inside
        .patch(
            "one",
            &PatchParams::default(),
            &Patch::Merge(json!({"metadata": {"finalizers": null}})),
        )
        .await
        .unwrap();
    gone(&all, "shop").await;
    assert_eq!(
        refusal(
            all.delete("default", &DeleteParams::default())
                .await
                .map(|_| ())
        )
        .0,
        403
    );
}

#[tokio::test]
async fn every_namespace_has_a_service_account_where_that_is_wanted() {
    let kind = kube::core::GroupVersionKind::gvk("", "v1", "ServiceAccount");
    let kind = kube::core::ApiResource::from_gvk(&kind);
    for wanted in [true, false] {
        let mut builder = ControlPlane::builder();
        if wanted {
            builder = builder.default_service_accounts();
        }
        let plane = builder.start().await.unwrap();
        let client = plane.client().unwrap();
        let accounts: Api<DynamicObject> = Api::all_with(client.clone(), &kind);
        let in_shop: Api<DynamicObject> = Api::namespaced_with(client.clone(), "shop", &kind);
        let shop = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
        let all = namespaces(client);
        all.create(&PostParams::default(), &object(shop))
            .await
            .unwrap();
        let there = async || {
            soon("service account", async {
                loop {
                    if let Some(account) = in_shop.get_opt("default").await.unwrap() {
                        return account.uid();
                    }
                    tokio::task::yield_now().await;
                }
            })
            .await
        };
        if wanted {
            let first = there().await;
            in_shop
                .delete("default", &DeleteParams::default())
                .await
                .unwrap();
            assert_ne!(there().await, first, "it is another one");
        }
        all.delete("shop", &DeleteParams::default()).await.unwrap();
        gone(&all, "shop").await;
        // What follows from one write does so after what follows from those before it.
        let left = accounts.list(&Default::default()).await.unwrap();
        let left: Vec<String> = left.iter().filter_map(ResourceExt::namespace).collect();
        let expected: &[&str] = match wanted {
            true => &["default", "kube-node-lease", "kube-public", "kube-system"],
            false => &[],
        };
        assert_eq!(left, expected);
    }
}

#[tokio::test]
async fn namespaces_end_as_late_as_is_wanted() {
    let delay = std::time::Duration::from_millis(300);
    let builder = ControlPlane::builder().namespaces_end_after(delay);
    let plane = builder.start().await.unwrap();
    let all = namespaces(plane.client().unwrap());
    let shop = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    all.create(&PostParams::default(), &object(shop))
        .await
        .unwrap();
    let begun = std::time::Instant::now();
    all.delete("shop", &DeleteParams::default()).await.unwrap();
    gone(&all, "shop").await;
    assert!(begun.elapsed() >= delay);
}

#[tokio::test]
async fn a_namespace_that_comes_again_at_once_keeps_what_is_in_it() {
    let delay = std::time::Duration::from_millis(100);
    let builder = ControlPlane::builder().namespaces_end_after(delay);
    let plane = builder.start().await.unwrap();
    let namespaces = namespaces(plane.client().unwrap());
    let of_maps = kube::core::GroupVersionKind::gvk("", "v1", "ConfigMap");
    let of_maps = kube::core::ApiResource::from_gvk(&of_maps);
    let maps: Api<DynamicObject> = Api::namespaced_with(plane.client().unwrap(), "again", &of_maps);
    let named = |kind: &str, name: &str| {
        object(json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}))
    };
    let create = async |name: &str| {
        let namespace = named("Namespace", name);
        let made = namespaces.create(&PostParams::default(), &namespace).await;
        made.unwrap();
    };
    let end = async |name: &str| {
        let ends = namespaces.delete(name, &DeleteParams::default()).await;
        ends.unwrap();
        gone(&namespaces, name).await;
    };
    create("again").await;
    end("again").await;
    create("again").await;
    let map = named("ConfigMap", "kept");
    let kept = maps.create(&PostParams::default(), &map).await.unwrap();
    // What was still to be done of the first is done once another has come and gone.
    create("meanwhile").await;
    end("meanwhile").await;
    assert_eq!(maps.get("kept").await.unwrap().uid(), kept.uid());
    let again = namespaces.get("again").await.unwrap();
    assert_eq!(again.data["spec"]["finalizers"], json!(["kubernetes"]));
    assert_eq!(again.data["status"], json!({"phase": "Active"}));
}

#[tokio::test]
async fn a_crd_takes_its_objects_with_it() {
    let plane = plane_with("red").await;
    let red = plane.project("red").client().unwrap();
    let home = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}});
    namespaces(red.clone())
        .create(&PostParams::default(), &object(home))
        .await
        .unwrap();
    things(red.clone())
        .create(&PostParams::default(), &thing("one", json!({})))
        .await
        .unwrap();
    let kind =
        kube::core::GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let definitions: Api<DynamicObject> = Api::all_with(
        plane.client().unwrap(),
        &kube::core::ApiResource::from_gvk(&kind),
    );
    definitions
        .delete("things.demo.example.com", &DeleteParams::default())
        .await
        .unwrap();
    gone(&definitions, "things.demo.example.com").await;
    assert_eq!(refusal(things(red.clone()).get("one").await).0, 404);
    definitions
        .create(&PostParams::default(), &object(crd("Thing")))
        .await
        .unwrap();
    assert_eq!(
        things(red)
            .list(&Default::default())
            .await
            .unwrap()
            .items
            .len(),
        0
    );
}
