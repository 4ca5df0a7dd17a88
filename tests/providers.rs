//! Where clusters come from, but for Milo.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kommodore::{
    Action, Cleanup, ClusterState, Context, Fixed, Kubeconfig, KubeconfigSecrets, Manager, Merged,
    Milo, Namespaces, Provider as _, Reason, Reconcile, Result, Single, controller,
};
use kommodore_tests::{
    Domain, FINALIZER, Fleet, Log, Operator, Outage, Point, Probe, RECORDS, Sites, WATCHED,
    Website, eventually, kubeconfig_of, logs_into, needs_garbage_collection, on_both_servers,
    secret, stands, text_of, website,
};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::Selector;
use kube::{Config, ResourceExt as _};
use serde_json::{Value, json};

/// Sees no more than its namespace.
#[controller(for = Website, finalizer = "demo.kommodore.dev/alone")]
#[derive(Clone, Default)]
struct Alone {
    probe: Probe,
}

impl Alone {
    async fn look(&self, point: Point, cx: &Context<Self>) -> Result<Action> {
        let cluster = cx.cluster();
        assert_eq!(cluster.namespace(), Some(cluster.name().as_str()));
        let is_here = |namespace: Option<String>| namespace.as_deref() == cluster.namespace();
        assert!(
            cluster
                .list::<Website>()
                .all(|site| is_here(site.namespace()))
        );
        let secrets = cx.list::<Secret>(Selector::default()).await?;
        assert!(
            secrets.iter().all(|secret| is_here(secret.namespace())),
            "{secrets:?}"
        );
        self.probe.end(point, cx).await
    }
}

impl Reconcile for Alone {
    async fn reconcile(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.look(Point::Begin, cx).await
    }
}

impl Cleanup for Alone {
    async fn cleanup(&self, _: &Website, cx: &Context<Self>) -> Result<Action> {
        self.look(Point::Cleanup, cx).await
    }
}

/// Something that is in no namespace.
#[controller(for = Domain)]
struct Domains;

impl Reconcile for Domains {
    async fn reconcile(&self, _: &Domain, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

async fn create_namespace(fleet: &Fleet, name: &str, labels: Value) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
    fleet.put(namespace).await;
    let websites: Api<Website> = Api::namespaced(fleet.client(), name);
    let mut site = website("one");
    site.metadata.namespace = Some(name.to_owned());
    eventually("the website is created", async || {
        websites.create(&PostParams::default(), &site).await
    })
    .await;
    fleet.put(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one", "namespace": name}})).await;
}

on_both_servers! {
    async fn each_namespace_is_a_cluster_and_sees_nothing_of_the_others(fleet: &Fleet) {
        for name in ["team-a", "team-b"] {
            create_namespace(fleet, name, json!({"tenant": "true"})).await;
        }
        create_namespace(fleet, "nobody", json!({})).await;
        let alone = Alone::default();
        let manager = fleet.manager_of(Namespaces::new().labels("tenant=true"));
        let status = manager.fleet();
        let mark = fleet.requests().mark();
        let _operator = Operator::start(manager.controller(alone.clone()).controller(Domains));
        for name in ["team-a", "team-b"] {
            eventually("it is looked at", async || alone.probe.count_in(name, Point::Begin, "one") == 1).await;
            let degraded = stands(&status, name, ClusterState::Degraded).await;
            let error = degraded.last_error.unwrap_or_default();
            assert!(error.contains("no kind Domain in demo.kommodore.dev/v1alpha1 whose objects are in namespaces"), "{error}");
        }
        let mut asked = fleet.requests().since(mark);
        asked.retain(|request| request.user_agent.as_deref() == Some("operator") && request.plural() != "namespaces");
        assert!(!asked.is_empty());
        for request in asked {
            assert!(matches!(request.namespace(), Some("team-a" | "team-b")), "{request}");
        }
        needs_garbage_collection!(fleet);
        let namespaces: Api<Namespace> = Api::all(fleet.client());
        namespaces.delete("team-a", &DeleteParams::default()).await.unwrap();
        let gone = stands(&status, "team-a", ClusterState::Gone).await;
        assert_eq!(gone.left, Some(Reason::Gone));
        assert_eq!(alone.probe.count_in("team-a", Point::Cleanup, "one"), 1);
        // One that loses the label is left as it is.
        let unlabel = Patch::Merge(json!({"metadata": {"labels": {"tenant": null}}}));
        namespaces.patch("team-b", &PatchParams::default(), &unlabel).await.unwrap();
        let gone = stands(&status, "team-b", ClusterState::Gone).await;
        assert_eq!(gone.left, Some(Reason::Deselected));
        assert_eq!(alone.probe.count(Point::Cleanup, "one"), 1);
        for name in ["team-b", "nobody"] {
            let websites: Api<Website> = Api::namespaced(fleet.client(), name);
            let release = Patch::Merge(json!({"metadata": {"finalizers": null}}));
            websites.patch("one", &PatchParams::default(), &release).await.unwrap();
            namespaces.delete(name, &DeleteParams::default()).await.unwrap();
        }
    }

    async fn kubeconfigs_in_secrets_are_followed(fleet: &Fleet) {
        fleet.create_shops().await;
        let label = json!({"sigs.k8s.io/multicluster-runtime-kubeconfig": "true"});
        let outage = Outage::default();
        let of_old = outage.clone();
        let mut old = fleet.config_behind(move |_| of_old.of_watch()).await;
        let path = fleet.project_config("red").cluster_url.path().to_owned();
        old.cluster_url = format!("{}{}", old.cluster_url.to_string().trim_end_matches('/'), path).parse().unwrap();
        let red = fleet.put(secret("red", label.clone(), "kubeconfig", &text_of(&old))).await;
        fleet.put(secret("nobodys", json!({}), "kubeconfig", &text_of(&fleet.project_config("blue")))).await;
        let (sites, status, _operator) = fleet.operate(KubeconfigSecrets::new().namespace(RECORDS));
        fleet.website_ready("red", "one").await;
        assert_eq!(sites.probe.count_in("red", Point::Begin, "one"), 1);

        // What cannot be read or may not be leaves it as it is.
        let exec = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "false", "interactiveMode": "Never"}});
        let mut with_command = serde_json::to_value(kubeconfig_of(&[("it", &old)])).unwrap();
        with_command["users"][0]["user"] = exec;
        for bad in ["nonsense", &with_command.to_string()] {
            fleet.put(secret("red", label.clone(), "kubeconfig", bad)).await;
        }
        fleet.put(secret("blue", label.clone(), "kubeconfig", &text_of(&fleet.project_config("blue")))).await;
        fleet.website_ready("blue", "one").await;
        fleet.set_host("red", "one", "new.example.com").await;
        fleet.page_shows("red", "one", "new.example.com").await;

        // Another endpoint: nothing is lost.
        outage.begin();
        fleet.set_host("red", "one", "newest.example.com").await;
        fleet.put(secret("red", label, "kubeconfig", &text_of(&fleet.project_config("red")))).await;
        fleet.page_shows("red", "one", "newest.example.com").await;
        fleet.delete_record(&red).await;
        let gone = stands(&status, "red", ClusterState::Gone).await;
        assert_eq!(gone.left, Some(Reason::Deselected), "the cluster may be there all the same");
        fleet.disengaged("red").await;
        fleet.set_host("blue", "one", "new.example.com").await;
        fleet.page_shows("blue", "one", "new.example.com").await;
        assert_eq!(status.cluster("nobodys"), None);
        for name in ["blue", "nobodys"] {
            let secrets: Api<Secret> = Api::namespaced(fleet.client(), RECORDS);
            secrets.delete(name, &DeleteParams::default()).await.unwrap();
        }
    }

    async fn the_contexts_of_kubeconfigs_in_a_folder_are_followed(fleet: &Fleet) {
        fleet.create_shops().await;
        let folder = Folder::new("kubeconfigs");
        let (red, blue) = (fleet.project_config("red"), fleet.project_config("blue"));
        folder.write("one", &text_of_contexts(&[("red", &red), ("not@a.name", &red)]));
        folder.write(".hidden", &text_of_contexts(&[("hidden", &blue)]));
        let files = Kubeconfig::new(&folder.0).every(Duration::from_millis(50));
        let (_, status, _operator) = fleet.operate(files);
        fleet.website_ready("red", "one").await;
        folder.write("two", &text_of_contexts(&[("blue", &blue)]));
        fleet.website_ready("blue", "one").await;
        // What is half written is none.
        folder.write("two", "apiVersion: v1\nkind: Config\nclusters: {");
        folder.write("one", &text_of_contexts(&[("red", &red), ("crimson", &red)]));
        stands(&status, "crimson", ClusterState::Engaged).await;
        stands(&status, "blue", ClusterState::Engaged).await;
        // Another way to the same place.
        let mut moved = blue.clone();
        moved.cluster_url = format!("https://{}/", fleet.direct("blue").await).parse().unwrap();
        folder.write("two", &text_of_contexts(&[("blue", &moved)]));
        fleet.set_host("blue", "one", "new.example.com").await;
        fleet.page_shows("blue", "one", "new.example.com").await;
        fs::remove_file(folder.0.join("two")).unwrap();
        stands(&status, "blue", ClusterState::Gone).await;
        folder.write("one", &text_of_contexts(&[("crimson", &red)]));
        stands(&status, "red", ClusterState::Gone).await;
        let names: Vec<String> = status.clusters().iter().map(|cluster| cluster.name.to_string()).collect();
        assert_eq!(names, ["blue", "crimson", "red"]);
    }

    async fn providers_are_merged_and_clusters_can_be_given_by_hand(fleet: &Fleet) {
        fleet.create_shops().await;
        let mut blue = fleet.project_config("blue");
        blue.default_retry = false;
        blue.headers = fleet.operator_config().headers;
        let by_hand = Fixed::new().cluster("blue", kube::Client::try_from(blue).unwrap());
        let merged = Merged::new()
            .with("milo", Milo::external().only(|name| name == "red"))
            .with("hand", by_hand)
            .with("same", Single::new("red", fleet.project_config("red")).only(|name| name != "red"));
        let (sites, status, operator) = fleet.operate(merged);
        for project in ["red", "blue"] {
            fleet.website_ready(project, "one").await;
            fleet.engaged(project, &WATCHED).await;
        }
        assert_eq!(sites.probe.count_in("milo-red", Point::Begin, "one"), 1);
        assert_eq!(sites.probe.count_in("hand-blue", Point::Begin, "one"), 1);
        let clusters = status.clusters();
        let names: Vec<&str> = clusters.iter().map(|cluster| cluster.name.as_str()).collect();
        assert_eq!(names, ["hand-blue", "milo-red"]);
        operator.stop().await.unwrap();
        assert_eq!(fleet.websites("red").get("one").await.unwrap().finalizers(), [FINALIZER]);

        // All have named what they have, so that an end can be seen.
        let merged = Merged::new()
            .with("milo", Milo::external())
            .with("none", Fixed::new())
            .with("nothing", Merged::new());
        let manager = Manager::builder(fleet.operator_config()).provider(merged);
        let released = manager.controller(Sites::default()).release_finalizers_until(std::future::pending()).await;
        assert_eq!(released.unwrap(), 2);
    }
}

fn text_of_contexts(places: &[(&str, &Config)]) -> String {
    serde_json::to_string(&kubeconfig_of(places)).unwrap()
}

/// A folder that goes with the case.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let nobody_elses = format!(
            "kommodore-{name}-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        );
        let path = std::env::temp_dir().join(nobody_elses);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn two_objects_with_one_name_are_said_with_both_and_a_bad_one_hurts_nobody_else() {
    let fleet = Fleet::embedded().await;
    let log = Log::default();
    let _logs = logs_into(&log);
    fleet.create_shops().await;
    let label = json!({"sigs.k8s.io/multicluster-runtime-kubeconfig": "true"});
    let text = text_of(&fleet.project_config("red"));
    for name in ["first", "second"] {
        fleet
            .put(secret(name, label.clone(), "kubeconfig", &text))
            .await;
    }
    fleet
        .put(secret("a.b", label.clone(), "kubeconfig", &text))
        .await;
    fleet.put(secret("empty", label, "other", &text)).await;
    let secrets = KubeconfigSecrets::new().named(|meta| match meta.name.as_deref() {
        Some("first" | "second") => "red".into(),
        other => other.unwrap_or_default().into(),
    });
    let (_, status, _operator) = fleet.operate(secrets);
    fleet.website_ready("red", "one").await;
    log.says("two providers have one name for a cluster").await;
    log.says("the Secret has no key").await;
    log.says("cannot be the name of a cluster").await;
    let text = log.text();
    let both = text
        .lines()
        .find(|line| line.contains("two providers"))
        .unwrap();
    for name in [
        "kubeconfig-secrets (default/first)",
        "kubeconfig-secrets (default/second)",
    ] {
        assert!(both.contains(name), "{both}");
    }
    // Where the first one goes, the second takes its place.
    let secrets: Api<Secret> = Api::namespaced(fleet.client(), RECORDS);
    let second = status
        .cluster("red")
        .unwrap()
        .provider
        .replace("first", "second");
    secrets
        .delete("first", &DeleteParams::default())
        .await
        .unwrap();
    eventually("it is the second's", async || {
        let red = status.cluster("red").unwrap();
        red.provider == second && red.state == ClusterState::Engaged
    })
    .await;
    assert_eq!(
        secrets
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
            .len(),
        3
    );
}

#[path = "../examples/provider.rs"]
#[expect(dead_code, reason = "it is a program as well")]
mod of_ones_own;

#[tokio::test]
async fn the_provider_of_the_example_finds_what_is_listed() {
    let fleet = Fleet::embedded().await;
    fleet.create_shops().await;
    let list = |clusters: &[&str]| {
        let address = |name: &&str| {
            (
                (*name).to_owned(),
                json!(fleet.project_config(name).cluster_url.to_string()),
            )
        };
        let data: serde_json::Map<String, Value> = clusters.iter().map(address).collect();
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "clusters", "namespace": "default"}, "data": data})
    };
    fleet.put(list(&["red"])).await;
    let (sites, status, operator) = fleet.operate(of_ones_own::Listed(Duration::from_millis(50)));
    fleet.website_ready("red", "one").await;
    fleet.put(list(&["blue"])).await;
    fleet.website_ready("blue", "one").await;
    stands(&status, "red", ClusterState::Gone).await;
    fleet.set_host("blue", "one", "new.example.com").await;
    fleet.page_shows("blue", "one", "new.example.com").await;
    assert_eq!(sites.probe.count_in("red", Point::Begin, "one"), 1);

    // Who uninstalls an operator waits until all clusters have been named.
    operator.stop().await.unwrap();
    let manager = fleet.manager_of(of_ones_own::Listed(Duration::from_millis(50)));
    let releases = manager.controller(sites).release_finalizers();
    let released = tokio::time::timeout(Duration::from_secs(30), releases).await;
    assert_eq!(released.unwrap().unwrap(), 1);
}
