//! In which formats the server reads and answers.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use http::Request;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http_body_util::BodyExt;
use kommodore_control_plane::ControlPlane;
use serde_json::{Value, json};
use support::*;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// What is answered, as text.
async fn text(plane: &ControlPlane, request: http::request::Builder, body: &str) -> String {
    let client = plane.client().unwrap();
    let request = request.body(body.as_bytes().to_vec()).unwrap();
    client.request_text(request).await.unwrap()
}

async fn refused(plane: &ControlPlane, path: &str, accept: &str) -> (u16, String) {
    let request = Request::get(path).header(ACCEPT, accept);
    let request = request.body(Vec::new()).unwrap();
    refusal(plane.client().unwrap().request_text(request).await)
}

#[tokio::test]
async fn objects_are_read_and_answered_in_yaml() {
    let plane = plane().await;
    let yaml =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {a: \"1\", b: \"x: y\"}\n";
    let request = Request::post(MAPS)
        .header(CONTENT_TYPE, "application/yaml")
        .header(ACCEPT, "application/yaml");
    let created: Value = serde_saphyr::from_str(&text(&plane, request, yaml).await).unwrap();
    assert_eq!(created["data"]["b"], "x: y");
    let one = format!("{MAPS}/one");
    let in_json = text(&plane, Request::get(&one), "").await;
    assert_eq!(created, serde_json::from_str::<Value>(&in_json).unwrap());
    // The first that there is counts.
    let request =
        Request::get(&one).header(ACCEPT, "text/html, application/json, application/yaml");
    assert_eq!(text(&plane, request, "").await, in_json);
}

#[tokio::test]
async fn who_accepts_nothing_that_there_is_hears_what_there_is() {
    let plane = plane().await;
    const ALL: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
    const STREAMS: &str =
        "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";
    let things = "/apis/demo.example.com/v1/namespaces/default/things";
    for (path, accept, message) in [
        (
            format!("{MAPS}/one"),
            "text/html",
            format!("406: Not Acceptable\n\nAvailable representations: {ALL}"),
        ),
        (
            MAPS.to_owned(),
            "text/html",
            format!("406: Not Acceptable\n\nAvailable representations: {ALL}, {STREAMS}"),
        ),
        (
            things.to_owned(),
            "text/html",
            format!("only the following media types are accepted: {ALL}"),
        ),
        (
            MAPS.to_owned(),
            "application/json;as=Else;g=meta.k8s.io;v=v1",
            format!("only the following media types are accepted: {ALL}"),
        ),
        (
            format!("{things}?watch=true"),
            "application/json;as=Else;g=meta.k8s.io;v=v1",
            format!("only the following media types are accepted: {ALL}"),
        ),
        (
            format!("{things}?watch=true"),
            "application/yaml;as=Table;g=meta.k8s.io;v=v1",
            format!("only the following media types are accepted: {STREAMS}"),
        ),
    ] {
        let (code, said) = refused(&plane, &path, accept).await;
        assert_eq!((code, said), (406, message), "{path} {accept}");
    }
}

#[tokio::test]
async fn readers_get_json_that_is_indented() {
    let plane = plane().await;
    for (query, agent, is_indented) in [
        ("", "kubectl/v1.36.3", false),
        ("?pretty=true", "kubectl/v1.36.3", true),
        ("", "curl/8.14.1", true),
        ("?pretty=false", "curl/8.14.1", false),
    ] {
        let request = Request::get(format!("{MAPS}{query}")).header(USER_AGENT, agent);
        let answer = text(&plane, request, "").await;
        assert_eq!(answer.contains("\n  \"items\""), is_indented, "{answer}");
    }
}

/// The object in its envelope of protobuf: behind how long it is, which stands in the second field.
fn enveloped(body: &[u8]) -> &[u8] {
    let named = usize::from(body[5]);
    let mut rest = &body[6 + named..];
    assert_eq!(rest[0], 0x12, "the second field");
    let mut length = 0;
    for (place, byte) in rest[1..].iter().enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            rest = &rest[place + 2..];
            break;
        }
    }
    assert_eq!(
        &rest[length..],
        b"\x1a\0\x22\0",
        "nothing else is behind it"
    );
    &rest[..length]
}

#[tokio::test]
async fn a_long_list_is_the_same_in_pieces() {
    const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
    let plane = plane().await;
    for name in ["one", "two", "three"] {
        let map = json!({"metadata": {"name": name}, "data": {"a": name.repeat(150_000)}});
        text(&plane, Request::post(MAPS), &map.to_string()).await;
    }
    let list: Value = serde_json::from_str(&text(&plane, Request::get(MAPS), "").await).unwrap();
    let client = plane.client().unwrap();
    let bytes = async |path: &str| {
        let request = Request::get(path).header(ACCEPT, PROTOBUF);
        let request = request.body(Vec::new().into()).unwrap();
        let body = client.send(request).await.unwrap().into_body();
        body.collect().await.unwrap().to_bytes()
    };
    let in_protobuf = bytes(MAPS).await;
    let in_protobuf = enveloped(&in_protobuf);
    let names = ["one", "three", "two"];
    assert_eq!(list["items"].as_array().unwrap().len(), names.len());
    for (index, name) in names.into_iter().enumerate() {
        let one = format!("{MAPS}/{name}");
        let kept: Value =
            serde_json::from_str(&text(&plane, Request::get(&one), "").await).unwrap();
        let item = &list["items"][index];
        assert_eq!(
            (&item["metadata"], &item["data"]),
            (&kept["metadata"], &kept["data"])
        );
        let kept = bytes(&one).await;
        let kept = enveloped(&kept);
        assert!(
            in_protobuf.windows(kept.len()).any(|part| part == kept),
            "{name} is whole"
        );
    }
}
