//! What is refused, and how.

mod support;

use http::Request;
use support::*;

async fn refused(client: &kube::Client, request: http::request::Builder, body: Vec<u8>) -> u16 {
    let Ok(request) = request.body(body) else {
        return 0;
    };
    match client.request_text(request).await {
        Err(kube::Error::Api(status)) => status.code,
        // No code that is expected.
        _ => 0,
    }
}

#[tokio::test]
async fn what_is_not_understood_is_refused() {
    let plane = plane().await;
    let client = plane.client().unwrap();
    let path = "/api/v1/namespaces/default/configmaps";
    let request = Request::get(path).header("Impersonate-Group", "devs");
    assert_eq!(refused(&client, request, vec![]).await, 400);
    let request = Request::get(format!("{path}?fieldSelector=metadata.name%3D%3D%3Dx"));
    assert_eq!(refused(&client, request, vec![]).await, 400);
    let request = Request::post(path).header("content-type", "application/json");
    assert_eq!(refused(&client, request, vec![b' '; 8 << 20]).await, 413);
    assert_eq!(refused(&client, Request::put(path), vec![]).await, 405);
    assert_eq!(refused(&client, Request::patch(path), vec![]).await, 405);
}
