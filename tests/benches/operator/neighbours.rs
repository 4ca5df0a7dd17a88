//! How soon a quiet project's change is seen to, beside projects that are in trouble.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use http::Uri;
use kommodore_control_plane::{ControlPlane, Fault, Injected};
use kommodore_tests::{KubeconfigFile, Website, kubeconfig_of};
use kube::Config;
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::project::{Project, beside, create, until};
use super::row;

/// The websites that are changed, and those of the hot project.
const WEBSITES: usize = 20;
const HOT: usize = 200;
/// Each is measured so often, in turns: what else the machine does, and when, is then nothing that makes a difference.
const ROUNDS: usize = 10;
/// So many changes are made in each, and so many a second. Those of all rounds are looked at together: the slowest few of
/// one round differ by a fifth from those of the next, whatever is beside them.
const CHANGES: usize = 500;
/// The first few are not counted: an operator that has just started sees to all that has changed while there was none.
const FIRST: usize = 2 * RATE as usize;
const RATE: u32 = 40;
const HOT_RATE: u32 = 1_000;
/// The hot project's changes go out in groups, as timers are no finer.
const GROUPS: u32 = 100;
const GROUP: usize = (HOT_RATE / GROUPS) as usize;
/// Something is wrong if a change takes so long.
const LIMIT: Duration = Duration::from_secs(60);

/// What the others are like.
#[derive(Clone, Copy, Debug)]
enum Others {
    Idle,
    Hot,
    Dead,
}

/// Measures a quiet project beside idle ones, beside a hot one, and while a tenth of all is dead.
pub(crate) async fn neighbours(count: usize) {
    let project = Project::start().await;
    project.add_projects(count).await;
    // Most that are dead are projects, in one of four ways; the ways in which an address is dead are of others.
    let dead = count / 10 * 4 / 6;
    let apart = unreachable(&project.plane, count / 10 - dead).await;
    let hot = project.websites_beside(dead).await;
    let operator = project.operator_of("");
    project.create(WEBSITES).await;
    create(&hot, HOT).await;
    project.quiet().await;
    operator.stop().unwrap();
    let (mut idle, mut beside_hot, mut beside_dead) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let what = |others| format!("{others:?}{round}").to_lowercase();
        let measure = async |others, engaged: usize| {
            let mut operator = match others {
                Others::Dead => project.operator_beside(&apart),
                Others::Idle | Others::Hot => project.operator_of(""),
            };
            until(&mut operator, |it| it.engaged >= engaged).await;
            let latencies = latencies(&project, &what(others)).await;
            operator.stop().unwrap();
            latencies
        };
        idle.extend(measure(Others::Idle, count + 1).await);
        let heat = tokio::spawn(heat(hot.clone(), what(Others::Hot)));
        beside_hot.extend(measure(Others::Hot, count + 1).await);
        heat.abort();
        project.quiet().await;
        let deaths = kill(&project, dead);
        beside_dead.extend(measure(Others::Dead, count + 1 - dead).await);
        drop(deaths);
    }
    let idle = p99(idle);
    let what = "p99 of a quiet project's change, all idle";
    row(what, "", &format!("{idle:.1} ms"));
    let tell = |what: &str, goal: &str, latencies: Vec<f64>| {
        let p99 = p99(latencies);
        let measured = format!("{:.2} times ({p99:.1} ms)", p99 / idle);
        row(&format!("the same {what}"), goal, &measured);
    };
    let what = "beside 1,000 events a second in another";
    tell(what, "≤ 2 times", beside_hot);
    tell("while a tenth is dead", "≤ 1.1 times", beside_dead);
}

/// So many projects are dead, in each of these ways, for as long as what is returned lives.
fn kill(project: &Project, count: usize) -> Vec<Injected> {
    let dies = |number: usize| {
        let fault = match number % 4 {
            0 => Fault::silence(),
            1 => Fault::partition(),
            2 => Fault::reset(),
            _ => Fault::status(500),
        };
        project.plane.inject(fault.in_project(beside(number)))
    };
    (0..count).map(dies).collect()
}

/// Clusters that refuse all connections, and those whose certificate nobody trusts, in turns.
async fn unreachable(plane: &ControlPlane, count: usize) -> KubeconfigFile {
    let mut refused = plane.config();
    refused.cluster_url = Uri::from_static("https://127.0.0.1:1");
    let other = ControlPlane::builder().start().await.unwrap();
    let mut untrusted = plane.config();
    untrusted.root_cert = other.config().root_cert;
    let names: Vec<String> = (0..count).map(|number| format!("apart{number}")).collect();
    let configs = [&refused, &untrusted].into_iter().cycle();
    let places: Vec<(&str, &Config)> = names.iter().map(String::as_str).zip(configs).collect();
    KubeconfigFile::write(&kubeconfig_of(&places), "bench-apart")
}

fn p99(mut latencies: Vec<f64>) -> f64 {
    latencies.sort_by(f64::total_cmp);
    latencies[latencies.len() * 99 / 100]
}

/// Changes websites evenly; in ms, from the moment of each change until it is seen to be Ready for it.
async fn latencies(project: &Project, when: &str) -> Vec<f64> {
    let websites = project.websites();
    let asked: Arc<Mutex<BTreeMap<String, Instant>>> = Arc::default();
    let latencies: Arc<Mutex<Vec<f64>>> = Arc::default();
    let events = watcher(websites.clone(), watcher::Config::default()).default_backoff();
    let watching = tokio::spawn({
        let (asked, latencies) = (Arc::clone(&asked), Arc::clone(&latencies));
        async move {
            let seen = |site: Website| {
                let ready = site.status.as_ref().and_then(|status| {
                    let mut conditions = status.conditions.iter();
                    conditions.find(|one| one.type_ == "Ready")
                });
                let is_done = ready.is_some_and(|ready| {
                    ready.status == "True" && ready.observed_generation == site.metadata.generation
                });
                let began = is_done.then(|| asked.lock().unwrap().remove(&site.spec.host));
                if let Some(began) = began.flatten() {
                    let ms = began.elapsed().as_secs_f64() * 1_000.0;
                    latencies.lock().unwrap().push(ms);
                }
                async { Ok(()) }
            };
            events.applied_objects().try_for_each(seen).await.unwrap();
        }
    });
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for change in 0..FIRST + CHANGES {
        ticks.tick().await;
        let host = format!("{when}{change}");
        if change >= FIRST {
            asked.lock().unwrap().insert(host.clone(), Instant::now());
        }
        set_host(&websites, change % WEBSITES, &host).await;
    }
    let ended = Instant::now();
    while !asked.lock().unwrap().is_empty() {
        assert!(
            ended.elapsed() < LIMIT,
            "{when}: some changes were not seen to"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    watching.abort();
    std::mem::take(&mut *latencies.lock().unwrap())
}

/// Changes the websites of a project without an end.
async fn heat(websites: Api<Website>, what: String) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / GROUPS);
    let mut changes = JoinSet::new();
    for change in 0.. {
        ticks.tick().await;
        for number in 0..GROUP {
            let (websites, host) = (websites.clone(), format!("{what}x{change}x{number}"));
            let site = (change * GROUP + number) % HOT;
            changes.spawn(async move { set_host(&websites, site, &host).await });
        }
        while changes.try_join_next().is_some() {}
    }
}

async fn set_host(websites: &Api<Website>, site: usize, host: &str) {
    let patch = Patch::Merge(json!({"spec": {"host": host}}));
    let name = format!("site-{site}");
    let params = PatchParams::default();
    websites.patch(&name, &params, &patch).await.unwrap();
}
