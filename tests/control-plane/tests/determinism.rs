//! One seed, one story: without a socket, on one thread and under a paused clock, the same seed has the same requests,
//! answers and objects, byte by byte, and hours pass in no time.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how a test fails"
)]

mod support;

use std::fmt::Write as _;
use std::time::Duration;

use futures::TryStreamExt;
use kommodore_control_plane::{ControlPlane, Fault, Verb};
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch,
    PatchParams, PostParams, WatchEvent, WatchParams,
};
use kube::{Client, ResourceExt};
use serde_json::json;
use support::*;

const PROJECTS: [&str; 3] = ["red", "green", "blue"];

/// Follows the things of a project and writes a ConfigMap for each, with it as its owner.
async fn operate(client: Client) {
    let (things, maps) = (things(client.clone()), config_maps(client));
    let mut version = "0".to_owned();
    loop {
        let Ok(events) = things.watch(&WatchParams::default(), &version).await else {
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        };
        let mut events = std::pin::pin!(events);
        while let Ok(Some(event)) = events.try_next().await {
            let (WatchEvent::Added(thing) | WatchEvent::Modified(thing)) = event else {
                continue;
            };
            version = thing.resource_version().unwrap();
            let map = json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": thing.name_any(), "ownerReferences": [{
                    "apiVersion": "demo.example.com/v1", "kind": "Thing", "name": thing.name_any(), "uid": thing.uid(),
                }]},
                "data": {"size": thing.data["spec"]["size"].to_string()},
            });
            let apply = PatchParams::apply("operator").force();
            let _ = maps
                .patch(&thing.name_any(), &apply, &Patch::Apply(map))
                .await;
        }
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
}

fn services(client: Client) -> Api<DynamicObject> {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Service"));
    Api::namespaced_with(client, "default", &kind)
}

/// Opens ports for an hour.
async fn open_ports(client: Client) {
    let services = services(client);
    for _ in 0..10 {
        let open = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"generateName": "open-"},
            "spec": {"type": "NodePort", "ports": [{"port": 80}]},
        });
        let _ = services.create(&PostParams::default(), &object(open)).await;
        tokio::time::sleep(Duration::from_secs(360)).await;
    }
}

/// Creates, changes and deletes things for an hour.
async fn use_it(client: Client) {
    let things = things(client);
    for round in 0..30 {
        let mut new = thing("", json!({"size": round + 1}));
        new.metadata.name = None;
        new.metadata.generate_name = Some("thing-".to_owned());
        let Ok(created) = things.create(&PostParams::default(), &new).await else {
            continue;
        };
        tokio::time::sleep(Duration::from_secs(60)).await;
        let name = created.name_any();
        let patch = Patch::Merge(json!({"spec": {"size": round + 100}}));
        let _ = things.patch(&name, &PatchParams::default(), &patch).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        if round % 2 == 0 {
            let _ = things.delete(&name, &DeleteParams::default()).await;
        }
    }
}

/// What has happened after an hour of it: every request with its answer, and every object.
async fn story(seed: u64) -> String {
    let plane = ControlPlane::builder()
        .crd(&crd("Thing"))
        .milo()
        .seed(seed)
        .without_socket()
        .start()
        .await
        .unwrap();
    let begun = tokio::time::Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    let mut users = tokio::task::JoinSet::new();
    for name in PROJECTS {
        create_project(&plane, name).await;
        let client = plane.project(name).client().unwrap();
        let default = object(
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}),
        );
        namespaces(client.clone())
            .create(&PostParams::default(), &default)
            .await
            .unwrap();
        tasks.spawn(operate(client.clone()));
        users.spawn(use_it(client));
    }
    users.spawn(open_ports(plane.client().unwrap()));
    let _slow = plane.inject(Fault::latency_between(
        Duration::from_millis(1),
        Duration::from_millis(900),
    ));
    let _broken = plane.inject(
        Fault::status(503)
            .in_project("green")
            .verb(Verb::Patch)
            .times(7),
    );
    let _dropped = plane.inject(Fault::dropped_watch().in_project("blue").times(2));
    while users.join_next().await.is_some() {}
    assert!(
        begun.elapsed() > Duration::from_secs(3_000),
        "an hour has passed"
    );
    let mut story = String::new();
    for request in plane
        .requests()
        .entries()
        .iter()
        .chain(&plane.requests().played())
    {
        writeln!(story, "{request} {request:?}").unwrap();
    }
    let mut lists = vec![services(plane.client().unwrap())];
    for name in PROJECTS {
        let client = plane.project(name).client().unwrap();
        lists.extend([things(client.clone()), config_maps(client)]);
    }
    for list in lists {
        for object in list.list(&ListParams::default()).await.unwrap() {
            writeln!(story, "{}", serde_json::to_string(&object).unwrap()).unwrap();
        }
    }
    story
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_tells_the_same_story() {
    let one = story(42).await;
    assert!(one.lines().count() > 300, "{one}");
    assert!(one.contains(" -> 503") && one.contains("thing-"));
    assert_eq!(one.matches("\"nodePort\":").count(), 10);
    let same = story(42).await;
    let differs = one
        .lines()
        .zip(same.lines())
        .find(|(one, same)| one != same);
    assert_eq!(differs, None);
    assert_eq!(one, same);
    assert_ne!(one, story(43).await, "another seed, another story");
}
