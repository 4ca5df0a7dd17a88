//! The operator of `website.rs`, written by hand on kube-rs: the same API, the same fleet, the same outcome.
//!
//! ```sh
//! cargo run --example website_by_hand                       # plays a fleet and a user; needs no cluster
//! cargo run --example website_by_hand -- --serve            # stays, and writes a kubeconfig for kubectl
//! cargo run --example website_by_hand -- --kubeconfig FILE  # works on the Milo that FILE points to
//! ```

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, OwnerReference, Time};
use k8s_openapi::jiff::Timestamp;
use kommodore_examples::{Dns, Operator, Projects};
use kube::api::{
    Api, ApiResource, DynamicObject, GroupVersionKind, ObjectMeta, Patch, PatchParams,
};
use kube::runtime::controller::{self, Action, Controller};
use kube::runtime::events::{self, EventType, Recorder};
use kube::runtime::finalizer::{self, Event, finalizer};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::reflector::store::Writer;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, Config, CustomResource, CustomResourceExt as _, Resource, ResourceExt as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

// The kind, which is the same in website.rs and in website_by_hand.rs.

/// A page on the web.
#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[kube(
    group = "demo.kommodore.dev",
    version = "v1alpha1",
    kind = "Website",
    namespaced,
    status = "WebsiteStatus",
    shortname = "site",
    printcolumn = r#"{"name":"Host","type":"string","jsonPath":".spec.host"}"#,
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
struct WebsiteSpec {
    /// Where the page is served, for example `shop.example.com`.
    #[schemars(length(min = 1))]
    host: String,
    /// The name of a Secret with the certificate; without one the page is served over plain HTTP.
    certificate: Option<String>,
}

/// What became of it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WebsiteStatus {
    url: Option<String>,
    observed_generation: Option<i64>,
    #[serde(default)]
    conditions: Vec<Condition>,
}

// The operator.

const MANAGER: &str = "website-by-hand";
const FINALIZER: &str = "demo.kommodore.dev/website";
const MILO: &str = "resourcemanager.miloapis.com";
/// The status that each condition has when all is well.
const HEALTHY: [(&str, &str); 2] = [("DnsConfigured", "True"), ("Degraded", "False")];

/// How many websites of one project are reconciled at once.
const CONCURRENCY: u16 = 8;
const FIRST_RETRY: Duration = Duration::from_millis(5);
const LONGEST_RETRY: Duration = Duration::from_secs(5 * 60);
/// How long a project may be not ready before its controller is stopped.
const UNREADY_GRACE: Duration = Duration::from_secs(10);
/// How long running reconciles may go on when their controller is stopped.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Kube(#[from] kube::Error),
    #[error("the DNS provider: {0}")]
    Dns(#[from] io::Error),
    #[error("the ConfigMap {0} is there and not controlled by the website: it is left alone")]
    NotOurs(String),
    #[error(transparent)]
    Finalizer(#[from] Box<finalizer::Error<Self>>),
    #[error("the address of the project: {0}")]
    Address(#[from] http::Error),
    #[error("the controller of a project: {0}")]
    Controller(#[from] JoinError),
    #[error("there is no `--internal` here: this operator reaches the projects from outside only")]
    Internal,
}

type Result<T, E = Error> = std::result::Result<T, E>;

/// What a reconcile in one project needs.
struct Context {
    client: Client,
    events: Recorder,
    project: String,
    dns: Dns,
    /// How often in a row a website has failed.
    failures: Mutex<HashMap<ObjectRef<Website>, u32>>,
}

async fn reconcile(site: Arc<Website>, cx: Arc<Context>) -> Result<Action> {
    let key = ObjectRef::from_obj(&*site);
    let action = finalizer(&cx.api(&site), FINALIZER, site, |event| async {
        match event {
            Event::Apply(site) => cx.apply(&site).await,
            Event::Cleanup(site) => cx.cleanup(&site).await,
        }
    })
    .await
    .map_err(Box::new)?;
    cx.failures().remove(&key);
    Ok(action)
}

fn error_policy(site: Arc<Website>, error: &Error, cx: Arc<Context>) -> Action {
    let mut failures = cx.failures();
    let count = failures.entry(ObjectRef::from_obj(&*site)).or_default();
    let delay = FIRST_RETRY.saturating_mul(1 << (*count).min(16));
    *count += 1;
    tracing::warn!(project = cx.project, website = site.name_any(), %error, "failed; trying again");
    Action::requeue(delay.min(LONGEST_RETRY))
}

impl Context {
    async fn apply(&self, site: &Website) -> Result<Action> {
        let mut status = status_of(site);
        let outcome = self.serve(site, &mut status).await;
        self.conclude(site, status, outcome).await
    }

    async fn cleanup(&self, site: &Website) -> Result<Action> {
        match self.remove_records(site).await {
            Ok(()) => Ok(Action::await_change()),
            failed => self.conclude(site, status_of(site), failed).await,
        }
    }

    async fn serve(&self, site: &Website, status: &mut WebsiteStatus) -> Result<()> {
        self.apply_page(site).await?;
        if let Some(former) = served_host(site).filter(|host| *host != site.spec.host) {
            self.dns.remove(&self.project, former).await?;
        }
        self.dns.upsert(&self.project, &site.spec.host).await?;
        status.set(
            "DnsConfigured",
            "True",
            "Upserted",
            "the record points here",
        );
        if self.certificate_is_missing(site).await? {
            self.warn(site, "NoCertificate", "the Secret is missing")
                .await;
            status.set("Degraded", "True", "NoCertificate", "the Secret is missing");
        } else {
            status.set("Degraded", "False", "AsExpected", "nothing is missing");
        }
        status.url = Some(url(site));
        Ok(())
    }

    /// Tells people; whatever becomes of it, the reconcile goes on.
    async fn warn(&self, site: &Website, reason: &str, note: &str) {
        let event = events::Event {
            type_: EventType::Warning,
            reason: reason.into(),
            note: Some(note.into()),
            action: "Reconcile".into(),
            secondary: None,
        };
        let published = self.events.publish(&event, &site.object_ref(&())).await;
        if let Err(error) = published {
            tracing::warn!(project = self.project, %error, "cannot write an event");
        }
    }

    async fn remove_records(&self, site: &Website) -> Result<()> {
        for host in served_host(site)
            .into_iter()
            .chain([site.spec.host.as_str()])
        {
            self.dns.remove(&self.project, host).await?;
        }
        Ok(())
    }

    /// Applies the page, unless there is one that the website does not control.
    async fn apply_page(&self, site: &Website) -> Result<()> {
        let pages: Api<ConfigMap> = self.api(site);
        let name = site.name_any();
        let existing = pages.get_metadata_opt(&name).await?;
        if existing
            .as_ref()
            .is_some_and(|page| !is_controlled_by(page, site))
        {
            return Err(Error::NotOurs(name));
        }
        // What somebody else has created since that look is a conflict, without force.
        let params = PatchParams {
            force: existing.is_some(),
            ..PatchParams::apply(MANAGER)
        };
        pages
            .patch(&name, &params, &Patch::Apply(page(site)))
            .await?;
        Ok(())
    }

    async fn certificate_is_missing(&self, site: &Website) -> Result<bool> {
        let Some(name) = &site.spec.certificate else {
            return Ok(false);
        };
        let secrets: Api<Secret> = self.api(site);
        Ok(secrets.get_metadata_opt(name).await?.is_none())
    }

    /// Adds what the outcome means for `Ready`, writes the status if it has changed, and passes the outcome on.
    async fn conclude(
        &self,
        site: &Website,
        mut status: WebsiteStatus,
        outcome: Result<()>,
    ) -> Result<Action> {
        for (type_, _) in HEALTHY {
            if status.get(type_).is_none() {
                status.set(type_, "Unknown", "Pending", "not known yet");
            }
        }
        match &outcome {
            Ok(()) => status.derive_ready(),
            Err(error) if site.metadata.deletion_timestamp.is_some() => {
                status.set("Ready", "False", "CleanupFailed", error.to_string());
            }
            Err(error) => status.set("Ready", "False", "ReconcileFailed", error.to_string()),
        }
        let written = self.write_status(site, &status).await;
        outcome.and(written)?;
        Ok(Action::await_change())
    }

    async fn write_status(&self, site: &Website, status: &WebsiteStatus) -> Result<()> {
        if json!(status) == json!(site.status) {
            return Ok(());
        }
        // The list of conditions is replaced as a whole: not if somebody else has changed it meanwhile.
        let patch = json!({
            "metadata": { "resourceVersion": site.resource_version() },
            "status": status,
        });
        let sites: Api<Website> = self.api(site);
        let params = PatchParams {
            field_manager: Some(MANAGER.into()),
            ..PatchParams::default()
        };
        let name = site.name_any();
        match sites
            .patch_status(&name, &params, &Patch::Merge(patch))
            .await
        {
            // The newer one is on its way here, and is reconciled then.
            Err(kube::Error::Api(status)) if status.is_conflict() => Ok(()),
            written => Ok(written.map(drop)?),
        }
    }

    /// The objects of a kind that lie beside the website.
    fn api<K>(&self, site: &Website) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &site.namespace().unwrap_or_default())
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<ObjectRef<Website>, u32>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WebsiteStatus {
    fn get(&self, type_: &str) -> Option<&Condition> {
        self.conditions.iter().find(|known| known.type_ == type_)
    }

    /// Sets a condition like apimachinery's `meta.SetStatusCondition`: its transition time moves only with its status.
    fn set(&mut self, type_: &str, status: &str, reason: &str, message: impl Into<String>) {
        let since = self.get(type_).filter(|known| known.status == status);
        let condition = Condition {
            type_: type_.into(),
            status: status.into(),
            reason: reason.into(),
            message: message.into(),
            observed_generation: self.observed_generation,
            last_transition_time: since.map_or_else(
                || Time(Timestamp::now()),
                |known| known.last_transition_time.clone(),
            ),
        };
        match self
            .conditions
            .iter_mut()
            .find(|known| known.type_ == type_)
        {
            Some(known) => *known = condition,
            None => self.conditions.push(condition),
        }
    }

    /// Sets `Ready` from the other conditions: the first that is not as it should be decides.
    fn derive_ready(&mut self) {
        let ailing = HEALTHY.iter().find_map(|(type_, healthy)| {
            self.get(type_)
                .filter(|condition| condition.status != *healthy)
        });
        match ailing.cloned() {
            Some(ailing) => {
                let message = format!("{}: {}", ailing.type_, ailing.message);
                self.set("Ready", "False", &ailing.reason, message);
            }
            None => self.set("Ready", "True", "ReconcileSucceeded", ""),
        }
    }
}

/// The status as it is, to be made that of the newest generation.
fn status_of(site: &Website) -> WebsiteStatus {
    WebsiteStatus {
        observed_generation: site.metadata.generation,
        ..site.status.clone().unwrap_or_default()
    }
}

fn is_controlled_by(child: &impl Resource, site: &Website) -> bool {
    let owners = child.meta().owner_references.iter().flatten();
    let mut controllers = owners.filter(|owner| owner.controller == Some(true));
    controllers.any(|owner| Some(&owner.uid) == site.metadata.uid.as_ref())
}

/// The page, as the web server reads it.
fn page(site: &Website) -> ConfigMap {
    let html = format!("<h1>{}</h1>", site.spec.host);
    let owner = site.controller_owner_ref(&()).map(|owner| OwnerReference {
        block_owner_deletion: Some(true),
        ..owner
    });
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(site.name_any()),
            owner_references: Some(owner.into_iter().collect()),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([("index.html".into(), html)])),
        ..ConfigMap::default()
    }
}

fn url(site: &Website) -> String {
    let scheme = if site.spec.certificate.is_some() {
        "https"
    } else {
        "http"
    };
    format!("{scheme}://{}", site.spec.host)
}

/// The host that the status says is served, which a change of the spec may have left behind.
fn served_host(site: &Website) -> Option<&str> {
    let (_scheme, host) = site.status.as_ref()?.url.as_deref()?.split_once("://")?;
    Some(host)
}

/// Reconciles the websites of one project until it is told to stop, and then says which one it was.
async fn control(client: Client, project: String, dns: Dns, stop: CancellationToken) -> String {
    let sites: Api<Website> = Api::all(client.clone());
    let pages: Api<ConfigMap> = Api::all(client.clone());
    let secrets: Api<Secret> = Api::all(client.clone());
    let controller = Controller::new(sites, watcher::Config::default());
    let store = controller.store();
    let sites_using = move |secret: Secret| {
        let using = store.state_filter(|site| {
            site.namespace() == secret.namespace() && site.spec.certificate == secret.metadata.name
        });
        using.into_iter().map(|site| ObjectRef::from_obj(&*site))
    };
    let context = Context {
        events: Recorder::new(client.clone(), MANAGER.to_owned().into()),
        client,
        project: project.clone(),
        dns,
        failures: Mutex::default(),
    };
    let running = controller
        .with_config(controller::Config::default().concurrency(CONCURRENCY))
        .owns(pages, watcher::Config::default())
        .watches(secrets, watcher::Config::default(), sites_using)
        .graceful_shutdown_on(stop.clone().cancelled_owned())
        .run(reconcile, error_policy, Arc::new(context))
        .for_each(|result| {
            // The error policy has told of failed reconciles.
            if let Err(controller::Error::QueueError(error)) = result {
                tracing::warn!(project, %error, "a watch has failed; trying again");
            }
            std::future::ready(())
        });
    let deadline = async {
        stop.cancelled().await;
        tokio::time::sleep(SHUTDOWN_GRACE).await;
    };
    tokio::select! {
        () = running => {}
        () = deadline => tracing::warn!(project, "reconciles that are still running are cancelled"),
    }
    project
}

/// Runs a controller in each project.
struct Fleet {
    config: Config,
    dns: Dns,
    grace: Duration,
    stop: CancellationToken,
    engaged: HashMap<String, Engaged>,
    controllers: JoinSet<String>,
}

/// A project that has a controller.
struct Engaged {
    stop: CancellationToken,
    unready_since: Option<Instant>,
}

impl Fleet {
    /// Starts and stops controllers so that it fits the projects that there are.
    fn follow(&mut self, projects: &[Arc<DynamicObject>]) -> Result<()> {
        // One that is being deleted goes on, so that cleanup can run.
        let wanted: HashMap<String, bool> = projects
            .iter()
            .map(|project| {
                let deleting = project.metadata.deletion_timestamp.is_some();
                (project.name_any(), deleting || is_ready(project))
            })
            .collect();
        for (name, engaged) in &mut self.engaged {
            match wanted.get(name) {
                Some(true) => engaged.unready_since = None,
                Some(false) => {
                    let since = *engaged.unready_since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= self.grace {
                        engaged.stop.cancel();
                    }
                }
                None => engaged.stop.cancel(),
            }
        }
        for (name, _) in wanted.into_iter().filter(|(_, wanted)| *wanted) {
            if !self.engaged.contains_key(&name) {
                self.engage(name)?;
            }
        }
        Ok(())
    }

    fn engage(&mut self, name: String) -> Result<()> {
        let client = Client::try_from(control_plane(&self.config, &name)?)?;
        tracing::info!(project = name, "engaged");
        let stop = self.stop.child_token();
        let controller = control(client, name.clone(), self.dns.clone(), stop.clone());
        self.controllers.spawn(controller);
        let engaged = Engaged {
            stop,
            unready_since: None,
        };
        self.engaged.insert(name, engaged);
        Ok(())
    }

    /// A controller has ended, and may be started again.
    fn ended(&mut self, name: &str) {
        self.engaged.remove(name);
        tracing::info!(project = name, "disengaged");
    }

    async fn shut_down(mut self) {
        self.stop.cancel();
        while self.controllers.join_next().await.is_some() {}
    }
}

fn is_ready(project: &DynamicObject) -> bool {
    let conditions = project.data.pointer("/status/conditions");
    conditions
        .and_then(|conditions| conditions.as_array())
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// How to reach the control plane of a project.
fn control_plane(root: &Config, project: &str) -> Result<Config> {
    let path = format!("/apis/{MILO}/v1alpha1/projects/{project}/control-plane");
    let url = http::uri::Builder::from(root.cluster_url.clone()).path_and_query(path);
    let mut config = root.clone();
    config.cluster_url = url.build()?;
    Ok(config)
}

struct WebsiteOperator {
    config: Config,
    projects: Projects,
    dns: Dns,
}

impl Operator for WebsiteOperator {
    async fn run(self) -> kommodore::Result<()> {
        self.run_until(interrupted()).await
    }

    async fn run_until(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> kommodore::Result<()> {
        if self.projects.internal {
            return Err(Error::Internal.into());
        }
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(MILO, "v1alpha1", "Project"));
        let client = Client::try_from(self.config.clone())?;
        let projects: Api<DynamicObject> = Api::all_with(client, &kind);
        let writer = Writer::new(kind);
        let store = writer.as_reader();
        let mut changes = watcher(projects, watcher::Config::default())
            .default_backoff()
            .reflect(writer)
            .boxed();
        let mut fleet = Fleet {
            config: self.config,
            dns: self.dns,
            grace: self.projects.grace.unwrap_or(UNREADY_GRACE),
            stop: CancellationToken::new(),
            engaged: HashMap::new(),
            controllers: JoinSet::new(),
        };
        // For what the passing of time alone brings about.
        let mut clock = tokio::time::interval(Duration::from_secs(1));
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(change) = changes.next() => {
                    if let Err(error) = change {
                        tracing::warn!(%error, "the watch of the projects has failed; trying again");
                    }
                }
                Some(ended) = fleet.controllers.join_next() => fleet.ended(&ended?),
                _ = clock.tick() => {}
            }
            fleet.follow(&store.state())?;
        }
        fleet.shut_down().await;
        Ok(())
    }
}

/// Resolves on Ctrl-C or SIGTERM.
async fn interrupted() {
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => _ = terminate.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

#[tokio::main]
async fn main() -> kommodore::Result<()> {
    let dns = Dns::default();
    let played = dns.clone();
    kommodore_examples::main(Website::crd(), played, |config, projects| WebsiteOperator {
        config,
        projects,
        dns,
    })
    .await
}
