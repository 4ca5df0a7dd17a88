//! Each fault, as a client sees it.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how a test fails"
)]

mod support;

use std::time::Duration;

use futures::TryStreamExt;
use kommodore_control_plane::{ControlPlane, Fault, Verb};
use kube::Client;
use kube::api::{ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use serde_json::json;
use support::*;

const SOON: Duration = Duration::from_millis(300);

/// A client that asks once.
fn client(plane: &ControlPlane) -> Client {
    let mut config = plane.config();
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

fn map(name: &str) -> kube::api::DynamicObject {
    object(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}))
}

#[tokio::test]
async fn an_answer_comes_late() {
    let plane = plane().await;
    let api = config_maps(client(&plane));
    let fault = plane.inject(Fault::latency_between(SOON, SOON * 2).of("configmaps"));
    let begun = std::time::Instant::now();
    api.list(&ListParams::default()).await.unwrap();
    assert!(begun.elapsed() >= SOON);
    assert_eq!(fault.hits(), 1);
    things(client(&plane))
        .list(&ListParams::default())
        .await
        .unwrap();
    assert_eq!(fault.hits(), 1, "it is of ConfigMaps alone");
}

#[tokio::test]
async fn requests_are_refused_so_many_times() {
    let plane = plane().await;
    let api = config_maps(client(&plane));
    for (code, reason) in [
        (409, "Conflict"),
        (429, "TooManyRequests"),
        (500, "InternalError"),
        (503, "ServiceUnavailable"),
    ] {
        let fault = plane.inject(
            Fault::status(code)
                .message("later")
                .verb(Verb::Create)
                .of("configmaps")
                .times(2),
        );
        let name = format!("map-{code}");
        for _ in 0..2 {
            match api.create(&PostParams::default(), &map(&name)).await {
                Err(kube::Error::Api(status)) => assert_eq!(
                    (status.code, &*status.reason, &*status.message),
                    (code, reason, "later")
                ),
                other => panic!("refused is {other:?}"),
            }
        }
        api.create(&PostParams::default(), &map(&name))
            .await
            .unwrap();
        assert_eq!(fault.hits(), 2);
    }
}

#[tokio::test]
async fn a_server_says_when_to_come_back() {
    let plane = plane().await;
    let _fault = plane.inject(Fault::status(429).retry_after(7).verb(Verb::List));
    let request = http::Request::get("/api/v1/configmaps")
        .body(kube::client::Body::empty())
        .unwrap();
    let answer = client(&plane).send(request).await.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "7");
}

#[tokio::test]
async fn a_connection_ends_before_anything_is_done() {
    let plane = plane().await;
    let api = config_maps(client(&plane));
    let fault = plane.inject(Fault::reset().verb(Verb::Create));
    let error = api
        .create(&PostParams::default(), &map("one"))
        .await
        .unwrap_err();
    assert!(!matches!(error, kube::Error::Api(_)), "{error:?}");
    drop(fault);
    assert_eq!(api.get_opt("one").await.unwrap(), None);
}

#[tokio::test]
async fn an_answer_is_lost_after_the_write() {
    let plane = plane().await;
    let api = config_maps(client(&plane));
    let fault = plane.inject(Fault::lost_answer().named("one").times(1));
    api.create(&PostParams::default(), &map("one"))
        .await
        .unwrap();
    let patch = Patch::Merge(json!({"data": {"a": "b"}}));
    let error = api
        .patch("one", &PatchParams::default(), &patch)
        .await
        .unwrap_err();
    assert!(!matches!(error, kube::Error::Api(_)), "{error:?}");
    assert_eq!(fault.hits(), 1);
    assert_eq!(
        api.get("one").await.unwrap().data["data"],
        json!({"a": "b"})
    );
}

#[tokio::test]
async fn requests_are_never_answered() {
    let plane = plane().await;
    let api = config_maps(client(&plane));
    let fault = plane.inject(Fault::silence().at_root().verb(Verb::Get));
    assert!(
        tokio::time::timeout(SOON, api.get_opt("one"))
            .await
            .is_err()
    );
    api.list(&ListParams::default()).await.unwrap();
    drop(fault);
    assert_eq!(api.get_opt("one").await.unwrap(), None);
}

#[tokio::test]
async fn faults_are_those_of_one_control_plane() {
    let plane = plane_with("red").await;
    create_project(&plane, "blue").await;
    let _fault = plane.inject(Fault::status(503).in_project("red"));
    let list = async |project: &str| {
        let mut config = plane.project(project).config();
        config.default_retry = false;
        config_maps(Client::try_from(config).unwrap())
            .list(&ListParams::default())
            .await
    };
    assert_eq!(refusal(list("red").await).0, 503);
    list("blue").await.unwrap();
    config_maps(client(&plane))
        .list(&ListParams::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn an_open_watch_is_dropped() {
    let plane = plane().await;
    let api = config_maps(client(&plane));
    let mut events = watch(&api, &WatchParams::default(), "0").await;
    let other = things(client(&plane));
    let mut others = watch(&other, &WatchParams::default(), "0").await;
    let fault = plane.inject(Fault::dropped_watch().of("configmaps").times(1));
    assert!(matches!(
        soon("end of the watch", events.try_next()).await,
        Err(_) | Ok(None)
    ));
    assert_eq!(fault.hits(), 1);
    let mut again = watch(&api, &WatchParams::default(), "0").await;
    api.create(&PostParams::default(), &map("one"))
        .await
        .unwrap();
    other
        .create(&PostParams::default(), &thing("one", json!({})))
        .await
        .unwrap();
    assert_eq!(next(&mut again).await.0, "ADDED");
    assert_eq!(next(&mut others).await.0, "ADDED");
}

#[tokio::test]
async fn an_open_watch_hangs_and_goes_on() {
    let plane = plane().await;
    let api = config_maps(client(&plane));
    let mut events = watch(&api, &WatchParams::default(), "0").await;
    let fault = plane.inject(Fault::hung_watch());
    api.create(&PostParams::default(), &map("one"))
        .await
        .unwrap();
    assert!(tokio::time::timeout(SOON, events.try_next()).await.is_err());
    drop(fault);
    assert_eq!(next(&mut events).await.1, "one");
}

#[tokio::test]
async fn an_open_watch_is_told_that_its_history_is_gone() {
    let plane = plane().await;
    let mut events = watch(&config_maps(client(&plane)), &WatchParams::default(), "0").await;
    let _fault = plane.inject(Fault::expired_watch());
    match soon("error", events.try_next()).await {
        Ok(Some(WatchEvent::Error(status))) => {
            assert_eq!((status.code, &*status.reason), (410, "Expired"))
        }
        other => panic!("told is {other:?}"),
    }
    assert!(matches!(soon("end", events.try_next()).await, Ok(None)));
}

#[tokio::test]
async fn bookmarks_are_left_out() {
    let plane = plane().await;
    let api = config_maps(client(&plane));
    let _fault = plane.inject(Fault::without_bookmarks());
    let initial = WatchParams::default().initial_events();
    let mut events = watch(&api, &initial, "").await;
    api.create(&PostParams::default(), &map("one"))
        .await
        .unwrap();
    assert_eq!(next(&mut events).await.0, "ADDED");
}

#[tokio::test]
async fn a_closed_port_refuses_and_a_restart_keeps_the_data() {
    let mut plane = plane().await;
    let api = config_maps(client(&plane));
    let before = api
        .create(&PostParams::default(), &map("one"))
        .await
        .unwrap();
    let mut events = watch(&api, &WatchParams::default(), "0").await;
    assert_eq!(next(&mut events).await.1, "one");
    plane.close().await;
    assert!(matches!(
        soon("end of the watch", events.try_next()).await,
        Err(_) | Ok(None)
    ));
    let error = client(&plane).apiserver_version().await.unwrap_err();
    assert!(!matches!(error, kube::Error::Api(_)), "{error:?}");
    plane.open().await.unwrap();
    assert_eq!(api.get("one").await.unwrap(), before);
    let mut events = watch(&api, &WatchParams::default(), "0").await;
    assert_eq!(next(&mut events).await.1, "one");
    plane.restart().await.unwrap();
    assert!(matches!(
        soon("end of the watch", events.try_next()).await,
        Err(_) | Ok(None)
    ));
    assert_eq!(api.get("one").await.unwrap(), before);
    api.create(&PostParams::default(), &map("two"))
        .await
        .unwrap();
}
