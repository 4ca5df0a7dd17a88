//! The server as its users see it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kube::{Client, Config};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use crate::api;
use crate::auth::Auth;
use crate::builder::Builder;
use crate::clock;
use crate::failure::Failure;
use crate::first;
use crate::in_process::InProcess;
use crate::janitor;
use crate::milo::{self, Controller};
use crate::plane::{Options, World};
use crate::project::{Project, path_of};
use crate::serve::{Authority, Edge, Fault, Injected, Listener, Moment, RequestLog, TlsError};
use crate::shared::{Shared, listen};
use crate::users::Known;

/// Why a control plane could not be started or used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port could not be opened.
    #[error("the port on loopback could not be opened: {0}")]
    Listen(#[from] std::io::Error),
    /// Keys and certificates could not be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A user was named that nobody has given to the server.
    #[error("there is no user {0:?}; `Builder::user` and `ControlPlane::add_user` make users")]
    UnknownUser(String),
    /// A client could not be made.
    #[error("a client could not be made: {0}")]
    Client(#[from] kube::Error),
    /// What was given cannot be installed.
    #[error("{what} was not accepted: {why}")]
    Refused {
        /// What was given.
        what: String,
        /// What the server said.
        why: String,
    },
}

/// A Kubernetes API server inside the process: the root and, where it plays Milo, a control plane for each project.
///
/// It listens on loopback, and ends when it is dropped.
pub struct ControlPlane {
    // In the order in which they are to end.
    controller: Option<Controller>,
    pub(crate) directs: Mutex<BTreeMap<String, Listener>>,
    /// None where the server is called inside of the process alone.
    listener: Option<Listener>,
    /// Where it listened before its port was closed.
    closed: Option<SocketAddr>,
    tasks: JoinSet<()>,
    inside: Inside,
    pub(crate) shared: Arc<Shared>,
}

/// Whoever calls the server inside of the process, which needs no port. When this is dropped they are refused.
struct Inside(Arc<Shared>);

impl Inside {
    fn cut_watches(&self) {
        for plane in self.0.world.planes() {
            self.0.edge.faults.drop_watches(plane.project.as_deref());
        }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.edge.faults.shut(true);
        self.cut_watches();
    }
}

/// What a server begins with.
pub(crate) struct Beginning {
    pub(crate) users: Vec<Known>,
    pub(crate) crds: Vec<serde_json::Value>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) plays_milo: bool,
}

impl ControlPlane {
    /// A server to be.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) async fn start(options: Options, beginning: Beginning) -> Result<Self, Error> {
        let (sender, called) = mpsc::unbounded_channel();
        let (port, has_socket) = (options.port, !options.without_socket);
        let seed = options.seed;
        let world = Arc::new(World::new(options, sender));
        let shared = Arc::new(Shared {
            edge: Edge::new(seed),
            authority: Authority::new()?,
            token: world.ids.token(),
            world: world.clone(),
        });
        shared.know_admin();
        for known in beginning.users {
            shared.know(known)?;
        }
        for fault in beginning.faults {
            shared.edge.faults.begin(fault);
        }
        Auth::bootstrap(&world).map_err(|failure| Error::Refused {
            what: "a default role".to_owned(),
            why: failure.message().to_owned(),
        })?;
        for (path, object) in first::objects() {
            install(&world, path, object)?;
        }
        let furnished = world.options.furnished;
        if furnished {
            set_up(&world)?;
        }
        for crd in beginning.crds {
            install(
                &world,
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                crd,
            )?;
        }
        let mut tasks = JoinSet::new();
        tasks.spawn(janitor::run(Arc::downgrade(&world), called));
        let listener = match has_socket {
            true => Some(listen(&shared, None, port).await?),
            false => None,
        };
        if let Some(listener) = &listener {
            world.listens_at(listener.address().port());
        }
        let (path, service) = first::service(world.port());
        install(&world, path, service)?;
        if furnished {
            let presence = || first::presence(world.port(), &world.ids.uid());
            for (path, object) in clock::within(world.clock, presence) {
                install(&world, path, object)?;
            }
        }
        let mut plane = Self {
            controller: None,
            directs: Mutex::default(),
            listener,
            closed: None,
            tasks,
            inside: Inside(shared.clone()),
            shared,
        };
        if beginning.plays_milo {
            plane.controller = Some(plane.play_milo());
        }
        Ok(plane)
    }

    fn play_milo(&self) -> Controller {
        let shared = self.shared.clone();
        let client = move |path: &str| InProcess::new(shared.clone(), path).played().client();
        let root = client("");
        let project = move |name: &str| Ok(client(&path_of(name)));
        // Namespaces end by themselves here.
        let options = milo::Options {
            clock: self.shared.world.clock,
            ..milo::Options::default()
        };
        Controller::start(root, project, options)
    }

    /// Where it listens; at no port where it does not.
    pub(crate) fn address(&self) -> SocketAddr {
        let nowhere = self
            .closed
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        self.listener.as_ref().map_or(nowhere, Listener::address)
    }

    /// How to reach the root; nobody can where there is no socket.
    pub fn config(&self) -> Config {
        self.shared.config(self.address(), "")
    }

    /// A client of the root.
    pub fn client(&self) -> Result<Client, Error> {
        match self.has_socket() {
            true => Ok(Client::try_from(self.config())?),
            false => Ok(self.service().client()),
        }
    }

    pub(crate) fn has_socket(&self) -> bool {
        self.listener.is_some() || self.closed.is_some()
    }

    /// The root as a service, which is called without a socket.
    pub fn service(&self) -> InProcess {
        InProcess::new(self.shared.clone(), "")
    }

    /// A project's control plane. It is served while the project's object exists at the root.
    pub fn project(&self, name: impl Into<String>) -> Project<'_> {
        Project {
            plane: self,
            name: name.into(),
        }
    }

    /// Every request that was sent; of very many the newest 100,000.
    pub fn requests(&self) -> &RequestLog {
        &self.shared.edge.log
    }

    /// Lets something go wrong, until what is returned is dropped.
    pub fn inject(&self, fault: Fault) -> Injected {
        self.shared.edge.faults.inject(fault)
    }

    /// Now, for [`Fault::stale_since`].
    pub fn moment(&self) -> Moment {
        let planes = self.shared.world.planes();
        let newest = planes
            .iter()
            .map(|plane| (plane.project.clone(), plane.store.revision()));
        Moment(newest.collect())
    }

    /// From now on the project's requests are accepted and not answered, and its watches tell nothing.
    pub fn silence(&self, project: &str) {
        self.shared.edge.faults.silence(project);
    }

    /// The project answers again.
    pub fn unsilence(&self, project: &str) {
        self.shared.edge.faults.unsilence(project);
    }

    /// Cuts all watches of a project, or of the root.
    pub fn drop_watches(&self, project: Option<&str>) {
        self.shared.edge.faults.drop_watches(project);
    }

    /// Forgets the history of a project, or of the root: a watch from a version that is older than now is
    /// answered 410. By itself only what a list was more than five to ten minutes ago is forgotten. There is nothing to
    /// forget of a project that is not there.
    pub fn compact(&self, project: Option<&str>) {
        if let Some(plane) = self.shared.world.plane(project) {
            plane.store.compact();
        }
    }

    /// Closes the port: whoever connects is refused, and what is open ends at once. The data is kept, and so is the
    /// port, for [`open`](Self::open). Without a socket requests fail as refused connections do.
    pub async fn close(&mut self) {
        if !self.has_socket() {
            self.shared.edge.faults.shut(true);
            self.inside.cut_watches();
        }
        if let Some(listener) = self.listener.take() {
            self.closed = Some(listener.address());
            listener.shutdown(Duration::ZERO).await;
        }
        for (_, listener) in std::mem::take(self.directs.get_mut()) {
            listener.shutdown(Duration::ZERO).await;
        }
    }

    /// Opens the port again that was closed, with the data of before. Projects' own addresses are new ones.
    pub async fn open(&mut self) -> Result<(), Error> {
        self.shared.edge.faults.shut(false);
        if let Some(address) = self.closed.take() {
            self.listener = Some(listen(&self.shared, None, address.port()).await?);
        }
        Ok(())
    }

    /// Ends and begins again, as a server that is restarted: every connection ends, and the data is kept. Of what
    /// happened before, watches are told nothing: they get a 410, and clients list anew.
    pub async fn restart(&mut self) -> Result<(), Error> {
        self.close().await;
        for plane in self.shared.world.planes() {
            plane.store.begin_caches();
        }
        self.open().await
    }

    /// Ends in good order: watches end as they do when their time is over, and answers that are under way are sent.
    pub async fn shutdown(mut self) {
        self.controller = None;
        let grace = Duration::from_millis(200);
        for plane in self.shared.world.planes() {
            plane.closed.cancel();
        }
        for (_, listener) in std::mem::take(self.directs.get_mut()) {
            listener.shutdown(grace).await;
        }
        if let Some(listener) = self.listener {
            listener.shutdown(grace).await;
        }
        self.tasks.shutdown().await;
    }
}

impl std::fmt::Debug for ControlPlane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ControlPlane")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

/// Installs an object at the root before anybody listens.
fn install(world: &Arc<World>, path: &str, object: serde_json::Value) -> Result<(), Error> {
    api::install(world, path, &object).map_err(|failure| refused(&object, &failure))
}

fn refused(object: &serde_json::Value, failure: &Failure) -> Error {
    Error::Refused {
        what: format!(
            "{} {}",
            object["kind"].as_str().unwrap_or("an object"),
            crate::object::name(object)
        ),
        why: failure.message().to_owned(),
    }
}

/// What the parts of the server write of it.
fn set_up(world: &Arc<World>) -> Result<(), Error> {
    let all = clock::within(world.clock, first::set_up).map_err(|error| Error::Refused {
        what: "first.json".to_owned(),
        why: error.to_string(),
    })?;
    for written in all {
        let (path, object) = (&written.path, &written.object);
        let done = match written.applied {
            true => api::apply(world, None, path, &written.agent, object),
            false => api::install_as(world, &written.agent, path, object),
        };
        done.map_err(|failure| refused(object, &failure))?;
    }
    Ok(())
}
