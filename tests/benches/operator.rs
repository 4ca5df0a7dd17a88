//! What an operator costs: idle projects, idle websites, and the life of one, over HTTPS.
//!
//! `cargo bench -p kommodore-tests --bench operator`; `-- projects`, `-- idle` or `-- life` measures one of them, and
//! `--websites 100` or `--projects 100` takes so many. The operator is a process of its own, as is the measure of its objects; what is measured is all that the system counts for it.

mod process;

use std::collections::BTreeMap;
use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kommodore::{
    Action, Cleanup, ConditionType, Context, Manager, Milo, Reconcile, Result, controller,
};
use kommodore_control_plane::ControlPlane;
use kommodore_tests::{KubeconfigFile, NAMESPACE, Website, crds, page, status_of, website};
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config, ResourceExt as _};
use serde_json::json;

use process::Other;

/// So many websites are idle, if no other number is given.
const IDLE: usize = 10_000;
/// So many projects are idle.
const PROJECTS: usize = 1_000;
/// So many are created and deleted.
const LIVES: usize = 2_000;
/// Nothing was asked for so long: then all is done.
const QUIET: Duration = Duration::from_secs(3);
const PROJECT: &str = "red";

#[derive(ConditionType)]
enum SiteCondition {
    PageServed,
}

/// The website of the table in README.md: a finalizer, an owned ConfigMap and a condition.
#[controller(
    for = Website,
    owns(ConfigMap),
    finalizer = "demo.kommodore.dev/measured",
    conditions = SiteCondition,
)]
struct Measured;

impl Reconcile for Measured {
    async fn reconcile(&self, site: &Website, cx: &Context<Self>) -> Result<Action> {
        cx.apply(page(site)).await?;
        cx.set(SiteCondition::PageServed.is_true("Applied", "the page is there"));
        Ok(Action::done())
    }
}

impl Cleanup for Measured {
    async fn cleanup(&self, _: &Website, _: &Context<Self>) -> Result<Action> {
        Ok(Action::done())
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["operate", kubeconfig] => runtime.block_on(operate(Path::new(kubeconfig))),
        ["hold", kubeconfig] => runtime.block_on(hold(Path::new(kubeconfig))),
        words => {
            let count = |of: &str, default: usize| match words.iter().position(|word| *word == of) {
                Some(place) => words[place + 1].parse().unwrap(),
                None => default,
            };
            let all = ["projects", "idle", "life"];
            let is_wanted =
                |name: &str| words.contains(&name) || !all.iter().any(|one| words.contains(one));
            println!("| | goal | measured |\n|---|--:|--:|");
            if is_wanted("projects") {
                runtime.block_on(projects(count("--projects", PROJECTS)));
            }
            if is_wanted("idle") {
                runtime.block_on(idle(count("--websites", IDLE)));
            }
            if is_wanted("life") {
                runtime.block_on(life(count("--websites", LIVES)));
            }
        }
    }
}

async fn config_of(kubeconfig: &Path) -> Config {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
    let options = KubeConfigOptions::default();
    Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .unwrap()
}

/// Ends when nobody has anything more to say to this process.
async fn until_told() {
    let line = || std::io::stdin().lock().read_line(&mut String::new());
    let _ = tokio::task::spawn_blocking(line).await;
}

/// The operator, in a process of its own.
async fn operate(kubeconfig: &Path) {
    let manager = Manager::builder(config_of(kubeconfig).await)
        .provider(Milo::external())
        .controller(Measured);
    say("ready");
    manager.run_until(until_told()).await.unwrap();
}

/// Nothing but the objects that the operator has: websites, and the metadata of their pages.
async fn hold(kubeconfig: &Path) {
    let config = config_of(kubeconfig).await;
    let client = Client::try_from(config).unwrap();
    let websites: Api<Website> = Api::all(client.clone());
    let pages: Api<ConfigMap> = Api::all(client);
    let (mut sites, mut metadata) = (Vec::new(), Vec::new());
    let mut params = ListParams::default().limit(500);
    loop {
        let page = websites.list(&params).await.unwrap();
        for mut site in page.items {
            site.metadata.managed_fields = None;
            sites.push(Arc::new(site));
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params.continue_token = Some(token),
            None => break,
        }
    }
    params.continue_token = None;
    loop {
        let page = pages.list_metadata(&params).await.unwrap();
        for mut page in page.items {
            page.metadata.managed_fields = None;
            metadata.push(Arc::new(page));
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params.continue_token = Some(token),
            None => break,
        }
    }
    say("ready");
    until_told().await;
    drop((sites, metadata));
}

fn say(word: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{word}").unwrap();
    out.flush().unwrap();
}

/// A project, and how other processes reach it and its root.
struct Project {
    plane: ControlPlane,
    client: Client,
    root: KubeconfigFile,
    own: KubeconfigFile,
}

impl Project {
    async fn start() -> Self {
        let builder = ControlPlane::builder().milo();
        let builder = crds().iter().fold(builder, |builder, crd| builder.crd(crd));
        let plane = builder.start().await.unwrap();
        create_project(&plane.client().unwrap(), PROJECT).await;
        let client = plane.project(PROJECT).client().unwrap();
        let mut shop = Namespace::default();
        shop.metadata.name = Some(NAMESPACE.into());
        let namespaces: Api<Namespace> = Api::all(client.clone());
        namespaces
            .create(&PostParams::default(), &shop)
            .await
            .unwrap();
        let root = KubeconfigFile::write(&plane.kubeconfig(), "bench-root");
        let mut own = plane.kubeconfig();
        let url = plane.project(PROJECT).config().cluster_url.to_string();
        for cluster in own
            .clusters
            .iter_mut()
            .filter_map(|named| named.cluster.as_mut())
        {
            cluster.server = Some(url.clone());
        }
        let own = KubeconfigFile::write(&own, "bench-project");
        Self {
            plane,
            client,
            root,
            own,
        }
    }

    /// Adds some that nobody has anything to do in.
    async fn add_projects(&self, count: usize) {
        let client = self.plane.client().unwrap();
        let create = async |number: usize| create_project(&client, &format!("p{number}")).await;
        let creates = stream::iter(0..count).map(create);
        creates.buffer_unordered(16).collect::<Vec<()>>().await;
    }

    fn websites(&self) -> Api<Website> {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    async fn create(&self, count: usize) {
        let websites = self.websites();
        let create = async |number: usize| {
            let site = website(&format!("site-{number}"));
            websites
                .create(&PostParams::default(), &site)
                .await
                .unwrap();
        };
        let creates = stream::iter(0..count).map(create);
        creates.buffer_unordered(16).collect::<Vec<()>>().await;
    }

    async fn delete(&self, count: usize) {
        let websites = self.websites();
        let delete = async |number: usize| {
            let name = format!("site-{number}");
            websites
                .delete(&name, &DeleteParams::default())
                .await
                .unwrap();
        };
        let deletes = stream::iter(0..count).map(delete);
        deletes.buffer_unordered(16).collect::<Vec<()>>().await;
    }

    /// Waits until nobody has asked for anything for a while.
    async fn quiet(&self) {
        loop {
            let mark = self.plane.requests().mark();
            tokio::time::sleep(QUIET).await;
            if self.plane.requests().since(mark).is_empty() {
                return;
            }
        }
    }

    /// All are served, or all are gone.
    async fn has(&self, count: usize) {
        let sites = self.websites().list(&ListParams::default()).await.unwrap();
        assert_eq!(sites.items.len(), count);
        for site in sites {
            let ready = status_of(&site, "Ready");
            assert_eq!(
                ready,
                Some(("True", "ReconcileSucceeded")),
                "{}",
                site.name_any()
            );
        }
    }

    fn other(what: &str, kubeconfig: &KubeconfigFile) -> Other {
        Other::of_this(&[what, &kubeconfig.0.to_string_lossy()])
    }

    async fn operator(&self) -> Other {
        let mut operator = Self::other("operate", &self.root);
        assert_eq!(operator.line(), "ready");
        self.quiet().await;
        operator
    }

    /// The memory of an operator that has nothing to do.
    async fn idle_memory(&self) -> f64 {
        let operator = self.operator().await;
        let memory = operator.memory();
        operator.stop();
        memory
    }

    /// The memory of the objects alone, with what reads them.
    fn held_memory(&self) -> f64 {
        let mut other = Self::other("hold", &self.own);
        assert_eq!(other.line(), "ready");
        let memory = other.memory();
        other.stop();
        memory
    }
}

async fn create_project(client: &Client, name: &str) {
    let kind = ApiResource {
        group: "resourcemanager.miloapis.com".into(),
        version: "v1alpha1".into(),
        api_version: "resourcemanager.miloapis.com/v1alpha1".into(),
        kind: "Project".into(),
        plural: "projects".into(),
    };
    let projects: Api<DynamicObject> = Api::all_with(client.clone(), &kind);
    let spec = json!({"spec": {"ownerRef": {"kind": "Organization", "name": "o"}}});
    let project = DynamicObject::new(name, &kind).data(spec);
    projects
        .create(&PostParams::default(), &project)
        .await
        .unwrap();
}

fn row(what: &str, goal: &str, measured: &str) {
    println!("| {what} | {goal} | {measured} |");
}

async fn projects(count: usize) {
    let project = Project::start().await;
    let operator = project.operator().await;
    let (alone, began) = (operator.memory(), operator.cpu());
    operator.stop();
    project.add_projects(count).await;
    project.quiet().await;
    let operator = project.operator().await;
    let watches = project.plane.requests().open_watches();
    let watched = watches.iter().filter(|watch| watch.project.is_some());
    assert_eq!(
        watched.count(),
        2 * (count + 1),
        "two watches in each project"
    );
    let each = |all: f64| all / count as f64;
    row(
        &format!("memory of an idle project with two watches ({count})"),
        "≤ 8 KiB",
        &format!("{:.2} KiB", each(operator.memory() - alone) / 1024.0),
    );
    row(
        "CPU to engage one",
        "≤ 0.3 ms",
        &format!("{:.2} ms", each(operator.cpu() - began)),
    );
    let fewest = watches.len().div_ceil(100);
    row(
        "sockets",
        &format!("≤ {}", fewest + 2),
        &operator.sockets().to_string(),
    );
    operator.stop();
}

async fn idle(count: usize) {
    let project = Project::start().await;
    let (without, nothing) = (project.idle_memory().await, project.held_memory());
    let operator = project.operator().await;
    project.create(count).await;
    project.quiet().await;
    project.has(count).await;
    let worked = operator.memory();
    operator.stop();
    let (with, objects) = (project.idle_memory().await, project.held_memory());
    let each = |bytes: f64| bytes / count as f64 / 1024.0;
    let objects = each(objects - nothing);
    let kib = |bytes: f64| format!("{:.2} KiB", each(bytes) - objects);
    row(
        &format!("memory of an idle website besides the objects ({count} in one project)"),
        "< 2 KiB",
        &kib(with - without),
    );
    row(
        "the same in the process that has created them all",
        "",
        &kib(worked - without),
    );
    row(
        "memory of the objects: the website, and the metadata of its page",
        "",
        &format!("{objects:.2} KiB"),
    );
}

async fn life(count: usize) {
    let project = Project::start().await;
    let operator = project.operator().await;
    // Once to warm up.
    let mut cost = BTreeMap::new();
    for turn in ["first", "second"] {
        let before = operator.cpu();
        project.create(count).await;
        project.quiet().await;
        project.has(count).await;
        let created = operator.cpu();
        project.delete(count).await;
        project.quiet().await;
        project.has(0).await;
        let deleted = operator.cpu();
        let each = |ms: f64| ms / count as f64;
        cost.insert(turn, (each(created - before), each(deleted - created)));
    }
    operator.stop();
    let (create, delete) = cost["second"];
    row(
        "CPU for one create of the website",
        "< 0.4 ms",
        &format!("{create:.2} ms"),
    );
    row("CPU for one delete", "< 0.2 ms", &format!("{delete:.2} ms"));
}
