//! Watches by WebSocket, in words that a real server has been seen to answer with.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how a test fails"
)]

mod support;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::StreamExt;
use http::header::{ACCEPT, CONNECTION, HeaderName, ORIGIN, UPGRADE};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use kommodore_control_plane::ControlPlane;
use kube::Client;
use kube::api::{DeleteParams, PostParams};
use kube::client::Body;
use serde_json::{Value, json};
use support::*;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

const THINGS: &str = "/apis/demo.example.com/v1/namespaces/default/things";
const VERSION: HeaderName = HeaderName::from_static("sec-websocket-version");
const KEY: HeaderName = HeaderName::from_static("sec-websocket-key");
const PROTOCOL: HeaderName = HeaderName::from_static("sec-websocket-protocol");

/// Asks for a WebSocket, with other headers and without those that are empty.
async fn ask(client: &Client, path: &str, others: &[(HeaderName, &str)]) -> Response<Body> {
    let usual = [
        (CONNECTION, "Upgrade"),
        (UPGRADE, "websocket"),
        (VERSION, "13"),
        (KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
        (ORIGIN, "https://example.com"),
    ];
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    for (name, value) in usual.iter().chain(others) {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let empty: Vec<_> = others
        .iter()
        .filter(|(_, value)| value.is_empty())
        .collect();
    for (name, _) in empty {
        request.headers_mut().remove(name);
    }
    client.send(request).await.unwrap()
}

/// The WebSocket that an answer opens.
async fn opened(answer: Response<Body>) -> WebSocketStream<TokioIo<Upgraded>> {
    let upgraded = hyper::upgrade::on(answer).await.unwrap();
    WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, None).await
}

async fn text(response: Response<Body>) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn events_come_each_in_a_message() {
    let plane = plane().await;
    let client = plane.client().unwrap();
    let api = things(client.clone());
    for name in ["a", "b"] {
        api.create(&PostParams::default(), &thing(name, json!({})))
            .await
            .unwrap();
    }
    let path = format!("{THINGS}?watch=true");
    let answer = ask(&client, &path, &[(PROTOCOL, "base64.binary.k8s.io")]).await;
    assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
    let accepted = answer.headers()["sec-websocket-accept"].clone();
    assert_eq!(accepted, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(answer.headers()[PROTOCOL], "base64.binary.k8s.io");
    let mut socket = opened(answer).await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        seen.push(next(&mut socket).await);
    }
    seen.sort();
    api.delete("b", &DeleteParams::default()).await.unwrap();
    seen.push(next(&mut socket).await);
    assert_eq!(seen, ["ADDED a", "ADDED b", "DELETED b"]);
    // A ping is answered, and a client that has enough is let go.
    let ping = Message::Ping("here".into());
    futures::SinkExt::send(&mut socket, ping).await.unwrap();
    let pong = soon("pong", socket.next()).await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong("here".into()));
    socket.close(None).await.unwrap();
    while soon("end", socket.next()).await.is_some() {}
}

async fn next(
    socket: &mut (impl StreamExt<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin),
) -> String {
    let message = soon("event", socket.next()).await.unwrap().unwrap();
    let event: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
    let name = event["object"]["metadata"]["name"].as_str().unwrap();
    format!("{} {name}", event["type"].as_str().unwrap())
}

#[tokio::test]
async fn a_watch_that_ends_says_so() {
    let plane = plane().await;
    let client = plane.client().unwrap();
    let answer = ask(&client, &format!("{THINGS}?watch=1&timeoutSeconds=1"), &[]).await;
    let mut socket = opened(answer).await;
    match soon("end", socket.next()).await.unwrap().unwrap() {
        Message::Close(Some(end)) => assert_eq!(end.code, CloseCode::Normal),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn events_of_protobuf_come_without_their_lengths() {
    let plane = plane().await;
    let client = plane.client().unwrap();
    let api = config_maps(client.clone());
    for name in ["a", "b"] {
        let map =
            object(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}));
        api.create(&PostParams::default(), &map).await.unwrap();
    }
    let protobuf = [(ACCEPT, "application/vnd.kubernetes.protobuf")];
    let path = "/api/v1/watch/namespaces/default/configmaps";
    let answer = ask(&client, path, &protobuf).await;
    assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
    let mut socket = opened(answer).await;
    for _ in 0..2 {
        let message = soon("event", socket.next()).await.unwrap().unwrap();
        let event = message.into_data();
        assert!(event.starts_with(b"\x0a\x05ADDED"), "{event:?}");
        let begun = event.windows(5).filter(|part| part == b"ADDED").count();
        assert_eq!(begun, 1, "{event:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_watched_so_is_refused() {
    let plane = plane().await;
    let client = plane.client().unwrap();
    let watch = format!("{THINGS}?watch=true");
    for (others, code, says) in [
        (&[(KEY, "")][..], 400, "mismatch challenge/response"),
        (&[(VERSION, "8")], 400, "missing or bad WebSocket Version"),
        (&[(ORIGIN, "")], 403, ""),
        (&[(ORIGIN, "null")], 403, ""),
        (&[(PROTOCOL, "a, b")], 400, ""),
    ] {
        let refused = ask(&client, &watch, others).await;
        assert_eq!(refused.status().as_u16(), code, "{others:?}");
        assert_eq!(text(refused).await, says);
    }
    // Nor is anything but a watch told so, nor what is refused anyway.
    assert_eq!(ask(&client, THINGS, &[]).await.status(), StatusCode::OK);
    let one = thing("one", json!({}));
    let api = things(client.clone());
    api.create(&PostParams::default(), &one).await.unwrap();
    let named = ask(&client, &format!("{THINGS}/one?watch=true"), &[]).await;
    assert_eq!(named.status(), StatusCode::OK);
    let none = ask(
        &client,
        "/apis/demo.example.com/v1/nothings?watch=true",
        &[],
    )
    .await;
    assert_eq!(none.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_token_may_come_as_a_protocol() {
    let plane = ControlPlane::builder().crd(&crd("Thing"));
    let plane = plane.user("alice", ["devs"]).start().await.unwrap();
    let config = serde_json::to_value(plane.kubeconfig_as("alice").unwrap()).unwrap();
    let token = config["users"][0]["user"]["token"].as_str().unwrap();
    let client = Client::try_from(plane.config_anonymous()).unwrap();
    let path = format!("{THINGS}?watch=true");
    let named = |token: &[u8]| {
        let token = URL_SAFE_NO_PAD.encode(token);
        format!("base64url.bearer.authorization.k8s.io.{token}")
    };
    let own = named(token.as_bytes());
    let taken = ask(
        &client,
        &path,
        &[(PROTOCOL, &format!("{own}, binary.k8s.io"))],
    )
    .await;
    assert_eq!(taken.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(taken.headers()[PROTOCOL], "binary.k8s.io");
    let who = plane.requests().entries().pop().unwrap().user;
    assert_eq!(who.as_deref(), Some("alice"));
    for protocols in [
        own.clone(),
        format!("{own}, {own}, binary.k8s.io"),
        format!("{own}=, binary.k8s.io"),
        format!("{}, binary.k8s.io", named(b"another")),
        format!("{}, binary.k8s.io", named(&[0xFF])),
    ] {
        let refused = ask(&client, &path, &[(PROTOCOL, &protocols)]).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{protocols}");
    }
}
