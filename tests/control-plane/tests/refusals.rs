//! What is refused, and how.

mod support;

use http::Request;
use kommodore_control_plane::ControlPlane;
use kube::api::{Api, DynamicObject, PostParams};
use serde_json::json;
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

#[tokio::test]
async fn a_patch_cannot_nest_without_end() {
    let mut tree = crd("Tree");
    tree["spec"]["versions"][0]["schema"]["openAPIV3Schema"] =
        json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let plane = ControlPlane::builder().crd(&tree).start().await.unwrap();
    let client = plane.client().unwrap();
    let api: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), "default", &resource("Tree"));
    let tree = DynamicObject::new("a", &resource("Tree")).data(json!({"spec": {}}));
    api.create(&PostParams::default(), &tree).await.unwrap();
    let level = (0..60).fold(json!({}), |below, _| json!({"x": below}));
    let mut path = "/spec".to_owned();
    let mut answers = Vec::new();
    for _ in 0..3 {
        path.push_str("/x");
        let patch = json!([{"op": "add", "path": path, "value": level}]);
        let request = Request::patch("/apis/demo.example.com/v1/namespaces/default/trees/a")
            .header("content-type", "application/json-patch+json");
        answers.push(refused(&client, request, patch.to_string().into_bytes()).await);
        path.push_str(&"/x".repeat(60));
    }
    assert_eq!(answers, [0, 422, 422], "one is well, two are too many");
    let kept = api.get("a").await.unwrap();
    let deepest = kept.data["spec"].pointer(&"/x".repeat(61));
    assert!(deepest.is_some());
}
