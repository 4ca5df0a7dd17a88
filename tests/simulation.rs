//! A whole fleet in no time: an operator of Milo's projects under a paused clock, with users who create, change and
//! delete while things go wrong and the operator is killed. It ends as if nothing had happened, whatever the seed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use futures::future::try_join_all;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kommodore::{LeaderElection, Manager, Milo, Result};
use kommodore_control_plane::simulation::{
    Dice, Process, Report, Simulation, World, insist, insist_unless,
};
use kommodore_tests::{NAMESPACE, Point, Probe, Sites, Website, crds, website};
use kube::Client;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;
use tokio::time::sleep;

const PROJECTS: [&str; 2] = ["red", "blue"];
const SITES: usize = 3;
const MINUTE: Duration = Duration::from_secs(60);

fn fleet() -> Simulation {
    crds()
        .iter()
        .fold(Simulation::new(), |simulation, crd| simulation.crd(crd))
        .projects(PROJECTS)
}

async fn operator(process: Process, probe: Probe) -> Result<()> {
    let election = LeaderElection::new("sites")
        .namespace("default")
        .lease(2 * MINUTE)
        .renew_deadline(MINUTE)
        .retry(MINUTE / 3);
    Manager::builder(process.config())
        .connect(process.connector())
        .seed(process.seed())
        .provider(Milo::external())
        .leader_election(election)
        .controller(Sites { probe })
        .run_until(process.stopped())
        .await
}

/// The namespace of everything.
async fn open_shop(client: Client) {
    let namespaces: Api<Namespace> = Api::all(client);
    let mut shop = Namespace::default();
    shop.metadata.name = Some(NAMESPACE.into());
    insist_unless(409, async || {
        namespaces.create(&PostParams::default(), &shop).await
    })
    .await;
}

/// A user of one project: some minutes of work. What comes back is what was deleted.
async fn use_it(client: Client, dice: &mut Dice) -> Vec<String> {
    open_shop(client.clone()).await;
    let websites: Api<Website> = Api::namespaced(client.clone(), NAMESPACE);
    let pages: Api<ConfigMap> = Api::namespaced(client, NAMESPACE);
    let mut deleted = Vec::new();
    for number in 0..SITES {
        let name = format!("site-{number}");
        insist_unless(409, async || {
            let site = website(&name);
            websites.create(&PostParams::default(), &site).await
        })
        .await;
        sleep(dice.time(MINUTE)).await;
        let host = format!("{}.example.com", dice.below(1_000));
        let patch = Patch::Merge(json!({"spec": {"host": host}}));
        insist(async || websites.patch(&name, &PatchParams::default(), &patch).await).await;
        sleep(dice.time(2 * MINUTE)).await;
        match dice.below(4) {
            0 | 1 => {
                insist_unless(404, async || {
                    websites.delete(&name, &DeleteParams::default()).await
                })
                .await;
                deleted.push(name);
            }
            // What the operator owns.
            2 => {
                insist_unless(404, async || {
                    pages.delete(&name, &DeleteParams::default()).await
                })
                .await;
            }
            _ => {}
        }
        sleep(dice.time(MINUTE)).await;
    }
    deleted
}

/// What was deleted and what was cleaned up, by seed.
#[derive(Default)]
struct Books {
    deleted: Mutex<BTreeMap<u64, BTreeSet<(String, String)>>>,
    probes: Mutex<BTreeMap<u64, Vec<Probe>>>,
}

impl Books {
    /// A probe for one more life of the operator.
    fn probe(&self, seed: u64) -> Probe {
        let probe = Probe::default();
        let mut probes = self.probes.lock().unwrap();
        probes.entry(seed).or_default().push(probe.clone());
        probe
    }

    fn run(&self, simulation: &Simulation, seeds: impl IntoIterator<Item = u64>) -> Vec<Report> {
        let reports = simulation.run(
            seeds,
            async |process: Process| {
                let probe = self.probe(process.seed());
                operator(process, probe).await
            },
            async |world: &World| {
                let users = world.projects().iter().map(async |project| {
                    let client = world.client(project)?;
                    let deleted = use_it(client, &mut world.dice(project)).await;
                    let mut all = self.deleted.lock().unwrap();
                    let all = all.entry(world.seed()).or_default();
                    all.extend(deleted.into_iter().map(|name| (project.clone(), name)));
                    Ok::<_, kommodore_control_plane::Error>(())
                });
                try_join_all(users).await?;
                Ok(())
            },
        );
        let reports = reports.unwrap_or_else(|failed| panic!("{failed}"));
        self.check(&reports);
        reports
    }

    /// Whatever was reconciled and deleted was cleaned up, by those who were disturbed too.
    fn check(&self, reports: &[Report]) {
        let (deleted, probes) = (self.deleted.lock().unwrap(), self.probes.lock().unwrap());
        for report in reports {
            let lives = &probes[&report.seed];
            // The first had no trouble.
            let came_to = |point| -> BTreeSet<(String, String)> {
                let visits = lives[1..].iter().flat_map(Probe::visits);
                let visits = visits.filter(|visit| visit.point == point);
                visits.map(|visit| (visit.cluster, visit.name)).collect()
            };
            let (begun, cleaned) = (came_to(Point::Begin), came_to(Point::Cleanup));
            for gone in deleted.get(&report.seed).into_iter().flatten() {
                let is_clean = cleaned.contains(gone) || !begun.contains(gone);
                assert!(is_clean, "seed {}: {gone:?}", report.seed);
            }
        }
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let books = Books::default();
    let one = books.run(&fleet(), [42]).remove(0);
    let same = books.run(&fleet(), [42]).remove(0);
    assert!(one.hits > 5, "{} things went wrong", one.hits);
    assert!(one.story.contains("PATCH /apis/demo.kommodore.dev"));
    let mut lines = one.story.lines().zip(same.story.lines());
    assert_eq!(lines.find(|(one, same)| one != same), None);
    assert_eq!(one.story, same.story);
    let other = books.run(&fleet(), [43]).remove(0);
    assert_ne!(one.story, other.story, "another seed, another story");
}

#[test]
fn a_thousand_seeds_end_as_if_nothing_had_happened() {
    let reports = Books::default().run(&fleet(), 0..1_000);
    let hits: usize = reports.iter().map(|report| report.hits).sum();
    let deaths: u64 = reports.iter().map(|report| report.deaths).sum();
    let restarts: u64 = reports.iter().map(|report| report.restarts).sum();
    assert!(hits > 10_000, "{hits} things went wrong");
    assert!(deaths > 500, "the operator was killed {deaths} times");
    assert!(
        restarts > 500,
        "the servers were started again {restarts} times"
    );
}

#[test]
fn a_lifecycle_survives_a_kill_at_every_request() {
    let fleet = crds()
        .iter()
        .fold(Simulation::new(), |simulation, crd| simulation.crd(crd))
        .projects(["red"]);
    for request in 1.. {
        let simulation = fleet.clone().killed_at(request);
        let report = simulation.run(
            [1],
            async |process: Process| operator(process, Probe::default()).await,
            async |world: &World| {
                let client = world.client("red")?;
                open_shop(client.clone()).await;
                let websites: Api<Website> = Api::namespaced(client, NAMESPACE);
                for name in ["stays", "goes"] {
                    insist_unless(409, async || {
                        let site = website(name);
                        websites.create(&PostParams::default(), &site).await
                    })
                    .await;
                    sleep(MINUTE).await;
                    let patch = Patch::Merge(json!({"spec": {"host": "new.example.com"}}));
                    insist(async || websites.patch(name, &PatchParams::default(), &patch).await)
                        .await;
                    sleep(MINUTE).await;
                }
                insist_unless(404, async || {
                    websites.delete("goes", &DeleteParams::default()).await
                })
                .await;
                sleep(MINUTE).await;
                Ok(())
            },
        );
        let report =
            report.unwrap_or_else(|failed| panic!("killed at request {request}: {failed}"));
        if report[0].deaths == 0 {
            assert!(request > 20, "there were only {request} requests");
            break;
        }
    }
}
