//! A fleet, its operator and its users under a paused clock, with things going wrong: hours pass in milliseconds, and a
//! seed decides all that happens.
//!
//! What is there in the end has to be what is there when nothing goes wrong. The operator's process is killed between
//! two requests, or before it hears what became of one, and started again; connections are refused and cut, answers get
//! lost or come late, watches are dropped, hang, are out of date or miss what happened, servers are overloaded, or end and
//! begin again with the data that they had. Whatever was drawn is drawn again from the same seed.
//!
//! ```no_run
//! # use kommodore_control_plane::simulation::{Process, Simulation, World, insist_unless};
//! # async fn my_operator(_: Process) -> Result<(), std::io::Error> { Ok(()) }
//! # fn example(crd: serde_json::Value) -> Result<(), Box<dyn std::error::Error>> {
//! use k8s_openapi::api::core::v1::ConfigMap;
//! use kube::api::{Api, PostParams};
//!
//! Simulation::new()
//!     .crd(&crd)
//!     .projects(["red", "blue"])
//!     .namespace("shop")
//!     .run(
//!         0..1_000,
//!         // With Kommodore: `Manager::builder(process.config()).connect(process.connector()).seed(process.seed())`,
//!         // and at the end `.run_until(process.stopped())`.
//!         async |process| my_operator(process).await,
//!         async |world: &World| {
//!             let api: Api<ConfigMap> = Api::namespaced(world.client("red")?, "shop");
//!             let mut page = ConfigMap::default();
//!             page.metadata.name = Some("page".into());
//!             insist_unless(409, async || api.create(&PostParams::default(), &page).await).await;
//!             Ok(())
//!         },
//!     )?;
//! # Ok(())
//! # }
//! ```

mod dice;
mod mortal;
mod state;
mod trouble;
mod world;

use std::fmt::Display;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

pub use dice::Dice;
use mortal::{Death, Life};
use state::difference;
use trouble::{Happened, meddle};
pub use world::{Process, World, insist, insist_unless};

use crate::control_plane::ControlPlane;

const MINUTE: Duration = Duration::from_secs(60);
/// How long users may take, in their own time.
const USED: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a fleet may take to get over everything, in its own time.
const HEALED: Duration = Duration::from_secs(60 * 60);
/// How long an operator may take to end when it is told to, in its own time.
const ENDED: Duration = Duration::from_secs(10 * 60);
/// How often an operator is killed at most.
const DEATHS: u64 = 4;

/// What users do may fail with anything.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A fleet of Milo's projects, and what is installed in it.
#[derive(Clone, Debug, Default)]
pub struct Simulation {
    crds: Vec<Value>,
    projects: Vec<String>,
    namespaces: Vec<String>,
    killed_at: Option<u64>,
}

/// What came of one seed.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// How many requests and watches something happened to.
    pub hits: usize,
    /// How often the operator was killed.
    pub deaths: u64,
    /// How often the API servers were started again.
    pub restarts: u64,
    /// Every request with its answer, and every object at the end, a line each.
    pub story: String,
}

/// What a seed showed.
#[derive(Debug, thiserror::Error)]
#[error("seed {seed}: {why}\nthe same again: run the simulation with this seed alone")]
pub struct Failed {
    /// The seed that shows it again.
    pub seed: u64,
    /// What is not as it should be.
    pub why: String,
}

impl Simulation {
    /// A fleet without projects, in which nothing is installed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Installs a CRD at the root, which serves it in every project.
    pub fn crd(mut self, crd: &impl Serialize) -> Self {
        self.crds
            .push(serde_json::to_value(crd).unwrap_or_default());
        self
    }

    /// Projects that are there from the beginning.
    pub fn projects<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.projects.extend(names.into_iter().map(Into::into));
        self
    }

    /// A namespace that each of the projects has from the beginning. One of Milo's has none by itself, not even `default`.
    pub fn namespace(mut self, name: impl Into<String>) -> Self {
        self.namespaces.push(name.into());
        self
    }

    /// Lets nothing happen but that the operator is killed once, at its request of this number (from 1). The server has
    /// answered it; nobody hears that. [`Report::deaths`] says whether there was such a request.
    pub fn killed_at(mut self, request: u64) -> Self {
        self.killed_at = Some(request);
        self
    }

    /// Runs every seed, on all cores, each on a thread of its own clock: `operator` until it is killed or stopped, and
    /// `users` beside it. Fails with the first seed after which the objects are others than they are without trouble,
    /// or whose operator ends by itself, or does not end when it is told to, or asks for anything after that. One that
    /// ends with an error amid trouble is started again.
    pub fn run<O, U, E>(
        &self,
        seeds: impl IntoIterator<Item = u64>,
        operator: O,
        users: U,
    ) -> Result<Vec<Report>, Failed>
    where
        O: AsyncFn(Process) -> Result<(), E> + Sync,
        U: AsyncFn(&World) -> Result<(), BoxError> + Sync,
        E: Display,
    {
        let seeds: Vec<u64> = seeds.into_iter().collect();
        let waiting = Mutex::new(seeds.iter().copied());
        let (told, is_over) = (Mutex::new(Vec::new()), AtomicBool::new(false));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..threads.min(seeds.len()) {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        let Some(seed) = lock(&waiting).next() else {
                            return;
                        };
                        let came = self.run_seed(seed, &operator, &users);
                        is_over.fetch_or(came.is_err(), Ordering::Relaxed);
                        lock(&told).push(came);
                    }
                });
            }
        });
        let told = told
            .into_inner()
            .unwrap_or_else(|poison| poison.into_inner());
        let mut reports = told.into_iter().collect::<Result<Vec<_>, _>>()?;
        reports.sort_by_key(|report| report.seed);
        Ok(reports)
    }

    fn run_seed<O, U, E>(&self, seed: u64, operator: &O, users: &U) -> Result<Report, Failed>
    where
        O: AsyncFn(Process) -> Result<(), E>,
        U: AsyncFn(&World) -> Result<(), BoxError>,
        E: Display,
    {
        let quiet = self.on_a_clock(seed, async || {
            let play = Play::begin(self, seed).await?;
            play.act(operator, users, None).await
        });
        let (wished, _) = quiet?;
        let (_, report) = self.on_a_clock(seed, async || {
            let play = Play::begin(self, seed).await?;
            play.act(operator, users, Some(&wished)).await
        })?;
        Ok(report)
    }

    fn on_a_clock<T>(
        &self,
        seed: u64,
        play: impl AsyncFnOnce() -> Result<T, String>,
    ) -> Result<T, Failed> {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build();
        let came = match runtime {
            Ok(runtime) => runtime.block_on(play()),
            Err(error) => Err(error.to_string()),
        };
        came.map_err(|why| Failed { seed, why })
    }
}

/// One seed, with or without trouble.
struct Play {
    world: World,
    killed_at: Option<u64>,
}

impl Play {
    async fn begin(simulation: &Simulation, seed: u64) -> Result<Self, String> {
        let builder = ControlPlane::builder().milo().storage_initializes();
        let builder = simulation
            .crds
            .iter()
            .fold(builder, |builder, crd| builder.crd(crd))
            .seed(seed)
            .without_socket();
        let plane = builder.start().await.map_err(|error| error.to_string())?;
        let world = World::new(plane, seed, simulation.projects.clone());
        world
            .create_projects(&simulation.namespaces)
            .await
            .map_err(|error| error.to_string())?;
        Ok(Self {
            world,
            killed_at: simulation.killed_at,
        })
    }

    /// Lets everybody act, until what is there is what is `wished`; without a wish nothing goes wrong, and it is waited
    /// until nothing changes any more.
    async fn act<O, U, E>(
        self,
        operator: &O,
        users: &U,
        wished: Option<&[String]>,
    ) -> Result<(Vec<String>, Report), String>
    where
        O: AsyncFn(Process) -> Result<(), E>,
        U: AsyncFn(&World) -> Result<(), BoxError>,
        E: Display,
    {
        let world = &self.world;
        let lives = self.live(operator, wished.is_some());
        let story = async {
            let used = async {
                match timeout(USED, users(world)).await {
                    Ok(used) => used.map_err(|error| format!("a user: {error}")),
                    Err(_) => Err(format!(
                        "the users do not end within {USED:?}; the last that they asked: {}",
                        world.last_request_of_users()
                    )),
                }
            };
            let happened = match (wished, self.killed_at) {
                (Some(_), None) => {
                    let (happened, used) = futures::future::join(meddle(world), used).await;
                    used.map(|()| happened)
                }
                _ => used.await.map(|()| Happened::default()),
            }?;
            world.quiet.cancel();
            let state = match wished {
                None => at_rest(world).await,
                Some(wished) => healed(world, wished).await?,
            };
            world.stop.cancel();
            Ok::<_, String>((state, happened))
        };
        let mut lives = std::pin::pin!(lives);
        let mut story = std::pin::pin!(story);
        let (state, Happened { hits, restarts }) = tokio::select! {
            biased;
            ended = &mut lives => return Err(ended.err().unwrap_or_else(|| "the operator ended by itself".into())),
            told = &mut story => told?,
        };
        let deaths = match timeout(ENDED, lives).await {
            Ok(ended) => ended?,
            Err(_) => return Err(format!("the operator does not end within {ENDED:?}")),
        };
        let last = world.requests_of_operators();
        sleep(10 * MINUTE).await;
        if let Some(late) = world.requests_of_operators().get(last.len()) {
            return Err(format!("a request after the end: {late}"));
        }
        let report = Report {
            seed: world.seed(),
            hits,
            deaths,
            restarts,
            story: world.story(),
        };
        Ok((state, report))
    }

    /// Runs the operator, again and again if it is killed; how often it was.
    async fn live<O, E>(&self, operator: &O, is_troubled: bool) -> Result<u64, String>
    where
        O: AsyncFn(Process) -> Result<(), E>,
        E: Display,
    {
        let world = &self.world;
        let mut dice = world.dice("deaths");
        let mut deaths = 0;
        loop {
            let death = match self.killed_at {
                _ if !is_troubled || world.quiet.is_cancelled() => None,
                Some(request) => (deaths == 0).then_some(Death::at(request)),
                None => (deaths < DEATHS).then(|| Death::drawn(&mut dice)),
            };
            let life = Life::new(death, world.quiet.clone());
            let ended = tokio::select! {
                biased;
                () = life.ended() => None,
                ended = operator(Process::new(world, life.clone())) => Some(ended),
            };
            match ended {
                Some(Ok(())) if world.stop.is_cancelled() => return Ok(deaths),
                // Such as one that lost its Lease while nobody answered: it is started again.
                Some(Err(_)) if is_troubled && !world.stop.is_cancelled() => {}
                Some(Err(error)) => return Err(format!("the operator ended: {error}")),
                Some(Ok(())) => return Err("the operator ended by itself".into()),
                None => deaths += 1,
            }
            sleep(dice.time(MINUTE)).await;
        }
    }
}

/// The objects once nothing has changed for a while.
async fn at_rest(world: &World) -> Vec<String> {
    let mut before = Vec::new();
    loop {
        let state = world.state();
        if state == before {
            return state;
        }
        before = state;
        sleep(5 * MINUTE).await;
    }
}

/// Waits until the objects are those that are wished.
async fn healed(world: &World, wished: &[String]) -> Result<Vec<String>, String> {
    let (begun, mut seen) = (Instant::now(), None);
    loop {
        let now = Some(world.plane().moment());
        if seen != now {
            if world.state() == wished {
                break;
            }
            seen = now;
        }
        if begun.elapsed() > HEALED {
            let why = difference(wished, &world.state());
            return Err(format!("not healed after {HEALED:?}: {why}"));
        }
        sleep(Duration::from_secs(5)).await;
    }
    // It stays so.
    sleep(10 * MINUTE).await;
    let state = world.state();
    match state == wished {
        true => Ok(state),
        false => Err(format!(
            "healed, and not for long: {}",
            difference(wished, &state)
        )),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
