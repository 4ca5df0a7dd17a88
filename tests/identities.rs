//! Who a manager is at an endpoint, and by which way it comes there: as a kubeconfig says it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kommodore::{Action, ClusterState, Context, Manager, Reconcile, Result, controller};
use kommodore_control_plane::{Builder, ControlPlane, Fault};
use kommodore_tests::{
    Clusters, Folder, Operator, Relay, Told, Tunnel, eventually, pem_of, prints, stands, token_of,
};
use kube::Config;
use kube::api::{Api, ListParams};
use kube::config::ExecConfig;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// Watches two kinds, and does nothing.
#[controller(for = ConfigMap, owns(Secret))]
struct Idle;

impl Reconcile for Idle {
    async fn reconcile(&self, _: &ConfigMap, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

/// How many kinds [`Idle`] watches.
const KINDS: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_identity_has_connections_of_its_own_and_is_who_its_credentials_say() {
    let names = ["token", "file", "exec", "certificate"];
    let builder = ControlPlane::builder();
    let builder = names
        .iter()
        .fold(builder, |builder, name| builder.user(*name, [""; 0]));
    let server = builder.start().await.unwrap();
    let relay = Relay::start(&server.config()).await;
    let folder = Folder::new("kinds");
    let tokens: BTreeMap<&str, String> = names
        .iter()
        .map(|name| (*name, token_of(&server.config_as(name).unwrap())))
        .collect();
    let nobody = relay.config(server.config_anonymous());

    let mut file = nobody.clone();
    file.auth_info.token_file = Some(folder.file("token", &tokens["file"]));
    let mut exec = nobody.clone();
    let credential = serde_json::json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": tokens["exec"], "expirationTimestamp": "2100-01-01T00:00:00Z"},
    });
    exec.auth_info.exec = Some(prints(folder.file("credential", &credential.to_string())));
    let certificate = relay.config(server.config_with_certificate("certificate").unwrap());
    let token = relay.config(server.config_as("token").unwrap());
    let mut acting = relay.config(server.config());
    acting.auth_info.impersonate = Some("somebody".into());
    let mut other_header = relay.config(server.config());
    let header = (http::header::USER_AGENT, "other".parse().unwrap());
    other_header.headers.push(header);

    let (clusters, mut engaged) = Clusters::new([
        ("token", token.clone()),
        ("token-again", token),
        ("file", file),
        ("exec", exec),
        ("certificate", certificate),
        ("acting", acting),
        ("header", other_header),
    ]);
    let _operator = Operator::start(
        Manager::builder(relay.config(server.config()))
            .provider(clusters)
            .controller(Idle),
    );
    engaged.all().await;
    let mut watches: BTreeMap<String, usize> = BTreeMap::new();
    for watch in server.requests().open_watches() {
        *watches.entry(watch.user.unwrap()).or_default() += 1;
    }
    let expected = [
        ("admin", 4),
        ("certificate", 2),
        ("exec", 2),
        ("file", 2),
        ("token", 4),
    ];
    let expected = expected.map(|(user, count)| (user.to_owned(), count));
    assert_eq!(watches, BTreeMap::from(expected));
    assert_eq!(relay.open(), 6);
}

/// What a program says that gives a certificate.
fn certificate_of(config: &Config) -> String {
    let [certificate, key] = pem_of(config);
    let credential = serde_json::json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"clientCertificateData": certificate, "clientKeyData": key},
    });
    credential.to_string()
}

/// Who has a certificate gets another one, while the first is not valid any more. `show` puts one where `config` has it
/// from.
async fn another_certificate_is_shown(
    server: &ControlPlane,
    config: Config,
    show: impl Fn(&Config),
) {
    show(&server.config_with_certificate("operator").unwrap());
    let (clusters, mut engaged) = Clusters::new([]);
    let manager = Manager::builder(config).provider(clusters).controller(Idle);
    let _operator = Operator::start(manager);
    let client = engaged.client().await;
    let pages: Api<ConfigMap> = Api::all(client);
    let list = async || pages.list(&ListParams::default()).await;
    list().await.unwrap();
    server.expire_certificates("operator", Duration::ZERO);
    assert!(list().await.is_err());
    show(&server.config_with_certificate("operator").unwrap());
    eventually("the new one is shown", list).await;
}

/// By a program, and by a file.
async fn certificates_are_asked_for_anew(case: &str, server: Builder) {
    let server = server.user("operator", [""; 0]).start().await.unwrap();
    let folder = Folder::new(case);
    let path = |name: &str| folder.place_of(name);
    let mut config = server.config_anonymous();
    config.auth_info.exec = Some(prints(path("credential")));
    let show = |next: &Config| drop(folder.file("credential", &certificate_of(next)));
    another_certificate_is_shown(&server, config, show).await;

    let mut config = server.config_anonymous();
    config.auth_info.client_certificate = Some(path("certificate"));
    config.auth_info.client_key = Some(path("key"));
    let show = |next: &Config| {
        let [certificate, key] = pem_of(next);
        folder.file("certificate", &certificate);
        folder.file("key", &key);
    };
    another_certificate_is_shown(&server, config, show).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_a_program_or_of_a_file_is_asked_for_anew_when_it_is_over() {
    certificates_are_asked_for_anew("http-2", ControlPlane::builder()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_it_is_where_there_is_no_http_2() {
    let server = ControlPlane::builder().disable_http2_serving();
    certificates_are_asked_for_anew("http-1", server).await;
}

/// What a program says that gives a token.
fn credential_of(config: &Config, expires: Option<Timestamp>) -> String {
    let mut status = serde_json::json!({"token": token_of(config)});
    if let Some(expires) = expires {
        status["expirationTimestamp"] = expires.to_string().into();
    }
    let credential = serde_json::json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": status,
    });
    credential.to_string()
}

/// Who has a token gets another one, while the first is not valid any more: nothing is lost but time. `shows` says how it
/// is written down, and `uses` lets a configuration use what is written there.
async fn another_token_is_shown(
    case: &str,
    shows: impl Fn(&Config) -> String,
    uses: impl FnOnce(&mut Config, String),
) {
    let server = ControlPlane::builder().user("operator", [""; 0]);
    let server = server.start().await.unwrap();
    let relay = Relay::start(&server.config()).await;
    let folder = Folder::new(case);
    let mut config = relay.config(server.config_anonymous());
    let first = server.config_as("operator").unwrap();
    uses(&mut config, folder.file("it", &shows(&first)));
    let (clusters, mut engaged) = Clusters::new([("red", config.clone())]);
    let manager = Manager::builder(config).provider(clusters).controller(Idle);
    let _operator = Operator::start(manager);
    engaged.all().await;
    let pages: Api<ConfigMap> = Api::all(engaged.client().await);
    let list = async || pages.list(&ListParams::default()).await;
    list().await.unwrap();
    let opened = relay.opened();
    server.expire_token("operator", Duration::ZERO).unwrap();
    assert!(list().await.is_err(), "{case}");
    server.drop_watches(None);
    let next = server.renew_token("operator").unwrap();
    folder.file("it", &shows(&next));
    eventually("the new one is shown", list).await;
    eventually("the watches are open again", async || {
        server.requests().open_watches().len() == KINDS
    })
    .await;
    assert_eq!(
        relay.opened(),
        opened,
        "{case}: on the connections of before"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_in_a_file_is_read_anew_when_it_is_over() {
    let uses = |config: &mut Config, file| config.auth_info.token_file = Some(file);
    another_token_is_shown("file", token_of, uses).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_a_program_gives_is_asked_for_anew_when_it_is_over() {
    let uses = |config: &mut Config, file| config.auth_info.exec = Some(prints(file));
    // Over without a word, and soon by its own word.
    another_token_is_shown("program", |of| credential_of(of, None), uses).await;
    let soon = Timestamp::now() + Duration::from_secs(30);
    another_token_is_shown("expiring", |of| credential_of(of, Some(soon)), uses).await;
}

/// A program that prints a file as soon as there is one, and goes with its folder.
fn waits_for(file: &str, folder: &Folder) -> ExecConfig {
    let folder = folder.path().display();
    let script =
        format!("while [ -d '{folder}' ] && [ ! -e '{file}' ]; do sleep 0.05; done; cat '{file}'");
    let mut plugin = prints(String::new());
    plugin.command = Some("sh".into());
    plugin.args = Some(vec!["-c".into(), script]);
    plugin
}

#[tokio::test]
async fn a_program_that_does_not_end_holds_up_no_other_cluster_and_no_shutdown() {
    let server = ControlPlane::builder().user("operator", [""; 0]);
    let server = server.start().await.unwrap();
    let folder = Folder::new("endless");
    let file = folder.place_of("credential");
    let start = || {
        let mut waits = server.config_anonymous();
        waits.auth_info.exec = Some(waits_for(&file, &folder));
        let (clusters, _) = Clusters::new([("waits", waits), ("plain", server.config())]);
        let manager = Manager::builder(server.config()).provider(clusters);
        let manager = manager.controller(Idle);
        (manager.fleet(), Operator::start(manager))
    };
    let (status, mut operator) = start();
    stands(&status, "plain", ClusterState::Engaged).await;
    operator.interrupt();
    eventually("it has ended", async || match operator.has_ended() {
        true => Ok(()),
        false => Err("it runs"),
    })
    .await;

    let (status, _operator) = start();
    stands(&status, "plain", ClusterState::Engaged).await;
    folder.file(
        "credential",
        &credential_of(&server.config_as("operator").unwrap(), None),
    );
    stands(&status, "waits", ClusterState::Engaged).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_name_in_a_certificate_is_the_one_that_was_asked_for() {
    let server = ControlPlane::builder().start().await.unwrap();
    let call = async |name: &str| {
        let mut config = server.config();
        config.tls_server_name = Some(name.to_owned());
        let (clusters, mut engaged) = Clusters::new([]);
        let manager = Manager::builder(config).provider(clusters).controller(Idle);
        let _operator = Operator::start(manager);
        let client = engaged.client().await;
        client.apiserver_version().await.map_err(|error| {
            let mut text = error.to_string();
            let mut cause: &dyn std::error::Error = &error;
            while let Some(source) = cause.source() {
                text = source.to_string();
                cause = source;
            }
            text
        })
    };
    assert!(call("localhost").await.is_ok());
    let error = call("elsewhere.example.com").await.unwrap_err();
    assert!(error.contains("certificate"), "{error}");
}

/// Engages some clusters through a proxy; returns what it was asked for.
async fn through(tunnel: &Tunnel, proxy: String, authority: Option<Vec<u8>>) -> BTreeSet<String> {
    let server = ControlPlane::builder().start().await.unwrap();
    let mut config = server.config();
    config.proxy_url = Some(proxy.parse().unwrap());
    config.root_cert.get_or_insert_default().extend(authority);
    let (clusters, mut engaged) = Clusters::alike(3, &config);
    let manager = Manager::builder(config).provider(clusters).controller(Idle);
    let _operator = Operator::start(manager);
    engaged.all().await;
    let asked = tunnel.asked();
    assert_eq!(asked.len(), 1, "what is shared is shared there too");
    let address = server.config().cluster_url.authority().unwrap().to_string();
    asked
        .iter()
        .map(|asked| asked.replace(&address, "server"))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxies_are_passed_through_as_who_their_address_says() {
    let as_who = BTreeSet::from(["server Basic bWU6cEBzcw==".into()]);
    let tunnel = Tunnel::http().await;
    let proxy = format!("http://me:p%40ss@{}", tunnel.address());
    assert_eq!(through(&tunnel, proxy, None).await, as_who);
    let (tunnel, authority) = Tunnel::https().await;
    let proxy = format!("https://me:p%40ss@{}", tunnel.address());
    assert_eq!(through(&tunnel, proxy, Some(authority)).await, as_who);
    let tunnel = Tunnel::socks5().await;
    let proxy = format!("socks5://{}", tunnel.address());
    let asked = through(&tunnel, proxy, None).await;
    assert_eq!(asked, BTreeSet::from(["server".into()]));
}

#[tokio::test]
async fn a_proxy_that_speaks_something_else_is_named_and_costs_nobody_else_anything() {
    let server = ControlPlane::builder().start().await.unwrap();
    let mut odd = server.config();
    odd.proxy_url = Some("gopher://user:secret@proxy.example.com:70".parse().unwrap());
    let (clusters, _) = Clusters::new([("odd", odd), ("plain", server.config())]);
    let manager = Manager::builder(server.config()).provider(clusters);
    let manager = manager.controller(Idle);
    let status = manager.fleet();
    let _operator = Operator::start(manager);
    stands(&status, "plain", ClusterState::Engaged).await;
    let odd = stands(&status, "odd", ClusterState::Connecting).await;
    let error = odd.last_error.unwrap_or_default();
    assert!(error.contains("gopher://proxy.example.com:70"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clusters_of_a_dead_endpoint_keep_no_place_from_those_of_another() {
    let dead = ControlPlane::builder().start().await.unwrap();
    let alive = ControlPlane::builder().start().await.unwrap();
    let unanswered = dead.inject(Fault::silence());
    let (told, teller) = Told::new("told");
    let manager = Manager::builder(alive.config()).provider(told);
    let manager = manager.controller(Idle).lists_at_once(1);
    let status = manager.fleet();
    let _operator = Operator::start(manager);
    let config = dead.config();
    teller.tell(move |fleet| {
        for number in 0..100 {
            fleet.engage(format!("dead{number}"), config.clone());
        }
    });
    eventually("one of them has the place", async || unanswered.hits() > 0).await;
    teller.engage("alive", alive.config());
    stands(&status, "alive", ClusterState::Engaged).await;
    // The others behind it have not been waited for one after the other.
    let waited_for = unanswered.hits();
    assert!(waited_for < 20, "{waited_for} of {}", 100 * KINDS);
}

/// A server that takes connections and says nothing on them.
struct Silent {
    config: Config,
    held: tokio::sync::watch::Receiver<usize>,
    accepting: AbortHandle,
}

impl Silent {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let (hold, held) = tokio::sync::watch::channel(0);
        let accepting = tokio::spawn(async move {
            let mut streams = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                streams.push(stream);
                hold.send_replace(streams.len());
            }
        });
        Self {
            config: Config::new(url.parse().unwrap()),
            held,
            accepting: accepting.abort_handle(),
        }
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_endpoint_costs_one_connection_and_nobody_else_anything() {
    let server = ControlPlane::builder().start().await.unwrap();
    let mut silent = Silent::start().await;
    let dead: Vec<String> = (0..40).map(|number| format!("dead{number}")).collect();
    let dead = dead
        .iter()
        .map(|name| (name.as_str(), silent.config.clone()));
    let (clusters, _) = Clusters::new(dead.chain([("alive", server.config())]));
    let manager = Manager::builder(server.config())
        .provider(clusters)
        .controller(Idle);
    let _operator = Operator::start(manager);
    silent.held.wait_for(|held| *held > 0).await.unwrap();
    eventually("the one that is alive is watched", async || {
        server.requests().open_watches().len() == 2
    })
    .await;
    assert_eq!(*silent.held.borrow(), 1);
}
