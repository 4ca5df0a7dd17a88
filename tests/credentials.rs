//! Who a real server says a manager is, by each of the ways in which a kubeconfig shows it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kommodore::{Action, ClusterState, Context, Manager, Reconcile, Result, controller};
use kommodore_control_plane::{Assets, RealControlPlane};
use kommodore_tests::{
    Clusters, Folder, Operator, Relay, eventually, pem_of, prints, stands, token_of,
};
use kube::Client;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

/// Asks in each cluster who it is there.
#[controller(for = ConfigMap)]
#[derive(Clone, Default)]
struct Asking {
    answers: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Reconcile for Asking {
    async fn reconcile(&self, _: &ConfigMap, cx: &Context<Self>) -> Result<Action> {
        let reviews: Api<SelfSubjectReview> = Api::all(cx.client());
        let asked = SelfSubjectReview::default();
        let answered = reviews.create(&PostParams::default(), &asked).await?;
        let user = answered.status.and_then(|status| status.user_info);
        let name = user.and_then(|user| user.username).unwrap_or_default();
        let cluster = cx.cluster().name().to_string();
        self.answers.lock().unwrap().insert(cluster, name);
        Ok(Action::done())
    }
}

impl Asking {
    async fn is(&self, cluster: &str, user: &str) {
        eventually(&format!("{cluster} is {user}"), async || {
            let answer = self.answers.lock().unwrap().get(cluster).cloned();
            match answer {
                Some(answer) if answer == user => Ok(()),
                other => Err(other),
            }
        })
        .await;
    }
}

/// What a program says, of which the next call wants to know again.
fn credential(mut status: Value) -> String {
    status["expirationTimestamp"] = Timestamp::now().to_string().into();
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": status,
    });
    credential.to_string()
}

/// Who has a certificate, as a program says it.
fn certificate(server: &RealControlPlane, user: &str) -> String {
    let [certificate, key] = pem_of(&server.config_with_certificate(user).unwrap());
    credential(json!({"clientCertificateData": certificate, "clientKeyData": key}))
}

/// Lets these users do everything, and lets there be something to do.
async fn furnish(admin: &Client, users: &[&str]) {
    let subjects: Vec<Value> = users
        .iter()
        .map(|user| json!({"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}))
        .collect();
    let binding = json!({
        "metadata": {"name": "everything"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": subjects,
    });
    let binding: ClusterRoleBinding = serde_json::from_value(binding).unwrap();
    let bindings: Api<ClusterRoleBinding> = Api::all(admin.clone());
    bindings
        .create(&PostParams::default(), &binding)
        .await
        .unwrap();
    touch(admin, "first").await;
}

/// Lets every controller work.
async fn touch(admin: &Client, text: &str) {
    let page = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "page"}, "data": {"text": text},
    });
    let pages: Api<ConfigMap> = Api::namespaced(admin.clone(), "default");
    let params = PatchParams::apply("somebody");
    pages
        .patch("page", &params, &Patch::Apply(page))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_leads_to_who_it_says_and_to_the_next_when_that_changes() {
    let Some(assets) = Assets::from_env().unwrap() else {
        eprintln!("skipped: there is no kube-apiserver");
        return;
    };
    let server = RealControlPlane::start(&assets).await.unwrap();
    let admin = server.config().unwrap();
    let client = Client::try_from(admin.clone()).unwrap();
    furnish(&client, &["operator", "shown", "stored", "first", "second"]).await;
    let operator = server.operator_config().unwrap();
    let folder = Folder::new("credentials");
    let mut nobody = admin.clone();
    nobody.auth_info = kube::config::AuthInfo::default();
    let with = |change: &dyn Fn(&mut kube::config::AuthInfo)| {
        let mut config = nobody.clone();
        change(&mut config.auth_info);
        config
    };

    let shown = server.config_with_certificate("shown").unwrap();
    let stored = pem_of(&server.config_with_certificate("stored").unwrap());
    let stored = with(&|info| {
        info.client_certificate = Some(folder.file("certificate", &stored[0]));
        info.client_key = Some(folder.file("key", &stored[1]));
    });
    let file = with(&|info| info.token_file = Some(folder.file("token", "nobody's")));
    folder.file(
        "says-token",
        &credential(json!({"token": token_of(&operator)})),
    );
    folder.file("says-certificate", &certificate(&server, "first"));
    let says = |what: &str| with(&|info| info.exec = Some(prints(folder.place_of(what))));
    // A certificate is that of a connection, as long as the server takes it.
    let relay = Relay::start(&admin).await;
    let mut acting = admin.clone();
    acting.auth_info.impersonate = Some("second".into());

    let (clusters, _) = Clusters::new([
        ("token", operator.clone()),
        ("file", file),
        ("says-token", says("says-token")),
        ("shown", shown),
        ("stored", stored),
        ("says-certificate", relay.config(says("says-certificate"))),
        ("acting", acting),
    ]);
    let asking = Asking::default();
    let manager = Manager::builder(admin.clone()).provider(clusters);
    let manager = manager.controller(asking.clone());
    let fleet = manager.fleet();
    let _operator = Operator::start(manager);
    for (cluster, user) in [
        ("token", "operator"),
        ("says-token", "operator"),
        ("shown", "shown"),
        ("stored", "stored"),
        ("says-certificate", "first"),
        ("acting", "second"),
    ] {
        asking.is(cluster, user).await;
    }

    let refused = eventually("the wrong token is refused", async || {
        let file = stands(&fleet, "file", ClusterState::Connecting).await;
        file.last_error.ok_or("nothing is said")
    })
    .await;
    assert!(refused.contains("Unauthorized"), "{refused}");
    folder.file("token", &token_of(&operator));
    asking.is("file", "operator").await;

    folder.file(
        "says-token",
        &credential(json!({"token": token_of(&admin)})),
    );
    folder.file("says-certificate", &certificate(&server, "second"));
    relay.let_connections_die();
    touch(&client, "next").await;
    asking.is("says-token", "admin").await;
    asking.is("says-certificate", "second").await;
    asking.is("shown", "shown").await;
}
