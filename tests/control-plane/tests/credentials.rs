//! Tokens and certificates that expire and are renewed, as a client sees it.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how a test fails"
)]

mod support;

use std::time::Duration;

use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::ServiceAccount;
use kommodore_control_plane::{ControlPlane, Error, Fault};
use kube::api::{DeleteParams, ListParams, PostParams, WatchParams};
use kube::client::Body;
use kube::{Api, Client, Config};
use serde_json::json;
use support::*;

const HOUR: Duration = Duration::from_secs(3_600);

/// The code that a list is answered with.
async fn lists(client: Client) -> u16 {
    match things(client).list(&ListParams::default()).await {
        Ok(_) => 200,
        Err(kube::Error::Api(status)) => status.code,
        Err(error) => panic!("{error:?}"),
    }
}

fn client(config: Config) -> Client {
    Client::try_from(config).unwrap()
}

/// The innermost cause.
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}

async fn plane_of_alice() -> ControlPlane {
    let builder = ControlPlane::builder().crd(&crd("Thing"));
    builder.user("alice", ["devs"]).start().await.unwrap()
}

#[tokio::test]
async fn a_token_expires_and_its_user_gets_a_new_one() {
    let plane = plane_of_alice().await;
    let old = plane.config_as("alice").unwrap();
    let api = things(client(old.clone()));
    let mut events = watch(&api, &WatchParams::default().disable_bookmarks(), "0").await;
    plane.expire_token("alice", Duration::ZERO).unwrap();
    let (code, message) = refusal(api.list(&ListParams::default()).await);
    assert_eq!((code, &*message), (401, "Unauthorized"));
    // Nobody else is concerned, and who was let in stays.
    let admin = things(plane.client().unwrap());
    admin
        .create(&PostParams::default(), &thing("one", json!({})))
        .await
        .unwrap();
    assert_eq!(next(&mut events).await.1, "one");

    let new = plane.renew_token("alice").unwrap();
    assert_eq!(lists(client(new)).await, 200);
    assert_eq!(lists(plane.client_as("alice").unwrap()).await, 200);
    assert_eq!(lists(client(old)).await, 401);
    let unknown = plane.expire_token("bob", HOUR);
    assert!(matches!(unknown, Err(Error::UnknownUser(name)) if name == "bob"));
    assert!(plane.renew_token("bob").is_err());
}

#[tokio::test(start_paused = true)]
async fn a_token_expires_by_tokios_clock() {
    let builder = ControlPlane::builder().crd(&crd("Thing")).milo().seed(7);
    let builder = builder.user("alice", ["devs"]).without_socket();
    let plane = builder.start().await.unwrap();
    let old = plane.client_as("alice").unwrap();
    plane.expire_token("alice", HOUR).unwrap();
    plane.expire_token("admin", HOUR).unwrap();
    tokio::time::advance(HOUR - Duration::from_secs(1)).await;
    assert_eq!(lists(old.clone()).await, 200);
    // One that is renewed in time lives on by the side of the other.
    plane.renew_token("alice").unwrap();
    assert_eq!(lists(old.clone()).await, 200);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(lists(old).await, 401);
    assert_eq!(lists(plane.client_as("alice").unwrap()).await, 200);
    assert_eq!(lists(plane.client().unwrap()).await, 401);
    plane.renew_token("admin").unwrap();
    create_project(&plane, "red").await;
}

#[tokio::test(start_paused = true)]
async fn the_token_of_a_service_account_expires_by_tokios_clock_and_goes_with_the_account() {
    let builder = ControlPlane::builder().crd(&crd("Thing")).seed(7);
    let plane = builder.without_socket().start().await.unwrap();
    let accounts = Api::<ServiceAccount>::default_namespaced(plane.client().unwrap());
    let mut robot = ServiceAccount::default();
    robot.metadata.name = Some("robot".into());
    accounts
        .create(&PostParams::default(), &robot)
        .await
        .unwrap();
    let issued = async || {
        let asked = json!({"metadata": {}, "spec": {"audiences": [], "expirationSeconds": 3600}});
        let asked: TokenRequest = serde_json::from_value(asked).unwrap();
        let params = PostParams::default();
        let issued = accounts
            .create_token_request("robot", &params, &asked)
            .await
            .unwrap();
        issued.status.unwrap().token.unwrap()
    };
    let lists = async |token: &str| {
        let request = http::Request::get("/api/v1/namespaces");
        let request = request.header("authorization", format!("Bearer {token}"));
        let client = plane.client().unwrap();
        let answer = client.send(request.body(Body::empty()).unwrap());
        answer.await.unwrap().status().as_u16()
    };
    let first = issued().await;
    tokio::time::advance(HOUR - Duration::from_secs(1)).await;
    assert_eq!(lists(&first).await, 200);
    let second = issued().await;
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(lists(&first).await, 401);
    assert_eq!(lists(&second).await, 200);
    accounts
        .delete("robot", &DeleteParams::default())
        .await
        .unwrap();
    assert_eq!(lists(&second).await, 401);
    robot.metadata.finalizers = Some(vec!["example.com/held".into()]);
    accounts
        .create(&PostParams::default(), &robot)
        .await
        .unwrap();
    assert_eq!(
        lists(&second).await,
        401,
        "it is another account of that name"
    );
    // What is held up is deleted all the same, a minute later: clocks may differ by so much.
    let third = issued().await;
    accounts
        .delete("robot", &DeleteParams::default())
        .await
        .unwrap();
    assert_eq!(lists(&third).await, 200);
    tokio::time::advance(Duration::from_secs(62)).await;
    assert_eq!(lists(&third).await, 401);
}

#[tokio::test]
async fn tokens_come_from_the_seed() {
    let tokens = async |seed: Option<u64>| {
        let builder = ControlPlane::builder().user("alice", ["devs"]);
        let builder = match seed {
            Some(seed) => builder.seed(seed),
            None => builder,
        };
        let plane = builder.start().await.unwrap();
        plane.add_user("bob", ["devs"]).unwrap();
        let known = plane.kubeconfig().auth_infos;
        let known = known.into_iter().map(|user| (user.name, user.auth_info));
        serde_json::to_string(&known.collect::<Vec<_>>()).unwrap()
    };
    let one = tokens(Some(7)).await;
    assert!(one.contains("alice") && one.contains("bob") && one.contains("admin"));
    assert_eq!(one, tokens(Some(7)).await);
    assert_ne!(one, tokens(Some(8)).await);
    assert_ne!(tokens(None).await, tokens(None).await);
}

#[tokio::test]
async fn a_clients_certificate_expires_and_is_renewed() {
    let plane = plane_of_alice().await;
    let config = plane.config_with_certificate("alice").unwrap();
    assert_eq!(lists(client(config.clone())).await, 200);
    let users = plane.requests().entries().into_iter();
    let users: Vec<_> = users.filter_map(|request| request.user).collect();
    assert_eq!(users, ["alice"]);
    plane.expire_certificates("alice", Duration::ZERO);
    assert_eq!(lists(client(config.clone())).await, 401);
    // A token beside it is as good as ever.
    let mut both = config;
    both.auth_info.token = plane.config_as("alice").unwrap().auth_info.token;
    assert_eq!(lists(client(both)).await, 200);
    let renewed = plane.config_with_certificate("alice").unwrap();
    assert_eq!(lists(client(renewed)).await, 200);
    // One of another authority says nothing here.
    let stranger = plane_of_alice().await;
    let mut strange = stranger.config_with_certificate("alice").unwrap();
    strange.cluster_url = plane.config().cluster_url;
    strange.root_cert = plane.config().root_cert;
    assert_eq!(lists(client(strange)).await, 401);
}

#[tokio::test]
async fn the_servers_certificate_expires_and_is_renewed() {
    let plane = plane_with("red").await;
    let before = things(plane.client().unwrap());
    let mut events = watch(&before, &WatchParams::default().disable_bookmarks(), "0").await;
    let fault = plane.inject(Fault::expired_certificate().at_root());
    // One that was there, and whose connection is taken by the watch, is not let in by its session of before.
    let refused = before.list(&ListParams::default()).await.unwrap_err();
    assert!(cause(&refused).contains("expired"), "{refused:?}");
    assert!(fault.hits() > 0);
    drop(fault);
    // The certificate is a good one again, and connections of before go on.
    assert_eq!(lists(plane.client().unwrap()).await, 200);
    before
        .create(&PostParams::default(), &thing("one", json!({})))
        .await
        .unwrap();
    assert_eq!(next(&mut events).await.1, "one");

    let address = plane.project("red").direct().await.unwrap();
    let mut direct = plane.config();
    direct.cluster_url = format!("https://{address}").parse().unwrap();
    let fault = plane.inject(Fault::expired_certificate().in_project("red"));
    let refused = client(direct.clone()).apiserver_version().await;
    assert!(cause(&refused.unwrap_err()).contains("expired"));
    assert_eq!(lists(plane.client().unwrap()).await, 200);
    drop(fault);
    assert_eq!(lists(client(direct)).await, 200);
}
