//! Watches.

mod support;

use futures::TryStreamExt;
use kommodore_control_plane::ControlPlane;
use kube::ResourceExt;
use kube::api::{
    DeleteParams, ListParams, Patch, PatchParams, PostParams, VersionMatch, WatchParams,
};
use serde_json::json;
use support::*;

#[tokio::test]
async fn a_watch_tells_everything_from_a_version_on() {
    let plane = plane().await;
    let api = things(plane.client().unwrap());
    api.create(&PostParams::default(), &thing("before", json!({})))
        .await
        .unwrap();
    let from = api
        .list(&ListParams::default())
        .await
        .unwrap()
        .metadata
        .resource_version
        .unwrap();
    let one = api
        .create(&PostParams::default(), &thing("one", json!({})))
        .await
        .unwrap();
    let mut events = watch(&api, &WatchParams::default(), &from).await;
    assert_eq!(
        next(&mut events).await,
        ("ADDED", "one".to_owned(), one.resource_version().unwrap())
    );
    let grown = api
        .patch(
            "one",
            &PatchParams::default(),
            &Patch::Merge(json!({"spec": {"size": 2}})),
        )
        .await
        .unwrap();
    assert_eq!(
        next(&mut events).await,
        (
            "MODIFIED",
            "one".to_owned(),
            grown.resource_version().unwrap()
        )
    );
    api.delete("one", &DeleteParams::default()).await.unwrap();
    let (what, name, version) = next(&mut events).await;
    assert_eq!((what, name.as_str()), ("DELETED", "one"));
    assert!(version.parse::<u64>().unwrap() > grown.resource_version().unwrap().parse().unwrap());
}

#[tokio::test]
async fn a_watch_may_begin_with_what_the_server_began_with() {
    let plane = ControlPlane::builder().furnished().start().await.unwrap();
    let all = namespaces(plane.client().unwrap());
    let mut events = watch(&all, &WatchParams::default().disable_bookmarks(), "1").await;
    for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
        let (what, told, _) = next(&mut events).await;
        assert_eq!((what, told.as_str()), ("ADDED", name));
    }
}

#[tokio::test]
async fn many_changes_are_remembered_while_they_are_young() {
    const CHANGES: usize = 10_100;
    let plane = plane().await;
    let api = things(plane.client().unwrap());
    let parameters = PostParams::default();
    let one = api.create(&parameters, &thing("one", json!({}))).await;
    let from = one.unwrap().resource_version().unwrap();
    for size in 1..=CHANGES {
        let patch = Patch::Merge(json!({"spec": {"size": size}}));
        let patched = api.patch("one", &PatchParams::default(), &patch).await;
        patched.unwrap();
    }
    let quiet = WatchParams::default().disable_bookmarks();
    let mut events = watch(&api, &quiet, &from).await;
    let mut last = from.parse::<u64>().unwrap();
    for _ in 0..CHANGES {
        let (what, _, version) = next(&mut events).await;
        let version = version.parse().unwrap();
        assert!(what == "MODIFIED" && version > last);
        last = version;
    }
}

#[tokio::test]
async fn a_read_waits_for_the_version_that_it_asks_for() {
    let plane = plane().await;
    let api = things(plane.client().unwrap());
    let parameters = PostParams::default();
    let one = api.create(&parameters, &thing("one", json!({}))).await;
    let now: u64 = one.unwrap().resource_version().unwrap().parse().unwrap();
    let next_one = (now + 1).to_string();
    let from_next = ListParams::default()
        .at(&next_one)
        .matching(VersionMatch::NotOlderThan);
    let before = plane.requests().mark();
    let mut listed = std::pin::pin!(api.list(&from_next));
    while plane.requests().reads(before).is_empty() {
        assert!(futures::poll!(listed.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    api.create(&parameters, &thing("two", json!({})))
        .await
        .unwrap();
    let names: Vec<String> = listed
        .await
        .unwrap()
        .iter()
        .map(|it| it.name_any())
        .collect();
    assert_eq!(names, ["one", "two"]);
}

#[tokio::test]
async fn who_waits_for_a_version_keeps_nobody_from_writing() {
    let plane = plane().await;
    let client = plane.client().unwrap();
    let api = things(client.clone());
    let path = "/apis/demo.example.com/v1/namespaces/default/things?resourceVersion=9999999";
    let request = http::Request::head(path).body(kube::client::Body::empty());
    let before = plane.requests().mark();
    let mut asked = std::pin::pin!(client.send(request.unwrap()));
    while plane.requests().since(before).is_empty() {
        assert!(futures::poll!(asked.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    api.create(&PostParams::default(), &thing("one", json!({})))
        .await
        .unwrap();
    assert!(futures::poll!(asked.as_mut()).is_pending());
}

#[tokio::test]
async fn what_comes_to_match_is_added_and_what_ceases_to_is_deleted() {
    let plane = plane().await;
    let api = things(plane.client().unwrap());
    api.create(&PostParams::default(), &thing("one", json!({})))
        .await
        .unwrap();
    let mut events = watch(
        &api,
        &WatchParams::default().labels("on=true").disable_bookmarks(),
        "0",
    )
    .await;
    for (value, expected) in [("true", "ADDED"), ("false", "DELETED"), ("true", "ADDED")] {
        let patch = Patch::Merge(json!({"metadata": {"labels": {"on": value}}}));
        let patched = api
            .patch("one", &PatchParams::default(), &patch)
            .await
            .unwrap();
        assert_eq!(
            next(&mut events).await,
            (
                expected,
                "one".to_owned(),
                patched.resource_version().unwrap()
            )
        );
    }
}

#[tokio::test]
async fn a_streamed_list_ends_with_a_bookmark() {
    let plane = plane().await;
    let api = things(plane.client().unwrap());
    let one = api
        .create(&PostParams::default(), &thing("one", json!({})))
        .await
        .unwrap();
    let mut events = watch(&api, &WatchParams::default().initial_events(), "").await;
    assert_eq!(next(&mut events).await.0, "ADDED");
    let (what, _, version) = next(&mut events).await;
    assert_eq!((what, Some(version)), ("BOOKMARK", one.resource_version()));
}

#[tokio::test]
async fn history_that_was_forgotten_is_gone_and_an_open_watch_goes_on() {
    let plane = plane().await;
    let api = things(plane.client().unwrap());
    let one = api
        .create(&PostParams::default(), &thing("one", json!({})))
        .await
        .unwrap();
    let mut open = watch(&api, &WatchParams::default().disable_bookmarks(), "0").await;
    assert_eq!(next(&mut open).await.0, "ADDED");
    plane.compact(None);
    let mut late = watch(
        &api,
        &WatchParams::default(),
        &one.resource_version().unwrap(),
    )
    .await;
    let (what, code, _) = next(&mut late).await;
    assert_eq!((what, code.as_str()), ("ERROR", "410"));
    assert!(matches!(soon("end", late.try_next()).await, Ok(None)));
    api.create(&PostParams::default(), &thing("two", json!({})))
        .await
        .unwrap();
    let (what, name, _) = next(&mut open).await;
    assert_eq!((what, name.as_str()), ("ADDED", "two"));
}

#[tokio::test]
async fn a_watch_ends_when_its_time_is_up() {
    let plane = plane().await;
    let api = things(plane.client().unwrap());
    let mut events = watch(
        &api,
        &WatchParams::default().timeout(1).disable_bookmarks(),
        "0",
    )
    .await;
    assert!(matches!(soon("end", events.try_next()).await, Ok(None)));
}

#[tokio::test]
async fn watches_that_are_dropped_break_and_others_go_on() {
    let plane = plane_with("red").await;
    let root = things(plane.client().unwrap());
    let red = things(plane.project("red").client().unwrap());
    namespaces(plane.project("red").client().unwrap())
        .create(
            &PostParams::default(),
            &object(
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}),
            ),
        )
        .await
        .unwrap();
    let mut at_root = watch(&root, &WatchParams::default().disable_bookmarks(), "0").await;
    let mut in_red = watch(&red, &WatchParams::default().disable_bookmarks(), "0").await;
    red.create(&PostParams::default(), &thing("one", json!({})))
        .await
        .unwrap();
    assert_eq!(next(&mut in_red).await.0, "ADDED");
    plane.drop_watches(Some("red"));
    let broken = soon("end", in_red.try_next()).await;
    assert!(!matches!(broken, Ok(Some(_))), "{broken:?}");
    root.create(&PostParams::default(), &thing("two", json!({})))
        .await
        .unwrap();
    let (what, name, _) = next(&mut at_root).await;
    assert_eq!((what, name.as_str()), ("ADDED", "two"));
}

#[tokio::test]
async fn a_watch_ends_in_good_order_when_the_server_does() {
    let plane = plane().await;
    let api = things(plane.client().unwrap());
    let mut events = watch(&api, &WatchParams::default().disable_bookmarks(), "0").await;
    soon("shutdown", plane.shutdown()).await;
    let end = soon("end", events.try_next()).await;
    assert!(matches!(end, Ok(None)), "{end:?}");
}
