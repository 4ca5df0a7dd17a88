//! Connections that do not come to be, end, or carry nothing, as a client sees it.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how a test fails"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use http::header::{AUTHORIZATION, CONTENT_LENGTH};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kommodore_control_plane::{ControlPlane, Fault, Verb};
use kube::Client;
use kube::ResourceExt;
use kube::api::{ListParams, Patch, PatchParams, PostParams, WatchParams};
use kube::client::ConfigExt;
use serde_json::{Value, json};
use support::*;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const SOON: Duration = Duration::from_millis(300);

/// A client that asks once.
fn client(plane: &ControlPlane) -> Client {
    asks_once(plane.config())
}

fn map(name: &str) -> kube::api::DynamicObject {
    object(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}))
}

#[tokio::test]
async fn a_request_is_reset_before_anything_is_done() {
    let plane = plane().await;
    let api = config_maps(client(&plane));
    let mut events = watch(&api, &WatchParams::default().disable_bookmarks(), "0").await;
    let fault = plane.inject(Fault::reset().verb(Verb::Create));
    let error = api
        .create(&PostParams::default(), &map("one"))
        .await
        .unwrap_err();
    let told = format!("{error:?}");
    assert!(told.contains("peer closed connection"), "{told}");
    drop(fault);
    assert_eq!(api.get_opt("one").await.unwrap(), None);
    // What else is open there goes on.
    api.create(&PostParams::default(), &map("two"))
        .await
        .unwrap();
    assert_eq!(next(&mut events).await.1, "two");
}

#[tokio::test]
async fn an_answer_is_lost_after_the_write() {
    let plane = plane().await;
    let api = config_maps(client(&plane));
    let fault = plane.inject(Fault::lost_answer().verb(Verb::Patch).named("one").times(1));
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

fn namespace(name: &str) -> kube::api::DynamicObject {
    object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
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
async fn a_control_plane_is_partitioned_and_goes_on() {
    let plane = plane_with("red").await;
    create_project(&plane, "blue").await;
    let of = |project: &str| namespaces(plane.project(project).client().unwrap());
    let (red, blue) = (of("red"), of("blue"));
    let mut events = watch(&red, &WatchParams::default().disable_bookmarks(), "0").await;
    let late = Fault::latency(SOON).in_project("red").verb(Verb::Create);
    let late = plane.inject(late.times(1));
    let (one, two) = (namespace("one"), namespace("two"));
    let parameters = PostParams::default();
    let mut under_way = std::pin::pin!(red.create(&parameters, &one));
    while late.hits() == 0 {
        assert!(futures::poll!(under_way.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    let fault = plane.inject(Fault::partition().in_project("red"));
    let mut later = std::pin::pin!(red.create(&parameters, &two));
    let all = async {
        tokio::select! {
            biased;
            _ = under_way.as_mut() => "an answer",
            _ = later.as_mut() => "an answer to a new request",
            _ = events.try_next() => "an event",
        }
    };
    assert!(tokio::time::timeout(SOON * 2, all).await.is_err());
    blue.list(&ListParams::default()).await.unwrap();
    // The watch, the request that was under way, and the one that came.
    assert_eq!(fault.hits(), 3);
    drop(fault);
    under_way.await.unwrap();
    later.await.unwrap();
    assert_eq!(next(&mut events).await.1, "one");
    assert_eq!(next(&mut events).await.1, "two");
}

#[tokio::test]
async fn a_port_refuses_connections_while_it_is_closed() {
    let plane = plane().await;
    let before = client(&plane);
    let mut events = watch(
        &config_maps(before),
        &WatchParams::default().disable_bookmarks(),
        "0",
    )
    .await;
    let fault = plane.inject(Fault::refused_connection());
    assert!(matches!(
        soon("end of the watch", events.try_next()).await,
        Err(_) | Ok(None)
    ));
    let refused = client(&plane).apiserver_version().await.unwrap_err();
    let mut cause: &dyn std::error::Error = &refused;
    while let Some(source) = cause.source() {
        cause = source;
    }
    assert!(cause.to_string().contains("refused"), "{refused:?}");
    drop(fault);
    soon("open port", async {
        while client(&plane).apiserver_version().await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn without_a_socket_a_request_is_refused_as_a_connection_is() {
    let builder = ControlPlane::builder().milo().without_socket();
    let plane = builder.start().await.unwrap();
    let red = namespaces(create_project(&plane, "red").await.client().unwrap());
    let refused = Fault::refused_connection().in_project("red").times(1);
    let fault = plane.inject(refused);
    let error = red.list(&ListParams::default()).await.unwrap_err();
    let kube::Error::Service(error) = error else {
        panic!("{error:?}");
    };
    let error: &std::io::Error = error.downcast_ref().unwrap();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    red.list(&ListParams::default()).await.unwrap();
    assert_eq!(fault.hits(), 1);
}

#[tokio::test]
async fn without_a_socket_it_can_be_closed_and_restarted_too() {
    let builder = ControlPlane::builder().without_socket();
    let mut plane = builder.start().await.unwrap();
    let api = config_maps(plane.client().unwrap());
    for restarts in [false, true] {
        let mut events = watch(&api, &WatchParams::default().disable_bookmarks(), "0").await;
        match restarts {
            true => plane.restart().await.unwrap(),
            false => plane.close().await,
        }
        assert!(soon("end of the watch", events.try_next()).await.is_err());
        let listed = api.list(&ListParams::default()).await;
        assert_eq!(listed.is_ok(), restarts);
        plane.open().await.unwrap();
        api.list(&ListParams::default()).await.unwrap();
    }
}

#[tokio::test]
async fn a_closed_port_refuses_and_a_restart_keeps_the_data() {
    let mut plane = plane().await;
    let api = config_maps(client(&plane));
    let before = api
        .create(&PostParams::default(), &map("one"))
        .await
        .unwrap();
    let mut events = watch(&api, &WatchParams::default().disable_bookmarks(), "0").await;
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
    let mut events = watch(&api, &WatchParams::default().disable_bookmarks(), "0").await;
    assert_eq!(next(&mut events).await.1, "one");
    plane.restart().await.unwrap();
    assert!(matches!(
        soon("end of the watch", events.try_next()).await,
        Err(_) | Ok(None)
    ));
    assert_eq!(api.get("one").await.unwrap(), before);
    let params = WatchParams::default().disable_bookmarks();
    let version = before.resource_version().unwrap();
    let mut events = watch(&api, &params, &version).await;
    assert_eq!(next(&mut events).await.1, "410");
    let list = api.list(&ListParams::default()).await.unwrap();
    let now = list.metadata.resource_version.unwrap();
    let mut events = watch(&api, &params, &now).await;
    api.create(&PostParams::default(), &map("two"))
        .await
        .unwrap();
    assert_eq!(next(&mut events).await.1, "two");
}

#[tokio::test]
async fn an_answer_that_is_all_there_says_how_long_it_is() {
    let plane = plane().await;
    let request = Request::get("/api/v1/namespaces/default");
    let request = request.body(kube::client::Body::empty()).unwrap();
    let answer = client(&plane).send(request).await.unwrap();
    let length = answer.headers()[CONTENT_LENGTH].clone();
    let body = answer.into_body().collect_bytes().await.unwrap();
    assert_eq!(length.to_str().unwrap(), body.len().to_string());
}

/// A connection on which requests are sent as they come. A client of kube gives up what it has not yet sent.
async fn requests(
    plane: &ControlPlane,
) -> (
    SendRequest<Empty<Bytes>>,
    impl Fn(&str) -> Request<Empty<Bytes>>,
) {
    let config = plane.config();
    let mut tls = config.rustls_client_config().unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let server = config.cluster_url.authority().unwrap().to_string();
    let stream = TcpStream::connect(&server).await.unwrap();
    let name = config.cluster_url.host().unwrap().to_owned().try_into();
    let stream = TlsConnector::from(Arc::new(tls)).connect(name.unwrap(), stream);
    let (sender, connection) = Builder::new(TokioExecutor::new())
        .handshake(TokioIo::new(stream.await.unwrap()))
        .await
        .unwrap();
    tokio::spawn(connection);
    let secrets = serde_json::to_value(&config.auth_info).unwrap();
    let token = format!("Bearer {}", secrets["token"].as_str().unwrap());
    (sender, move |path| {
        let request = Request::get(format!("https://{server}{path}"));
        let request = request.header(AUTHORIZATION, &token);
        request.body(Empty::new()).unwrap()
    })
}

#[tokio::test]
async fn requests_that_are_given_up_at_once_end_no_watch() {
    let plane = plane().await;
    let (mut sender, get) = requests(&plane).await;
    let path = "/api/v1/namespaces/default/configmaps";
    let watch = get(&format!(
        "{path}?watch=true&allowWatchBookmarks=false&resourceVersion=0"
    ));
    let mut events = sender.send_request(watch).await.unwrap().into_body();
    for _ in 0..3 {
        let mut given_up: Vec<_> = (0..200)
            .map(|_| Box::pin(sender.send_request(get(path))))
            .collect();
        for request in &mut given_up {
            assert!(futures::poll!(request.as_mut()).is_pending());
        }
        // They are sent before the server looks at what came.
        tokio::task::yield_now().await;
        drop(given_up);
        let listed = sender.send_request(get(path)).await.unwrap();
        assert_eq!(listed.status(), StatusCode::OK);
    }
    let maps = config_maps(client(&plane));
    maps.create(&PostParams::default(), &map("one"))
        .await
        .unwrap();
    let event = soon("event", events.frame()).await.unwrap().unwrap();
    let event: Value = serde_json::from_slice(&event.into_data().unwrap()).unwrap();
    assert_eq!(event["object"]["metadata"]["name"], "one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_dropped_is_gone_with_its_port() {
    for _ in 0..20 {
        let plane = plane().await;
        let api = config_maps(client(&plane));
        api.list(&ListParams::default()).await.unwrap();
        let port = plane.config().cluster_url.port_u16().unwrap();
        drop(plane);
        std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    }
}

#[tokio::test]
async fn what_is_dropped_answers_nobody_inside_of_the_process() {
    let plane = ControlPlane::builder()
        .without_socket()
        .start()
        .await
        .unwrap();
    let inside = config_maps(plane.client().unwrap());
    let mut events = watch(&inside, &WatchParams::default().disable_bookmarks(), "0").await;
    inside
        .create(&PostParams::default(), &map("one"))
        .await
        .unwrap();
    while let Some(event) = events.try_next().await.unwrap() {
        if matches!(&event, kube::api::WatchEvent::Added(object) if object.metadata.name.as_deref() == Some("one"))
        {
            break;
        }
    }
    drop(plane);
    inside
        .create(&PostParams::default(), &map("two"))
        .await
        .unwrap_err();
    assert!(!matches!(events.try_next().await, Ok(Some(_))));
}

#[tokio::test]
async fn what_waits_for_an_answer_ends_with_the_server() {
    for (fault, restarts) in [
        (Fault::silence(), true),
        (Fault::silence(), false),
        (Fault::partition(), true),
        (Fault::partition(), false),
    ] {
        let builder = ControlPlane::builder().without_socket();
        let mut plane = builder.start().await.unwrap();
        let api = config_maps(plane.client().unwrap());
        let fault = plane.inject(fault);
        let asks = api.clone();
        let waits = tokio::spawn(async move { asks.list(&ListParams::default()).await });
        while fault.hits() == 0 {
            tokio::task::yield_now().await;
        }
        match restarts {
            true => plane.restart().await.unwrap(),
            false => drop(plane),
        }
        soon("end of what waits", waits).await.unwrap().unwrap_err();
        if !restarts {
            let later = ListParams::default();
            soon("refusal", api.list(&later)).await.unwrap_err();
        }
    }
}

#[tokio::test]
async fn what_is_dropped_leaves_no_task() {
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    assert_eq!(tasks(), 0);
    for has_socket in [true, false] {
        let mut builder = ControlPlane::builder().milo().crd(&crd("Thing"));
        if !has_socket {
            builder = builder.without_socket();
        }
        let plane = builder.start().await.unwrap();
        let red = create_project(&plane, "red").await;
        let api = namespaces(red.client().unwrap());
        api.create(&PostParams::default(), &namespace("one"))
            .await
            .unwrap();
        let mut events = watch(&api, &WatchParams::default().disable_bookmarks(), "0").await;
        assert_eq!(next(&mut events).await.1, "one");
        assert!(tasks() > 0);
        drop((events, api));
        drop(plane);
        soon("end of all tasks", async {
            while tasks() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_restart_keeps_what_is_in_projects() {
    let mut plane = plane_with("red").await;
    let one = namespaces(plane.project("red").client().unwrap())
        .create(&PostParams::default(), &namespace("one"))
        .await
        .unwrap();
    plane.restart().await.unwrap();
    let api = namespaces(plane.project("red").client().unwrap());
    assert_eq!(api.get("one").await.unwrap(), one);
    let params = WatchParams::default().disable_bookmarks();
    let mut events = watch(&api, &params, &one.resource_version().unwrap()).await;
    assert_eq!(next(&mut events).await.1, "410");
    api.create(&PostParams::default(), &namespace("two"))
        .await
        .unwrap();
}
