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

/// What a real server would do and this one does not is said to its writer; a conformance case cannot show it.
#[tokio::test]
async fn what_is_stored_and_not_done_is_warned_of() {
    let plane = plane().await;
    let client = plane.client().unwrap();
    let rules = json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["*"]}]);
    let policy = json!({"spec": {"matchConstraints": {"resourceRules": rules}, "validations": [{"expression": "false"}]}});
    let binding = json!({"spec": {"policyName": "one", "validationActions": ["Deny"]}});
    let service = json!({"metadata": {"name": "v1.remote.example.com"}, "spec": {
        "group": "remote.example.com", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1, "service": {"name": "one", "namespace": "default"},
    }});
    let webhooks = json!({"webhooks": [{
        "name": "one.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": "https://127.0.0.1"},
    }]});
    let level =
        json!({"spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}});
    let schema = json!({"openAPIV3Schema": {"type": "object"}});
    let converted = json!({"metadata": {"name": "things.example.com"}, "spec": {
        "group": "example.com", "scope": "Cluster", "names": {"plural": "things", "kind": "Thing"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
        "conversion": {"strategy": "Webhook", "webhook": {"clientConfig": {"url": "https://127.0.0.1"}, "conversionReviewVersions": ["v1"]}},
    }});
    let admission = "/apis/admissionregistration.k8s.io/v1";
    for (path, mut object, warning) in [
        (
            format!("{admission}/validatingadmissionpolicies"),
            policy,
            "admission policies are stored, and not evaluated by this server",
        ),
        (
            format!("{admission}/validatingadmissionpolicybindings"),
            binding,
            "admission policies are stored, and not evaluated by this server",
        ),
        (
            format!("{admission}/validatingwebhookconfigurations"),
            webhooks,
            "webhooks are stored, and not called by this server",
        ),
        (
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions".to_owned(),
            converted,
            "conversion webhooks are stored, and not called by this server",
        ),
        (
            "/apis/apiregistration.k8s.io/v1/apiservices".to_owned(),
            service,
            "requests are not passed on to services by this server",
        ),
        (
            "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations".to_owned(),
            level,
            "flow control is stored, and not exercised by this server",
        ),
    ] {
        if object.get("metadata").is_none() {
            object["metadata"] = json!({"name": "one"});
        }
        let request = Request::post(&path).header("content-type", "application/json");
        let request = request.body(object.to_string().into_bytes().into());
        let answer = client.send(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), 201, "{path}");
        let warned = answer.headers().get("warning").unwrap();
        assert_eq!(warned.to_str().unwrap(), format!("299 - \"{warning}\""));
    }
    let configmap = json!({"metadata": {"name": "one"}}).to_string();
    let request = Request::post("/api/v1/namespaces/default/configmaps");
    let request = request.header("content-type", "application/json");
    let request = request.body(configmap.into_bytes().into());
    let answer = client.send(request.unwrap()).await.unwrap();
    assert!(answer.headers().get("warning").is_none());
}

#[tokio::test]
async fn what_nests_without_end_is_refused_and_nothing_else_happens() {
    let plane = plane().await;
    let client = plane.client().unwrap();
    let path = "/api/v1/namespaces/default/configmaps";
    for deep in [
        "[".repeat(200_000),
        format!(
            "{{\"metadata\":{{\"name\":\"a\"}},\"data\":{}",
            "{\"a\":".repeat(100_000)
        ),
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
    ] {
        let request = Request::post(path).header("content-type", "application/json");
        assert_eq!(
            refused(&client, request, deep.clone().into_bytes()).await,
            400
        );
        let request =
            Request::delete(format!("{path}/a")).header("content-type", "application/json");
        assert_eq!(refused(&client, request, deep.into_bytes()).await, 400);
    }
    // Each copy doubles the depth.
    let map = object(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}));
    let maps = config_maps(client.clone());
    maps.create(&PostParams::default(), &map).await.unwrap();
    let level = (0..100).fold(json!({}), |below, _| json!({"x": below}));
    let mut operations = vec![json!({"op": "add", "path": "/x", "value": level})];
    let mut end = "/x".repeat(101);
    for _ in 0..12 {
        operations.push(json!({"op": "copy", "from": "/x", "path": format!("{end}/x")}));
        end = end.repeat(2);
    }
    let request =
        Request::patch(format!("{path}/a")).header("content-type", "application/json-patch+json");
    let patch = json!(operations).to_string().into_bytes();
    assert_eq!(refused(&client, request, patch).await, 422);
    assert!(maps.get("a").await.is_ok());
}
