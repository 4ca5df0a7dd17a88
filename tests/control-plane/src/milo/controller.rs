//! What Milo's project controllers do to a project: take it into service, and clear it away.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use http::HeaderValue;
use http::header::USER_AGENT;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, WatchEvent, WatchParams};
use kube::{Client, Config, ResourceExt};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{PROJECT, PROJECT_CONTROL_PLANE, ProjectKind, Purge};
use crate::clock::{self, Clock};
use crate::serve::PLAYED_USER_AGENT;

/// Keeps a project from being deleted before its control plane is empty.
const FINALIZER: &str = "resourcemanager.miloapis.com/project-controller";

/// A project with this annotation, whatever its value, is not taken into service: whether it is ready is left to the
/// test.
pub const HOLD_ANNOTATION: &str = "control-plane.kommodore.dev/hold";

/// The first pause before something is tried or looked at again; each is double the one before.
const PROMPTLY: Duration = Duration::from_millis(25);

/// So many objects of a kind are worked on at once.
const AT_ONCE: usize = 16;

/// How the controllers behave.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// At the latest after so long a deleted project's control plane is looked at again.
    pub(crate) recheck: Duration,
    /// A project is ready when its control plane answers. Without it nothing of a control plane is there before somebody
    /// asks for it.
    pub(crate) asks_first: bool,
    /// Lets go of empty namespaces that terminate, where no namespace controller does.
    pub(crate) finalize_namespaces: bool,
    /// The clock of the server, if it has one of its own.
    pub(crate) clock: Option<Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            recheck: Duration::from_secs(5),
            asks_first: false,
            finalize_namespaces: false,
            clock: None,
        }
    }
}

/// A configuration whose requests are known as those of a played controller.
pub(crate) fn played(mut config: Config) -> Config {
    let agent = HeaderValue::from_static(concat!(
        "kommodore-control-plane/",
        env!("CARGO_PKG_VERSION")
    ));
    debug_assert!(agent.as_bytes().starts_with(PLAYED_USER_AGENT.as_bytes()));
    config.headers.push((USER_AGENT, agent));
    config
}

/// Milo's controllers of `Project` and `ProjectControlPlane`. They end when this is dropped.
pub(crate) struct Controller {
    _tasks: JoinSet<()>,
}

impl Controller {
    /// Starts them on the current runtime; `project` is asked for a client of a project's control plane.
    pub(crate) fn start<F>(root: Client, project: F, options: Options) -> Self
    where
        F: Fn(&str) -> kube::Result<Client> + Send + Sync + 'static,
    {
        let shared = Arc::new(Shared {
            root,
            project: Box::new(project),
            options,
        });
        let mut tasks = JoinSet::new();
        for kind in [PROJECT, PROJECT_CONTROL_PLANE] {
            tasks.spawn(follow(shared.clone(), kind));
        }
        Self { _tasks: tasks }
    }
}

/// Gives a client of a project's control plane.
type ProjectClient = dyn Fn(&str) -> kube::Result<Client> + Send + Sync;

struct Shared {
    root: Client,
    project: Box<ProjectClient>,
    options: Options,
}

/// Follows all objects of a kind, for ever.
async fn follow(shared: Arc<Shared>, kind: ProjectKind) {
    let api: Api<DynamicObject> = Api::all_with(shared.root.clone(), &kind.api_resource());
    let mut work = Work {
        shared,
        kind,
        api,
        known: BTreeMap::new(),
        waiting: VecDeque::new(),
        steps: JoinSet::new(),
        pauses: JoinSet::new(),
    };
    loop {
        if let Err(error) = work.list_and_watch().await {
            tracing::debug!(%error, kind = kind.kind, "the played controller lost its watch");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The objects that have something to be done: a few at a time, and never two steps for one.
struct Work {
    shared: Arc<Shared>,
    kind: ProjectKind,
    api: Api<DynamicObject>,
    known: BTreeMap<String, State>,
    waiting: VecDeque<String>,
    steps: JoinSet<(String, kube::Result<bool>)>,
    /// Those that are tried again, or looked at again, later.
    pauses: JoinSet<String>,
}

/// What is known of an object that has something to be done.
struct State {
    /// It has changed since its step began.
    again: bool,
    pause: Duration,
}

impl Work {
    async fn list_and_watch(&mut self) -> kube::Result<()> {
        let api = self.api.clone();
        let list = api.list(&ListParams::default()).await?;
        for object in &list.items {
            self.wake(object.name_any());
        }
        let version = list.metadata.resource_version.unwrap_or_default();
        let mut events = api.watch(&WatchParams::default(), &version).await?.boxed();
        loop {
            self.start();
            tokio::select! {
                biased;
                // First, so that the watch does not fall behind what is done.
                event = events.try_next() => match event? {
                    Some(WatchEvent::Added(object) | WatchEvent::Modified(object)) => self.wake(object.name_any()),
                    Some(WatchEvent::Deleted(_) | WatchEvent::Bookmark(_)) => {}
                    Some(WatchEvent::Error(_)) | None => return Ok(()),
                },
                Some(done) = self.steps.join_next() => match done {
                    Ok((name, outcome)) => self.stepped(name, outcome),
                    Err(error) => tracing::error!(%error, "the played controller failed on an object"),
                },
                Some(Ok(name)) = self.pauses.join_next() => self.waiting.push_back(name),
            }
        }
    }

    fn wake(&mut self, name: String) {
        if let Some(state) = self.known.get_mut(&name) {
            state.again = true;
            return;
        }
        let state = State {
            again: false,
            pause: PROMPTLY,
        };
        self.known.insert(name.clone(), state);
        self.waiting.push_back(name);
    }

    fn start(&mut self) {
        while self.steps.len() < AT_ONCE
            && let Some(name) = self.waiting.pop_front()
        {
            if let Some(state) = self.known.get_mut(&name) {
                state.again = false;
            }
            let (shared, kind, api) = (self.shared.clone(), self.kind, self.api.clone());
            self.steps.spawn(async move {
                let outcome = step(&shared, &kind, &api, &name).await;
                (name, outcome)
            });
        }
    }

    fn stepped(&mut self, name: String, outcome: kube::Result<bool>) {
        let Some(state) = self.known.get_mut(&name) else {
            return;
        };
        if let Err(error) = &outcome {
            tracing::debug!(%error, kind = self.kind.kind, name, "the played controller tries again");
        }
        if !matches!(outcome, Ok(true)) {
            let pause = state.pause;
            state.pause = (pause * 2).min(self.shared.options.recheck);
            self.pauses.spawn(async move {
                tokio::time::sleep(pause).await;
                name
            });
        } else if state.again {
            state.pause = PROMPTLY;
            self.waiting.push_back(name);
        } else {
            self.known.remove(&name);
        }
    }
}

/// Whether nothing more is to be done.
async fn step(
    shared: &Shared,
    kind: &ProjectKind,
    api: &Api<DynamicObject>,
    name: &str,
) -> kube::Result<bool> {
    let Some(object) = api.get_opt(name).await? else {
        return Ok(true);
    };
    let holds = object
        .finalizers()
        .iter()
        .any(|finalizer| finalizer == FINALIZER);
    if object.metadata.deletion_timestamp.is_some() {
        if holds {
            let project = (shared.project)(name)?;
            let finalize_namespaces = shared.options.finalize_namespaces;
            if !(Purge {
                finalize_namespaces,
                strip_finalizers: false,
            })
            .pass(&project)
            .await?
            {
                return Ok(false);
            }
            let rest = object
                .finalizers()
                .iter()
                .filter(|finalizer| *finalizer != FINALIZER);
            set_finalizers(api, &object, rest.cloned().collect()).await?;
        }
        return Ok(true);
    }
    if !holds {
        let all = object
            .finalizers()
            .iter()
            .cloned()
            .chain([FINALIZER.into()]);
        set_finalizers(api, &object, all.collect()).await?;
        // The resource version has moved on.
        return Box::pin(step(shared, kind, api, name)).await;
    }
    if !object.annotations().contains_key(HOLD_ANNOTATION) && is_undecided(kind, &object) {
        if shared.options.asks_first {
            (shared.project)(name)?.apiserver_version().await?;
        }
        set_ready(kind, api, &object, shared.options.clock).await?;
    }
    Ok(true)
}

async fn set_finalizers(
    api: &Api<DynamicObject>,
    object: &DynamicObject,
    all: Vec<String>,
) -> kube::Result<()> {
    let metadata = json!({"finalizers": all, "resourceVersion": object.metadata.resource_version});
    let patch = Patch::Merge(json!({"metadata": metadata}));
    match api
        .patch(&object.name_any(), &PatchParams::default(), &patch)
        .await
    {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        other => other.map(|_| ()),
    }
}

fn conditions(object: &DynamicObject) -> &[Value] {
    object
        .data
        .pointer("/status/conditions")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Nobody has said anything yet; a False that somebody wrote is left alone.
fn is_undecided(kind: &ProjectKind, object: &DynamicObject) -> bool {
    let condition = conditions(object)
        .iter()
        .find(|condition| condition["type"] == kind.condition);
    condition.is_none_or(|condition| {
        (condition["status"].as_str(), condition["reason"].as_str())
            == (Some(kind.undecided.0), Some(kind.undecided.1))
    })
}

async fn set_ready(
    kind: &ProjectKind,
    api: &Api<DynamicObject>,
    object: &DynamicObject,
    clock: Option<Clock>,
) -> kube::Result<()> {
    let now = clock::within(clock, clock::now)
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    let ready = json!({
        "type": kind.condition, "status": "True", "reason": "Ready", "message": "The project is ready",
        "lastTransitionTime": now, "observedGeneration": object.metadata.generation,
    });
    let others = conditions(object)
        .iter()
        .filter(|condition| condition["type"] != kind.condition);
    let all: Vec<Value> = others.cloned().chain([ready]).collect();
    let patch = json!({
        "metadata": {"resourceVersion": object.metadata.resource_version},
        "status": {"conditions": all},
    });
    api.patch_status(
        &object.name_any(),
        &PatchParams::default(),
        &Patch::Merge(patch),
    )
    .await?;
    Ok(())
}
