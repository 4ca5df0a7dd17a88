//! Each fault of requests and watches, as a client sees it; `connections` and `credentials` have those of what is below,
//! and `stale` those of what is read.
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
use kube::api::{ListParams, PostParams, WatchEvent, WatchParams};
use serde_json::json;
use support::*;

const SOON: Duration = Duration::from_millis(300);

/// A client that asks once.
fn client(plane: &ControlPlane) -> Client {
    asks_once(plane.config())
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

#[tokio::test(start_paused = true)]
async fn answers_come_as_late_as_is_said() {
    let builder = ControlPlane::builder().without_socket();
    let plane = builder.start().await.unwrap();
    let api = config_maps(plane.client().unwrap());
    let took = async |asked: &str| {
        let begun = tokio::time::Instant::now();
        match asked {
            "list" => drop(api.list(&ListParams::default()).await.unwrap()),
            name => drop(api.get_opt(name).await.unwrap()),
        }
        begun.elapsed()
    };
    let late = Duration::from_secs(5);
    let slow = Fault::latency(late).of("configmaps").verb(Verb::List);
    let slow = plane.inject(slow.times(2));
    assert!(took("one").await < late, "gets are as ever");
    assert!(took("list").await >= late);
    assert!(took("list").await >= late);
    assert!(took("list").await < late, "it was to be so twice");
    assert_eq!(slow.hits(), 2);
    let slow = plane.inject(Fault::latency(late).named("one"));
    assert!(took("two").await < late);
    assert!(took("one").await >= late);
    drop(slow);
    assert!(took("one").await < late, "it is over");
}

#[tokio::test(start_paused = true)]
async fn answers_come_as_late_as_their_quantiles_say() {
    let builder = ControlPlane::builder().seed(7).without_socket();
    let plane = builder.start().await.unwrap();
    let api = config_maps(plane.client().unwrap());
    let quantiles = [(0.5, Duration::from_millis(20)), (1.0, SOON)];
    let _fault = plane.inject(Fault::latency_quantiles(quantiles));
    let mut delays = Vec::new();
    for _ in 0..200 {
        let begun = tokio::time::Instant::now();
        api.list(&ListParams::default()).await.unwrap();
        delays.push(begun.elapsed());
    }
    let fast = delays.iter().filter(|delay| delay.as_millis() <= 20);
    assert!((70..130).contains(&fast.count()), "{delays:?}");
    assert!(
        delays
            .iter()
            .all(|delay| *delay <= SOON + Duration::from_millis(1))
    );
    assert!(delays.iter().any(|delay| *delay > SOON / 2));
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
async fn creates_fail_for_one_name() {
    let plane = plane().await;
    let api = config_maps(client(&plane));
    let fault = plane.inject(Fault::status(500).verb(Verb::Create).named("two"));
    api.create(&PostParams::default(), &map("one"))
        .await
        .unwrap();
    let refused = api.create(&PostParams::default(), &map("two")).await;
    assert!(
        matches!(&refused, Err(kube::Error::Api(status)) if status.code == 500),
        "{refused:?}"
    );
    let mut nameless = map("");
    nameless.metadata.name = None;
    nameless.metadata.generate_name = Some("two".into());
    api.create(&PostParams::default(), &nameless).await.unwrap();
    assert_eq!(fault.hits(), 1);
    drop(fault);
    api.create(&PostParams::default(), &map("two"))
        .await
        .unwrap();
    let lost = plane.inject(Fault::lost_answer().verb(Verb::Create).named("three"));
    assert!(
        api.create(&PostParams::default(), &map("three"))
            .await
            .is_err()
    );
    drop(lost);
    api.get("three").await.unwrap();
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
    let body = answer.into_body().collect_bytes().await.unwrap();
    let status: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(status["reason"], "TooManyRequests");
    assert_eq!(status["details"], json!({"retryAfterSeconds": 7}));
}

#[tokio::test]
async fn a_refusal_has_the_reason_of_its_code() {
    let plane = plane().await;
    for (code, reason) in [
        (405, "MethodNotAllowed"),
        (409, "Conflict"),
        (413, "RequestEntityTooLarge"),
        (415, "UnsupportedMediaType"),
        (422, "Invalid"),
        (500, "InternalError"),
        (503, "ServiceUnavailable"),
    ] {
        let _fault = plane.inject(Fault::status(code));
        let api = config_maps(client(&plane));
        let refused = api.create(&PostParams::default(), &map("one")).await;
        let Err(kube::Error::Api(status)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!((status.code, status.reason.as_str()), (code, reason));
    }
}

#[tokio::test]
async fn faults_are_those_of_a_group_a_namespace_or_a_subresource() {
    let plane = plane().await;
    let asked = client(&plane);
    let code = async |path: &str| {
        let request = http::Request::get(path).body(Vec::new()).unwrap();
        match asked.request::<serde_json::Value>(request).await {
            Ok(_) => 200,
            Err(kube::Error::Api(status)) => status.code,
            Err(other) => panic!("{other}"),
        }
    };
    let all = [
        "/api/v1/events",
        "/apis/events.k8s.io/v1/events",
        "/apis/events.k8s.io/v1/namespaces/default/events",
        "/apis/events.k8s.io/v1/namespaces/other/events",
        "/api/v1/namespaces/default",
        "/api/v1/namespaces/default/status",
        "/version",
    ];
    for (fault, hit) in [
        (Fault::status(503).group("events.k8s.io"), &[1, 2, 3][..]),
        (Fault::status(503).group("").of("events"), &[0]),
        (Fault::status(503).group(""), &[0, 4, 5]),
        (Fault::status(503).namespace("default"), &[2]),
        (
            Fault::status(503).of("namespaces").subresource("status"),
            &[5],
        ),
        (Fault::status(503).of("namespaces").subresource(""), &[4]),
        (Fault::status(503), &[0, 1, 2, 3, 4, 5, 6]),
    ] {
        let injected = plane.inject(fault.clone());
        for (index, path) in all.iter().enumerate() {
            let expected = if hit.contains(&index) { 503 } else { 200 };
            assert_eq!(code(path).await, expected, "{fault:?} of {path}");
        }
        assert_eq!(injected.hits(), hit.len(), "{fault:?}");
    }
}

#[tokio::test]
async fn faults_are_those_of_one_control_plane() {
    let plane = plane_with("red").await;
    create_project(&plane, "blue").await;
    let _fault = plane.inject(Fault::status(503).in_project("red"));
    let list = async |project: &str| {
        config_maps(asks_once(plane.project(project).config()))
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
async fn storages_initialize_for_as_long_as_it_is_said() {
    let plane = plane_with("red").await;
    create_project(&plane, "blue").await;
    let list = async |project: &str, kind: fn(Client) -> kube::Api<_>| {
        let listed = kind(asks_once(plane.project(project).config()));
        match listed.list(&ListParams::default()).await {
            Ok(_) => 200,
            refused => {
                let (code, message) = refusal(refused);
                assert_eq!(message, "storage is (re)initializing");
                code
            }
        }
    };
    let fault = plane.inject(Fault::storage_initializes().in_project("red"));
    config_maps(client(&plane))
        .list(&ListParams::default())
        .await
        .unwrap();
    for expected in [429, 200] {
        assert_eq!(list("red", namespaces).await, expected);
        assert_eq!(list("red", things).await, expected);
        assert_eq!(list("blue", things).await, 200);
    }
    assert_eq!(fault.hits(), 2, "once for each kind");
    drop(fault);
    assert_eq!(list("red", config_maps).await, 200);
    let fault = plane.inject(Fault::storage_initializes().in_project("red"));
    let watched = config_maps(asks_once(plane.project("red").config()));
    let refused = watched.watch(&WatchParams::default(), "0").await;
    let Err(kube::Error::Api(status)) = refused.map(|_| ()) else {
        panic!("the first watch of a kind was not refused");
    };
    let after = status.details.as_ref().map(|said| said.retry_after_seconds);
    assert_eq!((status.code, after), (429, Some(1)));
    assert_eq!(list("red", config_maps).await, 200);
    drop(fault);
    let fault = plane.inject(Fault::storage_initializes().of("things").times(1));
    for expected in [429, 200, 200] {
        assert_eq!(list("red", things).await, expected);
        assert_eq!(list("red", config_maps).await, 200);
    }
    assert_eq!(fault.hits(), 1);
}

#[tokio::test]
async fn the_log_says_who_asked_what_and_what_came_back() {
    let builder = ControlPlane::builder().crd(&crd("Thing"));
    let plane = builder.user("alice", ["devs"]).start().await.unwrap();
    let api = things(plane.client_as("alice").unwrap());
    let one = thing("one", json!({}));
    let made = api.create(&PostParams::default(), &one).await.unwrap();
    let version = made.metadata.resource_version;
    let list = api.list(&ListParams::default().match_any()).await.unwrap();
    let _events = watch(&api, &WatchParams::default(), "1").await;
    let refused = plane.inject(Fault::status(503));
    let _ = things(client(&plane)).get("one").await;
    drop(refused);
    let told: Vec<_> = plane
        .requests()
        .entries()
        .into_iter()
        .map(|request| {
            let code = request.status.map(|status| status.as_u16());
            let asked = request.asked_version().map(str::to_owned);
            let user = request.user.clone().unwrap_or_default();
            (
                user,
                request.verb,
                request.path,
                code,
                asked,
                request.resource_version,
            )
        })
        .collect();
    let path = "/apis/demo.example.com/v1/namespaces/default/things";
    let alice = |verb, code, asked: Option<&str>, version| {
        let asked = asked.map(str::to_owned);
        (
            "alice".to_owned(),
            verb,
            path.to_owned(),
            Some(code),
            asked,
            version,
        )
    };
    let of_list = list.metadata.resource_version;
    let refused = (
        "admin".to_owned(),
        Verb::Get,
        format!("{path}/one"),
        Some(503),
        None,
        None,
    );
    assert_eq!(
        told,
        [
            alice(Verb::Create, 201, None, version),
            alice(Verb::List, 200, Some("0"), of_list),
            alice(Verb::Watch, 200, Some("1"), None),
            refused,
        ]
    );
}

#[tokio::test]
async fn an_open_watch_is_dropped() {
    let plane = plane().await;
    let api = config_maps(client(&plane));
    let mut events = watch(&api, &WatchParams::default().disable_bookmarks(), "0").await;
    let other = things(client(&plane));
    let mut others = watch(&other, &WatchParams::default().disable_bookmarks(), "0").await;
    let fault = plane.inject(Fault::dropped_watch().of("configmaps").times(1));
    assert!(matches!(
        soon("end of the watch", events.try_next()).await,
        Err(_) | Ok(None)
    ));
    assert_eq!(fault.hits(), 1);
    let mut again = watch(&api, &WatchParams::default().disable_bookmarks(), "0").await;
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
    let mut events = watch(&api, &WatchParams::default().disable_bookmarks(), "0").await;
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
    let mut events = watch(
        &config_maps(client(&plane)),
        &WatchParams::default().disable_bookmarks(),
        "0",
    )
    .await;
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

#[tokio::test(start_paused = true)]
async fn bookmarks_are_left_out_for_as_long_as_it_is_said() {
    let builder = ControlPlane::builder().without_socket();
    let plane = builder.start().await.unwrap();
    let api = config_maps(plane.client().unwrap());
    let fault = plane.inject(Fault::without_bookmarks());
    let mut events = watch(&api, &WatchParams::default(), "0").await;
    let minutes = Duration::from_secs(121);
    let told = tokio::time::timeout(minutes, events.try_next());
    assert!(told.await.is_err(), "nothing happens, and nothing is told");
    drop(fault);
    let told = tokio::time::timeout(minutes, events.try_next());
    let told = told.await.unwrap().unwrap();
    assert!(matches!(told, Some(WatchEvent::Bookmark(_))), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn bookmarks_come_after_what_is_newer() {
    let builder = ControlPlane::builder().without_socket();
    let plane = builder.start().await.unwrap();
    let api = config_maps(plane.client().unwrap());
    let _fault = plane.inject(Fault::late_bookmarks());
    let initial = WatchParams::default().initial_events();
    let mut events = watch(&api, &initial, "").await;
    assert_eq!(next(&mut events).await.0, "BOOKMARK", "the end of the list");
    let minutes = tokio::time::timeout(Duration::from_secs(121), events.try_next());
    assert!(minutes.await.is_err(), "it is held back");
    api.create(&PostParams::default(), &map("one"))
        .await
        .unwrap();
    let (what, _, newer) = next(&mut events).await;
    let (late, _, older) = next(&mut events).await;
    assert_eq!((what, late), ("ADDED", "BOOKMARK"));
    assert!(older.parse::<u64>().unwrap() < newer.parse().unwrap());
}

#[tokio::test]
async fn of_two_faults_the_second_waits_for_its_turn() {
    let plane = plane().await;
    let api = config_maps(client(&plane));
    let first = plane.inject(Fault::status(503).verb(Verb::List).times(1));
    let second = plane.inject(Fault::status(429).verb(Verb::List).times(1));
    for code in [503, 429] {
        let error = api.list(&ListParams::default()).await.unwrap_err();
        let kube::Error::Api(status) = error else {
            panic!("{error:?}");
        };
        assert_eq!(status.code, code);
    }
    api.list(&ListParams::default()).await.unwrap();
    assert_eq!((first.hits(), second.hits()), (1, 1));
}

#[tokio::test]
async fn lists_and_watches_of_one_object_have_its_name() {
    let plane = plane().await;
    let api = config_maps(client(&plane));
    api.create(&PostParams::default(), &map("one"))
        .await
        .unwrap();
    let of_one = |params: ListParams| params.fields("metadata.name=one");
    let refused = plane.inject(Fault::status(500).named("one"));
    api.list(&of_one(ListParams::default())).await.unwrap_err();
    api.list(&ListParams::default()).await.unwrap();
    assert_eq!(refused.hits(), 1);
    drop(refused);
    let params = WatchParams::default()
        .fields("metadata.name=one")
        .disable_bookmarks();
    let mut events = watch(&api, &params, "0").await;
    let added = events.try_next().await.unwrap();
    assert!(matches!(added, Some(WatchEvent::Added(_))), "{added:?}");
    let dropped = plane.inject(Fault::dropped_watch().named("one"));
    assert!(matches!(
        soon("end of the watch", events.try_next()).await,
        Err(_) | Ok(None)
    ));
    assert_eq!(dropped.hits(), 1);
}

#[tokio::test]
async fn a_watch_is_one_however_it_is_asked_for() {
    let plane = plane().await;
    let client = client(&plane);
    for (path, is_one) in [
        ("configmaps?watch=yes&timeoutSeconds=1", true),
        ("configmaps?watch=0&timeoutSeconds=1", false),
        ("watch/configmaps?timeoutSeconds=1", true),
    ] {
        let request = http::Request::get(format!("/api/v1/{path}"));
        let body = client
            .request_text(request.body(Vec::new()).unwrap())
            .await
            .unwrap();
        let seen = plane.requests().entries().pop().unwrap();
        assert_eq!(seen.verb == Verb::Watch, is_one, "{path}: {seen} {body}");
        assert_eq!(seen.plural(), "configmaps", "{path}");
    }
}
