//! What an operator and users see of a simulation.

use std::fmt::Write as _;
use std::future::Future;
use std::time::Duration;

use http::HeaderValue;
use http::header::USER_AGENT;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use kube::{Client, Config};
use serde_json::json;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::dice::Dice;
use super::mortal::{Life, Mortal};
use super::state;
use crate::control_plane::{ControlPlane, Error};
use crate::in_process::{InProcess, client_of};
use crate::serve::PLAYED_USER_AGENT;

/// By which the requests of an operator are told from those of its users.
const AGENT: &str = "operator";

/// The fleet, as its users see it.
#[derive(Debug)]
pub struct World {
    plane: ControlPlane,
    seed: u64,
    projects: Vec<String>,
    /// Nothing goes wrong any more.
    pub(super) quiet: CancellationToken,
    /// The operator is to end.
    pub(super) stop: CancellationToken,
}

impl World {
    pub(super) fn new(plane: ControlPlane, seed: u64, projects: Vec<String>) -> Self {
        Self {
            plane,
            seed,
            projects,
            quiet: CancellationToken::new(),
            stop: CancellationToken::new(),
        }
    }

    /// The control plane, with its faults and the log of requests.
    pub fn plane(&self) -> &ControlPlane {
        &self.plane
    }

    /// The seed of all this.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The projects that are there from the beginning.
    pub fn projects(&self) -> &[String] {
        &self.projects
    }

    /// A user's client of a project.
    pub fn client(&self, project: &str) -> Result<Client, Error> {
        self.plane.project(project).client()
    }

    /// Draws what a user does; of each name the same, whatever goes wrong.
    pub fn dice(&self, name: &str) -> Dice {
        Dice::new(self.seed, name)
    }

    pub(super) async fn create_projects(&self, namespaces: &[String]) -> Result<(), Error> {
        let kind = ApiResource {
            group: "resourcemanager.miloapis.com".into(),
            version: "v1alpha1".into(),
            api_version: "resourcemanager.miloapis.com/v1alpha1".into(),
            kind: "Project".into(),
            plural: "projects".into(),
        };
        let projects: Api<DynamicObject> = Api::all_with(self.plane.client()?, &kind);
        let spec = json!({"spec": {"ownerRef": {"kind": "Organization", "name": "simulated"}}});
        for name in &self.projects {
            let project = DynamicObject::new(name, &kind).data(spec.clone());
            insist(async || projects.create(&PostParams::default(), &project).await).await;
            let theirs: Api<Namespace> = Api::all(self.client(name)?);
            for namespace in namespaces {
                let mut wished = Namespace::default();
                wished.metadata.name = Some(namespace.clone());
                insist_unless(409, async || {
                    theirs.create(&PostParams::default(), &wished).await
                })
                .await;
            }
        }
        Ok(())
    }

    /// What is there, without what is another each time.
    pub(super) fn state(&self) -> Vec<String> {
        state::all(&self.plane)
    }

    /// What users asked last, and what the answer was.
    pub(super) fn last_request_of_users(&self) -> String {
        let entries = self.plane.requests().entries();
        let mut theirs = entries.iter().filter(|request| {
            let agent = request.user_agent.as_deref();
            agent != Some(AGENT) && agent != Some(PLAYED_USER_AGENT)
        });
        let last = theirs.next_back();
        last.map_or_else(|| "nothing".to_owned(), ToString::to_string)
    }

    /// What operators asked so far.
    pub(super) fn requests_of_operators(&self) -> Vec<String> {
        let entries = self.plane.requests().entries();
        entries
            .iter()
            .filter(|request| request.user_agent.as_deref() == Some(AGENT))
            .map(ToString::to_string)
            .collect()
    }

    /// Everything that happened, and what is there.
    pub(super) fn story(&self) -> String {
        let mut story = String::new();
        for request in self.plane.requests().entries() {
            // A string takes everything.
            let _ = writeln!(story, "{request}");
        }
        story + &state::in_full(&self.plane).join("\n")
    }
}

/// One life of the operator's process: it may be killed at any request, and is started again.
#[derive(Clone, Debug)]
pub struct Process {
    config: Config,
    service: InProcess,
    life: Life,
    seed: u64,
    stop: CancellationToken,
}

impl Process {
    pub(super) fn new(world: &World, life: Life) -> Self {
        let mut config = world.plane.config();
        let agent = HeaderValue::from_static(AGENT);
        config.headers.push((USER_AGENT, agent));
        Self {
            config,
            service: world.plane.nobodys_service(),
            life,
            seed: world.seed,
            stop: world.stop.clone(),
        }
    }

    /// How the operator reaches the root of the fleet.
    pub fn config(&self) -> Config {
        self.config.clone()
    }

    /// Makes the operator's clients: what `kommodore::Builder::connect` asks for.
    pub fn connector(
        &self,
    ) -> impl Fn(Config) -> kube::Result<Client> + Clone + Send + Sync + use<> {
        let mortal = Mortal {
            inner: self.service.clone(),
            life: self.life.clone(),
        };
        move |config| client_of(mortal.clone(), &config)
    }

    /// The seed of what the operator draws, its jitter above all.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Resolves when the operator is to end.
    pub fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        self.stop.clone().cancelled_owned()
    }
}

/// How long a user waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a user waits before the next attempt.
const PAUSE: Duration = Duration::from_secs(10);

/// Does what a user wants, until it is done.
pub async fn insist<T>(mut wish: impl AsyncFnMut() -> kube::Result<T>) -> T {
    loop {
        match timeout(PATIENCE, wish()).await {
            Ok(Ok(done)) => return done,
            Ok(Err(_)) | Err(_) => sleep(PAUSE).await,
        }
    }
}

/// The same, where an answer with this code says that it has been done before: 409 to a create whose answer got lost,
/// or 404 to such a delete.
pub async fn insist_unless<T>(code: u16, mut wish: impl AsyncFnMut() -> kube::Result<T>) {
    insist(async || match wish().await {
        Err(kube::Error::Api(status)) if status.code == code => Ok(()),
        other => other.map(drop),
    })
    .await;
}
