//! With kube-rs by hand: a `Controller` for each project, as kube's documentation teaches.
//!
//! Its streams are those of the documentation of `Controller::for_stream` and `Controller::owns_stream`, though they are
//! behind `unstable-runtime`: the controller is not woken by its own writes of the status, and of pages it reads metadata.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use kommodore_tests::{Website, WebsiteStatus, condition, page};
use kube::api::{
    Api, ApiResource, DynamicObject, GroupVersionKind, PartialObjectMeta, Patch, PatchParams,
};
use kube::runtime::controller::{self, Action, Controller};
use kube::runtime::finalizer::{self, Event, finalizer};
use kube::runtime::{Predicate as _, WatchStreamExt as _, predicates};
use kube::runtime::{reflector, watcher};
use kube::{Client, Config, Resource as _, ResourceExt as _};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use super::{WORKERS, WORKERS_A_PROJECT};

const MANAGER: &str = "fleet";
const FINALIZER: &str = "demo.kommodore.dev/fleet";
const MILO: &str = "resourcemanager.miloapis.com";

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Kube(#[from] kube::Error),
    #[error(transparent)]
    Finalizer(#[from] Box<finalizer::Error<Self>>),
}

type Result<T, E = Error> = std::result::Result<T, E>;

struct Context {
    client: Client,
    /// Shared by the controllers of all projects: there are not more workers than the others have.
    workers: Arc<Semaphore>,
    resync: Option<Duration>,
}

async fn reconcile(site: Arc<Website>, cx: Arc<Context>) -> Result<Action> {
    let _worker = cx.workers.acquire().await;
    super::count();
    let namespace = site.namespace().unwrap_or_default();
    let sites: Api<Website> = Api::namespaced(cx.client.clone(), &namespace);
    let action = finalizer(&sites, FINALIZER, site, |event| async {
        match event {
            Event::Apply(site) => cx.apply(&sites, &site).await,
            Event::Cleanup(_) => Ok(Action::await_change()),
        }
    });
    Ok(action.await.map_err(Box::new)?)
}

fn error_policy(_: Arc<Website>, _: &Error, _: Arc<Context>) -> Action {
    Action::requeue(Duration::from_secs(1))
}

impl Context {
    async fn apply(&self, sites: &Api<Website>, site: &Website) -> Result<Action> {
        let name = site.name_any();
        let pages: Api<ConfigMap> =
            Api::namespaced(self.client.clone(), &site.namespace().unwrap_or_default());
        let mut page = page(site);
        page.metadata.owner_references = site.controller_owner_ref(&()).map(|owner| vec![owner]);
        let params = PatchParams::apply(MANAGER).force();
        pages.patch(&name, &params, &Patch::Apply(page)).await?;
        if let Some(status) = ready(site) {
            let patch = Patch::Merge(json!({ "status": status }));
            sites
                .patch_status(&name, &PatchParams::default(), &patch)
                .await?;
        }
        Ok(self.resync.map_or(Action::await_change(), Action::requeue))
    }
}

/// The status of a website that is served, unless it is already said.
fn ready(site: &Website) -> Option<WebsiteStatus> {
    let known = condition(site, "Ready").filter(|known| known.status == "True");
    let generation = site.metadata.generation;
    if known.is_some_and(|known| known.observed_generation == generation) {
        return None;
    }
    let since = known.map(|known| known.last_transition_time.clone());
    let condition = Condition {
        type_: "Ready".into(),
        status: "True".into(),
        reason: "ReconcileSucceeded".into(),
        message: String::new(),
        observed_generation: generation,
        last_transition_time: since.unwrap_or_else(|| Time(Timestamp::now())),
    };
    Some(WebsiteStatus {
        conditions: vec![condition],
        observed_generation: generation,
        url: None,
    })
}

/// Reconciles the websites of one project.
async fn control(context: Context) {
    let sites: Api<Website> = Api::all(context.client.clone());
    let pages: Api<PartialObjectMeta<ConfigMap>> = Api::all(context.client.clone());
    let (reader, writer) = reflector::store();
    let changes = predicates::generation
        .combine(predicates::finalizers)
        .combine(predicates::labels)
        .combine(predicates::annotations);
    let sites = watcher(sites, watcher::Config::default())
        .default_backoff()
        .modify(|site: &mut Website| site.managed_fields_mut().clear())
        .reflect(writer)
        .applied_objects()
        .predicate_filter(changes, Default::default());
    let pages = watcher(pages, watcher::Config::default())
        .default_backoff()
        .touched_objects()
        .predicate_filter(predicates::resource_version, Default::default());
    Controller::for_stream(sites, reader)
        .with_config(controller::Config::default().concurrency(WORKERS_A_PROJECT))
        .owns_stream(pages)
        .run(reconcile, error_policy, Arc::new(context))
        .for_each(|_| std::future::ready(()))
        .await;
}

/// Runs a controller in each project.
struct Fleet {
    config: Config,
    workers: Arc<Semaphore>,
    resync: Option<Duration>,
    engaged: HashMap<String, AbortHandle>,
}

impl Fleet {
    fn follow(&mut self, event: watcher::Event<DynamicObject>) {
        match event {
            watcher::Event::Apply(project) | watcher::Event::InitApply(project) => {
                let name = project.name_any();
                if is_ready(&project) && !self.engaged.contains_key(&name) {
                    self.engage(name);
                }
            }
            watcher::Event::Delete(project) => {
                if let Some(engaged) = self.engaged.remove(&project.name_any()) {
                    engaged.abort();
                }
            }
            watcher::Event::Init | watcher::Event::InitDone => {}
        }
    }

    fn engage(&mut self, name: String) {
        let context = Context {
            client: Client::try_from(control_plane(&self.config, &name)).unwrap(),
            workers: self.workers.clone(),
            resync: self.resync,
        };
        let task = tokio::spawn(control(context));
        self.engaged.insert(name, task.abort_handle());
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
fn control_plane(root: &Config, project: &str) -> Config {
    let path = format!("/apis/{MILO}/v1alpha1/projects/{project}/control-plane");
    let url = http::uri::Builder::from(root.cluster_url.clone()).path_and_query(path);
    let mut config = root.clone();
    config.cluster_url = url.build().unwrap();
    config
}

pub(crate) async fn run(kubeconfig: &Path, resync: Option<Duration>) {
    let config = crate::process::config_of(kubeconfig).await;
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(MILO, "v1alpha1", "Project"));
    let client = Client::try_from(config.clone()).unwrap();
    let projects: Api<DynamicObject> = Api::all_with(client, &kind);
    let mut fleet = Fleet {
        config,
        workers: Arc::new(Semaphore::new(WORKERS)),
        resync,
        engaged: HashMap::new(),
    };
    let mut changes = watcher(projects, watcher::Config::default())
        .default_backoff()
        .boxed();
    let follow = async {
        while let Some(change) = changes.next().await {
            if let Ok(event) = change {
                fleet.follow(event);
            }
        }
    };
    tokio::select! {
        () = follow => {}
        () = super::until_told() => {}
    }
}
