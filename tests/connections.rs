//! What clusters at one endpoint share, and what they do not.

use futures::stream::{self, StreamExt as _};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kommodore::{Action, Context, Manager, Reconcile, Result, controller};
use kommodore_control_plane::{Assets, ControlPlane, RealControlPlane};
use kommodore_tests::{Clusters, Fleet, Operator, Point, Probe, Relay, Sites, WATCHED, eventually};
use kube::api::{Api, PostParams, WatchEvent, WatchParams};
use kube::{Client, Config};

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

/// Watches three kinds, and sees what comes of one.
#[controller(for = ConfigMap, owns(Secret, Lease))]
#[derive(Clone, Default)]
struct Seeing {
    probe: Probe,
}

impl Reconcile for Seeing {
    async fn reconcile(&self, _: &ConfigMap, cx: &Context<Self>) -> Result<Action> {
        self.probe.end(Point::Begin, cx).await
    }
}

/// Engages so many clusters at a server that allows `limit` streams, and counts its connections.
async fn few_connections(server: &Config, clusters: usize, limit: usize) {
    let relay = Relay::start(server).await;
    let config = relay.config(server.clone());
    let streams = clusters * KINDS;
    let (clusters, mut engaged) = Clusters::alike(clusters, &config);
    let _operator = Operator::start(Manager::builder(config).provider(clusters).controller(Idle));
    engaged.all().await;
    let (fewest, open) = (streams.div_ceil(limit), relay.open());
    assert!(
        (fewest..=fewest + 2).contains(&open),
        "{open} connections for {streams} watches, of which one carries {limit}"
    );
    // None has been opened in vain either.
    assert_eq!(relay.opened(), open);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watches_share_as_few_connections_as_the_limit_allows() {
    let server = ControlPlane::builder().http2_max_streams_per_connection(10);
    let server = server.start().await.unwrap();
    few_connections(&server.config(), 26, 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_server_with_a_thousand_watches_has_eleven_connections() {
    let Some(assets) = Assets::from_env().unwrap() else {
        eprintln!("skipped: there is no kube-apiserver");
        return;
    };
    let flags = ["--http2-max-streams-per-connection=100"];
    let server = RealControlPlane::start_with(&assets, &flags).await.unwrap();
    few_connections(&server.config().unwrap(), 500, 100).await;
}

/// Opens a watch that nobody reads beside 99 on a connection, and lets it have much more to say than has room anywhere.
///
/// No controller can let a watch of its own wait: the caches take in what comes, whatever the reconciles do. Whoever
/// watches something through a client of the manager can.
async fn one_is_not_read(server: &Config) {
    const CLUSTERS: usize = 33;
    let relay = Relay::start(server).await;
    let config = relay.config(server.clone());
    let (clusters, mut engaged) = Clusters::alike(CLUSTERS, &config);
    let seeing = Seeing::default();
    let manager = Manager::builder(config).provider(clusters);
    let _operator = Operator::start(manager.controller(seeing.clone()));
    engaged.all().await;
    let secrets: Api<Secret> = Api::namespaced(engaged.client().await, "default");
    let unread = secrets.watch(&WatchParams::default(), "").await.unwrap();
    assert_eq!(relay.open(), 1, "all watches share one");

    let users = Client::try_from(server.clone()).unwrap();
    let theirs: Api<Secret> = Api::namespaced(users.clone(), "default");
    let (params, mut large) = (PostParams::default(), Secret::default());
    large.metadata.name = Some("large".into());
    for _ in 0..40 {
        large.string_data = Some([("it".into(), "-".repeat(300_000))].into());
        large = match large.metadata.uid {
            None => theirs.create(&params, &large).await.unwrap(),
            Some(_) => {
                large.metadata.resource_version = None;
                theirs.replace("large", &params, &large).await.unwrap()
            }
        };
    }
    let mut page = ConfigMap::default();
    page.metadata.name = Some("page".into());
    let pages: Api<ConfigMap> = Api::namespaced(users, "default");
    pages.create(&params, &page).await.unwrap();
    seeing.probe.comes(Point::Begin, "page", CLUSTERS).await;
    assert_eq!(relay.opened(), 1);
    let mut unread = std::pin::pin!(unread);
    let first = loop {
        match unread.next().await.unwrap().unwrap() {
            WatchEvent::Bookmark(_) => {}
            event => break event,
        }
    };
    assert!(matches!(first, WatchEvent::Added(_)), "{first:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_that_is_not_read_holds_up_none_of_99_beside_it() {
    let server = ControlPlane::builder().http2_max_streams_per_connection(100);
    let server = server.start().await.unwrap();
    one_is_not_read(&server.config()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_of_a_real_server_that_is_not_read_holds_up_none_of_99_beside_it() {
    let Some(assets) = Assets::from_env().unwrap() else {
        eprintln!("skipped: there is no kube-apiserver");
        return;
    };
    let flags = ["--http2-max-streams-per-connection=100"];
    let server = RealControlPlane::start_with(&assets, &flags).await.unwrap();
    one_is_not_read(&server.config().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_http_2_is_spoken_to_in_http_1() {
    let server = ControlPlane::builder().disable_http2_serving();
    let server = server.start().await.unwrap();
    let relay = Relay::start(&server.config()).await;
    let config = relay.config(server.config());
    #[cfg(target_os = "linux")]
    let port = config.cluster_url.port_u16().unwrap();
    let (clusters, mut engaged) = Clusters::alike(3, &config);
    let _operator = Operator::start(Manager::builder(config).provider(clusters).controller(Idle));
    engaged.all().await;
    assert!(relay.open() >= 3 * KINDS, "{} connections", relay.open());
    #[cfg(target_os = "linux")]
    eventually("the system asks whether the peer is there", async || {
        let timers = timers_of_connections_to(port);
        match timers.iter().all(|timer| timer == KEEP_ALIVE) {
            true if timers.len() >= 3 * KINDS => Ok(()),
            _ => Err(timers),
        }
    })
    .await;
}

/// How Linux says in `/proc/net/tcp` that what a connection waits for is to ask whether its peer is there.
#[cfg(target_os = "linux")]
const KEEP_ALIVE: &str = "02";
#[cfg(target_os = "linux")]
const ESTABLISHED: &str = "01";

/// What the connections to a port of this machine wait for.
#[cfg(target_os = "linux")]
fn timers_of_connections_to(port: u16) -> Vec<String> {
    let connections = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let peer = format!(":{port:04X}");
    let connections = connections.lines().skip(1);
    let connections = connections.map(|line| line.split_whitespace().collect::<Vec<_>>());
    let ours = connections.filter(|fields| fields[2].ends_with(&peer) && fields[3] == ESTABLISHED);
    ours.map(|fields| fields[5].split(':').next().unwrap().to_owned())
        .collect()
}

/// A server that knows the same user as all others, with HTTP/2 or without.
async fn another(with_http_2: bool) -> (ControlPlane, Config) {
    let builder = ControlPlane::builder().user_with_token("operator", [""; 0], "secret");
    let builder = match with_http_2 {
        true => builder,
        false => builder.disable_http2_serving(),
    };
    let server = builder.start().await.unwrap();
    let mut config = server.config_as("operator").unwrap();
    // Each has an authority of its own.
    config.accept_invalid_certs = true;
    (server, config)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_learns_http_2_is_spoken_to_in_it_and_one_that_forgets_it_is_not() {
    let (mut server, config) = another(false).await;
    let relay = Relay::start(&config).await;
    let config = relay.config(config);
    let (clusters, mut engaged) = Clusters::alike(5, &config);
    let watches = 5 * KINDS;
    let _operator = Operator::start(Manager::builder(config).provider(clusters).controller(Idle));
    engaged.all().await;
    assert!(relay.open() >= watches, "{} connections", relay.open());
    for with_http_2 in [true, false, true] {
        let (next, config) = another(with_http_2).await;
        relay.lead_to(&config);
        std::mem::replace(&mut server, next).shutdown().await;
        eventually("everything is watched in the new way", async || {
            let (open, watched) = (relay.open(), server.requests().open_watches().len());
            let is_shared = open <= 2;
            match watched == watches && is_shared == with_http_2 {
                true => Ok(()),
                false => Err((open, watched)),
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_peer_is_noticed_in_seconds() {
    let fleet = Fleet::embedded().await;
    fleet.create_shop("red").await;
    let server = fleet.operator_config();
    let relay = Relay::start(&server).await;
    let manager = Manager::builder(relay.config(server)).provider(kommodore::Milo::external());
    let _operator = Operator::start(manager.controller(Sites::default()));
    fleet.engaged("red", &WATCHED).await;
    let before = relay.opened();
    relay.let_connections_die();
    // A watch that says nothing would be given up after five minutes only.
    fleet.create_website("red", "one").await;
    fleet.website_ready("red", "one").await;
    eventually("the dead ones are closed", async || {
        relay.open() <= relay.opened() - before
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_server_that_sends_clients_away_fails_no_call() {
    let Some(assets) = Assets::from_env().unwrap() else {
        eprintln!("skipped: there is no kube-apiserver");
        return;
    };
    let flags = ["--goaway-chance=0.02"];
    let server = RealControlPlane::start_with(&assets, &flags).await.unwrap();
    let server = server.config().unwrap();
    let relay = Relay::start(&server).await;
    let config = relay.config(server);
    let (clusters, mut engaged) = Clusters::new([]);
    let manager = Manager::builder(config).provider(clusters).controller(Idle);
    let _operator = Operator::start(manager);
    let client = engaged.client().await;
    let namespaces: Api<Namespace> = Api::all(client.clone());
    eventually("the namespace is there", async || {
        namespaces.get("default").await
    })
    .await;
    let pages: Api<ConfigMap> = Api::namespaced(client, "default");
    // Each may be done once, and is done.
    let create = async |number: usize| {
        let mut page = ConfigMap::default();
        page.metadata.name = Some(format!("page-{number}"));
        pages.create(&PostParams::default(), &page).await.map(drop)
    };
    let creates = stream::iter(0..1000).map(create).buffer_unordered(32);
    let failed: Vec<_> = creates.filter_map(async |made| made.err()).collect().await;
    assert!(failed.is_empty(), "{failed:?}");
    assert!(relay.opened() > 3, "{} connections", relay.opened());
}
