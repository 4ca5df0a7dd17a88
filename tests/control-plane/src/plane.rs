//! One control plane, and all of them: the root and its projects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::api::{Flows, OpenApi};
use crate::auth::{self, Auth};
use crate::clock::Clock;
use crate::ids::Ids;
use crate::janitor::{Chore, Chores, Owners, hangs_on};
use crate::kinds::{Registry, Resource, crd_bucket, namespace_bucket};
use crate::store::{Bucket, Change, Key, Store, Transaction, What};

/// How a server was built.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Projects serve everything that the root serves.
    pub(crate) all_kinds_in_projects: bool,
    /// Where it listens; 0 takes a free port.
    pub(crate) port: u16,
    /// It is called inside of the process alone.
    pub(crate) without_socket: bool,
    /// Decides all that the server makes up, and its clock.
    pub(crate) seed: Option<u64>,
    /// The root has all that a real server has from the start.
    pub(crate) furnished: bool,
    /// Roles count.
    pub(crate) rbac: bool,
    /// Also for who names an owner.
    pub(crate) owners_need_leave: bool,
    /// Every namespace has a service account.
    pub(crate) service_accounts: bool,
    /// How long after its deletion the end of a namespace begins.
    pub(crate) namespaces_end_after: Option<Duration>,
    /// How many requests one HTTP/2 connection may have open, if not as many as usual.
    pub(crate) max_streams: Option<u32>,
    /// It speaks HTTP/1.1 alone.
    pub(crate) without_http_2: bool,
}

/// What one control plane keeps to itself.
pub(crate) struct Plane {
    /// The project; nothing for the root.
    pub(crate) project: Option<String>,
    pub(crate) store: Store,
    /// What the janitor still has to do here.
    pub(crate) chores: Chores,
    /// What it knows of who owns what here.
    pub(crate) owners: Owners,
    /// The project is gone, or the server ends, and its watches with it.
    pub(crate) closed: CancellationToken,
    /// Whoever writes waits here for its turn, and keeps no thread from serving the others meanwhile.
    turns: tokio::sync::Mutex<()>,
    /// The resources whose storage has been set up, where a fault lets that take a moment.
    initialized: Mutex<BTreeSet<(u64, Bucket)>>,
}

impl Plane {
    fn new(project: Option<&str>, begins: u64) -> Self {
        Self {
            project: project.map(str::to_owned),
            store: Store::new(begins),
            chores: Chores::default(),
            owners: Owners::default(),
            closed: CancellationToken::new(),
            turns: tokio::sync::Mutex::default(),
            initialized: Mutex::default(),
        }
    }

    /// The turn of a request that writes, in the order in which they have come.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turns.lock().await
    }

    /// Whether this is the first time since that fault that anybody reads the resource.
    pub(crate) fn is_first_read(&self, fault: u64, bucket: &Bucket) -> bool {
        lock(&self.initialized).insert((fault, bucket.clone()))
    }
}

/// The control planes of projects that anything is kept of.
struct Projects {
    planes: BTreeMap<String, Arc<Plane>>,
    /// The revision at which a new one begins: above all that those have seen that are gone, so that nobody takes a
    /// version of a project's former life for one of its present life.
    begin: u64,
}

/// How many writes may still reach the store of a project that goes.
const STILL_WRITTEN: u64 = 1000;

impl Projects {
    fn new() -> Self {
        Self {
            planes: BTreeMap::new(),
            begin: 1,
        }
    }

    fn remove(&mut self, name: &str) {
        if let Some(gone) = self.planes.remove(name) {
            gone.closed.cancel();
            self.begin = self.begin.max(gone.store.revision() + STILL_WRITTEN);
        }
    }
}

/// All control planes of one server.
pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) auth: Auth,
    pub(crate) registry: Registry,
    pub(crate) ids: Ids,
    /// Its own, or that of the machine.
    pub(crate) clock: Option<Clock>,
    pub(crate) root: Arc<Plane>,
    /// Where it listens.
    port: OnceLock<u16>,
    projects: Mutex<Projects>,
    /// CRDs that a project's control plane does not serve, by project.
    hidden: Mutex<BTreeMap<String, BTreeSet<String>>>,
    /// One CRD's change is served before the next is looked at.
    serving: Mutex<()>,
    pub(crate) openapi: OpenApi,
    pub(crate) flows: Flows,
    /// Calls the janitor to a control plane.
    janitor: mpsc::UnboundedSender<Arc<Plane>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where Milo keeps its projects.
pub(crate) fn project_bucket() -> Bucket {
    Bucket {
        group: "resourcemanager.miloapis.com".into(),
        plural: "projects".into(),
    }
}

/// Where Milo's infrastructure keeps the same, for those who work from inside.
fn control_plane_bucket() -> Bucket {
    Bucket {
        group: "infrastructure.miloapis.com".into(),
        plural: "projectcontrolplanes".into(),
    }
}

/// Whether projects are kept here.
pub(crate) fn keeps_projects(bucket: &Bucket) -> bool {
    *bucket == project_bucket() || *bucket == control_plane_bucket()
}

impl World {
    pub(crate) fn new(options: Options, janitor: mpsc::UnboundedSender<Arc<Plane>>) -> Self {
        let seed = options.seed;
        Self {
            auth: Auth::new(options.rbac, options.owners_need_leave),
            options,
            registry: Registry::new(),
            ids: seed.map_or_else(Ids::new, Ids::seeded),
            clock: seed.map(Clock::seeded),
            root: Arc::new(Plane::new(None, 1)),
            port: OnceLock::new(),
            projects: Mutex::new(Projects::new()),
            hidden: Mutex::default(),
            serving: Mutex::default(),
            openapi: OpenApi::default(),
            flows: Flows::default(),
            janitor,
        }
    }

    /// It listens at this port from now on.
    pub(crate) fn listens_at(&self, port: u16) {
        // It does so once, and keeps its port.
        let _ = self.port.set(port);
    }

    /// Where it listens; where it does not, the port that every API server has.
    pub(crate) fn port(&self) -> u16 {
        self.port.get().copied().unwrap_or(6443)
    }

    /// The control plane of a project, or of the root. Nothing is kept of a project before it is asked for.
    pub(crate) fn plane(&self, project: Option<&str>) -> Option<Arc<Plane>> {
        let Some(name) = project else {
            return Some(self.root.clone());
        };
        let mut projects = lock(&self.projects);
        // Under the lock, so that a project that goes at this moment leaves nothing behind.
        let key = Key::new("", name);
        let exists = |bucket| self.root.store.contains(&bucket, &key);
        if !exists(project_bucket()) && !exists(control_plane_bucket()) {
            return None;
        }
        let begin = projects.begin;
        let plane = projects.planes.entry(name.to_owned()).or_insert_with(|| {
            let plane = Plane::new(Some(name), begin);
            self.auth.seed(&plane, &self.ids);
            Arc::new(plane)
        });
        Some(plane.clone())
    }

    /// The names of all projects.
    pub(crate) fn project_names(&self) -> Vec<String> {
        let projects = self.root.store.list(&project_bucket(), None).objects;
        projects
            .iter()
            .map(|project| project.key.name.clone())
            .collect()
    }

    /// All control planes that anything is kept of.
    pub(crate) fn planes(&self) -> Vec<Arc<Plane>> {
        let projects = lock(&self.projects);
        std::iter::once(self.root.clone())
            .chain(projects.planes.values().cloned())
            .collect()
    }

    /// Hides a CRD from a project, or shows it again.
    pub(crate) fn hide(&self, project: &str, crd: &str, hide: bool) {
        let mut hidden = lock(&self.hidden);
        let names = hidden.entry(project.to_owned()).or_default();
        if hide {
            names.insert(crd.to_owned());
        } else {
            names.remove(crd);
        }
    }

    /// Whether a control plane serves a resource.
    pub(crate) fn serves(&self, plane: &Plane, resource: &Resource) -> bool {
        let Some(project) = &plane.project else {
            return true;
        };
        if !resource.is_crd() {
            return resource.in_projects() || self.options.all_kinds_in_projects;
        }
        let hidden = lock(&self.hidden);
        hidden
            .get(project)
            .is_none_or(|names| !names.contains(&resource.qualified()))
    }

    /// The resources that a control plane serves.
    pub(crate) fn resources(&self, plane: &Plane) -> Vec<Arc<Resource>> {
        let all = self.registry.all();
        all.into_iter()
            .filter(|resource| self.serves(plane, resource))
            .collect()
    }

    /// Writes, and sees to what follows from it.
    pub(crate) fn transact<T, E>(
        &self,
        plane: &Arc<Plane>,
        run: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let (value, changes) = plane.store.transact(run)?;
        for (bucket, change) in changes {
            self.follow(plane, bucket, change);
        }
        Ok(value)
    }

    fn follow(&self, plane: &Arc<Plane>, bucket: Bucket, change: Arc<Change>) {
        if plane.project.is_none() {
            if bucket == crd_bucket() {
                let _serving = lock(&self.serving);
                let now = plane.store.get(&bucket, change.key());
                self.registry.update(&change.key().name, now.as_ref());
            } else if change.what == What::Deleted
                && keeps_projects(&bucket)
                && self.plane(Some(&change.key().name)).is_none()
            {
                lock(&self.projects).remove(&change.key().name);
            }
        }
        let matters = change.what == What::Deleted
            || bucket == auth::rbac::bucket("clusterroles")
            || (plane.project.is_none() && (bucket == crd_bucket() || hangs_on(&bucket)))
            || change.object.is_deleting
            || change.object.has_owners
            || had_owners(&change)
            || (self.options.service_accounts && bucket == namespace_bucket());
        if matters && plane.chores.add(Chore::new(bucket, change)) {
            // Nobody is left to do the work only while the server ends.
            let _ = self.janitor.send(plane.clone());
        }
    }
}

/// Whether the object named owners before.
fn had_owners(change: &Change) -> bool {
    let previous = change.previous.as_ref();
    previous.is_some_and(|previous| previous.has_owners)
}
