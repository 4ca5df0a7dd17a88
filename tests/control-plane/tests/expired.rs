//! Lists whose moment is too long ago, with no fault: the embedded server and a real one tell the same.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how a test fails"
)]

use std::time::Duration;

use http::{Method, Request};
use http_body_util::BodyExt;
use kommodore_control_plane::{Assets, ControlPlane, RealControlPlane};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/namespaces/default/configmaps";

async fn ask(client: &Client, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let body = body.map_or(Body::empty(), |body| body.to_string().into_bytes().into());
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("Content-Type", "application/json")
        .body(body)
        .unwrap();
    let answer = client.send(request).await.unwrap();
    let code = answer.status().as_u16();
    let text = answer.into_body().collect().await.unwrap().to_bytes();
    (code, serde_json::from_slice(&text).unwrap())
}

async fn create(client: &Client, names: &[&str]) {
    for name in names {
        let map = json!({"metadata": {"name": name}});
        let (code, said) = ask(client, Method::POST, PATH, Some(map)).await;
        assert_eq!(code, 201, "{said}");
    }
}

async fn list(client: &Client, query: &str) -> (u16, Value) {
    ask(client, Method::GET, &format!("{PATH}?{query}"), None).await
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| item["metadata"]["name"].as_str().unwrap())
        .collect()
}

/// Waits `pause` after `pause` for the first page of a list to be too old, and tells how often.
async fn tells_what_is_too_old(client: Client, pause: Duration) -> u32 {
    create(&client, &["b", "c", "d"]).await;
    let (_, first) = list(&client, "limit=1").await;
    let version = first["metadata"]["resourceVersion"].as_str().unwrap();
    let token = first["metadata"]["continue"].as_str().unwrap();
    create(&client, &["a", "e"]).await;
    let second_page = format!("limit=1&continue={token}");
    let mut pauses = 0;
    let refused = loop {
        let (code, said) = list(&client, &second_page).await;
        if code == 410 {
            break said;
        }
        assert_eq!(names(&said), ["c"], "as it was");
        assert!(pauses < 60, "it does not expire");
        tokio::time::sleep(pause).await;
        pauses += 1;
    };
    let token = refused["metadata"]["continue"].as_str().unwrap();
    assert_eq!(
        refused,
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {"continue": token}, "status": "Failure",
            "message": "The provided continue parameter is too old to display a consistent list result. You can start a new \
                        list without the continue parameter, or use the continue token in this response to retrieve the \
                        remainder of the results. Continuing with the provided token results in an inconsistent list - objects \
                        that were created, modified, or deleted between the time the first chunk was returned and now may show \
                        up in the list.",
            "reason": "Expired", "code": 410,
        })
    );
    // What goes on is a list of now, which goes on as such.
    let (code, rest) = list(&client, &format!("limit=2&continue={token}")).await;
    assert_eq!((code, names(&rest)), (200, vec!["c", "d"]));
    assert_eq!(rest["metadata"]["remainingItemCount"], 1);
    let token = rest["metadata"]["continue"].as_str().unwrap();
    let (code, rest) = list(&client, &format!("limit=2&continue={token}")).await;
    assert_eq!((code, names(&rest)), (200, vec!["e"]));

    let too_old = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "The resourceVersion for the provided list is too old.", "reason": "Expired", "code": 410,
    });
    for how in ["resourceVersionMatch=Exact", "limit=1"] {
        let query = format!("resourceVersion={version}&{how}");
        assert_eq!(list(&client, &query).await, (410, too_old.clone()));
        let path = format!("{PATH}?{query}");
        let deleted = ask(&client, Method::DELETE, &path, None).await;
        assert_eq!(deleted, (410, too_old.clone()));
    }
    let query = format!("resourceVersion={version}&resourceVersionMatch=NotOlderThan");
    let (code, all) = list(&client, &query).await;
    assert_eq!((code, names(&all)), (200, vec!["a", "b", "c", "d", "e"]));
    pauses
}

#[tokio::test(start_paused = true)]
async fn lists_expire_five_to_ten_minutes_after_their_version() {
    let plane = ControlPlane::builder()
        .without_socket()
        .start()
        .await
        .unwrap();
    let client = plane.client().unwrap();
    let minutes = tells_what_is_too_old(client, Duration::from_secs(60)).await;
    assert!((5..=10).contains(&minutes), "{minutes}");
}

#[tokio::test]
async fn a_real_server_tells_the_same_when_it_has_compacted() {
    let Some(assets) = Assets::from_env().unwrap() else {
        return;
    };
    let flags = ["--etcd-compaction-interval=1s"];
    let server = RealControlPlane::start_with(&assets, &flags).await.unwrap();
    let client = Client::try_from(server.config().unwrap()).unwrap();
    tells_what_is_too_old(client, Duration::from_secs(1)).await;
}
