//! Projects: control planes of their own at Milo's paths.

mod support;

use kommodore_control_plane::ControlPlane;
use kube::api::{DeleteParams, DynamicObject, ListParams, PostParams, VersionMatch, WatchParams};
use kube::{Api, Client, Config, ResourceExt};
use serde_json::json;
use support::*;

#[tokio::test]
async fn a_project_starts_empty_and_keeps_its_objects_to_itself() {
    let plane = plane_with("red").await;
    create_project(&plane, "blue").await;
    let red = plane.project("red").client().unwrap();
    assert_eq!(
        namespaces(red.clone())
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
            .len(),
        0
    );
    let home = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}});
    namespaces(red.clone())
        .create(&PostParams::default(), &object(home))
        .await
        .unwrap();
    things(red.clone())
        .create(&PostParams::default(), &thing("one", json!({})))
        .await
        .unwrap();
    for elsewhere in [
        plane.client().unwrap(),
        plane.project("blue").client().unwrap(),
    ] {
        assert_eq!(
            things(elsewhere)
                .list(&ListParams::default())
                .await
                .unwrap()
                .items
                .len(),
            0
        );
    }
    let mut alias = plane.config();
    alias.cluster_url = format!("{}projects/red/control-plane", alias.cluster_url)
        .parse()
        .unwrap();
    let address = plane.project("red").direct().await.unwrap();
    let mut direct = plane.config();
    direct.cluster_url = format!("https://{address}").parse().unwrap();
    for config in [alias, direct] {
        let found = things(Client::try_from(config).unwrap()).get("one").await;
        assert!(found.is_ok(), "{found:?}");
    }
}

#[tokio::test]
async fn a_project_that_is_not_there_is_not_found() {
    let plane = plane_with("red").await;
    let nobody = plane.project("nobody").client().unwrap();
    let (code, message) = refusal(
        namespaces(nobody)
            .list(&ListParams::default())
            .await
            .map(|_| ()),
    );
    assert_eq!(
        (code, message.as_str()),
        (
            404,
            "projects.resourcemanager.miloapis.com \"nobody\" not found"
        )
    );
}

#[tokio::test]
async fn a_project_serves_what_milo_serves_unless_it_is_told_to_serve_all() {
    let services = |client| -> Api<DynamicObject> {
        let kind = kube::core::GroupVersionKind::gvk("", "v1", "Service");
        Api::namespaced_with(client, "default", &kube::core::ApiResource::from_gvk(&kind))
    };
    let plane = plane_with("red").await;
    let in_red = services(plane.project("red").client().unwrap());
    assert_eq!(
        refusal(in_red.list(&ListParams::default()).await.map(|_| ())).0,
        404
    );
    assert!(
        services(plane.client().unwrap())
            .list(&ListParams::default())
            .await
            .is_ok()
    );
    let plane = ControlPlane::builder()
        .milo()
        .all_kinds_in_projects()
        .start()
        .await
        .unwrap();
    let red = create_project(&plane, "red").await;
    assert!(
        services(red.client().unwrap())
            .list(&ListParams::default())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn storage_that_initializes_says_so_once_for_each_kind() {
    let plane = ControlPlane::builder()
        .milo()
        .storage_initializes()
        .start()
        .await
        .unwrap();
    let red = create_project(&plane, "red").await;
    // kube's client tries again by itself.
    for _ in 0..2 {
        assert!(
            namespaces(red.client().unwrap())
                .list(&ListParams::default())
                .await
                .is_ok()
        );
    }
    let lists = plane
        .requests()
        .entries()
        .into_iter()
        .filter(|request| request.plural() == "namespaces");
    let codes: Vec<u16> = lists
        .filter_map(|request| Some(request.status?.as_u16()))
        .collect();
    assert_eq!(codes, [429, 200, 200]);
}

#[tokio::test]
async fn a_hidden_crd_is_not_served_until_it_is_shown() {
    let plane = plane_with("red").await;
    let red = plane.project("red");
    let api = things(red.client().unwrap());
    red.hide("things.demo.example.com");
    assert_eq!(
        refusal(api.list(&ListParams::default()).await.map(|_| ())).0,
        404
    );
    assert!(
        things(plane.client().unwrap())
            .list(&ListParams::default())
            .await
            .is_ok()
    );
    red.show("things.demo.example.com");
    assert!(api.list(&ListParams::default()).await.is_ok());
}

#[tokio::test]
async fn without_the_token_nobody_is_let_in() {
    let plane = plane().await;
    let mut config: Config = plane.config();
    config.auth_info.token = None;
    let api = things(Client::try_from(config).unwrap());
    assert_eq!(
        refusal(api.list(&ListParams::default()).await.map(|_| ())).0,
        401
    );
}

#[tokio::test]
async fn the_kubeconfig_has_a_context_for_the_root_and_each_project() {
    let plane = plane_with("red").await;
    let kubeconfig = plane.kubeconfig();
    let names: Vec<&str> = kubeconfig
        .contexts
        .iter()
        .map(|context| context.name.as_str())
        .collect();
    assert_eq!(names, ["root", "red"]);
    let options = kube::config::KubeConfigOptions {
        context: Some("red".to_owned()),
        ..Default::default()
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .unwrap();
    assert!(
        things(Client::try_from(config).unwrap())
            .list(&ListParams::default())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn after_a_shutdown_nobody_listens() {
    let plane = plane().await;
    let api = things(plane.client().unwrap());
    assert!(api.list(&ListParams::default()).await.is_ok());
    soon("shutdown", plane.shutdown()).await;
    assert!(api.list(&ListParams::default()).await.is_err());
}

#[tokio::test]
async fn a_project_that_comes_again_knows_no_version_of_its_former_life() {
    let plane = plane_with("red").await;
    let client = plane.project("red").client().unwrap();
    let one = thing("one", json!({}));
    let list = ListParams::default();
    let home =
        object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}));
    namespaces(client.clone())
        .create(&PostParams::default(), &home)
        .await
        .unwrap();
    let before = things(client.clone())
        .create(&PostParams::default(), &one)
        .await
        .unwrap();
    let seen = before.resource_version().unwrap();
    let second = thing("two", json!({}));
    things(client.clone())
        .create(&PostParams::default(), &second)
        .await
        .unwrap();
    let page = things(client.clone())
        .list(&list.clone().limit(1))
        .await
        .unwrap();
    let token = page.metadata.continue_.unwrap();
    projects(&plane)
        .delete("red", &DeleteParams::default())
        .await
        .unwrap();
    gone(&projects(&plane), "red").await;
    create_project(&plane, "red").await;
    namespaces(client.clone())
        .create(&PostParams::default(), &home)
        .await
        .unwrap();
    let api = things(client);
    // Before anything was written, and after.
    for written in [false, true] {
        if written {
            api.create(&PostParams::default(), &one).await.unwrap();
        }
        let mut events = watch(&api, &WatchParams::default(), &seen).await;
        let (what, code, _) = next(&mut events).await;
        assert_eq!((what, &*code), ("ERROR", "410"));
        let exactly = list.clone().at(&seen).matching(VersionMatch::Exact);
        assert_eq!(refusal(api.list(&exactly).await).0, 410);
        let onwards = list.clone().limit(1).continue_token(&token);
        assert_eq!(refusal(api.list(&onwards).await).0, 410);
        let newest = api.list(&list).await.unwrap();
        assert_eq!(newest.items.len(), usize::from(written));
        let version = newest.metadata.resource_version.unwrap();
        let mut events = watch(&api, &WatchParams::default(), &version).await;
        let name = format!("after-{written}");
        api.create(&PostParams::default(), &thing(&name, json!({})))
            .await
            .unwrap();
        assert_eq!(next(&mut events).await.1, name);
        api.delete(&name, &DeleteParams::default()).await.unwrap();
    }
}
